//! The gateway and the command line, compiled once more from outside of the crate: they are assembled from its public API
//! alone, so that whoever wants another gateway can write it.

// What commands alone use, and what only the crate itself gives out, has no caller here.
#![allow(dead_code, unreachable_pub, unused_imports)]

/// `crate::auth` in the gateway's files is this crate's `auth`, which is the library's public one.
pub use solent::*;

#[path = "../../src/cli/mod.rs"]
pub mod cli;
#[path = "../../src/gateway/mod.rs"]
pub mod gateway;

use std::path::Path;

/// That this file compiles is most of the promise; that the result serves a site is the rest.
#[tokio::test]
async fn a_gateway_made_of_the_public_api_reads_a_file_and_serves_its_site() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("solent.toml");
    let site = "debug = true\nlog = { access = false }\n[server]\nbind = [\"127.0.0.1:0\"]\n\
                [[http]]\npath = \"hello/\"\nrespond = { body = \"assembled\" }\n";
    std::fs::write(&file, site).unwrap();
    let loaded = gateway::Loaded::read(&file, &gateway::Parts::new()).unwrap();
    let deployment = loaded.start().await.unwrap();
    let address = deployment.addresses()[0];
    let answer = tokio::task::spawn_blocking(move || get(address, "/hello/")).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("assembled"), "{answer}");
    deployment.shutdown().await.unwrap();
    assert!(gateway::Loaded::read(Path::new("nowhere.toml"), &gateway::Parts::new()).is_err());
}

fn get(address: std::net::SocketAddr, path: &str) -> String {
    use std::io::{Read, Write};
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(std::time::Duration::from_secs(10))).unwrap();
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    answer
}
