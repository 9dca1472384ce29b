//! [`Pipe`]: the one connection on which all commands of a process to one host travel, batched and in order.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Arg, Cmd, Pipeline, RedisError, ServerErrorKind, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

use super::{Backoff, Health, Host, Part};
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

/// A hand on the publisher of one host. Commands of one caller, and of callers in order, stay in order; what is sent
/// while a batch is under way shares the next one, and a lone command does not wait.
#[derive(Debug, Clone)]
pub(in crate::layers::redis) struct Pipe {
    jobs: mpsc::Sender<Job>,
    health: Arc<Health>,
}

impl Pipe {
    /// Starts the task that holds the connection. It ends with the last hand on it.
    pub(in crate::layers::redis) fn start(
        host: Host,
        health: Arc<Health>,
        part: Part,
        times: (Duration, Duration),
    ) -> Self {
        let (jobs, queue) = mpsc::channel(QUEUE);
        let (connect_time, response_time) = times;
        tokio::spawn(Worker { host, health: health.clone(), part, connect_time, response_time, queue }.run());
        Self { jobs, health }
    }

    /// Runs commands and waits for their answers. The server's refusal of a single command is an `Err` in its place.
    ///
    /// # Errors
    /// [`LayerError::Unavailable`] at once while the host is away, and when the connection is lost on the way: then
    /// nobody knows whether the commands were run.
    pub(in crate::layers::redis) async fn run(&self, commands: Vec<Cmd>) -> Result<Vec<Answer>, LayerError> {
        self.health.check().await?;
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
    host: Host,
    health: Arc<Health>,
    part: Part,
    connect_time: Duration,
    response_time: Duration,
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
            let reason = match self.host.connect(self.connect_time).await {
                Ok(connection) => {
                    self.health.ready(self.part);
                    backoff = Backoff::default();
                    match self.serve(connection).await {
                        End::Unused => return,
                        End::Lost(reason) => reason,
                    }
                }
                Err(reason) => reason,
            };
            self.health.lost(self.part, &reason);
            if self.refuse_for(backoff.next(), &reason).await.is_none() {
                return;
            }
        }
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

    async fn serve(&mut self, mut connection: MultiplexedConnection) -> End {
        loop {
            let job = match timeout(PING_AFTER, self.queue.recv()).await {
                Ok(Some(job)) => Some(job),
                Ok(None) => return End::Unused,
                Err(_) => None,
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
    async fn answer(&self, connection: &mut MultiplexedConnection, jobs: Vec<Job>) -> Result<(), String> {
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
        let count = pipeline.len();
        let answers =
            match timeout(self.response_time, connection.req_packed_commands(&pipeline, 0, count)).await {
                Ok(Ok(answers)) => Ok(answers),
                Ok(Err(error)) => Err(error.to_string()),
                Err(_) => Err(format!("no answer within {:?}", self.response_time)),
            };
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

/// Gives every job its answers. An answer that tells that this server is not the right one any more ends the
/// connection: another attempt may find another master.
fn hand_out(waiting: Vec<(usize, Done)>, answers: Vec<Value>) -> Result<(), String> {
    let mut answers = answers.into_iter().map(Value::extract_error);
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
