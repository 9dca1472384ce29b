//! Certificates are read again with the file: for who comes from then on, while open sockets stay as they are.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::binary::{Folder, Site, solent};
use super::raw::{PATIENCE, frame, handshake};
use super::waiting::eventually_async;

const SOCKETS: usize = 50;

const SITE: &str = r#"
debug = false
allowed_hosts = ["127.0.0.1", "localhost"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]
tls = { cert = "cert.pem", key = "key.pem" }

[[http]]
path = "page/"
respond = { body = "page" }

[[websocket]]
path = "ws/echo/"
consumer = "echo"
"#;

/// Writes a new pair of certificate and key into a site's folder.
fn renew(folder: &Folder) -> CertificateDer<'static> {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    folder.write("cert.pem", &made.cert.pem());
    folder.write("key.pem", &made.signing_key.serialize_pem());
    made.cert.der().clone()
}

/// A client that trusts one certificate and no other.
pub async fn connect(
    address: SocketAddr,
    trusted: &CertificateDer<'static>,
) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::new(config)).connect(name, TcpStream::connect(address).await?).await
}

async fn open(address: SocketAddr, trusted: &CertificateDer<'static>) -> TlsStream<TcpStream> {
    let mut socket = connect(address, trusted).await.unwrap();
    socket.write_all(handshake("/ws/echo/", "").as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, socket.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "), "{}", String::from_utf8_lossy(&head));
    socket
}

async fn echoes(socket: &mut TlsStream<TcpStream>, text: &str) {
    socket.write_all(&frame(0x81, text.as_bytes())).await.unwrap();
    let mut answer = vec![0; text.len() + 2];
    timeout(PATIENCE, socket.read_exact(&mut answer)).await.unwrap().expect("the socket is open");
    assert_eq!(&answer[2..], text.as_bytes());
}

/// Waits, within bounds, for the log to tell something so many times.
async fn told(log: &Path, text: &str, times: usize) -> String {
    let read = || std::fs::read_to_string(log).unwrap();
    let what = format!("{text:?} is told {times} times");
    eventually_async(&what, 3 * PATIENCE, async || read().matches(text).count() >= times).await;
    read()
}

#[tokio::test]
async fn a_new_certificate_is_shown_to_new_clients_open_sockets_stay_and_a_bad_one_is_refused() {
    const READ: &str = "the config file was read again";
    let folder = Folder::with(SITE);
    let first = renew(&folder);
    let log = folder.path("log");
    let site = Site::start_unheard(
        solent().arg("--config").arg(folder.config()).stderr(File::create(&log).unwrap()),
    );
    let mut sockets = Vec::new();
    for _ in 0..SOCKETS {
        sockets.push(open(site.address, &first).await);
    }

    let second = renew(&folder);
    site.signal("HUP");
    let text = told(&log, READ, 1).await;
    assert!(!text.contains("next start"), "certificates need no start:\n{text}");
    let mut newcomer = open(site.address, &second).await;
    connect(site.address, &first).await.expect_err("the old certificate is not shown any more");

    // A key that belongs to another certificate.
    let other = rcgen::KeyPair::generate().unwrap();
    folder.write("key.pem", &other.serialize_pem());
    site.signal("HUP");
    let text = told(&log, "is refused", 1).await;
    assert!(text.contains("the certificate and the key cannot be used together"), "{text}");
    assert!(text.contains("solent.toml:8:16:") && text.contains("PEM form"), "{text}");
    open(site.address, &second).await;

    // Under other names.
    let third = renew(&folder);
    std::fs::rename(folder.path("cert.pem"), folder.path("third.pem")).unwrap();
    std::fs::rename(folder.path("key.pem"), folder.path("third.key")).unwrap();
    folder.write("solent.toml", &SITE.replace("cert.pem", "third.pem").replace("key.pem", "third.key"));
    site.signal("HUP");
    let text = told(&log, READ, 2).await;
    assert!(!text.contains("next start"), "{text}");
    open(site.address, &third).await;

    for (number, socket) in sockets.iter_mut().chain([&mut newcomer]).enumerate() {
        echoes(socket, &format!("still here {number}")).await;
    }
    assert_eq!(site.stop(), Some(0));
}

#[tokio::test]
async fn tls_for_a_listener_without_it_needs_a_start() {
    let plain = SITE.replace("tls = ", "#tls = ");
    let folder = Folder::with(&plain);
    renew(&folder);
    let log = folder.path("log");
    let site = Site::start_unheard(
        solent().arg("--config").arg(folder.config()).stderr(File::create(&log).unwrap()),
    );
    folder.write("solent.toml", SITE);
    site.signal("HUP");
    told(&log, "changes of server take effect at the next start", 1).await;
    assert_eq!(site.stop(), Some(0));
}
