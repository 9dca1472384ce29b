//! Files and a proxy, beside nginx doing the same.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::ROUNDS;
use crate::client::{Pages, Visitor};
use crate::measure::{Server, alternate, cpu_of};
use crate::report::Report;

const REQUESTS: usize = 5_000;
const CONNECTIONS: usize = 16;

/// Bytes of the file: a style sheet's size.
const FILE: usize = 12_000;

pub fn run() {
    let mut report = Report::new("nginx", "requests per second of server CPU, 16 kept connections");
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("base.css"), "a".repeat(FILE)).expect("a file");
    let behind = Server::start_beside(&["hyper", "plain"]);
    let path = folder.path().to_str().expect("a path in UTF-8");
    let upstream = format!("http://{}", behind.address);
    let nginx = Nginx::start(folder.path(), &upstream);
    let solent = Server::start(&["solent", "anonymous", "echo", "front", path, &upstream]);
    for (case, target) in [("a file of 12 KB", "/static/base.css"), ("proxied", "/behind/plain/")] {
        let (theirs, ours) = (Visitor::at(nginx.address), Visitor::at(solent.address));
        let figures = alternate(
            ROUNDS,
            &mut [&mut || round(&theirs, target, || nginx.cpu()), &mut || {
                round(&ours, target, || solent.cpu())
            }],
        );
        report.add(case, "nginx", figures[0].0, Some(1.0));
        report.add(case, "solent", figures[1].0, Some(figures[1].1));
    }
    report.finish();
}

/// On connections of its own: on a busy machine the other server's round can last longer than idle ones are kept.
fn round(visitor: &Visitor, target: &str, cpu: impl Fn() -> f64) -> f64 {
    let mut pages = Pages::open(visitor, target, CONNECTIONS);
    pages.fetch(CONNECTIONS);
    let before = cpu();
    pages.fetch(REQUESTS);
    REQUESTS as f64 / (cpu() - before)
}

/// nginx in one process, on the servers' core; without `sendfile`, which Solent does not use either.
struct Nginx {
    child: Child,
    address: std::net::SocketAddr,
}

impl Nginx {
    fn start(folder: &Path, upstream: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let configuration = format!(
            "daemon off; master_process off; pid {folder}/nginx.pid; error_log {folder}/error.log;
             events {{ worker_connections 256; }}
             http {{
                 access_log off; sendfile off; keepalive_requests 100000000;
                 client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
                 uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
                 upstream behind {{ server {server}; keepalive 32; keepalive_requests 100000000; }}
                 server {{
                     listen {address};
                     location /static/ {{ alias {folder}/; }}
                     location /behind/ {{ proxy_pass http://behind/; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}
                 }}
             }}",
            folder = folder.display(),
            server = upstream.trim_start_matches("http://"),
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, configuration).expect("a file");
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "/usr/sbin/nginx", "-c"]).arg(&file).stderr(Stdio::null());
        let nginx = Self { child: command.spawn().expect("nginx"), address };
        for _ in 0..200 {
            if std::net::TcpStream::connect(address).is_ok() {
                return nginx;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!(
            "nginx does not listen; {}",
            std::fs::read_to_string(folder.join("error.log")).unwrap_or_default()
        );
    }

    fn cpu(&self) -> f64 {
        cpu_of(self.child.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
