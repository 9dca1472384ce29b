//! The course chat site of `config/redis.toml`, served by two processes of the plain binary on one Redis.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use crate::binary::{Site, project, solent};
use crate::layer_suite::within;
use crate::raw::{Head, Raw, frame};
use crate::redis_server::{RedisServer, free_port};
use crate::tools;
use crate::waiting::eventually;

/// The Redis channel of the first course's room.
pub(crate) const ROOM: &str = "asgi__group__chat_1";

/// Two processes that share a database and a Redis.
pub(crate) struct Two {
    pub(crate) server: RedisServer,
    pub(crate) one: Site,
    pub(crate) two: Site,
    _folder: TempDir,
}

impl Two {
    pub(crate) fn start() -> Self {
        Self::start_on("redis-pubsub")
    }

    /// On the layer of that name, in place of the one that the file has.
    pub(crate) fn start_on(backend: &str) -> Self {
        Self::start_with(backend, &[])
    }

    /// With allocators that give back at once what was freed: the processes' memory is what they hold, and little more.
    pub(crate) fn start_measured(backend: &str) -> Self {
        let settings = [
            ("_RJEM_MALLOC_CONF", "narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0"),
            // SQLite's, which is not the binary's own.
            ("MALLOC_ARENA_MAX", "1"),
            ("MALLOC_TRIM_THRESHOLD_", "0"),
        ];
        Self::start_with(backend, &settings)
    }

    fn start_with(backend: &str, environment: &[(&str, &str)]) -> Self {
        let (server, folder) = (RedisServer::start(), TempDir::new().expect("a folder"));
        let config = config_on(folder.path(), backend);
        let start = || {
            let database = format!("sqlite:{}", folder.path().join("site.db").display());
            let mut command = solent();
            command
                .env("SOLENT_BIND", "127.0.0.1:0")
                .env("SOLENT_DATABASE_URL", database)
                .env("SOLENT_REDIS_URL", server.url())
                .envs(environment.iter().copied())
                .arg("--config")
                .arg(&config);
            Site::start(&mut command)
        };
        // One after the other: the first makes the database.
        let (one, two) = (start(), start());
        Self { server, one, two, _folder: folder }
    }

    /// A member's socket in the first course's room, at one of the processes.
    pub(crate) async fn member(&self, site: &Site, name: &str, password: &str) -> Raw {
        let cookies = login(site.address, name, password).await;
        join(site.address, &cookies).await
    }

    /// How many processes are subscribed to the room.
    pub(crate) fn subscribers(&self) -> i64 {
        self.server.run::<Vec<(String, i64)>>(&["PUBSUB", "NUMSUB", ROOM])[0].1
    }
}

/// `config/redis.toml` with a layer of that name, beside what the file refers to.
fn config_on(folder: &Path, backend: &str) -> PathBuf {
    let text = std::fs::read_to_string(project().join("config/redis.toml")).expect("the file");
    let changed = text.replace("backend = \"redis-pubsub\"", &format!("backend = {backend:?}"));
    assert!(changed.contains(&format!("backend = {backend:?}")), "the file names its layer");
    let config = folder.join("config");
    std::fs::create_dir(&config).expect("a folder");
    std::os::unix::fs::symlink(project().join("config/demo"), config.join("demo")).expect("a link");
    std::os::unix::fs::symlink(project().join("templates"), folder.join("templates")).expect("a link");
    std::fs::write(config.join("redis.toml"), changed).expect("written");
    config.join("redis.toml")
}

/// Opens the room's socket with a member's cookies.
pub(crate) async fn join(address: SocketAddr, cookies: &str) -> Raw {
    let headers = format!("Origin: http://{address}\r\nCookie: {cookies}\r\n");
    Raw::websocket_with(address, "/ws/chat/room/1/", &headers).await
}

async fn request(address: SocketAddr, bytes: &str) -> (Head, String) {
    let mut raw = Raw::connect(address).await;
    raw.send(bytes).await;
    raw.response().await
}

/// Logs in by the page's form; gives the cookies.
pub(crate) async fn login(address: SocketAddr, name: &str, password: &str) -> String {
    let get = format!("GET /accounts/login/ HTTP/1.1\r\nHost: {address}\r\nAccept: text/html\r\n\r\n");
    let (head, page) = request(address, &get).await;
    let csrf = cookies(&head);
    let token = page.split("name=\"csrfmiddlewaretoken\" value=\"").nth(1).expect("the page has a form");
    let token = token.split('"').next().unwrap_or_default();
    let form = format!("csrfmiddlewaretoken={token}&username={name}&password={password}");
    let post = format!(
        "POST /accounts/login/ HTTP/1.1\r\nHost: {address}\r\nCookie: {csrf}\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
        form.len()
    );
    let (head, page) = request(address, &post).await;
    assert_eq!(head.status, 302, "{page}");
    cookies(&head)
}

fn cookies(head: &Head) -> String {
    let lines = head.text.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<&str> = set.filter_map(|(_, cookie)| cookie.split(';').next()).collect();
    pairs.join("; ")
}

/// A member whose events are read beside, so that a test may stop waiting for one without losing it.
pub(crate) struct Member {
    writer: Arc<Mutex<OwnedWriteHalf>>,
    pub(crate) events: mpsc::UnboundedReceiver<Json>,
    reader: JoinHandle<()>,
}

impl Drop for Member {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Member {
    pub(crate) async fn join(address: SocketAddr, cookies: &str) -> Self {
        let (mut reader, writer) = join(address, cookies).await.stream.into_split();
        let (heard, events) = mpsc::unbounded_channel();
        let writer = Arc::new(Mutex::new(writer));
        let ponger = writer.clone();
        let reader = tokio::spawn(async move {
            let mut unread = Vec::new();
            while reader.read_buf(&mut unread).await.is_ok_and(|read| read > 0) {
                let mut at = 0;
                while let Some((first, payload, length)) = first_frame(&unread[at..]) {
                    match first {
                        0x81 => drop(heard.send(serde_json::from_slice(payload).expect("the text is JSON"))),
                        0x89 => pong(&ponger, payload).await,
                        _ => return,
                    }
                    at += length;
                }
                unread.drain(..at);
            }
        });
        Self { writer, events, reader }
    }

    pub(crate) async fn says(&mut self, text: &str) {
        let text = json!({ "message": text }).to_string();
        let sent = self.writer.lock().await.write_all(&frame(0x81, text.as_bytes())).await;
        sent.expect("the server reads");
    }

    /// The next event.
    pub(crate) async fn hears(&mut self) -> Json {
        within(self.events.recv()).await.expect("the socket is open")
    }
}

/// Answers a ping. Who has left need not be answered.
pub(crate) async fn pong(writer: &Mutex<OwnedWriteHalf>, payload: &[u8]) {
    let _ = writer.lock().await.write_all(&frame(0x8a, payload)).await;
}

/// The first whole frame: its first byte, its payload and its length.
pub(crate) fn first_frame(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (length, head) = match second {
        126 => (usize::from(u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?])), 4),
        length => (usize::from(length), 2),
    };
    Some((first, bytes.get(head..head + length)?, head + length))
}

/// The real daphne with an `AsyncWebsocketConsumer` in the same room.
pub(crate) struct PythonMember {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl PythonMember {
    pub(crate) async fn start(server: &RedisServer) -> Self {
        let port = free_port();
        let child = Command::new(tools::python())
            .args(["-m", "daphne", "-p", &port.to_string(), "member:application"])
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/redis"))
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .env("REDIS_URL", server.url())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("daphne starts");
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        eventually("daphne listens", || std::net::TcpStream::connect(address).is_ok()).await;
        Self { child, address }
    }
}

impl Drop for PythonMember {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
