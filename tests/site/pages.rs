//! The site's pages and their guards, over raw sockets.

use chrono::{TimeDelta, Utc};
use solent::auth::{DatabaseUsers, NewUser, Passwords};

use super::hosting::CONSUMERS;
use super::live::{Live, cookies_of, token_of};
use super::raw::{Raw, handshake};
use super::site::Handlers;

async fn alice(live: &Live) -> String {
    live.login("alice", "wonderland-1").await
}

/// The value of `sessionid` among cookies.
fn session_of(cookies: &str) -> &str {
    cookies.split("; ").find_map(|cookie| cookie.strip_prefix("sessionid=")).expect("there is a session")
}

#[tokio::test]
async fn who_is_not_logged_in_is_led_to_the_login_page_with_next() {
    let live = Live::start(Handlers::Async).await;
    for (path, next) in [
        ("/courses/", "/courses/"),
        ("/courses/1/", "/courses/1/"),
        ("/chat/room/1/", "/chat/room/1/"),
        ("/chat/room/1/?from=mail&x=%20", "/chat/room/1/%3Ffrom%3Dmail%26x%3D%2520"),
        ("/chat/room/99/", "/chat/room/99/"),
    ] {
        let (head, _) = live.get(path, "").await;
        assert_eq!(head.status, 302, "{path}");
        assert_eq!(head.header("location"), Some(&*format!("/accounts/login/?next={next}")), "{path}");
    }
    let (head, _) = live.get("/", "").await;
    assert_eq!((head.status, head.header("location")), (302, Some("/courses/")));
}

#[tokio::test]
async fn members_see_their_courses_and_the_way_into_the_room() {
    let live = Live::start(Handlers::Async).await;
    let cookies = alice(&live).await;
    let (_, page) = live.get("/courses/", &cookies).await;
    assert!(page.contains("Rust for Django developers") && !page.contains("Networks from the wire up"));
    assert!(page.contains(r#"href="/courses/1/""#));
    let (_, page) = live.get("/courses/1/", &cookies).await;
    assert!(page.contains(r#"<h3><a href="/chat/room/1/">Course chat room</a></h3>"#), "{page}");
    let (head, page) = live.get("/chat/room/1/", &cookies).await;
    assert_eq!(head.status, 200);
    for part in [
        r#"<section class="chatbox"#,
        r#"<div id="chats" role="log""#,
        r#"id="chat-inputs""#,
        r#"id="chat-message-input""#,
        r#"<button id="chat-message-submit" type="submit">Send</button>"#,
    ] {
        assert!(page.contains(part), "{part}");
    }
    // Every page for a logged-in user holds the log-out form, those that refuse included.
    for path in ["/courses/", "/courses/1/", "/chat/room/1/", "/chat/room/2/", "/accounts/password_change/"] {
        let (_, page) = live.get(path, &cookies).await;
        assert!(
            page.contains(r#"<form class="account" method="post" action="/accounts/logout/">"#),
            "{path}: {page}"
        );
        assert_eq!(token_of(&page).len(), 64, "{path}");
    }
}

#[tokio::test]
async fn who_is_not_enrolled_gets_a_403_whether_the_course_is_there_or_not() {
    let live = Live::start(Handlers::Async).await;
    let carol = live.login("carol", "singer-3").await;
    for path in ["/chat/room/1/", "/courses/1/", "/chat/room/99/", "/chat/room/9223372036854775807/"] {
        assert_eq!(live.get(path, &carol).await.0.status, 403, "{path}");
    }
    assert_eq!(live.get("/chat/room/2/", &carol).await.0.status, 200);
    assert_eq!(live.get("/chat/room/99999999999999999999/", &carol).await.0.status, 404);
}

#[tokio::test]
async fn the_socket_enforces_the_same_rules_on_its_handshake() {
    for handlers in CONSUMERS {
        let live = Live::start(*handlers).await;
        let (alice, carol) = (alice(&live).await, live.login("carol", "singer-3").await);
        for (room, cookies, status) in [
            ("1", alice.as_str(), 101),
            ("1", "", 403),
            ("1", "sessionid=planted0planted0planted0planted0", 403),
            ("1", carol.as_str(), 403),
            ("2", carol.as_str(), 101),
            ("2", alice.as_str(), 403),
            ("99", alice.as_str(), 403),
        ] {
            let headers = format!("Origin: {}\r\nCookie: {cookies}\r\n", live.url());
            let mut raw = Raw::connect(live.address).await;
            raw.send(handshake(&format!("/ws/chat/room/{room}/"), &headers)).await;
            assert_eq!(raw.head().await.status, status, "{room} {cookies}");
        }
    }
}

#[tokio::test]
async fn a_login_changes_a_planted_session_and_its_cookies_bear_their_flags() {
    let live = Live::start(Handlers::Async).await;
    let (csrf, token) = live.csrf().await;
    let planted = "planted0planted0planted0planted0";
    let form = format!("csrfmiddlewaretoken={token}&username=alice&password=wonderland-1");
    let cookies = format!("{csrf}; sessionid={planted}");
    let (head, _) = live.post("/accounts/login/", &cookies, &form).await;
    let ours = cookies_of(&head);
    assert_ne!(session_of(&ours), planted);
    assert_eq!(live.get("/courses/", &format!("sessionid={planted}")).await.0.status, 302);
    // A session that somebody else has planted, one that exists, gets another key, too.
    let (second, token) = live.csrf().await;
    let form = format!("csrfmiddlewaretoken={token}&username=bob&password=builder-2");
    let taken = format!("{second}; sessionid={}", session_of(&ours));
    let (head, _) = live.post("/accounts/login/", &taken, &form).await;
    assert_ne!(session_of(&cookies_of(&head)), session_of(&ours));
    assert_eq!(live.get("/courses/", &ours).await.0.status, 302, "the session of the first user is gone");

    let flags = |name: &str| {
        let line =
            head.text.lines().find(|line| line.to_lowercase().starts_with(&format!("set-cookie: {name}=")));
        let line = line.unwrap_or_else(|| panic!("no {name}: {}", head.text));
        line.split("; ").skip(1).filter(|part| !part.starts_with("expires=")).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(flags("sessionid"), "HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax");
    assert_eq!(flags("csrftoken"), "Max-Age=31449600; Path=/; SameSite=Lax");
}

#[tokio::test]
async fn tampered_and_expired_sessions_are_anonymous() {
    let live = Live::start(Handlers::Async).await;
    let cookies = alice(&live).await;
    let key = session_of(&cookies);
    let (head, tail) = key.split_at(31);
    let other = if tail == "a" { "b" } else { "a" };
    for tampered in
        [format!("{head}{other}"), head.to_owned(), key.to_uppercase(), format!("{key}x"), String::new()]
    {
        assert_eq!(live.get("/courses/", &format!("sessionid={tampered}")).await.0.status, 302, "{tampered}");
    }
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 200);
    let database = live.database().await;
    let row = "UPDATE django_session SET session_data = :data WHERE session_key = :key";
    let stored = database.row("SELECT session_data FROM django_session", &[]).await.unwrap().unwrap();
    let text = stored["session_data"].as_str().unwrap();
    for data in
        [text.replacen(':', "x:", 1), text[1..].to_owned(), String::new(), "eyJhIjoxfQ:1:x".to_owned()]
    {
        database.execute(row, &[("data", data.into()), ("key", key.into())]).await.unwrap();
        assert_eq!(live.get("/courses/", &cookies).await.0.status, 302);
    }
    database.execute(row, &[("data", text.into()), ("key", key.into())]).await.unwrap();
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 200);
    let past = Utc::now() - TimeDelta::seconds(1);
    database
        .execute("UPDATE django_session SET expire_date = :past", &[("past", past.into())])
        .await
        .unwrap();
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 302);
}

#[tokio::test]
async fn twenty_shapes_of_next_lead_nowhere_but_to_the_courses() {
    let live = Live::start(Handlers::Async).await;
    let shapes = [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "////evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "\\/evil.example/",
        "http:evil.example",
        "http:/evil.example/",
        "http:///evil.example/",
        "https:\\\\evil.example/",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "\t//evil.example/",
        "/\t/evil.example/",
        "\u{8}//evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:99999@evil.example/",
        "http://127.0.0.1\\@evil.example/",
        "http://[::1/",
        "ftp://127.0.0.1/",
    ];
    assert!(shapes.len() >= 20);
    let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let (csrf, token) = live.csrf().await;
    let form = format!("csrfmiddlewaretoken={token}&username=alice&password=wonderland-1");
    let leads = async |shape: &str, path: &str, form: &str| {
        let (head, _) = live.post(path, &csrf, form).await;
        assert_eq!((head.status, head.header("location")), (302, Some("/courses/")), "{shape:?}: {path}");
    };
    for (number, shape) in shapes.iter().enumerate() {
        let next = encode(shape);
        leads(shape, "/accounts/login/", &format!("{form}&next={next}")).await;
        // Both places lead to the same check, and each log-in hashes a password: a few are enough here.
        if number % 5 == 0 {
            leads(shape, &format!("/accounts/login/?next={next}"), &form).await;
        }
    }
    for good in ["/chat/room/1/", "/chat/room/1/?a=b", &format!("http://{}/courses/1/", live.address)] {
        let (head, _) = live.post("/accounts/login/", &csrf, &format!("{form}&next={}", encode(good))).await;
        assert_eq!(head.header("location"), Some(good));
    }
}

#[tokio::test]
async fn forms_without_this_sites_token_are_refused() {
    let live = Live::start(Handlers::Async).await;
    let cookies = alice(&live).await;
    let (_, page) = live.get("/courses/", &cookies).await;
    let (token, host) = (token_of(&page), live.address);
    let (_, foreign) = live.csrf().await;
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let post = async |lines: &str, form: &str| {
        let length = form.len();
        let head =
            format!("POST /accounts/logout/ HTTP/1.1\r\nHost: {host}\r\n{kind}\r\nContent-Length: {length}");
        live.request(&format!("{head}\r\n{lines}\r\n{form}")).await.0.status
    };
    let (good, cookie) = (format!("csrfmiddlewaretoken={token}"), format!("Cookie: {cookies}\r\n"));
    let session = format!("Cookie: sessionid={}\r\n", session_of(&cookies));
    for (lines, form) in [
        (cookie.clone(), String::new()),
        (cookie.clone(), "csrfmiddlewaretoken=".to_owned()),
        (cookie.clone(), format!("csrfmiddlewaretoken={foreign}")),
        (cookie.clone(), format!("csrfmiddlewaretoken={}", &token[1..])),
        (cookie.clone(), format!("csrfmiddlewaretoken={}é", &token[1..])),
        (session, good.clone()),
        (format!("{cookie}Origin: https://evil.example\r\n"), good.clone()),
        (format!("{cookie}Origin: null\r\n"), good.clone()),
        (format!("{cookie}Origin: https://{host}\r\n"), good.clone()),
    ] {
        assert_eq!(post(&lines, &form).await, 403, "{lines}{form}");
    }
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 200, "nobody was logged out");
    assert_eq!(live.get("/accounts/logout/", &cookies).await.0.status, 405);
    assert_eq!(post(&format!("{cookie}Origin: http://{host}\r\n"), &good).await, 302);
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 302);
}

#[tokio::test]
async fn a_changed_password_ends_all_other_sessions_and_their_sockets() {
    let live = Live::start(Handlers::Async).await;
    let (here, elsewhere) = (alice(&live).await, alice(&live).await);
    let headers = format!("Origin: {}\r\nCookie: {elsewhere}\r\n", live.url());
    let mut socket = Raw::websocket_with(live.address, "/ws/chat/room/1/", &headers).await;
    let path = "/accounts/password_change/";
    let (_, page) = live.get("/courses/", &here).await;
    assert!(page.contains(&format!("href=\"{path}\"")), "{page}");
    let (_, page) = live.get(path, &here).await;
    let token = token_of(&page);
    let change = async |old: &str, new: &str, again: &str| {
        let form = format!(
            "csrfmiddlewaretoken={token}&old_password={old}&new_password1={new}&new_password2={again}"
        );
        live.post(path, &here, &form).await
    };
    for (old, new, again, problem) in [
        ("wrong", "looking-glass-2", "looking-glass-2", "entered incorrectly"),
        ("wonderland-1", "looking-glass-2", "looking-glass-3", "match"),
        ("wonderland-1", "short", "short", "8 characters"),
        ("wonderland-1", "Alice-2026", "Alice-2026", "username"),
    ] {
        let (head, page) = change(old, new, again).await;
        assert!(head.status == 200 && page.contains(problem), "{problem}: {page}");
    }
    assert_eq!(live.post(path, &here, "old_password=wonderland-1").await.0.status, 403, "no token");
    assert_eq!(live.get("/courses/", &elsewhere).await.0.status, 200);

    let (head, page) = change("wonderland-1", "looking-glass-2", "looking-glass-2").await;
    assert!(page.contains("was changed"), "{page}");
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(live.get("/courses/", &elsewhere).await.0.status, 302);
    assert_eq!(live.get("/courses/", &here).await.0.status, 302, "the session goes on under a new key");
    assert_eq!(live.get("/courses/", &cookies_of(&head)).await.0.status, 200);
    live.login("alice", "looking-glass-2").await;
    assert_eq!(
        live.get(path, "").await.0.header("location"),
        Some("/accounts/login/?next=/accounts/password_change/")
    );
}

#[tokio::test]
async fn a_name_or_title_that_looks_like_markup_stays_text() {
    let live = Live::start(Handlers::Async).await;
    let database = live.database().await;
    let name = "</script><b>";
    let password =
        &Passwords::new(solent::auth::Hasher::Pbkdf2Sha256 { iterations: 10 }).make("x").await.unwrap();
    let users = DatabaseUsers::new(database.clone());
    let user = users.create(NewUser { username: name, password, ..NewUser::default() }).await.unwrap();
    let sql = "INSERT INTO courses_course_students (course_id, user_id) VALUES (1, :id)";
    database.execute(sql, &[("id", user.id.into())]).await.unwrap();
    let sql = "UPDATE courses_course SET title = :title WHERE id = 1";
    database.execute(sql, &[("title", "<!--<script>\u{2028}&".into())]).await.unwrap();

    let cookies = live.login("%3C%2Fscript%3E%3Cb%3E", "x").await;
    for path in ["/courses/", "/courses/1/", "/chat/room/1/", "/chat/room/2/"] {
        let (_, page) = live.get(path, &cookies).await;
        assert!(!page.contains(name) && !page.contains("<!--<script>"), "{path}: {page}");
        assert!(page.contains("&lt;/script&gt;&lt;b&gt;"), "{path}: {page}");
    }
    let (_, page) = live.get("/chat/room/1/", &cookies).await;
    let (_, data) = page.split_once(r#"<script id="chat-data" type="application/json">"#).unwrap();
    let data: serde_json::Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
    assert_eq!(data["username"], name);
    assert_eq!((&data["course_id"], &data["socket"]), (&1.into(), &"/ws/chat/room/1/".into()));

    let headers = format!("Origin: {}\r\nCookie: {cookies}\r\n", live.url());
    let mut socket = Raw::websocket_with(live.address, "/ws/chat/room/1/", &headers).await;
    socket.send_text(r#"{"message": "<img src=x onerror=alert(1)>"}"#).await;
    let event = socket.frame().await.json();
    assert_eq!((&event["user"], &event["message"]), (&name.into(), &"<img src=x onerror=alert(1)>".into()));
}

#[tokio::test]
async fn files_come_whatever_has_become_of_the_database() {
    let live = Live::start(Handlers::Async).await;
    let cookies = alice(&live).await;
    live.database().await.execute("ALTER TABLE django_session RENAME TO away", &[]).await.unwrap();
    assert_eq!(live.get("/courses/", &cookies).await.0.status, 500);
    let (head, _) = live.get("/static/css/base.css", &cookies).await;
    assert_eq!((head.status, head.header("set-cookie"), head.header("vary")), (200, None, None));
    assert!(head.header("etag").is_some() && head.header("cache-control").is_some(), "{}", head.text);
}

#[tokio::test]
async fn with_demo_accounts_what_a_proxy_passed_on_or_another_host_is_a_403_with_the_reason() {
    let live = Live::start(Handlers::Async).await;
    let host = format!("Host: {}\r\n", live.address);
    for (headers, reason) in [
        (format!("{host}X-Forwarded-For: 192.0.2.7\r\n"), "header x-forwarded-for"),
        (format!("{host}Forwarded: for=192.0.2.7\r\n"), "header forwarded"),
        ("Host: example.com\r\n".to_owned(), "it is addressed to another host"),
    ] {
        let (head, body) = live.request(&format!("GET /accounts/login/ HTTP/1.1\r\n{headers}\r\n")).await;
        assert_eq!(head.status, 403, "{headers}");
        assert!(body.contains("demo accounts") && body.contains(reason), "{body}");
    }
    let mut raw = Raw::connect(live.address).await;
    raw.send(handshake("/ws/chat/room/1/", "X-Forwarded-For: 192.0.2.7\r\n")).await;
    assert_eq!(raw.head().await.status, 403);
}
