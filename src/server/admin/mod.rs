//! The admin listener: is the process alive, is it ready, what are its figures, who is connected.
//!
//! It has its own small server, which answers until the very end of a drain, and whose requests are counted nowhere.

mod connections;
mod readiness;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use ::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use ::http::{HeaderValue, StatusCode};
use tokio::sync::watch;
use tower::Layer;

pub(super) use readiness::Checks;

use super::access_log::AccessLog;
use super::builder::ServeError;
use super::connection::Serving;
use super::drain::Phase;
use super::listener::{Address, Listener};
use super::permits::Permits;
use super::request::Handler;
use super::running::Running;
use crate::http::{BoxedHttp, IntoResponse, Request, RequestExt, Response, get, with_state};
use crate::metrics::Figures;
use crate::middleware::LocalOnlyLayer;
use crate::routing::{ProtocolTypeRouter, ViewRouter, path};
use crate::{Environment, Error};

/// Connections at once: a few scrapers and probes.
const CONNECTIONS: usize = 64;

/// Why a listener on loopback refuses what was addressed to another name: a page in a browser could ask it else.
const BECAUSE: &str = "it is the admin listener of a server";

/// What the admin views know of the server that they tell of.
#[derive(Debug, Clone)]
struct State {
    env: Arc<Environment>,
    phase: watch::Receiver<Phase>,
    checks: Checks,
}

/// Starts the admin listener of a server.
pub(super) async fn start(
    bind: &str,
    env: Arc<Environment>,
    phase: watch::Receiver<Phase>,
    checks: Checks,
) -> Result<Running, ServeError> {
    let address = address_of(bind);
    let bound = Listener::bind(&address).await;
    let listener = bound.map_err(|source| ServeError::Bind { address: address.to_string(), source })?;
    let app = application(State { env, phase, checks }, listener.address())?;
    let mut own = Environment::default();
    own.limits.connections = Some(CONNECTIONS);
    let own = Arc::new(own);
    let (phase, phases) = watch::channel(Phase::Serving);
    let permits = Arc::new(Permits::new(&own.limits, Arc::default()));
    let handler = Handler {
        app,
        env: Arc::clone(&own),
        log: AccessLog::off(),
        phase: phases.clone(),
        trusted: Arc::default(),
    };
    let serving = Arc::new(Serving::new(handler, phases));
    Ok(Running::spawn(own, phase, serving, permits, vec![listener], Vec::new()))
}

/// A port alone is one on this machine's own address: nobody else is let in by mistake.
fn address_of(bind: &str) -> Address {
    match bind.trim_start_matches(':').parse::<u16>() {
        Ok(port) => Address::from(&*SocketAddr::from((Ipv4Addr::LOCALHOST, port)).to_string()),
        Err(_) => Address::from(bind),
    }
}

fn application(state: State, address: Option<SocketAddr>) -> Result<ProtocolTypeRouter, ServeError> {
    let views = ViewRouter::new([
        path("healthz", get(healthz)),
        path("readyz", get(with_state(state.clone(), readyz))),
        path("metrics", get(with_state(state.clone(), metrics))),
        path("connections", get(with_state(state, connections))),
    ])?
    .append_slash(false);
    let is_local = address.is_some_and(|address| IpAddr::is_loopback(&address.ip()));
    let views = if is_local {
        BoxedHttp::new(LocalOnlyLayer::new(BECAUSE).layer(views))
    } else {
        BoxedHttp::new(views)
    };
    Ok(ProtocolTypeRouter::new().http(views))
}

/// Alive: it answers at all.
async fn healthz(_: Request) -> Response {
    answer(StatusCode::OK, "application/json", "{\"alive\":true}\n".to_owned())
}

/// Ready: everything that it depends on is there, and it is not leaving.
async fn readyz(state: State, _: Request) -> Result<Response, Error> {
    let draining = *state.phase.borrow() != Phase::Serving;
    let told = state.checks.run(&state.env, draining).await;
    let status = if told.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    Ok(answer(status, "application/json", format!("{}\n", serde_json::to_string(&told)?)))
}

async fn metrics(state: State, _: Request) -> Response {
    answer(
        StatusCode::OK,
        "text/plain; version=0.0.4; charset=utf-8",
        Figures::of(&state.env).to_prometheus(),
    )
}

/// Who is connected where, since when: the oldest first, as many as `limit` asks for.
async fn connections(state: State, request: Request) -> Result<Response, Error> {
    let asked = request.query::<connections::Asked>()?;
    let told = connections::told(&state.env.sockets, &asked);
    Ok(answer(StatusCode::OK, "application/json", format!("{}\n", serde_json::to_string(&told)?)))
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = (status, body).into_response().unwrap_or_default();
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
