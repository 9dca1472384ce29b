//! Micro benchmarks: group sends to 1, 100 and 1,000 mailboxes and sinks.
//!
//! `cargo bench --bench micro`

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use solent::layers::hub::{Hub, Membership};
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

criterion_group!(benches, group_send, membership);
criterion_main!(benches);
