//! What has passed through sockets: counted where a lock is held anyway, summed up when somebody asks.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Messages and bytes in both directions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Messages from clients.
    pub messages_in: u64,
    /// Their bytes, after inflation.
    pub bytes_in: u64,
    /// Messages for clients, those still queued included.
    pub messages_out: u64,
    /// Their bytes as they travel: after compression, without frame headers.
    pub bytes_out: u64,
}

impl Traffic {
    pub(super) fn add(&mut self, more: Self) {
        self.messages_in += more.messages_in;
        self.bytes_in += more.bytes_in;
        self.messages_out += more.messages_out;
        self.bytes_out += more.bytes_out;
    }
}

/// What one socket has been sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) messages: u64,
    pub(super) bytes: u64,
}

impl Sent {
    /// Counts a server's frame, unless it is a control frame.
    pub(super) fn add_frame(&mut self, frame: &[u8]) {
        if let Some(payload) = payload(frame) {
            self.messages += 1;
            self.bytes += payload;
        }
    }

    /// Takes a frame back that is dropped after all.
    pub(super) fn remove_frame(&mut self, frame: &[u8]) {
        if let Some(payload) = payload(frame) {
            self.messages -= 1;
            self.bytes -= payload;
        }
    }
}

/// The payload's length of a data frame; `None` for control frames. Servers' frames are whole and have no mask.
fn payload(frame: &[u8]) -> Option<u64> {
    let (first, second) = (frame.first()?, frame.get(1)?);
    let header = match second & 0x7f {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    (first & 0x08 == 0).then(|| (frame.len() as u64).saturating_sub(header))
}

/// The sockets of one route since the start.
///
/// ```
/// use solent::Environment;
/// use solent::websocket::{RouteTraffic, Traffic};
///
/// /// Bytes that have left through all sockets.
/// fn sent(env: &Environment) -> u64 {
///     let traffic = |route: RouteTraffic| -> Traffic { route.traffic };
///     env.sockets.traffic().into_values().map(traffic).map(|traffic| traffic.bytes_out).sum()
/// }
/// # assert_eq!(sent(&Environment::default()), 0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteTraffic {
    /// Open now.
    pub open: usize,
    /// Opened since the start.
    pub opened: u64,
    /// What has passed.
    pub traffic: Traffic,
}

/// A route's sockets that were opened, and the traffic of those that have ended.
#[derive(Debug)]
pub(super) struct RouteCounters {
    pub(super) name: Arc<str>,
    pub(super) opened: AtomicU64,
    ended: Mutex<Traffic>,
}

impl RouteCounters {
    pub(super) fn new(name: Arc<str>) -> Self {
        Self { name, opened: AtomicU64::new(0), ended: Mutex::default() }
    }

    pub(super) fn end(&self, traffic: Traffic) {
        self.ended.lock().unwrap_or_else(PoisonError::into_inner).add(traffic);
    }

    pub(super) fn snapshot(&self) -> RouteTraffic {
        let traffic = *self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        RouteTraffic { open: 0, opened: self.opened.load(Relaxed), traffic }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_payloads_of_messages_count() {
        let mut sent = Sent::default();
        let long = [&[0x82, 126, 0, 200][..], &[0; 200]].concat();
        let longest = [&[0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0][..], &vec![0; 0x10000]].concat();
        for frame in [&[0x81, 2, b'o', b'k'][..], &[0x89, 0], &[0x8a, 1, 7], &[0x88, 0], &long, &longest] {
            sent.add_frame(frame);
        }
        assert_eq!((sent.messages, sent.bytes), (3, 2 + 200 + 0x10000));
        sent.remove_frame(&long);
        assert_eq!((sent.messages, sent.bytes), (2, 2 + 0x10000));
    }
}
