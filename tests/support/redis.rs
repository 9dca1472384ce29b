//! A Redis server of a test's own: on a private port, in a private folder, gone with the test.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses the parts that it needs")]

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::{FromRedisValue, RedisResult};
use tempfile::TempDir;

use crate::tools;
use crate::waiting::{PATIENCE, eventually_blocking};

/// A running server. Its process ends when this is dropped.
pub struct RedisServer {
    child: Option<Child>,
    port: u16,
    folder: TempDir,
    options: Vec<String>,
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl RedisServer {
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// A server with further command line options.
    pub fn with(options: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = options.iter().map(ToString::to_string).collect();
        let mut server = Self { child: None, port: free_port(), folder, options };
        server.restart();
        server
    }

    /// A Sentinel with this settings file.
    pub fn sentinel(file: tempfile::NamedTempFile) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings = folder.path().join("sentinel.conf");
        std::fs::copy(file.path(), &settings).expect("copied");
        let port = free_port();
        let child = Command::new(tools::redis_server())
            .arg(&settings)
            .args(["--sentinel", "--port", &port.to_string(), "--bind", "127.0.0.1", "--daemonize", "no"])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let server = Self { child: Some(child), port, folder, options: Vec::new() };
        server.wait();
        server
    }

    fn wait(&self) {
        eventually_blocking("redis-server listens", PATIENCE, || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
        });
    }

    /// Starts the server on its port, after [`kill`](Self::kill).
    pub fn restart(&mut self) {
        self.kill();
        let child = Command::new(tools::redis_server())
            .args([
                "--port",
                &self.port.to_string(),
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .args(["--loglevel", "warning", "--daemonize", "no", "--enable-debug-command", "local"])
            .arg("--dir")
            .arg(self.folder.path())
            .args(&self.options)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        self.child = Some(child);
        self.wait();
    }

    /// Ends the server without a word.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Runs one command over a connection of its own.
    pub fn try_run<T: FromRedisValue>(&self, words: &[&str]) -> RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_connection_with_timeout(Duration::from_secs(5))?;
        let (name, arguments) = words.split_first().expect("a command");
        redis::cmd(name).arg(arguments).query(&mut connection)
    }

    pub fn run<T: FromRedisValue>(&self, words: &[&str]) -> T {
        self.try_run(words).unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// The channels and the number of patterns that someone is subscribed to.
    pub fn subscriptions(&self) -> (Vec<String>, usize) {
        let mut channels: Vec<String> = self.run(&["PUBSUB", "CHANNELS"]);
        channels.sort();
        (channels, self.run(&["PUBSUB", "NUMPAT"]))
    }

    /// All keys.
    pub fn keys(&self) -> Vec<String> {
        let mut keys: Vec<String> = self.run(&["KEYS", "*"]);
        keys.sort();
        keys
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}
