//! A PostgreSQL server of one's own: in a folder and on a port of its own, stopped by its process id.
#![allow(dead_code, reason = "each test binary uses its own part")]

use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::tools;
use crate::waiting::{PATIENCE, eventually_blocking};

/// A running server, or one that was stopped for a while.
pub struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    server: Option<Child>,
}

impl Postgres {
    /// A new, empty server.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        if let Some((uid, gid)) = unprivileged() {
            std::os::unix::fs::chown(folder.path(), Some(uid), Some(gid)).expect("root gives folders away");
        }
        let data = folder.path().join("data");
        let made = program("initdb", folder.path())
            .args(["--auth=trust", "--username=solent", "--encoding=UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port").port();
        let mut postgres = Self { folder, port, server: None };
        postgres.resume();
        postgres
    }

    /// The URL of the database `name`, which is made when it is not there.
    pub fn database(&self, name: &str) -> String {
        let made = program("createdb", self.folder.path())
            .args(["-h", "127.0.0.1", "-U", "solent", "-p", &self.port.to_string(), name])
            .output()
            .expect("createdb runs");
        assert!(made.status.success(), "createdb: {}", String::from_utf8_lossy(&made.stderr));
        format!("postgres://solent@127.0.0.1:{}/{name}", self.port)
    }

    /// Stops the server and cuts its connections.
    pub fn stop(&mut self) {
        let Some(mut server) = self.server.take() else { return };
        // A fast shutdown, where a kill would leave the children behind for a while.
        let _ = Command::new("kill").args(["-INT", &server.id().to_string()]).status();
        let _ = server.wait();
    }

    /// Starts the server again, on the same data and the same port.
    pub fn resume(&mut self) {
        let log = std::fs::File::create(self.folder.path().join("log")).expect("a log file");
        let server = program("postgres", self.folder.path())
            .args(["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-p", &self.port.to_string()])
            .arg("-k")
            .arg(self.folder.path())
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("postgres runs");
        self.server = Some(server);
        let ready = || self.is_ready();
        eventually_blocking(
            "postgres has started; postgresql.log in its folder says more",
            3 * PATIENCE,
            ready,
        );
    }

    fn is_ready(&self) -> bool {
        let port = self.port.to_string();
        let asked =
            program("pg_isready", self.folder.path()).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        asked.is_ok_and(|status| status.success())
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.stop();
    }
}

/// One of PostgreSQL's programs, which refuse to run as root.
fn program(name: &str, folder: &Path) -> Command {
    let path: PathBuf = tools::postgres_bin().join(name);
    let mut command = Command::new(path);
    command.current_dir(folder);
    if let Some((uid, gid)) = unprivileged() {
        command.uid(uid).gid(gid);
    }
    command
}

/// For root, the user that Debian's package makes, else nobody.
fn unprivileged() -> Option<(u32, u32)> {
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").ok()?) == 0;
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let ids = |wanted: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(wanted))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    is_root.then(|| ids("postgres").or_else(|| ids("nobody")).expect("a user who is not root"))
}
