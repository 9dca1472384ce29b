//! What workers are told of a client, and what they answer.

use serde::Deserialize;

use crate::Scope;
use crate::layers::{ChannelName, Map, Value};
use crate::websocket::{CloseFrame, Message};

/// One client in the words that every message to its worker begins with.
pub(super) struct Client {
    known: Map,
    /// Messages so far. A gap tells a worker that it has missed some.
    seq: u64,
}

impl Client {
    /// The client of a connection.
    pub(super) fn of(reply_channel: &ChannelName, scope: &Scope) -> Self {
        let kwargs = scope.url_route.kwargs.iter();
        let kwargs: Map = kwargs.map(|(name, value)| (name.into(), Value::from(value))).collect();
        let mut known = Map::new();
        known.insert("reply_channel", reply_channel.as_str());
        known.insert("connection", format!("{:032x}", rand::random::<u128>()));
        known.insert("path", scope.path.as_str());
        known.insert("kwargs", Value::Map(kwargs));
        known.insert("user", user(scope));
        Self { known, seq: 0 }
    }

    /// The client has come, with what it asks for.
    pub(super) fn connect(&mut self, scope: &Scope) -> Value {
        let offered = scope.subprotocols.iter().map(|name| Value::from(name.as_str()));
        let query = ("query_string", Value::from(scope.query_string.as_str()));
        self.told("websocket.connect", [query, ("subprotocols", Value::Array(offered.collect()))])
    }

    /// The client has said something.
    pub(super) fn receive(&mut self, message: Message) -> Value {
        let entry = match message {
            Message::Text(text) => ("text", Value::from(text.as_str())),
            Message::Binary(bytes) => ("bytes", Value::Bytes(bytes)),
        };
        self.told("websocket.receive", [entry])
    }

    /// The client has left.
    pub(super) fn disconnect(&mut self, close: &CloseFrame) -> Value {
        let code = ("code", Value::from(i64::from(close.code.0)));
        self.told("websocket.disconnect", [code, ("reason", Value::from(&*close.reason))])
    }

    fn told<const N: usize>(&mut self, kind: &str, more: [(&str, Value); N]) -> Value {
        let mut message = Map::new();
        message.insert("type", kind);
        message.insert("seq", self.seq);
        self.seq += 1;
        let known = self.known.iter().map(|(key, value)| (key.clone(), value.clone()));
        let more = more.into_iter().map(|(key, value)| (key.into(), value));
        Value::Map(message.into_iter().chain(known).chain(more).collect())
    }
}

/// `{"id": …, "username": …}`; null for nobody.
fn user(scope: &Scope) -> Value {
    let Some(account) = scope.user.account() else { return Value::Null };
    let mut user = Map::new();
    user.insert("id", account.id.as_str());
    user.insert("username", account.username.as_str());
    Value::Map(user)
}

/// What a worker, or a group, asks to be done with a client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
pub(super) enum Answer {
    #[serde(rename = "websocket.accept")]
    Accept { subprotocol: Option<String> },
    #[serde(rename = "websocket.send")]
    Send { text: Option<String>, bytes: Option<Value> },
    #[serde(rename = "websocket.close")]
    Close { code: Option<u16>, reason: Option<String> },
    #[serde(rename = "group.add")]
    GroupAdd { group: String },
    #[serde(rename = "group.discard")]
    GroupDiscard { group: String },
}
