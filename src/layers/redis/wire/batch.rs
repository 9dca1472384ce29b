//! [`Batch`]: commands of many callers that share one round trip, and who waits for which answers.

use redis::{Arg, Cmd, Pipeline, RedisError, ServerErrorKind};
use tokio::sync::oneshot;

use super::Answer;

/// Commands and bytes that share one round trip at most.
pub(super) const BATCH_COMMANDS: usize = 128;
const BATCH_BYTES: usize = 1 << 20;

/// One caller's commands, which are sent together.
pub(super) struct Job {
    pub(super) commands: Vec<Cmd>,
    pub(super) done: Done,
}

type Done = oneshot::Sender<Result<Vec<Answer>, String>>;

/// Commands on their way.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) commands: Pipeline,
    pub(super) waiting: Waiting,
    bytes: usize,
}

/// The callers of a batch, in the order of their commands.
#[derive(Default)]
pub(super) struct Waiting(Vec<(usize, Done)>);

impl Batch {
    /// A question to which every server has an answer, for nobody.
    pub(super) fn ping() -> Self {
        let mut batch = Self::default();
        batch.commands.cmd("PING");
        batch
    }

    pub(super) fn add(&mut self, job: Job) {
        self.waiting.0.push((job.commands.len(), job.done));
        for command in job.commands {
            self.bytes += size(&command);
            self.commands.add_command(command);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }

    pub(super) fn is_full(&self) -> bool {
        self.commands.len() >= BATCH_COMMANDS || self.bytes >= BATCH_BYTES
    }
}

impl Waiting {
    /// Gives every caller its answers.
    ///
    /// # Errors
    /// When an answer tells that this server is not the right one any more: another attempt may find another master.
    pub(super) fn hand_out(self, answers: Vec<Answer>) -> Result<(), String> {
        let mut answers = answers.into_iter();
        let mut wrong_server = None;
        for (commands, done) in self.0 {
            let own: Vec<Answer> = answers.by_ref().take(commands).collect();
            let errors = own.iter().filter_map(|answer| answer.as_ref().err());
            let wrong = errors.filter(|error| is_wrong_server(error)).map(ToString::to_string).next();
            wrong_server = wrong_server.or(wrong);
            // A caller that went away does not want its answers.
            let _ = done.send(Ok(own));
        }
        wrong_server.map_or(Ok(()), Err)
    }

    /// Tells every caller why there are no answers.
    pub(super) fn refuse(self, reason: &str) {
        self.0.into_iter().for_each(|(_, done)| drop(done.send(Err(reason.to_owned()))));
    }
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
