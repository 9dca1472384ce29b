//! The site on a free port, which can be stopped and started again on the same one.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use solent::Limits;
use solent::layers::MemoryChannelLayer;
use solent::server::{AccessLog, Running, Server};

use super::site::{Handlers, application};

pub struct Live {
    running: Option<Running>,
    handlers: Handlers,
    pub address: SocketAddr,
}

impl Live {
    pub async fn start(handlers: Handlers) -> Self {
        let running = run("127.0.0.1:0", handlers).await;
        let address = running.addresses()[0];
        Self { running: Some(running), handlers, address }
    }

    /// The address as browsers take it.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await.expect("the server ends well");
        }
        self.running = Some(run(&self.address.to_string(), self.handlers).await);
    }
}

async fn run(address: &str, handlers: Handlers) -> Running {
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let app = application(&templates, handlers).expect("the routes are right");
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(200);
    Server::new(app)
        .limits(limits)
        .channel_layer(MemoryChannelLayer::new())
        .access_log(AccessLog::off())
        .bind(address)
        .start()
        .await
        .expect("the server starts")
}
