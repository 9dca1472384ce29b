//! Group sends as fast as one process of one thread can, many under way at once: what it takes, and what Redis takes.
//!
//! Whichever of the two is at 100 % of its core is what limits the figure.

use std::sync::Arc;
use std::time::Instant;

use futures_util::stream::{self, StreamExt};
use serde_json::json;
use solent::layers::redis::{RedisChannelLayer, RedisPubSubChannelLayer};
use solent::layers::{ChannelLayer, Event, GroupName, Mailbox, MailboxOptions};

use crate::measure::{cpu_of, median};
use crate::redis::{Counters, Redis};

/// Sends under way at once, by one task.
const IN_FLIGHT: usize = 1000;
const ROUNDS: usize = 5;

/// What one round came to, per second or per send.
struct Round {
    rate: f64,
    own: f64,
    redis: Counters,
    seconds: f64,
}

/// Prints the table: without any member, and with one in another process's place, the publisher's own.
pub fn run() {
    println!(
        "publish: {IN_FLIGHT} group sends of 100 bytes under way at once, one thread, medians of {ROUNDS}"
    );
    println!(
        "{:>14} {:>8} {:>9} {:>15} {:>10} {:>13} {:>11}",
        "layer", "members", "sends/s", "process CPU µs", "its core", "Redis CPU µs", "Redis' core"
    );
    for (kind, members, sends) in [
        ("redis-pubsub", 0, 200_000),
        ("redis-pubsub", 1, 200_000),
        ("redis", 0, 50_000),
        ("redis", 1, 20_000),
    ] {
        publish(kind, members, sends);
    }
}

fn publish(kind: &str, members: usize, sends: usize) {
    let redis = Redis::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let rounds: Vec<Round> = runtime.block_on(async {
        let layer: Arc<dyn ChannelLayer> = match kind {
            "redis" => Arc::new(RedisChannelLayer::new(redis.settings()).expect("settings")),
            _ => Arc::new(RedisPubSubChannelLayer::new(redis.settings()).expect("settings")),
        };
        layer.start().await.expect("connected");
        let group = GroupName::new("room").expect("a name");
        for _ in 0..members {
            let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
            layer.group_add(&group, &mailbox).await.expect("joined");
            tokio::spawn(listen(mailbox));
        }
        round(&layer, &group, sends / 10, &redis).await;
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            rounds.push(round(&layer, &group, sends, &redis).await);
        }
        rounds
    });
    let median_of = |figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let each = 1e6 / sends as f64;
    println!(
        "{kind:>14} {members:>8} {:>9.0} {:>15.1} {:>9.0}% {:>13.1} {:>10.0}%",
        median_of(|round| round.rate),
        median_of(|round| round.own) * each,
        median_of(|round| round.own / round.seconds) * 100.0,
        median_of(|round| round.redis.cpu) * each,
        median_of(|round| round.redis.cpu / round.seconds) * 100.0,
    );
}

async fn round(layer: &Arc<dyn ChannelLayer>, group: &GroupName, sends: usize, redis: &Redis) -> Round {
    let before = redis.counters();
    let (start, cpu) = (Instant::now(), cpu_of(std::process::id()));
    let text = "x".repeat(60);
    let sent = stream::iter(0..sends).map(|number| {
        let message = json!({"type": "chat.message", "sender": number, "message": text});
        layer.group_send(group, Event::new(&message).expect("an event"))
    });
    sent.buffer_unordered(IN_FLIGHT).for_each(async |sent| assert!(sent.is_ok(), "{sent:?}")).await;
    let seconds = start.elapsed().as_secs_f64();
    let own = cpu_of(std::process::id()) - cpu;
    Round { rate: sends as f64 / seconds, own, redis: redis.counters().since(before), seconds }
}

/// Takes what comes.
async fn listen(mut mailbox: Mailbox) {
    loop {
        mailbox.recv().await;
    }
}
