//! `session.backend`: a visitor logs in, is known, and logs out, wherever sessions live.

use std::io::Write;
use std::process::Stdio;

use super::binary::{Folder, solent};
use super::redis::RedisServer;
use super::visitor::{get, post, set_cookies, token_of};

fn config(session: &str) -> String {
    format!(
        r#"
debug = true
secret_key = "only-for-tests"
allowed_hosts = ["127.0.0.1"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[database]
url = "sqlite:site.db"

[auth]
login_url = "login"
login_redirect_url = "courses:list"

[session]
{session}

[[http]]
path = "login/"
name = "login"
login = {{}}

[[http]]
path = "logout/"
name = "logout"
logout = {{}}

[[http]]
path = "password/"
name = "password_change"
password_change = {{}}
login_required = true

[[http]]
path = "courses/"
name = "courses:list"
respond = {{ body = "for members" }}
login_required = true
"#
    )
}

fn with(cookies: &str) -> String {
    format!("Cookie: {cookies}\r\n")
}

/// Makes the account of `dora`.
fn prepared(session: &str) -> Folder {
    let folder = Folder::with(&config(session));
    assert!(folder.run(&["migrate"]).status.success());
    let mut command = solent();
    command.args(["user", "add", "dora", "--config"]).arg(folder.config());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"a long password\n").unwrap();
    assert!(child.wait().unwrap().success());
    folder
}

#[tokio::test]
async fn visitors_log_in_and_out_wherever_sessions_live() {
    let redis = RedisServer::start();
    let cache = format!("cache.url = \"{}\"", redis.url());
    for (backend, more, name) in [
        ("db", "", "sessionid"),
        ("signed_cookies", "cookie_name = \"ours\"\ncookie_samesite = \"Strict\"", "ours"),
        ("memory", "", "sessionid"),
        ("cache", cache.as_str(), "sessionid"),
        ("cached_db", cache.as_str(), "sessionid"),
    ] {
        let folder = prepared(&format!("backend = \"{backend}\"\n{more}"));
        let site = folder.start();
        let (head, _) = get(site.address, "/courses/", "").await;
        assert_eq!(
            (head.status, head.header("location")),
            (302, Some("/login/?next=/courses/")),
            "{backend}"
        );
        let (head, page) = get(site.address, "/login/", "").await;
        let csrf = set_cookies(&head)[0].split(';').next().unwrap().to_owned();
        let form =
            format!("csrfmiddlewaretoken={}&username=dora&password=a%20long%20password", token_of(&page));
        let (head, page) = post(site.address, "/login/", &with(&csrf), &form).await;
        assert_eq!((head.status, head.header("location")), (302, Some("/courses/")), "{backend}: {page}");
        let start = format!("{name}=");
        let set = set_cookies(&head);
        let session = set.iter().find(|cookie| cookie.starts_with(&start)).expect("a session's cookie");
        assert!(session.contains("HttpOnly"), "{backend}: {session}");
        let strict = session.contains("SameSite=Strict");
        assert_eq!(strict, backend == "signed_cookies", "{session}");
        let cookies = format!("{csrf}; {}", session.split(';').next().unwrap());
        assert_eq!(get(site.address, "/courses/", &with(&cookies)).await.1, "for members", "{backend}");
        let (_, page) = get(site.address, "/password/", &with(&cookies)).await;
        let form = format!("csrfmiddlewaretoken={}", token_of(&page));
        let (head, page) = post(site.address, "/logout/", &with(&cookies), &form).await;
        assert_eq!((head.status, head.header("location")), (302, Some("/login/")), "{backend}: {page}");
        let gone = set_cookies(&head)
            .iter()
            .any(|cookie| cookie.starts_with(&start) && cookie.contains("Max-Age=0"));
        assert!(gone, "{backend}: {}", head.text);
        // What the visitor's own browser holds cannot be ended from here, which the file's reference says.
        let (head, _) = get(site.address, "/courses/", &with(&cookies)).await;
        assert_eq!(head.status, if backend == "signed_cookies" { 200 } else { 302 }, "{backend}");
    }
}
