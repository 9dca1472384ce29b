//! What a minute of churn and a row of outages leave behind in two processes: nothing, their memory included.

use std::time::{Duration, Instant};

use crate::chat::{hears_until, says_until_heard};
use crate::two::{Member, Two, login};
use crate::waiting::eventually;

/// What a process may take more after the test, in KiB. What is freed and taken again moves it by half as much; a KiB kept
/// of each socket that came and went, or of each message that failed, is more, on the slowest machine too.
const GROWTH: usize = 1024;

/// The two processes and their members' cookies.
async fn logged_in(site: &Two) -> [(std::net::SocketAddr, String); 2] {
    let (one, two) = (site.one.address, site.two.address);
    [(one, login(one, "alice", "wonderland-1").await), (two, login(two, "bob", "builder-2").await)]
}

/// Open sockets of a process. Its database opens connections as it needs them, up to some, and keeps them.
fn sockets(process: u32) -> usize {
    let descriptors = std::fs::read_dir(format!("/proc/{process}/fd")).expect("/proc").flatten();
    let targets = descriptors.filter_map(|descriptor| std::fs::read_link(descriptor.path()).ok());
    targets.filter(|target| target.to_string_lossy().starts_with("socket:")).count()
}

/// Memory of a process, in KiB.
fn memory(process: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).expect("/proc");
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    line.split_whitespace().next().and_then(|number| number.parse().ok()).expect("a number")
}

fn assert_not_grown(what: &str, before: [usize; 2], after: [usize; 2]) {
    println!("{what}; memory before and after, in KiB: {before:?} {after:?}");
    for (before, after) in before.into_iter().zip(after) {
        assert!(after < before + GROWTH, "memory grew from {before} to {after} KiB: {what}");
    }
}

/// One outage: Redis is killed, or its clients' connections are; members say much meanwhile, all of which fails or is
/// lost, and hear each other again afterwards.
async fn outage(site: &mut Two, members: &mut [Member], number: usize) {
    if number.is_multiple_of(2) {
        site.server.kill();
        for _ in 0..100 {
            for member in members.iter_mut() {
                member.says(&format!("during {number}")).await;
            }
        }
        site.server.restart();
    } else {
        for class in ["normal", "pubsub"] {
            let _: redis::RedisResult<i64> =
                site.server.try_run(&["CLIENT", "KILL", "TYPE", class, "SKIPME", "yes"]);
        }
    }
    let last = members.len() - 1;
    for speaker in [0, last] {
        // Those of the other process may not be back yet.
        says_until_heard(&mut members[speaker], &format!("{speaker} after {number}")).await;
    }
    for speaker in [0, last] {
        let end = format!("{speaker} at the end of {number}");
        says_until_heard(&mut members[speaker], &end).await;
        for (index, member) in members.iter_mut().enumerate().filter(|(index, _)| *index != speaker) {
            let heard = tokio::time::timeout(Duration::from_secs(10), hears_until(member, &end)).await;
            assert!(heard.is_ok(), "member {index} does not hear {end:?}");
        }
    }
}

async fn outages_on(backend: &str) {
    const EACH: usize = 5;
    let mut site = Two::start_measured(backend);
    let processes = [site.one.id(), site.two.id()];
    let mut members = Vec::new();
    for (address, cookies) in logged_in(&site).await {
        for _ in 0..EACH {
            members.push(Member::join(address, &cookies).await);
        }
    }
    for number in 0..10 {
        outage(&mut site, &mut members, number).await;
    }
    let (open, before) = (processes.map(sockets), processes.map(memory));
    for number in 10..40 {
        outage(&mut site, &mut members, number).await;
    }
    eventually("no connection is left over", || {
        processes.map(sockets).into_iter().zip(open).all(|(now, open)| now <= open)
    })
    .await;
    assert_not_grown("30 outages", before, processes.map(memory));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_outages_take_no_memory_over_pubsub() {
    outages_on("redis-pubsub").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_outages_take_no_memory_over_core() {
    outages_on("redis").await;
}

/// What takes over half a minute: `tests/run --all`.
mod slow {
    use super::*;

    /// Sockets that come, say something, hear it and go, eight at a time; how many there were.
    async fn churn(cookies: &[(std::net::SocketAddr, String); 2], time: Duration) -> usize {
        let end = Instant::now() + time;
        let tasks: Vec<_> = (0..8)
            .map(|task| {
                let (address, cookies) = cookies[task % 2].clone();
                tokio::spawn(async move {
                    let mut rounds = 0;
                    while Instant::now() < end {
                        rounds += 1;
                        let mut member = Member::join(address, &cookies).await;
                        member.says("here").await;
                        while member.hears().await["message"] != "here" {}
                    }
                    rounds
                })
            })
            .collect();
        let mut rounds = 0;
        for task in tasks {
            rounds += task.await.expect("no panic");
        }
        rounds
    }

    /// `standing` is what is in Redis while nobody is there: subscribed channels, patterns, and keys.
    async fn sixty_seconds_of_churn_on(backend: &str, standing: (&[&str], usize, &[&str])) {
        let site = Two::start_measured(backend);
        let processes = [site.one.id(), site.two.id()];
        let cookies = logged_in(&site).await;
        // Processes themselves listen to the news of sessions, and on pub/sub each to its own channels.
        let (channels, patterns, keys) = standing;
        let nothing_is_left = || {
            let (subscribed, by_pattern) = site.server.subscriptions();
            subscribed == channels && by_pattern == patterns && site.server.keys() == keys
        };
        // What a first use makes once (threads, buffers, connections) is not counted.
        churn(&cookies, Duration::from_secs(10)).await;
        eventually("nothing else is in Redis", nothing_is_left).await;
        let open = processes.map(sockets);
        let before = processes.map(memory);
        let rounds = churn(&cookies, Duration::from_secs(60)).await;
        eventually("nothing else is in Redis", nothing_is_left).await;
        eventually("all sockets are closed", || {
            processes.map(sockets).into_iter().zip(open).all(|(now, open)| now <= open)
        })
        .await;
        assert!(rounds > 2_000, "only {rounds} sockets came and went");
        assert_not_grown(&format!("{rounds} sockets"), before, processes.map(memory));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sixty_seconds_of_sockets_that_come_and_go_leave_nothing_behind() {
        sixty_seconds_of_churn_on("redis-pubsub", (&["asgi__group__solent.sessions"], 2, &[])).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sixty_seconds_of_sockets_that_come_and_go_leave_nothing_behind_over_the_core_layer() {
        sixty_seconds_of_churn_on("redis", (&[], 0, &["asgi:group:solent.sessions"])).await;
    }
}
