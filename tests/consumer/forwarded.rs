//! Forwarded events in the words of the route's type, whatever spelling their sender used.

use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::consumer::{Context, Forwarded as Written, WebsocketConsumer, consumer};
use solent::layers::{GroupName, Value};
use solent::routing::{UrlRouter, path, re_path};
use solent::websocket::Message;
use solent::{Limits, Result};

use crate::raw::{Raw, frame};
use crate::room::{Forwarded, Served};

#[derive(Serialize, Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message {
        #[serde(alias = "username")]
        user: String,
    },
}

/// Tells its group of each message, and then its client.
struct TellsBoth(GroupName);

impl WebsocketConsumer for TellsBoth {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        let group = GroupName::new("both")?;
        ctx.group_forward(&group).await?;
        ctx.accept().await?;
        Ok(Self(group))
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.group_send(&self.0, &json!({"type": "told", "n": message.as_text()?})).await?;
        ctx.send(message).await
    }
}

#[tokio::test]
async fn forwarded_events_and_a_consumers_own_messages_keep_their_order() {
    let sockets = UrlRouter::new([path("both/", consumer::<TellsBoth>())]);
    let served = Served::start(sockets.unwrap(), |_| {}).await;
    let mut raw = Raw::websocket(served.address(), "/both/").await;
    let sent: Vec<u8> = (0..200).flat_map(|number| frame(0x81, number.to_string().as_bytes())).collect();
    raw.send(sent).await;
    for number in 0..200 {
        assert_eq!(raw.frame().await.json(), json!({"type": "told", "n": number.to_string()}));
        assert_eq!(raw.text().await, number.to_string());
    }
}

#[tokio::test]
async fn forwarded_events_are_written_as_the_routes_type_has_them_and_others_go_out_as_they_came() {
    let written = consumer::<Forwarded>().forwarded(Written::written_by::<Chat>());
    let sockets = UrlRouter::new([
        re_path(r"^written/(?P<room>\d+)/$", written),
        re_path(r"^plain/(?P<room>\d+)/$", consumer::<Forwarded>()),
    ]);
    let served = Served::start(sockets.unwrap(), |_: &mut Limits| {}).await;
    let mut written = Raw::websocket(served.address(), "/written/1/").await;
    let mut plain = Raw::websocket(served.address(), "/plain/1/").await;
    let ours = json!({"type": "chat.message", "user": "pia"});
    for (sent, heard) in [
        (json!({"type": "chat_message", "username": "pia"}), ours.clone()),
        (json!({"type": "chat_message", "user": "pia"}), ours.clone()),
        (json!({"type": "chat.message", "username": "pia", "more": 1}), ours.clone()),
        (
            json!({"type": "chat.message", "user": "pia", "more": 1}),
            json!({"type": "chat.message", "user": "pia", "more": 1}),
        ),
        (json!({"type": "other_kind", "username": "pia"}), json!({"type": "other_kind", "username": "pia"})),
        (json!({"type": "chat_message", "user": 1}), json!({"type": "chat_message", "user": 1})),
    ] {
        served.layer.group_send(&GroupName::new("room_1").unwrap(), &sent).await.unwrap();
        assert_eq!(written.frame().await.json(), heard);
        assert_eq!(plain.frame().await.json(), sent, "one route's words are not another's");
    }
}
