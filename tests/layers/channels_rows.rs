//! Channels' own behaviours of layers, row by row (F1–F10 and G3): each holds, or differs on purpose and says how.

use std::time::Duration;

use serde_json::json;
use solent::layers::{
    Capacities, ChannelLayer, ChannelLayers, ChannelName, DropCause, Event, GroupName, LayerError,
    MailboxOptions, MemoryChannelLayer,
};
use tokio::time::advance;

use crate::layer_suite::{channel, event, group, next};

fn numbered(number: i64) -> Event {
    event(&json!({"n": number}))
}

#[test]
fn f1_layers_are_configured_by_alias() {
    let layers = ChannelLayers::of(MemoryChannelLayer::new())
        .with("chat", MemoryChannelLayer::builder().capacity(5).build());
    let aliases: Vec<_> = layers.iter().map(|(alias, _)| alias).collect();
    assert_eq!(aliases, ["chat", "default"]);
}

/// Differs: Rust has no import by name, so what can be wrong is the alias, and the error lists the right ones.
#[test]
fn f2_a_wrong_alias_is_an_error_that_names_the_configured_ones() {
    let layers = ChannelLayers::of(MemoryChannelLayer::new()).with("chat", MemoryChannelLayer::new());
    let error = layers.handle("caht").expect_err("not configured");
    assert_eq!(error.to_string(), "no channel layer \"caht\" is configured; configured: chat, default");
    let error = ChannelLayers::new().default_handle().expect_err("not configured");
    assert_eq!(error.to_string(), "no channel layer \"default\" is configured; configured: none");
}

#[test]
fn f3_getting_a_layer_that_is_not_configured_gives_none() {
    assert!(ChannelLayers::new().get("default").is_none());
    assert!(ChannelLayers::of(MemoryChannelLayer::new()).get("default").is_some());
}

#[test]
fn f4_a_layer_can_be_swapped_for_a_test() {
    let mut layers = ChannelLayers::of(MemoryChannelLayer::new());
    let before = layers.clone();
    let old =
        layers.insert("default", std::sync::Arc::new(MemoryChannelLayer::new())).expect("there was one");
    assert!(std::sync::Arc::ptr_eq(&old, before.get("default").expect("clones do not change")));
    assert!(!std::sync::Arc::ptr_eq(&old, layers.get("default").expect("the new one")));
}

/// Differs: a receiver holds its channel as a guard, so `new_channel` gives a mailbox rather than a name.
#[tokio::test]
async fn f5_the_operations_are_channels_operations() {
    let layer: std::sync::Arc<dyn ChannelLayer> = std::sync::Arc::new(MemoryChannelLayer::new());
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    layer.group_send(&group("room"), numbered(1)).await.expect("sent");
    layer.send(mailbox.name(), numbered(2)).await.expect("sent");
    assert_eq!((next(&mut mailbox).await, next(&mut mailbox).await), (numbered(1), numbered(2)));
    layer.group_discard(&group("room"), &mailbox).await.expect("left");
    layer.flush().await.expect("flushed");
}

#[tokio::test]
async fn f6_names_follow_the_rule_and_the_longest_has_ninety_nine_characters() {
    assert!(ChannelName::new("a".repeat(99)).is_ok() && ChannelName::new("a".repeat(100)).is_err());
    assert!(GroupName::new("chat 1").is_err() && GroupName::new("a!b").is_err());
    let layer = MemoryChannelLayer::new();
    let mailbox = layer.new_channel("specific.", MailboxOptions::default()).await.expect("a mailbox");
    assert!(mailbox.name().as_str().starts_with("specific..inmemory!"), "{}", mailbox.name());
    assert_eq!(mailbox.name().non_local(), "specific..inmemory!");
    assert_eq!(ChannelName::new(mailbox.name()).as_ref(), Ok(mailbox.name()));
}

#[tokio::test(start_paused = true)]
async fn f7_messages_expire_after_sixty_seconds() {
    let layer = MemoryChannelLayer::new();
    layer.send(&channel("slow"), numbered(1)).await.expect("sent");
    advance(Duration::from_secs(59)).await;
    layer.send(&channel("slow"), numbered(2)).await.expect("sent");
    advance(Duration::from_secs(2)).await;
    assert_eq!(layer.receive(&channel("slow")).await.expect("received"), numbered(2));
    assert_eq!(layer.stats().dropped(DropCause::Expired), 1);
}

#[tokio::test(start_paused = true)]
async fn f7_memberships_by_name_expire_after_a_day() {
    let layer = MemoryChannelLayer::new();
    layer.group_add_channel(&group("room"), &channel("worker")).await.expect("joined");
    advance(Duration::from_secs(86_399)).await;
    assert_eq!(layer.group_send(&group("room"), numbered(1)).await.expect("sent").reached, 1);
    layer.receive(&channel("worker")).await.expect("received");
    advance(Duration::from_secs(2)).await;
    assert_eq!(layer.group_send(&group("room"), numbered(2)).await.expect("sent").reached, 0);
}

/// Differs: a value is immutable and shared, which nobody can tell from a deep copy.
#[tokio::test]
async fn f8_what_was_sent_does_not_change_any_more() {
    let layer = MemoryChannelLayer::new();
    let sent = numbered(1);
    layer.send(&channel("copies"), sent.clone()).await.expect("sent");
    let received = layer.receive(&channel("copies")).await.expect("received");
    assert!(std::ptr::eq(received.value(), sent.value()));
}

#[tokio::test]
async fn f9_send_raises_channel_full_and_group_send_skips() {
    let layer = MemoryChannelLayer::builder().capacity(3).build();
    let (room, full) = (group("room"), channel("full"));
    layer.group_add_channel(&room, &full).await.expect("joined");
    layer.group_add_channel(&room, &channel("empty")).await.expect("joined");
    for number in 0..3 {
        layer.send(&full, numbered(number)).await.expect("sent");
    }
    let refused = layer.send(&full, numbered(3)).await;
    assert_eq!(refused, Err(LayerError::ChannelFull { channel: full.clone() }));
    let delivered = layer.group_send(&room, numbered(4)).await.expect("never ChannelFull");
    assert_eq!((delivered.reached, delivered.dropped), (1, 1));
    assert_eq!(layer.receive(&channel("empty")).await.expect("received"), numbered(4));
    assert_eq!(layer.stats().dropped(DropCause::ChannelFull), 1);
}

#[tokio::test(start_paused = true)]
async fn f9_an_expired_message_takes_its_channel_out_of_all_groups() {
    let layer = MemoryChannelLayer::new();
    let (room, other, dead) = (group("room"), group("other"), channel("dead"));
    layer.group_add_channel(&room, &dead).await.expect("joined");
    layer.group_add_channel(&other, &dead).await.expect("joined");
    layer.group_send(&room, numbered(1)).await.expect("sent");
    advance(Duration::from_secs(61)).await;
    assert_eq!(layer.group_send(&other, numbered(2)).await.expect("sent").reached, 0);
    assert_eq!(layer.group_send(&room, numbered(3)).await.expect("sent").reached, 0);
    assert_eq!(layer.stats().channels, 0);
}

#[tokio::test]
async fn f9_empty_groups_vanish() {
    let layer = MemoryChannelLayer::new();
    let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    assert_eq!(layer.stats().groups, 1);
    layer.group_discard(&group("room"), &mailbox).await.expect("left");
    assert_eq!(layer.stats().groups, 0);
}

/// Differs: in Channels a capacity by pattern makes the in-memory layer fail; here it works.
#[tokio::test]
async fn f10_capacities_by_pattern_work() {
    let capacities = Capacities::new(100).glob("thumbnails-*", 1).expect("a glob");
    let layer = MemoryChannelLayer::builder().capacities(capacities).build();
    layer.send(&channel("thumbnails-a"), numbered(1)).await.expect("sent");
    assert!(layer.send(&channel("thumbnails-a"), numbered(2)).await.is_err());
}

#[tokio::test]
async fn f10_two_receivers_of_one_channel_compete() {
    let layer = MemoryChannelLayer::new();
    layer.send(&channel("work"), numbered(1)).await.expect("sent");
    layer.send(&channel("work"), numbered(2)).await.expect("sent");
    assert_eq!(layer.receive(&channel("work")).await.expect("received"), numbered(1));
    assert_eq!(layer.receive(&channel("work")).await.expect("received"), numbered(2));
}

#[tokio::test]
async fn g3_channel_full_names_the_channel() {
    let layer = MemoryChannelLayer::builder().capacity(0).build();
    let error = layer.send(&channel("thumbnails"), numbered(1)).await.expect_err("full");
    assert_eq!(error.to_string(), "channel thumbnails is full");
}
