//! `migrate` and `user`.

use std::io::Write;
use std::process::{Output, Stdio};

use solent::auth::{Database, DatabaseOptions};

use super::binary::{Folder, solent, stderr_of, stdout_of};

const SITE: &str = r#"
debug = true
secret_key = "only-for-tests"

[database]
url = "sqlite:site.db"
"#;

/// Runs a command that reads a password.
fn with_password(folder: &Folder, arguments: &[&str], password: &str) -> Output {
    let mut command = solent();
    command.args(arguments).arg("--config").arg(folder.config());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn accounts_are_added_listed_given_passwords_and_deactivated() {
    let folder = Folder::with(SITE);
    let early = stderr_of(&folder.run(&["user", "list"]));
    assert_eq!(early, "error: the database has no table \"auth_user\"; `migrate` makes it\n");
    assert_eq!(stdout_of(&folder.run(&["migrate"])), "all tables are there\n");
    let added = with_password(&folder, &["user", "add", "dora", "--staff"], "a long password");
    assert_eq!(stdout_of(&added), "dora is user 1\n", "{}", stderr_of(&added));
    let nobody = folder.run(&["user", "add", "robot", "--no-password"]);
    assert_eq!(stdout_of(&nobody), "robot is user 2\n", "{}", stderr_of(&nobody));
    let again = with_password(&folder, &["user", "add", "dora"], "another one");
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr_of(&again).contains("there is a user named \"dora\" already"));

    let changed = with_password(&folder, &["user", "password", "dora"], "a new password");
    assert!(stdout_of(&changed).starts_with("dora has a new password"), "{}", stderr_of(&changed));
    let unknown = with_password(&folder, &["user", "password", "nobody"], "a new password");
    assert!(stderr_of(&unknown).contains("there is no user named \"nobody\""));
    let empty = with_password(&folder, &["user", "password", "dora"], "");
    assert!(stderr_of(&empty).contains("a password was expected on standard input"));

    let off = folder.run(&["user", "deactivate", "robot"]);
    assert!(stdout_of(&off).starts_with("robot can no longer log in"), "{}", stderr_of(&off));
    let list = stdout_of(&folder.run(&["user", "list"]));
    assert_eq!(list, "    ID  NAME   RIGHTS\n     1  dora   staff\n     2  robot  deactivated\n");
}

#[test]
fn without_a_database_there_are_no_accounts() {
    let folder = Folder::with("debug = true\n");
    for command in [&["migrate"][..], &["user", "list"]] {
        let output = folder.run(command);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr_of(&output).contains("no table [database]"), "{}", stderr_of(&output));
    }
}

#[tokio::test]
async fn clearsessions_forgets_what_has_expired_and_nothing_else() {
    let folder = Folder::with(SITE);
    folder.run(&["migrate"]);
    let url = format!("sqlite:{}", folder.path("site.db").display());
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    let insert =
        "INSERT INTO django_session (session_key, session_data, expire_date) VALUES (:key, '', :until)";
    let hour = chrono::Duration::hours(1);
    for (key, until) in [("gone", chrono::Utc::now() - hour), ("live", chrono::Utc::now() + hour)] {
        database.execute(insert, &[("key", key.into()), ("until", until.into())]).await.unwrap();
    }
    assert_eq!(stdout_of(&folder.run(&["clearsessions"])), "1 expired sessions cleared\n");
    let left = database.rows("SELECT session_key FROM django_session", &[]).await.unwrap();
    assert_eq!(serde_json::to_value(&left).unwrap(), serde_json::json!([{ "session_key": "live" }]));
}
