//! `EventHistory`: what was missed is filled in, and what cannot be is told.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use solent::layers::{ChannelLayer, Event, EventHistory, Followed, Follower, GroupName, MemoryChannelLayer};
use solent::testing::RecordingChannelLayer;
use tokio::time::{Instant, timeout};

use crate::waiting::{Pace, eventually_async};

fn layer() -> Arc<dyn ChannelLayer> {
    Arc::new(MemoryChannelLayer::new())
}

fn groups() -> Vec<GroupName> {
    vec![GroupName::new("news").unwrap(), GroupName::new("all").unwrap()]
}

async fn send(layer: &Arc<dyn ChannelLayer>, group: &str, number: usize) {
    let event = Event::new(&json!({ "n": number })).unwrap();
    layer.group_send(&GroupName::new(group).unwrap(), event).await.unwrap();
}

/// The number of the next event; `None` for a gap.
async fn next(follower: &mut Follower) -> Option<i64> {
    let followed = timeout(Duration::from_secs(10), follower.next()).await.expect("something comes");
    match followed {
        Followed::Event(event) => {
            serde_json::from_slice::<serde_json::Value>(&event.json().unwrap()).unwrap()["n"].as_i64()
        }
        _ => None,
    }
}

#[tokio::test]
async fn what_was_missed_comes_first_and_the_order_of_groups_does_not_matter() {
    let (layer, history) = (layer(), EventHistory::new());
    let mut follower = history.follow(&layer, groups(), None).await.unwrap();
    send(&layer, "news", 1).await;
    assert_eq!(next(&mut follower).await, Some(1));
    let position = follower.position();
    drop(follower);
    send(&layer, "all", 2).await;
    send(&layer, "other", 99).await;
    send(&layer, "news", 3).await;
    let turned = groups().into_iter().rev().collect();
    let mut follower = history.follow(&layer, turned, Some(&position)).await.unwrap();
    send(&layer, "all", 4).await;
    for number in 2..=4 {
        assert_eq!(next(&mut follower).await, Some(number));
    }
    assert_eq!(layer.stats().memberships, 2, "two groups, joined once for all who follow");
}

#[tokio::test]
async fn who_is_too_slow_is_told_of_a_gap_and_goes_on_behind_it() {
    let (layer, history) = (layer(), EventHistory::new().events(3));
    let mut slow = history.follow(&layer, groups(), None).await.unwrap();
    let mut quick = history.follow(&layer, groups(), None).await.unwrap();
    for number in 0..5 {
        send(&layer, "news", number).await;
        assert_eq!(next(&mut quick).await, i64::try_from(number).ok());
    }
    assert_eq!(next(&mut slow).await, None);
    for number in 2..5 {
        assert_eq!(next(&mut slow).await, Some(number));
    }
    assert_eq!(slow.position(), quick.position());
}

#[tokio::test(start_paused = true)]
async fn what_nobody_follows_is_kept_for_its_time_and_then_left() {
    let (layer, history) = (layer(), EventHistory::new().keep(Duration::from_secs(60)));
    let position = history.follow(&layer, groups(), None).await.unwrap().position();
    Pace::every(Duration::from_secs(59)).next().await;
    send(&layer, "news", 1).await;
    let mut follower = history.follow(&layer, groups(), Some(&position)).await.unwrap();
    assert_eq!(next(&mut follower).await, Some(1));
    Pace::every(Duration::from_secs(600)).next().await;
    assert_eq!(layer.stats().memberships, 2, "somebody follows");
    let position = follower.position();
    drop(follower);
    let left = Instant::now();
    let is_left = async || layer.stats().memberships == 0;
    eventually_async("the groups are left", Duration::from_secs(90), is_left).await;
    assert!(left.elapsed() >= Duration::from_secs(60), "{:?}", left.elapsed());
    let mut follower = history.follow(&layer, groups(), Some(&position)).await.unwrap();
    assert_eq!(next(&mut follower).await, None, "what was lost is told");
    send(&layer, "news", 2).await;
    assert_eq!(next(&mut follower).await, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_history_that_is_dropped_leaves_its_groups() {
    let layer = layer();
    drop(EventHistory::new().follow(&layer, groups(), None).await.unwrap());
    let is_left = async || layer.stats().memberships == 0;
    eventually_async("the groups are left", Duration::from_secs(60), is_left).await;
}

#[tokio::test]
async fn an_outage_of_the_layer_is_a_gap_in_its_place_and_a_failed_start_is_tried_anew() {
    let recording = RecordingChannelLayer::new();
    let layer: Arc<dyn ChannelLayer> = Arc::new(recording.clone());
    let history = EventHistory::new();
    recording.fail();
    assert!(history.follow(&layer, groups(), None).await.is_err());
    recording.restore();
    let mut follower = history.follow(&layer, groups(), None).await.unwrap();
    let position = follower.position();
    send(&layer, "news", 1).await;
    assert_eq!(next(&mut follower).await, Some(1));
    recording.gap(&groups());
    assert_eq!(next(&mut follower).await, None);
    send(&layer, "news", 2).await;
    assert_eq!(next(&mut follower).await, Some(2));
    let mut again = history.follow(&layer, groups(), Some(&position)).await.unwrap();
    assert_eq!(
        [next(&mut again).await, next(&mut again).await, next(&mut again).await],
        [Some(1), None, Some(2)]
    );
}
