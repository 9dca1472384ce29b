//! Bearer tokens: clients that are no browsers say who they are.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use solent::auth::{Auth, AuthSettings, DatabaseUsers, MemorySessions, SecretKeys, SignedTokens, TokenError};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::http::CsrfLayer;
use solent::layers::Value;
use solent::middleware::{BearerLayer, OriginValidatorLayer, SessionLayer, auth_stack};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::testing::WebsocketCommunicator;
use tower::Layer;

use crate::raw::{Head, Raw, handshake};
use crate::site::{KEY, WhoAmI, database_at, whoami};

const HOUR: Duration = Duration::from_secs(3600);

fn tokens() -> SignedTokens {
    SignedTokens::new(SecretKeys::new(KEY), HOUR)
}

fn token(user_id: &str) -> String {
    tokens().sign(user_id, SystemTime::now())
}

struct Service {
    running: Running,
    _folder: tempfile::TempDir,
}

impl Service {
    /// Views and a socket behind tokens and sessions, for pages of localhost and programs that bear a token.
    async fn start(make: impl Fn(BearerLayer) -> BearerLayer) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = database_at(folder.path().join("site.sqlite3")).await;
        let keys = SecretKeys::new(KEY);
        let auth = Auth::new(DatabaseUsers::new(database), keys, AuthSettings::default());
        let bearer = make(BearerLayer::new(tokens(), auth.clone()));
        let stack = auth_stack(SessionLayer::new(MemorySessions::new()), auth);
        let views = ViewRouter::new([path("whoami/", whoami)]).unwrap();
        let views = bearer.layer(stack.layer(CsrfLayer::new().layer(views)));
        let sockets = stack.layer(UrlRouter::new([path("ws/", consumer::<WhoAmI>())]).unwrap());
        let sockets =
            bearer.layer(OriginValidatorLayer::new(["localhost"]).without_origin_for_bearer().layer(sockets));
        let app = ProtocolTypeRouter::new().http(views).websocket(sockets);
        let server = Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off());
        Self { running: server.start().await.unwrap(), _folder: folder }
    }

    async fn ask(&self, method: &str, headers: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.running.addresses()[0]).await;
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        raw.send(format!("{method} /whoami/ HTTP/1.1\r\nHost: localhost\r\n{length}{headers}\r\n")).await;
        raw.response().await
    }

    /// The handshake of a program, which sends no origin unless `headers` has one, and the socket.
    async fn shake(&self, headers: &str) -> (Head, Raw) {
        let mut raw = Raw::connect(self.running.addresses()[0]).await;
        raw.send(handshake("/ws/", headers)).await;
        (raw.head().await, raw)
    }
}

fn bearing(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

#[test]
fn a_token_is_what_django_signs_with_a_dot() {
    let when = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let made = tokens().sign("7", when);
    assert_eq!(made, "7.1r31eq.MzIbL_jJ6qGgsYwWZWmIeTEYz9joqFAp07JzOuXGJXQ");
    assert_eq!(tokens().verify_at(&made, when + HOUR).unwrap().user_id, "7");
    let late = tokens().verify_at(&made, when + HOUR + Duration::from_secs(2));
    assert!(matches!(late, Err(TokenError::Expired)), "{late:?}");
    let other = tokens().with_salt("another").verify_at(&made, when);
    assert!(matches!(other, Err(TokenError::Signature)), "{other:?}");
}

#[tokio::test]
async fn a_token_in_authorization_is_the_user_of_views_and_sockets() {
    let service = Service::start(BearerLayer::required).await;
    for headers in [bearing(&token("1")), bearing(&token("1")).replace("Bearer", "bEARER")] {
        let (head, body) = service.ask("GET", &headers).await;
        assert_eq!((head.status, &*body), (200, "alice"));
        assert!(head.text.to_ascii_lowercase().contains("authorization"), "no Vary: {}", head.text);
        let (head, mut socket) = service.shake(&headers).await;
        assert_eq!(head.status, 101);
        assert_eq!(socket.text().await, "alice");
    }
}

#[tokio::test]
async fn none_and_wrong_ones_are_401_and_told_what_is_asked_for() {
    let service = Service::start(BearerLayer::required).await;
    let old = tokens().sign("1", SystemTime::now() - 2 * HOUR);
    let (one, two) = (bearing(&token("1")), bearing(&token("3")));
    let cases = [
        (String::new(), "Bearer"),
        ("Authorization: Basic YTpi\r\n".to_owned(), "Bearer"),
        (bearing("forged"), "the signature is not valid"),
        (bearing(""), "the signature is not valid"),
        (bearing(&old), "the token has expired"),
        (bearing(&token("99")), "the token does not say its user"),
        (bearing(&token("no number")), "the token does not say its user"),
        // bob is not active.
        (bearing(&token("2")), "the token does not say its user"),
        (format!("{one}{two}"), "expected one token"),
    ];
    for (headers, told) in cases {
        for head in [service.ask("GET", &headers).await.0, service.shake(&headers).await.0] {
            assert_eq!(head.status, 401, "{headers}");
            let challenge = head.header("www-authenticate").unwrap_or_default();
            assert!(challenge.starts_with("Bearer") && challenge.contains(told), "{headers}: {challenge}");
        }
    }
}

#[tokio::test]
async fn a_token_in_the_subprotocol_is_taken_and_never_echoed() {
    let service = Service::start(BearerLayer::required).await;
    let token = token("1");
    let offered = format!("Sec-WebSocket-Protocol: chat.v1, bearer.{token}\r\n");
    let (head, mut socket) = service.shake(&offered).await;
    assert_eq!(head.status, 101);
    assert!(!head.text.contains(&token) && !head.text.contains("bearer"), "{}", head.text);
    assert_eq!(socket.text().await, "alice");
}

/// Says what of the handshake it can see.
struct Sees;

impl WebsocketConsumer for Sees {
    type Event = Value;

    async fn connect(ctx: &mut Context) -> solent::Result<Self> {
        let seen = format!("{:?}", ctx.scope());
        ctx.accept().await?;
        ctx.send(seen).await?;
        Ok(Self)
    }
}

#[tokio::test(start_paused = true)]
async fn no_log_entry_of_a_scope_can_hold_the_token() {
    let token = token("1");
    let app = BearerLayer::claims_only(tokens()).layer(consumer::<Sees>());
    let offer = format!("bearer.{token}");
    for client in [
        WebsocketCommunicator::new(app.clone(), "/").subprotocols(["chat", &offer]),
        WebsocketCommunicator::new(app, "/").header("authorization", &format!("Bearer {token}")),
    ] {
        let mut client = client;
        client.connect().await.unwrap();
        let seen = client.receive_text().await;
        assert!(!seen.contains(&token), "{seen}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_ends_with_its_token() {
    let app = BearerLayer::claims_only(tokens()).required().layer(consumer::<WhoAmI>());
    let mut client = WebsocketCommunicator::new(app, "/").header("authorization", &bearing_value("1"));
    client.connect().await.unwrap();
    client.receive_text().await;
    client.receive_nothing_for(HOUR - Duration::from_secs(10)).await;
    tokio::time::advance(Duration::from_secs(12)).await;
    assert_eq!(client.receive_close().await.code.0, 4401);
}

fn bearing_value(user_id: &str) -> String {
    format!("Bearer {}", token(user_id))
}

#[tokio::test]
async fn a_program_without_origin_comes_in_by_its_token_alone() {
    let service = Service::start(|layer| layer).await;
    assert_eq!(service.shake("").await.0.status, 403);
    assert_eq!(service.shake(&bearing(&token("1"))).await.0.status, 101);
    let elsewhere = format!("Origin: https://evil.example\r\n{}", bearing(&token("1")));
    assert_eq!(service.shake(&elsewhere).await.0.status, 403);
    let (head, mut socket) = service.shake("Origin: http://localhost\r\n").await;
    assert_eq!((head.status, &*socket.text().await), (101, "nobody"));
}

#[tokio::test]
async fn without_the_option_a_token_does_not_stand_in_for_an_origin() {
    let app = OriginValidatorLayer::new(["localhost"]).layer(consumer::<WhoAmI>());
    let app = BearerLayer::claims_only(tokens()).layer(app);
    let mut client = WebsocketCommunicator::new(app, "/").header("authorization", &bearing_value("1"));
    assert_eq!(client.connect().await.unwrap_err().status, 403);
}

#[tokio::test]
async fn a_post_with_a_token_needs_no_csrf_token() {
    let service = Service::start(|layer| layer).await;
    assert_eq!(service.ask("POST", "").await.0.status, 403);
    let (head, body) = service.ask("POST", &bearing(&token("1"))).await;
    assert_eq!((head.status, &*body), (200, "alice"));
}
