//! Events by type: understood, unknown, and malformed ones.

use serde_json::{Value, json};
use solent::layers::{ChannelName, GroupName};

use crate::room::{Site, message};

#[tokio::test]
async fn dots_and_underscores_in_a_type_are_the_same() {
    let site = Site::start().await;
    let mut client = site.client("/ws/handled/1/").await;
    let group = GroupName::new("room_1").unwrap();
    for kind in ["chat_message", "chat.message"] {
        site.layer.group_send(&group, &json!({"type": kind, "message": kind})).await.unwrap();
        assert_eq!(client.receive_json::<Value>().await["message"], kind);
    }
}

#[tokio::test]
async fn b7_an_event_that_is_not_understood_is_left_out_and_the_socket_lives_on() {
    let site = Site::start().await;
    let mut client = site.client("/ws/handled/1/").await;
    let group = GroupName::new("room_1").unwrap();
    for bad in
        [json!({"type": "close"}), json!({"type": "chat.message", "message": 3}), json!({"no": "type"})]
    {
        site.layer.group_send(&group, &bad).await.unwrap();
    }
    site.layer.group_send(&group, &message("good")).await.unwrap();
    assert_eq!(client.receive_json::<Value>().await["message"], "good");
}

#[tokio::test]
async fn b4_a_consumers_own_channel_can_be_sent_to_by_name() {
    let site = Site::start().await;
    let mut client = site.client("/ws/handled/1/").await;
    client.send_text("name").await;
    let name = ChannelName::new(client.receive_text().await).unwrap();
    site.layer.send(&name, &message("to you alone")).await.unwrap();
    assert_eq!(client.receive_json::<Value>().await["message"], "to you alone");
}
