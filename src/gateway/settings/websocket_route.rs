//! `[[websocket]]`: a socket's path, and the consumer behind it.

use super::allow::Allow;
use super::bearer::Bearing;
use crate::consumer::OnError;
use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::units::{ByteSize, Rate};
use crate::gateway::upstream::Upstreams;
use crate::gateway::words::words;
use crate::layers::Overflow;

section! {
    /// `[[websocket]]`: one route of sockets.
    pub(crate) struct SocketRoute {
        /// The path, without its first slash, as Django's `path()`. Either this or `re_path`.
        path: Option<Placed<String>> = None,
        /// The path as a regular expression, as Django's `re_path()`.
        re_path: Option<Placed<String>> = None,
        /// The route's name, for `url()` in templates.
        name: Option<Placed<String>> = None,
        /// What speaks with the client: `echo`, `chat`, `relay`, `listen`, `worker` or `proxy`.
        consumer: Placed<String>,
        /// The group that the consumer serves, with placeholders for captures and the user: `chat_{course_id}`,
        /// `user_{user.id}`.
        group: Option<Placed<String>> = None,
        /// Several groups.
        groups: Vec<Placed<String>> = Vec::new(),
        /// For `proxy`: the server behind, `http://host:port`, `https://host:port` or `unix:` and a path, or a list of
        /// several that can stand in for each other.
        upstream: Option<Placed<Upstreams>> = None,
        /// For `worker`: the channel on which a worker hears what clients say, such as one of Django's `runworker`.
        channel: Option<Placed<String>> = None,
        /// For `worker`: how many channels share the clients, each of whom stays with one: `NAME-0` to `NAME-3` for 4,
        /// the name itself for 1. More channels let more workers take part, each of which keeps its clients' messages in
        /// order.
        shards: Placed<u32> = Placed { value: 1, span: 0..0 },
        /// For `worker`: who accepts clients: the `worker`, by `websocket.accept` within `limits.accept_time`, or
        /// `at_once`, once the worker's channel has taken the client's arrival.
        accept: Placed<Accept> = Placed { value: Accept::Worker, span: 0..0 },
        /// The alias of the channel layer.
        channel_layer: Placed<String> = Placed { value: "default".to_owned(), span: 0..0 },
        /// The largest message. Without it, `limits.message_bytes`.
        max_message_size: Option<ByteSize> = None,
        /// Subprotocols that are spoken here, in order of preference.
        subprotocols: Vec<Placed<String>> = Vec::new(),
        /// How many messages clients may send.
        rate: Option<Rates> = None,
        /// Sockets at once for one user.
        connections_per_user: Option<Placed<u32>> = None,
        /// Sockets at once from one address.
        connections_per_address: Option<u32> = None,
        /// What happens to events for a client that is too slow: `drop_newest`, `drop_oldest` or `close` (1013).
        overflow: Overflow = Overflow::DropNewest,
        /// What happens after a client's mistake: `report` it to the client, or `close` (1008).
        on_error: OnError = OnError::Report,
        /// Refuses visitors who are not logged in (403).
        login_required: bool = false,
        /// Whether clients may show a token of `[auth.bearer]` in place of a session: `off`, `accepted`, or `required` (401
        /// without). In `Authorization: Bearer TOKEN`, or as the subprotocol `bearer.TOKEN`.
        bearer: Bearing = Bearing::Off,
        /// A further condition; 403 when it does not hold, 4403 when it ceases to.
        allow: Option<Allow> = None,
    }
}

impl SocketRoute {
    /// Whether everybody who gets in is somebody.
    pub(crate) fn has_users(&self) -> bool {
        self.login_required || self.bearer == Bearing::Required
    }
}

/// Who accepts a client of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Accept {
    Worker,
    AtOnce,
}

words! {
    Accept { "worker" => Self::Worker, "at_once" => Self::AtOnce }
}

section! {
    /// `rate`.
    pub(crate) struct Rates {
        /// Messages over one socket; more close it with 4429.
        connection: Option<Rate> = None,
        /// Messages of one user over all of their sockets.
        user: Option<Placed<Rate>> = None,
        /// Messages that may come at once, on top of the rate.
        burst: u32 = 10,
    }
}
