//! Mailboxes and groups of one process: bounds, overflow, wake-ups, gaps, and that nothing stays behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};

use proptest::prelude::*;
use serde_json::json;
use solent::layers::hub::{Hub, Membership};
use solent::layers::{
    Delivered, Delivery, DropCause, Event, EventSink, LayerError, LayerGap, Mailbox, MailboxOptions,
    Overflow, Pushed,
};

use crate::layer_suite::{channel, event, group, next, within};

fn sized(number: i64, bytes: usize) -> Event {
    event(&json!({"n": number, "fill": "x".repeat(bytes)}))
}

fn options(events: usize, overflow: Overflow) -> MailboxOptions {
    MailboxOptions { events, overflow, ..MailboxOptions::default() }
}

fn open(hub: &Arc<Hub>, name: &str, options: MailboxOptions) -> Mailbox {
    hub.open(channel(name), options).expect("the name is free")
}

fn joined(hub: &Arc<Hub>, name: &str, options: MailboxOptions) -> Mailbox {
    let mailbox = open(hub, name, options);
    hub.join(&group("room"), &mailbox, Membership::Handled).expect("joined");
    mailbox
}

fn taken(mailbox: &mut Mailbox) -> Vec<Option<i64>> {
    std::iter::from_fn(|| mailbox.try_recv())
        .map(|delivery| match delivery {
            Delivery::Event(event) => event.value().get("n").and_then(|n| n.decode().ok()),
            _ => None,
        })
        .collect()
}

#[test]
fn drop_newest_keeps_what_came_first_and_counts_the_rest() {
    let hub = Hub::new();
    let mut mailbox = joined(&hub, "a", options(2, Overflow::DropNewest));
    let outcomes: Vec<_> = (0..4).map(|n| hub.deliver_group(&group("room"), &sized(n, 0))).collect();
    assert_eq!(outcomes[0], Delivered { reached: 1, dropped: 0 });
    assert_eq!(outcomes[3], Delivered { reached: 0, dropped: 1 });
    assert_eq!(taken(&mut mailbox), [Some(0), Some(1)]);
    assert_eq!(hub.snapshot().dropped(DropCause::MailboxFull), 2);
    assert_eq!(hub.snapshot().delivered, 2);
}

#[test]
fn drop_oldest_keeps_what_came_last_and_counts_the_rest() {
    let hub = Hub::new();
    let mut mailbox = joined(&hub, "a", options(2, Overflow::DropOldest));
    for n in 0..5 {
        assert_eq!(hub.deliver_group(&group("room"), &sized(n, 0)).reached, 1);
    }
    assert_eq!(taken(&mut mailbox), [Some(3), Some(4)]);
    assert_eq!(hub.snapshot().dropped(DropCause::MailboxFull), 3);
}

#[test]
fn close_tells_the_owner_once() {
    let hub = Hub::new();
    let mut mailbox = joined(&hub, "a", options(1, Overflow::Close));
    for n in 0..3 {
        hub.deliver_group(&group("room"), &sized(n, 0));
    }
    assert_eq!(mailbox.try_recv(), Some(Delivery::Overflow));
    assert_eq!(taken(&mut mailbox), [Some(0)]);
}

#[test]
fn bytes_are_bounded_and_one_large_event_still_fits_into_an_empty_mailbox() {
    let hub = Hub::new();
    let bounds = MailboxOptions { bytes: 1_000, ..MailboxOptions::default() };
    let mut mailbox = joined(&hub, "a", bounds);
    assert_eq!(hub.deliver_group(&group("room"), &sized(0, 5_000)).reached, 1);
    assert_eq!(hub.deliver_group(&group("room"), &sized(1, 0)).dropped, 1);
    assert_eq!(taken(&mut mailbox), [Some(0)]);
    for n in 0..20 {
        hub.deliver_group(&group("room"), &sized(n, 100));
    }
    assert_eq!(taken(&mut mailbox).len(), 6, "six events of some 150 bytes");
}

#[test]
fn a_direct_send_to_a_full_mailbox_is_channel_full_whatever_the_policy() {
    for overflow in [Overflow::DropNewest, Overflow::DropOldest, Overflow::Close] {
        let hub = Hub::new();
        let mut mailbox = open(&hub, "a", options(1, overflow));
        assert_eq!(hub.send(mailbox.name(), &sized(0, 0)), Some(Ok(())));
        let full = LayerError::ChannelFull { channel: channel("a") };
        assert_eq!(hub.send(mailbox.name(), &sized(1, 0)), Some(Err(full)));
        assert_eq!(taken(&mut mailbox), [Some(0)]);
    }
    assert_eq!(Hub::new().send(&channel("nobody"), &sized(0, 0)), None);
}

#[tokio::test]
async fn a_waiting_owner_is_woken_and_a_cancelled_wait_loses_nothing() {
    let hub = Hub::new();
    let mut mailbox = joined(&hub, "a", MailboxOptions::default());
    let mut context = Context::from_waker(std::task::Waker::noop());
    assert_eq!(mailbox.poll_recv(&mut context), Poll::Pending);
    {
        let mut waiting = std::pin::pin!(mailbox.recv());
        assert!(std::future::Future::poll(waiting.as_mut(), &mut context).is_pending());
        hub.deliver_group(&group("room"), &sized(1, 0));
    }
    assert_eq!(next(&mut mailbox).await, sized(1, 0));
    let waiting = tokio::spawn(async move { next(&mut mailbox).await });
    tokio::task::yield_now().await;
    hub.deliver_group(&group("room"), &sized(2, 0));
    assert_eq!(within(waiting).await.expect("no panic"), sized(2, 0));
}

#[test]
fn a_gap_is_told_once_between_what_came_before_and_after_it() {
    let hub = Hub::new();
    let mut mailbox = joined(&hub, "a", MailboxOptions::default());
    hub.join(&group("second"), &mailbox, Membership::Handled).expect("joined");
    let mut bystander = open(&hub, "b", MailboxOptions::default());
    hub.deliver_group(&group("room"), &sized(1, 0));
    hub.announce_gap(&[group("room"), group("second"), group("unknown")]);
    hub.announce_gap(&[group("room")]);
    hub.deliver_group(&group("room"), &sized(2, 0));
    assert_eq!(mailbox.try_recv(), Some(Delivery::Event(sized(1, 0))));
    let gap = LayerGap { groups: vec![group("room"), group("second")] };
    assert_eq!(mailbox.try_recv(), Some(Delivery::Gap(gap)));
    assert_eq!(mailbox.try_recv(), Some(Delivery::Event(sized(2, 0))));
    assert_eq!(mailbox.try_recv(), None);
    assert_eq!(bystander.try_recv(), None);
}

#[test]
fn a_mailbox_that_is_dropped_hands_back_what_nobody_took() {
    let hub = Hub::new();
    let rest = Arc::new(AtomicUsize::new(0));
    let seen = rest.clone();
    let mailbox = joined(&hub, "a", MailboxOptions::default())
        .with_on_drop(move |events| seen.store(events.len(), SeqCst));
    hub.deliver_group(&group("room"), &sized(1, 0));
    hub.deliver_group(&group("room"), &sized(2, 0));
    drop(mailbox);
    assert_eq!(rest.load(SeqCst), 2);
    assert!(!hub.has_group("room") && !hub.has_mailbox("a"));
    open(&hub, "a", MailboxOptions::default());
}

#[test]
fn the_layer_is_told_when_a_groups_last_member_has_left() {
    let emptied = Arc::new(AtomicUsize::new(0));
    let count = emptied.clone();
    let hub = Hub::with_on_emptied(move |_| {
        count.fetch_add(1, SeqCst);
    });
    let (first, second) =
        (open(&hub, "a", MailboxOptions::default()), open(&hub, "b", MailboxOptions::default()));
    assert_eq!(hub.join(&group("room"), &first, Membership::Handled), Ok(true));
    assert_eq!(hub.join(&group("room"), &second, Membership::Handled), Ok(false));
    assert!(!hub.leave(&group("room"), &first));
    assert!(!hub.leave(&group("room"), &first), "it is no member any more");
    assert_eq!(emptied.load(SeqCst), 0);
    drop(second);
    assert_eq!(emptied.load(SeqCst), 1);
}

struct Outbox {
    room: AtomicBool,
    left: AtomicBool,
    pushed: AtomicUsize,
    flushed: AtomicUsize,
}

impl Outbox {
    fn new() -> Arc<Self> {
        Arc::new(Self { room: true.into(), left: false.into(), pushed: 0.into(), flushed: 0.into() })
    }
}

impl EventSink for Outbox {
    fn push(&self, event: &Event) -> Pushed {
        if event.json().is_err() {
            return Pushed::Refused;
        }
        if self.left.load(SeqCst) {
            return Pushed::Gone;
        }
        if !self.room.load(SeqCst) {
            return Pushed::Dropped;
        }
        Pushed::Queued { flush: self.pushed.fetch_add(1, SeqCst) == self.flushed.load(SeqCst) }
    }

    fn flush(&self) {
        self.flushed.store(self.pushed.load(SeqCst), SeqCst);
    }
}

fn forwarded(hub: &Arc<Hub>, name: &str) -> (Mailbox, Arc<Outbox>) {
    let (mailbox, outbox) = (open(hub, name, MailboxOptions::default()), Outbox::new());
    assert!(mailbox.set_sink(outbox.clone()));
    assert!(!mailbox.set_sink(outbox.clone()), "a sink is set once");
    hub.join(&group("room"), &mailbox, Membership::Forwarded).expect("joined");
    (mailbox, outbox)
}

#[test]
fn outside_of_a_runtime_sinks_are_flushed_at_once() {
    let hub = Hub::new();
    let (_mailbox, outbox) = forwarded(&hub, "a");
    hub.deliver_group(&group("room"), &sized(1, 0));
    assert_eq!((outbox.pushed.load(SeqCst), outbox.flushed.load(SeqCst)), (1, 1));
}

#[tokio::test]
async fn senders_that_are_ready_together_share_one_flush() {
    let hub = Hub::new();
    let (_mailbox, outbox) = forwarded(&hub, "a");
    for n in 0..5 {
        hub.deliver_group(&group("room"), &sized(n, 0));
    }
    assert_eq!(outbox.flushed.load(SeqCst), 0, "the sender's path does not write");
    for _ in 0..5 {
        tokio::task::yield_now().await;
    }
    assert_eq!((outbox.pushed.load(SeqCst), outbox.flushed.load(SeqCst)), (5, 5));
}

#[test]
fn a_sink_that_has_no_room_or_no_form_for_an_event_is_counted_by_its_cause() {
    let hub = Hub::new();
    let (_mailbox, outbox) = forwarded(&hub, "a");
    outbox.room.store(false, SeqCst);
    assert_eq!(hub.deliver_group(&group("room"), &sized(1, 0)), Delivered { reached: 0, dropped: 1 });
    let mut bytes = solent::layers::Map::new();
    bytes.insert("file", bytes::Bytes::from_static(b"x"));
    hub.deliver_group(&group("room"), &Event::from_value(bytes.into()).expect("a map"));
    let stats = hub.snapshot();
    assert_eq!((stats.dropped(DropCause::OutboxFull), stats.dropped(DropCause::NotJson)), (1, 1));
    outbox.left.store(true, SeqCst);
    assert_eq!(hub.deliver_group(&group("room"), &sized(2, 0)), Delivered { reached: 0, dropped: 1 });
    let stats = hub.snapshot();
    assert_eq!((stats.dropped(DropCause::OutboxFull), stats.dropped(DropCause::ChannelGone)), (1, 1));
    assert_eq!(stats.dropped_total(), 3);
}

#[test]
fn joining_again_changes_how_a_mailbox_is_a_member() {
    let hub = Hub::new();
    let (mut mailbox, outbox) = forwarded(&hub, "a");
    hub.join(&group("room"), &mailbox, Membership::Handled).expect("joined");
    hub.deliver_group(&group("room"), &sized(1, 0));
    assert_eq!((taken(&mut mailbox), outbox.pushed.load(SeqCst)), (vec![Some(1)], 0));
    let plain = joined(&hub, "b", MailboxOptions::default());
    hub.join(&group("room"), &plain, Membership::Forwarded).expect("joined");
    hub.deliver_group(&group("room"), &sized(2, 0));
    assert_eq!(plain.len(), 1, "without a sink, a forwarded event goes to the mailbox");
}

#[derive(Debug, Clone)]
enum Step {
    Join(usize, usize),
    Leave(usize, usize),
    Reopen(usize),
    Send(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (0..6_usize, 0..3_usize).prop_map(|(member, room)| Step::Join(member, room)),
        (0..6_usize, 0..3_usize).prop_map(|(member, room)| Step::Leave(member, room)),
        (0..6_usize).prop_map(Step::Reopen),
        (0..3_usize).prop_map(Step::Send),
    ];
    prop::collection::vec(step, 0..60)
}

proptest! {
    /// The registry always agrees with plain sets of members.
    #[test]
    fn groups_agree_with_a_simple_model(steps in steps()) {
        let hub = Hub::new();
        let rooms = [group("r0"), group("r1"), group("r2")];
        let mut opened = 0;
        let mut fresh = || {
            opened += 1;
            open(&hub, &format!("m{opened}"), MailboxOptions { events: 1_000, ..MailboxOptions::default() })
        };
        let mut mailboxes: Vec<Mailbox> = (0..6).map(|_| fresh()).collect();
        let mut model = [[false; 3]; 6];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Join(member, room) => {
                    hub.join(&rooms[room], &mailboxes[member], Membership::Handled).expect("joined");
                    model[member][room] = true;
                }
                Step::Leave(member, room) => {
                    hub.leave(&rooms[room], &mailboxes[member]);
                    model[member][room] = false;
                }
                Step::Reopen(member) => {
                    mailboxes[member] = fresh();
                    model[member] = [false; 3];
                }
                Step::Send(room) => {
                    let members = model.iter().filter(|rooms| rooms[room]).count();
                    let sent = sized(number as i64, 0);
                    prop_assert_eq!(hub.deliver_group(&rooms[room], &sent).reached, members);
                    for (mailbox, rooms) in mailboxes.iter_mut().zip(&model) {
                        let expected = if rooms[room] { vec![Some(number as i64)] } else { vec![] };
                        prop_assert_eq!(taken(mailbox), expected);
                    }
                }
            }
            let memberships = model.iter().flatten().filter(|joined| **joined).count();
            prop_assert_eq!(hub.snapshot().memberships, memberships);
        }
        drop(mailboxes);
        let stats = hub.snapshot();
        prop_assert_eq!((stats.mailboxes, stats.groups, stats.memberships), (0, 0, 0));
    }
}

#[test]
fn joins_leaves_and_sends_from_many_threads_leave_a_consistent_registry() {
    let hub = Hub::new();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let hub = hub.clone();
            std::thread::spawn(move || {
                for round in 0..500 {
                    let mailbox = joined(&hub, &format!("t{thread}.{round}"), MailboxOptions::default());
                    hub.deliver_group(&group("room"), &sized(round, 0));
                    assert!(!mailbox.is_empty(), "a member got nothing");
                    if round % 2 == 0 {
                        hub.leave(&group("room"), &mailbox);
                    }
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let stats = hub.snapshot();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships), (0, 0, 0));
}
