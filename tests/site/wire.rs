//! The chat's wire, byte by byte, for each consumer.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use solent::layers::{Event, GroupName};

use super::hosting::CONSUMERS;
use super::live::Live;
use super::raw::{Raw, frame};

async fn for_each_consumer(check: impl AsyncFn(&Live)) {
    for handlers in CONSUMERS {
        check(&Live::start(*handlers).await).await;
    }
}

async fn member(live: &Live, name: &str) -> Raw {
    let password = if name == "alice" { "wonderland-1" } else { "builder-2" };
    let headers = format!("Origin: {}\r\nCookie: {}\r\n", live.url(), live.login(name, password).await);
    Raw::websocket_with(live.address, "/ws/chat/room/1/", &headers).await
}

async fn says(member: &mut Raw, text: &str) {
    member.send_text(&json!({ "message": text }).to_string()).await;
}

async fn hears(member: &mut Raw) -> Value {
    member.frame().await.json()
}

#[tokio::test]
async fn members_get_text_sender_and_time() {
    for_each_consumer(async |live| {
        let (mut alice, mut bob) = (member(live, "alice").await, member(live, "bob").await);
        let before = Utc::now();
        says(&mut alice, " <b>hi</b>\n").await;
        for member in [&mut alice, &mut bob] {
            let event = hears(member).await;
            let time: DateTime<Utc> = event["time"].as_str().unwrap().parse().unwrap();
            assert!((before.timestamp_millis()..=Utc::now().timestamp_millis()).contains(&time.timestamp_millis()));
            assert!(event["time"].as_str().unwrap().ends_with('Z'), "{event}");
            let expected =
                json!({"type": "chat.message", "message": " <b>hi</b>\n", "user": "alice", "time": event["time"]});
            assert_eq!(event, expected);
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_taken_is_told_to_the_sender_alone_and_the_socket_lives_on() {
    for_each_consumer(async |live| {
        let (mut alice, mut bob) = (member(live, "alice").await, member(live, "bob").await);
        let too_long = json!({ "message": "x".repeat(4097) }).to_string();
        for (sent, code) in [
            (r#"{"message": ""}"#, "empty"),
            (r#"{"message": " \n\t"}"#, "empty"),
            (too_long.as_str(), "too_long"),
            ("not json", "malformed"),
            ("[]", "malformed"),
            ("{}", "malformed"),
            (r#"{"message": 1}"#, "malformed"),
            ("", "malformed"),
        ] {
            alice.send_text(sent).await;
            let told = hears(&mut alice).await;
            assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!(code)), "{sent}: {told}");
            assert!(told["message"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
        }
        alice.send(frame(0x82, b"\x01")).await;
        assert_eq!(hears(&mut alice).await["code"], "wrong_kind");
        says(&mut alice, "still here").await;
        assert_eq!(hears(&mut alice).await["message"], "still here");
        // Bob's first message is this one: he heard nothing of the mistakes.
        assert_eq!(hears(&mut bob).await["message"], "still here");
    })
    .await;
}

#[tokio::test]
async fn a_message_may_have_4096_characters_of_any_kind() {
    for_each_consumer(async |live| {
        let mut alice = member(live, "alice").await;
        let longest = "\u{1f30a}".repeat(4096);
        says(&mut alice, &longest).await;
        assert_eq!(hears(&mut alice).await["message"], longest);
    })
    .await;
}

#[tokio::test]
async fn events_of_python_members_are_understood_in_their_spelling() {
    for_each_consumer(async |live| {
        let mut alice = member(live, "alice").await;
        let (time, room) = ("2026-01-02T03:04:05Z", GroupName::new("chat_1").unwrap());
        for event in [
            json!({"type": "chat_message", "message": "hi", "username": "pia", "time": time}),
            json!({"type": "chat.message", "message": "hi", "username": "pia", "time": time}),
            json!({"type": "chat_message", "message": "hi", "user": "pia", "time": time}),
        ] {
            let layer = live.env().layers.get("default").unwrap();
            layer.group_send(&room, Event::new(&event).unwrap()).await.unwrap();
            let expected = json!({"type": "chat.message", "message": "hi", "user": "pia", "time": time});
            assert_eq!(hears(&mut alice).await, expected, "{event}");
        }
    })
    .await;
}
