//! A Redis server beside what is measured, and its own account of what it did.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use solent::layers::redis::{Host, RedisSettings};

/// A Redis server of the benchmark's own.
pub struct Redis {
    child: Child,
    pub url: String,
}

/// Redis's own counters.
#[derive(Clone, Copy)]
pub struct Counters {
    pub commands: f64,
    /// Seconds.
    pub cpu: f64,
}

impl Redis {
    /// Starts it alone on the first core, as the load's servers are.
    pub fn start() -> Self {
        Self::start_on(0)
    }

    pub fn start_on(core: usize) -> Self {
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let program = std::env::var("SOLENT_TEST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .arg(program)
            .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"])
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server");
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(Duration::from_millis(5));
        }
        Self { child, url: format!("redis://127.0.0.1:{port}") }
    }

    /// What a layer on it is made of.
    pub fn settings(&self) -> RedisSettings {
        RedisSettings::of(Host::parse(&self.url).expect("a host"))
    }

    pub fn counters(&self) -> Counters {
        let client = ::redis::Client::open(self.url.as_str()).expect("a client");
        let mut connection = client.get_connection().expect("a connection");
        let mut info = |section: &str| ::redis::cmd("INFO").arg(section).query::<String>(&mut connection);
        let stats = info("commandstats").expect("INFO");
        let calls = |line: &str| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            // This function's own.
            let counts = !name.starts_with("info") && !name.starts_with("client") && name != "hello";
            counts.then(|| rest.split(',').next().and_then(|calls| calls.parse::<f64>().ok()))?
        };
        let commands = stats.lines().filter_map(calls).sum();
        let cpu = info("cpu").expect("INFO");
        let seconds = |line: &str| {
            let found = line.strip_prefix("used_cpu_user:").or(line.strip_prefix("used_cpu_sys:"))?;
            found.trim().parse::<f64>().ok()
        };
        Counters { commands, cpu: cpu.lines().filter_map(seconds).sum() }
    }
}

impl Counters {
    /// What was used since.
    pub fn since(self, before: Self) -> Self {
        Self { commands: self.commands - before.commands, cpu: self.cpu - before.cpu }
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
