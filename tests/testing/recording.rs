//! `RecordingChannelLayer`: what it remembers, and each of its faults as a client sees it.

use std::time::Duration;

use serde_json::Value;
use solent::layers::{ChannelLayer, ChannelName, Event, GroupName, LayerError};
use solent::testing::{Call, Fault, RecordingChannelLayer, WebsocketCommunicator};

use crate::consumers::{Seen, member};

async fn member_of(layer: &RecordingChannelLayer) -> WebsocketCommunicator {
    let mut client = WebsocketCommunicator::new(member(&Seen::default()), "/").channel_layer(layer.clone());
    client.connect().await.unwrap();
    client
}

async fn said(client: &mut WebsocketCommunicator) -> String {
    client.receive_json::<Value>().await["text"].as_str().unwrap_or("not a message").to_owned()
}

fn room() -> GroupName {
    GroupName::new("room").unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_remembers_what_was_asked_of_it() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    client.send_text("hello").await;
    assert_eq!(said(&mut client).await, "hello");
    let calls = layer.calls();
    let [
        Call::NewChannel { channel },
        Call::GroupAdd { group, channel: member, forwarded: false },
        Call::GroupSend { event, .. },
    ] = &calls[..]
    else {
        panic!("{calls:?}")
    };
    assert_eq!((channel, group), (member, &room()));
    assert_eq!(event.message_type(), Some("said"));
    assert_eq!(layer.sent_to(&room()).len(), 1);
    layer.clear_calls();
    assert!(layer.calls().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_dropped_message_never_arrives() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    layer.inject(Fault::Drop);
    client.send_text("one").await;
    client.send_text("two").await;
    assert_eq!(said(&mut client).await, "two");
    assert_eq!(layer.sent_to(&room()).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_message_arrives_behind_the_next() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    layer.inject(Fault::Delay(Duration::from_secs(3)));
    client.send_text("one").await;
    client.send_text("two").await;
    assert_eq!(said(&mut client).await, "two");
    client.receive_nothing_for(Duration::from_millis(2900)).await;
    assert_eq!(said(&mut client).await, "one");
}

#[tokio::test(start_paused = true)]
async fn a_duplicated_message_arrives_twice() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    layer.inject(Fault::Duplicate);
    client.send_text("one").await;
    assert_eq!(said(&mut client).await, "one");
    assert_eq!(said(&mut client).await, "one");
    client.receive_nothing().await;
}

#[tokio::test(start_paused = true)]
async fn an_unavailable_layer_is_told_to_the_client_and_the_socket_lives_on() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    layer.inject(Fault::Unavailable);
    client.send_text("one").await;
    assert_eq!(client.receive_json::<Value>().await["code"], "layer_unavailable");
    client.send_text("two").await;
    assert_eq!(said(&mut client).await, "two");
}

#[tokio::test(start_paused = true)]
async fn an_outage_refuses_handshakes_and_its_end_is_a_gap_for_every_member() {
    let layer = RecordingChannelLayer::new();
    let mut old = member_of(&layer).await;
    layer.fail();
    assert!(!layer.is_ready());
    let mut new = WebsocketCommunicator::new(member(&Seen::default()), "/").channel_layer(layer.clone());
    assert_eq!(new.connect().await.unwrap_err().status.as_u16(), 503);
    layer.restore();
    assert_eq!(old.receive_json::<Value>().await["type"], "layer.gap");
    old.send_text("back").await;
    assert_eq!(said(&mut old).await, "back");
}

#[tokio::test(start_paused = true)]
async fn a_gap_can_be_made_at_will() {
    let layer = RecordingChannelLayer::new();
    let mut client = member_of(&layer).await;
    layer.gap(&[GroupName::new("another").unwrap()]);
    client.receive_nothing().await;
    layer.gap(&[room()]);
    assert_eq!(client.receive_json::<Value>().await["type"], "layer.gap");
}

#[tokio::test(start_paused = true)]
async fn faults_hit_plain_channels_too() {
    let layer = RecordingChannelLayer::new();
    let channel = ChannelName::new("work").unwrap();
    let event = |n: i64| Event::new(&serde_json::json!({ "type": "job", "n": n })).unwrap();
    for fault in [Fault::Drop, Fault::Delay(Duration::from_secs(1)), Fault::Duplicate, Fault::Unavailable] {
        layer.inject(fault);
    }
    for n in 1..=3 {
        layer.send(&channel, event(n)).await.unwrap();
    }
    let failed = layer.send(&channel, event(4)).await.unwrap_err();
    assert!(matches!(failed, LayerError::Unavailable { .. }), "{failed}");
    for n in [3, 3, 2] {
        assert_eq!(layer.receive(&channel).await.unwrap(), event(n));
    }
    assert_eq!(layer.calls().iter().filter(|call| matches!(call, Call::Send { .. })).count(), 4);
}
