//! Hostile clients in a process of their own: this test binary again, told by variables what to do.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::attacks;

const ATTACK: &str = "SOLENT_TEST_ATTACK";
const ADDRESS: &str = "SOLENT_TEST_ADDRESS";

/// How long any attack may go on before its end was the server's to bring about.
const PATIENCE: Duration = Duration::from_secs(60);

/// The other process. Without the variables there is nothing to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attacker() {
    let (Ok(name), Ok(address)) = (std::env::var(ATTACK), std::env::var(ADDRESS)) else { return };
    let _ = rlimit::increase_nofile_limit(10_000);
    attacks::run(&name, address.parse().unwrap()).await;
}

/// An attack that goes on; ended when it is dropped.
pub struct Attack {
    name: String,
    child: Child,
}

impl Attack {
    pub fn start(name: &str, address: SocketAddr) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["clients::an_attacker", "--exact", "--nocapture"])
            .env(ATTACK, name)
            .env(ADDRESS, address.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { name: name.to_owned(), child }
    }

    /// Waits until the attack has ended as it expects to: the attackers themselves check what becomes of them.
    pub async fn ended(self) -> String {
        let output = timeout(PATIENCE, self.child.wait_with_output()).await;
        let output = output.unwrap_or_else(|_| panic!("{} did not end in time", self.name)).unwrap();
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{}: {text}", self.name);
        text
    }
}
