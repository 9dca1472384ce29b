//! [`Pipe`]: the one connection on which all commands of a process to one host travel, batched and in order.

use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Pipeline, RedisError, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;

use super::batch::{BATCH_COMMANDS, Batch, Job};
use super::trips::{Trips, round_trip};
use super::{Backoff, Connection, Health, Host, Part};
use crate::layers::LayerError;

/// Jobs that may wait for the connection; more senders than that wait for a place.
const QUEUE: usize = 1024;
/// How long the connection may be silent before it is tried.
const PING_AFTER: Duration = Duration::from_secs(5);

/// What one command came to: a value, or the server's refusal.
pub(in crate::layers::redis) type Answer = Result<Value, RedisError>;

/// What has to be sent on every new connection before anything else.
pub(in crate::layers::redis) trait Restore: Send + Sync {
    /// The commands.
    fn commands(&self) -> Vec<Cmd>;
    /// They were run, and nobody is told yet that the host is back. `away` says how long there was no connection; `None`
    /// for the first one.
    fn done(&self, answers: Vec<Answer>, away: Option<Duration>);
}

/// How a [`Pipe`] connects.
pub(in crate::layers::redis) struct PipeSettings {
    pub(in crate::layers::redis) host: Host,
    pub(in crate::layers::redis) health: Arc<Health>,
    pub(in crate::layers::redis) part: Part,
    pub(in crate::layers::redis) connect_time: Duration,
    pub(in crate::layers::redis) response_time: Duration,
    pub(in crate::layers::redis) restore: Option<Arc<dyn Restore>>,
}

/// A hand on the publisher of one host. Commands of one caller, and of callers in order, stay in order. A lone command
/// does not wait; what is sent while a batch is under way shares the next one, which leaves when it is full or the one
/// before was answered.
#[derive(Debug, Clone)]
pub(in crate::layers::redis) struct Pipe {
    jobs: mpsc::Sender<Job>,
    health: Arc<Health>,
    part: Part,
}

impl Pipe {
    /// Starts the task that holds the connection. It ends with the last hand on it.
    pub(in crate::layers::redis) fn start(settings: PipeSettings) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (health, part) = (settings.health.clone(), settings.part);
        tokio::spawn(Worker { settings, queue }.run());
        Self { jobs, health, part }
    }

    /// Runs commands and waits for their answers. The server's refusal of a single command is an `Err` in its place.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] at once while the host is away, and when the connection is lost on the way: then
    /// nobody knows whether the commands were run.
    pub(in crate::layers::redis) async fn run(&self, commands: Vec<Cmd>) -> Result<Vec<Answer>, LayerError> {
        self.health.check(self.part).await?;
        let (done, answer) = oneshot::channel();
        let ended = || self.health.unavailable("the layer has ended");
        self.jobs.send(Job { commands, done }).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?.map_err(|reason| self.health.unavailable(reason))
    }

    /// Runs one command.
    ///
    /// # Errors
    /// As [`run`](Self::run), and [`LayerError::Unavailable`] with the server's words when it refuses the command.
    pub(in crate::layers::redis) async fn one(&self, command: Cmd) -> Result<Value, LayerError> {
        let mut answers = self.run(vec![command]).await?;
        let answer = answers.pop().ok_or_else(|| self.health.unavailable("no answer"))?;
        answer.map_err(|error| self.health.unavailable(error.to_string()))
    }
}

struct Worker {
    settings: PipeSettings,
    queue: mpsc::Receiver<Job>,
}

/// How a connection's time ended.
enum End {
    /// Nobody is left who could send.
    Unused,
    Lost(String),
}

impl Worker {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let reason = match self.connect().await {
                Ok(connection) => {
                    backoff = Backoff::default();
                    match self.serve(connection).await {
                        End::Unused => break,
                        End::Lost(reason) => reason,
                    }
                }
                Err(reason) => reason,
            };
            self.settings.health.lost(self.settings.part, &reason);
            if self.refuse_for(backoff.next(), &reason).await.is_none() {
                break;
            }
        }
        self.settings.health.ended(self.settings.part);
    }

    /// Connects, and restores what has to stand before anyone else's commands.
    async fn connect(&self) -> Result<Connection, String> {
        let mut connection = self.settings.host.pipe(self.settings.connect_time).await?;
        let Some(restore) = &self.settings.restore else {
            self.settings.health.ready(self.settings.part);
            return Ok(connection);
        };
        let mut answers = Vec::new();
        let mut commands = restore.commands().into_iter().peekable();
        while commands.peek().is_some() {
            let mut pipeline = Pipeline::new();
            commands.by_ref().take(BATCH_COMMANDS).for_each(|command| {
                pipeline.add_command(command);
            });
            answers.extend(round_trip(&mut connection, &pipeline, self.settings.response_time).await?);
        }
        restore.done(answers, self.settings.health.away(self.settings.part));
        self.settings.health.ready(self.settings.part);
        Ok(connection)
    }

    /// Refuses everything for a while. `None` when nobody is left.
    async fn refuse_for(&mut self, wait: Duration, reason: &str) -> Option<()> {
        let mut wait = std::pin::pin!(sleep(wait));
        loop {
            tokio::select! {
                () = &mut wait => return Some(()),
                job = self.queue.recv() => drop(job?.done.send(Err(reason.to_owned()))),
            }
        }
    }

    async fn serve(&mut self, connection: Connection) -> End {
        let mut others = self.settings.health.watch();
        let mut trips = Trips::new(connection, self.settings.response_time);
        let mut next = Batch::default();
        let mut unused = false;
        while !(unused && next.is_empty() && trips.is_empty()) {
            tokio::select! {
                biased;
                answered = trips.next() => if let Err(reason) = answered {
                    next.waiting.refuse(&reason);
                    trips.refuse(&reason);
                    return End::Lost(reason);
                },
                job = self.queue.recv(), if !unused && !next.is_full() => match job {
                    Some(job) => next.add(job),
                    None => unused = true,
                },
                () = others.another_lost(self.settings.part), if trips.is_empty() => trips.start(Batch::ping()),
                () = sleep(PING_AFTER), if trips.is_empty() => trips.start(Batch::ping()),
            }
            while !next.is_full()
                && let Ok(job) = self.queue.try_recv()
            {
                next.add(job);
            }
            if trips.want(&next) {
                trips.start(std::mem::take(&mut next));
            }
        }
        End::Unused
    }
}
