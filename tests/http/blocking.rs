//! The blocking pool: so many threads, so many waiting, no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::task::Poll;

use futures_util::poll;
use http::StatusCode;
use solent::http::{BlockingRequest, Body, blocking};
use solent::routing::{ViewRouter, path};
use solent::{BlockingPool, Environment, Limits, PoolError, Scoped};
use tower::ServiceExt;

fn limits(threads: usize, queue: usize) -> Limits {
    let mut limits = Limits::default();
    limits.blocking_threads = threads;
    limits.blocking_queue = queue;
    limits
}

/// Keeps one thread busy until it is dropped.
fn busy(pool: &BlockingPool) -> (impl Future<Output = Result<(), PoolError>> + use<>, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel::<()>();
    let pool = pool.clone();
    (async move { pool.run(move || released.recv().unwrap_or_default()).await }, release)
}

#[tokio::test]
async fn h8_as_many_calls_run_as_there_are_threads_and_the_next_ones_wait() {
    let pool = BlockingPool::new(&limits(2, 1));
    let (first, release_first) = busy(&pool);
    let (second, release_second) = busy(&pool);
    let mut first = Box::pin(first);
    let mut second = Box::pin(second);
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    let mut third = Box::pin(pool.run(|| "third"));
    assert!(poll!(&mut third).is_pending());
    assert_eq!(poll!(Box::pin(pool.run(|| "fourth"))), Poll::Ready(Err(PoolError::Full { queue: 1 })));
    drop(release_first);
    first.await.unwrap();
    assert_eq!(third.await, Ok("third"));
    drop(release_second);
    second.await.unwrap();
    assert_eq!(pool.run(|| "fifth").await, Ok("fifth"));
}

#[tokio::test]
async fn a_call_that_is_given_up_while_it_waits_never_runs_and_gives_its_place_back() {
    let pool = BlockingPool::new(&limits(1, 1));
    let (first, release) = busy(&pool);
    let mut first = Box::pin(first);
    assert!(poll!(&mut first).is_pending());
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let ran = Arc::clone(&ran);
        let mut waiting = Box::pin(pool.run(move || ran.fetch_add(1, Ordering::SeqCst)));
        assert!(poll!(&mut waiting).is_pending());
    }
    drop(release);
    first.await.unwrap();
    pool.run(|| ()).await.unwrap();
    assert_eq!(ran.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_panic_is_an_error_with_its_text() {
    let pool = BlockingPool::default();
    let outcome = pool.run(|| -> () { panic!("number {}", 7) }).await;
    assert_eq!(outcome, Err(PoolError::Panicked("number 7".to_owned())));
    assert_eq!(pool.run(|| 1).await, Ok(1));
}

#[tokio::test]
async fn a_blocking_view_without_a_free_thread_is_503() {
    let views = ViewRouter::new([path("", blocking(|_: BlockingRequest| "done"))]).unwrap();
    let mut env = Environment::default();
    env.limits = limits(1, 0);
    let env = Arc::new(env);
    let ask = || {
        let mut request = http::Request::get("/").body(Body::empty()).unwrap();
        request.scope_mut().env = Arc::clone(&env);
        views.clone().oneshot(request)
    };
    let (first, release) = busy(env.blocking());
    let mut first = Box::pin(first);
    assert!(poll!(&mut first).is_pending());
    assert_eq!(ask().await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    drop(release);
    first.await.unwrap();
    assert_eq!(ask().await.unwrap().status(), StatusCode::OK);
}
