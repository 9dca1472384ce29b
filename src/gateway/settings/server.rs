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
        /// The addresses to listen on: `host:port`, where port 0 takes a free one, `unix:` and a path, or `systemd`
        /// for the sockets that systemd passes.
        bind: Vec<Placed<ListenAddress>> = vec![Placed { value: ListenAddress("127.0.0.1:8000".to_owned()), span: 0..0 }],
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
        address(text, reader).map(Self).or_else(|| reader.wrong(node, &Self::expected()))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// An address, or `systemd` for the sockets that are passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ListenAddress(pub(crate) String);

impl Setting for ListenAddress {
    fn expected() -> String {
        "an address such as \"127.0.0.1:8000\", \"unix:\" and a path, or \"systemd\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let text = reader.text(node, &Self::expected())?;
        let passed = (text == "systemd").then(|| text.clone());
        let address = passed.or_else(|| address(text, reader));
        address.map(Self).or_else(|| reader.wrong(node, &Self::expected()))
    }

    fn show(&self) -> Option<String> {
        Some(quoted(&self.0))
    }
}

/// `host:port`, or `unix:` and a path, which is the file's own.
fn address(text: String, reader: &Reader<'_>) -> Option<String> {
    if let Some(path) = text.strip_prefix("unix:").filter(|path| !path.is_empty()) {
        return Some(format!("unix:{}", reader.resolve(path).display()));
    }
    let (host, port) = text.rsplit_once(':')?;
    let is_one = !host.is_empty() && port.parse::<u16>().is_ok();
    is_one.then_some(text)
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
