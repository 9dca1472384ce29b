//! Deliveries to a room's members when the messages come over Redis, beside the same from memory: what a second of the
//! receiving process's CPU buys.

use serde_json::json;
use solent::layers::redis::RedisPubSubChannelLayer;
use solent::layers::{ChannelLayer, Event, GroupName};
use tokio::runtime::Runtime;

use super::ROUNDS;
use crate::client::Room;
use crate::measure::{Server, alternate};
use crate::redis::Redis;
use crate::report::Report;

const MEMBERS: usize = 1000;

/// A room of 1,000, forwarded and handled.
pub fn run() {
    let mut report = Report::new("redis", "deliveries per second of the receiving server's CPU");
    for what in ["forwarded", "handled"] {
        for in_flight in [1, 4] {
            let case = format!("{what}, {in_flight} in flight");
            let redis = Redis::start_on(1);
            let (memory, over) = (["solent", "signed", what], ["solent", "signed", what, &redis.url]);
            let (mut memory, mut over) = (Bench::new(&memory), Bench::new(&over));
            let elsewhere = Elsewhere::new(&redis);
            let figures = alternate(
                ROUNDS,
                &mut [
                    &mut || memory.round(|room, messages| room.run(messages, in_flight, &mut Vec::new())),
                    &mut || {
                        over.round(|room, messages| {
                            room.run_by(messages, in_flight, |messages| elsewhere.send(messages));
                        })
                    },
                ],
            );
            report.add(&case, "solent, in memory", figures[0].0, Some(1.0));
            report.add(&case, "solent, over Redis", figures[1].0, Some(figures[1].1));
        }
    }
    report.finish();
}

struct Bench {
    server: Server,
    room: Room,
}

impl Bench {
    fn new(kind: &[&str]) -> Self {
        let server = Server::start(kind);
        let mut room = Room::join(&server, kind, 1, MEMBERS);
        room.run(40, 4, &mut Vec::new());
        Self { server, room }
    }

    fn round(&mut self, run: impl FnOnce(&mut Room, usize)) -> f64 {
        // About a third of a second of server CPU.
        const MESSAGES: usize = 60;
        self.room.breathe();
        let before = self.server.cpu();
        run(&mut self.room, MESSAGES);
        (MESSAGES * MEMBERS) as f64 / (self.server.cpu() - before)
    }
}

/// Another process of the site: it has no members, and sends what the first one's consumers would.
struct Elsewhere {
    runtime: Runtime,
    layer: RedisPubSubChannelLayer,
    group: GroupName,
}

impl Elsewhere {
    fn new(redis: &Redis) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let layer = RedisPubSubChannelLayer::new(redis.settings()).expect("settings");
        runtime.block_on(layer.start()).expect("connected");
        Self { runtime, layer, group: GroupName::new("chat_1").expect("a name") }
    }

    fn send(&self, messages: usize) {
        let text = "x".repeat(86);
        let message = json!({
            "type": "chat.message", "message": text, "user": "alice", "time": crate::servers::now(),
        });
        let event = Event::new(&message).expect("an event");
        let sends = (0..messages).map(|_| self.layer.group_send(&self.group, event.clone()));
        let sent = self.runtime.block_on(futures_util::future::join_all(sends));
        assert!(sent.iter().all(Result::is_ok), "{sent:?}");
    }
}
