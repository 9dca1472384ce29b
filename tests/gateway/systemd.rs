//! Under systemd: what it is told, the watchdog, the sockets that it passes.

use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::binary::{Folder, Site, project, solent, stderr_of};
use super::raw::{Raw, handshake};

fn config(bind: &str) -> String {
    format!(
        "debug = true\nallowed_hosts = [\"127.0.0.1\"]\nallowed_origins = [\"*\"]\n[server]\nbind = [{bind}]\n\
         [limits]\ndrain_time = \"100ms\"\n[[http]]\npath = \"\"\nrespond = {{ body = \"one\" }}\n\
         [[websocket]]\npath = \"ws/\"\nconsumer = \"echo\"\n"
    )
}

/// A supervisor's end of the conversation.
struct Supervisor(UnixDatagram);

impl Supervisor {
    fn at(address: &SocketAddr) -> Self {
        let socket = UnixDatagram::bind_addr(address).unwrap();
        socket.set_read_timeout(Some(super::raw::PATIENCE)).unwrap();
        Self(socket)
    }

    /// The next thing that it is told, apart from being alive.
    fn hears(&self) -> Vec<String> {
        loop {
            let lines = self.hears_anything();
            if lines != ["WATCHDOG=1"] {
                return lines;
            }
        }
    }

    fn hears_anything(&self) -> Vec<String> {
        let mut bytes = [0; 4096];
        let read = self.0.recv(&mut bytes).expect("it is told in time");
        std::str::from_utf8(&bytes[..read]).unwrap().lines().map(str::to_owned).collect()
    }
}

fn start(folder: &Folder, settings: &[(&str, &str)]) -> Site {
    let mut command = solent();
    command.envs(settings.iter().copied()).arg("--config").arg(folder.config());
    Site::start(&mut command)
}

#[test]
fn it_is_told_when_the_site_serves_reads_its_file_and_ends() {
    let folder = Folder::with(&config("\"127.0.0.1:0\""));
    let path = folder.path("notify");
    let supervisor = Supervisor::at(&SocketAddr::from_pathname(&path).unwrap());
    let site = start(&folder, &[("NOTIFY_SOCKET", path.to_str().unwrap())]);
    assert_eq!(supervisor.hears(), ["READY=1", "STATUS=serving"]);
    // With debug on the file is read again when it changes, so that only the signal may come before the next change.
    let reloads = |expected: &str| {
        let told = supervisor.hears();
        assert_eq!(told[0], "RELOADING=1");
        let micros = told[1].strip_prefix("MONOTONIC_USEC=").and_then(|text| text.parse::<u64>().ok());
        let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
        let uptime: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
        let ago = uptime - micros.expect("a time") as f64 / 1e6;
        assert!((-1.0..60.0).contains(&ago), "{told:?}, up for {uptime} s");
        assert_eq!(supervisor.hears(), ["READY=1", expected]);
    };
    site.signal("HUP");
    reloads("STATUS=serving");
    folder.write("solent.toml", "debug = maybe");
    reloads("STATUS=serving; the new config file is refused");
    site.signal("TERM");
    assert_eq!(supervisor.hears(), ["STOPPING=1", "STATUS=draining"]);
    assert_eq!(site.stop(), Some(0));
}

#[test]
fn the_watchdog_hears_twice_in_its_time_that_the_site_is_alive() {
    let folder = Folder::with(&config("\"127.0.0.1:0\""));
    let name = format!("solent-test-{}", std::process::id());
    let supervisor = Supervisor::at(&SocketAddr::from_abstract_name(&name).unwrap());
    let abstract_name = format!("@{name}");
    let site = start(&folder, &[("NOTIFY_SOCKET", &abstract_name), ("WATCHDOG_USEC", "400000")]);
    assert_eq!(supervisor.hears(), ["READY=1", "STATUS=serving"]);
    let begin = std::time::Instant::now();
    for _ in 0..5 {
        assert_eq!(supervisor.hears_anything(), ["WATCHDOG=1"]);
    }
    // Five in less than four pauses would be no pauses.
    assert!(begin.elapsed() >= Duration::from_millis(600), "{:?}", begin.elapsed());
    assert_eq!(site.stop(), Some(0));
}

#[test]
fn a_watchdog_of_another_process_hears_nothing() {
    let folder = Folder::with(&config("\"127.0.0.1:0\""));
    let path = folder.path("notify");
    let supervisor = Supervisor::at(&SocketAddr::from_pathname(&path).unwrap());
    let socket = path.to_str().unwrap();
    let settings = [("NOTIFY_SOCKET", socket), ("WATCHDOG_USEC", "1000"), ("WATCHDOG_PID", "1")];
    let site = start(&folder, &settings);
    assert_eq!(supervisor.hears_anything(), ["READY=1", "STATUS=serving"]);
    assert_eq!(site.stop(), Some(0));
    assert_eq!(supervisor.hears_anything(), ["STOPPING=1", "STATUS=draining"]);
}

/// Starts the binary as systemd does: with listeners as descriptors from 3 on, and its own id in `LISTEN_PID`.
fn activated(folder: &Folder, descriptors: &[(i32, i32)]) -> Command {
    let count = descriptors.len();
    let mut redirections = String::new();
    for (from, to) in descriptors {
        redirections.push_str(&format!(" {to}<&{from}"));
    }
    let mut command = Command::new("/bin/bash");
    command
        .env_clear()
        .env("NO_COLOR", "1")
        .arg("-c")
        .arg(format!("LISTEN_PID=$$ LISTEN_FDS={count} exec \"$0\" --config \"$1\"{redirections}"));
    command.arg(env!("CARGO_BIN_EXE_solent")).arg(folder.config());
    command
}

/// A copy of a descriptor that a child process inherits, of a number that is not one of those to be passed.
fn inherited(descriptor: impl AsFd) -> OwnedFd {
    let mut lower = Vec::new();
    loop {
        let copy = rustix::io::dup(&descriptor).expect("a descriptor");
        if copy.as_raw_fd() >= 10 {
            return copy;
        }
        lower.push(copy);
    }
}

#[tokio::test]
async fn passed_sockets_are_listened_on_and_their_files_stay() {
    let folder = Folder::with(&config("\"systemd\""));
    let path = folder.path("passed.sock");
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let unix = UnixListener::bind(&path).unwrap();
    let (first, second) = (inherited(&tcp), inherited(&unix));
    let mut command = activated(&folder, &[(first.as_raw_fd(), 3), (second.as_raw_fd(), 4)]);
    let site = Site::start(&mut command);
    assert_eq!(site.address, tcp.local_addr().unwrap());
    let mut raw = Raw::connect(site.address).await;
    raw.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(raw.response().await.1, "one");
    assert_eq!(over_unix(&path), "HTTP/1.1 101");
    assert_eq!(site.stop(), Some(0));
    assert!(path.exists(), "the socket is its supervisor's");
    // What comes while nobody serves waits for the next process, which is the point.
    let waiting = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    let mut command = activated(&folder, &[(first.as_raw_fd(), 3), (second.as_raw_fd(), 4)]);
    let _site = Site::start(&mut command);
    waiting.set_nonblocking(true).unwrap();
    let mut raw = Raw::over(tokio::net::TcpStream::from_std(waiting).unwrap());
    raw.send("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").await;
    assert_eq!(raw.response().await.1, "one");
}

/// The beginning of the answer to a handshake over a Unix socket.
fn over_unix(path: &Path) -> String {
    use std::io::{Read, Write};

    let mut stream = std::os::unix::net::UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(super::raw::PATIENCE)).unwrap();
    stream.write_all(handshake("/ws/", "").as_bytes()).unwrap();
    let mut head = [0; 12];
    stream.read_exact(&mut head).unwrap();
    String::from_utf8(head.to_vec()).unwrap()
}

#[test]
fn without_passed_sockets_it_does_not_start_and_says_so() {
    let folder = Folder::with(&config("\"systemd\""));
    for other in [&[][..], &[("LISTEN_FDS", "1"), ("LISTEN_PID", "1")]] {
        let mut command = solent();
        let output =
            command.envs(other.iter().copied()).arg("--config").arg(folder.config()).output().unwrap();
        let told = stderr_of(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("cannot listen on systemd: no sockets were passed"), "{told}");
    }
}

#[test]
fn systemd_itself_finds_nothing_wrong_with_the_units() {
    let folder = Folder::with("");
    let deploy = project().join("config/deploy");
    let service = std::fs::read_to_string(deploy.join("solent.service")).unwrap();
    folder.write("solent.service", &service.replace("/usr/local/bin/solent", env!("CARGO_BIN_EXE_solent")));
    folder.write("solent.socket", &std::fs::read_to_string(deploy.join("solent.socket")).unwrap());
    let mut verify = Command::new(super::tools::systemd_analyze());
    verify.args(["verify", "--man=no", "--recursive-errors=no"]);
    let verified =
        verify.arg(folder.path("solent.service")).arg(folder.path("solent.socket")).output().unwrap();
    assert_eq!((verified.status.code(), stderr_of(&verified)), (Some(0), String::new()));
}

#[test]
fn the_units_name_options_and_settings_that_there_are() {
    let unit = std::fs::read_to_string(project().join("config/deploy/solent.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    let mut words = start.split_whitespace();
    assert_eq!(words.next(), Some("/usr/local/bin/solent"));
    let help = solent().arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for word in words.filter(|word| word.starts_with("--")) {
        assert!(help.contains(word), "{word} in {help}");
    }
    // The drain's longest time by default must fit into the time that systemd leaves for it.
    let stop = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    let limits = solent::Limits::default();
    let longest = limits.drain_delay + limits.drain_time + limits.close_time + limits.disconnect_time;
    assert!(Duration::from_secs(stop.parse().unwrap()) > longest, "{longest:?}");
    assert!(unit.contains("Type=notify") && unit.contains("WatchdogSec="));
}
