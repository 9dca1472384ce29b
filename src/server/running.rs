//! A running server: its accept loops, and the way to end it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tracing::{error, warn};

use super::builder::{Hook, ServeError};
use super::connection::Serving;
use super::drain::{Phase, drain};
use super::listener::{Incoming, Listener};
use super::permits::{Permit, Permits};
use crate::Environment;
use crate::routing::{ProtocolTypeRouter, RouteError};

/// How long accepting pauses when the system has no more descriptors.
const PAUSE: Duration = Duration::from_millis(50);

/// A running server. Dropping it stops accepting; open connections go on until the runtime ends.
///
/// A server with most of what can be set, and a program that goes on until a signal comes:
///
/// ```
/// # async fn example(app: solent::routing::ProtocolTypeRouter) -> solent::Result<()> {
/// use std::time::Duration;
/// use solent::Limits;
/// use solent::server::{Server, Tls};
///
/// let mut limits = Limits::default();
/// limits.drain_time = Duration::from_secs(5);
/// let running = Server::new(app)
///     .limits(limits)
///     .bind_tls("0.0.0.0:443", Tls::from_pem_files("chain.pem", "key.pem")?)
///     .admin("9100")
///     .workers(["thumbnails"])
///     .worker_concurrency(4)
///     .on_shutdown(|_| async { Ok(println!("the last connection has ended")) })
///     .start()
///     .await?;
/// println!("listening on {:?}", running.addresses());
/// running.until_signal().await?;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub struct Running {
    env: Arc<Environment>,
    addresses: Vec<SocketAddr>,
    phase: watch::Sender<Phase>,
    serving: Arc<Serving>,
    tasks: TaskTracker,
    shutdown: Vec<Hook>,
    admin: Option<Box<Self>>,
}

impl Running {
    pub(super) fn spawn(
        env: Arc<Environment>,
        phase: watch::Sender<Phase>,
        serving: Arc<Serving>,
        permits: Arc<Permits>,
        listeners: Vec<Listener>,
        shutdown: Vec<Hook>,
    ) -> Self {
        let tasks = TaskTracker::new();
        let addresses = listeners.iter().filter_map(Listener::address).collect();
        for listener in listeners {
            let accepting = Accepting {
                listener,
                serving: Arc::clone(&serving),
                permits: Arc::clone(&permits),
                tasks: tasks.clone(),
            };
            tasks.spawn(accepting.run(phase.subscribe()));
        }
        Self { env, addresses, phase, serving, tasks, shutdown, admin: None }
    }

    pub(super) fn with_admin(self, admin: Option<Self>) -> Self {
        Self { admin: admin.map(Box::new), ..self }
    }

    /// The admin listener's TCP address, where there is one.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref()?.addresses.first().copied()
    }

    /// The TCP addresses that are listened on, with the ports that were found for port 0.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// What all connections share.
    pub fn env(&self) -> &Arc<Environment> {
        &self.env
    }

    /// Lets another application answer from the next request or handshake on. Open sockets and answers under way stay
    /// with the one they began with; limits, layers and listeners stay as they are.
    ///
    /// # Errors
    /// [`RouteError`] when two routes have one name; then nothing has changed.
    pub fn replace(&self, app: ProtocolTypeRouter) -> Result<(), RouteError> {
        self.serving.current.replace(app)
    }

    /// Drains: refuses new upgrades, closes the listeners, finishes answers, closes sockets, stops what is left.
    ///
    /// # Errors
    /// A shutdown hook's; all hooks run whatever happens.
    ///
    /// # Cancel safety
    /// Dropping the future stops waiting; what was told to end goes on ending.
    pub async fn shutdown(mut self) -> Result<(), ServeError> {
        drain(&self.env, &self.phase, &self.tasks).await;
        self.end().await
    }

    /// Serves until SIGTERM or SIGINT, then drains; a second signal ends the drain at once.
    ///
    /// # Errors
    /// A shutdown hook's.
    ///
    /// # Cancel safety
    /// Dropping the future stops accepting, without a drain; open connections go on until the runtime ends.
    pub async fn until_signal(self) -> Result<(), ServeError> {
        self.until(Signals::listen()?).await
    }

    /// What comes behind a drain.
    async fn end(&mut self) -> Result<(), ServeError> {
        let outcome = run_hooks(std::mem::take(&mut self.shutdown), &self.env).await;
        if let Some(admin) = &self.admin {
            admin.phase.send_replace(Phase::Stopped);
        }
        outcome
    }

    pub(super) async fn until(mut self, mut signals: Signals) -> Result<(), ServeError> {
        signals.next().await;
        tokio::select! {
            () = drain(&self.env, &self.phase, &self.tasks) => {}
            () = signals.next() => warn!("a second signal: stopping at once"),
        }
        self.end().await
    }
}

/// Runs all shutdown hooks, whatever one of them says, and lets the layers settle, which hooks may still use.
pub(super) async fn run_hooks(hooks: Vec<Hook>, env: &Arc<Environment>) -> Result<(), ServeError> {
    let mut outcome = Ok(());
    for hook in hooks {
        if let Err(failed) = hook(Arc::clone(env)).await {
            error!(error = %failed.chain(), "a shutdown hook failed");
            outcome = Err(ServeError::Shutdown(failed.chain()));
        }
    }
    for (_, layer) in env.layers.iter() {
        layer.settle().await;
    }
    outcome
}

/// SIGTERM and SIGINT. None is missed that comes after this was made.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> Result<Self, ServeError> {
        match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
            (Ok(terminate), Ok(interrupt)) => Ok(Self { terminate, interrupt }),
            _ => Err(ServeError::Startup("signals cannot be heard on this system".to_owned())),
        }
    }

    /// The next of either. Cancel safe.
    pub(super) async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("addresses", &self.addresses).finish_non_exhaustive()
    }
}

/// One listener's accept loop.
struct Accepting {
    listener: Listener,
    serving: Arc<Serving>,
    permits: Arc<Permits>,
    tasks: TaskTracker,
}

impl Accepting {
    async fn run(self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            // The sender's end means that `Running` was dropped.
            _ = phase.wait_for(|phase| *phase >= Phase::Closing) => {}
            () = self.accept_all() => {}
        }
    }

    async fn accept_all(&self) {
        loop {
            let place = self.permits.place().await;
            match self.listener.accept().await {
                Ok(Incoming::Tcp(stream, client)) => match self.permits.admit(place, Some(client.ip())) {
                    Some(permit) => self.spawn_tcp(stream, client, permit),
                    None => refuse(&stream),
                },
                #[cfg(feature = "tls")]
                Ok(Incoming::Tls(stream, client, tls)) => {
                    match self.permits.admit(place, Some(client.ip())) {
                        Some(permit) => self.spawn_tls(stream, client, tls, permit),
                        // Before the handshake there is nothing that the client would understand.
                        None => drop(stream),
                    }
                }
                Ok(Incoming::Unix(stream)) => {
                    if let Some(permit) = self.permits.admit(place, None) {
                        let serving = Arc::clone(&self.serving);
                        self.tasks.spawn(serving.serve(stream, None, None, false, Arc::new(permit)));
                    }
                }
                Err(error) => pause(&error).await,
            }
        }
    }

    fn spawn_tcp(&self, stream: TcpStream, client: SocketAddr, permit: Permit) {
        let server = stream.local_addr().ok();
        let serving = Arc::clone(&self.serving);
        self.tasks.spawn(serving.serve(stream, Some(client), server, false, Arc::new(permit)));
    }
}

#[cfg(feature = "tls")]
impl Accepting {
    fn spawn_tls(&self, stream: TcpStream, client: SocketAddr, tls: super::Tls, permit: Permit) {
        let server = stream.local_addr().ok();
        let serving = Arc::clone(&self.serving);
        self.tasks.spawn(async move {
            let time = serving.limits.tls_handshake_time;
            match tokio::time::timeout(time, tls.accept(stream)).await {
                Ok(Ok(stream)) => serving.serve(stream, Some(client), server, true, Arc::new(permit)).await,
                Ok(Err(error)) => tracing::debug!(%client, %error, "a TLS handshake failed"),
                Err(_) => tracing::debug!(%client, "a TLS handshake took too long"),
            }
        });
    }
}

/// An address that has its share is told so, as far as one write tells it.
fn refuse(stream: &TcpStream) {
    let date = httpdate::fmt_http_date(std::time::SystemTime::now());
    let answer = format!(
        "HTTP/1.1 429 Too Many Requests\r\nconnection: close\r\ncontent-length: 0\r\ndate: {date}\r\n\r\n"
    );
    let _ = stream.try_write(answer.as_bytes());
}

/// Without descriptors, accepting pauses; an aborted connection is nobody's concern.
async fn pause(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        warn!(%error, "accepting pauses");
        tokio::time::sleep(PAUSE).await;
    }
}
