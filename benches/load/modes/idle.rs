//! Memory of idle members, and what is left of it when they have gone.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

use crate::client::{Socket, Visitor};
use crate::measure::Server;
use crate::report::Report;
use crate::servers::certificate_of;

const MEMBERS: usize = 10_000;

/// How long after the last member has left memory is looked at again.
const AFTERWARDS: Duration = Duration::from_secs(60);

/// What an authenticated member may take, in bytes.
const BOUND: usize = 4 << 10;

/// And with permessage-deflate negotiated.
const BOUND_WITH_DEFLATE: usize = 6 << 10;

const SIGNED: [&str; 3] = ["solent", "signed", "forwarded"];

/// With the log on, as the binary has it.
const LOGGED: [&str; 4] = ["solent", "signed", "forwarded", "logged"];

pub fn run() {
    let mut report =
        Report::new("idle", "bytes of server memory (Pss) per member, 10,000 members of one room");
    let cases: [(&str, &[&str], bool); 6] = [
        ("solent, anonymous", &["solent", "anonymous", "forwarded"], false),
        ("solent, signed cookie", &SIGNED, false),
        ("solent, signed cookie, log on", &LOGGED, false),
        ("solent, SQLite session", &["solent", "database", "forwarded"], false),
        ("solent, deflate", &SIGNED, true),
        ("axum", &["axum"], false),
    ];
    for (name, kind, deflate) in cases {
        report.add("idle", name, per_member(kind, deflate) as f64, None);
    }
    report.add("idle", "solent, TLS", per_tls_member() as f64, None);
    let (before, after) = before_and_after();
    report.add("KiB of the process", "solent, nobody yet", before as f64, Some(1.0));
    report.add(
        "KiB of the process",
        "a minute after all left",
        after as f64,
        Some(after as f64 / before as f64),
    );
    report.finish();
}

/// Whether members keep to their bounds; prints what they take.
pub fn holds() -> bool {
    let plain = per_member(&SIGNED, false);
    let logged = per_member(&LOGGED, false);
    let deflate = per_member(&SIGNED, true);
    println!(
        "an idle member takes {plain} bytes, with the log on {logged}, bound {BOUND}; with deflate {deflate}, bound \
         {BOUND_WITH_DEFLATE}"
    );
    plain.max(logged) <= BOUND && deflate <= BOUND_WITH_DEFLATE
}

fn per_member(kind: &[&str], deflate: bool) -> usize {
    let server = Server::start(kind);
    let visitor = Visitor::of(&server, kind);
    drop(Socket::open(&visitor, 1));
    let before = server.memory();
    let sockets: Vec<_> = (0..MEMBERS).map(|_| Socket::open_with(&visitor, 1, deflate)).collect();
    (server.memory() - before) * 1024 / sockets.len()
}

fn before_and_after() -> (usize, usize) {
    let server = Server::start(&SIGNED);
    let visitor = Visitor::of(&server, &SIGNED);
    drop(Socket::open(&visitor, 1));
    let before = server.memory();
    drop((0..MEMBERS).map(|_| Socket::open(&visitor, 1)).collect::<Vec<_>>());
    std::thread::sleep(AFTERWARDS);
    (before, server.memory())
}

fn per_tls_member() -> usize {
    let server = Server::start(&["solent", "signed", "forwarded", "tls"]);
    let certificate = certificate_of(server.id());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(&certificate).expect("a certificate")).expect("a root");
    let _ = std::fs::remove_file(certificate);
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions().expect("versions");
    let config = Arc::new(builder.with_root_certificates(roots).with_no_client_auth());
    let connect = || {
        let name = ServerName::try_from("127.0.0.1").expect("a name");
        let stream = TcpStream::connect(server.address).expect("the server listens");
        StreamOwned::new(ClientConnection::new(config.clone(), name).expect("a client"), stream)
    };
    let visitor = Visitor::over_tls(&server, &mut connect());
    let open = || {
        let mut stream = connect();
        visitor.upgrade(&mut stream, 1, false);
        stream
    };
    drop(open());
    let before = server.memory();
    let sockets: Vec<_> = (0..MEMBERS).map(|_| open()).collect();
    (server.memory() - before) * 1024 / sockets.len()
}
