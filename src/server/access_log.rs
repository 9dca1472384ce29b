//! The access log: one line per request and per turn of a WebSocket, as text or JSON.
//!
//! Lines go through a bounded queue to a thread of their own, so that a stuck terminal or pipe never stops the
//! server; what does not fit is counted and told.

use std::fmt;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;

use ::http::{Method, StatusCode};

use crate::RequestId;

/// Lines that may wait for the writer.
const QUEUE: usize = 8192;

/// Where the banner and the access log go, and in which form. Cheap to clone.
///
/// ```
/// use std::fs::File;
/// use solent::server::{AccessLog, Server};
///
/// # fn server(app: solent::routing::ProtocolTypeRouter) -> std::io::Result<Server> {
/// let for_people = AccessLog::text_to(File::create("access.log")?);
/// let for_programs = AccessLog::json_to(File::create("access.json")?);
/// Ok(Server::new(app).access_log(for_programs))
/// # }
/// ```
#[derive(Clone, Default)]
pub struct AccessLog(Option<Arc<Inner>>);

struct Inner {
    format: Format,
    lines: SyncSender<String>,
    lost: Arc<AtomicU64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
}

/// A turn of a WebSocket's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    Handshaking,
    Connect,
    Disconnect,
    Reject,
}

/// The client as log lines show it.
pub(crate) struct Client(pub(crate) Option<SocketAddr>);

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            // A trusted proxy has told the address alone.
            Some(address) if address.port() == 0 => address.ip().fmt(f),
            Some(address) => address.fmt(f),
            // A Unix socket has none, and a host program need not tell it.
            None => f.write_str("-"),
        }
    }
}

impl AccessLog {
    /// Nothing is written.
    pub fn off() -> Self {
        Self(None)
    }

    /// The development server's lines, on standard output.
    pub fn text() -> Self {
        Self::to(io::stdout(), Format::Text)
    }

    /// One JSON object per line, on standard output.
    pub fn json() -> Self {
        Self::to(io::stdout(), Format::Json)
    }

    /// The development server's lines, anywhere.
    pub fn text_to(writer: impl Write + Send + 'static) -> Self {
        Self::to(writer, Format::Text)
    }

    /// One JSON object per line, anywhere.
    pub fn json_to(writer: impl Write + Send + 'static) -> Self {
        Self::to(writer, Format::Json)
    }

    fn to(writer: impl Write + Send + 'static, format: Format) -> Self {
        let (lines, queue) = sync_channel(QUEUE);
        let lost = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&lost);
        let spawned = std::thread::Builder::new()
            .name("access-log".to_owned())
            .spawn(move || write_lines(writer, &queue, &counter));
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for the access log: it is off");
            return Self::off();
        }
        Self(Some(Arc::new(Inner { format, lines, lost })))
    }

    /// The two lines of a start. In JSON, one object.
    pub(crate) fn banner(&self, debug: bool, urls: &[String]) {
        let Some(log) = &self.0 else { return };
        let version = env!("CARGO_PKG_VERSION");
        if log.format == Format::Json {
            log.json(
                serde_json::json!({ "event": "start", "version": version, "debug": debug, "urls": urls }),
            );
            return;
        }
        let kind = if debug { "development server" } else { "server" };
        log.push(format!("Starting Solent {version} {kind} at {}", urls.join(", ")));
        log.push("Quit the server with CONTROL-C.".to_owned());
    }

    pub(crate) fn http(
        &self,
        method: &Method,
        path: &str,
        status: StatusCode,
        time: Duration,
        client: &Client,
        id: &RequestId,
    ) {
        let Some(log) = &self.0 else { return };
        let (status, seconds) = (status.as_u16(), time.as_secs_f64());
        match log.format {
            Format::Text => log.push(format!("HTTP {method} {path} {status} [{seconds:.2}, {client}]")),
            Format::Json => log.json(serde_json::json!({
                "event": "http", "method": method.as_str(), "path": path, "status": status,
                "seconds": seconds, "client": client.to_string(), "request_id": id.as_str(),
            })),
        }
    }

    pub(crate) fn websocket(&self, turn: Turn, path: &str, client: &Client, id: &RequestId) {
        let Some(log) = &self.0 else { return };
        let turn = match turn {
            Turn::Handshaking => "HANDSHAKING",
            Turn::Connect => "CONNECT",
            Turn::Disconnect => "DISCONNECT",
            Turn::Reject => "REJECT",
        };
        match log.format {
            Format::Text => log.push(format!("WebSocket {turn} {path} [{client}]")),
            Format::Json => log.json(serde_json::json!({
                "event": "websocket", "turn": turn.to_lowercase(), "path": path, "client": client.to_string(),
                "request_id": id.as_str(),
            })),
        }
    }
}

impl Inner {
    fn push(&self, line: String) {
        if self.lines.try_send(line).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn json(&self, mut value: serde_json::Value) {
        let now = chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        value["time"] = serde_json::Value::String(now);
        self.push(value.to_string());
    }
}

/// The writer's thread: ends when the last clone of the log is gone.
fn write_lines(mut writer: impl Write, lines: &Receiver<String>, lost: &AtomicU64) {
    while let Ok(line) = lines.recv() {
        // Errors are final for a line, not for the log: the terminal may come back.
        let _ = writeln!(writer, "{line}");
        let missed = lost.swap(0, Ordering::Relaxed);
        if missed > 0 {
            tracing::warn!(lines = missed, "access log lines were lost: their reader is too slow");
        }
        let _ = writer.flush();
    }
}

impl fmt::Debug for AccessLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "AccessLog(on)" } else { "AccessLog(off)" })
    }
}
