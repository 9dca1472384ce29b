//! `relay`: whatever JSON a member sends goes to its groups, with the member's name.

use serde::Serialize;

use super::{Groups, LAYER_GAP, join};
use crate::Result;
use crate::consumer::{Context, WebsocketConsumer};
use crate::layers::{GroupName, LayerGap, Value};
use crate::websocket::Message;

pub(super) struct Relay {
    groups: Vec<GroupName>,
}

/// What members hear.
#[derive(Serialize)]
#[serde(tag = "type", rename = "relay.message")]
struct Relayed<'a> {
    message: &'a serde_json::Value,
    user: &'a str,
}

impl WebsocketConsumer<Groups> for Relay {
    type Event = Value;

    async fn connect(ctx: &mut Context<Groups>) -> Result<Self> {
        let groups = join(ctx).await?;
        ctx.accept().await?;
        Ok(Self { groups })
    }

    async fn receive(&mut self, ctx: &mut Context<Groups>, message: Message) -> Result<()> {
        let message = message.json()?;
        let relayed = Relayed { message: &message, user: ctx.user().username() };
        for group in &self.groups {
            ctx.group_send(group, &relayed).await?;
        }
        Ok(())
    }

    async fn layer_gap(&mut self, ctx: &mut Context<Groups>, _: LayerGap) -> Result<()> {
        ctx.send(LAYER_GAP).await
    }
}
