//! What becomes of a view's error or panic: the answer that belongs to it, and the log entry.

use std::sync::Arc;

use http::{Method, StatusCode};
use solent::http::{HttpError, Request, RequestExt};
use solent::routing::{ProtocolTypeRouter, ViewRouter, include, mount, path};
use solent::websocket::Denial;
use solent::{ClientError, Environment, Scoped};
use tower::ServiceExt;

use crate::support::Never;
use crate::views::{ask, body_of, page, request};

fn failing() -> ViewRouter {
    let broken = async |_: Request| -> solent::Result<&str> {
        Err(std::io::Error::other("the <disk> is on fire").into())
    };
    let late = async |request: Request| -> solent::Result<String> {
        Ok(request.kwargs().get::<u8>("n")?.to_string())
    };
    let denied = async |_: Request| -> solent::Result<&str> {
        Err(Denial::new(StatusCode::UNAUTHORIZED, "bearer", "Who are you?")
            .with_detail("secret detail")
            .into())
    };
    let wrong = async |_: Request| -> solent::Result<&str> {
        Err(ClientError::new("malformed", "Not a date.").into())
    };
    #[derive(serde::Deserialize)]
    struct Page {
        number: u32,
    }
    let query = async |request: Request| -> solent::Result<String> {
        Ok(request.query::<Page>()?.number.to_string())
    };
    ViewRouter::new([
        path("broken/", broken),
        path("panics/", async |_: Request| -> &str { panic!("ouch") }),
        path("kwarg/<int:n>/", late),
        path("denied/", denied),
        path("wrong/", wrong),
        path("query/", query),
    ])
    .unwrap()
}

#[tokio::test]
async fn errors_become_the_answers_that_belong_to_them() {
    let views = failing();
    assert_eq!(page(&views, "/broken/").await, "500 Something went wrong here.\n");
    assert_eq!(page(&views, "/panics/").await, "500 Something went wrong here.\n");
    assert_eq!(page(&views, "/kwarg/7/").await, "200 7");
    assert_eq!(page(&views, "/kwarg/700/").await, "404 Not found.\n");
    assert_eq!(page(&views, "/denied/").await, "401 Who are you?\n");
    assert_eq!(page(&views, "/wrong/").await, "400 Not a date.\n");
    assert_eq!(page(&views, "/query/?number=7").await, "200 7");
    assert!(page(&views, "/query/?number=x").await.starts_with("400 The query is malformed"));
    assert!(page(&views, "/query/").await.starts_with("400 The query is malformed"));
}

/// What is logged while a request is answered, without colours and times.
async fn log_of(views: &ViewRouter, uri: &str) -> String {
    #[derive(Clone, Default)]
    struct Lines(Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let lines = Lines::default();
    let writer = lines.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).without_time().with_writer(move || writer.clone());
    let guard = tracing::subscriber::set_default(log.finish());
    ask(views, Method::GET, uri).await;
    drop(guard);
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_failing_view_is_logged_with_its_route_and_the_chain_of_errors() {
    #[derive(Debug, thiserror::Error)]
    #[error("the page cannot be drawn")]
    struct Drawing(#[source] std::io::Error);
    let chained =
        async |_: Request| -> solent::Result<&str> { Err(Drawing(std::io::Error::other("no paper")).into()) };
    let views = ViewRouter::new([
        include("a/", ViewRouter::new([path("<int:n>/", chained)]).unwrap()),
        path("lost/", async |_: Request| -> solent::Result<&str> { Err(HttpError::not_found().into()) }),
    ]);
    let views = views.unwrap();
    let log = log_of(&views, "/a/7/").await;
    assert!(log.contains("ERROR") && log.contains("route=a/<int:n>/") && log.contains("path=/a/7/"), "{log}");
    assert!(log.contains("error=the page cannot be drawn: no paper"), "{log}");
    assert!(log_of(&failing(), "/panics/").await.contains("error=a view panicked: ouch"));
    assert!(log_of(&failing(), "/denied/").await.contains("refused: 401 (bearer): secret detail"));
    assert_eq!(log_of(&views, "/lost/").await, "");
}

#[tokio::test]
async fn a_panic_in_a_mounted_service_ends_one_request() {
    let panics = tower::service_fn(|request: Request| async move {
        assert_ne!(request.uri().path(), "/boom", "boom");
        Ok::<_, Never>(http::Response::new(String::from("fine")))
    });
    let app = ProtocolTypeRouter::new().http(mount(panics));
    assert_eq!(
        app.call_http(request(Method::GET, "/boom")).await.status(),
        StatusCode::INTERNAL_SERVER_ERROR
    );
    assert_eq!(body_of(app.call_http(request(Method::GET, "/")).await).await, "fine");
}

#[tokio::test]
async fn browsers_get_html_and_debug_shows_the_chain_escaped() {
    let ask = async |uri: &str, debug: bool| {
        let mut request = request(Method::GET, uri);
        request.headers_mut().insert("accept", "text/html,*/*;q=0.8".parse().unwrap());
        let mut env = Environment::default();
        env.debug = debug;
        request.scope_mut().env = Arc::new(env);
        let response = failing().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8");
        body_of(response).await
    };
    let debug = ask("/broken/", true).await;
    assert!(debug.contains("the &lt;disk&gt; is on fire") && debug.contains("route: broken/"), "{debug}");
    let production = ask("/broken/", false).await;
    assert!(!production.contains("disk") && production.contains("Something went wrong here."));
    assert!(ask("/panics/", true).await.contains("a view panicked: ouch"));
    assert!(ask("/nothing/", true).await.contains("kwarg/&lt;int:n&gt;/"));
    assert!(!ask("/nothing/", false).await.contains("kwarg"));
}
