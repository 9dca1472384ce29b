//! Bounds of a route's sockets by user: how many at once, and how many messages over all of them.

use std::time::{Duration, SystemTime};

use solent::auth::{SecretKeys, SignedTokens};

use super::binary::{Folder, Site};
use super::raw::{PATIENCE, Raw, close, handshake};

const SITE: &str = r#"
debug = true
secret_key = "only-for-tests"
allowed_hosts = ["127.0.0.1"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[channel_layers.default]
backend = "memory"

[auth.bearer]
without_origin = true
signed = {}

[[websocket]]
path = "ws/places/"
consumer = "echo"
connections_per_user = 2
bearer = "required"

[[websocket]]
path = "ws/rate/"
consumer = "echo"
rate = { user = "1/h", burst = 3 }
bearer = "required"

[[websocket]]
path = "ws/relay/"
consumer = "relay"
group = "user_{user.id}"
bearer = "required"
"#;

/// A handshake of a user's.
async fn open(site: &Site, path: &str, user: &str) -> (Raw, u16) {
    let tokens = SignedTokens::new(SecretKeys::new("only-for-tests"), Duration::from_secs(3600));
    let token = tokens.sign(user, SystemTime::now());
    let mut raw = Raw::connect(site.address).await;
    raw.send(handshake(path, &format!("Authorization: Bearer {token}\r\n"))).await;
    let status = raw.head().await.status;
    (raw, status)
}

async fn says(socket: &mut Raw, text: &str) {
    socket.send_text(text).await;
    assert_eq!(socket.text().await, text);
}

#[tokio::test]
async fn a_user_has_only_so_many_sockets_and_others_have_theirs() {
    let folder = Folder::with(SITE);
    let site = folder.start();
    let (mut first, _second) = (open(&site, "/ws/places/", "1").await, open(&site, "/ws/places/", "1").await);
    assert_eq!(first.1, 101);
    assert_eq!(open(&site, "/ws/places/", "1").await.1, 429);
    assert_eq!(open(&site, "/ws/places/", "2").await.1, 101);
    first.0.send(close(1000, "")).await;
    assert_eq!(first.0.frame().await.close_code(), 1000);
    let begin = std::time::Instant::now();
    while open(&site, "/ws/places/", "1").await.1 != 101 {
        assert!(begin.elapsed() < PATIENCE, "the place was not given back");
    }
}

#[tokio::test]
async fn a_users_rate_counts_over_all_sockets_and_for_nobody_else() {
    let folder = Folder::with(SITE);
    let site = folder.start();
    let (mut one, _) = open(&site, "/ws/rate/", "1").await;
    let (mut two, _) = open(&site, "/ws/rate/", "1").await;
    let (mut other, _) = open(&site, "/ws/rate/", "2").await;
    says(&mut one, "a").await;
    says(&mut two, "b").await;
    says(&mut one, "c").await;
    two.send_text("one too many").await;
    assert_eq!(two.frame().await.close_code(), 4429);
    says(&mut other, "a").await;
    // Whoever comes again has no fresh start.
    let (mut again, _) = open(&site, "/ws/rate/", "1").await;
    again.send_text("still too many").await;
    assert_eq!(again.frame().await.close_code(), 4429);
}

#[tokio::test]
async fn a_group_of_the_user_reaches_that_users_sockets_alone() {
    let folder = Folder::with(SITE);
    let site = folder.start();
    let (mut one, _) = open(&site, "/ws/relay/", "1").await;
    let (mut second, _) = open(&site, "/ws/relay/", "1").await;
    let (mut other, _) = open(&site, "/ws/relay/", "2").await;
    one.send_text("[1]").await;
    for socket in [&mut one, &mut second] {
        assert_eq!(socket.frame().await.json()["message"], serde_json::json!([1]));
    }
    other.send_text("[2]").await;
    assert_eq!(
        other.frame().await.json()["message"],
        serde_json::json!([2]),
        "the first that it hears is its own"
    );
}
