//! `[proxy]`: times and bounds of the servers behind.

use std::path::PathBuf;
use std::time::Duration;

use crate::gateway::section::section;
use crate::gateway::setting::Placed;

section! {
    /// `[proxy]`.
    pub(crate) struct ProxySettings {
        /// How long a connection to a server behind may take to open, and how long a request waits for one when all are
        /// taken.
        connect_time: Duration = Duration::from_secs(5),
        /// From the end of a request to the head of the answer; then 504.
        response_time: Duration = Duration::from_secs(60),
        /// Between two pieces of an answer; then it is broken off. Event streams need it longer than their own pauses.
        idle_time: Duration = Duration::from_secs(60),
        /// For how long an answer is awaited for a client that has closed its direction of an HTTP/1.1 connection: it may
        /// still read, but most that close have left. A connection that broke is noticed at once.
        half_closed_time: Duration = Duration::from_secs(5),
        /// Requests that may be with one server at once; one more waits for `connect_time` and is then a 503.
        connections: usize = 256,
        /// The authorities whose certificates `https://` servers behind may show, in PEM form; a server's own certificate
        /// will do. Without it, those that browsers trust. There is no key that leaves the verification out.
        ca: Option<Placed<PathBuf>> = None,
        /// A page that each server is asked for again and again; one that does not answer, or answers with 5xx, is left
        /// out for as long. Off without it.
        health_path: Option<Placed<String>> = None,
        /// How often it is asked for.
        health_interval: Duration = Duration::from_secs(10),
    }
}
