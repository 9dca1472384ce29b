//! `worker`: what a client says goes to a named channel, and who works on that channel answers; in Python, for one,
//! by `runworker`.

mod message;

use std::sync::Arc;

use ::http::StatusCode;
use tracing::warn;

use self::message::{Answer, Client};
use super::{Groups, LAYER_GAP, fill};
use crate::consumer::{Context, WebsocketConsumer};
use crate::gateway::settings::{Accept, SocketRoute, changed};
use crate::layers::{ChannelName, Event, EventError, GroupName, LayerError, LayerGap, Value};
use crate::websocket::{Acceptance, CloseCode, CloseFrame, Denial, Message};
use crate::{Error, Result};

/// What a route's clients have in common.
#[derive(Debug, Clone)]
pub(super) struct WorkerRoute {
    groups: Groups,
    /// One for each shard.
    channels: Arc<[ChannelName]>,
    accept: Accept,
}

impl WorkerRoute {
    /// The route's channels, whose names a check has found right; `None` without any.
    pub(super) fn of(route: &SocketRoute, groups: Groups) -> Option<Self> {
        let names = shards_of(route.channel.as_ref()?, route.shards.value);
        let channels: Arc<[ChannelName]> = names.filter_map(|name| ChannelName::new(name).ok()).collect();
        (!channels.is_empty()).then_some(Self { groups, channels, accept: route.accept.value })
    }

    /// The channel of one client, for good: its messages stay in order, and its worker may keep what it knows of it.
    fn pick(&self) -> ChannelName {
        self.channels[rand::random_range(0..self.channels.len())].clone()
    }
}

/// The names of a route's channels: the name itself, or `name-0` and so on for several.
pub(crate) fn shards_of(channel: &str, shards: u32) -> impl Iterator<Item = String> {
    (0..shards).map(move |shard| match shards {
        1 => channel.to_owned(),
        _ => format!("{channel}-{shard}"),
    })
}

/// One client, as its worker knows it.
pub(super) struct Worker {
    channel: ChannelName,
    client: Client,
    accepted: bool,
}

impl WebsocketConsumer<WorkerRoute> for Worker {
    type Event = Value;

    async fn connect(ctx: &mut Context<WorkerRoute>) -> Result<Self> {
        let reply_channel = ctx.channel_name().await?;
        let client = Client::of(&reply_channel, ctx.scope());
        let mut worker = Self { channel: ctx.state().pick(), client, accepted: false };
        let told = worker.client.connect(ctx.scope());
        match ctx.send_to(&worker.channel, &told).await {
            Err(error) if is_full(&error) => {
                let busy = Denial::new(StatusCode::SERVICE_UNAVAILABLE, "workers", "All workers are busy.");
                return ctx.deny(busy);
            }
            told => told?,
        }
        if ctx.state().accept == Accept::AtOnce {
            worker.accept(ctx, None).await?;
        }
        Ok(worker)
    }

    async fn receive(&mut self, ctx: &mut Context<WorkerRoute>, message: Message) -> Result<()> {
        match ctx.send_to(&self.channel, &self.client.receive(message)).await {
            Err(error) if is_full(&error) => {
                warn!(channel = %self.channel, "no worker takes messages fast enough: one is left out");
                ctx.send(BUSY).await
            }
            told => told,
        }
    }

    async fn event(&mut self, ctx: &mut Context<WorkerRoute>, event: Event<Value>) -> Result<()> {
        match event.decode::<Answer>() {
            Ok(answer) => self.answered(ctx, &answer).await,
            // Any other event is for the client itself, once it is there.
            Err(EventError::UnknownType { .. } | EventError::MissingType) if self.accepted => {
                ctx.send_event(&event).await
            }
            Err(error) => {
                warn!(channel = %self.channel, %error, "what a worker says was not understood and is left out");
                Ok(())
            }
        }
    }

    async fn layer_gap(&mut self, ctx: &mut Context<WorkerRoute>, _: LayerGap) -> Result<()> {
        ctx.send(LAYER_GAP).await
    }

    async fn disconnect(&mut self, ctx: &mut Context<WorkerRoute>, close: CloseFrame) {
        if let Err(error) = ctx.send_to(&self.channel, &self.client.disconnect(&close)).await {
            warn!(channel = %self.channel, error = %error.chain(), "a worker was not told of a client that left");
        }
    }
}

impl Worker {
    /// Does what a worker asks.
    async fn answered(&mut self, ctx: &mut Context<WorkerRoute>, answer: &Answer) -> Result<()> {
        match answer {
            Answer::Accept { subprotocol } if !self.accepted => self.accept(ctx, subprotocol.as_ref()).await,
            Answer::Accept { .. } => Ok(()),
            Answer::Close { code, reason } => {
                ctx.close(close_frame(*code, reason.clone()));
                Ok(())
            }
            Answer::GroupAdd { group } => Ok(ctx.group_add(&GroupName::new(group)?).await?),
            Answer::GroupDiscard { group } => Ok(ctx.group_discard(&GroupName::new(group)?).await?),
            Answer::Send { .. } if !self.accepted => {
                self.left_out("a message to a client that is not accepted")
            }
            Answer::Send { text: Some(text), .. } => ctx.send(text.as_str()).await,
            Answer::Send { bytes: Some(Value::Bytes(bytes)), .. } => {
                ctx.send(Message::binary(bytes.clone())).await
            }
            Answer::Send { .. } => self.left_out("a message with neither text nor bytes"),
        }
    }

    /// Accepts the client, who is in the route's groups by then.
    async fn accept(&mut self, ctx: &mut Context<WorkerRoute>, subprotocol: Option<&String>) -> Result<()> {
        let groups = Arc::clone(&ctx.state().groups);
        for group in fill(&groups, ctx.scope())? {
            ctx.group_add(&group).await?;
        }
        let chosen = subprotocol.filter(|chosen| ctx.scope().subprotocols.contains(chosen)).cloned();
        if chosen.is_none() && subprotocol.is_some() {
            self.left_out("a subprotocol that the client does not offer")?;
        }
        ctx.accept_with(changed(|acceptance: &mut Acceptance| acceptance.subprotocol = chosen)).await?;
        self.accepted = true;
        Ok(())
    }

    /// A worker's mistake cuts no client off.
    fn left_out(&self, what: &str) -> Result<()> {
        warn!(channel = %self.channel, "a worker answers with {what}, which is left out");
        Ok(())
    }
}

/// What a client is told whose message no worker will see.
const BUSY: &str =
    r#"{"type":"error","code":"worker_busy","message":"all workers are busy: this message was not handled"}"#;

fn is_full(error: &Error) -> bool {
    matches!(error.downcast_ref(), Some(LayerError::ChannelFull { .. }))
}

fn close_frame(code: Option<u16>, reason: Option<String>) -> CloseFrame {
    let code = code.map_or(CloseCode::NORMAL, CloseCode);
    if code.is_sendable() {
        return CloseFrame::new(code, reason.unwrap_or_default());
    }
    warn!(%code, "a worker closes with a code that cannot be sent");
    CloseFrame::new(CloseCode::INTERNAL, "")
}
