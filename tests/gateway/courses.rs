//! The course chat site as `config/solent.toml` has it, by the plain binary. What its visitors meet is tested by the suite
//! in `tests/site`, over the file as over the coded site.

use std::process::Command;

use super::binary::{Site, project, solent, stderr_of, stdout_of};
use super::raw::{Head, Raw};
use super::visitor::{cookie, token_of};

struct Courses {
    site: Site,
    _folder: tempfile::TempDir,
}

fn command(folder: &tempfile::TempDir) -> Command {
    let mut command = solent();
    let database = format!("sqlite:{}", folder.path().join("site.db").display());
    command.env("SOLENT_BIND", "127.0.0.1:0").env("SOLENT_DATABASE_URL", database);
    command
}

impl Courses {
    fn start() -> Self {
        let folder = tempfile::TempDir::new().unwrap();
        Self {
            site: Site::start(command(&folder).arg("--config").arg(project().join("config/solent.toml"))),
            _folder: folder,
        }
    }

    async fn request(&self, bytes: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.site.address).await;
        raw.send(bytes).await;
        raw.response().await
    }

    async fn get(&self, path: &str, cookies: &str) -> (Head, String) {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nCookie: {cookies}\r\n\r\n"
        ))
        .await
    }

    async fn post(&self, path: &str, cookies: &str, form: &str) -> (Head, String) {
        self.request(&format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookies}\r\nContent-Length: {}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}",
            form.len()
        ))
        .await
    }

    /// The cookies of a user who has just logged in.
    async fn login(&self, username: &str, password: &str) -> String {
        let (head, page) = self.get("/accounts/login/?next=/courses/1/", "").await;
        let csrf = cookie(&head, "csrftoken").expect("a page with a form gives the secret");
        let token = token_of(&page);
        let form =
            format!("csrfmiddlewaretoken={token}&username={username}&password={password}&next=/courses/1/");
        let (head, page) = self.post("/accounts/login/", &csrf, &form).await;
        assert_eq!((head.status, head.header("location")), (302, Some("/courses/1/")), "{page}");
        format!("{csrf}; {}", cookie(&head, "sessionid").expect("a session"))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_after_a_reload_closes_the_sessions_sockets_from_before_it_and_no_others() {
    let courses = Courses::start();
    let (alice, bob) =
        (courses.login("alice", "wonderland-1").await, courses.login("bob", "builder-2").await);
    let origin = format!("Origin: http://{}\r\n", courses.site.address);
    let open = |cookies: &str| format!("{origin}Cookie: {cookies}\r\n");
    let mut first = Raw::websocket_with(courses.site.address, "/ws/chat/room/1/", &open(&alice)).await;
    let mut second = Raw::websocket_with(courses.site.address, "/ws/chat/room/1/", &open(&bob)).await;
    courses.site.signal("HUP");
    let (_, page) = courses.get("/courses/", &alice).await;
    let (head, _) =
        courses.post("/accounts/logout/", &alice, &format!("csrfmiddlewaretoken={}", token_of(&page))).await;
    assert_eq!((head.status, head.header("location")), (302, Some("/accounts/login/")));
    assert_eq!(first.frame().await.close_code(), 4401);
    second.send_text(r#"{"message": "still here"}"#).await;
    assert_eq!(second.frame().await.json()["message"], "still here");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_with_demo_accounts_starts_for_this_machine_alone() {
    let courses = Courses::start();
    let site_folder = &courses._folder;
    let config = std::fs::read_to_string(project().join("config/solent.toml")).unwrap();
    let config = config.replace("\"../templates", &format!("\"{}/templates", project().display()));
    let config = config.replace("\"demo/", &format!("\"{}/config/demo/", project().display()));
    for (from, to, told) in [
        ("debug = true", "debug = false", "debug is off"),
        ("${SOLENT_BIND:-127.0.0.1:8000}", "0.0.0.0:0", "0.0.0.0:0 can be reached from other machines"),
        ("[\"localhost\", \"127.0.0.1\", \"[::1]\"]", "[\"*\"]", "every host is allowed"),
    ] {
        let file = site_folder.path().join("other.toml");
        std::fs::write(&file, config.replace(from, to)).unwrap();
        let mut command = command(site_folder);
        command.env("SOLENT_SECRET_KEY", "a key that is long enough to be one, really");
        let output = command.arg("--config").arg(&file).output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{error}");
        assert!(error.contains("demo accounts") && error.contains(told), "{error}");
    }
}

#[test]
fn queries_are_tried_by_the_database_unless_the_check_is_offline() {
    let folder = tempfile::TempDir::new().unwrap();
    let config = std::fs::read_to_string(project().join("config/solent.toml")).unwrap();
    let config = config.replace("\"../templates", &format!("\"{}/templates", project().display()));
    let config = config.replace("\"demo/", &format!("\"{}/config/demo/", project().display()));
    let file = folder.path().join("solent.toml");
    std::fs::write(&file, config.replace("SELECT c.id, c.title FROM", "SELECT c.id, c.titel FROM")).unwrap();
    let check = |arguments: &[&str]| {
        let mut command = solent();
        command
            .env("SOLENT_DATABASE_URL", "sqlite:site.db")
            .arg("check")
            .args(arguments)
            .arg("--config")
            .arg(&file);
        command.output().unwrap()
    };
    assert!(check(&["--offline"]).status.success());
    let output = check(&[]);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("c.titel") && error.contains("solent.toml:"), "{error}");
}

#[test]
fn a_check_makes_no_files_and_no_tables_and_tells_which_are_missing() {
    let folder = tempfile::TempDir::new().unwrap();
    let check = || {
        let config = project().join("config/solent.toml");
        let output = command(&folder).arg("check").arg("--config").arg(config).output().unwrap();
        assert!(output.status.success(), "{}", stderr_of(&output));
        stdout_of(&output)
    };
    let files = || {
        let entries = std::fs::read_dir(folder.path()).unwrap().flatten();
        let mut files: Vec<_> =
            entries.map(|entry| (entry.path(), std::fs::read(entry.path()).unwrap())).collect();
        files.sort();
        files
    };
    let told = check();
    assert!(
        told.starts_with("not in the database yet: auth_user, django_session; `migrate` makes"),
        "{told}"
    );
    assert!(files().is_empty(), "{:?}", files());

    // A database that is there, without these tables, stays as it is.
    std::fs::write(folder.path().join("site.db"), "").unwrap();
    assert!(check().contains("not in the database yet"));
    assert_eq!(files().len(), 1);
    assert!(files()[0].1.is_empty());

    let made =
        command(&folder).arg("migrate").arg("--config").arg(project().join("config/solent.toml")).output();
    assert!(made.unwrap().status.success());
    let before = files();
    let told = check();
    assert!(!told.contains("not in the database"), "{told}");
    assert_eq!(files(), before);
}
