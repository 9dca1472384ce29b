//! Sessions: loaded at first use, saved when changed, never adopted, never revived, in every store.

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use proptest::prelude::*;
use serde_json::{Value, json};
use solent::auth::{
    Database, DatabaseOptions, DatabaseSessions, Expiry, MemorySessions, Session, SessionData, SessionError,
    SessionSettings, SessionStore, SignedCookieSessions,
};
use solent::middleware::SameSite;

use crate::support::{cases, keys_of, text, vectors};

fn session(store: &Arc<dyn SessionStore>, key: Option<&str>) -> Session {
    Session::new(Arc::clone(store), Arc::default(), key)
}

async fn database() -> Database {
    let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    database
}

/// The stores that keep state on the server, on which all the same promises hold.
async fn stores() -> Vec<Arc<dyn SessionStore>> {
    let database = DatabaseSessions::new(database().await, keys_of("secret"));
    vec![Arc::new(MemorySessions::new()), Arc::new(database)]
}

#[tokio::test]
async fn what_is_put_in_is_there_next_time() {
    let cookies = SignedCookieSessions::new(keys_of("secret"), Duration::from_secs(60));
    let mut stores = stores().await;
    stores.push(Arc::new(cookies));
    for store in stores {
        let first = session(&store, None);
        first.set("name", "Zoë").await.unwrap();
        first.set("cart", &[1, 2]).await.unwrap();
        let header = first.commit().await.unwrap().unwrap();
        let cookie = header.to_str().unwrap();
        assert!(cookie.ends_with("; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax"), "{cookie}");
        let key = cookie.strip_prefix("sessionid=").unwrap().split(';').next().unwrap().trim_matches('"');

        let next = session(&store, Some(key));
        assert_eq!(next.get::<String>("name").await.unwrap().as_deref(), Some("Zoë"));
        assert_eq!(next.get::<Vec<i32>>("cart").await.unwrap(), Some(vec![1, 2]));
        assert_eq!(next.commit().await.unwrap(), None, "nothing changed, so there is nothing to say");
    }
}

#[tokio::test]
async fn a_key_that_is_not_known_is_never_adopted() {
    for store in stores().await {
        for planted in ["a-planted-session-key", "short", "", &"x".repeat(4000), "nul\0nul\0nul"] {
            let visitor = session(&store, Some(planted));
            visitor.set("mine", &true).await.unwrap();
            visitor.save().await.unwrap();
            let key = visitor.key().await.unwrap().unwrap();
            assert_ne!(key, planted);
            assert_eq!(key.len(), 32);
            assert!(store.load(planted).await.unwrap().is_none());
        }
    }
}

#[tokio::test]
async fn a_session_that_was_deleted_meanwhile_is_not_made_again() {
    for store in stores().await {
        let first = session(&store, None);
        first.set("a", &1).await.unwrap();
        first.save().await.unwrap();
        let key = first.key().await.unwrap().unwrap();

        let here = session(&store, Some(&key));
        assert_eq!(here.get::<i32>("a").await.unwrap(), Some(1));
        session(&store, Some(&key)).flush().await.unwrap();
        here.set("a", &2).await.unwrap();
        assert!(matches!(here.commit().await, Err(SessionError::Deleted)));
        assert!(store.load(&key).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_new_key_keeps_the_data_and_ends_the_old_one() {
    for store in stores().await {
        let first = session(&store, None);
        first.set("cart", &7).await.unwrap();
        first.save().await.unwrap();
        let old = first.key().await.unwrap().unwrap();

        let login = session(&store, Some(&old));
        login.cycle_key().await.unwrap();
        login.commit().await.unwrap().unwrap();
        let new = login.key().await.unwrap().unwrap();
        assert_ne!(new, old);
        assert!(store.load(&old).await.unwrap().is_none());
        assert_eq!(session(&store, Some(&new)).get::<i32>("cart").await.unwrap(), Some(7));
    }
}

#[tokio::test]
async fn a_flushed_session_is_gone_at_once_and_its_cookie_with_the_answer() {
    for store in stores().await {
        let first = session(&store, None);
        first.set("a", &1).await.unwrap();
        first.save().await.unwrap();
        let key = first.key().await.unwrap().unwrap();

        let logout = session(&store, Some(&key));
        logout.flush().await.unwrap();
        assert!(store.load(&key).await.unwrap().is_none());
        let header = logout.commit().await.unwrap().unwrap();
        let deletion =
            r#"sessionid=""; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; SameSite=Lax"#;
        assert_eq!(header, deletion);
    }
}

#[tokio::test]
async fn expired_sessions_are_empty_and_can_be_cleared() {
    for store in stores().await {
        let mut data = SessionData::default();
        data.set("a", &1).unwrap();
        let past = store.save(None, &data, Utc::now() - TimeDelta::seconds(1)).await.unwrap();
        let future = store.save(None, &data, Utc::now() + TimeDelta::hours(1)).await.unwrap();
        assert_eq!(session(&store, Some(&past)).get::<i32>("a").await.unwrap(), None);
        assert_eq!(store.are_live(&[&past, &future, "unknown-key"]).await.unwrap(), [false, true, false]);
        assert_eq!(store.clear_expired().await.unwrap(), 1);
        assert!(store.load(&future).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn after_the_answer_the_cookie_cannot_change_but_the_data_can() {
    for store in stores().await {
        let socket = session(&store, None);
        socket.set("a", &1).await.unwrap();
        assert!(socket.commit().await.unwrap().is_some());
        socket.set("a", &2).await.unwrap();
        socket.save().await.unwrap();
        let key = socket.key().await.unwrap().unwrap();
        assert_eq!(session(&store, Some(&key)).get::<i32>("a").await.unwrap(), Some(2));
        assert!(matches!(socket.cycle_key().await, Err(SessionError::Answered)));
        socket.flush().await.unwrap();
        assert!(store.load(&key).await.unwrap().is_none());

        let stranger = session(&store, None);
        assert_eq!(stranger.commit().await.unwrap(), None);
        stranger.set("a", &1).await.unwrap();
        assert!(matches!(stranger.save().await, Err(SessionError::Answered)));
    }
}

#[tokio::test]
async fn a_session_in_the_cookie_cannot_be_changed_after_the_answer() {
    let store: Arc<dyn SessionStore> =
        Arc::new(SignedCookieSessions::new(keys_of("secret"), Duration::from_secs(60)));
    let socket = session(&store, None);
    socket.set("a", &1).await.unwrap();
    socket.commit().await.unwrap();
    socket.set("a", &2).await.unwrap();
    assert!(matches!(socket.save().await, Err(SessionError::Answered)));
    assert!(matches!(socket.flush().await, Err(SessionError::Answered)));
}

#[tokio::test]
async fn the_cookie_bears_the_settings_and_the_sessions_own_end() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessions::new());
    let mut settings = SessionSettings::default();
    settings.cookie_name = "sid".to_owned();
    settings.cookie_path = "/app".to_owned();
    settings.cookie_domain = Some(".example.com".to_owned());
    settings.cookie_secure = Some(true);
    let settings = Arc::new(settings);
    let cookie_of = |expiry| {
        let session = Session::new(Arc::clone(&store), Arc::clone(&settings), None);
        async move {
            session.set("a", &1).await.unwrap();
            session.set_expiry(expiry).await.unwrap();
            session.commit().await.unwrap().unwrap().to_str().unwrap().to_owned()
        }
    };
    let cookie = cookie_of(Expiry::Default).await;
    assert!(cookie.starts_with("sid="), "{cookie}");
    assert!(cookie.contains("; Domain=.example.com; expires="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; Max-Age=1209600; Path=/app; SameSite=Lax; Secure"), "{cookie}");
    assert!(!cookie_of(Expiry::BrowserClose).await.contains("Max-Age"));
    assert!(cookie_of(Expiry::After(Duration::from_secs(300))).await.contains("; Max-Age=300;"));
    let cookie = cookie_of(Expiry::At(Utc::now() + TimeDelta::seconds(100))).await;
    assert!(cookie.contains("; Max-Age=99;") || cookie.contains("; Max-Age=100;"), "{cookie}");

    let mut settings = SessionSettings::default();
    (settings.cookie_http_only, settings.cookie_same_site) = (false, SameSite::Strict);
    settings.cookie_age = Duration::from_secs(60);
    for (at_close, end) in
        [(false, "; Max-Age=60; Path=/; SameSite=Strict"), (true, "; Path=/; SameSite=Strict")]
    {
        settings.expire_at_browser_close = at_close;
        let session = Session::new(Arc::clone(&store), Arc::new(settings.clone()), None);
        session.set("a", &1).await.unwrap();
        let cookie = session.commit().await.unwrap().unwrap().to_str().unwrap().to_owned();
        assert!(cookie.ends_with(end), "{cookie}");
        assert!(!cookie.contains("HttpOnly") && cookie.contains("Max-Age") != at_close, "{cookie}");
    }
}

#[tokio::test]
async fn only_keys_of_djangos_shape_are_looked_up() {
    let vectors = vectors("sessions.json");
    let all = cases(&vectors, "session_key_shape");
    for case in &all {
        let presented = Session::new(Arc::new(AnyKey), Arc::default(), Some(text(case, "key")));
        let found = presented.get::<bool>("found").await.unwrap().is_some();
        assert_eq!(Value::Bool(found), case["accepted"], "{case}");
    }
    assert_eq!(all.len(), 6);
}

/// A store that knows every key.
#[derive(Debug)]
struct AnyKey;

impl SessionStore for AnyKey {
    fn load<'a>(
        &'a self,
        _: &'a str,
    ) -> futures_util::future::BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        Box::pin(async { Ok(SessionData::parse(br#"{"found": true}"#)) })
    }

    fn save<'a>(
        &'a self,
        _: Option<&'a str>,
        _: &'a SessionData,
        _: chrono::DateTime<Utc>,
    ) -> futures_util::future::BoxFuture<'a, Result<String, SessionError>> {
        Box::pin(async { Ok("key-of-a-fake".to_owned()) })
    }

    fn delete<'a>(&'a self, _: &'a str) -> futures_util::future::BoxFuture<'a, Result<(), SessionError>> {
        Box::pin(async { Ok(()) })
    }

    fn clear_expired(&self) -> futures_util::future::BoxFuture<'_, Result<u64, SessionError>> {
        Box::pin(async { Ok(0) })
    }
}

#[tokio::test]
async fn the_database_holds_what_django_would_write() {
    let database = database().await;
    let store: Arc<dyn SessionStore> = Arc::new(DatabaseSessions::new(database.clone(), keys_of("secret")));
    let session = session(&store, None);
    session.set("a", &1).await.unwrap();
    session.save().await.unwrap();
    let row = database
        .row("SELECT *, typeof(expire_date) AS kind FROM django_session", &[])
        .await
        .unwrap()
        .unwrap();
    assert_eq!(row["kind"], "text");
    let expires =
        chrono::NaiveDateTime::parse_from_str(row["expire_date"].as_str().unwrap(), "%Y-%m-%d %H:%M:%S%.f");
    let age = expires.unwrap().and_utc() - Utc::now();
    assert!((1_209_590..=1_209_600).contains(&age.num_seconds()), "{age}");
    assert!(row["session_data"].as_str().unwrap().starts_with("eyJhIjoxfQ:"), "{row:?}");

    // Signed with another key, the row is an empty session that keeps its key, as in Django.
    let other: Arc<dyn SessionStore> = Arc::new(DatabaseSessions::new(database, keys_of("another")));
    let key = row["session_key"].as_str().unwrap();
    assert!(other.load(key).await.unwrap().unwrap().is_empty());
}

#[tokio::test]
async fn entries_that_nobody_reads_survive_a_rewrite_character_by_character() {
    let store: Arc<dyn SessionStore> = Arc::new(MemorySessions::new());
    let odd =
        r#"{"big": 123456789012345678901234567890, "f": 1e+100, "s": "\ud800\u00e9", "n": {"z": 1, "a": 2}}"#;
    let data = SessionData::parse(odd.as_bytes()).unwrap();
    let key = store.save(None, &data, Utc::now() + TimeDelta::hours(1)).await.unwrap();
    let session = session(&store, Some(&key));
    session.set("mine", &json!(null)).await.unwrap();
    session.save().await.unwrap();
    let saved = store.load(&key).await.unwrap().unwrap().to_json();
    let expected = r#"{"big":123456789012345678901234567890,"f":1e+100,"s":"\ud800\u00e9","n":{"z": 1, "a": 2},"mine":null}"#;
    assert_eq!(saved, expected);
}

#[tokio::test]
async fn without_middleware_there_is_nothing_to_read_and_nothing_can_be_written() {
    let none = Session::default();
    assert_eq!(none.get::<i32>("a").await.unwrap(), None);
    assert!(matches!(none.set("a", &1).await, Err(SessionError::NoMiddleware)));
    assert_eq!(none.commit().await.unwrap(), None);
}

#[tokio::test]
async fn an_idle_handle_lets_go_of_its_data_and_loads_it_again() {
    for store in stores().await {
        let socket = session(&store, None);
        socket.set("a", &1).await.unwrap();
        socket.commit().await.unwrap();
        socket.shrink();
        let key = socket.key().await.unwrap().unwrap();
        socket.shrink();
        store.delete(&key).await.unwrap();
        assert_eq!(socket.get::<i32>("a").await.unwrap(), None, "read again, and gone meanwhile");
    }
}

#[tokio::test]
async fn expired_sessions_are_cleared_while_the_server_runs() {
    let database = database().await;
    let rows = async || database.rows("SELECT session_key FROM django_session", &[]).await.unwrap().len();
    let store: Arc<dyn SessionStore> = Arc::new(DatabaseSessions::new(database.clone(), keys_of("secret")));
    store.save(None, &SessionData::default(), Utc::now() + TimeDelta::hours(1)).await.unwrap();
    store.save(None, &SessionData::default(), Utc::now() - TimeDelta::seconds(1)).await.unwrap();
    assert_eq!(rows().await, 2);
    let server = solent::server::Server::new(solent::routing::ProtocolTypeRouter::new())
        .bind("127.0.0.1:0")
        .access_log(solent::server::AccessLog::off())
        .on_startup(solent::auth::clear_expired_sessions(store, Duration::from_millis(10)));
    let running = server.start().await.unwrap();
    let cleared = async || rows().await == 1;
    crate::waiting::eventually_async("what has expired is cleared", crate::raw::PATIENCE, cleared).await;
    running.shutdown().await.unwrap();
    assert_eq!(rows().await, 1, "what is live stays");
}

proptest! {
    #[test]
    fn any_bytes_are_a_session_or_none_without_a_panic(bytes: Vec<u8>) {
        if let Some(data) = SessionData::parse(&bytes) {
            data.expiry();
        }
    }

    #[test]
    fn any_text_in_a_cookie_is_an_empty_session(cookie in any::<String>()) {
        let store = SignedCookieSessions::new(keys_of("secret"), Duration::from_secs(60));
        let found = futures_util::FutureExt::now_or_never(store.load(&cookie)).unwrap();
        prop_assert!(found.unwrap().is_none());
    }

    #[test]
    fn any_expiry_entry_gives_an_end(entry in prop_oneof![
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ]) {
        let mut data = SessionData::default();
        data.set("_session_expiry", &entry).unwrap();
        data.expiry().date(Utc::now(), Duration::from_secs(60));
        data.expiry().age(Utc::now(), Duration::from_secs(60));
    }
}
