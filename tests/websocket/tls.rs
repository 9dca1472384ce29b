//! TLS: the same sockets under it, ALPN, and certificates that are replaced while serving.

use std::sync::Arc;
use std::time::Duration;

use solent::server::{Tls, TlsError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use crate::http2;
use crate::raw::{frame, handshake};
use crate::site::Site;

/// A self-signed certificate for `localhost` in a folder of its own.
struct Certificate {
    folder: tempfile::TempDir,
    der: CertificateDer<'static>,
}

impl Certificate {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        Self { folder, der: made.cert.der().clone() }
    }

    fn tls(&self) -> Tls {
        Tls::from_pem_files(self.folder.path().join("cert.pem"), self.folder.path().join("key.pem")).unwrap()
    }

    async fn connect(&self, site: &Site, alpn: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
        let stream = TcpStream::connect(site.address()).await.unwrap();
        TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
    }
}

#[tokio::test]
async fn j3_a_socket_under_tls_echoes() {
    let certificate = Certificate::new();
    let site = Site::with_tls(certificate.tls(), |_| {}).await;
    let mut stream = certificate.connect(&site, &[b"http/1.1"]).await.unwrap();
    stream.write_all(handshake("/ws/echo/", "").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream.write_all(&frame(0x81, b"hidden")).await.unwrap();
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer[2..], b"hidden");
}

#[tokio::test]
async fn alpn_prefers_http_2() {
    let certificate = Certificate::new();
    let site = Site::with_tls(certificate.tls(), |_| {}).await;
    let stream = certificate.connect(&site, &[b"h2", b"http/1.1"]).await.unwrap();
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
}

#[tokio::test]
async fn a_socket_over_http_2_under_tls_echoes() {
    let certificate = Certificate::new();
    let site = Site::with_tls(certificate.tls(), |_| {}).await;
    let mut sender = http2::client(certificate.connect(&site, &[b"h2"]).await.unwrap()).await;
    let mut socket = http2::open(&mut sender, "/ws/echo/").await;
    http2::echo(&mut socket, "hidden").await;
}

#[tokio::test]
async fn the_banner_says_https() {
    let site = Site::with_tls(Certificate::new().tls(), |_| {}).await;
    crate::waiting::until(|| site.lines.text().contains("server at https://127.0.0.1:")).await;
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_dropped_in_time() {
    let tls = Certificate::new().tls();
    let site = Site::with_tls(tls, |limits| limits.tls_handshake_time = Duration::from_millis(50)).await;
    let mut stream = TcpStream::connect(site.address()).await.unwrap();
    let read = tokio::time::timeout(crate::raw::PATIENCE, stream.read_u8()).await;
    assert!(read.expect("dropped in time").is_err());
}

#[tokio::test]
async fn replaced_certificates_are_used_by_new_connections() {
    let (old, new) = (Certificate::new(), Certificate::new());
    let tls = old.tls();
    let site = Site::with_tls(tls.clone(), |_| {}).await;
    old.connect(&site, &[]).await.unwrap();
    tls.replace(new.folder.path().join("cert.pem"), new.folder.path().join("key.pem")).unwrap();
    new.connect(&site, &[]).await.unwrap();
    old.connect(&site, &[]).await.unwrap_err();
}

#[test]
fn a_file_that_is_no_certificate_is_named() {
    let certificate = Certificate::new();
    let key = certificate.folder.path().join("key.pem");
    let error = Tls::from_pem_files(&key, &key).unwrap_err();
    assert!(matches!(&error, TlsError::Empty { path } if *path == key), "{error}");
}
