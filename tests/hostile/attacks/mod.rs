//! What hostile clients do, and how they expect it to end.

pub mod compression;
mod http1;
mod http2;
mod websocket;

use std::net::SocketAddr;

/// Runs one attack to its end.
pub async fn run(name: &str, address: SocketAddr) {
    match name {
        "a dripping head" => http1::dripping_head(address).await,
        "a dripping body" => http1::dripping_body(address).await,
        "half-open handshakes" => http1::half_open_handshakes(address).await,
        "a flood from one address" => http1::flood_from_one_address(address).await,
        "pongs" => websocket::pongs(address).await,
        "pings" => websocket::pings(address).await,
        "fragments" => websocket::fragments(address).await,
        "a huge length" => websocket::huge_length(address).await,
        "no pong" => websocket::no_pong(address).await,
        "no close code" => websocket::no_close_code(address).await,
        "data after close" => websocket::data_after_close(address).await,
        "groups without end" => websocket::groups_without_end(address).await,
        "a deaf reader" => websocket::deaf_reader(address).await,
        "compressed talkers" => compression::talkers(address).await,
        "greedy clients" => compression::greedy(address).await,
        "rapid reset" => http2::rapid_reset(address).await,
        "continuations" => http2::continuations(address).await,
        "settings" => http2::settings(address).await,
        "windows" => http2::windows(address).await,
        "everything" => loop {
            everything(address).await;
        },
        other => panic!("no such attack: {other}"),
    }
}

/// All attacks beside each other, once.
async fn everything(address: SocketAddr) {
    let (_, _, _, _, _, _, _) = tokio::join!(
        http1::some_half_open_handshakes(address, 50),
        websocket::pings(address),
        websocket::fragments(address),
        websocket::huge_length(address),
        websocket::data_after_close(address),
        http2::rapid_reset(address),
        http2::continuations(address),
    );
}
