//! The pub/sub layer beyond the common suite: what Redis sees of it.

use std::time::{Duration, Instant};

use serde_json::json;
use solent::layers::redis::{Host, RedisPubSubChannelLayer, RedisSettings};
use solent::layers::{ChannelLayer, LayerError, MailboxOptions};

use crate::layer_suite::{channel, event, group, next, within};
use crate::redis_server::{RedisServer, free_port};
use crate::rigs::{servers, settings};
use crate::waiting::{Pace, eventually};

async fn layer(server: &RedisServer) -> RedisPubSubChannelLayer {
    let layer = RedisPubSubChannelLayer::new(RedisSettings::of(Host::parse(&server.url()).expect("a host")));
    let layer = layer.expect("settings");
    layer.start().await.expect("connected");
    layer
}

#[tokio::test]
async fn a_process_holds_one_pattern_and_one_subscription_per_group_whatever_its_connections() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let mut mailboxes = Vec::new();
    for _ in 0..50 {
        let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        layer.group_add(&group("lobby"), &mailbox).await.expect("joined");
        mailboxes.push(mailbox);
    }
    assert_eq!(server.subscriptions(), (vec!["asgi__group__lobby".to_owned()], 1));
    let name = mailboxes[0].name().as_str();
    assert!(name.starts_with("asgispecific.") && name.len() == "asgispecific.".len() + 32, "{name}");
    drop(mailboxes);
    eventually("the group's subscription is given up", || server.subscriptions() == (vec![], 1)).await;
    drop(layer);
    eventually("a layer that is gone holds nothing", || server.subscriptions() == (vec![], 0)).await;
}

#[tokio::test]
async fn a_group_add_is_in_effect_when_it_is_done() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server).await, layer(&server).await);
    for number in 0..100 {
        let room = group(&format!("room_{number}"));
        let mut mailbox = first.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
        first.group_add(&room, &mailbox).await.expect("joined");
        second.group_send(&room, event(&json!({"n": number}))).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, event(&json!({"n": number})));
    }
}

#[tokio::test]
async fn leaving_and_joining_again_keeps_the_subscription_in_effect() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    for number in 0..50 {
        // The subscription lingers for a while after the last member left: joining comes before, at and behind its end.
        let mut pace = Pace::every(Duration::from_millis(number * 2 + 1));
        layer.group_add(&group("lobby"), &mailbox).await.expect("joined");
        layer.group_send(&group("lobby"), event(&json!({"n": number}))).await.expect("sent");
        assert_eq!(next(&mut mailbox).await, event(&json!({"n": number})));
        layer.group_discard(&group("lobby"), &mailbox).await.expect("left");
        pace.reset();
        pace.next().await;
    }
}

#[tokio::test]
async fn concurrent_churn_leaves_no_subscription_behind() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let layer = layer.clone();
            tokio::spawn(async move {
                for round in 0..40 {
                    let mailbox =
                        layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
                    let room = group(&format!("room_{}", (round + task) % 5));
                    let joining = layer.group_add(&room, &mailbox);
                    if round % 3 == 0 {
                        let _ = tokio::time::timeout(Duration::from_micros(50), joining).await;
                    } else {
                        joining.await.expect("joined");
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        within(task).await.expect("no panic");
    }
    eventually("no subscription is left", || server.subscriptions() == (vec![], 1)).await;
    assert_eq!(server.keys(), Vec::<String>::new());
}

#[tokio::test]
async fn every_process_that_listens_on_a_plain_channel_gets_its_messages() {
    let server = RedisServer::start();
    let (first, second) = (layer(&server).await, layer(&server).await);
    let mut here = first.listen(&channel("worker"), MailboxOptions::default()).await.expect("a listener");
    let mut there = second.listen(&channel("worker"), MailboxOptions::default()).await.expect("a listener");
    first.send(&channel("worker"), event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut here).await, event(&json!({"n": 1})));
    assert_eq!(next(&mut there).await, event(&json!({"n": 1})));
    drop((here, there));
    eventually("the channel is given up", || server.subscriptions().0.is_empty()).await;
}

#[tokio::test]
async fn a_loop_of_receives_misses_nothing_in_between() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let work = channel("work");
    let cancelled = tokio::time::timeout(Duration::from_millis(200), layer.receive(&work)).await;
    assert!(cancelled.is_err(), "nothing was sent yet");
    for number in 0..20 {
        layer.send(&work, event(&json!({"n": number}))).await.expect("sent");
    }
    for number in 0..20 {
        assert_eq!(within(layer.receive(&work)).await.expect("received"), event(&json!({"n": number})));
    }
}

#[tokio::test]
async fn groups_are_spread_over_hosts() {
    let servers = servers(3);
    let layer = RedisPubSubChannelLayer::new(settings(&servers)).expect("settings");
    layer.start().await.expect("connected");
    let mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    for number in 0..30 {
        layer.group_add(&group(&format!("room_{number}")), &mailbox).await.expect("joined");
    }
    let spread: Vec<_> = servers.iter().map(|server| server.subscriptions()).collect();
    assert_eq!(spread.iter().map(|(channels, _)| channels.len()).sum::<usize>(), 30);
    assert!(spread.iter().all(|(channels, patterns)| channels.len() > 3 && *patterns == 1), "{spread:?}");
}

#[tokio::test]
async fn a_prefix_with_glob_letters_hears_only_its_own_channels() {
    let server = RedisServer::start();
    let mut settings = settings(std::slice::from_ref(&server));
    settings.prefix = "my[s]ite*:".to_owned();
    let layer = RedisPubSubChannelLayer::new(settings).expect("settings");
    let mut mailbox = layer.new_channel("custom", MailboxOptions::default()).await.expect("a mailbox");
    let name = mailbox.name().as_str().to_owned();
    assert!(name.starts_with("my[s]ite*:custom."), "{name}");
    layer.group_add(&group("room"), &mailbox).await.expect("joined");
    // Another site's, which the prefix would stand for if it were a pattern.
    let other = name.replace("my[s]ite*:", "mysite:");
    assert_eq!(server.run::<i64>(&["PUBLISH", &other, "\u{1}"]), 0, "a stranger's message is heard");
    layer.send(mailbox.name(), event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
    layer.group_send(&group("room"), event(&json!({"n": 2}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 2})));
    assert_eq!(layer.stats().dropped_total(), 0);
    assert!(layer.new_channel("not a kind*", MailboxOptions::default()).await.is_err());
}

#[tokio::test]
async fn a_refused_start_names_the_host() {
    let port = free_port();
    let layer =
        RedisPubSubChannelLayer::new(RedisSettings::of(Host::at("127.0.0.1", port))).expect("settings");
    let error = within(layer.start()).await.expect_err("nobody listens");
    assert!(
        matches!(&error, LayerError::Unavailable { host, .. } if *host == format!("127.0.0.1:{port}")),
        "{error}"
    );
    assert!(!layer.is_ready());
    assert_eq!(layer.describe(), format!("redis-pubsub at 127.0.0.1:{port}"));
}

#[tokio::test]
async fn a_burst_of_group_sends_shares_round_trips_and_a_lone_one_does_not_wait() {
    let server = RedisServer::start();
    let layer = layer(&server).await;
    let mut mailbox = layer
        .new_channel("specific", MailboxOptions { events: 10_000, ..MailboxOptions::default() })
        .await
        .expect("a mailbox");
    layer.group_add(&group("burst"), &mailbox).await.expect("joined");
    // The quickest of some: a batch that waited for more would make all of them slow, a busy machine only most.
    let mut quickest = Duration::MAX;
    for number in 0..100 {
        let alone = Instant::now();
        layer.group_send(&group("burst"), event(&json!({"n": number}))).await.expect("sent");
        next(&mut mailbox).await;
        quickest = quickest.min(alone.elapsed());
    }
    assert!(quickest < Duration::from_millis(5), "{quickest:?}");
    let reads = || -> u64 {
        let info: String = server.run(&["INFO", "stats"]);
        let line = info.lines().find_map(|line| line.strip_prefix("total_reads_processed:"));
        line.expect("a counter").trim().parse().expect("a number")
    };
    let before = reads();
    let senders: Vec<_> = (0..1_000)
        .map(|number| {
            let layer = layer.clone();
            tokio::spawn(async move { layer.group_send(&group("burst"), event(&json!({"n": number}))).await })
        })
        .collect();
    for sender in senders {
        within(sender).await.expect("no panic").expect("sent");
    }
    for _ in 0..1_000 {
        next(&mut mailbox).await;
    }
    let round_trips = reads() - before;
    assert!(round_trips < 100, "{round_trips} reads for 1,000 messages");
}

#[tokio::test]
async fn a_password_with_special_letters_is_taken_from_the_url_and_never_printed() {
    let server = RedisServer::start();
    let rights =
        ["+publish", "+subscribe", "+unsubscribe", "+psubscribe", "+punsubscribe", "+ping", "allchannels"];
    let user = [&["ACL", "SETUSER", "chat", "on", ">pa:ss@word"][..], &rights[..]].concat();
    server.run::<()>(&user);
    let url = format!("redis://chat:pa%3Ass%40word@127.0.0.1:{}/0", server.port());
    let layer = RedisPubSubChannelLayer::new(RedisSettings::of(Host::parse(&url).expect("a host")))
        .expect("settings");
    layer.start().await.expect("connected");
    let mut mailbox = layer.new_channel("specific", MailboxOptions::default()).await.expect("a mailbox");
    layer.group_add(&group("lobby"), &mailbox).await.expect("joined");
    layer.group_send(&group("lobby"), event(&json!({"n": 1}))).await.expect("sent");
    assert_eq!(next(&mut mailbox).await, event(&json!({"n": 1})));
    for text in [layer.describe(), format!("{layer:?}"), format!("{:?}", Host::parse(&url))] {
        assert!(!text.contains("word"), "a secret was printed: {text}");
    }
}

#[tokio::test]
async fn a_wrong_password_is_an_error_at_start_that_does_not_print_it() {
    let server = RedisServer::with(&["--requirepass", "right"]);
    let url = format!("redis://:wr0ng@127.0.0.1:{}", server.port());
    let layer = RedisPubSubChannelLayer::new(RedisSettings::of(Host::parse(&url).expect("a host")))
        .expect("settings");
    let error = within(layer.start()).await.expect_err("refused").to_string();
    assert!(!error.contains("wr0ng") && error.contains("assword"), "{error}");
}

#[test]
fn a_host_that_is_none_is_an_error_without_its_password() {
    for url in ["127.0.0.1:6379", "http://user:secret@host", "redis://user:secret@host:port", ""] {
        let error = Host::parse(url).expect_err("no host").to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
