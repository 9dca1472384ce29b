//! Views and consumers know who their user is; logging in and out, in both.

use solent::auth::{
    Auth, AuthSettings, DatabaseUsers, Hasher, Passwords, Rehash, SecretKeys, User, normalize_username,
};

use crate::site::{CHEAP, KEY, Plan, Site, cookie_of, set_password, stored};

#[tokio::test]
async fn a_session_made_by_a_login_names_its_user_to_views_and_consumers() {
    let site = Site::start().await;
    assert_eq!(site.get("/whoami/", "").await.1, "nobody");
    let cookie = site.alice().await;
    assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
    assert_eq!(site.socket("/ws/whoami/", &cookie).await.text().await, "alice");
    assert_eq!(site.socket("/ws/whoami/", "").await.text().await, "nobody");
    let row =
        site.database.row("SELECT last_login FROM auth_user WHERE username = 'alice'", &[]).await.unwrap();
    assert!(row.unwrap()["last_login"].is_string());
}

#[tokio::test]
async fn the_cookie_is_hidden_from_scripts_and_from_other_sites() {
    let site = Site::start().await;
    let (head, _) = site.post("/login/", "", "username=alice&password=wonderland-1").await;
    let cookie = head.header("set-cookie").unwrap();
    assert!(cookie.starts_with("sessionid="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"), "{cookie}");
    assert_eq!(head.header("vary"), Some("Cookie"));
}

#[tokio::test]
async fn a_wrong_password_an_unknown_and_an_inactive_user_are_refused_alike() {
    let site = Site::start().await;
    let mut answers = Vec::new();
    for (username, password) in
        [("alice", "wrong"), ("mallory", "x"), ("bob", "builder-2"), ("Alice", "wonderland-1")]
    {
        let (head, body) =
            site.post("/login/", "", &format!("username={username}&password={password}")).await;
        assert_eq!(head.header("set-cookie"), None);
        answers.push((head.status, body));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers[0].0, 403);
}

#[tokio::test]
async fn a_login_changes_the_key_and_keeps_what_the_visitor_had() {
    let site = Site::start().await;
    let before = cookie_of(&site.get("/count/", "").await.0);
    let (head, _) = site.post("/login/", &before, "username=alice&password=wonderland-1").await;
    let after = cookie_of(&head);
    assert_ne!(before, after, "a planted key must not become a user's");
    assert_eq!(site.get("/count/", &after).await.1, "2");
    assert_eq!(site.get("/whoami/", &before).await.1, "nobody");
}

#[tokio::test]
async fn another_users_login_leaves_nothing_of_the_first() {
    let site = Site::start().await;
    let alice = site.alice().await;
    site.get("/count/", &alice).await;
    let (head, _) = site.post("/login/", &alice, "username=carol&password=singer-3").await;
    let carol = cookie_of(&head);
    assert_eq!(site.get("/count/", &carol).await.1, "1");
    assert_eq!(site.get("/whoami/", &carol).await.1, "carol");
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
}

#[tokio::test]
async fn the_same_users_second_login_keeps_the_key() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let (head, _) = site.post("/login/", &alice, "username=alice&password=wonderland-1").await;
    assert_eq!(cookie_of(&head), alice);
}

#[tokio::test]
async fn a_logout_forgets_the_session_and_takes_the_cookie() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let (head, body) = site.post("/logout/", &alice, "").await;
    assert_eq!((head.status, &*body), (200, ""));
    assert!(head.header("set-cookie").unwrap().starts_with(r#"sessionid=""; expires=Thu, 01 Jan 1970"#));
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
    assert!(site.database.rows("SELECT * FROM django_session", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn tampered_expired_and_foreign_sessions_are_anonymous() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let key = alice.strip_prefix("sessionid=").unwrap();
    for cookie in [
        "sessionid=unknownunknownunknownunknownunkn",
        "sessionid=x",
        "sessionid=\"\\000\\000aaaaaaaaaa\"",
        &alice[..30],
    ] {
        assert_eq!(site.get("/whoami/", cookie).await.1, "nobody", "{cookie}");
    }
    let update = |set: &str| format!("UPDATE django_session SET {set} WHERE session_key = '{key}'");
    site.database.execute(&update("expire_date = '2020-01-01 00:00:00'"), &[]).await.unwrap();
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
    let (head, body) = site.get("/count/", &alice).await;
    assert_eq!(body, "1");
    assert_ne!(cookie_of(&head), alice, "an expired key is not adopted either");

    let alice = site.alice().await;
    let key = alice.strip_prefix("sessionid=").unwrap();
    let tampered =
        format!("UPDATE django_session SET session_data = session_data || 'x' WHERE session_key = '{key}'");
    site.database.execute(&tampered, &[]).await.unwrap();
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
}

#[tokio::test]
async fn a_changed_password_ends_the_users_other_sessions() {
    let site = Site::start().await;
    let alice = site.alice().await;
    set_password(&site, "alice", "new").await;
    let (head, body) = site.get("/whoami/", &alice).await;
    assert_eq!(body, "nobody");
    assert!(head.header("set-cookie").unwrap().starts_with(r#"sessionid="""#), "{}", head.text);
    assert!(site.database.rows("SELECT * FROM django_session", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_inactive_user_is_nobody_and_the_session_stays() {
    let site = Site::start().await;
    let alice = site.alice().await;
    site.database.execute("UPDATE auth_user SET is_active = 0 WHERE username = 'alice'", &[]).await.unwrap();
    assert_eq!(site.get("/whoami/", &alice).await.1, "nobody");
    site.database.execute("UPDATE auth_user SET is_active = 1 WHERE username = 'alice'", &[]).await.unwrap();
    assert_eq!(site.get("/whoami/", &alice).await.1, "alice");
}

#[tokio::test]
async fn a_user_has_the_rights_that_stand_in_the_table_and_nobody_has_none() {
    let site = Site::start().await;
    let sql = "UPDATE auth_user SET is_staff = :staff, is_superuser = :superuser WHERE username = 'alice'";
    for (staff, superuser) in [(false, false), (true, false), (false, true)] {
        let values = [("staff", staff.into()), ("superuser", superuser.into())];
        site.database.execute(sql, &values).await.unwrap();
        let user = site.auth.authenticate("alice", "wonderland-1").await.unwrap().unwrap();
        assert_eq!((user.is_staff(), user.is_superuser(), user.is_active()), (staff, superuser, true));
    }
    let nobody = User::anonymous();
    assert_eq!((nobody.is_authenticated(), nobody.username(), nobody.id()), (false, "", None));
    assert_eq!((nobody.is_staff(), nobody.is_superuser(), nobody.is_active()), (false, false, false));
}

#[tokio::test]
async fn a_session_of_another_backend_is_anonymous() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let mut settings = AuthSettings::default();
    settings.backends = vec!["some.other.Backend".to_owned()];
    let auth = Auth::new(DatabaseUsers::new(site.database.clone()), SecretKeys::new(KEY), settings);
    let (head, body) = whoami(&site, auth, SecretKeys::new(KEY), &alice).await;
    assert_eq!((&*body, head.get("set-cookie")), ("nobody", None));
}

#[tokio::test]
async fn after_a_change_of_keys_sessions_go_on_and_views_renew_them() {
    let site = Site::start().await;
    let alice = site.alice().await;
    let keys = SecretKeys::new("a new key, long enough to be one as well").with_fallbacks([KEY]);
    let renewed = Site::on(site.database.clone(), Plan { keys: keys.clone(), ..Plan::default() }).await;

    // A handshake takes the old hash as it is. Channels makes the user anonymous here and deletes the session.
    assert_eq!(renewed.socket("/ws/whoami/", &alice).await.text().await, "alice");
    let (head, body) = renewed.get("/whoami/", &alice).await;
    assert_eq!(body, "alice");
    let new_cookie = cookie_of(&head);
    assert_ne!(new_cookie, alice);

    // Renewed, the session needs the old key no more.
    let only_new = SecretKeys::new("a new key, long enough to be one as well");
    let without = Site::on(site.database.clone(), Plan { keys: only_new, ..Plan::default() }).await;
    assert_eq!(without.get("/whoami/", &new_cookie).await.1, "alice");
    assert_eq!(without.get("/whoami/", &alice).await.1, "nobody");
}

#[tokio::test]
async fn a_weaker_hash_is_replaced_at_login_before_the_session_is_bound_to_it() {
    let site = Site::start().await;
    let before = stored(&site, "alice").await.password;
    let mut settings = AuthSettings::default();
    settings.passwords = Passwords::new(Hasher::Pbkdf2Sha256 { iterations: 20 }).with_rehash(Rehash::Weaker);
    let auth = Auth::new(DatabaseUsers::new(site.database.clone()), SecretKeys::new(KEY), settings);
    let user = auth.authenticate("alice", "wonderland-1").await.unwrap().unwrap();
    let after = stored(&site, "alice").await.password;
    assert!(before.starts_with("pbkdf2_sha256$10$") && after.starts_with("pbkdf2_sha256$20$"), "{after}");
    assert_eq!(user.id(), Some("1"));
    // The site's own hasher is weaker; it leaves the stronger hash alone, and its sessions are bound to that one.
    let cookie = site.alice().await;
    assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
    assert_eq!(stored(&site, "alice").await.password, after);
}

#[tokio::test]
async fn a_login_in_a_consumer_gives_its_cookie_with_the_answer() {
    let site = Site::start().await;
    for path in ["/ws/login/", "/ws/blocking/login/"] {
        let head = site.handshake(&format!("{path}?username=alice&password=wonderland-1"), "").await;
        assert_eq!(head.status, 101, "{path}");
        let cookie = cookie_of(&head);
        assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
        assert_eq!(site.socket("/ws/whoami/", &cookie).await.text().await, "alice");
    }
}

#[tokio::test]
async fn a_blocking_consumer_reads_and_saves_its_session() {
    let site = Site::start().await;
    let cookie = cookie_of(&site.get("/count/", "").await.0);
    let mut raw = site.socket("/ws/blocking/login/?username=alice&password=wonderland-1", &cookie).await;
    assert_eq!(raw.text().await, "alice");
    for count in ["2", "3"] {
        raw.send_text("").await;
        assert_eq!(raw.text().await, count);
    }
    let row = site.database.row("SELECT count(*) AS sessions FROM django_session", &[]).await.unwrap();
    assert_eq!(row.unwrap()["sessions"], 1);
}

#[tokio::test]
async fn a_login_after_accept_is_an_error_that_says_so() {
    let site = Site::start().await;
    let outcome = site.socket("/ws/late/", "").await.text().await;
    assert!(outcome.contains("before accept"), "{outcome}");
    assert!(site.database.rows("SELECT * FROM django_session", &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn who_must_be_logged_in_is_led_to_the_login_page_and_back() {
    let site = Site::start().await;
    let (head, _) = site.get("/private/?a=1&b=%C3%A9", "").await;
    assert_eq!(
        (head.status, head.header("location")),
        (302, Some("/login/?next=/private/%3Fa%3D1%26b%3D%25C3%25A9"))
    );
    assert_eq!(site.get("/private/", &site.alice().await).await.1, "alice");
    assert_eq!(site.handshake("/ws/private/", "").await.status, 403);
    assert_eq!(site.handshake("/ws/private/", &site.alice().await).await.status, 101);
}

#[tokio::test]
async fn who_has_no_permission_gets_a_403_on_both_sides() {
    let site = Site::start().await;
    let (alice, carol) = (site.alice().await, site.login("carol", "singer-3").await);
    assert_eq!(site.get("/course/1/", "").await.0.status, 302);
    assert_eq!(site.get("/course/1/", &alice).await.1, "alice");
    for (path, cookie, status) in [
        ("/course/1/", &carol, 403),
        ("/course/2/", &alice, 403),
        ("/course/99999999999999999999/", &alice, 404),
    ] {
        assert_eq!(site.get(path, cookie).await.0.status, status, "{path}");
    }
    assert_eq!(site.handshake("/ws/course/1/", &alice).await.status, 101);
    assert_eq!(site.handshake("/ws/course/1/", &carol).await.status, 403);
    assert_eq!(site.handshake("/ws/course/2/", &alice).await.status, 403);
    assert_eq!(site.handshake("/ws/course/1/", "").await.status, 403);
}

#[tokio::test]
async fn a_foreign_host_is_refused_on_both_sides() {
    let site = Site::start().await;
    let (head, _) = site.request("GET /whoami/ HTTP/1.1\r\nHost: evil.example\r\n\r\n").await;
    assert_eq!(head.status, 400);
    let handshake = crate::raw::handshake("/ws/whoami/", "").replace("Host: 127.0.0.1", "Host: evil.example");
    let (head, _) = site.request(&handshake).await;
    assert_eq!(head.status, 400);
}

#[tokio::test]
async fn usernames_are_normalised_and_passwords_are_not() {
    assert_eq!(normalize_username("ﬁ\u{ff21}"), "fiA");
    let site = Site::start().await;
    let decomposed = CHEAP.encode("cafe\u{301}", "abcdefghijklmnopqrstuv").unwrap();
    let values = [("password", decomposed.into())];
    site.database.execute("UPDATE auth_user SET password = :password WHERE id = 1", &values).await.unwrap();
    assert!(site.auth.authenticate("alice", "caf\u{e9}").await.unwrap().is_none());
    assert!(site.auth.authenticate("alice", "cafe\u{301}").await.unwrap().is_some());
}

/// Asks `whoami` of a stack of its own, without a server.
async fn whoami(site: &Site, auth: Auth, keys: SecretKeys, cookie: &str) -> (http::HeaderMap, String) {
    use solent::Scoped as _;
    use solent::http::{Body, Request, Response};
    use tower::{Layer as _, ServiceExt as _, service_fn};
    let sessions = solent::auth::DatabaseSessions::new(site.database.clone(), keys);
    let stack = solent::middleware::auth_stack(solent::middleware::SessionLayer::new(sessions), auth);
    let view = service_fn(|request: Request| async move {
        let user = &request.scope().user;
        let name = if user.is_authenticated() { user.username() } else { "nobody" };
        Ok::<_, std::convert::Infallible>(Response::new(Body::from(name.to_owned())))
    });
    let request = http::Request::builder().uri("/").header("cookie", cookie).body(Body::empty()).unwrap();
    let response = stack.layer(view).oneshot(request).await.unwrap();
    let (head, body) = response.into_parts();
    (head.headers, String::from_utf8(body.bytes().await.unwrap().to_vec()).unwrap())
}

#[tokio::test]
async fn after_too_many_failures_the_next_login_waits_whatever_its_password() {
    let site = Site::start().await;
    let wrong = "username=alice&password=wrong";
    for _ in 0..10 {
        assert_eq!(site.post("/login/", "", wrong).await.0.status, 403);
    }
    for form in [wrong, "username=alice&password=wonderland-1"] {
        let (head, body) = site.post("/login/", "", form).await;
        assert_eq!(head.status, 429, "{body}");
        assert!((1..=300).contains(&head.header("retry-after").unwrap().parse::<u32>().unwrap()));
    }
    // Names that nobody has count alike, and other accounts are not concerned.
    for _ in 0..10 {
        assert_eq!(site.post("/login/", "", "username=nobody&password=x").await.0.status, 403);
    }
    assert_eq!(site.post("/login/", "", "username=nobody&password=x").await.0.status, 429);
    site.login("carol", "singer-3").await;
}

#[tokio::test]
async fn an_address_that_guesses_at_many_accounts_waits_for_all_of_them() {
    let site = Site::start().await;
    for number in 0..100 {
        let (head, _) = site.post("/login/", "", &format!("username=user{number}&password=x")).await;
        assert_eq!(head.status, 403);
    }
    assert_eq!(site.post("/login/", "", "username=carol&password=singer-3").await.0.status, 429);
}
