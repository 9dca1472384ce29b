//! `[limits]`: every bound that the server keeps.

use std::time::Duration;

use super::changed;
use crate::Limits;
use crate::gateway::document::Node;
use crate::gateway::reader::Reader;
use crate::gateway::section::section;
use crate::gateway::setting::Setting;
use crate::gateway::units::{ByteSize, OrOff};
use crate::websocket::{CloseCode, Compression};

section! {
    /// `[limits]`.
    pub(crate) struct LimitSettings {
        /// From accept, or a request's first byte, to the end of its headers; then the connection is closed.
        header_time: Duration = Limits::default().header_time,
        /// A TLS handshake.
        tls_handshake_time: Duration = Limits::default().tls_handshake_time,
        /// From a WebSocket handshake's arrival to the consumer's answer; then 503.
        accept_time: Duration = Limits::default().accept_time,
        /// All request headers together; more is a 431.
        header_bytes: ByteSize = ByteSize(Limits::default().header_bytes),
        /// Request header fields; more is a 431.
        header_fields: usize = Limits::default().header_fields,
        /// A request body; more is a 413.
        body_bytes: ByteSize = ByteSize(Limits::default().body_bytes),
        /// Time between two reads of a body; then 408.
        body_read_time: Duration = Limits::default().body_read_time,
        /// How long an idle HTTP connection is kept.
        keep_alive: Duration = Limits::default().keep_alive,
        /// A WebSocket message after inflation; more closes with 1009.
        message_bytes: ByteSize = ByteSize(Limits::default().message_bytes),
        /// A WebSocket frame, where it is to be smaller than a message; more closes with 1009.
        frame_bytes: OrOff<ByteSize> = OrOff(Limits::default().frame_bytes.map(ByteSize)),
        /// permessage-deflate: messages travel compressed where clients can.
        compression: CompressionSettings,
        /// A ping after this much silence from the client.
        ping_interval: OrOff<Duration> = OrOff(Limits::default().ping_interval),
        /// A client that sends nothing for this long after a ping is dropped (4408).
        ping_timeout: OrOff<Duration> = OrOff(Limits::default().ping_timeout),
        /// A socket that carried no message for this long is closed.
        idle_timeout: OrOff<Duration> = OrOff(Limits::default().idle_timeout),
        /// A socket that is this old is closed.
        max_age: OrOff<Duration> = OrOff(Limits::default().max_age),
        /// Frames waiting for one socket.
        outbox_bytes: ByteSize = ByteSize(Limits::default().outbox_bytes),
        /// A socket whose waiting frames make no progress for this long is closed with 1013.
        outbox_stall: Duration = Limits::default().outbox_stall,
        /// Events waiting for one consumer.
        mailbox_events: usize = Limits::default().mailbox_events,
        /// Groups that one socket may be in.
        groups_per_connection: usize = Limits::default().groups_per_connection,
        /// Bytes of events waiting for one consumer.
        mailbox_bytes: ByteSize = ByteSize(Limits::default().mailbox_bytes),
        /// The client's answer to a close frame; then the connection is dropped.
        close_time: Duration = Limits::default().close_time,
        /// How long a consumer may take to say good-bye.
        disconnect_time: Duration = Limits::default().disconnect_time,
        /// Connections at once. Without it, as many as the process may have open files, less 64.
        connections: Option<usize> = Limits::default().connections,
        /// Connections at once from one address. Without it, as many as it likes.
        connections_per_address: Option<usize> = Limits::default().connections_per_address,
        /// Threads for blocking work.
        blocking_threads: usize = Limits::default().blocking_threads,
        /// Blocking calls waiting for a thread; more are refused.
        blocking_queue: usize = Limits::default().blocking_queue,
        /// Readiness is withdrawn this long before the listeners close.
        drain_delay: Duration = Limits::default().drain_delay,
        /// Sockets are closed spread over this time; then the hard stop.
        drain_time: Duration = Limits::default().drain_time,
        /// What sockets are closed with when the server ends: 1012 (restart), or 1001 (going away) for clients that know
        /// only that.
        drain_code: DrainCode = DrainCode(Limits::default().drain_code),
    }
}

section! {
    /// `limits.compression`.
    pub(crate) struct CompressionSettings {
        /// Whether compression is offered at all.
        enabled: bool = Compression::default().enabled,
        /// Smaller messages are sent as they are: below, headers and time outweigh what is saved.
        min_size: ByteSize = ByteSize(Compression::default().min_size),
        /// Effort, from 1 (fast) to 9 (small).
        level: CompressionLevel = CompressionLevel(Compression::default().level),
        /// Whether clients may keep their context between messages, which costs about 48 KiB for each that does.
        client_context_takeover: bool = Compression::default().client_context_takeover,
    }
}

impl CompressionSettings {
    fn compression(&self) -> Compression {
        changed(|compression: &mut Compression| {
            compression.enabled = self.enabled;
            compression.min_size = self.min_size.0;
            compression.level = self.level.0;
            compression.client_context_takeover = self.client_context_takeover;
        })
    }
}

impl LimitSettings {
    /// The bounds as the server takes them.
    pub(crate) fn limits(&self) -> Limits {
        changed(|limits: &mut Limits| {
            limits.header_time = self.header_time;
            limits.tls_handshake_time = self.tls_handshake_time;
            limits.accept_time = self.accept_time;
            limits.header_bytes = self.header_bytes.0;
            limits.header_fields = self.header_fields;
            limits.body_bytes = self.body_bytes.0;
            limits.body_read_time = self.body_read_time;
            limits.keep_alive = self.keep_alive;
            limits.message_bytes = self.message_bytes.0;
            limits.frame_bytes = self.frame_bytes.0.map(|size| size.0);
            limits.compression = self.compression.compression();
            limits.ping_interval = self.ping_interval.0;
            limits.ping_timeout = self.ping_timeout.0;
            limits.idle_timeout = self.idle_timeout.0;
            limits.max_age = self.max_age.0;
            limits.outbox_bytes = self.outbox_bytes.0;
            limits.outbox_stall = self.outbox_stall;
            limits.mailbox_events = self.mailbox_events;
            limits.groups_per_connection = self.groups_per_connection;
            limits.mailbox_bytes = self.mailbox_bytes.0;
            limits.close_time = self.close_time;
            limits.disconnect_time = self.disconnect_time;
            limits.connections = self.connections;
            limits.connections_per_address = self.connections_per_address;
            limits.blocking_threads = self.blocking_threads;
            limits.blocking_queue = self.blocking_queue;
            limits.drain_delay = self.drain_delay;
            limits.drain_time = self.drain_time;
            limits.drain_code = self.drain_code.0;
        })
    }
}

/// 1 to 9.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CompressionLevel(u8);

impl Setting for CompressionLevel {
    fn expected() -> String {
        "a whole number from 1 to 9".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.number() {
            Some(level @ 1..=9) => u8::try_from(level).ok().map(Self),
            _ => reader.wrong(node, &Self::expected()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

/// 1012 or 1001.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrainCode(pub(crate) CloseCode);

impl Setting for DrainCode {
    fn expected() -> String {
        "1012 or 1001".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match node.number() {
            Some(1012) => Some(Self(CloseCode::RESTART)),
            Some(1001) => Some(Self(CloseCode::AWAY)),
            _ => reader.wrong(node, &Self::expected()),
        }
    }

    fn show(&self) -> Option<String> {
        Some(self.0.to_string())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::LimitSettings;
    use crate::gateway::document::Document;
    use crate::gateway::reader::Reader;
    use crate::gateway::setting::{Inside, Key, Setting};

    /// What a table of limits comes to, a line per field.
    fn limits_of(text: &str) -> Vec<String> {
        let document = Document::parse(Path::new("limits.toml"), text.to_owned(), &|_| None);
        let mut reader = Reader::new(&document);
        let settings = LimitSettings::read(&document.root, &mut reader).expect(text);
        let (problems, _) = reader.finish();
        assert!(problems.is_empty(), "{text}");
        // Numbers that stand in lines of their own belong to the field before.
        let printed =
            format!("{:#?}", settings.limits()).replace("(\n        ", "(").replace(",\n    )", ")");
        printed.lines().map(str::to_owned).collect()
    }

    /// A value that is no key's default.
    fn other(key: &Key) -> &'static str {
        match (key.name, key.expected.as_str()) {
            ("drain_code", _) => "1001",
            (_, "true or false") => {
                if key.default.as_deref() == Some("true") {
                    "false"
                } else {
                    "true"
                }
            }
            (_, expected) if expected.starts_with("a time") => "\"7s\"",
            (_, expected) if expected.starts_with("a size") => "\"7KiB\"",
            _ => "7",
        }
    }

    #[test]
    fn each_key_changes_the_limit_of_its_name_and_no_other() {
        let default = limits_of("");
        let mut keys = Vec::new();
        for key in LimitSettings::keys() {
            match &key.inside {
                Inside::Section(inner) => {
                    keys.extend(inner.iter().map(|inner| (format!("{}.", key.name), inner.clone())));
                }
                _ => keys.push((String::new(), key)),
            }
        }
        assert!(keys.len() > 25);
        for (table, key) in keys {
            let changed = limits_of(&format!("{table}{} = {}", key.name, other(&key)));
            let differing: Vec<_> =
                changed.iter().zip(&default).filter(|(one, other)| one != other).collect();
            let [(line, _)] = differing.as_slice() else {
                panic!("{table}{} changes {differing:?}", key.name)
            };
            assert!(
                line.trim_start().starts_with(&format!("{}:", key.name)),
                "{table}{} changes {line}",
                key.name
            );
        }
    }
}
