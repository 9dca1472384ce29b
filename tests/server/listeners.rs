//! Where connections come from: several addresses, Unix sockets, listeners of the host program.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixStream};

use crate::raw::{ACCEPT, Raw, frame, handshake};
use crate::site::{GET, Lines, Site};
use solent::server::AccessLog;

#[tokio::test]
async fn j1_several_addresses_serve_the_same() {
    let site = Site::serve(|server| server.bind("127.0.0.1:0").access_log(AccessLog::off())).await;
    let addresses = site.running.addresses().to_vec();
    assert_eq!(addresses.len(), 2);
    for address in addresses {
        let mut raw = Raw::connect(address).await;
        raw.send(GET).await;
        assert_eq!(raw.response().await.1, "hello");
    }
}

#[tokio::test]
async fn an_address_of_version_6_is_served_where_there_is_one() {
    if TcpListener::bind("[::1]:0").await.is_err() {
        return;
    }
    let site = Site::serve(|server| server.bind("[::1]:0").access_log(AccessLog::off())).await;
    let address = *site.running.addresses().iter().find(|address| address.is_ipv6()).unwrap();
    let mut raw = Raw::connect(address).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
}

#[tokio::test]
async fn a_listener_of_the_host_programs_is_served() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let site = Site::serve(|server| server.listen(listener).access_log(AccessLog::off())).await;
    assert!(site.running.addresses().contains(&address));
    let mut raw = Raw::connect(address).await;
    raw.send(GET).await;
    assert_eq!(raw.response().await.1, "hello");
}

/// The start of what comes on a stream, up to and including `end`.
async fn up_to(stream: &mut UnixStream, end: &[u8]) -> Vec<u8> {
    let mut found = Vec::new();
    while !found.ends_with(end) {
        found.push(stream.read_u8().await.unwrap());
    }
    found
}

#[tokio::test]
async fn j2_a_unix_socket_serves_requests_and_websockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("solent.sock");
    let lines = Lines::default();
    let log = AccessLog::text_to(lines.clone());
    let site = Site::serve(|server| server.bind(format!("unix:{}", path.display())).access_log(log)).await;
    let mut stream = UnixStream::connect(&path).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost:\r\n\r\n").await.unwrap();
    let answer = up_to(&mut stream, b"hello").await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK\r\n"));
    stream.write_all(handshake("/ws/", "").as_bytes()).await.unwrap();
    let answer = String::from_utf8(up_to(&mut stream, b"\r\n\r\n").await).unwrap();
    assert!(answer.contains(ACCEPT), "{answer}");
    stream.write_all(&frame(0x81, b"over a file")).await.unwrap();
    assert_eq!(up_to(&mut stream, b"file").await, b"\x81\x0bover a file");
    drop(stream);
    let lines = lines.wait(6).await;
    assert!(lines[0].ends_with(&format!("unix:{}", path.display())), "{}", lines[0]);
    assert!(lines[2].starts_with("HTTP GET / 200 [") && lines[2].ends_with(", -]"), "{}", lines[2]);
    assert_eq!(lines[5], "WebSocket DISCONNECT /ws/ [-]");
    site.running.shutdown().await.unwrap();
    assert!(!path.exists(), "the file goes with the server");
}

#[tokio::test]
async fn a_socket_file_that_a_killed_process_left_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("solent.sock");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let _site =
        Site::serve(|server| server.bind(format!("unix:{}", path.display())).access_log(AccessLog::off()))
            .await;
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_socket_file_that_is_in_use_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("solent.sock");
    let _other = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let server = solent::server::Server::new(crate::site::app().0).access_log(AccessLog::off());
    let error = server.bind(format!("unix:{}", path.display())).start().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on unix:{}", path.display()));
    UnixStream::connect(&path).await.unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "precious").unwrap();
    let server = solent::server::Server::new(crate::site::app().0).access_log(AccessLog::off());
    server.bind(format!("unix:{}", path.display())).start().await.unwrap_err();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
}
