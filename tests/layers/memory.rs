//! The in-memory layer beyond the common suite: waiting messages, competing receivers, time.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use solent::layers::{
    Capacities, ChannelLayer, Delivery, DropCause, LayerError, MailboxOptions, MemoryChannelLayer,
};
use tokio::time::advance;

use crate::layer_suite::{channel, event, group, next, within};

fn numbered(number: i64) -> solent::layers::Event {
    event(&json!({"n": number}))
}

#[tokio::test]
async fn a_message_without_a_type_waits_for_its_receiver() {
    let layer = MemoryChannelLayer::new();
    layer.send(&channel("test_channel"), event(&json!({"message": "Hello"}))).await.expect("sent");
    let received = within(layer.receive(&channel("test_channel"))).await.expect("received");
    assert_eq!(received, event(&json!({"message": "Hello"})));
    assert_eq!(layer.stats().channels, 0, "an idle channel is not kept");
}

#[tokio::test]
async fn two_receivers_of_one_channel_compete_and_none_sleeps_through() {
    let layer = Arc::new(MemoryChannelLayer::new());
    let receivers: Vec<_> = (0..2)
        .map(|_| {
            let layer = layer.clone();
            tokio::spawn(async move { layer.receive(&channel("work")).await.expect("received") })
        })
        .collect();
    tokio::task::yield_now().await;
    layer.send(&channel("work"), numbered(1)).await.expect("sent");
    layer.send(&channel("work"), numbered(2)).await.expect("sent");
    let mut found = Vec::new();
    for receiver in receivers {
        found.push(within(receiver).await.expect("no panic"));
    }
    assert!(found.contains(&numbered(1)) && found.contains(&numbered(2)), "{found:?}");
}

#[tokio::test]
async fn a_receive_that_is_cancelled_after_its_wake_up_passes_it_on() {
    let layer = MemoryChannelLayer::new();
    let work = channel("work");
    let mut cancelled = Box::pin(layer.receive(&work));
    let mut patient = Box::pin(layer.receive(&work));
    assert!(futures_util::poll!(&mut cancelled).is_pending());
    assert!(futures_util::poll!(&mut patient).is_pending());
    layer.send(&work, numbered(1)).await.expect("sent");
    drop(cancelled);
    assert_eq!(within(patient).await.expect("received"), numbered(1));
    assert_eq!(layer.stats().channels, 0);
}

#[tokio::test]
async fn listeners_of_one_channel_take_turns() {
    let layer = MemoryChannelLayer::new();
    let work = channel("work");
    let mut first = layer.listen(&work, MailboxOptions::default()).await.expect("a listener");
    let mut second = layer.listen(&work, MailboxOptions::default()).await.expect("a listener");
    for number in 0..10 {
        layer.send(&work, numbered(number)).await.expect("sent");
    }
    assert_eq!((first.len(), second.len()), (5, 5));
    assert!(first.try_recv().is_some() && second.try_recv().is_some());
}

#[tokio::test]
async fn a_listener_takes_what_waited_before_it_came_however_small_its_mailbox() {
    let layer = MemoryChannelLayer::new();
    let work = channel("work");
    for number in 0..10 {
        layer.send(&work, numbered(number)).await.expect("sent");
    }
    let small = MailboxOptions { events: 2, ..MailboxOptions::default() };
    let mut listener = layer.listen(&work, small).await.expect("a listener");
    for number in 0..10 {
        assert_eq!(next(&mut listener).await, numbered(number));
    }
    assert!(listener.is_empty());
}

#[tokio::test]
async fn what_a_listener_did_not_take_goes_to_the_next_one_in_order() {
    let layer = MemoryChannelLayer::new();
    let work = channel("work");
    let mut leaves = layer.listen(&work, MailboxOptions::default()).await.expect("a listener");
    for number in 0..3 {
        layer.send(&work, numbered(number)).await.expect("sent");
    }
    assert_eq!(next(&mut leaves).await, numbered(0));
    drop(leaves);
    let mut comes = layer.listen(&work, MailboxOptions::default()).await.expect("a listener");
    assert_eq!(next(&mut comes).await, numbered(1));
    assert_eq!(next(&mut comes).await, numbered(2));
    drop(comes);
    assert_eq!(layer.stats().channels, 0);
}

#[tokio::test]
async fn a_mailbox_is_bounded_by_the_channels_capacity_too() {
    let capacities = Capacities::new(100).glob("specific.inmemory!*", 2).expect("a glob");
    let layer = MemoryChannelLayer::builder().capacities(capacities).build();
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    for number in 0..2 {
        layer.send(mailbox.name(), numbered(number)).await.expect("sent");
    }
    let full = layer.send(mailbox.name(), numbered(2)).await;
    assert!(matches!(full, Err(LayerError::ChannelFull { .. })), "{full:?}");
    assert!(matches!(mailbox.try_recv(), Some(Delivery::Event(_))));
}

#[tokio::test(start_paused = true)]
async fn channels_that_nobody_reads_are_swept() {
    let layer = MemoryChannelLayer::new();
    for number in 0..50 {
        layer.send(&channel(&format!("unread-{number}")), numbered(number)).await.expect("sent");
    }
    assert_eq!(layer.stats().channels, 50);
    advance(Duration::from_secs(100)).await;
    layer.send(&channel("other"), numbered(1)).await.expect("sent");
    assert_eq!(layer.stats().channels, 1);
    assert_eq!(layer.stats().dropped(DropCause::Expired), 50);
}

#[tokio::test(start_paused = true)]
async fn a_live_mailbox_hears_its_group_for_longer_than_the_group_expiry() {
    let layer = MemoryChannelLayer::new();
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    advance(Duration::from_secs(200_000)).await;
    layer.group_send(&group("room"), numbered(1)).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, numbered(1));
}

#[tokio::test]
async fn a_prefix_that_cannot_begin_a_name_is_refused() {
    let refused = MemoryChannelLayer::new().new_channel("no blanks", MailboxOptions::default()).await;
    assert!(matches!(refused, Err(LayerError::Name(_))), "{refused:?}");
}
