//! The address of a server behind this one.

use std::fmt;
use std::path::PathBuf;

use ::http::Uri;

use super::document::{Node, Value};
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

/// One server behind, or several that can stand in for each other; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upstreams(Vec<Upstream>);

impl Upstreams {
    /// The addresses as the proxy takes them: the first, and the others.
    pub(crate) fn addresses(&self) -> Option<(proxy::Upstream, impl Iterator<Item = proxy::Upstream>)> {
        let (first, others) = self.0.split_first()?;
        Some((first.address(), others.iter().map(Upstream::address)))
    }
}

impl Setting for Upstreams {
    fn expected() -> String {
        Upstream::expected()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Array(items) = &node.value else {
            return Upstream::read(node, reader).map(|upstream| Self(vec![upstream]));
        };
        if items.is_empty() {
            return reader.wrong(node, &format!("{}, or a list of at least one", Self::expected()));
        }
        let read: Vec<Option<Upstream>> = items.iter().map(|item| reader.item(item)).collect();
        read.into_iter().collect::<Option<Vec<_>>>().map(Self)
    }

    fn show(&self) -> Option<String> {
        match self.0.as_slice() {
            [one] => one.show(),
            several => {
                let items: Vec<String> = several.iter().filter_map(Setting::show).collect();
                Some(format!("[{}]", items.join(", ")))
            }
        }
    }
}

impl fmt::Display for Upstreams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, upstream) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            write!(f, "{comma}{upstream}")?;
        }
        Ok(())
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
