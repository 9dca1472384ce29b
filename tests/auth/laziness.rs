//! What a session costs: nothing before its first use, and nothing when nothing has changed.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::BoxFuture;
use solent::Scoped;
use solent::auth::{MemorySessions, Session, SessionData, SessionError, SessionSettings, SessionStore};
use solent::http::{Body, Request, Response};
use solent::middleware::SessionLayer;
use tower::{Layer, ServiceExt, service_fn};

/// Sessions in memory, with a count of what the store is asked.
#[derive(Debug, Default)]
struct Counted {
    store: MemorySessions,
    loads: AtomicUsize,
    saves: AtomicUsize,
}

impl Counted {
    /// How often it was read and written since the last look.
    fn asked(&self) -> (usize, usize) {
        (self.loads.swap(0, Ordering::SeqCst), self.saves.swap(0, Ordering::SeqCst))
    }
}

impl SessionStore for Counted {
    fn load<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<SessionData>, SessionError>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.store.load(key)
    }

    fn save<'a>(
        &'a self,
        key: Option<&'a str>,
        data: &'a SessionData,
        expires: DateTime<Utc>,
    ) -> BoxFuture<'a, Result<String, SessionError>> {
        self.saves.fetch_add(1, Ordering::SeqCst);
        self.store.save(key, data, expires)
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), SessionError>> {
        self.store.delete(key)
    }

    fn clear_expired(&self) -> BoxFuture<'_, Result<u64, SessionError>> {
        self.store.clear_expired()
    }
}

/// A view that does with its session what its path says.
async fn view(request: Request) -> Result<Response, Infallible> {
    let session = request.scope().session.clone();
    let count = async || session.get::<u32>("count").await.unwrap().unwrap_or(0);
    match request.uri().path() {
        "/read" => drop((count().await, count().await)),
        "/write" => session.set("count", &(count().await + 1)).await.unwrap(),
        "/remove-nothing" => drop(session.remove("nothing").await.unwrap()),
        _ => {}
    }
    Ok(Response::new(Body::empty()))
}

#[tokio::test]
async fn a_session_is_loaded_at_its_first_use_and_saved_when_it_has_changed() {
    let store = Arc::new(Counted::default());
    let key = store.save(None, &SessionData::default(), Utc::now() + TimeDelta::hours(1)).await.unwrap();
    store.asked();
    let service = SessionLayer::new(Arc::clone(&store)).layer(service_fn(view));
    for (path, with_cookie, asked) in [
        ("/plain", true, (0, 0)),
        ("/read", true, (1, 0)),
        ("/remove-nothing", true, (1, 0)),
        ("/write", true, (1, 1)),
        ("/read", false, (0, 0)),
        ("/write", false, (0, 1)),
    ] {
        let mut request = http::Request::builder().uri(path);
        if with_cookie {
            request = request.header("cookie", format!("sessionid={key}"));
        }
        service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(store.asked(), asked, "{path}, a cookie: {with_cookie}");
    }
}

#[tokio::test]
async fn by_option_every_request_of_a_session_saves_it() {
    let store = Arc::new(Counted::default());
    let key = store.save(None, &SessionData::default(), Utc::now() + TimeDelta::hours(1)).await.unwrap();
    store.asked();
    let mut settings = SessionSettings::default();
    settings.save_every_request = true;
    let session = Session::new(store.clone(), Arc::new(settings), Some(&key));
    session.get::<u32>("count").await.unwrap();
    let cookie = session.commit().await.unwrap().unwrap();
    assert!(cookie.to_str().unwrap().starts_with(&format!("sessionid={key}; ")), "{cookie:?}");
    assert_eq!(store.asked(), (1, 1));
}
