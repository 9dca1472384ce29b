//! In front of a real Django behind gunicorn, with its own database: its pages, its log-in, its users' sockets.

use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use super::binary::{Folder, Site, project, solent};
use super::outside::play;
use super::raw::{Head, Raw, handshake};
use super::redis::RedisServer;
use super::tools;
use super::visitor::cookie;
use super::waiting::{PATIENCE, eventually_blocking};
use super::workers::{Runworker, until_listened_to};

const KEY: &str = "the-key-of-a-django-site-that-was-there-before";

/// What stands in front of it: everything that is not a socket goes to Django.
const SITE: &str = r#"
secret_key = "${DJANGO_KEY}"
allowed_hosts = ["site.example"]

[server]
bind = ["127.0.0.1:0"]

[database]
url = "sqlite:django.db"
migrate = false

[auth]
recheck = "200ms"

# Longer than Python takes to start on a busy machine.
[limits]
accept_time = "40s"

[channel_layers.default]
backend = "redis-pubsub"
hosts = ["${DJANGO_REDIS}"]

[[http]]
path = ""
proxy = "unix:gunicorn.sock"

[[websocket]]
path = "ws/room/<slug:room>/"
consumer = "worker"
channel = "rooms"
group = "room_{room}"
login_required = true

[[websocket]]
path = "ws/notifications/"
consumer = "listen"
group = "user_{user.id}"
login_required = true
"#;

/// Django, Solent in front of it, and Redis between them.
struct Both {
    site: Site,
    gunicorn: Child,
    redis: RedisServer,
    _folder: Folder,
}

fn python(folder: &Folder, redis: &str) -> Command {
    let mut command = Command::new(tools::python());
    command
        .current_dir(project().join("tests/gateway"))
        .env("DJANGO_DATABASE", folder.path("django.db"))
        .env("DJANGO_KEY", KEY)
        .env("DJANGO_REDIS", redis)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

impl Both {
    fn start() -> Self {
        let redis = RedisServer::start();
        let url = redis.url();
        let folder = Folder::with(SITE);
        let prepared = python(&folder, &url).args(["django_site.py", "alice", "bob"]).status();
        assert!(prepared.expect("python runs").success());
        let bind = format!("unix:{}", folder.path("gunicorn.sock").display());
        let gunicorn = python(&folder, &url)
            .args(["-m", "gunicorn", "--workers", "1", "--threads", "4", "--bind", &bind])
            .args(["--log-level", "warning", "django_site:application"])
            .stdout(Stdio::null())
            .spawn()
            .expect("gunicorn starts");
        eventually_blocking("gunicorn listens", 6 * PATIENCE, || folder.path("gunicorn.sock").exists());
        let mut command = solent();
        command.env("DJANGO_KEY", KEY).env("DJANGO_REDIS", &url).arg("--config").arg(folder.config());
        Self { site: Site::start_unheard(&mut command), gunicorn, redis, _folder: folder }
    }

    async fn request(&self, method: &str, path: &str, cookies: &str, form: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.site.address).await;
        raw.send(format!(
            "{method} {path} HTTP/1.1\r\nHost: site.example\r\nCookie: {cookies}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        ))
        .await;
        raw.response().await
    }

    async fn get(&self, path: &str, cookies: &str) -> (Head, String) {
        self.request("GET", path, cookies, "").await
    }

    /// Logs in at Django, through Solent; the cookies.
    async fn login(&self, name: &str) -> String {
        let (head, page) = self.get("/accounts/login/", "").await;
        assert_eq!(head.status, 200, "{page}");
        let token = page.split("name=\"csrfmiddlewaretoken\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        let csrf = cookie(&head, "csrftoken").expect("a secret");
        let form = format!("csrfmiddlewaretoken={token}&username={name}&password={name}-secret-1");
        let (head, page) = self.request("POST", "/accounts/login/", &csrf, &form).await;
        assert_eq!((head.status, head.header("location")), (302, Some("/")), "{page}");
        [cookie(&head, "csrftoken"), cookie(&head, "sessionid")].map(|it| it.expect("a cookie")).join("; ")
    }

    async fn listen(&self, cookies: &str) -> Raw {
        let mut raw = Raw::connect(self.site.address).await;
        raw.send(at_site(&format!("Origin: http://site.example\r\nCookie: {cookies}\r\n"))).await;
        let head = raw.head().await;
        assert_eq!(head.status, 101, "{}", head.text);
        raw
    }
}

impl Drop for Both {
    fn drop(&mut self) {
        // Gunicorn ends its workers when asked, not when killed.
        let _ = Command::new("/bin/kill").args(["-TERM", &self.gunicorn.id().to_string()]).status();
        let _ = self.gunicorn.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn djangos_pages_log_in_and_pushes_reach_the_browsers_of_its_users() {
    let both = Both::start();
    let (_, page) = both.get("/", "").await;
    assert!(page.starts_with("hello nobody"), "{page}");

    // Paths, queries and bodies come to Django as the client sent them.
    let (_, told) = both.get("/told/a%2Fb/%C3%BC/?c=%20d&e=", "").await;
    let told: Value = serde_json::from_str(&told).unwrap();
    let expected = json!({
        "rest": "a/b/ü/", "raw": "/told/a%2Fb/%C3%BC/?c=%20d&e=", "host": "site.example", "for": "127.0.0.1",
        "secure": false, "body": 0, "query": {"c": " d", "e": ""}
    });
    assert_eq!(told, expected);

    // Who has logged in at Django has a socket at Solent; who has not is refused.
    let (alice, bob) = (both.login("alice").await, both.login("bob").await);
    assert!(both.get("/", &alice).await.1.starts_with("hello alice"));
    let mut stranger = Raw::connect(both.site.address).await;
    stranger.send(at_site("Origin: http://site.example\r\n")).await;
    assert_eq!(stranger.head().await.status, 403);
    let (mut alices, mut second, mut bobs) =
        (both.listen(&alice).await, both.listen(&alice).await, both.listen(&bob).await);

    // A view of Django's pushes to its user, and to nobody else.
    let event = json!({"type": "order.shipped", "order": 7, "text": "Grüße 🌊"});
    assert_eq!(both.get("/notify/", &alice).await.1, "sent");
    for socket in [&mut alices, &mut second] {
        assert_eq!(socket.frame().await.json(), event);
    }
    assert_eq!(both.get("/notify/", &bob).await.1, "sent");
    assert_eq!(bobs.frame().await.json(), event, "bob's first event is his own");

    // Logging out at Django ends the user's sockets at the next re-check, and nobody else's.
    let (_, page) = both.get("/", &alice).await;
    let token = page.split("csrf=").nth(1).unwrap();
    let form = format!("csrfmiddlewaretoken={token}");
    assert_eq!(both.request("POST", "/accounts/logout/", &alice, &form).await.0.status, 302);
    assert_eq!(alices.frame().await.close_code(), 4401);
    assert_eq!(second.frame().await.close_code(), 4401);
    assert_eq!(both.get("/notify/", &bob).await.1, "sent");
    assert_eq!(bobs.frame().await.json(), event);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_browser_djangos_log_in_its_pushes_and_its_worker_meet_solents_sockets() {
    let both = Both::start();
    let _worker = Runworker::start("pubsub", &both.redis.url(), &["rooms"]);
    until_listened_to(&both.redis, "rooms");
    let mut browser = tokio::process::Command::new(tools::node());
    browser
        .arg(project().join("tests/browser/harness.mjs"))
        .args(["django", "http://site.example"])
        // The browser knows the site by its name, as its visitors do.
        .arg(format!("--host-resolver-rules=MAP site.example:80 {}", both.site.address))
        .env("SOLENT_TEST_NODE_MODULES", tools::node_modules())
        .env("SOLENT_TEST_CHROMIUM", tools::chromium())
        .env("SOLENT_TEST_PICTURES", tools::pictures());
    let held = play(browser, async |wish| panic!("the scenario asked for {wish:?}")).await;
    assert_eq!(held.len(), 7, "{held:?}");
}

/// A handshake for the users' socket.
fn at_site(headers: &str) -> String {
    handshake("/ws/notifications/", headers).replace("Host: 127.0.0.1", "Host: site.example")
}
