//! The task that holds one host's subscriptions: reads what comes, subscribes what is wanted, restores after an outage.

use std::sync::Arc;
use std::time::Duration;

use redis::{RedisError, RedisResult};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::lines::{self, Line, Reader, Told};
use super::local::Local;
use super::names::Subscription;
use super::subscriptions::{Confirmed, Request};
use crate::layers::redis::Host;
use crate::layers::redis::wire::{Backoff, Health, Part};

/// Subscriptions named in one command.
const BATCH: usize = 500;
/// How long a useless subscription is kept, in case someone joins again.
const LINGER: Duration = Duration::from_millis(50);
/// How often a connection that may be dead is tried.
const PING_EVERY: Duration = Duration::from_secs(5);

pub(super) struct Subscriber {
    pub(super) host: Host,
    /// The host's place in the ring.
    pub(super) index: usize,
    pub(super) local: Arc<Local>,
    pub(super) health: Arc<Health>,
    pub(super) part: Part,
    pub(super) connect_time: Duration,
    pub(super) response_time: Duration,
    pub(super) confirmed: Arc<Confirmed>,
    pub(super) requests: mpsc::Receiver<Request>,
}

/// How a connection's time ended.
enum End {
    /// The layer is gone.
    Unused,
    Lost(String),
}

impl From<String> for End {
    fn from(reason: String) -> Self {
        Self::Lost(reason)
    }
}

/// What subscribing came to: the server's refusal is the asker's problem, a silent server is ours.
enum Failure {
    Refused(String),
    Lost(String),
}

impl Subscriber {
    pub(super) async fn run(mut self) {
        let (mut backoff, mut was_ready) = (Backoff::default(), false);
        loop {
            let end = match self.connect().await {
                Ok((line, reader)) => {
                    backoff = Backoff::default();
                    if was_ready {
                        self.local.announce_gap(self.index);
                    }
                    was_ready = true;
                    self.serve(line, reader).await
                }
                Err(reason) => End::Lost(reason),
            };
            self.confirmed.clear();
            let End::Lost(reason) = end else { return };
            self.health.lost(self.part, &reason);
            if self.refuse_for(backoff.next(), &reason).await.is_none() {
                return;
            }
        }
    }

    /// Connects and restores every subscription that is wanted.
    async fn connect(&self) -> Result<(Line, Reader), String> {
        let (mut line, reader) = lines::connect(&self.host, &self.local, self.connect_time).await?;
        let wanted = self.local.wanted(self.index);
        match self.subscribe(&mut line, &wanted).await {
            Ok(()) => self.confirmed.add(wanted),
            Err(Failure::Refused(reason) | Failure::Lost(reason)) => return Err(reason),
        }
        Ok((line, reader))
    }

    async fn refuse_for(&mut self, wait: Duration, reason: &str) -> Option<()> {
        let mut wait = std::pin::pin!(sleep(wait));
        loop {
            tokio::select! {
                () = &mut wait => return Some(()),
                request = self.requests.recv() => drop(request?.done.send(Err(reason.to_owned()))),
            }
        }
    }

    async fn serve(&mut self, mut line: Line, reader: Reader) -> End {
        let mut reader = reader.start(&self.local);
        // What was wanted when it was restored may have lost its last member since.
        self.confirmed
            .all()
            .into_iter()
            .for_each(|subscription| self.local.stale[self.index].mark(subscription));
        self.health.ready(self.part);
        // Who came while it was being restored was told that all is restored at the end.
        if let Err(end) = self.catch_up(&mut line).await {
            return end;
        }
        let mut release_at = None;
        loop {
            let linger = release_at.unwrap_or_else(Instant::now);
            let done = tokio::select! {
                told = reader.told() => match told {
                    Told::Ended => Err(End::Lost("the connection was closed".to_owned())),
                    Told::Moved(channels) => {
                        let followed = self.follow(&mut line, channels).await;
                        if followed.is_ok() {
                            reader.resume(&self.local);
                        }
                        followed
                    }
                },
                request = self.requests.recv() => self.grant(&mut line, request).await,
                () = self.local.stale[self.index].marked(), if release_at.is_none() => {
                    release_at = Some(Instant::now() + LINGER);
                    Ok(())
                }
                () = sleep_until(linger), if release_at.is_some() => {
                    release_at = None;
                    self.release(&mut line).await
                }
                () = sleep(PING_EVERY) => self.ping(&mut line).await,
            };
            if let Err(end) = done {
                return end;
            }
        }
    }

    /// Subscribes to what has come to be wanted without being asked for.
    async fn catch_up(&self, line: &mut Line) -> Result<(), End> {
        let mut late = self.local.wanted(self.index);
        late.retain(|wanted| !self.confirmed.contains(wanted));
        match self.subscribe(line, &late).await {
            Ok(()) => {
                self.confirmed.add(late);
                Ok(())
            }
            Err(Failure::Refused(reason) | Failure::Lost(reason)) => Err(End::Lost(reason)),
        }
    }

    /// Subscribes to what is asked for, and to whatever else is asked for by now.
    async fn grant(&mut self, line: &mut Line, first: Option<Request>) -> Result<(), End> {
        let mut requests = vec![first.ok_or(End::Unused)?];
        while requests.len() < BATCH {
            let Ok(request) = self.requests.try_recv() else { break };
            requests.push(request);
        }
        let wanted: Vec<_> = requests.iter().map(|request| request.subscription.clone()).collect();
        let done = self.subscribe(line, &wanted).await;
        let answer = match &done {
            Ok(()) => {
                self.confirmed.add(wanted.iter().cloned());
                // Who asked may have left again before it was granted, when there was nothing to give up yet.
                let useless = wanted.into_iter().filter(|wanted| !self.local.is_wanted(wanted));
                useless.for_each(|subscription| self.local.stale[self.index].mark(subscription));
                Ok(())
            }
            Err(Failure::Refused(reason) | Failure::Lost(reason)) => Err(reason.clone()),
        };
        // Someone who went away does not want the answer.
        requests.into_iter().for_each(|request| drop(request.done.send(answer.clone())));
        match done {
            Err(Failure::Lost(reason)) => Err(End::Lost(reason)),
            _ => Ok(()),
        }
    }

    /// Subscribes anew to what a node of a cluster has given up with its slot, and tells the members.
    async fn follow(&mut self, line: &mut Line, channels: Vec<String>) -> Result<(), End> {
        let moved: Vec<_> = channels.into_iter().map(Subscription::Channel).collect();
        self.confirmed.forget(&moved);
        match self.subscribe(line, &moved).await {
            Ok(()) => {
                self.local.announce_gap_in(&moved);
                self.confirmed.add(moved);
                Ok(())
            }
            Err(Failure::Refused(reason) | Failure::Lost(reason)) => Err(End::Lost(reason)),
        }
    }

    /// Gives up subscriptions that nobody wants any more.
    async fn release(&self, line: &mut Line) -> Result<(), End> {
        let candidates = self.local.stale[self.index].take();
        let unwanted = self.confirmed.drop_unwanted(candidates, |candidate| self.local.is_wanted(candidate));
        for names in batches(&unwanted) {
            let done = self.bounded(line.unsubscribe(&self.local, names)).await;
            if let Err(Failure::Refused(reason) | Failure::Lost(reason)) = done {
                return Err(End::Lost(reason));
            }
        }
        Ok(())
    }

    async fn ping(&self, line: &mut Line) -> Result<(), End> {
        match self.bounded(line.ping()).await {
            Ok(()) => Ok(()),
            Err(Failure::Refused(reason) | Failure::Lost(reason)) => Err(End::Lost(reason)),
        }
    }

    /// Subscribes and waits until Redis has confirmed all of it.
    async fn subscribe(&self, line: &mut Line, wanted: &[Subscription]) -> Result<(), Failure> {
        let is_pattern = |subscription: &&Subscription| matches!(subscription, Subscription::Pattern(_));
        let patterns: Vec<&str> = wanted.iter().filter(is_pattern).map(Subscription::name).collect();
        for pattern in patterns {
            self.bounded(line.psubscribe(pattern)).await?;
        }
        let channels: Vec<Subscription> = wanted.iter().filter(|found| !is_pattern(found)).cloned().collect();
        for names in batches(&channels) {
            self.bounded(line.subscribe(&self.local, names)).await?;
        }
        Ok(())
    }

    async fn bounded<T>(&self, command: impl Future<Output = RedisResult<T>>) -> Result<T, Failure> {
        match timeout(self.response_time, command).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) if is_refusal(&error) => Err(Failure::Refused(error.to_string())),
            Ok(Err(error)) => Err(Failure::Lost(error.to_string())),
            Err(_) => Err(Failure::Lost(format!("no answer within {:?}", self.response_time))),
        }
    }
}

fn is_refusal(error: &RedisError) -> bool {
    matches!(error.kind(), redis::ErrorKind::Server(_))
}

/// The names, as many in a command as it may hold.
fn batches(subscriptions: &[Subscription]) -> impl Iterator<Item = Vec<&str>> {
    subscriptions.chunks(BATCH).map(|chunk| chunk.iter().map(Subscription::name).collect())
}
