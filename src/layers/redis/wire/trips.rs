//! [`Trips`]: the batches that are under way on one connection.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesOrdered, StreamExt};
use redis::Pipeline;
use tokio::task::unconstrained;
use tokio::time::timeout;

use super::batch::{Batch, Waiting};
use super::{Answer, Connection};

/// Batches under way at once: Redis has the next one at hand when it has answered one.
const UNDER_WAY: usize = 8;

type Answers = Result<Vec<Answer>, String>;

/// Round trips, which begin and end in order.
pub(super) struct Trips {
    connection: Connection,
    response_time: Duration,
    under_way: FuturesOrdered<BoxFuture<'static, Answers>>,
    /// Who waits for each of them.
    waiting: VecDeque<Waiting>,
}

impl Trips {
    pub(super) fn new(connection: Connection, response_time: Duration) -> Self {
        Self { connection, response_time, under_way: FuturesOrdered::new(), waiting: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a batch should leave now: when nothing else is under way, and when waiting would not make it larger.
    pub(super) fn want(&self, batch: &Batch) -> bool {
        let most = if self.connection.keeps_order() { UNDER_WAY } else { 1 };
        !batch.is_empty() && (self.is_empty() || (batch.is_full() && self.waiting.len() < most))
    }

    pub(super) fn start(&mut self, batch: Batch) {
        self.waiting.push_back(batch.waiting);
        let (mut connection, time, commands) = (self.connection.clone(), self.response_time, batch.commands);
        // A trip takes its place in the connection's queue when it is first polled, which happens in the order of the
        // starts as long as none of them is sent away for having done much already.
        let trip = unconstrained(async move { round_trip(&mut connection, &commands, time).await });
        self.under_way.push_back(Box::pin(trip));
    }

    /// Waits until the oldest trip is over and hands out its answers. Cancel safe; pending while there is none.
    ///
    /// # Errors
    /// When the connection is of no more use. The other callers wait still: [`refuse`](Self::refuse) tells them.
    pub(super) async fn next(&mut self) -> Result<(), String> {
        let Some(answers) = self.under_way.next().await else { return std::future::pending().await };
        let waiting = self.waiting.pop_front().unwrap_or_default();
        match answers {
            Ok(answers) => waiting.hand_out(answers),
            Err(reason) => {
                waiting.refuse(&reason);
                Err(reason)
            }
        }
    }

    /// Gives up what is under way.
    pub(super) fn refuse(self, reason: &str) {
        self.waiting.into_iter().for_each(|waiting| waiting.refuse(reason));
    }
}

/// Runs commands and waits for their answers, for a bounded time.
pub(super) async fn round_trip(connection: &mut Connection, commands: &Pipeline, time: Duration) -> Answers {
    match timeout(time, connection.run(commands)).await {
        Ok(Ok(answers)) => Ok(answers),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {time:?}")),
    }
}
