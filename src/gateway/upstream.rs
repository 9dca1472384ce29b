//! The address of a server behind this one.

use std::fmt;

use super::document::{Node, Value};
use super::reader::Reader;
use super::setting::{Setting, quoted};
use crate::http::proxy;

/// A server behind this one: `http://host:port`, `https://host:port`, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Upstream(proxy::Upstream);

impl Setting for Upstream {
    fn expected() -> String {
        "\"http://host:port\" or \"https://host:port\" without a path, or \"unix:\" and a path".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Some(Self(proxy::Upstream::unix(reader.resolve(path.trim_start_matches("//")))));
        }
        text.parse().ok().map(Self).or_else(|| reader.wrong(node, &Self::expected()))
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
        Some((first.0.clone(), others.iter().map(|other| other.0.clone())))
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
        self.0.fmt(f)
    }
}
