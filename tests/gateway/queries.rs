//! Queries that the database does not understand: told at `check` and at start, with what it says and where.

use super::binary::{Folder, stderr_of};
use super::postgres::Postgres;

const TABLES: &str = "CREATE TABLE IF NOT EXISTS course (id INTEGER PRIMARY KEY, title TEXT);\n";

fn site(url: &str) -> String {
    format!(
        r#"
debug = true
secret_key = "a key that nobody knows, of more than 32 bytes"

[server]
bind = ["127.0.0.1:0"]

[database]
url = "{url}"
schema = ["tables.sql"]

[[http]]
path = "one/<int:id>/"
template = "page.html"
query.a = {{ sql = "SELECT 'Größe' AS size, titel FROM course WHERE id = :id" }}
query.b = {{ sql = "SELECT id FROM course WHERE id = :id AND nobody = :user_id" }}

[[http]]
path = "two/<int:id>/"
template = "page.html"
query.c = {{ sql = """
    SELECT id -- which?
    FORM course
    WHERE id = :id""" }}

[[http]]
path = "three/"
respond = {{ body = "three" }}
allow.sql = "SELECT 1 FROM curse"

[templates]
dir = "templates"
"#
    )
}

fn folder(url: &str) -> Folder {
    let folder = Folder::with(&site(url));
    folder.write("tables.sql", TABLES);
    folder.write("templates/page.html", "{{ a }}\n");
    folder
}

/// The problems as they are told, without the folder's name and the lines about what was expected.
fn problems(folder: &Folder, command: &str) -> String {
    let output = folder.run(&[command]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr_of(&output).replace(&folder.config().display().to_string(), "solent.toml");
    // In front of it a start may have told of tables that it made.
    let error = &told[told.find("error: ").unwrap()..];
    let (head, blocks) = error.split_once("\n\n").unwrap();
    assert_eq!(head, "error: the database does not understand 4 queries of the config file");
    assert_eq!(blocks.matches("= expected a query that the database understands").count(), 4, "{blocks}");
    let lines = blocks.lines().filter(|line| !line.contains("= expected"));
    lines.map(|line| format!("{}\n", line.trim_end())).collect()
}

#[test]
fn sqlite_says_what_it_does_not_understand_and_the_word_is_marked() {
    let folder = folder("sqlite:site.db");
    let told = problems(&folder, "check");
    assert_eq!(
        told,
        r#"solent.toml:15:44: no such column: titel
 15 | query.a = { sql = "SELECT 'Größe' AS size, titel FROM course WHERE id = :id" }
    |                                            ^^^^^

solent.toml:16:61: no such column: nobody
 16 | query.b = { sql = "SELECT id FROM course WHERE id = :id AND nobody = :user_id" }
    |                                                             ^^^^^^

solent.toml:23:10: near "course": syntax error
 23 |     FORM course
    |          ^^^^^^

solent.toml:29:28: no such table: curse
 29 | allow.sql = "SELECT 1 FROM curse"
    |                            ^^^^^
"#
    );
    assert_eq!(problems(&folder, "run"), told);
}

#[test]
fn postgresql_says_what_it_does_not_understand_and_where() {
    let postgres = Postgres::start();
    let folder = folder(&postgres.database("site"));
    let migrated = folder.run(&["migrate"]);
    assert!(migrated.status.success(), "{}", stderr_of(&migrated));
    let told = problems(&folder, "check");
    assert_eq!(
        told,
        r#"solent.toml:15:44: column "titel" does not exist. Perhaps you meant to reference the column "course.title"
 15 | query.a = { sql = "SELECT 'Größe' AS size, titel FROM course WHERE id = :id" }
    |                                            ^^^^^

solent.toml:16:61: column "nobody" does not exist
 16 | query.b = { sql = "SELECT id FROM course WHERE id = :id AND nobody = :user_id" }
    |                                                             ^^^^^^

solent.toml:23:10: syntax error at or near "course"
 23 |     FORM course
    |          ^^^^^^

solent.toml:29:28: relation "curse" does not exist
 29 | allow.sql = "SELECT 1 FROM curse"
    |                            ^^^^^
"#
    );
    assert_eq!(problems(&folder, "run"), told);
}
