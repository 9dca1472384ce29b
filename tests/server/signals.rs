//! SIGTERM and SIGINT, sent to a server in a process of its own.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::raw::{PATIENCE, Raw, close};
use solent::Limits;
use solent::server::Server;

const VARIABLE: &str = "SOLENT_TEST_SERVE";

/// The other process: this test alone, with the variable set. Without it there is nothing to do.
#[tokio::test]
async fn a_server_of_its_own() {
    if std::env::var_os(VARIABLE).is_none() {
        return;
    }
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_secs(60);
    Server::new(crate::site::app().0).bind("127.0.0.1:0").limits(limits).serve().await.unwrap();
    println!("ended well");
}

struct Process {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    address: SocketAddr,
}

impl Process {
    async fn start() -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["signals::a_server_of_its_own", "--exact", "--nocapture"])
            .env(VARIABLE, "1")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.expect("in time").unwrap().unwrap();
            if let Some((_, url)) = line.split_once(" server at http://") {
                break url.trim_end_matches('/').parse().unwrap();
            }
        };
        Self { child, lines, address }
    }

    fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.child.id().expect("it runs"));
        assert!(std::process::Command::new("sh").args(["-c", &command]).status().unwrap().success());
    }

    /// Waits for the end; whether the server said that it ended well.
    async fn end(mut self) -> bool {
        let mut well = false;
        while let Some(line) = timeout(PATIENCE, self.lines.next_line()).await.expect("in time").unwrap() {
            well |= line.contains("ended well");
        }
        let status = timeout(PATIENCE, self.child.wait()).await.expect("in time").unwrap();
        well && status.success()
    }
}

#[tokio::test]
async fn either_signal_drains() {
    for signal in ["TERM", "INT"] {
        let server = Process::start().await;
        let mut request = Raw::connect(server.address).await;
        request
            .send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
            .await;
        assert_eq!(request.head().await.status, 100, "the view has begun");
        let mut socket = Raw::websocket(server.address, "/ws/").await;
        server.signal(signal);
        assert_eq!(socket.frame().await.close_code(), 1012);
        socket.send(close(1012, "")).await;
        request.send("finish").await;
        assert_eq!(request.response().await.1, "finish");
        assert!(server.end().await, "{signal}");
    }
}

#[tokio::test]
async fn a_second_signal_ends_at_once() {
    let server = Process::start().await;
    let mut hanging = Raw::connect(server.address).await;
    hanging.send("GET /gated HTTP/1.1\r\nHost: a\r\n\r\n").await;
    let mut socket = Raw::websocket(server.address, "/ws/").await;
    server.signal("TERM");
    assert_eq!(socket.frame().await.close_code(), 1012, "the drain has begun");
    server.signal("TERM");
    assert!(server.end().await, "long before the drain's 60 seconds");
}
