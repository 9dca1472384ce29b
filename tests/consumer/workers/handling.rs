//! Messages, values and failures of one worker.

use super::*;

#[tokio::test]
async fn h1_a_worker_needs_at_least_one_channel() {
    let office = Office::open().await;
    let refused = Worker::new(office.app()).channel_layer(office.memory.clone()).start().await;
    assert!(matches!(refused, Err(WorkerError::NoChannels)), "{refused:?}");
}

#[tokio::test]
async fn h1_a_worker_without_a_layer_says_so_and_one_with_another_alias_finds_it() {
    let mut office = Office::open().await;
    let refused = Worker::new(office.app()).channels(["print"]).start().await.expect_err("there is no layer");
    assert_eq!(refused.to_string(), "a worker needs a channel layer");
    let worker = office.worker().layer("office").start().await.expect_err("no such layer");
    assert!(matches!(worker, WorkerError::NoLayer(_)), "{worker:?}");
    let mut layers = solent::layers::ChannelLayers::of(office.memory.clone());
    layers.insert("office", office.layer.layer().clone());
    let worker = office.worker().channel_layers(layers).layer("office").start().await.expect("it starts");
    office.send("scan", json!({"type": "double", "n": 21})).await;
    assert_eq!(office.answer().await, json!({"n": 42}));
    worker.shutdown().await;
}

#[tokio::test]
async fn h1_a_running_worker_logs_its_channels() {
    let (log, _guard) = Log::keep();
    let office = Office::open().await;
    let worker = office.started().await;
    log.line(r#"Running worker for channels ["print", "scan"]"#).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h2_one_value_per_channel_handles_all_its_messages_in_turn() {
    let mut office = Office::open().await;
    let worker = office.started().await;
    for number in 0..50 {
        office.send("print", json!({"type": "double", "n": number})).await;
    }
    for number in 0..50 {
        assert_eq!(office.answer().await, json!({"n": 2 * number}));
    }
    for channel in ["print", "scan", "print", "scan"] {
        office.send(channel, json!({"type": "who"})).await;
        let serial = i64::from(channel == "scan");
        assert_eq!(office.answer().await, json!({"channel": channel, "serial": serial}));
    }
    assert_eq!(office.shared.started.load(SeqCst), 2);
    worker.shutdown().await;
    assert_eq!(office.shared.stopped.load(SeqCst), 2, "each value heard of the stop");
}

#[tokio::test]
async fn a14_a_channel_that_no_application_takes_is_an_error_that_names_the_configured_ones() {
    let office = Office::open().await;
    let refused = office.worker().channels(["fax"]).start().await.expect_err("nobody takes it").to_string();
    assert_eq!(
        refused,
        "nothing handles channel \"fax\": No application configured for channel name \"fax\"; configured: \
         print, scan"
    );
    let refused = Worker::new(ProtocolTypeRouter::new()).channel_layer(office.memory.clone());
    let refused = refused.channels(["print"]).start().await.expect_err("nobody takes it").to_string();
    assert!(refused.contains("No application configured for scope type 'channel'"), "{refused}");
    until(|| office.layer.layer().stats().channels == 0).await;
}

#[tokio::test]
async fn h3_a_failure_is_logged_and_counted_and_the_next_message_gets_a_new_value() {
    let (log, _guard) = Log::keep();
    let mut office = Office::open().await;
    let worker = office.started().await;
    for (serial, kind) in ["fail", "panic", "fail"].into_iter().enumerate() {
        office.send("print", json!({"type": "who"})).await;
        assert_eq!(office.answer().await, json!({"channel": "print", "serial": serial}));
        office.send("print", json!({"type": kind})).await;
    }
    office.send("print", json!({"type": "who"})).await;
    assert_eq!(office.answer().await["serial"], 3);
    let stats = worker.stats();
    assert_eq!((stats.handled, stats.failed, stats.undecodable), (4, 3, 0));
    let line = log.line("no paper in the printer").await;
    assert!(line.contains("ERROR") && line.contains("channel=\"print\""), "{line}");
    log.line("a handler panicked: the printer is on fire").await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h3_a_message_without_a_type_or_with_an_unknown_one_is_left_out_and_ends_nothing() {
    let (log, _guard) = Log::keep();
    let mut office = Office::open().await;
    let worker = office.started().await;
    office.send("print", json!({"n": 1})).await;
    office.send("print", json!({"type": "shred"})).await;
    office.send("print", json!({"type": "double", "n": "three"})).await;
    office.send("print", json!({"type": "who"})).await;
    assert_eq!(office.answer().await["serial"], 0, "the value lives on");
    assert_eq!(worker.stats().undecodable, 3);
    log.line("the message has no \"type\"").await;
    log.line("unknown event type \"shred\"").await;
    worker.shutdown().await;
}

#[tokio::test]
async fn h3_the_groups_of_a_value_that_failed_are_left() {
    let mut office = Office::open().await;
    let worker = office.started().await;
    let room = GroupName::new("room").expect("a name");
    office.send("print", json!({"type": "join", "group": "room"})).await;
    let own = office.answer().await["own"].as_str().expect("a name").to_owned();
    // Its own channel and its groups reach the same handler, one thing at a time.
    office.send(&own, json!({"type": "double", "n": 4})).await;
    assert_eq!(office.answer().await, json!({"n": 8}));
    let reply = office.answers.name().as_str();
    office.layer.group_send(&room, &json!({"type": "double", "n": 5, "reply": reply})).await.expect("sent");
    assert_eq!(office.answer().await, json!({"n": 10}));
    office.layer.group_send(&room, &json!({"type": "fail"})).await.expect("sent");
    until(|| worker.stats().failed == 1).await;
    until(|| office.layer.layer().stats().memberships == 0).await;
    worker.shutdown().await;
}

#[tokio::test]
async fn messages_of_one_channel_are_handled_by_as_many_values_as_allowed_and_no_more() {
    let mut office = Office::open().await;
    let worker = office.worker().concurrency(3).start().await.expect("it starts");
    for number in 0..12 {
        office.send("print", json!({"type": "hold", "n": number})).await;
    }
    until(|| office.shared.held.load(SeqCst) == 3).await;
    office.shared.gate.open(12);
    let mut found = Vec::new();
    for _ in 0..12 {
        found.push(office.answer().await["n"].as_i64().expect("a number"));
    }
    found.sort_unstable();
    assert_eq!(found, (0..12).collect::<Vec<_>>());
    assert_eq!(office.shared.most_held.load(SeqCst), 3);
    assert_eq!(office.shared.started.load(SeqCst), 3);
    worker.shutdown().await;
}
