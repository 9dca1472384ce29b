//! `WebsocketCommunicator`: rows I3 to I7 of Channels' checklist, and what it does beyond them.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use serde_json::{Value, json};
use solent::Limits;
use solent::auth::{Account, User};
use solent::layers::MemoryChannelLayer;
use solent::routing::{ProtocolTypeRouter, UrlRouter, path};
use solent::testing::{Fault, Received, RecordingChannelLayer, WebsocketCommunicator};
use solent::websocket::{CloseCode, Message};

use crate::consumers::{Seen, echo, member};

async fn open() -> WebsocketCommunicator {
    let mut client = WebsocketCommunicator::new(echo(), "/");
    client.connect().await.unwrap();
    client
}

/// The text of the panic that `test` ends with.
async fn failure(test: impl Future<Output = ()>) -> String {
    let panic = AssertUnwindSafe(test).catch_unwind().await.expect_err("the expectation is not met");
    panic.downcast_ref::<String>().expect("a text").clone()
}

#[tokio::test(start_paused = true)]
async fn i3_the_scope_can_be_edited_before_connect() {
    let user = User::new(Account::new("1", "alice"));
    let mut client = WebsocketCommunicator::new(echo(), "/")
        .scope(|scope| scope.query_string = "subprotocol=b".to_owned())
        .user(user)
        .subprotocols(["a", "b"]);
    assert_eq!(client.connect().await.unwrap().subprotocol.as_deref(), Some("b"));
    client.send_text("who").await;
    assert_eq!(client.receive_text().await, "alice");
}

#[tokio::test(start_paused = true)]
async fn i3_the_path_may_have_a_query_and_escapes() {
    let app = ProtocolTypeRouter::new().websocket(UrlRouter::new([path("räume/<int:id>/", echo())]).unwrap());
    let mut client = WebsocketCommunicator::new(app, "/r%C3%A4ume/7/?subprotocol=x").subprotocols(["x"]);
    assert_eq!(client.connect().await.unwrap().subprotocol.as_deref(), Some("x"));
}

#[tokio::test(start_paused = true)]
async fn i4_connect_gives_subprotocol_and_headers() {
    let mut client = WebsocketCommunicator::new(echo(), "/?subprotocol=chat").subprotocols(["chat"]);
    let accepted = client.connect().await.unwrap();
    assert_eq!(accepted.subprotocol.as_deref(), Some("chat"));
    assert_eq!(accepted.headers["x-room"], "7");
}

#[tokio::test(start_paused = true)]
async fn i4_a_denial_has_status_headers_text_and_rule() {
    let mut client = WebsocketCommunicator::new(echo(), "/?deny");
    let denial = client.connect().await.unwrap_err();
    assert_eq!((denial.status.as_u16(), &*denial.text, &*denial.rule.0), (402, "Pay first.", "rent"));
    assert_eq!(denial.headers["retry-after"], "60");
}

#[tokio::test(start_paused = true)]
async fn i4_a_path_without_a_route_is_a_404() {
    let app = ProtocolTypeRouter::new().websocket(UrlRouter::new([path("ws/", echo())]).unwrap());
    let denial = WebsocketCommunicator::new(app, "/elsewhere/").connect().await.unwrap_err();
    assert_eq!((denial.status.as_u16(), &*denial.rule.0), (404, "no_route"));
}

#[tokio::test(start_paused = true)]
async fn i5_text_json_and_binary_are_sent_and_received() {
    let mut client = open().await;
    client.send_text("").await;
    assert_eq!(client.receive_text().await, "");
    client.send_json(&json!({ "a": [1, 2] })).await;
    assert_eq!(client.receive_json::<Value>().await, json!({ "a": [1, 2] }));
    client.send_binary([0, 255]).await;
    assert_eq!(client.receive_binary().await, [0, 255]);
    let long = "x".repeat(100_000);
    client.send_text(long.as_str()).await;
    assert_eq!(client.receive_text().await, long);
}

#[tokio::test(start_paused = true)]
async fn i6_the_wrong_kind_fails_and_shows_the_conversation() {
    let mut client = open().await;
    client.send_binary([1]).await;
    let text = failure(async { drop(client.receive_text().await) }).await;
    assert!(text.starts_with("expected a text message, and a binary one came"), "{text}");
    assert!(text.contains("at tests/testing/websocket.rs"), "{text}");
    for line in ["-> handshake /", "<- accepted", "-> binary, 1 bytes: 01", "<- binary, 1 bytes: 01"] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn i6_receive_nothing_passes_in_silence_and_fails_on_a_message() {
    let mut client = open().await;
    client.receive_nothing().await;
    client.send_text("hello").await;
    let text = failure(client.receive_nothing()).await;
    assert!(text.contains("expected nothing for 100ms"), "{text}");
    assert!(text.contains(r#"<- text "hello""#), "{text}");
}

#[tokio::test(start_paused = true)]
async fn i6_a_missed_message_fails_and_the_application_goes_on() {
    let mut client = open().await;
    let text = failure(async { drop(client.receive().await) }).await;
    assert!(text.contains("nothing came within 5s"), "{text}");
    client.send_text("still there").await;
    assert_eq!(client.receive_text().await, "still there");
}

#[tokio::test(start_paused = true)]
async fn i7_disconnect_waits_until_the_consumer_has_ended() {
    let seen = Seen::default();
    let layer = MemoryChannelLayer::new();
    for code in [CloseCode::NORMAL, CloseCode(4321), CloseCode::NO_STATUS] {
        let mut client = WebsocketCommunicator::new(member(&seen), "/").channel_layer(layer.clone());
        client.connect().await.unwrap();
        client.disconnect_with(code).await;
        assert_eq!(seen.lock().unwrap().pop().unwrap(), code.to_string());
    }
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_client_that_vanishes_is_lost() {
    let seen = Seen::default();
    let mut client = WebsocketCommunicator::new(member(&seen), "/").channel_layer(MemoryChannelLayer::new());
    client.connect().await.unwrap();
    client.vanish().await;
    assert_eq!(*seen.lock().unwrap(), ["1006"]);
}

#[tokio::test(start_paused = true)]
async fn communicators_on_one_layer_talk_to_each_other() {
    let (seen, layer) = (Seen::default(), MemoryChannelLayer::new());
    let mut alice = WebsocketCommunicator::new(member(&seen), "/").channel_layer(layer.clone());
    let mut bob = WebsocketCommunicator::new(member(&seen), "/").channel_layer(layer);
    alice.connect().await.unwrap();
    bob.connect().await.unwrap();
    alice.send_text("hello").await;
    for client in [&mut alice, &mut bob] {
        assert_eq!(client.receive_json::<Value>().await["text"], "hello");
    }
}

#[tokio::test(start_paused = true)]
async fn the_servers_close_is_received_with_its_reason() {
    let mut client = open().await;
    client.send_text("close").await;
    assert_eq!(client.receive_close().await.to_string(), "4000 as you wish");
    client.ended().await;
}

#[tokio::test(start_paused = true)]
async fn errors_and_panics_of_the_application_stand_in_the_conversation() {
    for (message, line) in [
        ("error", "!! a handler failed: the disk is full"),
        ("panic", "!! a handler failed: panicked: a bug"),
    ] {
        let mut client = open().await;
        client.send_text(message).await;
        let text = failure(async { drop(client.receive_text().await) }).await;
        assert!(text.contains(line), "{text}");
        assert!(text.contains("<- close 1011"), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn hours_of_silence_pass_in_no_time_with_pings_answered() {
    let mut client = open().await;
    let start = std::time::Instant::now();
    client.receive_nothing_for(Duration::from_secs(3600)).await;
    assert!(start.elapsed() < Duration::from_secs(30));
    let pings = client.transcript().lines().iter().filter(|line| *line == "<- ping, answered").count();
    assert_eq!(pings, 3600 / 20 - 1, "{}", client.transcript());
    client.send_text("still there").await;
    assert_eq!(client.receive_text().await, "still there");
}

#[tokio::test(start_paused = true)]
async fn the_same_test_gives_the_same_conversation_with_the_same_times() {
    let mut conversations = Vec::new();
    for _ in 0..10 {
        let layer = RecordingChannelLayer::new();
        let seen = Seen::default();
        let open = || WebsocketCommunicator::new(member(&seen), "/").channel_layer(layer.clone());
        let (mut one, mut other) = (open(), open());
        one.connect().await.unwrap();
        other.connect().await.unwrap();
        layer.inject(Fault::Delay(Duration::from_secs(3)));
        one.send_text("late").await;
        one.send_text("soon").await;
        for client in [&mut one, &mut other] {
            let (first, second) = (client.receive_text().await, client.receive_text().await);
            assert!(first.contains("soon") && second.contains("late"), "{first} {second}");
        }
        other.receive_nothing_for(Duration::from_secs(50)).await;
        other.vanish().await;
        one.disconnect().await;
        conversations.push(format!("{}\n{}", one.transcript(), other.transcript()));
    }
    assert!(
        conversations[0].contains("ping, answered") && conversations[0].contains("late"),
        "{}",
        conversations[0]
    );
    conversations.dedup();
    assert_eq!(conversations.len(), 1, "{conversations:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_answers_no_ping_is_dropped() {
    let mut client =
        WebsocketCommunicator::new(echo(), "/").without_pongs().patience(Duration::from_secs(60));
    client.connect().await.unwrap();
    assert_eq!(client.receive_close().await.code, CloseCode::NO_PONG);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_meets_the_outbox_limits() {
    let mut limits = Limits::default();
    limits.outbox_bytes = 4096;
    let mut client = WebsocketCommunicator::new(echo(), "/").buffer(1024).limits(limits);
    client.connect().await.unwrap();
    client.set_reading(false);
    for _ in 0..2 {
        client.send_binary(vec![0; 3000]).await;
    }
    // Ten seconds without progress, and five for a close frame that finds no room either.
    client.receive_nothing_for(Duration::from_secs(16)).await;
    client.set_reading(true);
    assert_eq!(client.receive().await, Received::Lost);
}

#[tokio::test(start_paused = true)]
async fn raw_bytes_reach_the_server_as_they_are() {
    let mut client = open().await;
    // A frame without a mask.
    client.send_raw([0x81, 0x01, b'x']).await;
    assert_eq!(client.receive_close().await.code, CloseCode::PROTOCOL);
}

#[tokio::test(start_paused = true)]
async fn what_came_before_the_end_can_still_be_received() {
    let mut client = open().await;
    client.send_text("last words").await;
    client.disconnect().await;
    assert_eq!(client.receive().await, Received::Message(Message::text("last words")));
}

#[tokio::test]
async fn it_works_on_the_real_clock_too() {
    let mut client = open().await;
    client.send_text("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.receive_nothing().await;
    client.disconnect().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_on_many_threads() {
    let mut client = open().await;
    client.send_text("hello").await;
    assert_eq!(client.receive_text().await, "hello");
    client.disconnect().await;
}

#[tokio::test(start_paused = true)]
async fn connecting_twice_and_sending_before_connect_say_so() {
    let mut client = open().await;
    let text = failure(async { drop(client.connect().await) }).await;
    assert!(text.contains("connect was called a second time"), "{text}");
    let mut client = WebsocketCommunicator::new(echo(), "/");
    let text = failure(client.send_text("too early")).await;
    assert!(text.contains("the socket is not open"), "{text}");
}
