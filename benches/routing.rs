//! Benchmarks of routing: views and sockets among 1, 100 and 1,000 routes, and reversing.
//!
//! `cargo bench --bench routing`

#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::future::{Ready, ready};
use std::hint::black_box;
use std::task::{Context, Poll};

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use solent::http::Request;
use solent::routing::{Names, Route, Routes, UrlRouter, ViewRouter, ViewTarget, path, re_path};
use solent::websocket::{Acceptance, Accepted, Connection, Refusal, Transport};
use solent::{Error, Protocol, Scope};
use tower::Service;

const SIZES: [usize; 3] = [1, 100, 1_000];

async fn view(_: Request) -> &'static str {
    ""
}

/// Takes every connection and drops it.
#[derive(Clone)]
struct Takes;

impl Service<Connection> for Takes {
    type Response = ();
    type Error = Refusal;
    type Future = Ready<Result<(), Refusal>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Refusal>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Connection) -> Self::Future {
        ready(Ok(()))
    }
}

impl Routes for Takes {}

struct Nobody;

impl Transport for Nobody {
    fn accept(self: Box<Self>, _: Acceptance) -> Result<Accepted, Error> {
        Err(Error::msg("nobody is there"))
    }
}

/// A site's mix: plain pages, pages with arguments, regexes. The last one is asked for, so that order costs most.
fn view_routes(size: usize) -> impl Iterator<Item = Route<ViewTarget>> {
    (1..=size).rev().map(|number| match number % 3 {
        0 => path(format!("pages/page-{number}/"), view),
        1 => path(format!("section-{number}/room/<int:course_id>/"), view).name(format!("room-{number}")),
        _ => re_path(format!(r"^archive-{number}/(?P<year>\d{{4}})/$"), view),
    })
}

fn views(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("view among routes");
    for size in SIZES {
        let router = ViewRouter::new(view_routes(size)).expect("routes");
        group.bench_function(BenchmarkId::new("matching", size), |bencher| {
            bencher.iter(|| router.resolve(black_box("/section-1/room/42/")).expect("a route"));
        });
        group.bench_function(BenchmarkId::new("missing", size), |bencher| {
            bencher.iter(|| router.resolve(black_box("/section-1/nothing/42/")).is_none());
        });
    }
    group.finish();
}

fn sockets(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut group = criterion.benchmark_group("socket among routes");
    for size in SIZES {
        let routes = (1..=size).rev().map(|number| {
            re_path(format!(r"^ws/chat-{number}/room/(?P<course_id>\d+)/$"), Takes).name(format!("s{number}"))
        });
        let router = UrlRouter::new(routes).expect("routes");
        group.bench_function(BenchmarkId::new("matching", size), |bencher| {
            bencher.to_async(&runtime).iter(|| {
                let scope = Scope::new(Protocol::WEBSOCKET, "/ws/chat-1/room/42/");
                router.clone().call(Connection::new(scope, Nobody))
            });
        });
    }
    group.finish();
}

fn names(criterion: &mut Criterion) {
    let router = ViewRouter::new(view_routes(1_000)).expect("routes");
    let names = Names::new(router.routes()).expect("names");
    criterion.bench_function("reverse among 1000 routes", |bencher| {
        bencher.iter(|| names.reverse(black_box("room-1"), &[("course_id", &42)]).expect("a path"));
    });
}

criterion_group!(benches, views, sockets, names);
criterion_main!(benches);
