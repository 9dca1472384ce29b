//! The binary in a folder of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::waiting::eventually_blocking;

/// How long the binary may take to start or to end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// The binary, with nothing in its environment that a test has not put there.
pub fn solent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_solent"));
    command.env_clear().env("NO_COLOR", "1").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// The project's folder.
pub fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn stdout_of(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("output is UTF-8")
}

pub fn stderr_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("errors are UTF-8")
}

/// A folder with a config file.
pub struct Folder {
    dir: TempDir,
}

impl Folder {
    pub fn with(config: &str) -> Self {
        let folder = Self { dir: TempDir::new().expect("a folder") };
        folder.write("solent.toml", config);
        folder
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn config(&self) -> PathBuf {
        self.path("solent.toml")
    }

    pub fn write(&self, name: &str, content: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        solent().args(arguments).arg("--config").arg(self.config()).output().expect("the binary runs")
    }

    /// Starts the site.
    pub fn start(&self) -> Site {
        Site::start(solent().arg("--config").arg(self.config()))
    }
}

/// A running site.
pub struct Site {
    child: Child,
    /// `None` once nobody listens any more.
    lines: Option<BufReader<ChildStdout>>,
    pub address: SocketAddr,
    pub banner: String,
}

impl Site {
    /// Starts the binary and waits for its banner.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut banner = String::new();
        lines.read_line(&mut banner).expect("a banner");
        let url = banner.split("://").nth(1).unwrap_or_else(|| panic!("no banner, but {banner:?}"));
        let address =
            url.split('/').next().unwrap().parse().unwrap_or_else(|_| panic!("no address in {banner:?}"));
        Self { child, lines: Some(lines), address, banner: banner.trim_end().to_owned() }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts the binary, whose log nobody reads.
    pub fn start_unheard(command: &mut Command) -> Self {
        let mut site = Self::start(command);
        if let Some(mut lines) = site.lines.take() {
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        }
        site
    }

    /// The next line of the log.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.as_mut().expect("a site that is listened to").read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("/bin/kill").args([&format!("-{name}"), &self.id().to_string()]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// Asks it to end; its exit code.
    pub fn stop(mut self) -> Option<i32> {
        self.signal("TERM");
        let mut status = None;
        eventually_blocking("it ends", PATIENCE, || {
            status = self.child.try_wait().expect("it can be waited for");
            status.is_some()
        });
        status.and_then(|status| status.code())
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
