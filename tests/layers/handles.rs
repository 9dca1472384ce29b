//! Handles: the layer from outside of consumers, from any thread.

use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::layers::{ChannelLayer, EventError, LayerError, LayerHandle, MailboxOptions, MemoryChannelLayer};

use crate::layer_suite::{channel, group, next};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Hello {
    message: String,
}

#[tokio::test]
async fn a_handle_sends_and_receives_typed_messages() {
    let layer = LayerHandle::of(MemoryChannelLayer::new());
    let sent = Hello { message: "Hello".to_owned() };
    layer.send(&channel("test_channel"), &sent).await.expect("sent");
    assert_eq!(layer.receive::<Hello>(&channel("test_channel")).await.expect("received").get(), &sent);
}

#[tokio::test]
async fn a_message_that_is_no_map_is_refused_before_it_is_sent() {
    let layer = LayerHandle::of(MemoryChannelLayer::new());
    let refused = layer.send(&channel("test_channel"), &[1, 2]).await;
    assert_eq!(refused, Err(LayerError::Event(EventError::NotAMap { found: "an array" })));
    assert_eq!(layer.layer().stats().channels, 0);
}

#[test]
fn a_blocking_handle_needs_no_runtime() {
    let memory = MemoryChannelLayer::new();
    let layer = LayerHandle::of(memory.clone()).blocking();
    let receiver = {
        let layer = layer.clone();
        std::thread::spawn(move || layer.receive::<Hello>(&channel("test_channel")).expect("received"))
    };
    layer.send(&channel("test_channel"), &json!({"message": "Hello"})).expect("sent");
    assert_eq!(receiver.join().expect("no panic").message, "Hello");
}

#[tokio::test]
async fn a_consumers_group_is_reached_from_a_plain_thread() {
    let memory = MemoryChannelLayer::new();
    let mut mailbox = memory.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    memory.group_add(&group("room"), &mailbox).await.expect("joined");
    let layer = LayerHandle::of(memory).blocking();
    let thread = std::thread::spawn(move || layer.group_send(&group("room"), &json!({"message": "Hello"})));
    assert_eq!(next(&mut mailbox).await.decode::<Hello>().expect("decodes").message, "Hello");
    assert_eq!(thread.join().expect("no panic").expect("sent").reached, 1);
}
