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
        ["solent", users, what] => solent::serve(users, what, None),
        ["solent", users, what, redis] => solent::serve(users, what, Some(redis)),
        _ => panic!("no such server: {kind:?}"),
    }
}

/// One thread: the server has one core.
fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn announce(address: SocketAddr, cookie: &str) {
    println!("{address} {cookie}");
}
