//! `events`: groups as a stream of server-sent events, which fills in what a client has missed.

use bytes::Bytes;

use crate::Result;
use crate::consumer::{HttpConsumer, HttpContext, http_consumer_with_state};
use crate::gateway::build::consumers::{Groups, LAYER_GAP, fill, groups_of};
use crate::gateway::settings::Events;
use crate::http::{BoxedView, IntoView};
use crate::layers::{Event, EventHistory, LayerGap, Value};

/// Tells what comes while the client is there.
struct Stream;

/// Tells what came meanwhile, too.
struct Followed;

#[derive(Clone)]
struct Feed {
    groups: Groups,
    history: EventHistory,
}

/// A view that streams the events of its groups.
pub(super) fn view(events: &Events) -> BoxedView {
    let groups: Groups = groups_of(events.groups.iter());
    let layer = events.channel_layer.as_str();
    if events.history == 0 {
        return http_consumer_with_state::<Stream, Groups>(groups).layer(layer).into_view();
    }
    let history = EventHistory::new().events(events.history).bytes(events.history_bytes.0);
    let feed = Feed { groups, history: history.keep(events.history_time) };
    http_consumer_with_state::<Followed, Feed>(feed).layer(layer).into_view()
}

impl HttpConsumer<Feed> for Followed {
    type Event = Value;

    async fn handle(ctx: &mut HttpContext<Feed>, _: Bytes) -> Result<Self> {
        let Feed { groups, history } = ctx.state().clone();
        let groups = fill(&groups, ctx.scope())?;
        ctx.follow(&history, groups, LAYER_GAP).await?;
        Ok(Self)
    }
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
