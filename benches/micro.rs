//! Micro benchmarks: group sends to 1, 100 and 1,000 mailboxes and sinks, events to and from their forms, and the check
//! of a session.
//!
//! `cargo bench --bench micro`

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

#[cfg(feature = "auth")]
use std::time::Duration;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
#[cfg(feature = "auth")]
use solent::auth::{
    Database, DatabaseOptions, DatabaseSessions, SecretKeys, SessionData, SessionStore, SignedCookieSessions,
};
use solent::layers::hub::{Hub, Membership};
#[cfg(feature = "redis")]
use solent::layers::redis::format::{Codec, Serializers};
use solent::layers::{
    ChannelName, EncodingKey, Event, EventSink, GroupName, Mailbox, MailboxOptions, Pushed,
};

const SIZES: [usize; 3] = [1, 100, 1_000];

/// Encodes once per event, as a connection does, and forgets the frame.
#[derive(Default)]
struct Forgetful(AtomicBool);

impl EventSink for Forgetful {
    fn push(&self, event: &Event) -> Pushed {
        let frame = event.encoded(EncodingKey::TEXT_FRAME, || event.json());
        let dirty = self.0.swap(true, Relaxed);
        frame.map_or(Pushed::Refused, |_| Pushed::Queued { flush: !dirty })
    }

    fn flush(&self) {
        self.0.store(false, Relaxed);
    }
}

fn room() -> GroupName {
    GroupName::new("room").expect("a group name")
}

fn members(hub: &Arc<Hub>, size: usize, how: Membership) -> Vec<Mailbox> {
    (0..size)
        .map(|member| {
            let name = ChannelName::new(format!("m{member}")).expect("a channel name");
            let mailbox = hub.open(name, MailboxOptions::default()).expect("a free name");
            mailbox.set_sink(Arc::new(Forgetful::default()));
            hub.join(&room(), &mailbox, how).expect("joined");
            mailbox
        })
        .collect()
}

fn message() -> Event {
    let message = serde_json::json!({"type": "chat.message", "message": "hello", "user": "alice"});
    Event::new(&message).expect("an event")
}

fn group_send(criterion: &mut Criterion) {
    let mut benches = criterion.benchmark_group("group_send");
    for size in SIZES {
        benches.throughput(Throughput::Elements(size as u64));
        benches.bench_function(BenchmarkId::new("mailboxes", size), |bencher| {
            let hub = Hub::new();
            let mut mailboxes = members(&hub, size, Membership::Handled);
            bencher.iter(|| {
                hub.deliver_group(&room(), &message());
                mailboxes.iter_mut().for_each(|mailbox| drop(mailbox.try_recv()));
            });
        });
        benches.bench_function(BenchmarkId::new("sinks", size), |bencher| {
            let hub = Hub::new();
            let _mailboxes = members(&hub, size, Membership::Forwarded);
            bencher.iter(|| hub.deliver_group(&room(), &message()));
        });
    }
}

fn membership(criterion: &mut Criterion) {
    criterion.bench_function("join_and_leave_among_1000", |bencher| {
        let hub = Hub::new();
        let mailboxes = members(&hub, 1_000, Membership::Handled);
        bencher.iter(|| {
            hub.leave(&room(), &mailboxes[500]);
            hub.join(&room(), &mailboxes[500], Membership::Handled).expect("joined");
        });
    });
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Chat {
    #[serde(rename = "chat.message")]
    Message { message: String, user: String },
}

fn event_forms(criterion: &mut Criterion) {
    let mut benches = criterion.benchmark_group("event");
    let sent = serde_json::json!({"type": "chat.message", "message": "hello", "user": "alice"});
    benches.bench_function("of_a_message", |bencher| bencher.iter(|| Event::new(&sent).expect("an event")));
    benches.bench_function("to_json", |bencher| {
        bencher.iter_batched(message, |event| event.json().expect("JSON"), BatchSize::SmallInput);
    });
    benches.bench_function("decode_once", |bencher| {
        let decode = |event: Event| {
            let decoded = event.decode::<Chat>().expect("decodes");
            let Chat::Message { message, user } = decoded.get();
            message.len() + user.len()
        };
        bencher.iter_batched(message, decode, BatchSize::SmallInput);
    });
    benches.bench_function("decode_again", |bencher| {
        let event = message();
        bencher.iter(|| event.decode::<Chat>().expect("decodes"));
    });
    #[cfg(feature = "redis")]
    for format in ["msgpack", "json"] {
        let codec = Codec::new(Serializers::default().get(format).expect("a serializer"));
        let event = message();
        let map = event.value().as_map().expect("a map").clone();
        let framed = bytes::Bytes::from(codec.encode(&map).expect("encodes"));
        benches.bench_function(BenchmarkId::new("to_wire", format), |bencher| {
            bencher.iter(|| codec.encode(&map).expect("encodes"));
        });
        benches.bench_function(BenchmarkId::new("from_wire", format), |bencher| {
            bencher.iter(|| codec.decode(&framed).expect("decodes"));
        });
    }
}

/// What a handshake asks the store of its session, with the user inside.
#[cfg(feature = "auth")]
fn session_check(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let keys = SecretKeys::new("a secret key of the benchmarks, long enough for anyone");
    let folder = tempfile::TempDir::new().expect("a folder");
    let url = format!("sqlite:{}", folder.path().join("sessions.db").display());
    let database = runtime.block_on(async {
        let database = Database::connect(&url, DatabaseOptions::default()).await.expect("a database");
        database.migrate().await.expect("tables");
        database
    });
    let hour = Duration::from_secs(3600);
    let stores: [(&str, Box<dyn SessionStore>); 2] = [
        ("signed_cookie", Box::new(SignedCookieSessions::new(keys.clone(), hour))),
        ("sqlite", Box::new(DatabaseSessions::new(database, keys))),
    ];
    let mut benches = criterion.benchmark_group("session_check");
    for (name, store) in &stores {
        let mut data = SessionData::default();
        data.set("_auth_user_id", "1").expect("text");
        data.set("_auth_user_hash", "0".repeat(64).as_str()).expect("text");
        let key = runtime.block_on(store.save(None, &data, chrono::Utc::now() + hour)).expect("saved");
        benches.bench_function(*name, |bencher| {
            bencher
                .to_async(&runtime)
                .iter(async || assert!(store.load(&key).await.expect("asked").is_some()));
        });
    }
    benches.finish();
    // The database's connections end in their runtime.
    runtime.block_on(async move { drop(stores) });
}

#[cfg(not(feature = "auth"))]
fn session_check(_: &mut Criterion) {}

criterion_group!(benches, group_send, membership, event_forms, session_check);
criterion_main!(benches);
