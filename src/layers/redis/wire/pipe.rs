//! [`Pipe`]: the one connection on which all commands of a process to one host travel, batched and in order.

use std::sync::Arc;
use std::time::Duration;

use redis::{Arg, Cmd, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::{Backoff, Connection, Health, Host, Part};
use crate::layers::LayerError;

/// Jobs that may wait for the connection; more senders than that wait for a place.
const QUEUE: usize = 1024;
/// Commands and bytes that share one round trip at most.
const BATCH_COMMANDS: usize = 512;
const BATCH_BYTES: usize = 1 << 20;
/// How long the connection may be silent before it is tried.
const PING_AFTER: Duration = Duration::from_secs(5);

/// What one command came to: a value, or the server's refusal.
pub(in crate::layers::redis) type Answer = Result<Value, RedisError>;

type Done = oneshot::Sender<Result<Vec<Answer>, String>>;

/// One caller's commands, which are sent together.
struct Job {
    commands: Vec<Cmd>,
    bytes: usize,
    done: Done,
}

/// What has to be sent on every new connection before anything else.
pub(in crate::layers::redis) trait Restore: Send + Sync {
    /// The commands.
    fn commands(&self) -> Vec<Cmd>;
    /// They were run. `away` says how long there was no connection; `None` for the first one.
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

/// A hand on the publisher of one host. Commands of one caller, and of callers in order, stay in order; what is sent
/// while a batch is under way shares the next one, and a lone command does not wait.
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
        let bytes = commands.iter().map(size).sum();
        let ended = || self.health.unavailable("the layer has ended");
        self.jobs.send(Job { commands, bytes, done }).await.map_err(|_| ended())?;
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
            answers.extend(self.round_trip(&mut connection, &pipeline).await?);
        }
        let away = self.settings.health.ready(self.settings.part);
        restore.done(answers, away);
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

    async fn serve(&mut self, mut connection: Connection) -> End {
        let mut others = self.settings.health.watch();
        loop {
            let job = tokio::select! {
                biased;
                job = self.queue.recv() => match job {
                    Some(job) => Some(job),
                    None => return End::Unused,
                },
                () = others.another_lost(self.settings.part) => None,
                () = sleep(PING_AFTER) => None,
            };
            let jobs = self.batch(job);
            if let Err(reason) = self.answer(&mut connection, jobs).await {
                return End::Lost(reason);
            }
        }
    }

    /// The job, and what else waits by now.
    fn batch(&mut self, first: Option<Job>) -> Vec<Job> {
        let Some(first) = first else { return Vec::new() };
        let (mut commands, mut bytes) = (first.commands.len(), first.bytes);
        let mut jobs = vec![first];
        while commands < BATCH_COMMANDS && bytes < BATCH_BYTES {
            let Ok(job) = self.queue.try_recv() else { break };
            commands += job.commands.len();
            bytes += job.bytes;
            jobs.push(job);
        }
        jobs
    }

    /// Sends the jobs (or a ping, when there are none) in one round trip and hands out the answers.
    async fn answer(&self, connection: &mut Connection, jobs: Vec<Job>) -> Result<(), String> {
        let mut pipeline = Pipeline::new();
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs {
            waiting.push((job.commands.len(), job.done));
            for command in job.commands {
                pipeline.add_command(command);
            }
        }
        if waiting.is_empty() {
            pipeline.cmd("PING");
        }
        let answers = self.round_trip(connection, &pipeline).await;
        let answers = match answers {
            Ok(answers) => answers,
            Err(reason) => {
                waiting.into_iter().for_each(|(_, done)| drop(done.send(Err(reason.clone()))));
                return Err(reason);
            }
        };
        hand_out(waiting, answers)
    }
}

impl Worker {
    async fn round_trip(
        &self,
        connection: &mut Connection,
        pipeline: &Pipeline,
    ) -> Result<Vec<Answer>, String> {
        let time = self.settings.response_time;
        match timeout(time, connection.run(pipeline)).await {
            Ok(Ok(answers)) => Ok(answers),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {time:?}")),
        }
    }
}

/// Gives every job its answers. An answer that tells that this server is not the right one any more ends the
/// connection: another attempt may find another master.
fn hand_out(waiting: Vec<(usize, Done)>, answers: Vec<Answer>) -> Result<(), String> {
    let mut answers = answers.into_iter();
    let mut wrong_server = None;
    for (commands, done) in waiting {
        let own: Vec<Answer> = answers.by_ref().take(commands).collect();
        let wrong =
            own.iter().filter_map(|answer| answer.as_ref().err()).find(|error| is_wrong_server(error));
        wrong_server = wrong_server.or(wrong.map(ToString::to_string));
        // A caller that went away does not want its answers.
        let _ = done.send(Ok(own));
    }
    wrong_server.map_or(Ok(()), Err)
}

/// About how many bytes a command takes on the wire.
fn size(command: &Cmd) -> usize {
    let argument = |argument: Arg<&[u8]>| match argument {
        Arg::Simple(bytes) => bytes.len() + 16,
        _ => 16,
    };
    command.args_iter().map(argument).sum()
}

fn is_wrong_server(error: &RedisError) -> bool {
    matches!(
        error.kind(),
        redis::ErrorKind::Server(
            ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::ReadOnly
        )
    )
}
