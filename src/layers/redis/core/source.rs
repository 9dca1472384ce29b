//! [`Source`]: the dedicated connection on which one key of one host is read, blocking.

use std::time::Duration;

use bytes::Bytes;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{Cmd, Pipeline, Value};
use tokio::time::timeout;

use super::scripts::{Handed, backup, fetch, restore, take};
use crate::layers::redis::Host;

/// How long Redis holds a read that finds nothing.
pub(super) const BLOCK: Duration = Duration::from_secs(5);

/// A popped message with its score.
pub(super) type Popped = (Bytes, f64);

/// A blocking reader's connection. It is never given up in the middle of a read, which would pop a message into
/// nothing, and never used again after one that took too long.
pub(super) struct Source {
    pub(super) host: Host,
    pub(super) key: String,
    pub(super) connect_time: Duration,
    pub(super) response_time: Duration,
    pub(super) connection: Option<MultiplexedConnection>,
    /// Redis's own number of the connection, by which it can be told to wait no longer; 0 where it does not say.
    pub(super) id: i64,
}

impl Source {
    /// Pops up to so many messages without waiting; they stay in the back-up until they are said to be handed over.
    pub(super) async fn fetch(
        &mut self,
        messages: usize,
        life: u64,
        handed: Handed<'_>,
    ) -> Result<Vec<Popped>, String> {
        let command = fetch(&self.key, messages, life, handed);
        match self.run(vec![command], Duration::ZERO).await?.pop() {
            Some(Value::Array(found)) => Ok(pairs(found)),
            _ => Ok(Vec::new()),
        }
    }

    /// Pops one message without waiting; it stays in the back-up until it is said to be handed over.
    pub(super) async fn take(&mut self, handed: &[Bytes]) -> Result<Option<Popped>, String> {
        match self.run(vec![take(&self.key, handed)], Duration::ZERO).await?.pop() {
            Some(Value::Array(found)) => Ok(pairs(found).pop()),
            _ => Ok(None),
        }
    }

    /// What was popped and is not handed over yet, by any reader of this key.
    pub(super) async fn in_flight(&mut self) -> Result<Vec<Bytes>, String> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(backup(&self.key)).arg(0).arg(-1);
        let answer = self.run(vec![command], Duration::ZERO).await?.pop().unwrap_or(Value::Nil);
        let found: Vec<Vec<u8>> = redis::from_redis_value(answer).map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(Bytes::from).collect())
    }

    /// Takes back what a dead reader had popped.
    pub(super) async fn restore(&mut self, messages: &[Bytes]) -> Result<(), String> {
        self.run(vec![restore(&self.key, messages)], Duration::ZERO).await.map(drop)
    }

    /// Pops one message, waiting a few seconds for it.
    pub(super) async fn wait(&mut self) -> Result<Option<Popped>, String> {
        let mut command = redis::cmd("BZPOPMIN");
        command.arg(&self.key).arg(BLOCK.as_secs());
        match self.run(vec![command], BLOCK).await?.pop() {
            Some(Value::Array(found)) => Ok(pairs(found.into_iter().skip(1).collect()).pop()),
            _ => Ok(None),
        }
    }

    /// Confirms a message that was handed over.
    pub(super) async fn confirm(&mut self, message: &Bytes) -> Result<(), String> {
        let mut command = redis::cmd("ZREM");
        command.arg(backup(&self.key)).arg(&message[..]);
        self.run(vec![command], Duration::ZERO).await.map(drop)
    }

    /// Puts messages back where they were popped from.
    pub(super) async fn put_back(&mut self, messages: &[Popped]) -> Result<(), String> {
        let mut commands = Vec::with_capacity(messages.len() * 2);
        for (message, score) in messages {
            let (mut add, mut remove) = (redis::cmd("ZADD"), redis::cmd("ZREM"));
            add.arg(&self.key).arg(*score).arg(&message[..]);
            remove.arg(backup(&self.key)).arg(&message[..]);
            commands.extend([add, remove]);
        }
        self.run(commands, Duration::ZERO).await.map(drop)
    }

    async fn connect(&mut self) -> Result<MultiplexedConnection, String> {
        let mut connection = self.host.connect(self.connect_time).await?;
        let mut command = redis::cmd("CLIENT");
        command.arg("ID");
        let asked = timeout(self.response_time, connection.req_packed_command(&command)).await;
        self.id = match asked {
            Ok(Ok(Value::Int(id))) => id,
            _ => 0,
        };
        Ok(connection)
    }

    async fn run(&mut self, commands: Vec<Cmd>, block: Duration) -> Result<Vec<Value>, String> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut pipeline = Pipeline::with_capacity(commands.len());
        for command in commands {
            pipeline.add_command(command);
        }
        let running = connection.req_packed_commands(&pipeline, 0, pipeline.len());
        let answers = match timeout(block + self.response_time, running).await {
            Ok(Ok(answers)) => answers,
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err(format!("no answer within {:?}", block + self.response_time)),
        };
        let answers: Result<Vec<_>, _> = answers.into_iter().map(Value::extract_error).collect();
        self.connection = Some(connection);
        answers.map_err(|error| error.to_string())
    }
}

/// Members and scores in turn, as pairs.
fn pairs(found: Vec<Value>) -> Vec<Popped> {
    let mut found = found.into_iter();
    let mut popped = Vec::new();
    while let (Some(Value::BulkString(member)), Some(score)) = (found.next(), found.next()) {
        popped.push((Bytes::from(member), number(&score)));
    }
    popped
}

fn number(score: &Value) -> f64 {
    match score {
        Value::BulkString(text) => {
            std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(0.0)
        }
        Value::Double(number) => *number,
        _ => 0.0,
    }
}
