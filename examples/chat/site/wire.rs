//! What the page and the server say to each other.

use chrono::{DateTime, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use solent::layers::Event;
use solent::websocket::Message;
use solent::{ClientError, Result};

/// The longest message, in characters.
pub const MAX_CHARACTERS: usize = 4096;

/// What a page sends.
#[derive(Debug, Deserialize)]
struct Incoming {
    message: String,
}

/// What members of a room hear. A Python member may say `chat_message` and `username`; both are understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum ChatEvent {
    #[serde(rename = "chat.message")]
    Message {
        message: String,
        #[serde(alias = "username")]
        user: String,
        time: DateTime<Utc>,
    },
}

/// The text of a page's message.
///
/// # Errors
/// What is wrong with it, to be told to that page alone.
pub fn text_of(frame: &Message) -> Result<String, ClientError> {
    let Incoming { message } = frame.json()?;
    if message.trim().is_empty() {
        return Err(ClientError::new("empty", "A message needs some text."));
    }
    let length = message.chars().count();
    if length > MAX_CHARACTERS {
        let told = format!("A message can have {MAX_CHARACTERS} characters; this one has {length}.");
        return Err(ClientError::new("too_long", told));
    }
    Ok(message)
}

/// A message, stamped with the time.
pub fn stamped(message: String, user: &str) -> ChatEvent {
    ChatEvent::Message { message, user: user.to_owned(), time: Utc::now().trunc_subsecs(3) }
}

/// Whether the event reads exactly as pages expect it, so that it can go out as it came in.
pub fn is_as_pages_expect(event: &Event<ChatEvent>) -> bool {
    event.message_type() == Some("chat.message") && event.value().get("user").is_some()
}
