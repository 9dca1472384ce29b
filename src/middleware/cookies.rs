//! Cookies, read by Django's rules.

/// The cookies of a request or handshake, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookies(std::collections::BTreeMap<String, String>);
