//! `allow.http`: a server behind says who comes in.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Duration, Instant};

use super::binary::{Folder, Site};
use super::raw::{Head, PATIENCE, Raw, handshake};
use super::visitor::get;

/// A server that answers by the cookie, and remembers what it was asked.
#[derive(Clone, Default)]
struct Behind {
    asked: Arc<Mutex<Vec<String>>>,
    withdrawn: Arc<AtomicBool>,
}

impl Behind {
    async fn start(&self) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let behind = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(behind.clone().answer(stream));
            }
        });
        address
    }

    async fn answer(self, mut stream: TcpStream) {
        loop {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                request.push(byte);
            }
            let request = String::from_utf8(request).unwrap();
            let who = request.split("cookie: who=").nth(1).and_then(|rest| rest.lines().next());
            let answer = match who {
                Some("alice") if self.withdrawn.load(Ordering::SeqCst) => "403 Forbidden\r\n",
                Some("alice") => "204 No Content\r\n",
                Some("bob") => "403 Forbidden\r\ncontent-length: 2\r\n\r\nno",
                Some("broken") => "500 Internal Server Error\r\n",
                Some("away") => "302 Found\r\nlocation: /login/\r\n",
                Some("slow") => return std::future::pending().await,
                _ => "401 Unauthorized\r\nwww-authenticate: Bearer realm=\"behind\"\r\n",
            };
            self.asked.lock().unwrap().push(request);
            let length = if answer.contains("content-length") || answer.starts_with("204") {
                ""
            } else {
                "content-length: 0\r\n"
            };
            let end = if answer.contains("\r\n\r\n") { "" } else { "\r\n" };
            let answer = format!("HTTP/1.1 {answer}{length}{end}");
            if stream.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }

    fn count(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn config(behind: SocketAddr, cache: &str) -> String {
    let allow = format!(
        "allow.http = {{ upstream = \"http://{behind}\", path = \"/may/{{room}}/?a=b\", cache = \"{cache}\", \
         time = \"500ms\" }}"
    );
    format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[[http]]
path = "room/<str:room>/"
respond = {{ body = "in" }}
methods = ["GET", "POST"]
csrf_exempt = true
{allow}

[[websocket]]
path = "ws/<str:room>/"
consumer = "echo"
{allow}
"#
    )
}

async fn start(cache: &str) -> (Behind, Folder, Site) {
    let behind = Behind::default();
    let folder = Folder::with(&config(behind.start().await, cache));
    let site = folder.start();
    (behind, folder, site)
}

fn cookie(who: &str) -> String {
    format!("Cookie: who={who}\r\n")
}

async fn open(site: &Site, who: &str) -> (Raw, Head) {
    let mut raw = Raw::connect(site.address).await;
    raw.send(handshake("/ws/7/", &cookie(who))).await;
    let head = raw.head().await;
    (raw, head)
}

const ANSWERS: [(&str, u16); 6] =
    [("alice", 200), ("bob", 403), ("nobody", 401), ("broken", 503), ("away", 503), ("slow", 503)];

#[tokio::test]
async fn who_is_allowed_behind_comes_in_and_nobody_else() {
    let (_behind, _folder, site) = start("10s").await;
    for (who, status) in ANSWERS {
        let (head, body) = get(site.address, "/room/7/", &cookie(who)).await;
        assert_eq!(head.status, status, "{who}: {}", head.text);
        assert_eq!(body == "in", status == 200, "{who}: {body}");
        let challenge = (status == 401).then_some("Bearer realm=\"behind\"");
        assert_eq!(head.header("www-authenticate"), challenge, "{who}");
        let (_, head) = open(&site, who).await;
        assert_eq!(head.status, if status == 200 { 101 } else { status }, "{who}: {}", head.text);
    }
}

#[tokio::test]
async fn without_the_server_behind_nobody_comes_in() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let folder = Folder::with(&config(nobody, "10s"));
    let site = folder.start();
    assert_eq!(get(site.address, "/room/7/", &cookie("alice")).await.0.status, 503);
    assert_eq!(open(&site, "alice").await.1.status, 503);
}

#[tokio::test]
async fn the_server_behind_is_told_who_wants_what() {
    let (behind, _folder, site) = start("10s").await;
    let mut raw = Raw::connect(site.address).await;
    raw.send(
        "POST /room/a%20b/?page=2 HTTP/1.1\r\nHost: 127.0.0.1:80\r\nCookie: who=alice\r\n\
         Authorization: Basic eDp5\r\nX-Original-URI: /forged/\r\nX-Forwarded-For: 192.0.2.1\r\n\
         Content-Type: text/plain\r\nContent-Length: 4\r\n\r\nbody",
    )
    .await;
    assert_eq!(raw.response().await.0.status, 200);
    let asked = behind.asked.lock().unwrap()[0].to_ascii_lowercase();
    let (line, fields) = asked.split_once("\r\n").unwrap();
    assert_eq!(line, "get /may/a%20b/?a=b http/1.1");
    for field in [
        "host: 127.0.0.1:80\r\n",
        "cookie: who=alice\r\n",
        "authorization: basic edp5\r\n",
        "x-original-method: post\r\n",
        "x-original-uri: /room/a%20b/?page=2\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
    ] {
        assert!(fields.contains(field), "no {field:?} in {fields}");
    }
    assert!(!fields.contains("content-") && !fields.contains("forged"), "{fields}");
}

#[tokio::test]
async fn an_answer_holds_for_its_time_for_the_same_cookies_and_path() {
    let (behind, _folder, site) = start("1s").await;
    let begin = Instant::now();
    for (path, who, asked) in [
        ("/room/7/", "alice", 1),
        ("/room/7/?page=2", "alice", 1),
        ("/room/8/", "alice", 2),
        ("/room/7/", "bob", 3),
        ("/room/7/", "bob", 3),
        ("/room/7/", "broken", 4),
        ("/room/7/", "broken", 5),
    ] {
        get(site.address, path, &cookie(who)).await;
        // A machine that was too busy for a second proves nothing.
        if begin.elapsed() < Duration::from_secs(1) {
            assert_eq!(behind.count(), asked, "{path} {who}");
        }
    }
    let count = behind.count();
    while behind.count() == count {
        assert!(begin.elapsed() < PATIENCE, "an answer holds for longer than its time");
        assert_eq!(get(site.address, "/room/7/", &cookie("alice")).await.0.status, 200);
    }
    assert!(begin.elapsed() >= Duration::from_secs(1), "asked again too soon");
}

#[tokio::test]
async fn an_open_socket_is_closed_when_the_server_behind_takes_its_word_back() {
    is_closed_once_withdrawn("", "").await;
}

#[tokio::test]
async fn a_site_with_users_closes_it_as_well() {
    let key = "secret_key = \"only-for-this-test-0123456789abcdef\"\n";
    is_closed_once_withdrawn(key, "[database]\nurl = \"sqlite:site.db\"\n").await;
}

/// With more keys and tables in the file.
async fn is_closed_once_withdrawn(keys: &str, tables: &str) {
    let behind = Behind::default();
    let config = config(behind.start().await, "0s");
    let folder = Folder::with(&format!("{keys}{config}\n[auth]\nrecheck = \"100ms\"\n{tables}"));
    let site = folder.start();
    let (mut raw, head) = open(&site, "alice").await;
    assert_eq!(head.status, 101, "{}", head.text);
    let opened = behind.count();
    let begin = Instant::now();
    while behind.count() == opened {
        assert!(begin.elapsed() < PATIENCE, "nobody asks again");
        tokio::task::yield_now().await;
    }
    raw.send_text("still here").await;
    assert_eq!(raw.text().await, "still here");
    behind.withdrawn.store(true, Ordering::SeqCst);
    assert_eq!(raw.frame().await.close_code(), 4403);
}
