//! A mixed minute: all attacks at once, over and over, while the well-behaved go on.

use std::time::{Duration, Instant};

use crate::clients::Attack;
use crate::site::{Peak, Site};
use crate::waiting::Pace;

/// How long an echo may take on a machine that does nothing else, whatever was measured: below this, the measure is
/// the scheduler's.
const FLOOR: Duration = Duration::from_millis(5);

/// Echoes of `count` clients for `time`; none is lost, none comes out of order. The 99th percentile.
async fn echoes(site: &Site, count: usize, time: Duration) -> Duration {
    let mut clients = Vec::new();
    for _ in 0..count {
        let mut raw = site.websocket().await;
        clients.push(tokio::spawn(async move {
            let start = Instant::now();
            let (mut times, mut pace) = (Vec::new(), Pace::every(Duration::from_millis(10)));
            while start.elapsed() < time {
                let text = times.len().to_string();
                let sent = Instant::now();
                raw.send_text(&text).await;
                assert_eq!(raw.text().await, text);
                times.push(sent.elapsed());
                pace.reset();
                pace.next().await;
            }
            times
        }));
    }
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.expect("nothing is lost"));
    }
    times.sort_unstable();
    times[times.len() * 99 / 100]
}

/// Run optimised: unoptimised, the attackers need the machine for themselves.
mod optimised {
    use super::*;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn in_a_mixed_minute_the_well_behaved_lose_nothing_and_are_served_as_soon() {
        let site = Site::with(|limits| {
            limits.header_time = Duration::from_secs(2);
            limits.message_bytes = 100_000;
            limits.outbox_stall = Duration::from_secs(1);
            limits.close_time = Duration::from_secs(1);
        })
        .await;
        let quiet = echoes(&site, 20, Duration::from_secs(10)).await;
        let peak = Peak::begin();
        let _hostile = Attack::start("everything", site.address());
        let busy = echoes(&site, 20, Duration::from_secs(60)).await;
        let grown = peak.grown();
        println!("99th percentile: quiet {quiet:?}, in the mixed minute {busy:?}; grown by {grown} KiB");
        assert!(busy <= 3 * quiet.max(FLOOR), "quiet {quiet:?}, in the mixed minute {busy:?}");
        assert!(grown < 64 << 10, "{grown} KiB");
    }
}
