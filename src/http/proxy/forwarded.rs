//! What a server behind is told of the client and of the way to it.

use std::net::IpAddr;

use ::http::header::{FORWARDED, HOST, HeaderName, VIA};
use ::http::{HeaderMap, HeaderValue, Version};

use super::settings::HostPolicy;
use super::upstream::Upstream;
use super::{headers, host_value};
use crate::{RequestId, Scope, trace_context};

const FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const REAL_IP: HeaderName = HeaderName::from_static("x-real-ip");

/// How often a request may pass through servers of this kind; more is a circle.
const MOST_PASSES: usize = 8;

/// Writes the fields that tell of the way. Those of others stay only where a trusted proxy wrote them.
///
/// # Errors
/// When the request goes in a circle.
pub(super) fn write(
    headers: &mut HeaderMap,
    scope: &Scope,
    version: Version,
    upstream: &Upstream,
    policy: &HostPolicy,
) -> Result<(), Circle> {
    if !scope.passage.trusted {
        remove_forged(headers);
    }
    let host = headers.get(HOST).cloned().filter(|host| !host.is_empty());
    write_addresses(headers, scope, host.as_ref());
    if let Some(host) = &host {
        headers.entry(FORWARDED_HOST).or_insert_with(|| host.clone());
    }
    let own_host = || host_value(upstream.host());
    let host = match policy {
        HostPolicy::Client => host.unwrap_or_else(own_host),
        HostPolicy::Upstream => own_host(),
        HostPolicy::Named(name) => name.clone(),
    };
    headers.insert(HOST, host);
    let id = if scope.request_id == RequestId::NONE { RequestId::new() } else { scope.request_id.clone() };
    headers.insert(RequestId::HEADER, id.header_value());
    trace_context::pass_on(headers);
    write_via(headers, version)
}

/// A request that has come back to where it was.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circle;

fn remove_forged(headers: &mut HeaderMap) {
    let is_forged = |name: &&HeaderName| name.as_str().starts_with("x-forwarded-");
    let forged: Vec<_> = headers.keys().filter(is_forged).cloned().collect();
    for name in forged.iter().chain(&[FORWARDED, REAL_IP]) {
        headers.remove(name);
    }
}

fn write_addresses(headers: &mut HeaderMap, scope: &Scope, host: Option<&HeaderValue>) {
    let scheme = if scope.is_secure() { "https" } else { "http" };
    headers.insert(PROTO, HeaderValue::from_static(scheme));
    let client = scope.client.map(|client| client.ip().to_canonical());
    let (mut addresses, mut forwarded) =
        (client.map_or_else(String::new, |it| it.to_string()), element(client));
    let host = host.and_then(|host| host.to_str().ok()).filter(|host| !host.contains(['"', '\\']));
    if let Some(host) = host {
        forwarded.extend([";host=\"", host, "\""]);
    }
    forwarded.extend([";proto=", scheme]);
    for hop in &scope.passage.hops {
        forwarded.extend([", ", &element(*hop)]);
        if let Some(hop) = hop {
            let separator = if addresses.is_empty() { "" } else { ", " };
            addresses.extend([separator, &hop.to_string()]);
        }
    }
    match HeaderValue::try_from(addresses) {
        Ok(value) if !value.is_empty() => headers.insert(FOR, value),
        _ => headers.remove(FOR),
    };
    if let Ok(value) = HeaderValue::try_from(forwarded) {
        headers.insert(FORWARDED, value);
    }
}

/// RFC 7239 section 6: an address of version 6 stands in brackets and quotation marks.
fn element(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(address)) => format!("for={address}"),
        Some(IpAddr::V6(address)) => format!("for=\"[{address}]\""),
        None => "for=unknown".to_owned(),
    }
}

fn write_via(headers: &mut HeaderMap, version: Version) -> Result<(), Circle> {
    let own = match version {
        Version::HTTP_10 => "1.0 solent",
        Version::HTTP_2 => "2 solent",
        _ => "1.1 solent",
    };
    if headers::tokens(headers, &VIA).filter(|pass| pass.ends_with(" solent")).count() >= MOST_PASSES {
        return Err(Circle);
    }
    headers.append(VIA, HeaderValue::from_static(own));
    Ok(())
}
