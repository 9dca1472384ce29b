//! The times of one connection: pings, lost peers, stalled writes, idleness, age.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Limits;

/// What has become due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// Nothing came for a while: ask whether the peer is there.
    Ping,
    /// The ping went unanswered.
    NoPong,
    /// Queued frames make no progress.
    Stall,
    /// No message for too long.
    Idle,
    /// Open for too long.
    Age,
    /// What the connection stood on ends, as its scope says.
    Over,
}

/// The clock of one connection: one timer, moved only when it fires, so that traffic does not touch it.
#[derive(Debug)]
pub(super) struct Clock {
    timer: Option<Pin<Box<Sleep>>>,
    opened: Instant,
    // Only received bytes count as life.
    received: Instant,
    message: Instant,
    pinged: Option<Instant>,
    over: Option<Instant>,
}

impl Clock {
    /// A clock that starts now. `over`: when the connection ends whatever happens.
    pub(super) fn new(over: Option<Instant>) -> Self {
        let now = Instant::now();
        Self { timer: None, opened: now, received: now, message: now, pinged: None, over }
    }

    /// Bytes came from the peer; `message`: a whole data message.
    pub(super) fn heard(&mut self, message: bool) {
        self.received = Instant::now();
        if self.pinged.take().is_some() {
            // The next ping may be due before the time for the pong would have been over.
            self.timer = None;
        }
        if message {
            self.message = self.received;
        }
    }

    /// A handler has waited from `start` until now, and nothing was read: the peer's silence does not count.
    pub(super) fn stood_still(&mut self, start: Instant) {
        let pause = start.elapsed();
        self.received += pause;
        self.pinged = self.pinged.map(|pinged| pinged + pause);
        // It may have been set to a stall that is over.
        self.timer = None;
    }

    /// The next thing that is due. `waiting_since`: since when frames wait in the outbox.
    pub(super) fn poll_due(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        waiting_since: Option<Instant>,
    ) -> Poll<Due> {
        // What is due only ever moves away from a timer that is set, unless frames wait: most often there is nothing to
        // find out.
        if let (None, Some(timer)) = (waiting_since, &mut self.timer) {
            std::task::ready!(timer.as_mut().poll(cx));
        }
        loop {
            let Some((at, due)) = self.next(limits, waiting_since) else { return Poll::Pending };
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
            // A timer that fires too early is moved then; one that would fire too late is moved now.
            if timer.deadline() > at {
                timer.as_mut().reset(at);
            }
            std::task::ready!(timer.as_mut().poll(cx));
            if at <= Instant::now() {
                self.timer = None;
                if due == Due::Ping {
                    self.pinged = Some(Instant::now());
                }
                return Poll::Ready(due);
            }
            timer.as_mut().reset(at);
        }
    }

    /// Whether queued frames have made no progress for too long; for the time in which only they matter.
    pub(super) fn poll_stall(
        &mut self,
        cx: &mut Context<'_>,
        limits: &Limits,
        waiting_since: Option<Instant>,
    ) -> Poll<()> {
        let Some(since) = waiting_since else { return Poll::Pending };
        let at = since + limits.outbox_stall;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if timer.deadline() != at {
            timer.as_mut().reset(at);
        }
        timer.as_mut().poll(cx)
    }

    fn next(&self, limits: &Limits, waiting_since: Option<Instant>) -> Option<(Instant, Due)> {
        let after = |start: Instant, time: Option<Duration>, due| time.map(|time| (start + time, due));
        let peer = match self.pinged {
            Some(pinged) => after(pinged, limits.ping_timeout, Due::NoPong),
            None => after(self.received, limits.ping_interval, Due::Ping),
        };
        let stall = waiting_since.map(|since| (since + limits.outbox_stall, Due::Stall));
        let idle = after(self.message, limits.idle_timeout, Due::Idle);
        let age = after(self.opened, limits.max_age, Due::Age);
        let over = self.over.map(|over| (over, Due::Over));
        [peer, stall, idle, age, over].into_iter().flatten().min_by_key(|(at, _)| *at)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// The clock's next word, and after how many seconds it came.
    async fn next(clock: &mut Clock, limits: &Limits) -> (Due, u64) {
        let start = Instant::now();
        let due = poll_fn(|cx| clock.poll_due(cx, limits, None)).await;
        (due, start.elapsed().as_secs())
    }

    fn limits() -> Limits {
        Limits {
            ping_interval: Some(Duration::from_secs(20)),
            ping_timeout: Some(Duration::from_secs(30)),
            outbox_stall: Duration::from_secs(60),
            ..Limits::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_pong_the_next_ping_waits_for_the_interval_and_no_longer() {
        let (limits, mut clock) = (limits(), Clock::new(None));
        assert_eq!(next(&mut clock, &limits).await, (Due::Ping, 20));
        let unanswered = tokio::time::timeout(Duration::from_secs(1), next(&mut clock, &limits)).await;
        assert!(unanswered.is_err(), "the pong has time");
        clock.heard(false);
        assert_eq!(next(&mut clock, &limits).await, (Due::Ping, 20));
        assert_eq!(next(&mut clock, &limits).await, (Due::NoPong, 30));
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_that_is_over_does_not_delay_the_ping() {
        let (limits, mut clock) = (limits(), Clock::new(None));
        let waiting = Some(Instant::now());
        let stalled = poll_fn(|cx| clock.poll_stall(cx, &limits, waiting));
        assert!(tokio::time::timeout(Duration::from_secs(5), stalled).await.is_err(), "the stall has time");
        clock.stood_still(Instant::now() - Duration::from_secs(5));
        assert_eq!(next(&mut clock, &limits).await, (Due::Ping, 20));
    }
}
