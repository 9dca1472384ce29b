//! What every channel layer promises: one suite, run over each of them.
//!
//! `layer_suite!(module, factory)` makes one test per promise; `factory` is an `async fn() -> Rig`.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses the parts that it needs")]

mod groups;
mod messages;

pub use groups::*;
pub use messages::*;

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
            it_is_known_whether_anybody_is_in_a_group
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
