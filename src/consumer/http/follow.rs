//! An event stream that fills in what its client has missed.

use bytes::Bytes;

use super::HttpContext;
use crate::layers::{EventHistory, Followed, GroupName};
use crate::{Error, Result};

/// What browsers send when they connect again: the `id` that came last.
const LAST_EVENT_ID: &str = "last-event-id";

impl<S> HttpContext<S> {
    /// Answers with the events of groups, each with an `id`, until the client leaves or the server drains. A client that
    /// comes back (browsers send `Last-Event-ID` then) first gets what it has missed, as far as `history` has it;
    /// otherwise, and wherever events may have been lost, it gets `gap` as data.
    ///
    /// To be called from [`handle`](super::HttpConsumer::handle), which it takes over; nothing comes to
    /// [`event`](super::HttpConsumer::event). An event with bytes, which JSON has not, is left out with a log entry.
    ///
    /// # Errors
    /// Without a layer, when the groups cannot be joined, or once the client has left.
    ///
    /// # Cancel safety
    /// A call that was dropped has left the stream open, at a place that the last `id` told the client of.
    pub async fn follow(&mut self, history: &EventHistory, groups: Vec<GroupName>, gap: &str) -> Result<()> {
        let limit = self.env().limits.groups_per_connection;
        if groups.len() > limit {
            return Err(Error::msg(format!("more than {limit} groups at once")));
        }
        let layer = self.channel.layer()?.clone();
        let last = self.request().headers.get(LAST_EVENT_ID).and_then(|last| last.to_str().ok());
        // Empty is what a client has that was never given one.
        let last = last.filter(|last| !last.is_empty()).map(str::to_owned);
        let mut follower = history.follow(&layer, groups, last.as_deref()).await?;
        self.start_event_stream()?;
        // A position at once: whoever is cut off before the first event has missed something all the same.
        self.send_body(format!("id: {}\n\n", last.unwrap_or_else(|| follower.position()))).await?;
        let closing = self.env().closing.clone();
        loop {
            let followed = tokio::select! {
                biased;
                () = closing.cancelled() => break,
                followed = follower.next() => followed,
            };
            let data = match followed {
                Followed::Event(event) => match event.json() {
                    Ok(json) => json,
                    Err(error) => {
                        tracing::warn!(%error, "an event cannot be told in a stream and is left out");
                        continue;
                    }
                },
                Followed::Gap => Bytes::copy_from_slice(gap.as_bytes()),
            };
            let head = format!("id: {}\ndata: ", follower.position());
            self.send_body([head.as_bytes(), &data, b"\n\n"].concat()).await?;
        }
        self.finish();
        Ok(())
    }
}
