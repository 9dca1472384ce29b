//! The word of a gap comes before whatever was sent after the outage, on the way past the consumer too.

use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use solent::layers::{Delivery, Event, EventSink, MailboxOptions, Pushed};

use crate::layer_suite::{group, within};
use crate::redis_server::RedisServer;
use crate::waiting::{Pace, eventually};
use crate::weather::{layer, numbered, settings};

/// The numbers that a client sees.
#[derive(Default)]
struct Client(Mutex<Vec<i64>>);

impl Client {
    fn has_seen(&self, number: i64) -> bool {
        self.0.lock().expect("not poisoned").contains(&number)
    }
}

impl EventSink for Client {
    fn push(&self, event: &Event) -> Pushed {
        let number = event.value().get("n").and_then(|number| number.decode().ok()).expect("a number");
        self.0.lock().expect("not poisoned").push(number);
        Pushed::Queued { flush: false }
    }

    fn flush(&self) {}
}

/// Someone else sends all the time; Redis goes away and comes back with nothing of what it had.
async fn no_forwarded_event_overtakes_the_gap(kind: &str) {
    let mut server = RedisServer::start();
    let start = async || {
        let layer = layer(kind, settings(&server.url()));
        layer.start().await.expect("connected");
        layer
    };
    let (here, there) = (start().await, start().await);
    let room = group("room");
    // So many that restoring takes a while, in which others send already.
    let mut crowd = Vec::new();
    for number in 0..500 {
        let mailbox = here.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        here.group_add(&group(&format!("group_{number}")), &mailbox).await.expect("joined");
        crowd.push(mailbox);
    }
    let mut member = here.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let client = Arc::new(Client::default());
    assert!(member.set_sink(client.clone()));
    here.group_forward(&room, &member).await.expect("joined");
    let outages = Arc::new(AtomicI64::new(0));
    let load = tokio::spawn({
        let (room, outages) = (room.clone(), outages.clone());
        async move {
            let mut pace = Pace::every(Duration::from_millis(1));
            loop {
                let _ = there.group_send(&room, numbered(outages.load(SeqCst))).await;
                pace.next().await;
            }
        }
    });
    for outage in 1..4 {
        eventually("events come", || client.has_seen(outage - 1)).await;
        server.kill();
        eventually("the loss is noticed", || !here.is_ready()).await;
        outages.store(outage, SeqCst);
        server.restart();
        let told = within(member.recv()).await;
        assert!(matches!(&told, Delivery::Gap(gap) if gap.groups == [room.clone()]), "{told:?}");
        assert!(!client.has_seen(outage), "an event overtook the word of the gap");
        assert_eq!(member.try_recv(), None);
    }
    eventually("events come", || client.has_seen(3)).await;
    load.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_forwarded_event_overtakes_the_gap_over_pubsub() {
    no_forwarded_event_overtakes_the_gap("pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_forwarded_event_overtakes_the_gap_over_core() {
    no_forwarded_event_overtakes_the_gap("core").await;
}
