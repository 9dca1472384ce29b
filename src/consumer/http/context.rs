//! An HTTP consumer's hands: the request, the answer, groups, the channel layer.

use std::fmt;

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use ::http::request::Parts;
use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use bytes::Bytes;
use serde::Serialize;

use super::answer::{Answer, EVENT_STREAM, Head};
use crate::auth::User;
use crate::consumer::OwnChannel;
use crate::http::IntoResponse;
use crate::layers::{ChannelName, Delivered, Event, GroupName, LayerError};
use crate::{ClientError, Environment, Result, Scope, UrlRoute};

/// An HTTP consumer's hands.
///
/// `S` is the application's state, see [`http_consumer_with_state`](super::http_consumer_with_state).
///
/// # Cancel safety
/// A dropped future may have sent, joined or left by then, or not, and never by half.
///
/// An answer in pieces, or as a stream of events whose client may be written to by others:
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderMap, StatusCode};
/// use solent::Result;
/// use solent::consumer::{HttpConsumer, HttpContext, http_consumer};
/// use solent::layers::{Event, Value};
/// use solent::routing::{ViewRouter, path};
/// use solent::testing::HttpCommunicator;
///
/// struct Pieces;
///
/// impl HttpConsumer for Pieces {
///     type Event = Value;
///
///     async fn handle(ctx: &mut HttpContext, _: Bytes) -> Result<Self> {
///         ctx.send_headers(StatusCode::OK, HeaderMap::new())?;
///         ctx.send_body("one, ").await?;
///         ctx.send_body("two").await?;
///         ctx.finish();
///         Ok(Self)
///     }
/// }
///
/// struct Mine;
///
/// impl HttpConsumer for Mine {
///     type Event = Value;
///
///     async fn handle(ctx: &mut HttpContext, _: Bytes) -> Result<Self> {
///         ctx.start_event_stream()?;
///         let own = ctx.channel_name().await?;
///         ctx.send_data(Some("address"), own.as_str()).await?;
///         Ok(Self)
///     }
///
///     async fn event(&mut self, ctx: &mut HttpContext, event: Event<Value>) -> Result<()> {
///         ctx.send_event(&event).await
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<()> {
/// let views = ViewRouter::new([
///     path("pieces/", http_consumer::<Pieces>()),
///     path("mine/", http_consumer::<Mine>()),
/// ])?;
/// let answer = HttpCommunicator::get(views, "/pieces/").response().await;
/// assert_eq!(answer.text(), "one, two");
/// # Ok(())
/// # }
/// ```
pub struct HttpContext<S = ()> {
    pub(super) request: Parts,
    pub(super) scope: Box<Scope>,
    pub(super) channel: OwnChannel,
    pub(super) answer: Answer,
    pub(super) state: S,
}

impl<S> HttpContext<S> {
    /// The request's head.
    pub fn request(&self) -> &Parts {
        &self.request
    }

    /// What is known of the request.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The user; anonymous without an auth middleware.
    pub fn user(&self) -> &User {
        &self.scope.user
    }

    /// The route that matched, with its captures.
    pub fn url_route(&self) -> &UrlRoute {
        &self.scope.url_route
    }

    /// What all connections of the server share.
    pub fn env(&self) -> &Environment {
        &self.scope.env
    }

    /// The application's state.
    pub fn state(&self) -> &S {
        &self.state
    }

    /// Sends the whole answer. Channels: `send_response(status, body)`.
    ///
    /// # Errors
    /// When the head was sent already, or the client has left.
    pub fn send_response(&mut self, response: impl IntoResponse) -> Result<()> {
        let response = response.into_response()?;
        self.answer.send_head(Ok(Head::Whole(response)))
    }

    /// Sends the head; [`send_body`](Self::send_body) and [`finish`](Self::finish) follow. Channels: `send_headers`.
    ///
    /// # Errors
    /// When the head was sent already, or the client has left.
    pub fn send_headers(&mut self, status: StatusCode, headers: HeaderMap) -> Result<()> {
        let (mut parts, ()) = ::http::Response::new(()).into_parts();
        parts.status = status;
        parts.headers = headers;
        self.answer.start(parts)
    }

    /// Sends a piece of the body; waits while the client is behind. Channels: `send_body(body, more_body=True)`.
    ///
    /// # Errors
    /// Before the head, once the answer has ended, when the client has left or takes nothing for `outbox_stall`.
    ///
    /// # Cancel safety
    /// A send that was dropped before it completed has sent nothing.
    pub async fn send_body(&mut self, piece: impl Into<Bytes>) -> Result<()> {
        self.answer.send(piece.into()).await
    }

    /// Ends the answer. Channels: `send_body(b"", more_body=False)`.
    pub fn finish(&mut self) {
        self.answer.finish();
    }

    /// Begins an answer of server-sent events. A comment goes out when nothing was sent for the service's
    /// [`keep_alive`](super::HttpConsumerService::keep_alive).
    ///
    /// # Errors
    /// As [`send_headers`](Self::send_headers).
    pub fn start_event_stream(&mut self) -> Result<()> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        // nginx would hold small pieces back.
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        self.send_headers(StatusCode::OK, headers)
    }

    /// Sends one server-sent event: a name that `addEventListener` takes, or `None` for `message`, and its data.
    ///
    /// # Errors
    /// As [`send_body`](Self::send_body), and for a name with a line break.
    ///
    /// # Cancel safety
    /// As [`send_body`](Self::send_body).
    pub async fn send_data(&mut self, name: Option<&str>, data: &str) -> Result<()> {
        let text = event_text(name, data)?;
        self.send_body(text).await
    }

    /// Sends an event of the channel layer as the JSON data of a server-sent event.
    ///
    /// # Errors
    /// As [`send_body`](Self::send_body), and when the event holds bytes.
    ///
    /// # Cancel safety
    /// As [`send_body`](Self::send_body).
    pub async fn send_event<T>(&mut self, event: &Event<T>) -> Result<()> {
        let json = event.json()?;
        self.send_body([b"data: ", &*json, b"\n\n"].concat()).await
    }

    /// This consumer's own channel; made when it is first asked for.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn channel_name(&mut self) -> Result<ChannelName, LayerError> {
        self.channel.name().await
    }

    /// Joins a group: its events come to [`event`](super::HttpConsumer::event). Left automatically.
    ///
    /// # Errors
    /// Without a layer, or when the layer is unavailable.
    pub async fn group_add(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.channel.group_add(group).await
    }

    /// Leaves a group. Not being in it is fine.
    ///
    /// # Errors
    /// When the layer is unavailable.
    pub async fn group_discard(&mut self, group: &GroupName) -> Result<(), LayerError> {
        self.channel.group_discard(group).await
    }

    /// Sends an event to every member of a group, in every process.
    ///
    /// # Errors
    /// Without a layer, when it is unavailable, or when the message can't be an event.
    pub async fn group_send<T: Serialize + ?Sized>(
        &self,
        group: &GroupName,
        message: &T,
    ) -> Result<Delivered> {
        self.channel.group_send(group, message).await
    }

    /// Sends a message to one channel.
    ///
    /// # Errors
    /// Without a layer, when it is unavailable, when the channel is full, or when the message can't travel.
    pub async fn send_to<T: Serialize + ?Sized>(&self, channel: &ChannelName, message: &T) -> Result<()> {
        self.channel.send_to(channel, message).await
    }
}

/// One event in the format of the HTML standard, section 9.2: every line of the data has its own field.
fn event_text(name: Option<&str>, data: &str) -> Result<String, ClientError> {
    let mut text = String::with_capacity(data.len() + 16);
    if let Some(name) = name {
        if name.contains(['\r', '\n']) {
            return Err(ClientError::new("malformed", "an event's name with a line break"));
        }
        text.push_str(&format!("event: {name}\n"));
    }
    for line in data.replace("\r\n", "\n").split(['\r', '\n']) {
        text.push_str("data: ");
        text.push_str(line);
        text.push('\n');
    }
    text.push('\n');
    Ok(text)
}

impl<S> fmt::Debug for HttpContext<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpContext").field("path", &self.scope.path).finish_non_exhaustive()
    }
}
