//! `[cache]` and `[auth.throttle]`: off or at their defaults until the file says otherwise.

use solent::auth::{Database, DatabaseOptions};

use super::binary::{Folder, Site};
use super::visitor::{get, post};

const SITE: &str = r#"
debug = true
secret_key = "only-for-tests"
allowed_hosts = ["127.0.0.1"]

[server]
bind = ["127.0.0.1:0"]

[database]
url = "sqlite:site.db"
schema = ["notes.sql"]

[templates]
dir = "templates"

[[http]]
path = "kept/"
template = "note.html"
cache = "60s"
query.note = { sql = "SELECT text FROM note", one = true }

[[http]]
path = "usual/"
template = "note.html"
query.note = { sql = "SELECT text FROM note", one = true }

[[http]]
path = "never/"
template = "note.html"
cache = "never"
query.note = { sql = "SELECT text FROM note", one = true }

[[http]]
path = "login/"
csrf_exempt = true
login = { template = "login.html" }
"#;

fn site(more: &str) -> (Folder, Site) {
    let folder = Folder::with(&format!("{SITE}{more}"));
    folder.write("templates/note.html", "{{ note.text }}");
    folder.write("templates/login.html", "{{ error }}");
    folder.write("notes.sql", "CREATE TABLE IF NOT EXISTS note (text text);\n");
    let site = folder.start();
    (folder, site)
}

/// What each path answers before and after its row has changed.
async fn before_and_after(more: &str, paths: &[&str]) -> Vec<(String, String)> {
    let (folder, site) = site(more);
    let url = format!("sqlite:{}", folder.path("site.db").display());
    let database = Database::connect(&url, DatabaseOptions::default()).await.unwrap();
    database.execute("INSERT INTO note (text) VALUES ('old')", &[]).await.unwrap();
    let mut answers = Vec::new();
    for path in paths {
        answers.push((get(site.address, path, "").await.1, String::new()));
    }
    database.execute("UPDATE note SET text = 'new'", &[]).await.unwrap();
    for (path, answer) in paths.iter().zip(&mut answers) {
        answer.1 = get(site.address, path, "").await.1;
    }
    answers
}

fn pair(before: &str, after: &str) -> (String, String) {
    (before.to_owned(), after.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_are_kept_in_memory_only_where_the_file_says_so_and_for_how_long_their_routes_say() {
    let paths = ["/kept/", "/usual/", "/never/"];
    let (fresh, kept) = (pair("old", "new"), pair("old", "old"));
    assert_eq!(before_and_after("", &paths).await, [fresh.clone(), fresh.clone(), fresh.clone()]);
    let on = "[cache]\nenabled = true\n";
    assert_eq!(before_and_after(on, &paths).await, [kept.clone(), fresh.clone(), fresh.clone()]);
    let all = "[cache]\nenabled = true\npage_time = \"1m\"\n";
    assert_eq!(before_and_after(all, &paths).await, [kept.clone(), kept, fresh.clone()]);
    let none = "[cache]\nenabled = true\npage_time = \"1m\"\npages = 0\n";
    assert_eq!(before_and_after(none, &["/usual/"]).await, [fresh]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failed_logins_are_counted_as_the_file_has_it() {
    for (more, allowed, tries) in [
        ("[auth.throttle]\nper_account = 2\nwindow = \"1h\"\n", 2, 3),
        ("[auth.throttle]\nper_account = \"off\"\nper_address = 3\n", 3, 4),
        ("", 10, 11),
    ] {
        let (_folder, site) = site(more);
        for attempt in 1..=tries {
            let (head, page) = post(site.address, "/login/", "", "username=dora&password=wrong").await;
            let expected = if attempt <= allowed { 200 } else { 429 };
            assert_eq!(head.status, expected, "attempt {attempt} with {more:?}: {page}");
            assert_eq!(head.header("retry-after").is_some(), expected == 429);
        }
    }
}
