//! The consumers that these tests drive.

use std::sync::{Arc, Mutex};

use solent::Result;
use solent::consumer::{ConsumerService, Context, WebsocketConsumer, consumer, consumer_with_state};
use solent::layers::{Event, GroupName, LayerGap, Value};
use solent::websocket::{Acceptance, CloseFrame, Denial, Message};

/// Sends back what it gets; `?subprotocol=…` and `?deny` in the query decide the handshake.
pub(crate) struct Echo;

impl WebsocketConsumer for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let query = ctx.scope().query_string.clone();
        if query == "deny" {
            let denial = Denial::new(::http::StatusCode::PAYMENT_REQUIRED, "rent", "Pay first.");
            return ctx.deny(
                denial.with_header(::http::header::RETRY_AFTER, ::http::HeaderValue::from_static("60")),
            );
        }
        let mut acceptance = Acceptance::default();
        acceptance.subprotocol = query.strip_prefix("subprotocol=").map(str::to_owned);
        acceptance.headers.insert("x-room", ::http::HeaderValue::from_static("7"));
        ctx.accept_with(acceptance).await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        match message.as_text().unwrap_or_default() {
            "panic" => panic!("a bug"),
            "error" => Err(solent::Error::msg("the disk is full")),
            "close" => {
                ctx.close(CloseFrame::new(4000, "as you wish"));
                Ok(())
            }
            "who" => ctx.send(ctx.user().username().to_owned()).await,
            _ => ctx.send(message).await,
        }
    }
}

/// An application of [`Echo`].
pub(crate) fn echo() -> ConsumerService<Echo> {
    consumer::<Echo>()
}

/// What a consumer has seen, for tests to look at.
pub(crate) type Seen = Arc<Mutex<Vec<String>>>;

/// A member of the group `room`: passes messages on, and notes events, gaps and its end.
pub(crate) struct Member;

impl WebsocketConsumer<Seen> for Member {
    type Event = Value;
    const GROUPS: &'static [&'static str] = &["room"];

    async fn connect(ctx: &mut Context<Seen>) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<Seen>, message: Message) -> Result<()> {
        let text = message.as_text()?.to_owned();
        let event = serde_json::json!({ "type": "said", "text": text });
        ctx.group_send(&GroupName::new("room")?, &event).await?;
        Ok(())
    }

    async fn event(&mut self, ctx: &mut Context<Seen>, event: Event<Value>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn layer_gap(&mut self, ctx: &mut Context<Seen>, _: LayerGap) -> Result<()> {
        ctx.send_json(&serde_json::json!({ "type": "layer.gap" })).await
    }

    async fn disconnect(&mut self, ctx: &mut Context<Seen>, close: CloseFrame) {
        ctx.state().lock().unwrap().push(close.to_string());
    }
}

/// An application of [`Member`].
pub(crate) fn member(seen: &Seen) -> ConsumerService<Member, Seen> {
    consumer_with_state(Arc::clone(seen))
}
