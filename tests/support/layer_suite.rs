//! What every channel layer promises: one suite, run over each of them.
//!
//! `layer_suite!(module, factory)` makes one test per promise; `factory` is an `async fn() -> Rig`.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses the parts that it needs")]

use std::any::Any;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::layers::{
    ChannelLayer, ChannelName, Delivery, DropCause, Event, EventSink, GroupName, LayerError, LayerHandle,
    Mailbox, MailboxOptions, Map, Pushed, Value,
};

use crate::waiting::{Pace, eventually};

/// A layer under test, and what must live as long as it.
pub struct Rig {
    pub layer: Arc<dyn ChannelLayer>,
    pub guard: Box<dyn Any + Send>,
}

impl Rig {
    pub fn of(layer: impl ChannelLayer) -> Self {
        Self { layer: Arc::new(layer), guard: Box::new(()) }
    }

    fn handle(&self) -> LayerHandle {
        LayerHandle::new(self.layer.clone())
    }

    async fn mailbox(&self) -> Mailbox {
        self.layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox")
    }
}

/// Waits for a future, at most ten seconds.
pub async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(10), future).await.expect("nothing came within ten seconds")
}

pub fn group(name: &str) -> GroupName {
    GroupName::new(name).expect("a group name")
}

pub fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).expect("a channel name")
}

pub fn event(message: &serde_json::Value) -> Event {
    Event::new(message).expect("an event")
}

/// The next event of a mailbox.
pub async fn next(mailbox: &mut Mailbox) -> Event {
    match within(mailbox.recv()).await {
        Delivery::Event(event) => event,
        other => panic!("expected an event, found {other:?}"),
    }
}

fn numbered(number: i64) -> Event {
    event(&json!({"type": "number", "n": number}))
}

fn number_of(event: &Event) -> i64 {
    match event.value().get("n") {
        Some(Value::I64(number)) => *number,
        other => panic!("expected a number, found {other:?}"),
    }
}

/// After this, all that was sent before has been delivered: events of one sender stay in order.
async fn settled(rig: &Rig, mailbox: &mut Mailbox) -> Vec<Event> {
    let marker = event(&json!({"type": "marker"}));
    rig.layer.send(mailbox.name(), marker.clone()).await.expect("the marker is sent");
    let mut before = Vec::new();
    loop {
        let found = next(mailbox).await;
        if found == marker {
            return before;
        }
        before.push(found);
    }
}

pub async fn a_message_to_test_channel_is_received_back(rig: Rig) {
    let test_channel = channel("test_channel");
    let mut listener = rig.layer.listen(&test_channel, MailboxOptions::default()).await.expect("a listener");
    rig.handle().send(&test_channel, &json!({"message": "Hello"})).await.expect("sent");
    let received = next(&mut listener).await.decode::<serde_json::Value>().expect("decodes");
    assert_eq!(received.get(), &json!({"message": "Hello"}));
}

pub async fn every_kind_of_value_arrives_as_it_was_sent(rig: Rig) {
    let deep = (0..30).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let mut map = Map::new();
    map.insert("type", "kinds");
    map.insert("null", Value::Null);
    map.insert("bools", vec![Value::Bool(true), Value::Bool(false)]);
    map.insert(
        "integers",
        [0, 1, -1, 127, 128, -32, -33, 65_536, i64::MAX, i64::MIN].map(Value::I64).to_vec(),
    );
    map.insert("unsigned", Value::U64(u64::MAX));
    map.insert("floats", [0.0, -0.5, 1e300, f64::MIN_POSITIVE].map(Value::F64).to_vec());
    map.insert("text", "ünïcödé 中文 🦀 \u{0} \"quoted\"");
    map.insert("bytes", Value::from(bytes::Bytes::from_static(&[0, 1, 254, 255])));
    map.insert("", "an empty key");
    map.insert("deep", deep);
    map.insert("map", Map::from_iter([("z".into(), Value::I64(1)), ("a".into(), Value::I64(2))]));
    let sent = Value::Map(map);
    let mut mailbox = rig.mailbox().await;
    let room = group("kinds");
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_send(&room, Event::from_value(sent.clone()).expect("a map")).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.value(), &sent);
    rig.layer.send(mailbox.name(), Event::from_value(sent.clone()).expect("a map")).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.value(), &sent);
}

pub async fn a_megabyte_arrives(rig: Rig) {
    let mut mailbox = rig.mailbox().await;
    let room = group("large");
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let large = event(&json!({"type": "large", "text": "ü".repeat(500_000)}));
    rig.layer.group_send(&room, large.clone()).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, large);
}

pub async fn a_group_send_reaches_every_member_and_nobody_else(rig: Rig) {
    let (lobby, other) = (group("lobby"), group("other"));
    let (mut first, mut second, mut stranger) =
        (rig.mailbox().await, rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&lobby, &first).await.expect("joined");
    rig.layer.group_add(&lobby, &second).await.expect("joined");
    rig.layer.group_add(&other, &stranger).await.expect("joined");
    rig.layer.group_send(&lobby, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut first).await), 1);
    assert_eq!(number_of(&next(&mut second).await), 1);
    assert_eq!(settled(&rig, &mut stranger).await, [], "a member of another group heard it");
}

pub async fn a_group_send_to_nobody_is_fine(rig: Rig) {
    rig.layer.group_send(&group("nobody"), numbered(1)).await.expect("sent");
}

pub async fn joining_twice_is_one_membership(rig: Rig) {
    let room = group("twice");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_add(&room, &mailbox).await.expect("joined again");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut mailbox).await), 1);
    assert_eq!(settled(&rig, &mut mailbox).await, [], "it came twice");
    assert_eq!(rig.layer.stats().memberships, 1);
}

pub async fn a_member_that_left_hears_nothing(rig: Rig) {
    let room = group("left");
    let (mut stays, mut leaves) = (rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&room, &stays).await.expect("joined");
    rig.layer.group_add(&room, &leaves).await.expect("joined");
    rig.layer.group_discard(&room, &leaves).await.expect("left");
    rig.layer.group_discard(&room, &leaves).await.expect("leaving twice is fine");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut stays).await), 1);
    assert_eq!(settled(&rig, &mut leaves).await, [], "it left before");
}

pub async fn memberships_die_with_their_mailbox(rig: Rig) {
    let room = group("dies");
    let mailbox = rig.mailbox().await;
    let name = mailbox.name().clone();
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_add(&group("dies_too"), &mailbox).await.expect("joined");
    assert_eq!((rig.layer.stats().mailboxes, rig.layer.stats().memberships), (1, 2));
    drop(mailbox);
    let stats = rig.layer.stats();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships), (0, 0, 0));
    rig.layer.group_send(&room, numbered(1)).await.expect("sent to nobody");
    rig.layer.send(&name, numbered(1)).await.expect("a channel that is gone is no error");
    eventually("the gone channel is counted", || rig.layer.stats().dropped(DropCause::ChannelGone) >= 1)
        .await;
}

pub async fn events_of_one_sender_stay_in_order(rig: Rig) {
    let room = group("order");
    let (mut first, mut second) = (rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&room, &first).await.expect("joined");
    rig.layer.group_add(&room, &second).await.expect("joined");
    for number in 0..90 {
        rig.layer.group_send(&room, numbered(number)).await.expect("sent");
    }
    for number in 0..90 {
        assert_eq!(number_of(&next(&mut first).await), number);
        assert_eq!(number_of(&next(&mut second).await), number);
    }
}

pub async fn a_slow_member_costs_only_its_own_mailbox(rig: Rig) {
    let room = group("slow");
    let options = MailboxOptions { events: 3, ..MailboxOptions::default() };
    let mut slow = rig.layer.new_channel("specific", options).await.expect("a mailbox");
    let mut quick = rig.mailbox().await;
    rig.layer.group_add(&room, &slow).await.expect("joined");
    rig.layer.group_add(&room, &quick).await.expect("joined");
    for number in 0..10 {
        rig.layer.group_send(&room, numbered(number)).await.expect("never waits, never fails");
        assert_eq!(number_of(&next(&mut quick).await), number);
    }
    for number in 0..3 {
        assert_eq!(number_of(&next(&mut slow).await), number);
    }
    assert_eq!(slow.try_recv(), None);
    assert_eq!(rig.layer.stats().dropped(DropCause::MailboxFull), 7);
}

#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<i64>>,
    flushes: AtomicUsize,
}

impl EventSink for Recorder {
    fn push(&self, event: &Event) -> Pushed {
        let mut events = self.events.lock().expect("not poisoned");
        events.push(number_of(event));
        Pushed::Queued { flush: events.len() == 1 }
    }

    fn flush(&self) {
        self.flushes.fetch_add(1, SeqCst);
    }
}

pub async fn forwarded_events_go_to_the_sink_and_are_flushed(rig: Rig) {
    let room = group("forwarded");
    let mut mailbox = rig.mailbox().await;
    let sink = Arc::new(Recorder::default());
    assert!(mailbox.set_sink(sink.clone()));
    rig.layer.group_forward(&room, &mailbox).await.expect("joined");
    for number in 0..5 {
        rig.layer.group_send(&room, numbered(number)).await.expect("sent");
    }
    eventually("the sink was flushed", || sink.flushes.load(SeqCst) == 1).await;
    eventually("all arrived", || sink.events.lock().expect("not poisoned").len() == 5).await;
    assert_eq!(*sink.events.lock().expect("not poisoned"), [0, 1, 2, 3, 4]);
    assert_eq!(settled(&rig, &mut mailbox).await, [], "a forwarded event came to the mailbox");
}

pub async fn a_plain_channel_can_be_a_member(rig: Rig) {
    let (room, worker) = (group("workers"), channel("thumbnails"));
    let mut listener = rig.layer.listen(&worker, MailboxOptions::default()).await.expect("a listener");
    rig.layer.group_add_channel(&room, &worker).await.expect("joined");
    rig.layer.group_send(&room, numbered(7)).await.expect("sent");
    assert_eq!(number_of(&next(&mut listener).await), 7);
    rig.layer.group_discard_channel(&room, &worker).await.expect("left");
    rig.layer.group_send(&room, numbered(8)).await.expect("sent");
    rig.layer.send(&worker, numbered(9)).await.expect("sent");
    assert_eq!(number_of(&next(&mut listener).await), 9, "it left before 8");
}

/// Polls a future so many times at most, and drops it then.
async fn polled<F: Future>(future: F, times: usize) -> Option<F::Output> {
    let (mut future, mut left) = (std::pin::pin!(future), times);
    std::future::poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub async fn a_receive_that_is_dropped_at_any_await_loses_nothing(rig: Rig) {
    const MESSAGES: i64 = 60;
    let work = channel("work");
    // From the first message that is heard on, the layer listens.
    let mut first = std::pin::pin!(rig.layer.receive(&work));
    while tokio::time::timeout(Duration::from_millis(20), first.as_mut()).await.is_err() {
        let _ = rig.layer.send(&work, numbered(-1)).await;
    }
    let sending = tokio::spawn({
        let (layer, work) = (rig.layer.clone(), work.clone());
        async move {
            let mut pace = Pace::every(Duration::from_millis(1));
            for number in 0..MESSAGES {
                while layer.send(&work, numbered(number)).await.is_err() {
                    tokio::task::yield_now().await;
                }
                pace.next().await;
            }
        }
    });
    let mut found = Vec::new();
    within(async {
        for times in (1..=6).cycle() {
            match polled(rig.layer.receive(&work), times).await {
                Some(event) => found.push(number_of(&event.expect("received"))),
                None => tokio::task::yield_now().await,
            }
            found.retain(|number| *number >= 0);
            if found.len() >= usize::try_from(MESSAGES).expect("small") {
                break;
            }
        }
    })
    .await;
    within(sending).await.expect("no panic");
    found.sort_unstable();
    assert_eq!(found, (0..MESSAGES).collect::<Vec<_>>(), "each message once");
}

pub async fn what_a_listener_did_not_take_in_time_is_not_lost_by_cancelling(rig: Rig) {
    let worker = channel("patient");
    let mut listener = rig.layer.listen(&worker, MailboxOptions::default()).await.expect("a listener");
    for number in 0..20 {
        let cancelled = tokio::time::timeout(Duration::from_micros(50 * number), listener.recv()).await;
        assert!(cancelled.is_err(), "nothing was sent yet");
        rig.layer.send(&worker, numbered(number as i64)).await.expect("sent");
        assert_eq!(number_of(&next(&mut listener).await), number as i64);
    }
}

pub async fn only_plain_channels_are_received_from_by_name(rig: Rig) {
    let mailbox = rig.mailbox().await;
    let refused = rig.layer.receive(mailbox.name()).await;
    assert!(matches!(refused, Err(LayerError::NotReceivable { .. })), "{refused:?}");
}

pub async fn another_layers_mailbox_is_refused(rig: Rig) {
    let other = solent::layers::MemoryChannelLayer::new();
    let foreign = other.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let refused = rig.layer.group_add(&group("foreign"), &foreign).await;
    assert!(matches!(refused, Err(LayerError::ForeignMailbox { .. })), "{refused:?}");
}

pub async fn flush_forgets_memberships_and_keeps_mailboxes(rig: Rig) {
    let room = group("flushed");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.flush().await.expect("flushed");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent to nobody");
    assert_eq!(settled(&rig, &mut mailbox).await, []);
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_send(&room, numbered(2)).await.expect("sent");
    assert_eq!(number_of(&next(&mut mailbox).await), 2);
}

pub async fn a_thread_without_a_runtime_sends_too(rig: Rig) {
    let room = group("threads");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let (blocking, to) = (rig.handle().blocking(), room.clone());
    let thread = std::thread::spawn(move || blocking.group_send(&to, &json!({"type": "number", "n": 5})));
    assert_eq!(number_of(&next(&mut mailbox).await), 5);
    thread.join().expect("no panic").expect("sent");
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String },
}

pub async fn a_typed_message_arrives_typed(rig: Rig) {
    let room = group("typed");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    let sent = Chat::Message { message: "hi".to_owned() };
    rig.handle().group_send(&room, &sent).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.decode::<Chat>().expect("decodes").get(), &sent);
    rig.handle().group_send(&room, &json!({"type": "chat_message", "message": "hi"})).await.expect("sent");
    assert_eq!(next(&mut mailbox).await.decode::<Chat>().expect("decodes").get(), &sent);
}

pub async fn churn_leaves_nothing_behind(rig: Rig) {
    for round in 0..20 {
        let mut mailboxes = Vec::new();
        for member in 0..10 {
            let mailbox = rig.mailbox().await;
            rig.layer.group_add(&group("churn"), &mailbox).await.expect("joined");
            rig.layer.group_add(&group(&format!("churn_{}", member % 3)), &mailbox).await.expect("joined");
            mailboxes.push(mailbox);
        }
        rig.layer.group_send(&group("churn"), numbered(round)).await.expect("sent");
        for mailbox in &mut mailboxes {
            assert_eq!(number_of(&next(mailbox).await), round);
        }
    }
    let stats = rig.layer.stats();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships, stats.channels), (0, 0, 0, 0));
}

/// Makes one test per promise over the layers that `factory` makes.
#[macro_export]
macro_rules! layer_suite {
    ($module:ident, $factory:path) => {
        $crate::layer_suite!(@tests $module, $factory;
            a_message_to_test_channel_is_received_back
            every_kind_of_value_arrives_as_it_was_sent
            a_megabyte_arrives
            a_group_send_reaches_every_member_and_nobody_else
            a_group_send_to_nobody_is_fine
            joining_twice_is_one_membership
            a_member_that_left_hears_nothing
            memberships_die_with_their_mailbox
            events_of_one_sender_stay_in_order
            a_slow_member_costs_only_its_own_mailbox
            forwarded_events_go_to_the_sink_and_are_flushed
            a_plain_channel_can_be_a_member
            a_receive_that_is_dropped_at_any_await_loses_nothing
            what_a_listener_did_not_take_in_time_is_not_lost_by_cancelling
            only_plain_channels_are_received_from_by_name
            another_layers_mailbox_is_refused
            flush_forgets_memberships_and_keeps_mailboxes
            a_thread_without_a_runtime_sends_too
            a_typed_message_arrives_typed
            churn_leaves_nothing_behind
        );
    };
    (@tests $module:ident, $factory:path; $($promise:ident)*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    $crate::layer_suite::$promise($factory().await).await;
                }
            )*
        }
    };
}
