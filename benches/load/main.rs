//! The load harness: servers pinned to one core, clients to another, and what a second of server CPU buys.
//!
//! ```text
//! cargo bench --bench load                 every mode
//! cargo bench --bench load -- fan-out      one mode: fan-out, echo, connect, deflate, idle, scale, http, nginx,
//!                                          fairness, churn, layers, publish, redis
//! cargo bench --bench load -- instructions   what deliveries and handshakes cost in instructions, beside what is
//!                                          recorded, and whether idle members keep to their memory
//! SOLENT_LOAD_MEMBERS=1000 SOLENT_LOAD_MINUTES=1 cargo bench --bench load     smaller: one size of room, less churn
//! ```
//!
//! Every figure stands beside a baseline whose rounds alternate with its own, so that what the machine does besides
//! concerns both. Ratios are what counts; absolute figures belong to a machine. Results are printed, and written to
//! `target/load/` as JSON and as a plot.
#![allow(missing_docs, unreachable_pub)]

mod client;
mod measure;
mod modes;
#[cfg(feature = "redis")]
mod redis;
mod report;
mod servers;

// The binary's.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", ref kind @ ..] => servers::serve(kind),
        // cargo passes this when all benches are only to be tried.
        ["--test"] => {}
        ["instructions"] => modes::instructions::check(),
        ["record-instructions"] => modes::instructions::record(),
        [] => modes::ALL.iter().for_each(|(_, run)| run_mode(*run)),
        [wanted] => match modes::ALL.iter().find(|(name, _)| *name == wanted) {
            Some((_, run)) => run_mode(*run),
            None => usage(),
        },
        _ => usage(),
    }
}

fn run_mode(run: fn()) {
    measure::pin_client();
    run();
}

fn usage() {
    let names: Vec<&str> = modes::ALL.iter().map(|(name, _)| *name).collect();
    eprintln!("usage: load [{}]", names.join(" | "));
    std::process::exit(2);
}
