//! The database: made like Django's, left alone when it is Django's, typed parameters, and what happens when it is away.

use chrono::{TimeZone as _, Utc};
use http::StatusCode;
use serde_json::json;
use solent::auth::{Database, DatabaseError, DatabaseOptions, Parameter};

use crate::support::{cases, vectors};

async fn sqlite(path: &std::path::Path) -> Database {
    Database::connect(&format!("sqlite:{}", path.display()), DatabaseOptions::default()).await.unwrap()
}

#[tokio::test]
async fn a_first_run_creates_exactly_djangos_tables() {
    let folder = tempfile::tempdir().unwrap();
    let database = sqlite(&folder.path().join("new.sqlite3")).await;
    database.migrate().await.unwrap();
    database.migrate().await.unwrap();
    let made = database
        .rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name <> 'sqlite_sequence' ORDER BY rowid", &[])
        .await
        .unwrap();
    let made: Vec<_> = made.iter().map(|row| row["sql"].as_str().unwrap()).collect();
    let vectors = vectors("sessions.json");
    let djangos = cases(&vectors, "sqlite_ddl");
    let wanted: Vec<_> = djangos
        .iter()
        .map(|sql| sql.as_str().unwrap())
        .filter(|sql| sql.starts_with("CREATE TABLE \"auth_user\" ") || sql.contains("\"django_session\""))
        .collect();
    assert_eq!(made, wanted);
    assert_eq!(wanted.len(), 3);
}

#[tokio::test]
async fn a_file_that_solent_creates_is_in_wal_mode_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.sqlite3");
    let database = sqlite(&path).await;
    assert_eq!(database.rows("PRAGMA journal_mode", &[]).await.unwrap()[0]["journal_mode"], "wal");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_is_there_keeps_its_journal_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("old.sqlite3");
    std::fs::write(&path, b"").unwrap();
    let database = sqlite(&path).await;
    database.migrate().await.unwrap();
    assert_eq!(database.rows("PRAGMA journal_mode", &[]).await.unwrap()[0]["journal_mode"], "delete");
}

#[tokio::test]
async fn values_go_in_and_come_out_by_name_and_type() {
    let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await.unwrap();
    database
        .execute("CREATE TABLE t (i integer, b bool, f real, s varchar(9), d datetime, n text, x blob)", &[])
        .await
        .unwrap();
    let time = Utc.with_ymd_and_hms(2026, 1, 2, 3, 4, 5).unwrap();
    let changed = database
        .execute(
            "INSERT INTO t VALUES (:i, :b, :f, :s, :d, :n, :x)",
            &[
                ("i", 7.into()),
                ("b", true.into()),
                ("f", 1.5.into()),
                ("s", "text".into()),
                ("d", time.into()),
                ("n", Parameter::Null),
                ("x", Parameter::Bytes(vec![1, 2])),
            ],
        )
        .await
        .unwrap();
    assert_eq!(changed, 1);
    let sql = "SELECT *, typeof(d) AS kind, 1 + 1 AS two FROM t WHERE i = :i";
    let rows = database.rows(sql, &[("i", "7".into())]).await.unwrap();
    let expected = json!({
        "i": 7, "b": true, "f": 1.5, "s": "text", "d": "2026-01-02 03:04:05", "n": null, "x": "AQI=",
        "kind": "text", "two": 2,
    });
    assert_eq!(json!(rows), json!([expected]));
    let none =
        database.row("SELECT i FROM t WHERE i = :i", &[("i", "99999999999999999999".into())]).await.unwrap();
    assert_eq!(none, None);
    let listed = database
        .rows("SELECT i FROM t WHERE i IN (:ids)", &[("ids", [6, 7].into_iter().collect())])
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_unique_value_that_is_there_is_a_conflict() {
    let database = Database::connect("sqlite::memory:", DatabaseOptions::default()).await.unwrap();
    database.execute("CREATE TABLE t (s text UNIQUE)", &[]).await.unwrap();
    database.execute("INSERT INTO t VALUES (:s)", &[("s", "x".into())]).await.unwrap();
    let again = database.execute("INSERT INTO t VALUES (:s)", &[("s", "x".into())]).await;
    assert!(matches!(again, Err(DatabaseError::Conflict(_))));
}

#[tokio::test]
async fn a_url_of_no_known_database_is_named_without_its_password() {
    let error =
        Database::connect("mysql://root:hunter2@host/name", DatabaseOptions::default()).await.unwrap_err();
    assert!(!error.to_string().contains("hunter2"), "{error}");
    assert!(error.to_string().contains("mysql"), "{error}");
}

#[tokio::test]
async fn a_database_that_cannot_be_reached_is_unavailable() {
    let mut options = DatabaseOptions::default();
    options.acquire_time = std::time::Duration::from_millis(300);
    for url in ["sqlite:/nowhere/at/all.sqlite3", "postgres://nobody@127.0.0.1:1/none"] {
        let error = Database::connect(url, options.clone()).await.unwrap_err();
        assert_eq!(
            (error.is_unavailable(), error.status()),
            (true, StatusCode::SERVICE_UNAVAILABLE),
            "{url}: {error:?}"
        );
    }
}

#[tokio::test]
async fn a_locked_database_is_unavailable_and_serves_again_when_it_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("locked.sqlite3");
    std::fs::write(&path, b"").unwrap();
    let mut options = DatabaseOptions::default();
    options.acquire_time = std::time::Duration::from_millis(50);
    let url = format!("sqlite:{}", path.display());
    let database = Database::connect(&url, options).await.unwrap();
    database.execute("CREATE TABLE t (i integer)", &[]).await.unwrap();

    let other = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    let held = HeldLock::take(&path);
    let error = database.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap_err();
    assert!(error.is_unavailable(), "{error:?}");
    drop(held);
    assert_eq!(database.execute("INSERT INTO t VALUES (1)", &[]).await.unwrap(), 1);
    assert_eq!(other.rows("SELECT i FROM t", &[]).await.unwrap().len(), 1);
}

/// Another process that holds the database: Python's own SQLite.
struct HeldLock(std::process::Child);

impl HeldLock {
    fn take(path: &std::path::Path) -> Self {
        use std::io::{BufRead as _, BufReader};
        let script = "import sqlite3, sys\n\
            db = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            db.execute('BEGIN EXCLUSIVE')\n\
            print('held', flush=True)\n\
            sys.stdin.read()\n";
        let mut child = std::process::Command::new("python3")
            .args(["-c", script])
            .arg(path)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }
}

impl Drop for HeldLock {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        self.0.wait().unwrap();
    }
}
