//! The word of a gap: in its place among the events, before whatever comes after it, on the way past the consumer too.

use std::sync::{Arc, Mutex};

use serde_json::json;
use solent::layers::hub::{Hub, Membership};
use solent::layers::{
    Delivery, DropCause, Event, EventSink, LayerGap, Mailbox, MailboxOptions, Overflow, Pushed,
};

use crate::layer_suite::{channel, event, group};

fn numbered(number: i64) -> Event {
    event(&json!({"n": number}))
}

/// What a client sees, in order.
#[derive(Default)]
struct Client {
    seen: Mutex<Vec<String>>,
    flushed: Mutex<usize>,
}

impl Client {
    fn sees(&self, what: &str) {
        self.seen.lock().expect("not poisoned").push(what.to_owned());
    }

    fn has_seen(&self) -> Vec<String> {
        self.seen.lock().expect("not poisoned").clone()
    }

    fn flushed(&self) -> usize {
        *self.flushed.lock().expect("not poisoned")
    }
}

impl EventSink for Client {
    fn push(&self, event: &Event) -> Pushed {
        let Ok(text) = event.json() else { return Pushed::Refused };
        self.sees(std::str::from_utf8(&text).expect("JSON"));
        Pushed::Queued { flush: true }
    }

    fn flush(&self) {
        *self.flushed.lock().expect("not poisoned") = self.has_seen().len();
    }
}

fn forwarded(hub: &Arc<Hub>, options: MailboxOptions) -> (Mailbox, Arc<Client>) {
    let mailbox = hub.open(channel("a"), options).expect("the name is free");
    let client = Arc::new(Client::default());
    assert!(mailbox.set_sink(client.clone()));
    hub.join(&group("room"), &mailbox, Membership::Forwarded).expect("joined");
    (mailbox, client)
}

fn gap(groups: &[&str]) -> Option<Delivery> {
    Some(Delivery::Gap(LayerGap { groups: groups.iter().map(|name| group(name)).collect() }))
}

#[test]
fn forwarded_events_wait_until_the_owner_has_dealt_with_the_gap_before_them() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    hub.deliver_group("room", &numbered(1));
    hub.announce_gap(&[group("room")]);
    assert_eq!(hub.deliver_group("room", &numbered(2)).reached, 1);
    assert_eq!(client.has_seen(), [r#"{"n":1}"#], "it waits for the owner to come");
    assert_eq!(mailbox.try_recv(), gap(&["room"]));
    hub.deliver_group("room", &numbered(3));
    assert_eq!(client.has_seen().len(), 1, "the owner is about to tell its client");
    client.sees("gap");
    assert_eq!(mailbox.try_recv(), None, "done with it, and nothing else waits");
    hub.deliver_group("room", &numbered(4));
    assert_eq!(client.has_seen(), [r#"{"n":1}"#, "gap", r#"{"n":2}"#, r#"{"n":3}"#, r#"{"n":4}"#]);
    assert_eq!(client.flushed(), 5);
    assert_eq!((hub.snapshot().delivered, hub.snapshot().dropped_total()), (4, 0));
}

#[test]
fn what_a_layer_delivers_by_the_mailboxes_name_waits_too() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    hub.announce_gap(&[group("room")]);
    hub.deliver_each([("a", Membership::Forwarded)].into_iter(), &numbered(1));
    assert_eq!(client.has_seen(), [""; 0]);
    assert_eq!(mailbox.try_recv(), gap(&["room"]));
    assert_eq!(mailbox.try_recv(), None);
    assert_eq!(client.has_seen(), [r#"{"n":1}"#]);
}

#[test]
fn a_second_gap_while_the_first_is_dealt_with_is_told_before_what_comes_after_it() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    hub.join(&group("handled"), &mailbox, Membership::Handled).expect("joined");
    hub.announce_gap(&[group("room")]);
    assert_eq!(mailbox.try_recv(), gap(&["room"]));
    hub.deliver_group("handled", &numbered(1));
    hub.announce_gap(&[group("room")]);
    hub.deliver_group("room", &numbered(2));
    assert_eq!(mailbox.try_recv(), Some(Delivery::Event(numbered(1))), "it came before");
    assert_eq!(client.has_seen(), [""; 0]);
    assert_eq!(mailbox.try_recv(), gap(&["room"]));
    assert_eq!(client.has_seen(), [""; 0]);
    assert_eq!(mailbox.try_recv(), None);
    assert_eq!(client.has_seen(), [r#"{"n":2}"#]);
}

#[test]
fn a_gap_of_handled_memberships_alone_holds_nothing_back() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    hub.join(&group("handled"), &mailbox, Membership::Handled).expect("joined");
    hub.announce_gap(&[group("handled")]);
    hub.deliver_group("room", &numbered(1));
    assert_eq!(client.has_seen(), [r#"{"n":1}"#]);
    assert_eq!(mailbox.try_recv(), gap(&["handled"]));
}

#[test]
fn what_is_held_back_has_the_mailboxs_bounds() {
    for (overflow, kept) in [(Overflow::DropNewest, [0, 1]), (Overflow::DropOldest, [3, 4])] {
        let hub = Hub::new();
        let options = MailboxOptions { events: 2, overflow, ..MailboxOptions::default() };
        let (mut mailbox, client) = forwarded(&hub, options);
        hub.announce_gap(&[group("room")]);
        for number in 0..5 {
            hub.deliver_group("room", &numbered(number));
        }
        assert_eq!(hub.snapshot().dropped(DropCause::MailboxFull), 3);
        assert_eq!((mailbox.try_recv(), mailbox.try_recv()), (gap(&["room"]), None));
        assert_eq!(client.has_seen(), kept.map(|number| format!(r#"{{"n":{number}}}"#)));
    }
    let hub = Hub::new();
    let options = MailboxOptions { events: 1, overflow: Overflow::Close, ..MailboxOptions::default() };
    let (mut mailbox, _client) = forwarded(&hub, options);
    hub.announce_gap(&[group("room")]);
    hub.deliver_group("room", &numbered(1));
    hub.deliver_group("room", &numbered(2));
    assert_eq!(mailbox.try_recv(), Some(Delivery::Overflow));
}

#[test]
fn what_has_no_form_for_the_client_is_counted_when_it_goes_on() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    let mut bytes = solent::layers::Map::new();
    bytes.insert("file", bytes::Bytes::from_static(b"x"));
    hub.announce_gap(&[group("room")]);
    hub.deliver_group("room", &Event::from_value(bytes.into()).expect("a map"));
    assert_eq!((mailbox.try_recv(), mailbox.try_recv()), (gap(&["room"]), None));
    assert_eq!((client.has_seen().len(), hub.snapshot().dropped(DropCause::NotJson)), (0, 1));
}

#[test]
fn forgetting_everything_forgets_what_is_held_back() {
    let hub = Hub::new();
    let (mut mailbox, client) = forwarded(&hub, MailboxOptions::default());
    hub.announce_gap(&[group("room")]);
    hub.deliver_group("room", &numbered(1));
    hub.clear();
    hub.join(&group("room"), &mailbox, Membership::Forwarded).expect("joined");
    hub.deliver_group("room", &numbered(2));
    assert_eq!((mailbox.try_recv(), client.has_seen()), (None, vec![r#"{"n":2}"#.to_owned()]));
}

/// Whatever thread delivers, a client sees the events of a group in one order, the gap among them.
#[test]
fn nothing_overtakes_anything_while_events_are_let_go() {
    for _ in 0..50 {
        let hub = Hub::new();
        let options = MailboxOptions { events: 10_000, ..MailboxOptions::default() };
        let (mut mailbox, client) = forwarded(&hub, options);
        hub.announce_gap(&[group("room")]);
        let sender = {
            let hub = hub.clone();
            std::thread::spawn(move || {
                for n in 0..500 {
                    hub.deliver_group("room", &numbered(n));
                }
            })
        };
        assert_eq!(mailbox.try_recv(), gap(&["room"]));
        client.sees("gap");
        while !sender.is_finished() {
            assert_eq!(mailbox.try_recv(), None);
        }
        sender.join().expect("no panic");
        assert_eq!(mailbox.try_recv(), None);
        let expected = (0..500).map(|n| format!(r#"{{"n":{n}}}"#));
        assert_eq!(client.has_seen(), std::iter::once("gap".to_owned()).chain(expected).collect::<Vec<_>>());
    }
}
