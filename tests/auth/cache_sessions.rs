//! Sessions in Django's cache on a real Redis: both sides read what the other wrote, and what only Python can read is
//! left as it is.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{TimeDelta, Utc};
use serde_json::{Value, json};
use solent::auth::{
    CacheSessions, CachedDatabaseSessions, Database, DatabaseOptions, DatabaseSessions, RedisCache,
    RedisCacheSettings, SecretKeys, Session, SessionData, SessionError, SessionSettings, SessionStore,
};
use solent::layers::redis::Host;

use crate::django::Django;
use crate::redis_server::RedisServer;
use crate::site::{KEY, Plan, Site, Store};
use crate::support::{cases, text, vectors};

fn cache_on(redis: &RedisServer) -> RedisCache {
    let mut settings = RedisCacheSettings::default();
    settings.hosts = vec![Host::parse(&redis.url()).unwrap()];
    RedisCache::new(settings)
}

fn command<T: redis::FromRedisValue>(server: &RedisServer, command: &redis::Cmd) -> redis::RedisResult<T> {
    command.query(&mut redis::Client::open(server.url())?.get_connection()?)
}

/// JSON as the vectors write it: numbers that JSON cannot hold, and tuples, are maps with one odd name.
fn plain(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(plain).collect(),
        Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        other => other.clone(),
    }
}

fn bytes_of(value: &Value) -> Vec<u8> {
    STANDARD.decode(value["$bytes"].as_str().unwrap()).unwrap()
}

fn as_value(data: &SessionData) -> Value {
    serde_json::from_str(&data.to_json()).unwrap()
}

#[tokio::test]
async fn every_protocol_that_python_pickles_with_is_read() {
    let redis = RedisServer::start();
    let store = CacheSessions::new(cache_on(&redis));
    let all = cases(&vectors("sessions.json"), "cache_redis");
    let mut read = 0;
    for case in &all {
        let key = text(case, "session_key");
        assert!(store.load(key).await.unwrap().is_none());
        let Some(place) = case["redis_key"].as_str() else { continue };
        let pickles = case["pickles"].as_object().unwrap().values();
        for pickle in pickles.chain([&case["value"]]) {
            let _: () = command(&redis, redis::cmd("SET").arg(place).arg(bytes_of(pickle))).unwrap();
            let data = store.load(key).await.unwrap().unwrap();
            assert_eq!(as_value(&data), plain(&case["session"]), "{case}");
            assert!(!data.is_partial());
            read += 1;
        }
    }
    assert_eq!((all.len(), read), (8, 7 * 7));
}

#[tokio::test]
async fn what_is_created_has_djangos_key_and_life() {
    let redis = RedisServer::start();
    let vectors = vectors("sessions.json");
    let created = &vectors["cache_redis_created"];
    let prefix = text(created, "redis_key").strip_suffix(text(created, "session_key")).unwrap();
    let store = CacheSessions::new(cache_on(&redis));
    let expires = Utc::now() + TimeDelta::seconds(created["ttl"].as_i64().unwrap());
    let key = store.save(None, &SessionData::default(), expires).await.unwrap();
    assert_eq!(key.len(), text(created, "session_key").len());
    let life: i64 = command(&redis, redis::cmd("TTL").arg(format!("{prefix}{key}"))).unwrap();
    assert!((1_209_598..=1_209_600).contains(&life), "{life}");

    // What has ended already is not kept at all.
    let past = store.save(Some(&key), &SessionData::default(), Utc::now() - TimeDelta::seconds(1)).await;
    assert!(past.is_ok());
    assert!(store.load(&key).await.unwrap().is_none());
    let deleted = store.save(Some(&key), &SessionData::default(), expires).await;
    assert!(matches!(deleted, Err(SessionError::Deleted)));
    assert_eq!(store.are_live(&[&key, "other000"]).await.unwrap(), [false, false]);

    let mut settings = RedisCacheSettings::default();
    settings.hosts = vec![Host::parse(&redis.url()).unwrap()];
    (settings.key_prefix, settings.version) = ("site".to_owned(), 2);
    let key = CacheSessions::new(RedisCache::new(settings))
        .save(None, &SessionData::default(), expires)
        .await
        .unwrap();
    let there: i64 =
        command(&redis, redis::cmd("EXISTS").arg(format!("site:2:django.contrib.sessions.cache{key}")))
            .unwrap();
    assert_eq!(there, 1);
}

#[tokio::test]
async fn what_only_python_can_read_is_never_written_over() {
    let redis = RedisServer::start();
    let store = Arc::new(CacheSessions::new(cache_on(&redis)));
    let place = ":1:django.contrib.sessions.cacheforeign00";
    // {'when': datetime.date(2026, 1, 2), 'n': 1}, and something that is no pickle.
    let dated =
        b"\x80\x04}(\x8c\x04when\x8c\x08datetime\x8c\x04date\x93C\x04\x07\xea\x01\x02\x85R\x8c\x01nK\x01u.";
    for (value, n) in
        [(dated.as_slice(), Some(1)), (b"{\"n\": 1}".as_slice(), None), (b"12".as_slice(), None)]
    {
        let _: () = command(&redis, redis::cmd("SET").arg(place).arg(value)).unwrap();
        let session = Session::new(store.clone(), Arc::new(SessionSettings::default()), Some("foreign00"));
        assert_eq!(session.get::<i32>("n").await.unwrap(), n);
        session.set("n", &2).await.unwrap();
        assert!(matches!(session.save().await, Err(SessionError::Foreign)));
        session.cycle_key().await.unwrap();
        assert!(
            matches!(session.save().await, Err(SessionError::Foreign)),
            "a new key would lose the old data"
        );
        // Nor by a session that was read before.
        let own = SessionData::parse(b"{}").unwrap();
        let saved = store.save(Some("foreign00"), &own, Utc::now() + TimeDelta::days(1)).await;
        assert!(matches!(saved, Err(SessionError::Foreign)));
        let kept: Vec<u8> = command(&redis, redis::cmd("GET").arg(place)).unwrap();
        assert_eq!(kept, value);
        // A logout ends it all the same.
        session.flush().await.unwrap();
        assert!(store.load("foreign00").await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_redis_that_goes_away_is_unavailable_and_serves_again_when_it_is_back() {
    let mut redis = RedisServer::start();
    let store = CacheSessions::new(cache_on(&redis));
    let expires = Utc::now() + TimeDelta::days(1);
    store.save(None, &SessionData::default(), expires).await.unwrap();
    redis.kill();
    assert!(store.load("anything0").await.unwrap_err().is_unavailable());
    redis.restart();
    assert!(store.load("anything0").await.unwrap().is_none());
    store.save(None, &SessionData::default(), expires).await.unwrap();
}

/// Both sites on one database and one Redis, with sessions of this engine.
async fn both(engine: &str, url: &str, redis: &RedisServer) -> (Django, Site) {
    let mut django = Django::with_sessions(url, engine, &redis.url());
    django.ask("migrate", json!([]));
    django.ask("create_user", json!(["alice", "wonderland-1"]));
    let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
    let store: Store = match engine {
        "cache" => Arc::new(CacheSessions::new(cache_on(redis))),
        _ => {
            let rows = DatabaseSessions::new(database.clone(), SecretKeys::new(KEY));
            Arc::new(CachedDatabaseSessions::new(cache_on(redis), rows))
        }
    };
    (django, Site::on(database, Plan { store: Some(store), ..Plan::default() }).await)
}

async fn share_sessions(engine: &str) {
    let redis = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db.sqlite3").display());
    let (mut django, site) = both(engine, &url, &redis).await;

    let key = django.login("alice", "wonderland-1");
    let cookie = format!("sessionid={key}");
    assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
    assert_eq!(site.get("/count/", &cookie).await.1, "1");
    assert_eq!(django.whoami(&key), "alice");
    let cart: Value =
        serde_json::from_str(django.ask("get", json!(["/cart/", key])).as_str().unwrap()).unwrap();
    assert_eq!(cart, json!({"of": "django", "n": [1, 2.5, null]}));

    let solents = site.login("alice", "wonderland-1").await;
    let solents_key = solents.strip_prefix("sessionid=").unwrap();
    assert_eq!(django.whoami(solents_key), "alice");
    django.ask("post", json!(["/logout/", solents_key]));
    assert_eq!(site.get("/whoami/", &solents).await.1, "nobody");
    site.post("/logout/", &cookie, "").await;
    assert_eq!(django.whoami(&key), "nobody");
}

#[tokio::test]
async fn django_and_solent_share_sessions_in_the_cache() {
    share_sessions("cache").await;
}

#[tokio::test]
async fn django_and_solent_share_sessions_in_the_database_behind_a_cache() {
    share_sessions("cached_db").await;
}

#[tokio::test]
async fn sessions_behind_a_cache_outlive_the_cache() {
    let mut redis = RedisServer::start();
    let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    let rows = DatabaseSessions::new(database.clone(), SecretKeys::new(KEY));
    let store = CachedDatabaseSessions::new(cache_on(&redis), rows);
    let (data, expires) = (SessionData::parse(br#"{"n":1}"#).unwrap(), Utc::now() + TimeDelta::days(14));
    let key = store.save(None, &data, expires).await.unwrap();

    let vectors = vectors("sessions.json");
    let example = &vectors["cached_db"];
    let prefix =
        example["redis_keys"][0].as_str().unwrap().strip_suffix(text(example, "session_key")).unwrap();
    let place = format!("{prefix}{key}");
    let life: i64 = command(&redis, redis::cmd("TTL").arg(&place)).unwrap();
    assert!((1_209_598..=1_209_600).contains(&life), "{life}");

    // Forgotten by the cache, it is read from its row and cached again, for as long as it still has.
    let _: () = command(&redis, redis::cmd("DEL").arg(&place)).unwrap();
    assert_eq!(as_value(&store.load(&key).await.unwrap().unwrap()), json!({"n": 1}));
    let life: i64 = command(&redis, redis::cmd("TTL").arg(&place)).unwrap();
    assert!((1_209_590..=1_209_600).contains(&life), "{life}");

    // While the cache is away the rows serve alone; what must be gone everywhere is not said to be.
    redis.kill();
    assert_eq!(as_value(&store.load(&key).await.unwrap().unwrap()), json!({"n": 1}));
    store.save(Some(&key), &data, expires).await.unwrap();
    assert!(store.delete(&key).await.unwrap_err().is_unavailable());
    assert_eq!(store.are_live(&[&key]).await.unwrap(), [true]);
    redis.restart();
    store.delete(&key).await.unwrap();
    assert!(store.load(&key).await.unwrap().is_none());
    assert_eq!(store.are_live(&[&key]).await.unwrap(), [false]);
}
