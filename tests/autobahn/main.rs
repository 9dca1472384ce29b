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

        /// A test for each group of 18 cases: the suite reports at the end of a run, and small runs tell more of a bad day.
        macro_rules! groups {
            ($($name:ident $group:literal),* $(,)?) => {
                $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    run(concat!("group-", $group), &[concat!($group, ".*")], 18).await;
                })*
            };
        }

        groups! {
            compression_of_a_picture_passes "12.2",
            compression_of_text_passes "12.3",
            compression_of_a_page_passes "12.4",
            compression_of_what_is_compressed_already_passes "12.5",
            without_contexts_passes "13.2",
            a_window_of_9_bits_passes "13.3",
            a_window_of_15_bits_passes "13.4",
            without_contexts_and_with_a_window_of_9_bits_passes "13.5",
            without_contexts_and_with_a_window_of_15_bits_passes "13.6",
            several_offers_pass "13.7",
        }
    }
}
