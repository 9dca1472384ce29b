//! A Python process with channels_redis, driven line by line.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use crate::redis_server::RedisServer;
use crate::tools;

/// A running process; it ends when this is dropped.
pub(crate) struct Peer {
    child: Child,
    lines: Arc<Mutex<(ChildStdin, BufReader<ChildStdout>)>>,
}

impl Peer {
    /// `layer` is `core` or `pubsub`; `options` are its Python keyword arguments besides `hosts`.
    pub(crate) fn start(layer: &str, servers: &[RedisServer], mut options: Json) -> Self {
        options["hosts"] = servers.iter().map(RedisServer::url).collect();
        let mut child = Command::new(tools::python())
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/redis/peer.py"))
            .arg(json!({"layer": layer, "options": options}).to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python starts");
        let stdin = child.stdin.take().expect("a pipe");
        let stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        Self { child, lines: Arc::new(Mutex::new((stdin, stdout))) }
    }

    /// Runs one method of the layer; the error is the exception.
    pub(crate) async fn try_call(&self, method: &str, arguments: Json) -> Result<Json, String> {
        let (lines, command) = (self.lines.clone(), json!({"do": method, "with": arguments}));
        let answer = tokio::task::spawn_blocking(move || {
            let mut lines = lines.lock().expect("not poisoned");
            writeln!(lines.0, "{command}").expect("the process listens");
            let mut line = String::new();
            lines.1.read_line(&mut line).expect("the process answers");
            serde_json::from_str::<Json>(&line).unwrap_or_else(|_| panic!("no answer to {command}: {line:?}"))
        });
        let mut answer = answer.await.expect("no panic");
        match answer["error"].as_str() {
            Some(error) => Err(error.to_owned()),
            None => Ok(answer["ok"].take()),
        }
    }

    pub(crate) async fn call(&self, method: &str, arguments: Json) -> Json {
        let shown = arguments.to_string().chars().take(200).collect::<String>();
        self.try_call(method, arguments).await.unwrap_or_else(|error| panic!("{method} {shown}: {error}"))
    }

    /// A fresh channel of the Python process.
    pub(crate) async fn new_channel(&self) -> String {
        self.call("new_channel", json!([])).await.as_str().expect("a name").to_owned()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
