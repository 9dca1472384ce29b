//! A server as a child process: pinned to a core, its CPU time and memory read from /proc.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running server.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts this program as a server, alone on the first core.
    pub fn start(kind: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0"]);
        Self::run(command, kind)
    }

    /// Starts this program as a server on the clients' core: one that is not measured.
    pub fn start_beside(kind: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "1"]);
        Self::run(command, kind)
    }

    /// Starts this program as a server on both cores.
    pub fn start_on_both(kind: &[&str]) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0,1"]);
        Self::run(command, kind)
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Starts this program as a server under callgrind, which writes to `output` in the end.
    pub fn start_counted(kind: &[&str], output: &Path) -> Self {
        let mut command = Command::new("valgrind");
        command
            .arg("--tool=callgrind")
            .arg("--quiet")
            .arg(format!("--callgrind-out-file={}", output.display()));
        Self::run(command, kind)
    }

    fn run(mut command: Command, kind: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program");
        command.arg(program).arg("serve").args(kind).stdout(Stdio::piped());
        // Inherited: what a process starts with decides how many sockets it may have.
        let _ = rlimit::increase_nofile_limit(u64::MAX);
        let mut child = command.spawn().expect("taskset of util-linux, and valgrind");
        let mut line = String::new();
        let output = child.stdout.take().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its address");
        Self { child, address: line.trim().parse().expect("an address") }
    }

    /// Seconds of CPU used so far.
    pub fn cpu(&self) -> f64 {
        cpu_of(self.child.id())
    }

    /// Ends it by a signal, so that what watches it can write its results.
    pub fn terminate(mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }

    /// Proportional memory, in KiB.
    pub fn memory(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.child.id())).expect("/proc");
        let line = text.lines().find(|line| line.starts_with("Pss:")).expect("Pss");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Bytes that the kernel keeps in small objects, sockets among them, for the whole machine.
pub fn kernel_objects() -> usize {
    let text = std::fs::read_to_string("/proc/meminfo").expect("/proc");
    let line = text.lines().find(|line| line.starts_with("Slab:")).expect("Slab");
    line.split_whitespace().nth(1).and_then(|number| number.parse::<usize>().ok()).expect("a number") * 1024
}

/// Seconds of CPU that a process's threads have used together.
pub fn cpu_of(process: u32) -> f64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("/proc");
    let nanoseconds: u64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum();
    nanoseconds as f64 / 1e9
}

/// The client's process keeps to the second core.
pub fn pin_client() {
    let id = std::process::id().to_string();
    let _ = Command::new("taskset").args(["-a", "-p", "-c", "1", &id]).stdout(Stdio::null()).status();
    let _ = rlimit::increase_nofile_limit(u64::MAX);
}

/// Lets this thread run only while the others of this program have nothing to do.
pub fn give_way() {
    let thread = std::fs::read_link("/proc/thread-self").expect("/proc");
    let id = thread.file_name().expect("a thread").to_owned();
    let _ = Command::new("renice").args(["-n", "19", "-p"]).arg(id).stdout(Stdio::null()).status();
}

/// The middle one.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Medians of several measurements whose rounds alternate, and each one's median ratio to the first.
pub fn alternate(rounds: usize, measurements: &mut [&mut dyn FnMut() -> f64]) -> Vec<(f64, f64)> {
    let mut all: Vec<Vec<f64>> = Vec::new();
    for _ in 0..rounds {
        all.push(measurements.iter_mut().map(|measure| measure()).collect());
    }
    (0..measurements.len())
        .map(|which| {
            let figures = all.iter().map(|round| round[which]).collect();
            let ratios = all.iter().map(|round| round[which] / round[0]).collect();
            (median(figures), median(ratios))
        })
        .collect()
}
