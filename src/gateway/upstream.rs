//! The address of a server behind this one.

use std::fmt;
use std::path::PathBuf;

use ::http::Uri;

use super::document::Node;
use super::reader::Reader;
use super::setting::{Setting, quoted};
use crate::http::proxy;

/// A server behind this one: `http://host:port`, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Upstream {
    /// Host and port.
    Tcp(String),
    /// A socket's path.
    Unix(PathBuf),
}

impl Upstream {
    /// The address as the proxy takes it.
    pub(crate) fn address(&self) -> proxy::Upstream {
        match self {
            Self::Tcp(authority) => proxy::Upstream::tcp(authority),
            Self::Unix(path) => proxy::Upstream::unix(path),
        }
    }
}

impl Setting for Upstream {
    fn expected() -> String {
        "\"http://host:port\" without a path, or \"unix:\" and a path".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Some(Self::Unix(reader.resolve(path.trim_start_matches("//"))));
        }
        let uri = text.parse::<Uri>().ok().filter(|uri| uri.scheme_str() == Some("http"));
        let authority = uri.as_ref().filter(|uri| matches!(uri.path(), "" | "/") && uri.query().is_none());
        match authority.and_then(Uri::authority) {
            Some(authority) if !authority.as_str().contains('@') && !authority.host().is_empty() => {
                Some(Self::Tcp(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80))))
            }
            _ => reader.wrong(node, &Self::expected()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
