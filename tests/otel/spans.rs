//! Requests and sockets as spans, in the traces of others.

use super::binary::{Folder, Site, solent};
use super::collector::{Collector, Span};
use super::raw::{Raw, handshake};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

/// Two sites: the one in front hands `behind/` on to the other.
struct Rig {
    collector: Collector,
    front: Site,
    behind: Site,
    _folders: [Folder; 2],
}

impl Rig {
    /// `trusted`: whether this machine is a proxy whose word counts.
    fn start(trusted: bool) -> Self {
        let collector = Collector::start();
        let page = "\n[[http]]\npath = \"behind/hello/<slug:name>/\"\nrespond = { body = \"behind\" }\n";
        let behind = Folder::with(&site(&collector, true, page));
        let second = Site::start_unheard(solent().arg("--config").arg(behind.config()));
        let route = format!("\n[[http]]\npath = \"behind/\"\nproxy = \"http://{}\"\n", second.address);
        let front = Folder::with(&site(&collector, trusted, &route));
        let mut command = solent();
        command.env("OTEL_SERVICE_NAME", "front").arg("--config").arg(front.config());
        let first = Site::start_unheard(&mut command);
        Self { collector, front: first, behind: second, _folders: [front, behind] }
    }

    async fn get(&self, path: &str) -> super::raw::Head {
        let mut raw = Raw::connect(self.front.address).await;
        let trace = format!("traceparent: 00-{TRACE}-{PARENT}-01\r\nX-Request-ID: seven\r\n");
        raw.send(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{trace}\r\n")).await;
        raw.response().await.0
    }
}

fn site(collector: &Collector, trusted: bool, more: &str) -> String {
    let proxies = if trusted { "\"127.0.0.1\"" } else { "" };
    format!(
        r#"
debug = true
allowed_hosts = ["127.0.0.1", "localhost"]

[server]
bind = ["127.0.0.1:0"]
trusted_proxies = [{proxies}]

[log]
level = "warn"
otlp = "http://{}"

[[http]]
path = "hello/<slug:name>/"
respond = {{ body = "hello" }}

[[http]]
path = "broken/"
respond = {{ status = 503 }}

[[websocket]]
path = "ws/<int:room>/"
consumer = "echo"
{more}"#,
        collector.address
    )
}

fn called<'n>(name: &'n str) -> impl Fn(&Span) -> bool + 'n {
    move |span| span.name == name
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_is_a_span_of_its_route_in_the_trace_of_a_trusted_proxy() {
    let rig = Rig::start(true);
    let head = rig.get("/hello/you/").await;
    assert_eq!((head.status, head.header("x-request-id")), (200, Some("seven")));
    let span = rig.collector.span(called("GET /hello/<slug:name>/"));
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (TRACE, PARENT));
    assert_eq!(span.kind, 2, "a server's");
    assert_eq!(span.status, 0);
    for (name, value) in [
        ("http.request.method", "GET"),
        ("url.path", "/hello/you/"),
        ("http.route", "/hello/<slug:name>/"),
        ("http.response.status_code", "200"),
        ("id", "seven"),
    ] {
        assert_eq!(span.attribute(name), Some(value), "{name} of {span:#?}");
    }
    assert!(rig.collector.services().iter().any(|name| name == "front"));
    rig.get("/broken/").await;
    assert_eq!(rig.collector.span(called("GET /broken/")).status, 2);
    rig.get("/nowhere/").await;
    let lost = rig.collector.span(|span| span.attribute("url.path") == Some("/nowhere/"));
    assert_eq!((lost.name.as_str(), lost.status), ("GET", 0), "a client's mistake");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_behind_goes_on_with_the_trace() {
    let rig = Rig::start(true);
    let head = rig.get("/behind/hello/me/").await;
    assert_eq!((head.status, head.header("x-request-id")), (200, Some("seven")));
    let behind = rig.collector.span(called("GET /behind/hello/<slug:name>/"));
    let front = rig.collector.span(|span| span.id == behind.parent);
    assert_eq!((front.name.as_str(), front.parent.as_str()), ("GET /behind/", PARENT));
    assert_eq!((front.trace.as_str(), behind.trace.as_str()), (TRACE, TRACE));
    assert_eq!(behind.attribute("id"), Some("seven"));
    assert_eq!(rig.behind.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_cannot_put_spans_into_a_trace_nor_have_them_passed_on() {
    let rig = Rig::start(false);
    assert_eq!(rig.get("/behind/hello/me/").await.status, 200);
    let front = rig.collector.span(called("GET /behind/"));
    assert_eq!(front.parent, "");
    assert_ne!(front.trace, TRACE);
    let behind = rig.collector.span(called("GET /behind/hello/<slug:name>/"));
    assert_eq!((behind.trace, behind.parent), (front.trace, front.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_is_a_span_that_ends_with_it_and_a_stop_sends_what_is_left() {
    let rig = Rig::start(true);
    let mut raw = Raw::connect(rig.front.address).await;
    let trace = format!("Origin: http://localhost\r\ntraceparent: 00-{TRACE}-{PARENT}-01\r\n");
    raw.send(handshake("/ws/7/", &trace)).await;
    assert_eq!(raw.head().await.status, 101);
    raw.send_text("hello").await;
    assert_eq!(raw.text().await, "hello");
    // Stopped while the socket is open, long before a batch is due.
    assert_eq!(rig.front.stop(), Some(0));
    let span = rig.collector.span(called("GET /ws/<int:room>/"));
    assert_eq!((span.trace.as_str(), span.parent.as_str()), (TRACE, PARENT));
    assert_eq!(span.attribute("network.protocol.name"), Some("websocket"));
}
