//! Every case of `routing.json`: what Django's `path()` and `re_path()` take, as endpoints and as prefixes.

use serde_json::Value;
use solent::routing::{Route, Routes, UrlRouter, path, re_path};
use solent::websocket::Connection;

use crate::support::{Scribbles, Seen, given_back, send, websocket};

/// A target that takes what a prefix leaves and ends there, as a router with any routes might.
#[derive(Clone)]
struct TakesRest(Seen);

impl tower::Service<Connection> for TakesRest {
    type Response = ();
    type Error = solent::websocket::Refusal;
    type Future = <Seen as tower::Service<Connection>>::Future;

    fn poll_ready(
        &mut self,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), solent::websocket::Refusal>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, connection: Connection) -> Self::Future {
        self.0.call(connection)
    }
}

impl Routes for TakesRest {
    fn is_router(&self) -> bool {
        true
    }
}

fn route(case: &Value, seen: &Seen) -> Route {
    let pattern = case["route"].as_str().unwrap();
    match (case["kind"].as_str().unwrap(), case["endpoint"].as_bool().unwrap()) {
        ("path", true) => path(pattern, seen.clone()),
        ("path", false) => path(pattern, Scribbles(TakesRest(seen.clone()))),
        ("re_path", true) => re_path(pattern, seen.clone()),
        ("re_path", false) => re_path(pattern, Scribbles(TakesRest(seen.clone()))),
        other => panic!("unknown case {other:?}"),
    }
}

/// Django's integers are ours as canonical text.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[tokio::test]
async fn every_vector_holds() {
    let file = std::fs::read_to_string("tests/vectors/routing.json").unwrap();
    let vectors: Value = serde_json::from_str(&file).unwrap();
    let cases = vectors["cases"].as_array().unwrap();
    for case in cases {
        let seen = Seen::default();
        let router = UrlRouter::new([route(case, &seen)]).unwrap();
        let outcome = send(&router, websocket(case["path"].as_str().unwrap())).await;
        if case["match"] == false {
            given_back(outcome);
            assert!(seen.take().is_none(), "{case}");
            continue;
        }
        outcome.unwrap_or_else(|refusal| panic!("{refusal:?}: {case}"));
        let scope = seen.take().unwrap();
        assert_eq!(scope.path_remaining.as_deref(), case["remaining"].as_str(), "{case}");
        let args: Vec<String> = case["args"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(scope.url_route.args, args, "{case}");
        let expected: Vec<(String, String)> = case["kwargs"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), text(value)))
            .collect();
        let found: Vec<(String, String)> =
            scope.url_route.kwargs.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        assert_eq!(found, expected, "{case}");
    }
    assert_eq!(cases.len(), 728);
}
