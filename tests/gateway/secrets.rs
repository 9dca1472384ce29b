//! Secrets stay where they are: neither the log, nor an error, nor `config show` tells them.

use super::binary::{Folder, Site, solent, stderr_of, stdout_of};
use super::raw::Raw;

/// Each secret of the file, and of a request, has this in it.
const MARK: &str = "SECRET";

const SITE: &str = r#"
debug = true
secret_key = "SECRET-that-is-long-enough-to-be-one-of-a-site"
secret_key_fallbacks = ["SECRET-of-last-year", "file:key.txt", "${SOLENT_TEST_HIDDEN}"]
allowed_hosts = ["127.0.0.1"]

[server]
bind = ["127.0.0.1:0"]

[log]
level = "trace"
FORMAT

[limits]
drain_time = "100ms"

[database]
url = "DATABASE"
acquire_time = "200ms"

[channel_layers.default]
backend = "redis"
hosts = ["redis://user:SECRET@127.0.0.1:1/0"]
sentinel = { master = "one", hosts = ["redis://:SECRET@127.0.0.1:1"] }
symmetric_encryption_keys = ["SECRET-of-the-layer"]
start_without_layer = true
connect_time = "200ms"

[session]
backend = "cached_db"
cache = { url = "redis://:SECRET@127.0.0.1:1/1" }

[templates]
dir = "templates"

[[http]]
path = "login/"
login = { template = "login.html" }

[[http]]
path = ""
respond = {}
"#;

fn folder(database: &str, format: &str) -> Folder {
    let folder = Folder::with(&SITE.replace("DATABASE", database).replace("FORMAT", format));
    folder.write("key.txt", "SECRET-in-a-file");
    folder.write("templates/login.html", "<form>{{ csrf_token }}</form>");
    folder
}

#[test]
fn no_command_tells_a_secret() {
    let folder = folder("postgres://user:SECRET@127.0.0.1:1/site", "");
    for (arguments, code) in [
        (&["run"][..], 1),
        (&["check"], 1),
        (&["check", "--offline"], 0),
        (&["config", "show"], 0),
        (&["routes"], 0),
        (&["migrate"], 1),
        (&["user", "list"], 1),
        (&["clearsessions"], 1),
        (&["layer", "check"], 1),
    ] {
        let mut command = solent();
        command.env("SOLENT_TEST_HIDDEN", "SECRET-in-a-variable").args(arguments);
        let output = command.arg("--config").arg(folder.config()).output().unwrap();
        let told = stdout_of(&output) + &stderr_of(&output);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(!told.contains(MARK), "{arguments:?}: {told}");
    }
}

#[tokio::test]
async fn the_log_tells_no_secret_at_its_most_talkative() {
    for format in ["format = \"text\"", "format = \"json\""] {
        let folder = folder("sqlite:site.db", format);
        let log = std::fs::File::create(folder.path("log")).unwrap();
        let mut command = solent();
        command.env("SOLENT_TEST_HIDDEN", "SECRET-in-a-variable").arg("--config").arg(folder.config());
        let site = Site::start_unheard(command.stderr(log));
        let mut raw = Raw::connect(site.address).await;
        for request in [
            "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n".to_owned(),
            "GET /login/ HTTP/1.1\r\nHost: 127.0.0.1\r\n".to_owned(),
        ] {
            raw.send(format!(
                "{request}Cookie: sessionid=SECRETsession; csrftoken=SECRETcsrf\r\nAuthorization: Bearer SECRET\r\n\r\n"
            ))
            .await;
            raw.response().await;
        }
        assert_eq!(site.stop(), Some(0));
        let told = std::fs::read_to_string(folder.path("log")).unwrap();
        assert!(told.contains("DEBUG") || told.contains("TRACE"), "the log says little: {told}");
        let line = told.lines().find(|line| line.contains(MARK));
        assert_eq!(line, None);
    }
}
