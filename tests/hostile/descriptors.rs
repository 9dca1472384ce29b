//! No descriptors left: accepting pauses, those who are in go on, and it recovers.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use solent::Limits;
use solent::server::{AccessLog, Server};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::raw::{PATIENCE, Raw};

/// Says which server the other process is to be.
const VARIABLE: &str = "SOLENT_TEST_DESCRIPTORS";
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";

/// The server's process. `few`: it may have 120 files, and believes that it may have more connections than that.
/// `raised`: it begins with 100 and may have 300, and has the default limits.
#[tokio::test]
async fn a_server_with_few_descriptors() {
    let Some(which) = std::env::var_os(VARIABLE) else { return };
    let mut limits = Limits::default();
    let (soft, hard) = if which == "few" { (120, 120) } else { (100, 300) };
    rlimit::setrlimit(rlimit::Resource::NOFILE, soft, hard).unwrap();
    if which == "few" {
        limits.connections = Some(10_000);
    }
    let server = Server::new(crate::site::application()).bind("127.0.0.1:0").limits(limits);
    let running = server.access_log(AccessLog::off()).start().await.unwrap();
    println!("listening on {}", running.addresses()[0]);
    std::future::pending::<()>().await;
}

async fn answered(raw: &mut Raw, time: Duration) -> bool {
    raw.send(GET).await;
    timeout(time, raw.response()).await.is_ok()
}

/// The other process, and where it listens.
async fn server(which: &str) -> (Child, SocketAddr) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["descriptors::a_server_with_few_descriptors", "--exact", "--nocapture"])
        .env(VARIABLE, which)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    loop {
        let line = timeout(PATIENCE, lines.next_line()).await.expect("in time").unwrap().unwrap();
        if let Some((_, address)) = line.split_once("listening on ") {
            return (child, address.parse().unwrap());
        }
    }
}

#[tokio::test]
async fn the_soft_limit_is_raised_and_all_but_64_descriptors_are_connections() {
    let (_child, address) = server("raised").await;
    let mut crowd = Vec::new();
    for number in 0..300 - 64 {
        let mut raw = Raw::connect(address).await;
        assert!(answered(&mut raw, PATIENCE).await, "connection {number}");
        crowd.push(raw);
    }
    let mut next = Raw::connect(address).await;
    assert!(!answered(&mut next, Duration::from_millis(300)).await, "64 are for other files");
    drop(crowd.pop());
    assert!(timeout(PATIENCE, next.response()).await.is_ok(), "a place is free again");
}

#[tokio::test]
async fn accepting_pauses_without_descriptors_and_recovers() {
    let (_child, address) = server("few").await;
    let mut first = Raw::connect(address).await;
    assert!(answered(&mut first, PATIENCE).await);
    let mut crowd = Vec::new();
    for _ in 0..200 {
        crowd.push(Raw::connect(address).await);
    }
    let last = crowd.last_mut().unwrap();
    assert!(!answered(last, Duration::from_millis(300)).await, "200 connections in 120 descriptors");
    assert!(answered(&mut first, PATIENCE).await, "who is in goes on");
    crowd.truncate(100);
    drop(crowd);
    let mut late = Raw::connect(address).await;
    assert!(answered(&mut late, PATIENCE).await, "accepting has recovered");
    assert!(answered(&mut first, PATIENCE).await);
}
