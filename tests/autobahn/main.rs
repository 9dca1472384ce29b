//! Autobahn|Testsuite against the WebSocket engine: every case OK, or informational where the suite has no answer.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/tools.rs"]
mod tools;

mod suite;

use suite::run;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn groups_1_to_10_pass() {
    let cases = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"];
    run("groups-1-to-10", &cases, 301).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_by_payload_passes() {
    run("group-12-1", &["12.1.*"], 18).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn compression_by_parameters_passes() {
    run("group-13-1", &["13.1.*"], 18).await;
}

/// What takes minutes, and would take many more unoptimised: `tests/run --all`.
mod slow {
    mod optimised {
        use super::super::run;

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_compression_by_payload_passes() {
            run("group-12", &["12.2.*", "12.3.*", "12.4.*", "12.5.*"], 72).await;
        }

        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn all_compression_by_parameters_passes() {
            run("group-13", &["13.2.*", "13.3.*", "13.4.*", "13.5.*", "13.6.*", "13.7.*"], 108).await;
        }
    }
}
