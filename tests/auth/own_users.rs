//! A service with users of its own, and sessions that live in the cookie.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _, ready};
use solent::auth::{
    Account, Auth, AuthError, AuthSettings, Hasher, MemorySessions, Passwords, SecretKeys, SessionStore,
    SignedCookieSessions, StoredUser, UserStore,
};
use solent::consumer::consumer;
use solent::middleware::{SessionLayer, auth_stack};
use solent::routing::{ProtocolTypeRouter, UrlRouter, ViewRouter, path};
use solent::server::{AccessLog, Running, Server};
use tower::Layer;

use crate::raw::{Head, Raw};
use crate::site::{CHEAP, KEY, WhoAmI, cookie_line, cookie_of, log_in, log_out, whoami};

/// Users in a list.
#[derive(Debug, Clone, Default)]
struct Members(Arc<Mutex<Vec<StoredUser>>>);

impl Members {
    fn one(
        &self,
        is_it: impl Fn(&StoredUser) -> bool,
    ) -> BoxFuture<'_, Result<Option<StoredUser>, AuthError>> {
        ready(Ok(self.0.lock().unwrap().iter().find(|user| is_it(user)).cloned())).boxed()
    }

    fn change(&self, change: impl Fn(&mut StoredUser)) {
        self.0.lock().unwrap().iter_mut().for_each(change);
    }
}

impl UserStore for Members {
    fn by_id<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        self.one(|user| user.account.id == id)
    }

    fn by_username<'a>(&'a self, username: &'a str) -> BoxFuture<'a, Result<Option<StoredUser>, AuthError>> {
        self.one(|user| user.account.username == username)
    }

    fn set_password<'a>(&'a self, id: &'a str, encoded: &'a str) -> BoxFuture<'a, Result<(), AuthError>> {
        self.change(|user| {
            if user.account.id == id {
                encoded.clone_into(&mut user.password);
            }
        });
        ready(Ok(())).boxed()
    }
}

struct Service {
    running: Running,
    members: Members,
    auth: Auth,
}

impl Service {
    async fn start(store: impl SessionStore, recheck: Duration) -> Self {
        let members = Members::default();
        let password = CHEAP.encode("wonderland-1", "abcdefghijklmnopqrstuv").unwrap();
        members.0.lock().unwrap().push(StoredUser::new(Account::new("m-1", "alice"), password));
        let mut settings = AuthSettings::default();
        settings.passwords = Passwords::new(CHEAP);
        settings.recheck_interval = recheck;
        let auth = Auth::new(members.clone(), SecretKeys::new(KEY), settings);
        let stack = auth_stack(SessionLayer::new(store), auth.clone());
        let views = [path("login/", log_in), path("logout/", log_out), path("whoami/", whoami)];
        let sockets = UrlRouter::new([path("ws/whoami/", consumer::<WhoAmI>())]).unwrap();
        let application = ProtocolTypeRouter::new()
            .http(stack.layer(ViewRouter::new(views).unwrap()))
            .websocket(stack.layer(sockets));
        let server = Server::new(application).bind("127.0.0.1:0").access_log(AccessLog::off());
        Self { running: server.start().await.unwrap(), members, auth }
    }

    async fn ask(&self, method: &str, path: &str, cookie: &str, form: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.running.addresses()[0]).await;
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let lines =
            format!("Host: localhost\r\n{kind}\r\nContent-Length: {}\r\n{}", form.len(), cookie_line(cookie));
        raw.send(format!("{method} {path} HTTP/1.1\r\n{lines}\r\n{form}")).await;
        raw.response().await
    }

    async fn alice(&self) -> String {
        cookie_of(&self.ask("POST", "/login/", "", "username=alice&password=wonderland-1").await.0)
    }

    async fn socket(&self, cookie: &str) -> Raw {
        let mut socket =
            Raw::websocket_with(self.running.addresses()[0], "/ws/whoami/", &cookie_line(cookie)).await;
        assert_eq!(socket.text().await, "alice");
        socket
    }
}

#[tokio::test]
async fn a_service_may_have_users_of_its_own() {
    let service = Service::start(MemorySessions::new(), Duration::from_secs(3600)).await;
    let alice = service.alice().await;
    assert_eq!(service.ask("GET", "/whoami/", &alice, "").await.1, "alice");
    let mut socket = service.socket(&alice).await;
    // Deactivated by the service itself, which says so: the sockets close at once.
    service.members.change(|user| user.account.is_active = false);
    let user = solent::auth::User::new(Account::new("m-1", "alice"));
    service.auth.close_sockets(service.running.env(), &user).await;
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(service.ask("GET", "/whoami/", &alice, "").await.1, "nobody");
    assert_eq!(
        service.ask("POST", "/login/", "", "username=alice&password=wonderland-1").await.0.status,
        403
    );
}

#[tokio::test]
async fn for_every_name_a_password_is_hashed_and_never_on_the_async_threads() {
    let members = Members::default();
    let password = CHEAP.encode("wonderland-1", "abcdefghijklmnopqrstuv").unwrap();
    for (name, is_active) in [("alice", true), ("former", false)] {
        let mut account = Account::new(name, name);
        account.is_active = is_active;
        members.0.lock().unwrap().push(StoredUser::new(account, password.clone()));
    }
    let mut settings = AuthSettings::default();
    settings.passwords = Passwords::new(Hasher::Pbkdf2Sha256 { iterations: 20_000 });
    let auth = Auth::new(members, SecretKeys::new(KEY), settings);
    for name in ["alice", "former", "nobody"] {
        // These users are there at once, so that nothing but the hash can be waited for; one that was computed here, or not
        // at all, would give its answer at the first look.
        let mut attempt = Box::pin(auth.authenticate(name, "wrong"));
        assert!(futures_util::poll!(&mut attempt).is_pending(), "{name}");
        assert!(attempt.await.unwrap().is_none());
    }
}

/// The documented exception: nothing on the server says that such a session has ended. A log-out closes the sockets that
/// were opened with the very cookie; the cookie itself stays good. The user is followed as ever.
#[tokio::test]
async fn a_session_in_the_cookie_has_no_end_that_sockets_could_follow_but_its_users() {
    let store = SignedCookieSessions::new(SecretKeys::new(KEY), Duration::from_secs(3600));
    let service = Service::start(store, Duration::from_millis(20)).await;
    let alice = service.alice().await;
    let mut socket = service.socket(&alice).await;
    let (head, _) = service.ask("POST", "/logout/", &alice, "").await;
    assert!(head.header("set-cookie").unwrap().starts_with("sessionid=\"\""));
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(service.ask("GET", "/whoami/", &alice, "").await.1, "alice", "an old cookie stays good");
    let mut socket = service.socket(&alice).await;
    socket.send_text("?").await;
    assert_eq!(socket.text().await, "alice");
    service.members.change(|user| user.password = "!".to_owned());
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(service.ask("GET", "/whoami/", &alice, "").await.1, "nobody");
}
