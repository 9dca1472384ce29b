//! A protocol of one's own beside HTTP and WebSockets: a chat over lines of text, in the same rooms as browsers.
//!
//! ```sh
//! cargo run --example line_chat        # then open http://127.0.0.1:8000/ and, in a terminal:
//! nc 127.0.0.1 8001                    # the first line names the room: room/1/
//! ```

#![allow(unreachable_pub, reason = "the tests mount the same site")]

mod lines;
mod members;

use solent::Result;
use solent::layers::MemoryChannelLayer;
use solent::server::Server;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let app = members::application()?;
    let for_lines = app.clone();
    let listener = TcpListener::bind("127.0.0.1:8001").await?;
    Server::new(app)
        .channel_layer(MemoryChannelLayer::new())
        .bind("127.0.0.1:8000")
        .on_startup(async move |env| {
            tokio::spawn(lines::listen(listener, for_lines, env));
            Ok(())
        })
        .serve()
        .await?;
    Ok(())
}
