//! Forwarded events in the words of the route's type, whatever spelling their sender used.

use serde::{Deserialize, Serialize};
use serde_json::json;
use solent::Limits;
use solent::consumer::{Forwarded as Written, consumer};
use solent::layers::GroupName;
use solent::routing::{UrlRouter, re_path};

use crate::raw::Raw;
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
