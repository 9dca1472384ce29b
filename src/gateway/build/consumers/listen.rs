//! `listen`: a client hears its groups and says nothing; the way a Django view pushes to `user_{user.id}`.

use super::{Groups, LAYER_GAP, join};
use crate::Result;
use crate::consumer::{Context, WebsocketConsumer};
use crate::layers::{LayerGap, Value};

pub(super) struct Listen;

impl WebsocketConsumer<Groups> for Listen {
    type Event = Value;

    async fn connect(ctx: &mut Context<Groups>) -> Result<Self> {
        join(ctx).await?;
        ctx.accept().await?;
        Ok(Self)
    }

    async fn layer_gap(&mut self, ctx: &mut Context<Groups>, _: LayerGap) -> Result<()> {
        ctx.send(LAYER_GAP).await
    }
}
