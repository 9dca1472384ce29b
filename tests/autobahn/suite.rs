//! One run of the suite: an echo server, a specification, the program, and its report.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use solent::consumer::{Context, WebsocketConsumer, consumer};
use solent::routing::{ProtocolTypeRouter, UrlRouter, path};
use solent::server::{AccessLog, Running, Server};
use solent::websocket::Message;
use solent::{Limits, Result};
use tokio::process::Command;

struct Echo;

impl WebsocketConsumer for Echo {
    type Event = solent::layers::Value;

    async fn connect(ctx: &mut Context) -> Result<Self> {
        ctx.accept().await?;
        Ok(Self)
    }

    async fn receive(&mut self, ctx: &mut Context, message: Message) -> Result<()> {
        ctx.send(message).await
    }
}

async fn server() -> Running {
    let echo = consumer::<Echo>().max_message_size(16 << 20);
    let app = ProtocolTypeRouter::new().websocket(UrlRouter::new([path("ws/echo/", echo)]).unwrap());
    let mut limits = Limits::default();
    // The suite negotiates both ways; the default would never keep a client's context.
    limits.compression.client_context_takeover = true;
    let server = Server::new(app).bind("127.0.0.1:0").limits(limits).access_log(AccessLog::off());
    server.start().await.unwrap()
}

/// Runs `cases`, of which there must be `count`.
pub async fn run(name: &str, cases: &[&str], count: usize) {
    let running = server().await;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("autobahn").join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let url = format!("ws://{}/ws/echo/", running.addresses()[0]);
    let spec = json!({
        "outdir": folder, "servers": [{"agent": "Solent", "url": url}],
        "cases": cases, "exclude-cases": [], "exclude-agent-cases": {},
    });
    let file = folder.join("spec.json");
    std::fs::write(&file, spec.to_string()).unwrap();
    let mut program = Command::new(crate::tools::wstest());
    program.args(["-m", "fuzzingclient", "-s"]).arg(&file).current_dir(&folder).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(1200), program.output()).await;
    let output = output.expect("the suite ends in time").unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    check(&folder, count);
}

fn check(folder: &Path, count: usize) {
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let results = index["Solent"].as_object().expect("results");
    assert_eq!(results.len(), count, "cases that ran");
    let bad: Vec<_> = results.iter().filter(|(_, result)| !is_good(result)).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

/// Informational results are those for which the suite itself has no right answer.
fn is_good(result: &Value) -> bool {
    let good = |key: &str| matches!(result[key].as_str(), Some("OK" | "INFORMATIONAL"));
    good("behavior") && good("behaviorClose")
}
