//! Groups: who hears what, and when membership ends.

use serde_json::{Value, json};
use solent::layers::GroupName;
use solent::websocket::CloseCode;

use crate::raw::Raw;
use crate::room::{Site, message};

#[tokio::test]
async fn a_message_goes_from_one_socket_through_the_group_to_another() {
    for path in ["/ws/handled/1/", "/ws/forwarded/1/", "/ws/blocking/1/"] {
        let site = Site::start().await;
        let mut one = site.client(path).await;
        let mut two = site.client(path).await;
        one.send_text("Hello").await;
        let expected = json!({"type": "chat.message", "message": "Hello"});
        assert_eq!(one.receive_json::<Value>().await, expected, "{path}");
        assert_eq!(two.receive_json::<Value>().await, expected, "{path}");
    }
}

#[tokio::test]
async fn handled_forwarded_and_blocking_members_of_one_group_hear_the_same() {
    let site = Site::start().await;
    let mut members = Vec::new();
    for path in ["/ws/handled/1/", "/ws/forwarded/1/", "/ws/blocking/1/"] {
        members.push(site.client(path).await);
    }
    members[0].send_text("to all").await;
    for member in &mut members {
        assert_eq!(member.receive_json::<Value>().await["message"], "to all");
    }
}

#[tokio::test]
async fn another_room_hears_nothing() {
    let site = Site::start().await;
    let mut one = site.client("/ws/forwarded/1/").await;
    let mut two = site.client("/ws/forwarded/2/").await;
    one.send_text("for room 1").await;
    one.receive_message().await;
    two.send_text("for room 2").await;
    assert_eq!(two.receive_json::<Value>().await["message"], "for room 2");
}

#[tokio::test]
async fn who_left_hears_no_more() {
    let site = Site::start().await;
    let mut stays = site.client("/ws/handled/1/").await;
    let mut leaves = site.client("/ws/handled/1/").await;
    leaves.send_text("leave").await;
    leaves.send_text("name").await;
    assert!(leaves.receive_text().await.starts_with("specific."));
    stays.send_text("without you").await;
    stays.receive_message().await;
    leaves.send_text("name").await;
    assert!(leaves.receive_text().await.starts_with("specific."), "the next frame is the answer, no event");
}

#[tokio::test]
async fn c7_groups_are_left_before_disconnect_runs() {
    let site = Site::start().await;
    let mut stays = site.client("/ws/handled/1/").await;
    let mut goes = site.client("/ws/handled/1/").await;
    goes.disconnect().await;
    // The answer to its own close frame, and nothing before it: it does not hear that it has left.
    assert_eq!(goes.receive_close().await.code, CloseCode::NORMAL);
    assert_eq!(stays.receive_json::<Value>().await["message"], "left with 1000");
}

#[tokio::test]
async fn c1_groups_of_a_class_are_joined_and_left_by_themselves() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/class/").await;
    let everyone = GroupName::new("everyone").unwrap();
    let delivered = site.layer.group_send(&everyone, &message("hear me")).await.unwrap();
    assert_eq!((delivered.reached, delivered.dropped), (1, 0));
    assert_eq!(raw.frame().await.json()["message"], "hear me");
    drop(raw);
    let env = site.running.env().clone();
    crate::waiting::until(|| env.sockets.is_empty()).await;
    assert_eq!(site.layer.group_send(&everyone, &message("anyone?")).await.unwrap().reached, 0);
}

#[tokio::test]
async fn an_event_may_be_sent_from_outside_and_from_any_thread() {
    let site = Site::start().await;
    let mut raw = Raw::websocket(site.address(), "/ws/forwarded/7/").await;
    let blocking = site.layer.blocking();
    let sent = std::thread::spawn(move || {
        blocking.group_send(
            &GroupName::new("room_7").unwrap(),
            &json!({"type": "chat_message", "message": "out"}),
        )
    });
    assert_eq!(sent.join().unwrap().unwrap().reached, 1);
    assert_eq!(raw.frame().await.json()["message"], "out");
}

#[tokio::test]
async fn compressed_and_plain_members_hear_the_same_broadcast() {
    let site = Site::start().await;
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n";
    let mut small = Raw::websocket_with(site.address(), "/ws/forwarded/1/", offer).await;
    let mut plain = Raw::websocket(site.address(), "/ws/forwarded/1/").await;
    let text = "many words ".repeat(100);
    plain.send_text(&text).await;
    assert_eq!(plain.frame().await.json()["message"], text);
    let frame = small.frame().await;
    assert_eq!(frame.first, 0xc1);
    let mut input = frame.payload;
    assert!(input.len() < 200);
    input.extend([0, 0, 0xff, 0xff]);
    let mut output = Vec::with_capacity(1 << 16);
    flate2::Decompress::new(false)
        .decompress_vec(&input, &mut output, flate2::FlushDecompress::Sync)
        .unwrap();
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&output).unwrap()["message"], text);
}
