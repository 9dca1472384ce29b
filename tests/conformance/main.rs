//! What the RFCs ask of a server, as tables of raw bytes: one file per RFC.
#![allow(missing_docs, unreachable_pub)]

#[path = "../support/http2.rs"]
mod http2;
#[path = "../support/raw.rs"]
mod raw;
mod site;

mod injection;
mod rfc6455;
mod rfc7692;
mod rfc8441;
mod rfc9110;
mod rfc9110_files;
mod rfc9112;
mod rfc9113;

/// The tables' cases; what is not a table is not counted.
#[test]
fn the_tables_hold_at_least_150_cases() {
    let counts = [
        ("RFC 9112", rfc9112::count()),
        ("RFC 9110", rfc9110::count()),
        ("RFC 9110, files", rfc9110_files::count()),
        ("RFC 9113", rfc9113::count()),
        ("RFC 6455", rfc6455::count()),
        ("RFC 7692", rfc7692::count()),
    ];
    let all: usize = counts.iter().map(|(_, count)| count).sum();
    println!("{counts:?}: {all} cases");
    assert!(all >= 150);
}
