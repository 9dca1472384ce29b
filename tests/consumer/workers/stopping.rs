//! The end of a worker: by a signal, too late, or too early.

use super::*;

#[tokio::test]
async fn a_stop_finishes_what_was_taken_and_leaves_the_rest_to_others() {
    let mut office = Office::open().await;
    let worker = office.worker().queue(3).start().await.expect("it starts");
    for number in 0..4 {
        office.send("print", json!({"type": "hold", "n": number})).await;
        if number == 0 {
            until(|| office.shared.held.load(SeqCst) == 1).await;
        }
    }
    let stopping = tokio::spawn(worker.shutdown());
    until(|| office.layer.layer().stats().channels == 0).await;
    // Nobody listens any more: what comes from here on waits for another worker.
    office.send("print", json!({"type": "double", "n": 50})).await;
    office.shared.gate.open(4);
    for number in 0..4 {
        assert_eq!(office.answer().await, json!({"n": number}));
    }
    timeout(PATIENCE, stopping).await.expect("in time").expect("no panic");
    assert_eq!(office.shared.stopped.load(SeqCst), 1);
    let other = office.started().await;
    assert_eq!(office.answer().await, json!({"n": 100}));
    other.shutdown().await;
}

#[tokio::test]
async fn a_handler_that_outlasts_the_stop_is_given_up() {
    let office = Office::open().await;
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(50);
    let worker = office.worker().limits(limits).start().await.expect("it starts");
    office.send("print", json!({"type": "hold", "n": 1})).await;
    until(|| office.shared.held.load(SeqCst) == 1).await;
    timeout(PATIENCE, worker.shutdown()).await.expect("it does not wait for ever");
    // The value is dropped with its handler, and so nothing shares its state any more.
    until(|| Arc::strong_count(&office.shared.held) == 1).await;
}

#[tokio::test]
async fn run_ends_in_good_order_with_the_programs_signal() {
    let mut office = Office::open().await;
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let worker = office.worker().shutdown_signal(async move { drop(ended.await) });
    let running = tokio::spawn(worker.run());
    office.send("print", json!({"type": "double", "n": 1})).await;
    assert_eq!(office.answer().await, json!({"n": 2}));
    end.send(()).expect("it runs");
    timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect("in good order");
}

/// An application of one's own: it takes the messages itself, and ends with the first.
async fn once(mut connection: Connection) -> Result<(), Refusal> {
    let deliveries = Deliveries::of(connection.scope_mut()).expect("a channel's messages");
    assert!(Deliveries::of(connection.scope_mut()).is_none());
    deliveries.next().await;
    Ok(())
}

#[tokio::test]
async fn an_application_that_ends_early_ends_the_worker_with_an_error() {
    let office = Office::open().await;
    let app = ProtocolTypeRouter::new()
        .channel(ChannelNameRouter::new().channel("once", mount(tower::service_fn(once))));
    let worker = Worker::new(app).channel_layer(office.memory.clone()).channels(["once"]);
    let running = tokio::spawn(worker.run());
    office.send("once", json!({"type": "any"})).await;
    let error = timeout(PATIENCE, running).await.expect("in time").expect("no panic").expect_err("it ended");
    assert_eq!(error.to_string(), "nothing handles channel \"once\": it ended before the worker");
}
