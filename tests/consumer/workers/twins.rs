//! Workers in other clothes: blocking ones, a server's, and one in the wrong place.

use super::*;

/// The blocking twin: it waits on its own thread.
struct Blocks {
    serial: i64,
}

impl blocking::BackgroundConsumer<Shared> for Blocks {
    type Event = Job;

    fn start(ctx: &mut blocking::BackgroundContext<Shared>) -> Result<Self> {
        Ok(Self { serial: ctx.state().started.fetch_add(1, SeqCst) })
    }

    fn event(&mut self, ctx: &mut blocking::BackgroundContext<Shared>, job: Event<Job>) -> Result<()> {
        match job.get() {
            Job::Double { n, reply } => ctx.send_to(&name(reply), &json!({"n": 2 * n})),
            Job::Who { reply } => ctx.send_to(&name(reply), &json!({"serial": self.serial})),
            Job::Fail => Err(solent::Error::msg("no paper")),
            Job::Panic => panic!("on fire"),
            Job::Hold { .. } => {
                std::thread::park_timeout(Duration::from_millis(20));
                Ok(())
            }
            Job::Join { group, reply } => {
                ctx.group_add(&GroupName::new(group)?)?;
                let own = ctx.channel_name()?;
                ctx.send_to(&name(reply), &json!({"own": own.as_str()}))
            }
        }
    }

    fn stop(&mut self, ctx: &mut blocking::BackgroundContext<Shared>) {
        ctx.state().stopped.fetch_add(1, SeqCst);
    }
}

#[tokio::test]
async fn blocking_consumers_work_answer_fail_and_stop_alike() {
    let mut office = Office::open().await;
    let works = blocking::background_consumer_with_state::<Blocks, _>(office.shared.clone());
    let app = ProtocolTypeRouter::new().channel(ChannelNameRouter::new().channel("print", works));
    let worker = Worker::new(app).channel_layer(office.memory.clone()).channels(["print"]);
    let worker = worker.start().await.expect("it starts");
    office.send("print", json!({"type": "hold", "n": 0})).await;
    for number in 0..20 {
        office.send("print", json!({"type": "double", "n": number})).await;
    }
    for number in 0..20 {
        assert_eq!(office.answer().await, json!({"n": 2 * number}));
    }
    for (serial, kind) in ["fail", "panic"].into_iter().enumerate() {
        office.send("print", json!({"type": "who"})).await;
        assert_eq!(office.answer().await, json!({"serial": serial}));
        office.send("print", json!({"type": kind})).await;
    }
    office.send("print", json!({"type": "join", "group": "room"})).await;
    let own = office.answer().await["own"].as_str().expect("a name").to_owned();
    office.send(&own, json!({"type": "double", "n": 4})).await;
    assert_eq!(office.answer().await, json!({"n": 8}));
    let stats = worker.stats();
    assert_eq!((stats.failed, stats.undecodable), (2, 0));
    worker.shutdown().await;
    assert_eq!(office.shared.stopped.load(SeqCst), 1);
}

#[tokio::test]
async fn a_server_works_on_channels_too_and_its_drain_waits_for_them() {
    let mut office = Office::open().await;
    let server = Server::new(office.app()).channel_layer(office.memory.clone()).bind("127.0.0.1:0");
    let server = server.access_log(AccessLog::off()).workers(["print"]).worker_concurrency(2);
    let running = server.start().await.expect("it starts");
    for number in 0..2 {
        office.send("print", json!({"type": "hold", "n": number})).await;
    }
    until(|| office.shared.held.load(SeqCst) == 2).await;
    let stats = running.env().workers.clone();
    let stopping = tokio::spawn(running.shutdown());
    office.shared.gate.open(2);
    office.answer().await;
    office.answer().await;
    timeout(PATIENCE, stopping).await.expect("in time").expect("no panic").expect("in good order");
    assert_eq!(stats.snapshot().handled, 2);
    assert_eq!(office.shared.stopped.load(SeqCst), 2);
}

#[tokio::test]
async fn a_server_whose_application_takes_no_channels_does_not_start_with_workers() {
    let office = Office::open().await;
    let server = Server::new(ProtocolTypeRouter::new()).channel_layer(office.memory.clone());
    let refused = server.bind("127.0.0.1:0").workers(["print"]).start().await.expect_err("nobody takes it");
    assert_eq!(refused.to_string(), "the workers cannot start");
}

struct Unmountable;

impl BackgroundConsumer for Unmountable {
    type Event = Json;

    async fn start(_: &mut BackgroundContext) -> Result<Self> {
        Ok(Self)
    }

    async fn event(&mut self, _: &mut BackgroundContext, _: Event<Json>) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_background_consumer_on_a_socket_route_is_a_500_whose_log_entry_says_why() {
    let (log, _guard) = Log::keep();
    let sockets = solent::routing::UrlRouter::new([solent::routing::path(
        "wrong/",
        background_consumer::<Unmountable>(),
    )])
    .expect("a route");
    let site = crate::room::Served::start(sockets, |_| {}).await;
    let mut raw = crate::raw::Raw::connect(site.address()).await;
    raw.send(&crate::raw::handshake("/wrong/", "")).await;
    assert_eq!(raw.response().await.0.status, 500);
    log.line("a background consumer serves scopes of type 'channel', found 'websocket'").await;
}
