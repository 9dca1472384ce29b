//! Parts of one's own in Solent's places: users, sessions, a channel layer, middleware, a protocol.

use solent::layers::{ChannelLayer, Delivery, Event, GroupName, MailboxOptions};
use solent::testing::{HttpCommunicator, WebsocketCommunicator};
use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

use crate::own_channel_layer::WireLayer;
use crate::{bearer, own_middleware, own_protocol, own_session_store, own_user_store};

/// The cookies that an answer sets, as a client sends them back.
fn cookies(answer: &solent::testing::TestResponse) -> String {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs: Vec<_> = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap()).collect();
    pairs.join("; ")
}

#[tokio::test]
async fn an_own_user_store_logs_in() {
    let app = own_user_store::app().await.unwrap();
    let log_in = |password| {
        let form = [("username", "ada"), ("password", password)];
        HttpCommunicator::post(app.clone(), "/login/").form(&form).response()
    };
    assert_eq!(log_in("byron").await.text(), "no such user, or another password");
    let answer = log_in("lovelace").await;
    assert_eq!(answer.text(), "hello ada");
    let who = HttpCommunicator::get(app.clone(), "/").header("cookie", &cookies(&answer)).response().await;
    assert_eq!(who.text(), "you are \"ada\"");
}

#[tokio::test]
async fn a_program_bears_a_token() {
    let app = bearer::app().unwrap();
    let value = format!("Bearer {}", bearer::tokens().sign("7", std::time::SystemTime::now()));
    let answer = HttpCommunicator::get(app.clone(), "/").header("authorization", &value).response().await;
    assert!(answer.text().starts_with("you are \"7\" for"), "{}", answer.text());
    let nobody = HttpCommunicator::get(app.clone(), "/").response().await;
    assert_eq!((nobody.status.as_u16(), nobody.header("www-authenticate")), (401, Some("Bearer")));
    let mut client = WebsocketCommunicator::new(app, "/ws/").header("authorization", &value);
    client.connect().await.unwrap();
    client.send_text("hello").await;
    assert_eq!(client.receive_text().await, "7: hello");
}

#[tokio::test]
async fn an_own_session_store_keeps_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let app = own_session_store::app(folder.path().to_owned()).unwrap();
    let first = HttpCommunicator::get(app.clone(), "/").response().await;
    assert_eq!(first.text(), "visit 1");
    let again = HttpCommunicator::get(app.clone(), "/").header("cookie", &cookies(&first)).response().await;
    assert_eq!(again.text(), "visit 2");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let forged =
        HttpCommunicator::get(app, "/").header("cookie", "sessionid=../../../etc/passwd").response().await;
    assert_eq!(forged.text(), "visit 1");
}

#[tokio::test]
async fn an_own_channel_layer_carries_events_between_two_layers() {
    let wire = tokio::sync::broadcast::Sender::new(16);
    let (here, there) = (WireLayer::new(&wire), WireLayer::new(&wire));
    let room = GroupName::new("room").unwrap();
    let mut member = there.new_channel("specific", MailboxOptions::default()).await.unwrap();
    there.group_add(&room, &member).await.unwrap();
    let event = |n| Event::new(&serde_json::json!({ "type": "hello", "n": n })).unwrap();
    here.group_send(&room, event(1)).await.unwrap();
    here.send(member.name(), event(2)).await.unwrap();
    assert_eq!(member.recv().await, Delivery::Event(event(1)));
    assert_eq!(member.recv().await, Delivery::Event(event(2)));
}

#[tokio::test(start_paused = true)]
async fn e13_an_own_middleware_names_the_user_of_views_and_sockets() {
    let app = own_middleware::app().unwrap();
    for (token, name) in [("", ""), ("?token=open-sesame", "ali")] {
        let answer = HttpCommunicator::get(app.clone(), &format!("/{token}")).response().await;
        assert_eq!(answer.text(), format!("you are {name:?}"));
        let mut socket = WebsocketCommunicator::new(app.clone(), &format!("/ws/{token}"));
        socket.connect().await.unwrap();
        assert_eq!(socket.receive_text().await, format!("you are {name:?}"));
    }
    assert_eq!(HttpCommunicator::get(app.clone(), "/?token=x").response().await.status.as_u16(), 403);
    let denial = WebsocketCommunicator::new(app, "/ws/?token=x").connect().await.unwrap_err();
    assert_eq!((denial.status.as_u16(), &*denial.rule.0), (403, "token"));
}

#[tokio::test]
async fn an_own_protocol_is_routed_by_its_name() {
    let app = own_protocol::app();
    let (mut ours, theirs) = duplex(1024);
    app.call(own_protocol::connection(theirs)).await.unwrap();
    ours.write_all(b"hello\nbye\n").await.unwrap();
    let mut answer = String::new();
    ours.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "HELLO\n");
}
