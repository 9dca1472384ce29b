//! What the coded site refuses to start with.

use solent::auth::{Database, DatabaseOptions};

use super::hosting::settings;
use super::site::{Settings, Site};

const GOOD_KEY: &str = "a key of more than thirty-two bytes, for tests";

async fn refusal(settings: Settings) -> String {
    Site::open(settings).await.expect_err("the site does not start").chain()
}

#[tokio::test]
async fn with_debugging_off_a_missing_a_demo_or_a_short_key_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let production = Settings { debug: false, ..settings(folder.path()) };
    for (key, problem) in [
        ("", "there is no secret key"),
        ("only-for-the-demo", "the secret key is the demo's"),
        ("thirty-one bytes are too short!", "shorter than 32 bytes"),
    ] {
        let error = refusal(Settings { secret_key: key.to_owned(), ..production.clone() }).await;
        assert!(error.contains(problem), "{error}");
    }
    Site::open(Settings { secret_key: GOOD_KEY.to_owned(), ..production }).await.unwrap();
}

#[tokio::test]
async fn the_demos_accounts_never_leave_the_machine_they_were_made_on() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Settings { secret_key: GOOD_KEY.to_owned(), ..settings(folder.path()) };
    Site::open(demo.clone()).await.unwrap();
    for (changed, problem) in [
        (Settings { debug: false, ..demo.clone() }, "debugging is off"),
        (Settings { bind: "0.0.0.0:8000".to_owned(), ..demo.clone() }, "0.0.0.0:8000 can be reached"),
        (Settings { allowed_hosts: vec!["*".to_owned()], ..demo.clone() }, "every host is allowed"),
    ] {
        let error = refusal(changed).await;
        assert!(error.contains("the demo's accounts") && error.contains(problem), "{error}");
    }
    Site::open(demo).await.unwrap();
}

#[tokio::test]
async fn nobodys_database_gets_accounts_with_known_passwords() {
    let folder = tempfile::tempdir().unwrap();
    let theirs = Settings { secret_key: GOOD_KEY.to_owned(), debug: false, ..settings(folder.path()) };
    Site::open(theirs.clone()).await.unwrap();
    let database = Database::connect(&theirs.database, DatabaseOptions::default()).await.unwrap();
    assert!(database.rows("SELECT id FROM auth_user", &[]).await.unwrap().is_empty());
    let sql = "INSERT INTO auth_user (username, password, email, is_staff, is_superuser, is_active, first_name, \
               last_name, date_joined) VALUES ('dora', '!', '', :no, :no, :yes, '', '', '2026-01-01 00:00:00')";
    database.execute(sql, &[("no", false.into()), ("yes", true.into())]).await.unwrap();
    Site::open(Settings { debug: true, ..theirs }).await.unwrap();
    assert_eq!(database.rows("SELECT id FROM auth_user", &[]).await.unwrap().len(), 1);
}

#[test]
fn the_command_line_is_read() {
    let read = |line: &str| Settings::from_arguments(line.split_whitespace().map(str::to_owned));
    let read_all =
        read("--production --bind [::1]:9000 --database sqlite:x.db --allowed-hosts a.example,b.example");
    let settings = read_all.unwrap();
    assert!(!settings.debug);
    assert_eq!((settings.bind.as_str(), settings.database.as_str()), ("[::1]:9000", "sqlite:x.db"));
    assert_eq!(settings.allowed_hosts, ["a.example", "b.example"]);
    assert!(read("--bind").unwrap_err().to_string().contains("--bind needs a value"));
    assert!(read("--nonsense").unwrap_err().to_string().contains("unknown argument --nonsense"));
}
