//! [`Connection`]: what a [`Pipe`](super::Pipe) sends its batches over, to one server or to a cluster.

use std::collections::HashMap;

use futures_util::future::join_all;
use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::cluster_async::ClusterConnection;
use redis::cluster_routing::{Route, SingleNodeRoutingInfo, SlotAddr};
use redis::{Arg, Cmd, Pipeline, RedisResult, Value};

use super::Answer;

/// A connection for commands. Clones share it.
#[derive(Clone)]
pub(in crate::layers::redis) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connection {
    /// Whether what is sent while something is under way is run after it. A cluster's client may try commands again.
    pub(super) fn keeps_order(&self) -> bool {
        matches!(self, Self::Single(_))
    }

    /// Runs commands in one round trip: of a cluster, one for each slot that they are for, all at once.
    ///
    /// # Errors
    /// When nothing could be run. A single command's error stands in its place.
    pub(super) async fn run(&mut self, pipeline: &Pipeline) -> RedisResult<Vec<Answer>> {
        match self {
            Self::Single(connection) => {
                let answers = connection.req_packed_commands(pipeline, 0, pipeline.len()).await?;
                Ok(answers.into_iter().map(Value::extract_error).collect())
            }
            Self::Cluster(connection) => spread(connection, pipeline).await,
        }
    }
}

/// Runs each slot's commands on the node that has it. Commands of one slot keep their order.
async fn spread(connection: &ClusterConnection, pipeline: &Pipeline) -> RedisResult<Vec<Answer>> {
    let mut by_slot: HashMap<Option<Route>, Vec<(usize, Cmd)>> = HashMap::new();
    for (index, command) in pipeline.cmd_iter().enumerate() {
        by_slot.entry(route(command)).or_default().push((index, command.clone()));
    }
    let running = by_slot.into_iter().map(|(route, commands)| {
        let mut connection = connection.clone();
        async move {
            let (mut indices, mut pipeline) = (Vec::new(), Pipeline::new());
            for (index, command) in commands {
                indices.push(index);
                pipeline.add_command(command);
            }
            let count = pipeline.len();
            let to = SingleNodeRoutingInfo::from(route);
            (indices, connection.route_pipeline(pipeline, 0, count, to).await)
        }
    });
    let outcomes = join_all(running).await;
    if let Some(error) = outcomes.iter().find_map(|(_, outcome)| outcome.as_ref().err())
        && outcomes.iter().all(|(_, outcome)| outcome.is_err())
    {
        return Err(error.clone());
    }
    let mut answers: Vec<Answer> = (0..pipeline.len()).map(|_| Ok(Value::Nil)).collect();
    for (indices, outcome) in outcomes {
        match outcome {
            Ok(found) => {
                for (index, value) in indices.into_iter().zip(found) {
                    answers[index] = value.extract_error();
                }
            }
            // One node is away: the others' answers count.
            Err(error) => indices.into_iter().for_each(|index| answers[index] = Err(error.clone())),
        }
    }
    Ok(answers)
}

/// The node that a message's channel belongs to. It would do to publish anywhere, but in another order than elsewhere.
fn route(command: &Cmd) -> Option<Route> {
    match command.args_iter().nth(1) {
        Some(Arg::Simple(channel)) => Some(Route::with_key(channel, SlotAddr::Master)),
        _ => None,
    }
}
