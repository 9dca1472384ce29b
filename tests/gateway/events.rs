//! `events` and `Last-Event-ID`: clients that come back get what they have missed, or are told that it is lost.

use serde_json::{Value as Json, json};

use super::binary::{Folder, Site};
use super::raw::Raw;

fn config(history: &str) -> String {
    format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1"]
allowed_origins = ["*"]

[server]
bind = ["127.0.0.1:0"]

[limits]
drain_time = "100ms"

[channel_layers.default]
backend = "memory"

[[http]]
path = "events/<slug:room>/"
events = {{ groups = ["room_{{room}}", "all"]{history} }}

[[websocket]]
path = "ws/<slug:group>/"
consumer = "relay"
group = "{{group}}"
"#
    )
}

/// A reader of an event stream, as browsers are.
struct Source {
    raw: Raw,
    last: String,
}

impl Source {
    async fn open(site: &Site, last: Option<&str>) -> Self {
        let mut raw = Raw::connect(site.address).await;
        let last_id = last.map(|last| format!("Last-Event-ID: {last}\r\n")).unwrap_or_default();
        raw.send(format!("GET /events/a/ HTTP/1.1\r\nHost: 127.0.0.1\r\n{last_id}\r\n")).await;
        let head = raw.head().await;
        assert_eq!(
            (head.status, head.header("content-type")),
            (200, Some("text/event-stream")),
            "{}",
            head.text
        );
        let mut source = Self { raw, last: String::new() };
        assert_eq!(source.block().await, None, "a position comes first");
        source
    }

    /// The next block: its data, if it has some. Remembers its id.
    async fn block(&mut self) -> Option<Json> {
        let (mut data, mut any) = (None, false);
        loop {
            // A chunk's size and its end are lines of their own here; none looks like a field.
            let line = line(&mut self.raw).await;
            match line.split_once(": ") {
                Some(("id", id)) => (self.last, any) = (id.to_owned(), true),
                Some(("data", text)) => (data, any) = (Some(serde_json::from_str(text).unwrap()), true),
                _ if line.is_empty() && any => return data,
                _ => {}
            }
        }
    }

    async fn hears(&mut self) -> Json {
        self.block().await.expect("data")
    }
}

/// The next line of a stream, or of the chunks in which it comes.
async fn line(raw: &mut Raw) -> String {
    let mut line = Vec::new();
    loop {
        match raw.bytes(1).await[0] {
            b'\n' => return String::from_utf8(line).unwrap(),
            b'\r' => {}
            byte => line.push(byte),
        }
    }
}

fn message(text: &str) -> Json {
    json!({"type": "relay.message", "message": text, "user": ""})
}

fn gap() -> Json {
    json!({"type": "layer.gap"})
}

/// Says something in a group; it has arrived when this is done.
async fn say(speaker: &mut Raw, text: &str) {
    speaker.send_text(&json!(text).to_string()).await;
    assert_eq!(speaker.frame().await.json(), message(text));
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_in_order_and_once() {
    let folder = Folder::with(&config(""));
    let site = folder.start();
    let mut speaker = Raw::websocket(site.address, "/ws/room_a/").await;
    let mut all = Raw::websocket(site.address, "/ws/all/").await;
    let mut other = Raw::websocket(site.address, "/ws/room_b/").await;
    let mut source = Source::open(&site, None).await;
    let first = source.last.clone();
    say(&mut speaker, "one").await;
    assert_eq!(source.hears().await, message("one"));
    let last = source.last.clone();
    drop(source);
    say(&mut speaker, "two").await;
    say(&mut other, "not for this room").await;
    say(&mut all, "three").await;
    let mut source = Source::open(&site, Some(&last)).await;
    for text in ["two", "three"] {
        assert_eq!(source.hears().await, message(text));
    }
    say(&mut speaker, "four").await;
    assert_eq!(source.hears().await, message("four"));
    // Cut off before the first event, one has a place to come back to.
    let mut source = Source::open(&site, Some(&first)).await;
    for text in ["one", "two", "three", "four"] {
        assert_eq!(source.hears().await, message(text));
    }
    // Two who follow one group have the same numbers.
    assert_eq!(Source::open(&site, None).await.last, source.last);
}

#[tokio::test]
async fn a_gap_that_cannot_be_filled_is_told_once() {
    let folder = Folder::with(&config(", history = 3"));
    let site = folder.start();
    let mut speaker = Raw::websocket(site.address, "/ws/room_a/").await;
    let mut witness = Source::open(&site, None).await;
    let begin = witness.last.clone();
    for number in 0..5 {
        say(&mut speaker, &number.to_string()).await;
        assert_eq!(witness.hears().await, message(&number.to_string()));
    }
    for unknown in [begin.as_str(), "0000000000000000-3", "nonsense", "ffffffffffffffff-18446744073709551615"]
    {
        let mut source = Source::open(&site, Some(unknown)).await;
        assert_eq!(source.hears().await, gap(), "{unknown}");
        let after = source.last.clone();
        say(&mut speaker, unknown).await;
        assert_eq!(source.hears().await, message(unknown));
        let mut source = Source::open(&site, Some(&after)).await;
        assert_eq!(source.hears().await, message(unknown), "behind the gap, nothing is missing");
    }
}

#[tokio::test]
async fn what_is_kept_is_bounded_in_bytes() {
    let folder = Folder::with(&config(", history_bytes = \"4KiB\""));
    let site = folder.start();
    let mut speaker = Raw::websocket(site.address, "/ws/room_a/").await;
    let mut source = Source::open(&site, None).await;
    let begin = source.last.clone();
    let long = "x".repeat(3000);
    for _ in 0..2 {
        say(&mut speaker, &long).await;
        assert_eq!(source.hears().await, message(&long));
    }
    assert_eq!(Source::open(&site, Some(&begin)).await.hears().await, gap());
}

#[tokio::test]
async fn without_a_history_there_are_no_numbers() {
    let folder = Folder::with(&config(", history = 0"));
    let site = folder.start();
    let mut raw = Raw::connect(site.address).await;
    raw.send("GET /events/a/ HTTP/1.1\r\nHost: 127.0.0.1\r\nLast-Event-ID: 1\r\n\r\n").await;
    raw.head().await;
    let mut speaker = Raw::websocket(site.address, "/ws/room_a/").await;
    say(&mut speaker, "one").await;
    let mut lines = Vec::new();
    while !lines.last().is_some_and(|line: &String| line.starts_with("data: ")) {
        lines.push(line(&mut raw).await);
    }
    assert!(!lines.iter().any(|line| line.starts_with("id:")), "{lines:?}");
}
