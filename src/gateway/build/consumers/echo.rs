//! `echo`: every message comes back, text as text and bytes as bytes.

use super::Groups;
use crate::Result;
use crate::consumer::{Context, WebsocketConsumer};
use crate::layers::Value;
use crate::websocket::Message;

pub(super) struct Echo;

impl WebsocketConsumer<Groups> for Echo {
    type Event = Value;

    async fn connect(ctx: &mut Context<Groups>) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context<Groups>, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}
