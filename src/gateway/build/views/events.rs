//! `events`: groups as a stream of server-sent events.

use bytes::Bytes;

use crate::Result;
use crate::consumer::{HttpConsumer, HttpContext, http_consumer_with_state};
use crate::gateway::build::consumers::{Groups, LAYER_GAP, fill, groups_of};
use crate::gateway::settings::Events;
use crate::http::{BoxedView, IntoView};
use crate::layers::{Event, LayerGap, Value};

struct Stream;

/// A view that streams the events of its groups.
pub(super) fn view(events: &Events) -> BoxedView {
    let groups: Groups = groups_of(events.groups.iter());
    http_consumer_with_state::<Stream, Groups>(groups).layer(events.channel_layer.as_str()).into_view()
}

impl HttpConsumer<Groups> for Stream {
    type Event = Value;

    async fn handle(ctx: &mut HttpContext<Groups>, _: Bytes) -> Result<Self> {
        for group in fill(ctx.state(), ctx.scope())? {
            ctx.group_add(&group).await?;
        }
        ctx.start_event_stream()?;
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut HttpContext<Groups>, event: Event<Value>) -> Result<()> {
        ctx.send_event(&event).await
    }

    async fn layer_gap(&mut self, ctx: &mut HttpContext<Groups>, _: LayerGap) -> Result<()> {
        ctx.send_data(None, LAYER_GAP).await
    }
}
