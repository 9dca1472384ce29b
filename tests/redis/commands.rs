//! `layer` and `worker` as a user calls them: the binary, over each layer.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::redis_server::RedisServer;
use crate::waiting::eventually_blocking;

/// How long the binary may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// A folder with a site that has one layer of each kind.
struct Site {
    folder: TempDir,
    server: RedisServer,
}

impl Site {
    fn new() -> Self {
        let site = Self { folder: TempDir::new().expect("a folder"), server: RedisServer::start() };
        let (url, port) = (site.server.url(), site.server.port());
        let layers = format!(
            "debug = true\n[channel_layers.default]\nbackend = \"redis-pubsub\"\nhosts = [\"{url}\"]\n\
             [channel_layers.lists]\nbackend = \"redis\"\nhosts = [[\"127.0.0.1\", {port}]]\n\
             [channel_layers.memory]\nbackend = \"memory\"\n"
        );
        std::fs::write(site.folder.path().join("site.toml"), layers).expect("written");
        site
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_solent"));
        command.env_clear().env("NO_COLOR", "1").args(arguments).arg("--config");
        command.arg(self.folder.path().join("site.toml"));
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("the binary runs")
    }

    /// What a command prints when all goes well.
    fn told(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
        text(&output.stdout)
    }

    /// What a command that fails says.
    fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", text(&output.stdout));
        text(&output.stderr)
    }

    fn start(&self, arguments: &[&str]) -> Running {
        let mut child = self
            .command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let (out, err) = (child.stdout.take().expect("a pipe"), child.stderr.take().expect("a pipe"));
        Running { child, out: BufReader::new(out), err: BufReader::new(err) }
    }

    /// Waits until someone is subscribed to a channel of Redis.
    fn until_subscribed(&self, channel: &str) {
        wait(channel, || self.server.subscriptions().0.iter().any(|name| name == channel));
    }
}

fn wait(what: &str, holds: impl FnMut() -> bool) {
    eventually_blocking(what, PATIENCE, holds);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("output is UTF-8")
}

/// A command that goes on until it is told to end.
struct Running {
    child: Child,
    out: BufReader<ChildStdout>,
    err: BufReader<ChildStderr>,
}

impl Running {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.out.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn error_line(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn interrupt(&mut self) -> bool {
        let sent = Command::new("/bin/kill").args(["-INT", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
        self.ended_well()
    }

    fn ended_well(&mut self) -> bool {
        let child = &mut self.child;
        wait("the end", || child.try_wait().expect("it can be waited for").is_some());
        child.wait().expect("it has ended").success()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn check_sends_hello_to_itself_on_every_layer() {
    let site = Site::new();
    let port = site.server.port();
    let told = site.told(&["layer", "check"]);
    assert_eq!(
        told,
        format!(
            "default: redis-pubsub at 127.0.0.1:{port}: {{\"message\":\"Hello\"}}\n\
             lists: redis at 127.0.0.1:{port}: {{\"message\":\"Hello\"}}\n\
             memory: memory: {{\"message\":\"Hello\"}}\n"
        )
    );
    let told = site.told(&["layer", "check", "--only", "--layer", "memory"]);
    assert_eq!(told, "memory: memory: {\"message\":\"Hello\"}\n");
    assert!(
        site.refused(&["layer", "check", "--only", "--layer", "none"]).contains("default, lists, memory")
    );
}

#[test]
fn check_names_the_host_that_is_away() {
    let mut site = Site::new();
    let host = format!("127.0.0.1:{}", site.server.port());
    site.server.kill();
    let refused = site.refused(&["layer", "check"]);
    assert!(refused.contains("channel layer \"default\"") && refused.contains(&host), "{refused}");
}

#[test]
fn send_and_receive_meet_on_pubsub_only_while_someone_listens() {
    let site = Site::new();
    let message = r#"{"type": "chat.message", "message": "grüß ☃"}"#;
    let told = site.told(&["layer", "send", "work", message]);
    assert_eq!(told, "nobody is subscribed to work: the message is lost\n");
    let mut receiving = site.start(&["layer", "receive", "work", "--timeout", "30"]);
    site.until_subscribed("work");
    let told = site.told(&["layer", "send", "work", message]);
    assert_eq!(told, format!("sent to work by redis-pubsub at 127.0.0.1:{}\n", site.server.port()));
    assert_eq!(receiving.line(), r#"{"message":"grüß ☃","type":"chat.message"}"#);
    assert!(receiving.ended_well());
}

#[test]
fn send_waits_in_redis_lists_until_it_is_received_once() {
    let site = Site::new();
    for number in 1..=2 {
        site.told(&["layer", "send", "work", &format!("{{\"n\": {number}}}"), "--layer", "lists"]);
    }
    for number in 1..=2 {
        let told = site.told(&["layer", "receive", "work", "--layer", "lists"]);
        assert_eq!(told, format!("{{\"n\":{number}}}\n"));
    }
    let refused = site.refused(&["layer", "receive", "work", "--layer", "lists", "--timeout", "0.2"]);
    assert!(refused.contains("no message came within 0.2 s"), "{refused}");
}

#[test]
fn bytes_are_printed_in_base64() {
    let site = Site::new();
    let mut receiving = site.start(&["layer", "receive", "work"]);
    site.until_subscribed("work");
    // {"b": bytes 00 ff}
    let packed: &[u8] = b"\x81\xa1b\xc4\x02\x00\xff";
    let client = redis::Client::open(site.server.url()).expect("a client");
    let mut connection = client.get_connection().expect("a connection");
    redis::cmd("PUBLISH").arg("work").arg(packed).query::<i64>(&mut connection).expect("published");
    assert_eq!(receiving.line(), r#"{"b":{"$bytes":"AP8="}}"#);
}

#[test]
fn group_send_reaches_who_listens() {
    for layer in ["default", "lists"] {
        let site = Site::new();
        let mut first = site.start(&["layer", "listen", "room", "--layer", layer]);
        let mut second = site.start(&["layer", "listen", "room", "--layer", layer]);
        for running in [&mut first, &mut second] {
            assert!(running.error_line().starts_with("listening to group room by redis"));
        }
        for number in 0..3 {
            let message = format!("{{\"n\": {number}}}");
            let told = site.told(&["layer", "group-send", "room", &message, "--layer", layer]);
            assert!(told.starts_with("sent to group room by redis") && !told.contains("nobody"), "{told}");
            for running in [&mut first, &mut second] {
                assert_eq!(running.line(), format!("{{\"n\":{number}}}"));
            }
        }
        assert!(first.interrupt() && second.interrupt());
        wait("nothing is left", || {
            let subscribed = site.server.subscriptions().0;
            site.server.keys().is_empty() && !subscribed.iter().any(|name| name.contains("group"))
        });
    }
}

#[test]
fn flush_forgets_what_waits_and_touches_nothing_else() {
    let site = Site::new();
    site.told(&["layer", "send", "work", "{}", "--layer", "lists"]);
    site.server.run::<()>(&["SET", "another", "1"]);
    assert_eq!(site.server.keys(), ["another", "asgiwork"]);
    let told = site.told(&["layer", "flush", "--layer", "lists"]);
    assert_eq!(told, format!("flushed redis at 127.0.0.1:{}\n", site.server.port()));
    assert_eq!(site.server.keys(), ["another"]);
}

#[test]
fn group_send_says_when_nobody_is_known_to_be_there() {
    let site = Site::new();
    for (layer, name) in [("default", "redis-pubsub"), ("lists", "redis"), ("memory", "memory")] {
        let told = site.told(&["layer", "group-send", "room", "{}", "--layer", layer]);
        assert!(told.starts_with(&format!("sent to group room by {name}")), "{told}");
        assert!(told.ends_with(", in which nobody is known to be\n"), "{told}");
    }
}

#[test]
fn memory_says_that_it_is_one_process() {
    let site = Site::new();
    let output = site.run(&["layer", "send", "work", "{}", "--layer", "memory"]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("one process's own"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_sent_is_told() {
    let site = Site::new();
    for (arguments, words) in [
        (["layer", "send", "work", "[1]"], "must be a JSON object"),
        (["layer", "send", "work", "{"], "must be a JSON object"),
        (["layer", "send", "no name", "{}"], "no name"),
        (["layer", "group-send", "no!group", "{}"], "no!group"),
    ] {
        let refused = site.refused(&arguments);
        assert!(refused.contains(words), "{arguments:?}: {refused}");
    }
    assert_eq!(site.run(&["layer"]).status.code(), Some(2));
}

#[test]
fn h1_worker_needs_a_channel_and_a_consumer_for_it() {
    let site = Site::new();
    assert_eq!(site.run(&["worker"]).status.code(), Some(2), "at least one channel");
    let refused = site.refused(&["worker", "thumbnails"]);
    assert!(refused.contains("nothing handles channel \"thumbnails\""), "{refused}");
    let refused = site.refused(&["worker", "thumbnails", "--layer", "none"]);
    assert!(refused.contains("default, lists, memory"), "{refused}");
}
