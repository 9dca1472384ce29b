//! What a layer promises of groups, their members and mailboxes.

use super::*;

pub async fn a_group_send_reaches_every_member_and_nobody_else(rig: Rig) {
    let (lobby, other) = (group("lobby"), group("other"));
    let (mut first, mut second, mut stranger) =
        (rig.mailbox().await, rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&lobby, &first).await.expect("joined");
    rig.layer.group_add(&lobby, &second).await.expect("joined");
    rig.layer.group_add(&other, &stranger).await.expect("joined");
    rig.layer.group_send(&lobby, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut first).await), 1);
    assert_eq!(number_of(&next(&mut second).await), 1);
    assert_eq!(settled(&rig, &mut stranger).await, [], "a member of another group heard it");
}

pub async fn a_group_send_to_nobody_is_fine(rig: Rig) {
    rig.layer.group_send(&group("nobody"), numbered(1)).await.expect("sent");
}

pub async fn it_is_known_whether_anybody_is_in_a_group(rig: Rig) {
    let (room, other) = (group("known"), group("unknown"));
    let first = rig.layer.has_members(&room).await.expect("asked");
    let mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    if first.is_none() {
        // A layer that cannot tell never claims to.
        return assert_eq!(rig.layer.has_members(&room).await.expect("asked"), None);
    }
    assert_eq!(first, Some(false));
    assert_eq!(rig.layer.has_members(&room).await.expect("asked"), Some(true));
    assert_eq!(rig.layer.has_members(&other).await.expect("asked"), Some(false));
    rig.layer.group_discard(&room, &mailbox).await.expect("left");
    let is_empty = async || rig.layer.has_members(&room).await.expect("asked") == Some(false);
    crate::waiting::eventually_async("who has left is forgotten", crate::waiting::PATIENCE, is_empty).await;
}

pub async fn joining_twice_is_one_membership(rig: Rig) {
    let room = group("twice");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_add(&room, &mailbox).await.expect("joined again");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut mailbox).await), 1);
    assert_eq!(settled(&rig, &mut mailbox).await, [], "it came twice");
    assert_eq!(rig.layer.stats().memberships, 1);
}

pub async fn a_member_that_left_hears_nothing(rig: Rig) {
    let room = group("left");
    let (mut stays, mut leaves) = (rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&room, &stays).await.expect("joined");
    rig.layer.group_add(&room, &leaves).await.expect("joined");
    rig.layer.group_discard(&room, &leaves).await.expect("left");
    rig.layer.group_discard(&room, &leaves).await.expect("leaving twice is fine");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent");
    assert_eq!(number_of(&next(&mut stays).await), 1);
    assert_eq!(settled(&rig, &mut leaves).await, [], "it left before");
}

pub async fn memberships_die_with_their_mailbox(rig: Rig) {
    let room = group("dies");
    let mailbox = rig.mailbox().await;
    let name = mailbox.name().clone();
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_add(&group("dies_too"), &mailbox).await.expect("joined");
    assert_eq!((rig.layer.stats().mailboxes, rig.layer.stats().memberships), (1, 2));
    drop(mailbox);
    let stats = rig.layer.stats();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships), (0, 0, 0));
    rig.layer.group_send(&room, numbered(1)).await.expect("sent to nobody");
    rig.layer.send(&name, numbered(1)).await.expect("a channel that is gone is no error");
    eventually("the gone channel is counted", || rig.layer.stats().dropped(DropCause::ChannelGone) >= 1)
        .await;
}

pub async fn events_of_one_sender_stay_in_order(rig: Rig) {
    let room = group("order");
    let (mut first, mut second) = (rig.mailbox().await, rig.mailbox().await);
    rig.layer.group_add(&room, &first).await.expect("joined");
    rig.layer.group_add(&room, &second).await.expect("joined");
    for number in 0..90 {
        rig.layer.group_send(&room, numbered(number)).await.expect("sent");
    }
    for number in 0..90 {
        assert_eq!(number_of(&next(&mut first).await), number);
        assert_eq!(number_of(&next(&mut second).await), number);
    }
}

pub async fn a_slow_member_costs_only_its_own_mailbox(rig: Rig) {
    let room = group("slow");
    let options = MailboxOptions { events: 3, ..MailboxOptions::default() };
    let mut slow = rig.layer.new_channel("specific", options).await.expect("a mailbox");
    let mut quick = rig.mailbox().await;
    rig.layer.group_add(&room, &slow).await.expect("joined");
    rig.layer.group_add(&room, &quick).await.expect("joined");
    for number in 0..10 {
        rig.layer.group_send(&room, numbered(number)).await.expect("never waits, never fails");
        assert_eq!(number_of(&next(&mut quick).await), number);
    }
    for number in 0..3 {
        assert_eq!(number_of(&next(&mut slow).await), number);
    }
    assert_eq!(slow.try_recv(), None);
    assert_eq!(rig.layer.stats().dropped(DropCause::MailboxFull), 7);
}

#[derive(Default)]
struct Recorder {
    events: Mutex<Vec<i64>>,
    flushes: AtomicUsize,
}

impl EventSink for Recorder {
    fn push(&self, event: &Event) -> Pushed {
        let mut events = self.events.lock().expect("not poisoned");
        events.push(number_of(event));
        Pushed::Queued { flush: events.len() == 1 }
    }

    fn flush(&self) {
        self.flushes.fetch_add(1, SeqCst);
    }
}

pub async fn forwarded_events_go_to_the_sink_and_are_flushed(rig: Rig) {
    let room = group("forwarded");
    let mut mailbox = rig.mailbox().await;
    let sink = Arc::new(Recorder::default());
    assert!(mailbox.set_sink(sink.clone()));
    rig.layer.group_forward(&room, &mailbox).await.expect("joined");
    for number in 0..5 {
        rig.layer.group_send(&room, numbered(number)).await.expect("sent");
    }
    eventually("the sink was flushed", || sink.flushes.load(SeqCst) == 1).await;
    eventually("all arrived", || sink.events.lock().expect("not poisoned").len() == 5).await;
    assert_eq!(*sink.events.lock().expect("not poisoned"), [0, 1, 2, 3, 4]);
    assert_eq!(settled(&rig, &mut mailbox).await, [], "a forwarded event came to the mailbox");
}

pub async fn a_plain_channel_can_be_a_member(rig: Rig) {
    let (room, worker) = (group("workers"), channel("thumbnails"));
    let mut listener = rig.layer.listen(&worker, MailboxOptions::default()).await.expect("a listener");
    rig.layer.group_add_channel(&room, &worker).await.expect("joined");
    rig.layer.group_send(&room, numbered(7)).await.expect("sent");
    assert_eq!(number_of(&next(&mut listener).await), 7);
    rig.layer.group_discard_channel(&room, &worker).await.expect("left");
    rig.layer.group_send(&room, numbered(8)).await.expect("sent");
    rig.layer.send(&worker, numbered(9)).await.expect("sent");
    assert_eq!(number_of(&next(&mut listener).await), 9, "it left before 8");
}

pub async fn another_layers_mailbox_is_refused(rig: Rig) {
    let other = solent::layers::MemoryChannelLayer::new();
    let foreign = other.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    let refused = rig.layer.group_add(&group("foreign"), &foreign).await;
    assert!(matches!(refused, Err(LayerError::ForeignMailbox { .. })), "{refused:?}");
}

pub async fn flush_forgets_memberships_and_keeps_mailboxes(rig: Rig) {
    let room = group("flushed");
    let mut mailbox = rig.mailbox().await;
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.flush().await.expect("flushed");
    rig.layer.group_send(&room, numbered(1)).await.expect("sent to nobody");
    assert_eq!(settled(&rig, &mut mailbox).await, []);
    rig.layer.group_add(&room, &mailbox).await.expect("joined");
    rig.layer.group_send(&room, numbered(2)).await.expect("sent");
    assert_eq!(number_of(&next(&mut mailbox).await), 2);
}

pub async fn churn_leaves_nothing_behind(rig: Rig) {
    for round in 0..20 {
        let mut mailboxes = Vec::new();
        for member in 0..10 {
            let mailbox = rig.mailbox().await;
            rig.layer.group_add(&group("churn"), &mailbox).await.expect("joined");
            rig.layer.group_add(&group(&format!("churn_{}", member % 3)), &mailbox).await.expect("joined");
            mailboxes.push(mailbox);
        }
        rig.layer.group_send(&group("churn"), numbered(round)).await.expect("sent");
        for mailbox in &mut mailboxes {
            assert_eq!(number_of(&next(mailbox).await), round);
        }
    }
    let stats = rig.layer.stats();
    assert_eq!((stats.mailboxes, stats.groups, stats.memberships, stats.channels), (0, 0, 0, 0));
}
