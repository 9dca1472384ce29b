//! Sockets whose clients workers answer: a channel that can be one, and a layer that carries it to one worker.

use super::Checked;
use crate::gateway::build::shards_of;
use crate::gateway::problem::Problem;
use crate::gateway::settings::{Accept, Backend, SocketRoute};
use crate::layers::ChannelName;

/// More channels than workers would ever listen to are a slip of the pen.
const MOST_SHARDS: u32 = 1024;

impl Checked<'_> {
    pub(super) fn worker(&mut self, route: &SocketRoute) {
        let is_worker = *route.consumer == "worker";
        let set = [
            (route.shards.value != 1, "shards", &route.shards.span),
            (route.accept.value != Accept::Worker, "accept", &route.accept.span),
        ];
        for (_, key, span) in set.into_iter().filter(|(is_set, _, _)| *is_set && !is_worker) {
            let what = format!("{key} for the consumer {}", route.consumer.value);
            self.report(Problem::new(span.clone(), what).expecting("consumer = \"worker\" beside it"));
        }
        let Some(channel) = &route.channel else {
            if is_worker && !self.document.has(&route.span, "channel") {
                let problem = Problem::new(route.span.clone(), "the consumer worker without a channel");
                self.report(problem.expecting("channel = \"…\", which a worker listens to"));
            }
            return;
        };
        if !is_worker {
            let what = format!("a channel for the consumer {}", route.consumer.value);
            self.report(
                Problem::new(channel.span.clone(), what).expecting("consumer = \"worker\" beside it"),
            );
            return;
        }
        let shards = &route.shards;
        if !(1..=MOST_SHARDS).contains(&shards.value) {
            let problem = Problem::new(shards.span.clone(), format!("shards: found {}", shards.value));
            self.report(problem.expecting(format!("a number from 1 to {MOST_SHARDS}")));
        } else if channel.contains('!')
            || shards_of(channel, shards.value).any(|name| ChannelName::new(name).is_err())
        {
            let problem =
                Problem::new(channel.span.clone(), format!("no channel can be named {:?}", channel.value));
            self.report(
                problem.expecting("1 to 99 of the characters a-z A-Z 0-9 - _ ., shards' numbers included"),
            );
        }
        self.carrier(route);
    }

    /// Warns of layers that do not carry a message to one worker.
    fn carrier(&mut self, route: &SocketRoute) {
        let Some(layer) = self.settings.channel_layers.get(&route.channel_layer.value) else { return };
        let problem = Problem::new(
            route.consumer.span.clone(),
            match layer.backend.value {
                Backend::Redis => return,
                Backend::RedisPubSub => {
                    "on redis-pubsub every worker that listens hears every message, and answers it"
                }
                Backend::Memory => "on the memory layer no worker of another process hears what clients say",
            },
        );
        self.warn(
            problem.expecting("a channel layer with backend = \"redis\", or one worker for each channel"),
        );
    }
}
