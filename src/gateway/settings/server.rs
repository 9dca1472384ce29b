//! `[server]`: where the server listens.

use std::path::PathBuf;

use crate::gateway::document::Node;
use crate::gateway::reader::Reader;
use crate::gateway::section::section;
use crate::gateway::setting::{Placed, Setting, quoted};
use crate::server::Network;

section! {
    /// `[server]`.
    pub(crate) struct ServerSettings {
        /// The addresses to listen on: `host:port`, where port 0 takes a free one, or `unix:` and a path.
        bind: Vec<Placed<BindAddress>> = vec![Placed { value: BindAddress("127.0.0.1:8000".to_owned()), span: 0..0 }],
        /// TLS on all TCP addresses. SIGHUP has the certificate read again, for connections that come from then on.
        tls: Option<TlsSettings> = None,
        /// The networks of proxies whose word on a client's address and scheme is taken: `10.0.0.0/8`,
        /// `::1`, or `unix` for the Unix sockets that are listened on. The forwarding headers of all others are ignored.
        trusted_proxies: Vec<Network> = Vec::new(),
    }
}

section! {
    /// `server.tls`.
    pub(crate) struct TlsSettings {
        /// The certificate with its chain, in PEM form.
        cert: Placed<PathBuf>,
        /// The certificate's private key, in PEM form.
        key: Placed<PathBuf>,
    }
}

/// `host:port`, or `unix:` and a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BindAddress(pub(crate) String);

impl Setting for BindAddress {
    fn expected() -> String {
        "an address such as \"127.0.0.1:8000\", or \"unix:\" and a path".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
            return Some(Self(format!("unix:{}", reader.resolve(path).display())));
        }
        match text.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Some(Self(text)),
            _ => reader.wrong(node, &Self::expected()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

impl Setting for Network {
    fn expected() -> String {
        "a network such as \"10.0.0.0/8\" or \"::1\", or \"unix\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &<Self as Setting>::expected())?;
        text.parse().ok().or_else(|| reader.wrong(node, &<Self as Setting>::expected()))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.to_string()))
    }
}
