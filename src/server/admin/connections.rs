//! Who is connected where, since when, as JSON.

use std::time::SystemTime;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use crate::websocket::{SocketInfo, Sockets};

/// What is asked for in the query.
#[derive(Debug, Deserialize)]
pub(super) struct Asked {
    /// The pattern of a route, for its sockets alone.
    route: Option<String>,
    #[serde(default = "limit")]
    limit: usize,
}

fn limit() -> usize {
    1000
}

/// The answer as a whole.
#[derive(Debug, Serialize)]
pub(super) struct Told {
    /// How many there are, whether or not they are listed.
    count: usize,
    connections: Vec<Row>,
}

#[derive(Debug, Serialize)]
struct Row {
    route: String,
    path: String,
    client: Option<String>,
    user: Option<Named>,
    since: String,
    seconds: u64,
    messages_in: u64,
    messages_out: u64,
    bytes_in: u64,
    bytes_out: u64,
}

#[derive(Debug, Serialize)]
struct Named {
    id: String,
    username: String,
}

pub(super) fn told(sockets: &Sockets, asked: &Asked) -> Told {
    let mut open = sockets.list();
    if let Some(route) = &asked.route {
        open.retain(|info| *info.route == **route);
    }
    let now = SystemTime::now();
    Told {
        count: open.len(),
        connections: open.iter().take(asked.limit).map(|info| row(info, now)).collect(),
    }
}

fn row(info: &SocketInfo, now: SystemTime) -> Row {
    let named =
        |account: &crate::auth::Account| Named { id: account.id.clone(), username: account.username.clone() };
    Row {
        route: info.route.to_string(),
        path: info.path.clone(),
        client: info.client.map(|client| client.to_string()),
        user: info.user.account().map(named),
        since: DateTime::<Utc>::from(info.since).to_rfc3339_opts(SecondsFormat::Millis, true),
        seconds: now.duration_since(info.since).unwrap_or_default().as_secs(),
        messages_in: info.traffic.messages_in,
        messages_out: info.traffic.messages_out,
        bytes_in: info.traffic.bytes_in,
        bytes_out: info.traffic.bytes_out,
    }
}
