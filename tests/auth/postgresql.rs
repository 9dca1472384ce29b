//! PostgreSQL: parameters take the types of their places, and a server that goes away comes back.

use serde_json::json;
use solent::auth::{Database, DatabaseError, DatabaseOptions, DatabaseUsers, NewUser, Parameter};

use crate::postgres::Postgres;
use crate::site::{CHEAP, Plan, Site};

#[tokio::test]
async fn parameters_take_the_types_of_their_places() {
    let postgres = Postgres::start();
    let database = Database::connect(&postgres.database("types"), DatabaseOptions::default()).await.unwrap();
    database
        .execute(
            "CREATE TABLE t (s smallint, i integer, b bigint, f double precision, r real, y boolean, x text, \
             v varchar(9), u uuid, z timestamptz, d date, j jsonb, k json, c bytea)",
            &[],
        )
        .await
        .unwrap();
    let text = |text: &str| Parameter::from(text);
    let values = [
        ("s", text("-7")),
        ("i", text("7")),
        ("b", 7.into()),
        ("f", text("1.5")),
        ("r", 0.5.into()),
        ("y", text("true")),
        ("x", 12.into()),
        ("v", text("é")),
        ("u", text("67e55044-10b1-426f-9247-bb680e5fe0c8")),
        ("z", text("2026-01-02T03:04:05.5Z")),
        ("d", text("1999-12-31")),
        ("j", text(r#"{"a": [1]}"#)),
        ("k", text("[2]")),
        ("c", Parameter::Bytes(vec![1, 2])),
    ];
    let sql = "INSERT INTO t VALUES (:s, :i, :b, :f, :r, :y, :x, :v, :u, :z, :d, :j, :k, :c)";
    assert_eq!(database.execute(sql, &values).await.unwrap(), 1);
    let values = [("i", text("7")), ("a", text(":i"))];
    let row = database.row("SELECT *, :a::text AS a FROM t WHERE i = :i", &values).await.unwrap();
    let expected = json!({
        "s": -7, "i": 7, "b": 7, "f": 1.5, "r": 0.5, "y": true, "x": "12", "v": "é",
        "u": "67e55044-10b1-426f-9247-bb680e5fe0c8", "z": "2026-01-02T03:04:05.500Z", "d": "1999-12-31",
        "j": {"a": [1]}, "k": [2], "c": "AQI=", "a": ":i",
    });
    assert_eq!(json!(row), expected);
    let ids = [("ids", ["7", "8"].into_iter().collect())];
    assert_eq!(database.rows("SELECT i FROM t WHERE i IN (:ids)", &ids).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_not_found() {
    let postgres = Postgres::start();
    let database = Database::connect(&postgres.database("types"), DatabaseOptions::default()).await.unwrap();
    for (place, value) in [
        ("integer", "x"),
        ("integer", "3000000000"),
        ("bigint", "99999999999999999999"),
        ("bigint", "٣"),
        ("uuid", "x"),
        ("text", "nul\0"),
        ("timestamptz", "yesterday"),
    ] {
        let sql = format!("SELECT 1 AS one WHERE :v = NULL::{place}");
        let error = database.rows(&sql, &[("v", value.into())]).await.unwrap_err();
        assert!(matches!(error, DatabaseError::Unfit { .. }), "{place} {value:?}: {error:?}");
        assert_eq!(error.status(), http::StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn while_the_server_is_away_views_and_handshakes_say_503_and_sockets_stay() {
    let mut postgres = Postgres::start();
    let mut options = DatabaseOptions::default();
    options.acquire_time = std::time::Duration::from_millis(500);
    let database = Database::connect(&postgres.database("site"), options).await.unwrap();
    database.migrate().await.unwrap();
    let users = DatabaseUsers::new(database.clone());
    let password = &CHEAP.encode("wonderland-1", "abcdefghijklmnopqrstuv").unwrap();
    users.create(NewUser { username: "alice", password, ..NewUser::default() }).await.unwrap();
    let plan = Plan { interval: std::time::Duration::from_millis(50), ..Plan::default() };
    let site = Site::on(database, plan).await;
    let alice = site.alice().await;
    let mut socket = site.socket("/ws/whoami/", &alice).await;
    assert_eq!(socket.text().await, "alice");

    postgres.stop();
    assert_eq!(site.get("/whoami/", &alice).await.0.status, 503);
    assert_eq!(site.handshake("/ws/whoami/", &alice).await.status, 503);
    assert_eq!(site.get("/whoami/", "").await.1, "nobody", "who bears no session needs no database");
    socket.send_text("?").await;
    assert_eq!(socket.text().await, "alice");

    postgres.resume();
    assert_eq!(site.get("/whoami/", &alice).await.1, "alice");
    assert_eq!(site.handshake("/ws/whoami/", &alice).await.status, 101);
    socket.send_text("?").await;
    assert_eq!(socket.text().await, "alice");
    site.database.execute("DELETE FROM django_session", &[]).await.unwrap();
    assert_eq!(socket.frame().await.close_code(), 4401);
}

/// Channels' row B11. Differs: no handler closes old connections; one that the server has closed is replaced.
#[tokio::test]
async fn b11_connections_that_the_server_has_closed_are_replaced() {
    let postgres = Postgres::start();
    let url = postgres.database("old");
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    let other = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    database.rows("SELECT 1 AS one", &[]).await.unwrap();
    let sql = "SELECT pg_terminate_backend(pid) AS ended FROM pg_stat_activity \
               WHERE datname = 'old' AND pid <> pg_backend_pid()";
    assert!(!other.rows(sql, &[]).await.unwrap().is_empty());
    // One that has rested for less than a second is given out untried.
    let deadline = std::time::Instant::now() + crate::raw::PATIENCE;
    while database.rows("SELECT 1 AS one", &[]).await.is_err() {
        assert!(std::time::Instant::now() < deadline, "no connection was replaced");
    }
}

#[tokio::test]
async fn a_pool_has_as_many_connections_as_it_may_and_a_query_as_much_time() {
    let postgres = Postgres::start();
    let (url, short) = (postgres.database("site"), std::time::Duration::from_millis(300));
    let mut options = DatabaseOptions::default();
    (options.connections, options.acquire_time) = (2, short);
    let database = Database::connect(&url, options).await.unwrap();
    let sleep = async |seconds: f64| {
        let values = [("seconds", seconds.into())];
        database.rows("SELECT 1 AS one FROM pg_sleep(:seconds)", &values).await
    };
    let (one, two, three) =
        tokio::join!(sleep(1.0), sleep(1.0), async { database.rows("SELECT 1 AS one", &[]).await });
    let outcomes = [one, two, three].map(|outcome| outcome.map_err(|error| error.is_unavailable()));
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2);
    assert!(outcomes.iter().any(|outcome| outcome == &Err(true)), "the third waits no longer than it may");
    assert!(database.rows("SELECT 1 AS one", &[]).await.is_ok());

    let mut options = DatabaseOptions::default();
    options.query_time = short;
    let database = Database::connect(&url, options).await.unwrap();
    let slow = database.rows("SELECT 1 AS one FROM pg_sleep(30)", &[]).await.unwrap_err();
    assert_eq!(slow.status(), http::StatusCode::SERVICE_UNAVAILABLE);
    assert!(database.rows("SELECT 1 AS one", &[]).await.is_ok());
}
