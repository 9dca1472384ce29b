//! The servers under load, each a child process of the harness.

mod axum_room;
mod hyper_page;
mod raw_loop;
mod solent;

use std::net::SocketAddr;

#[cfg(feature = "redis")]
pub use solent::now;

/// Serves until it is killed. The first line of its output says where, and with which cookie, see [`announce`].
pub fn serve(kind: &[&str]) {
    match kind {
        ["raw", kind] => raw_loop::serve(kind),
        ["axum"] => axum_room::serve(),
        ["hyper", page] => hyper_page::serve(page),
        ["solent", users, what] => solent::serve(runtime(), users, what, Variant::Plain),
        ["solent", users, what, "two"] => solent::serve(two_threads(), users, what, Variant::Plain),
        ["solent", users, what, "logged"] => {
            log_to_nowhere();
            solent::serve(runtime(), users, what, Variant::Plain);
        }
        ["solent", users, what, "tls"] => solent::serve(runtime(), users, what, Variant::Tls),
        ["solent", users, what, "front", folder, upstream] => {
            solent::serve(runtime(), users, what, Variant::Front { folder, upstream });
        }
        ["solent", users, what, redis] => solent::serve(runtime(), users, what, Variant::Redis(redis)),
        _ => panic!("no such server: {kind:?}"),
    }
}

/// A log as the binary has it, whose lines nobody reads.
fn log_to_nowhere() {
    use tracing_subscriber::layer::SubscriberExt as _;
    use tracing_subscriber::util::SubscriberInitExt as _;
    use tracing_subscriber::{Layer as _, filter::LevelFilter, fmt, registry};

    registry().with(fmt::layer().with_writer(std::io::sink).with_filter(LevelFilter::INFO)).init();
}

/// One thread: the server has one core.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// Where a server may use both cores.
fn two_threads() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime")
}

/// What is unusual about a server.
#[derive(Clone, Copy)]
enum Variant<'a> {
    Plain,
    /// Its port wants TLS.
    Tls,
    /// It has files under `/static/`, and a server behind it under `/behind/`.
    Front {
        folder: &'a str,
        upstream: &'a str,
    },
    /// Its layer is on the Redis of that URL, instead of in memory.
    Redis(&'a str),
}

/// Where a server over TLS leaves its certificate for its clients.
pub fn certificate_of(process: u32) -> std::path::PathBuf {
    std::env::temp_dir().join(format!("solent-load-{process}.pem"))
}

fn announce(address: SocketAddr, cookie: &str) {
    println!("{address} {cookie}");
}
