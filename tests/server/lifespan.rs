//! Start and end: hooks, and what keeps a server from starting.

use std::error::Error as _;
use std::sync::{Arc, Mutex};

use solent::Error;
use solent::layers::MemoryChannelLayer;
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::{AccessLog, ServeError, Server};

use crate::raw::Raw;
use crate::site::{GET, Site, app};

type Notes = Arc<Mutex<Vec<&'static str>>>;

fn note(notes: &Notes, text: &'static str) -> impl Future<Output = Result<(), Error>> + Send + use<> {
    let notes = Arc::clone(notes);
    async move {
        notes.lock().unwrap().push(text);
        Ok(())
    }
}

fn quiet() -> Server {
    Server::new(app().0).bind("127.0.0.1:0").access_log(AccessLog::off())
}

#[tokio::test]
async fn k18_hooks_run_in_order_before_the_first_and_after_the_last_connection() {
    let notes = Notes::default();
    let (first, second, last) = (notes.clone(), notes.clone(), notes.clone());
    let site = Site::serve(|server| {
        server
            .access_log(AccessLog::off())
            .on_startup(move |_| note(&first, "first"))
            .on_startup(move |_| note(&second, "second"))
            .on_shutdown(move |env| {
                assert!(env.sockets.is_empty());
                note(&last, "last")
            })
    })
    .await;
    assert_eq!(*notes.lock().unwrap(), ["first", "second"]);
    let mut raw = Raw::connect(site.address()).await;
    raw.send(GET).await;
    raw.response().await;
    assert_eq!(*notes.lock().unwrap(), ["first", "second"]);
    site.running.shutdown().await.unwrap();
    assert_eq!(*notes.lock().unwrap(), ["first", "second", "last"]);
}

#[tokio::test]
async fn a_start_up_hook_that_fails_stops_the_start_with_its_error() {
    let notes = Notes::default();
    let late = notes.clone();
    let failed = quiet()
        .on_startup(|_| async {
            let missing = std::io::Error::other("no such table: auth_user");
            Err(Error::from(missing))
        })
        .on_startup(move |_| note(&late, "never"))
        .start()
        .await;
    let error = failed.unwrap_err();
    assert!(matches!(error, ServeError::Startup(_)));
    assert_eq!(error.to_string(), "a start-up hook failed: no such table: auth_user");
    assert!(notes.lock().unwrap().is_empty(), "the hooks behind it do not run");
}

#[tokio::test]
async fn a_start_up_hook_finds_the_channel_layer() {
    let server = quiet().channel_layer(MemoryChannelLayer::new()).on_startup(|env| async move {
        env.layers.default_handle()?;
        Ok(())
    });
    server.start().await.unwrap().shutdown().await.unwrap();
}

#[tokio::test]
async fn all_shutdown_hooks_run_and_the_last_error_is_told() {
    let notes = Notes::default();
    let second = notes.clone();
    let running = quiet()
        .on_shutdown(|_| async { Err(Error::msg("the cache could not be written")) })
        .on_shutdown(move |_| note(&second, "second"))
        .start()
        .await
        .unwrap();
    let error = running.shutdown().await.unwrap_err();
    assert_eq!(error.to_string(), "a shutdown hook failed: the cache could not be written");
    assert_eq!(*notes.lock().unwrap(), ["second"]);
}

#[tokio::test]
async fn an_address_that_is_taken_is_named() {
    let site = Site::start().await;
    let address = site.address().to_string();
    let error = Server::new(app().0).bind(&address).access_log(AccessLog::off()).start().await.unwrap_err();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
    assert!(error.source().is_some(), "what the system said stands behind it");
}

#[tokio::test]
async fn an_address_that_is_none_is_named() {
    let error = Server::new(app().0).bind("nonsense").access_log(AccessLog::off()).start().await.unwrap_err();
    assert_eq!(error.to_string(), "cannot listen on nonsense");
}

#[tokio::test]
async fn two_routes_of_one_name_stop_the_start() {
    async fn view(_: solent::http::Request) -> &'static str {
        ""
    }
    let views = ViewRouter::new([path("a", view).name("same"), path("b", view).name("same")]);
    let started = match views {
        Ok(views) => {
            let app = ProtocolTypeRouter::new().http(views);
            Server::new(app).bind("127.0.0.1:0").access_log(AccessLog::off()).start().await.map(drop)
        }
        Err(error) => Err(ServeError::from(error)),
    };
    assert!(matches!(started, Err(ServeError::Routes(_))), "{started:?}");
}

#[tokio::test]
async fn the_host_programs_signal_ends_serve() {
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let notes = Notes::default();
    let last = notes.clone();
    let server = quiet().on_shutdown(move |_| note(&last, "last")).shutdown_signal(async {
        let _ = stopped.await;
    });
    let serving = tokio::spawn(server.serve());
    stop.send(()).unwrap();
    serving.await.unwrap().unwrap();
    assert_eq!(*notes.lock().unwrap(), ["last"]);
}
