//! Members of one room in two Solent processes and one of Python's, in raw sockets and in Chromium.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::process::Command;

use crate::binary::project;
use crate::outside::play;
use crate::raw::Raw;
use crate::tools;
use crate::two::{Member, PythonMember, ROOM, Two, login};
use crate::waiting::eventually;

async fn says(member: &mut Raw, text: &str) {
    member.send_text(&json!({ "message": text }).to_string()).await;
}

async fn hears(member: &mut Raw) -> Json {
    member.frame().await.json()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_at_one_process_and_bob_at_another_chat() {
    let site = Two::start();
    let mut alice = site.member(&site.one, "alice", "wonderland-1").await;
    let mut bob = site.member(&site.two, "bob", "builder-2").await;
    assert_eq!(site.subscribers(), 2, "one subscription per process, confirmed when the socket is open");
    for (from, text) in [("alice", "hello over there"), ("bob", "grüß ☃ 😀"), ("alice", "\" \\ </script>")]
    {
        says(if from == "alice" { &mut alice } else { &mut bob }, text).await;
        for member in [&mut alice, &mut bob] {
            let event = hears(member).await;
            let time = &event["time"];
            assert!(time.is_string());
            assert_eq!(event, json!({"type": "chat.message", "message": text, "user": from, "time": time}));
        }
    }
    drop((alice, bob));
    eventually("nobody is subscribed", || !site.server.subscriptions().0.contains(&ROOM.to_owned())).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_python_consumer_in_the_room_is_seen_by_both_and_sees_both() {
    let site = Two::start();
    let mut alice = site.member(&site.one, "alice", "wonderland-1").await;
    let mut bob = site.member(&site.two, "bob", "builder-2").await;
    let python = PythonMember::start(&site.server).await;
    let mut dora = Raw::websocket(python.address, "/").await;
    eventually("Python has subscribed", || site.subscribers() == 3).await;
    says(&mut dora, "hello from Python").await;
    for member in [&mut alice, &mut bob] {
        let event = hears(member).await;
        assert_eq!((&event["user"], &event["message"]), (&json!("dora"), &json!("hello from Python")));
        assert_eq!(event["type"], "chat.message", "Python's spelling becomes the pages' on the way");
    }
    assert_eq!(hears(&mut dora).await["type"], "chat_message", "her own process has it as she wrote it");
    for (from, member) in [("alice", &mut alice), ("bob", &mut bob)] {
        says(member, "hello, dora").await;
        assert_eq!(hears(&mut dora).await["user"], from);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn browsers_at_two_processes_and_a_python_member_chat() {
    let site = Two::start();
    let python = PythonMember::start(&site.server).await;
    let mut dora = Raw::websocket(python.address, "/").await;
    let mut command = Command::new(tools::node());
    command
        .arg(project().join("tests/browser/harness.mjs"))
        .args(["processes", &format!("http://{}", site.one.address)])
        .env("SOLENT_TEST_OTHER", format!("http://{}", site.two.address))
        .env("SOLENT_TEST_NODE_MODULES", tools::node_modules())
        .env("SOLENT_TEST_CHROMIUM", tools::chromium())
        .env("SOLENT_TEST_PICTURES", tools::pictures());
    let held = play(command, async |wish| match wish {
        "dora says hello" => {
            eventually("all three have subscribed", || site.subscribers() == 3).await;
            says(&mut dora, "hello from Python").await;
        }
        other => panic!("the scenario asked for {other:?}"),
    });
    assert_eq!(held.await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_socket_is_dropped_while_redis_is_away_and_each_is_told_of_the_gap_once() {
    const EACH: usize = 10;
    let mut site = Two::start();
    let mut members = Vec::new();
    for (address, name, password) in
        [(site.one.address, "alice", "wonderland-1"), (site.two.address, "bob", "builder-2")]
    {
        let cookies = login(address, name, password).await;
        for _ in 0..EACH {
            members.push(Member::join(address, &cookies).await);
        }
    }
    for outage in 0..2 {
        site.server.kill();
        members[0].says("is anybody there?").await;
        let told = members[0].hears().await;
        assert_eq!((&told["type"], &told["code"]), (&json!("error"), &json!("layer_unavailable")));
        site.server.restart();
        let back = Instant::now();
        let gaps = says_until_heard(&mut members[0], &format!("back after {outage}")).await;
        assert!(back.elapsed() < Duration::from_secs(2), "messages flowed after {:?}", back.elapsed());
        assert_eq!(gaps, 1, "told once, before the first message");
        eventually("the other process is back", || site.subscribers() == 2).await;
        let end = format!("the end of {outage}");
        says_until_heard(&mut members[EACH], &end).await;
        for (index, member) in members.iter_mut().enumerate().filter(|(index, _)| *index != EACH) {
            let gaps = hears_until(member, &end).await;
            assert_eq!(gaps, usize::from(index > 0), "member {index}");
        }
        // What was said more than once comes more than once: the next outage begins in silence.
        for member in &mut members {
            while tokio::time::timeout(Duration::from_millis(50), member.events.recv()).await.is_ok() {}
        }
    }
}

/// Says something again and again until it comes back; how many gaps were told on the way.
pub(crate) async fn says_until_heard(member: &mut Member, text: &str) -> usize {
    let mut gaps = 0;
    loop {
        member.says(text).await;
        let again = Instant::now() + Duration::from_millis(50);
        while let Ok(event) = tokio::time::timeout_at(again.into(), member.events.recv()).await {
            let event = event.expect("the socket is open");
            gaps += usize::from(event["type"] == "layer.gap");
            if event["message"] == text {
                return gaps;
            }
        }
    }
}

pub(crate) async fn hears_until(member: &mut Member, text: &str) -> usize {
    let mut gaps = 0;
    loop {
        let event = member.hears().await;
        gaps += usize::from(event["type"] == "layer.gap");
        if event["message"] == text {
            return gaps;
        }
    }
}
