//! `[auth.bearer]`: programs on a configured site, met over raw sockets.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::json;
use solent::auth::{SecretKeys, SignedTokens};

use super::binary::{Folder, Site, solent, stderr_of, stdout_of};
use super::raw::{Head, Raw, handshake};
use super::visitor::{get, post};

const KEY: &str = "only-for-tests";
const HOUR: Duration = Duration::from_secs(3600);
const RSA: &[u8] = include_bytes!("../auth/keys/rsa.pem");
const RSA_PUBLIC: &str = include_str!("../auth/keys/rsa.pub.pem");

const SITE: &str = r#"
debug = true
secret_key = "only-for-tests"
allowed_hosts = ["127.0.0.1", "localhost"]

[server]
bind = ["127.0.0.1:0"]

[channel_layers.default]
backend = "memory"

[[http]]
path = "api/"
respond = { body = "for programs" }
csrf_exempt = true
bearer = "required"

[[http]]
path = "either/"
respond = { body = "for everybody" }
bearer = "accepted"

[[http]]
path = "page/"
respond = { body = "a page" }

[[websocket]]
path = "ws/program/"
consumer = "relay"
group = "user_{user.id}"
subprotocols = ["chat.v1"]
bearer = "required"

[[websocket]]
path = "ws/either/"
consumer = "echo"
bearer = "accepted"

[[websocket]]
path = "ws/page/"
consumer = "echo"
"#;

const SIGNED: &str = "\n[auth.bearer]\nsigned = { max_age = \"1h\" }\nwithout_origin = true\n";

/// Made as `SignedTokens` of the same key makes it.
fn token(user_id: &str) -> String {
    SignedTokens::new(SecretKeys::new(KEY), HOUR).sign(user_id, SystemTime::now())
}

fn bearing(token: &str) -> String {
    format!("Authorization: Bearer {token}\r\n")
}

async fn shake(site: &Site, path: &str, headers: &str) -> (Head, Raw) {
    let mut raw = Raw::connect(site.address).await;
    raw.send(handshake(path, headers)).await;
    (raw.head().await, raw)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_missing_or_wrong_token_is_401_on_the_routes_that_ask_for_one() {
    let folder = Folder::with(&format!("{SITE}{SIGNED}"));
    let site = folder.start();
    let old = SignedTokens::new(SecretKeys::new(KEY), HOUR).sign("7", SystemTime::now() - 2 * HOUR);
    let wrong = [bearing("forged"), bearing(&old), bearing(""), bearing(&format!("{}x", token("7")))];
    for headers in wrong.iter().map(String::as_str).chain(["", "Authorization: Basic YTpi\r\n"]) {
        let page = get(site.address, "/api/", headers).await.0;
        let socket = shake(&site, "/ws/program/", headers).await.0;
        for head in [page, socket] {
            assert_eq!(head.status, 401, "{headers:?}: {}", head.text);
            assert!(
                head.header("www-authenticate").is_some_and(|it| it.starts_with("Bearer")),
                "{}",
                head.text
            );
        }
    }
    for headers in &wrong {
        assert_eq!(get(site.address, "/either/", headers).await.0.status, 401, "{headers:?}");
        assert_eq!(shake(&site, "/ws/either/", headers).await.0.status, 401, "{headers:?}");
        // Where the file does not ask for tokens the header is not this site's business.
        assert_eq!(get(site.address, "/page/", headers).await.0.status, 200, "{headers:?}");
    }
    assert_eq!(get(site.address, "/either/", "").await.1, "for everybody");
    assert_eq!(post(site.address, "/api/", &bearing(&token("7")), "").await.1, "for programs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_without_origin_comes_in_by_its_token_alone_and_only_where_the_file_says_so() {
    let token = bearing(&token("7"));
    let elsewhere = format!("Origin: https://evil.example\r\n{token}");
    let page = "Origin: http://127.0.0.1\r\n";
    for (more, without_origin) in [(SIGNED, 101), ("\n[auth.bearer]\nsigned = {}\n", 403)] {
        let folder = Folder::with(&format!("{SITE}{more}"));
        let site = folder.start();
        for (path, headers, status) in [
            ("/ws/program/", token.as_str(), without_origin),
            ("/ws/program/", elsewhere.as_str(), 403),
            ("/ws/program/", &format!("{page}{token}"), 101),
            ("/ws/either/", token.as_str(), without_origin),
            ("/ws/either/", "", 403),
            ("/ws/either/", page, 101),
            ("/ws/page/", token.as_str(), 403),
            ("/ws/page/", page, 101),
        ] {
            assert_eq!(shake(&site, path, headers).await.0.status, status, "{path} {headers} with {more}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_neither_echoed_nor_logged() {
    let (good, bad) = (token("7"), format!("{}x", token("8")));
    let (front, back) =
        (Folder::with(&format!("{SITE}{SIGNED}\n[log]\nlevel = \"debug\"\n")), Folder::with(""));
    let log = std::fs::File::create(back.path("errors")).unwrap();
    let mut site = Site::start(solent().arg("--config").arg(front.config()).stderr(log));
    for token in [&good, &bad] {
        let status = if token == &good { 101 } else { 401 };
        let offered = format!("Sec-WebSocket-Protocol: chat.v1, bearer.{token}\r\n");
        let only = format!("Sec-WebSocket-Protocol: bearer.{token}\r\n");
        for headers in [offered, only, bearing(token)] {
            let (head, mut socket) = shake(&site, "/ws/program/", &headers).await;
            assert_eq!(head.status, status, "{}", head.text);
            assert!(!head.text.contains(token.as_str()) && !head.text.contains("bearer."), "{}", head.text);
            let chosen = (headers.contains("chat.v1") && status == 101).then_some("chat.v1");
            assert_eq!(head.header("sec-websocket-protocol"), chosen);
            if status == 101 {
                socket.send_text(r#"{"hello":1}"#).await;
                assert!(socket.text().await.contains(r#"{"hello":1}"#));
            }
        }
        let (head, body) = get(site.address, "/api/", &bearing(token)).await;
        assert!(!head.text.contains(token.as_str()) && !body.contains(token.as_str()), "{}{body}", head.text);
    }
    site.signal("TERM");
    let mut lines = Vec::new();
    loop {
        match site.line() {
            line if line.is_empty() && lines.last().is_some_and(String::is_empty) => break,
            line => lines.push(line),
        }
    }
    let log = lines.join("\n") + &std::fs::read_to_string(back.path("errors")).unwrap();
    assert!(log.contains("/ws/program/") && log.contains("refused a token"), "not the log: {log}");
    assert!(!log.contains(&good) && !log.contains(&bad), "a token in the log: {log}");
    // Neither the part that is no signature.
    assert!(!log.contains(good.rsplit('.').next().unwrap()), "a signature in the log: {log}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jwts_are_verified_by_the_keys_of_files_beside_tokens_of_the_sites_own() {
    let folder = Folder::with(&format!(
        r#"{SITE}
[auth.bearer]
signed = {{}}
without_origin = true

[auth.bearer.jwt]
audience = "chat"
user_claim = "user_id"
keys = [
    {{ algorithm = "RS256", verifying_key = "file:login.pem", id = "rsa" }},
    {{ algorithm = "HS256", verifying_key = "file:secret", id = "old" }},
    {{ algorithm = "ES256", verifying_key = "file:curve.pem" }},
]
"#
    ));
    let pair = rcgen::KeyPair::generate().unwrap();
    let secret = "a secret of at least thirty-two bytes";
    folder.write("login.pem", RSA_PUBLIC);
    folder.write("secret", &format!("{secret}\n"));
    folder.write("curve.pem", &pair.public_key_pem());
    let site = folder.start();
    let soon = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
    let rsa = EncodingKey::from_rsa_pem(RSA).unwrap();
    let curve = EncodingKey::from_ec_pem(pair.serialize_pem().as_bytes()).unwrap();
    let hmac = EncodingKey::from_secret(secret.as_bytes()).unwrap();
    let public = EncodingKey::from_secret(RSA_PUBLIC.as_bytes()).unwrap();
    let good = json!({ "user_id": 7, "aud": "chat", "exp": soon });
    let other = json!({ "user_id": 7, "aud": "shop", "exp": soon });
    for (algorithm, key, kid, claims, status) in [
        (Algorithm::RS256, &rsa, Some("rsa"), &good, 101),
        (Algorithm::HS256, &hmac, Some("old"), &good, 101),
        (Algorithm::ES256, &curve, None, &good, 101),
        (Algorithm::RS256, &rsa, Some("old"), &good, 401),
        (Algorithm::HS256, &public, Some("rsa"), &good, 401),
        (Algorithm::RS256, &rsa, Some("rsa"), &other, 401),
    ] {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(algorithm) };
        let token = encode(&header, claims, key).unwrap();
        let head = shake(&site, "/ws/program/", &bearing(&token)).await.0;
        assert_eq!(head.status, status, "{algorithm:?} {kid:?} {claims}: {}", head.text);
    }
    assert_eq!(shake(&site, "/ws/program/", &bearing(&token("7"))).await.0.status, 101);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_of_a_database_are_those_of_its_active_users() {
    let database = "\n[database]\nurl = \"sqlite:site.db\"\n";
    let folder = Folder::with(&format!("{SITE}{SIGNED}{database}"));
    folder.run(&["migrate"]);
    let added = folder.run(&["user", "add", "robot", "--no-password"]);
    assert_eq!(stdout_of(&added), "robot is user 1\n", "{}", stderr_of(&added));
    let site = folder.start();
    assert_eq!(get(site.address, "/api/", &bearing(&token("1"))).await.0.status, 200);
    assert_eq!(get(site.address, "/api/", &bearing(&token("2"))).await.0.status, 401);
    folder.run(&["user", "deactivate", "robot"]);
    assert_eq!(get(site.address, "/api/", &bearing(&token("1"))).await.0.status, 401);
    drop(site);
    folder.write("solent.toml", &format!("{SITE}{SIGNED}users = \"claims\"\n{database}"));
    let site = folder.start();
    assert_eq!(get(site.address, "/api/", &bearing(&token("2"))).await.0.status, 200);
}

#[test]
fn the_table_of_routes_tells_where_tokens_are_taken_and_no_command_shows_a_key() {
    let jwt = "jwt = { keys = [{ algorithm = \"HS256\", verifying_key = \"never shown, of more than 32 bytes\" }] }\n";
    let folder = Folder::with(&format!("{SITE}{SIGNED}{jwt}"));
    let routes = stdout_of(&folder.run(&["routes"]));
    let guards = |path: &str| routes.lines().find(|line| line.contains(path)).unwrap_or_default().to_owned();
    assert!(guards("/ws/program/").contains("  bearer  "), "{routes}");
    assert!(guards("/ws/either/").contains("  bearer or session  "), "{routes}");
    let shown = stdout_of(&folder.run(&["config", "show"]));
    assert!(shown.contains("verifying_key = \"…\"") && !shown.contains("never shown"), "{shown}");
}

#[test]
fn the_file_of_the_security_page_is_right() {
    let page = std::fs::read_to_string(super::binary::project().join("docs/security.md")).unwrap();
    let block = page.split("```toml\n").find(|block| block.contains("[auth.bearer]")).expect("the block");
    let block = block.split("```").next().unwrap().replace("/etc/solent/", "");
    let head = "debug = true\nsecret_key = \"only-for-tests\"\nchannel_layers.default.backend = \"memory\"\n";
    let folder = Folder::with(&format!("{head}{block}"));
    folder.write("login.pub.pem", RSA_PUBLIC);
    let checked = folder.run(&["check", "--offline"]);
    assert!(checked.status.success(), "{}", stderr_of(&checked));
}
