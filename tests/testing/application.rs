//! `ApplicationCommunicator`: row I1 of Channels' checklist.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use serde::Deserialize;
use serde_json::json;
use solent::Result;
use solent::consumer::{BackgroundConsumer, BackgroundContext, background_consumer};
use solent::layers::{Event, GroupName};
use solent::routing::{ChannelNameRouter, ProtocolTypeRouter};
use solent::testing::{ApplicationCommunicator, Fault};

struct Adder;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Job {
    Add { numbers: Vec<i64> },
    Fail,
}

impl BackgroundConsumer for Adder {
    type Event = Job;

    async fn start(_: &mut BackgroundContext) -> Result<Self> {
        Ok(Self)
    }

    async fn event(&mut self, ctx: &mut BackgroundContext, job: Event<Job>) -> Result<()> {
        let Job::Add { numbers } = job.get() else { return Err(solent::Error::msg("as it was told")) };
        let sum = json!({ "type": "sum", "sum": numbers.iter().sum::<i64>() });
        ctx.group_send(&room(), &sum).await?;
        Ok(())
    }
}

fn room() -> GroupName {
    GroupName::new("room").unwrap()
}

async fn worker() -> ApplicationCommunicator {
    let workers = ChannelNameRouter::new().channel("adder", background_consumer::<Adder>());
    ApplicationCommunicator::start(ProtocolTypeRouter::new().channel(workers), "adder").await
}

#[tokio::test(start_paused = true)]
async fn i1_input_goes_in_and_output_is_received() {
    let mut worker = worker().await;
    for numbers in [vec![1, 2], vec![40, 2]] {
        worker.send(&json!({ "type": "add", "numbers": numbers })).await;
    }
    for sum in [3_i64, 42] {
        let sent = worker.receive_sent_to(&room()).await;
        assert_eq!(sent.value().get("sum").and_then(|value| value.decode::<i64>().ok()), Some(sum));
    }
    worker.sends_nothing_to(&room(), Duration::from_secs(1)).await;
    worker.stop().await;
}

#[tokio::test(start_paused = true)]
async fn i1_failures_and_unknown_messages_are_counted_and_the_worker_goes_on() {
    let mut worker = worker().await;
    for job in
        [json!({ "type": "fail" }), json!({ "type": "unknown" }), json!({ "type": "add", "numbers": [] })]
    {
        worker.send(&job).await;
    }
    let stats = worker.handled().await;
    assert_eq!((stats.handled, stats.failed, stats.undecodable), (1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_layer_reach_the_worker() {
    let mut worker = worker().await;
    worker.send(&json!({ "type": "add", "numbers": [1] })).await;
    worker.receive_sent_to(&room()).await;
    worker.layer().inject(Fault::Drop);
    worker.send(&json!({ "type": "add", "numbers": [2] })).await;
    let test = AssertUnwindSafe(worker.receive_sent_to(&room())).catch_unwind().await;
    let text = test.unwrap_err().downcast_ref::<String>().unwrap().clone();
    assert!(text.starts_with("nothing was sent to room within 5s"), "{text}");
    assert!(text.contains("-> adder: "), "{text}");
}
