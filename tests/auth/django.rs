//! One database, one secret key, two sites: what Django does Solent knows, and the other way round.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use solent::auth::{Database, DatabaseOptions, DatabaseUsers, Hasher, NewUser, UserTable};

use crate::postgres::Postgres;
use crate::site::{KEY, Plan, Site};
use crate::tools;

/// A Django that does what it is told.
pub(crate) struct Django {
    process: Child,
    told: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Django {
    fn on(url: &str) -> Self {
        Self::with_users(url, "auth.User")
    }

    fn with_users(url: &str, model: &str) -> Self {
        Self::told(&[url, KEY, model])
    }

    /// One whose sessions are in `engine`, with its cache on a Redis.
    #[cfg(feature = "redis")]
    pub(crate) fn with_sessions(url: &str, engine: &str, redis: &str) -> Self {
        Self::told(&[url, KEY, "auth.User", engine, redis])
    }

    fn told(arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/auth/django_site.py");
        let mut process = Command::new(tools::python())
            .arg(script)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (told, answers) = (process.stdin.take().unwrap(), BufReader::new(process.stdout.take().unwrap()));
        Self { process, told, answers }
    }

    pub(crate) fn ask(&mut self, command: &str, arguments: Value) -> Value {
        writeln!(self.told, "{}", json!([command, arguments])).unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|_| panic!("Django did not answer {command}"))
    }

    pub(crate) fn login(&mut self, username: &str, password: &str) -> String {
        let answer = self.ask("login", json!([username, password]));
        assert_eq!(answer["status"], 200, "{username}");
        answer["cookie"].as_str().unwrap().to_owned()
    }

    pub(crate) fn whoami(&mut self, key: &str) -> Value {
        self.ask("get", json!(["/whoami/", key]))
    }
}

impl Drop for Django {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A database that Django made, with both sites on it.
async fn both(url: &str) -> (Django, Site) {
    both_with(Django::on(url), url, UserTable::default()).await
}

async fn both_with(mut django: Django, url: &str, users: UserTable) -> (Django, Site) {
    django.ask("migrate", json!([]));
    django.ask("create_user", json!(["alice", "wonderland-1"]));
    let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
    database.migrate_with_users_in(&users).await.unwrap();
    let plan = Plan { interval: Duration::from_millis(50), users, ..Plan::default() };
    (django, Site::on(database, plan).await)
}

fn key_of(cookie: &str) -> &str {
    cookie.strip_prefix("sessionid=").unwrap()
}

async fn share_everything(url: &str) {
    let (mut django, site) = both(url).await;
    solent_knows_djangos_users(&mut django, &site).await;
    django_knows_solents_users(&mut django, &site).await;
    a_logout_in_either_ends_the_others(&mut django, &site).await;
    a_changed_password_ends_everything(&mut django, &site).await;
}

async fn solent_knows_djangos_users(django: &mut Django, site: &Site) {
    let key = django.login("alice", "wonderland-1");
    let cookie = format!("sessionid={key}");
    assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
    assert_eq!(site.socket("/ws/whoami/", &cookie).await.text().await, "alice");
    // Written again by Solent, the session keeps what Django put into it.
    assert_eq!(site.get("/count/", &cookie).await.1, "1");
    assert_eq!(django.whoami(&key), "alice");
    let cart: Value =
        serde_json::from_str(django.ask("get", json!(["/cart/", key])).as_str().unwrap()).unwrap();
    assert_eq!(cart, json!({"of": "django", "n": [1, 2.5, null]}));
}

async fn django_knows_solents_users(django: &mut Django, site: &Site) {
    // A password that Django hashed, a session that Solent made.
    let cookie = site.login("alice", "wonderland-1").await;
    assert_eq!(django.whoami(key_of(&cookie)), "alice");
    // A user that Solent made.
    let password = &Hasher::argon2().encode("solents-own", "abcdefghijklmnopqrstuv").unwrap();
    let users = DatabaseUsers::new(site.database.clone());
    users.create(NewUser { username: "dora", password, ..NewUser::default() }).await.unwrap();
    assert_eq!(django.ask("check_password", json!(["dora", "solents-own"])), true);
    assert_eq!(django.ask("check_password", json!(["dora", "another"])), false);
    // And one of another hasher that Django made.
    django.ask("create_user", json!(["ella", "argon-two", "argon2"]));
    let ella = site.login("ella", "argon-two").await;
    assert_eq!(django.whoami(key_of(&ella)), "ella");
}

async fn a_logout_in_either_ends_the_others(django: &mut Django, site: &Site) {
    let cookie = site.login("alice", "wonderland-1").await;
    let mut socket = site.socket("/ws/whoami/", &cookie).await;
    socket.text().await;
    django.ask("post", json!(["/logout/", key_of(&cookie)]));
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(site.get("/whoami/", &cookie).await.1, "nobody");

    let key = django.login("alice", "wonderland-1");
    let cookie = format!("sessionid={key}");
    let mut socket = site.socket("/ws/whoami/", &cookie).await;
    socket.text().await;
    site.post("/logout/", &cookie, "").await;
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(django.whoami(&key), "nobody");
}

async fn a_changed_password_ends_everything(django: &mut Django, site: &Site) {
    let cookie = site.login("alice", "wonderland-1").await;
    let mut socket = site.socket("/ws/whoami/", &cookie).await;
    socket.text().await;
    django.ask("set_password", json!(["alice", "looking-glass-2"]));
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(site.get("/whoami/", &cookie).await.1, "nobody");
    let cookie = site.login("alice", "looking-glass-2").await;
    assert_eq!(django.whoami(key_of(&cookie)), "alice");
}

#[tokio::test]
async fn over_a_sqlite_file_both_sites_share_users_and_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db.sqlite3").display());
    share_everything(&url).await;
}

#[tokio::test]
async fn over_postgresql_both_sites_share_users_and_sessions() {
    let postgres = Postgres::start();
    share_everything(&postgres.database("shared")).await;
}

/// Django's text for a key, and SQLite's, are not the same.
async fn share_users_with_uuid_keys(url: &str) {
    let mut users = UserTable::default();
    users.table = "django_members_member".to_owned();
    let django = Django::with_users(url, "django_members.Member");
    let (mut django, site) = both_with(django, url, users).await;
    let tables = site.database.rows("SELECT 1 AS one FROM auth_user", &[]).await;
    assert!(tables.is_err(), "nobody asked for Django's own table");

    let cookie = format!("sessionid={}", django.login("alice", "wonderland-1"));
    assert_eq!(site.get("/whoami/", &cookie).await.1, "alice");
    let mut socket = site.socket("/ws/whoami/", &cookie).await;
    assert_eq!(socket.text().await, "alice");
    // A second login of the same user keeps the session that Django made, whichever way its key is written.
    let again = site.post("/login/", &cookie, "username=alice&password=wonderland-1").await.0;
    assert_eq!(crate::site::cookie_of(&again), cookie);
    socket.send_text("?").await;
    assert_eq!(socket.text().await, "alice", "an unchanged user's socket stays");

    let solents = site.login("alice", "wonderland-1").await;
    assert_eq!(django.whoami(key_of(&solents)), "alice");
    django.ask("deactivate", json!(["alice"]));
    assert_eq!(socket.frame().await.close_code(), 4401);
    assert_eq!(site.get("/whoami/", &cookie).await.1, "nobody");
}

#[tokio::test]
async fn users_with_uuid_keys_are_shared_over_a_sqlite_file() {
    let folder = tempfile::tempdir().unwrap();
    share_users_with_uuid_keys(&format!("sqlite:{}", folder.path().join("db.sqlite3").display())).await;
}

#[tokio::test]
async fn users_with_uuid_keys_are_shared_over_postgresql() {
    let postgres = Postgres::start();
    share_users_with_uuid_keys(&postgres.database("members")).await;
}

#[tokio::test]
async fn a_database_with_only_some_tables_gets_the_others() {
    const SCHEMA: &str = "SELECT type, name, sql FROM sqlite_master ORDER BY name";
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db.sqlite3").display());
    Django::on(&url).ask("migrate", json!([]));
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    let whole = database.rows(SCHEMA, &[]).await.unwrap();
    database.execute("DROP TABLE django_session", &[]).await.unwrap();
    database.migrate().await.unwrap();
    assert_eq!(database.rows(SCHEMA, &[]).await.unwrap(), whole);
}

/// The way that `Database::migrate` describes.
async fn take_over(url: &str, is_postgres: bool) {
    const COLUMNS: &str = "id, password, last_login, is_superuser, username, first_name, last_name, email, is_staff, \
                           is_active, date_joined";
    let database = Database::connect(url, DatabaseOptions::default()).await.unwrap();
    database.migrate().await.unwrap();
    let users = DatabaseUsers::new(database.clone());
    for username in ["alice", "bob"] {
        let password = &crate::site::CHEAP.encode("wonderland-1", "abcdefghijklmnopqrstuv").unwrap();
        users.create(NewUser { username, password, ..NewUser::default() }).await.unwrap();
    }
    let site = Site::on(database.clone(), Plan::default()).await;
    let alice = site.alice().await;

    for statement in ["CREATE TABLE solent_user AS SELECT * FROM auth_user", "DROP TABLE auth_user"] {
        database.execute(statement, &[]).await.unwrap();
    }
    let mut django = Django::on(url);
    django.ask("take_over", json!([]));
    let copy = format!("INSERT INTO auth_user ({COLUMNS}) SELECT {COLUMNS} FROM solent_user");
    assert_eq!(database.execute(&copy, &[]).await.unwrap(), 2);
    database.execute("DROP TABLE solent_user", &[]).await.unwrap();
    if is_postgres {
        let next =
            "SELECT setval(pg_get_serial_sequence('auth_user', 'id'), (SELECT max(id) FROM auth_user))";
        database.rows(next, &[]).await.unwrap();
    }

    assert_eq!(django.whoami(key_of(&alice)), "alice");
    assert_eq!(django.ask("create_user", json!(["carol", "singer-3"])), "3");
    let carol = django.login("carol", "singer-3");
    assert_eq!(site.get("/whoami/", &format!("sessionid={carol}")).await.1, "carol");
    assert_eq!(site.get("/whoami/", &alice).await.1, "alice");
}

#[tokio::test]
async fn django_takes_over_a_sqlite_file_that_solent_began() {
    let folder = tempfile::tempdir().unwrap();
    take_over(&format!("sqlite:{}", folder.path().join("db.sqlite3").display()), false).await;
}

#[tokio::test]
async fn django_takes_over_a_postgresql_database_that_solent_began() {
    let postgres = Postgres::start();
    take_over(&postgres.database("begun"), true).await;
}

#[tokio::test]
async fn what_one_side_clears_the_other_does_not_miss() {
    let folder = tempfile::tempdir().unwrap();
    let (mut django, site) = both(&format!("sqlite:{}", folder.path().join("db.sqlite3").display())).await;
    let (live, expired) = (site.login("alice", "wonderland-1").await, django.login("alice", "wonderland-1"));
    // A time as Django writes it, a second ago, compares as it does in Django.
    let past = chrono::Utc::now() - chrono::TimeDelta::seconds(1);
    let values = [("key", expired.as_str().into()), ("past", past.into())];
    let sql = "UPDATE django_session SET expire_date = :past WHERE session_key = :key";
    site.database.execute(sql, &values).await.unwrap();
    assert_eq!(django.whoami(&expired), "nobody");
    assert_eq!(site.get("/whoami/", &format!("sessionid={expired}")).await.1, "nobody");
    django.ask("clear_sessions", json!([]));
    let rows = site.database.rows("SELECT session_key FROM django_session", &[]).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["session_key"], key_of(&live));
}

#[tokio::test]
async fn an_existing_django_database_is_left_as_it_is() {
    const SCHEMA: &str = "SELECT name, sql FROM sqlite_master ORDER BY name";
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("db.sqlite3").display());
    Django::on(&url).ask("migrate", json!([]));
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    let before = database.rows(SCHEMA, &[]).await.unwrap();
    database.migrate().await.unwrap();
    assert_eq!(database.rows(SCHEMA, &[]).await.unwrap(), before);
    assert!(before.len() > 10);
    assert_eq!(database.rows("PRAGMA journal_mode", &[]).await.unwrap()[0]["journal_mode"], "delete");
}

#[tokio::test]
async fn on_postgresql_the_tables_are_djangos_with_their_indexes() {
    let postgres = Postgres::start();
    let (djangos, solents) = (postgres.database("djangos"), postgres.database("solents"));
    Django::on(&djangos).ask("migrate", json!([]));
    let djangos = Database::connect(&djangos, DatabaseOptions::default()).await.unwrap();
    let solents = Database::connect(&solents, DatabaseOptions::default()).await.unwrap();
    solents.migrate().await.unwrap();
    solents.migrate().await.unwrap();
    for question in [
        "SELECT table_name::text, column_name::text, data_type::text, character_maximum_length::int, \
         is_nullable::text, column_default::text, is_identity::text, identity_generation::text \
         FROM information_schema.columns WHERE table_name IN ('auth_user', 'django_session') \
         ORDER BY table_name, ordinal_position",
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename IN ('auth_user', 'django_session') \
         ORDER BY indexname",
        "SELECT conname::text, contype::text, pg_get_constraintdef(oid) AS definition FROM pg_constraint \
         WHERE conrelid IN ('auth_user'::regclass, 'django_session'::regclass) ORDER BY conname",
    ] {
        let (wanted, found) =
            (djangos.rows(question, &[]).await.unwrap(), solents.rows(question, &[]).await.unwrap());
        assert!(!wanted.is_empty());
        assert_eq!(found, wanted);
    }
}
