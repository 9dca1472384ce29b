//! Every bound that a server keeps, with its default.

use std::time::Duration;

use crate::websocket::{CloseCode, Compression};

/// The bounds of one server. Every one is finite by default; `None` is “off”, by choice.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// From the first byte (or accept) to the end of the request's headers; then the connection is closed. 10 s.
    pub header_time: Duration,
    /// A TLS handshake. 10 s.
    pub tls_handshake_time: Duration,
    /// From the handshake's arrival to the consumer's accept or deny; then 503. 5 s.
    pub accept_time: Duration,
    /// All request headers together, in bytes. 64 KiB; more is a 431.
    pub header_bytes: usize,
    /// Number of request header fields. 100; more is a 431.
    pub header_fields: usize,
    /// A request body, in bytes. 2.5 MiB; more is a 413.
    pub body_bytes: usize,
    /// Time between two reads of a body; 30 s, then 408. A whole body has four times as long, and a second more for
    /// every 500 bytes that have come.
    pub body_read_time: Duration,
    /// How long an idle HTTP connection is kept. 75 s.
    pub keep_alive: Duration,
    /// A WebSocket message, in bytes after inflation. 1 MiB; more is 1009.
    pub message_bytes: usize,
    /// A WebSocket frame, in bytes; more is 1009. `None`: as large as a message. On a route with a `max_message_size` of
    /// its own, that counts for frames too.
    pub frame_bytes: Option<usize>,
    /// permessage-deflate. On, from 512 bytes, without contexts.
    pub compression: Compression,
    /// Ping after this much silence from the client. 20 s; `None` is off.
    pub ping_interval: Option<Duration>,
    /// Drop the client (4408) when nothing came for this long after a ping. 30 s; `None` is off.
    pub ping_timeout: Option<Duration>,
    /// Close a socket that carried no message for this long. Off.
    pub idle_timeout: Option<Duration>,
    /// Close a socket that is this old. Off.
    pub max_age: Option<Duration>,
    /// High-water mark of one socket's outbox, in bytes. 256 KiB.
    pub outbox_bytes: usize,
    /// A socket whose queued frames make no progress for this long is closed with 1013. 10 s.
    pub outbox_stall: Duration,
    /// Events waiting for one consumer. 100.
    pub mailbox_events: usize,
    /// Bytes of events waiting for one consumer. 1 MiB.
    pub mailbox_bytes: usize,
    /// Groups that one connection may be in. 1,000; one more is the client's error `too_many_groups`.
    pub groups_per_connection: usize,
    /// The peer's answer to our close frame. 5 s; then the connection is dropped.
    pub close_time: Duration,
    /// How long `disconnect` may run. 10 s; then it is dropped and logged.
    pub disconnect_time: Duration,
    /// Connections at once. `None`: the soft limit of open files less 64.
    pub connections: Option<usize>,
    /// Connections at once from one address. Off until set.
    pub connections_per_address: Option<usize>,
    /// Threads for blocking consumers and views. 32.
    pub blocking_threads: usize,
    /// Blocking calls waiting for a thread; more is an error. 1,024.
    pub blocking_queue: usize,
    /// Readiness is withdrawn this long before listeners close. 0 s.
    pub drain_delay: Duration,
    /// Sockets are closed, spread over this time. 10 s; then the hard stop.
    pub drain_time: Duration,
    /// What sockets are closed with in a drain. 1012, “restart”; 1001, “going away”, for clients that know only that.
    pub drain_code: CloseCode,
}

impl Default for Limits {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self {
            header_time: 10 * second,
            tls_handshake_time: 10 * second,
            accept_time: 5 * second,
            header_bytes: 64 << 10,
            header_fields: 100,
            body_bytes: 5 << 19,
            body_read_time: 30 * second,
            keep_alive: 75 * second,
            message_bytes: 1 << 20,
            frame_bytes: None,
            compression: Compression::default(),
            ping_interval: Some(20 * second),
            ping_timeout: Some(30 * second),
            idle_timeout: None,
            max_age: None,
            outbox_bytes: 256 << 10,
            outbox_stall: 10 * second,
            mailbox_events: 100,
            mailbox_bytes: 1 << 20,
            groups_per_connection: 1000,
            close_time: 5 * second,
            disconnect_time: 10 * second,
            connections: None,
            connections_per_address: None,
            blocking_threads: 32,
            blocking_queue: 1024,
            drain_delay: Duration::ZERO,
            drain_time: 10 * second,
            drain_code: CloseCode::RESTART,
        }
    }
}
