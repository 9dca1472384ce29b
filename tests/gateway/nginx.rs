//! A real nginx in front, with the configuration of `config/deploy/`: over TCP and over a Unix socket.

use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto::ring};

use super::binary::{Folder, Site, project};
use super::raw::{Raw, frame, handshake};
use super::tools;
use super::waiting::{PATIENCE, eventually_blocking};

/// Where the client comes from: not the address from which nginx connects to Solent.
const CLIENT: &str = "127.0.0.2";

/// nginx with its files in a folder of its own.
struct Nginx {
    child: Child,
    folder: TempDir,
    plain: SocketAddr,
    secure: SocketAddr,
    certificate: CertificateDer<'static>,
}

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Nginx {
    /// Starts nginx with the project's file, in which only names, ports and paths are replaced.
    fn start(solent: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let made = rcgen::generate_simple_self_signed(["example.com".to_owned()]).unwrap();
        std::fs::write(path("cert.pem"), made.cert.pem()).unwrap();
        std::fs::write(path("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let (plain, secure) = (free_address(), free_address());
        let mut site = std::fs::read_to_string(project().join("config/deploy/nginx.conf")).unwrap();
        for (from, to) in [
            ("unix:/run/solent/solent.sock;", format!("{solent};")),
            ("listen 80;", format!("listen {plain};")),
            ("listen 443 ssl;", format!("listen {secure} ssl;")),
            ("/etc/ssl/example.com/fullchain.pem", path("cert.pem")),
            ("/etc/ssl/example.com/privkey.pem", path("key.pem")),
        ] {
            assert!(site.contains(from), "config/deploy/nginx.conf has no {from:?}");
            site = site.replacen(from, &to, 1);
        }
        std::fs::write(path("site.conf"), site).unwrap();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|part| format!("{part}_temp_path {};\n", path(part)))
            .concat();
        let whole = format!(
            "user root;\ndaemon off;\npid {};\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}include {};\n}}\n",
            path("nginx.pid"),
            path("site.conf"),
        );
        std::fs::write(path("nginx.conf"), whole).unwrap();
        let child = Command::new(tools::nginx())
            .args(["-p", &path(""), "-c", &path("nginx.conf")])
            .stdout(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let certificate = made.cert.der().clone();
        let nginx = Self { child, folder, plain, secure, certificate };
        nginx.wait();
        nginx
    }

    fn wait(&self) {
        let what = format!("nginx in {} listens", self.folder.path().display());
        eventually_blocking(&what, 3 * PATIENCE, || std::net::TcpStream::connect(self.secure).is_ok());
    }

    async fn connect(&self) -> TlsStream<TcpStream> {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(format!("{CLIENT}:0").parse().unwrap()).unwrap();
        let stream = socket.connect(self.secure).await.unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let config = builder.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from("example.com").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers.
        let _ = Command::new("/bin/kill").args(["-QUIT", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}

/// A site that tells what it knows of a request.
fn folder(bind: &str, trusted: &str) -> Folder {
    let folder = Folder::with(&format!(
        r#"
debug = true
allowed_hosts = ["example.com"]

[server]
bind = ["127.0.0.1:0", {bind}]
trusted_proxies = ["{trusted}"]

[limits]
drain_time = "100ms"

[templates]
dir = "templates"

[[http]]
path = "told/"
template = "told.html"

[[websocket]]
path = "ws/"
consumer = "echo"
"#
    ));
    folder.write("templates/told.html", "{{ request.scheme }} {{ request.host }} {{ request.is_secure }}");
    folder
}

async fn ask(nginx: &Nginx, request: &str) -> String {
    let mut stream = nginx.connect().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8(answer).unwrap()
}

async fn head(stream: &mut TlsStream<TcpStream>) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Everything that must be right behind nginx, whichever way it reaches Solent.
async fn is_right(nginx: &Nginx, site: &mut Site) {
    // A browser's request, with what it claims of itself.
    let claims = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: http\r\nForwarded: for=6.6.6.6\r\nX-Request-ID: evil\r\n";
    let request = format!("GET /told/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n{claims}\r\n");
    let answer = ask(nginx, &request).await;
    assert!(answer.ends_with("https example.com True"), "{answer}");
    let id = answer
        .lines()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("x-request-id: ").map(str::to_owned));
    let id = id.expect("an id");
    assert!(id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "nginx's id: {id}");
    assert_eq!(site.line(), "Quit the server with CONTROL-C.");
    let line = site.line();
    assert!(line.starts_with("HTTP GET /told/ 200 [") && line.ends_with(&format!(", {CLIENT}]")), "{line}");
    // A socket, from a page of the site's own.
    let mut stream = nginx.connect().await;
    let asked =
        handshake("/ws/", "Origin: https://example.com\r\n").replace("Host: 127.0.0.1", "Host: example.com");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    stream.write_all(&frame(0x81, b"hello")).await.unwrap();
    let mut echoed = [0; 7];
    stream.read_exact(&mut echoed).await.unwrap();
    assert_eq!(&echoed, b"\x81\x05hello");
    assert_eq!(site.line(), format!("WebSocket HANDSHAKING /ws/ [{CLIENT}]"));
    assert_eq!(site.line(), format!("WebSocket CONNECT /ws/ [{CLIENT}]"));
    drop(stream);
    assert_eq!(site.line(), format!("WebSocket DISCONNECT /ws/ [{CLIENT}]"));
    // A page of another site.
    let foreign = asked.replace("https://example.com", "https://evil.example");
    let mut stream = nginx.connect().await;
    stream.write_all(foreign.as_bytes()).await.unwrap();
    let answer = head(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    // Without TLS nginx sends everyone where it is.
    let mut raw = Raw::connect(nginx.plain).await;
    raw.send("GET /told/ HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n").await;
    let head = raw.head().await;
    assert_eq!((head.status, head.header("location")), (301, Some("https://example.com/told/")));
}

#[tokio::test]
async fn over_tcp_sockets_addresses_and_the_scheme_are_right() {
    let folder = folder("", "127.0.0.1");
    let mut site = folder.start();
    let nginx = Nginx::start(&site.address.to_string());
    is_right(&nginx, &mut site).await;
}

#[tokio::test]
async fn over_a_unix_socket_sockets_addresses_and_the_scheme_are_right() {
    let place = TempDir::new().unwrap();
    let socket = place.path().join("solent.sock").display().to_string();
    let folder = folder(&format!("\"unix:{socket}\""), "unix");
    let mut site = folder.start();
    let nginx = Nginx::start(&format!("unix:{socket}"));
    is_right(&nginx, &mut site).await;
}
