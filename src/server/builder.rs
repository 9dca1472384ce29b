//! Building a server: application, layers, addresses, limits, hooks.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::access_log::AccessLog;
use super::admin::{self, Checks};
use super::connection::Serving;
use super::crew::Plan;
use super::drain::Phase;
use super::listener::{Address, Listener};
use super::network::Network;
use super::permits::Permits;
use super::request::Handler;
use super::running::{Running, Signals};
#[cfg(feature = "tls")]
use super::tls::Tls;
use super::worker::WorkerError;
use crate::layers::{ChannelLayer, ChannelLayers, LayerError};
use crate::routing::{ProtocolTypeRouter, RouteError};
use crate::{Environment, Error, Limits};

pub(super) type Hook = Box<dyn FnOnce(Arc<Environment>) -> BoxFuture<'static, Result<(), Error>> + Send>;
type Signal = Pin<Box<dyn Future<Output = ()> + Send>>;

/// An HTTP and WebSocket server for one application.
///
/// # Examples
/// ```no_run
/// # async fn example(app: solent::routing::ProtocolTypeRouter) -> Result<(), solent::server::ServeError> {
/// use solent::layers::MemoryChannelLayer;
/// use solent::server::Server;
///
/// Server::new(app).channel_layer(MemoryChannelLayer::new()).bind("127.0.0.1:8000").serve().await
/// # }
/// ```
#[must_use]
pub struct Server {
    app: ProtocolTypeRouter,
    debug: bool,
    limits: Limits,
    layers: ChannelLayers,
    addresses: Vec<Address>,
    listeners: Vec<Listener>,
    #[cfg(feature = "tls")]
    tls: Vec<(Address, Tls)>,
    log: AccessLog,
    trusted: Vec<Network>,
    workers: Plan,
    admin: Option<String>,
    checks: Checks,
    startup: Vec<Hook>,
    pub(super) shutdown: Vec<Hook>,
    pub(super) signal: Option<Signal>,
}

/// Why a server did not start, or did not end well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// An address that can't be listened on.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address, as it was given.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// Two routes with one name, or a name that can't be.
    #[error("the routes cannot be used")]
    Routes(#[from] RouteError),
    /// A channel layer that can't be reached.
    #[error("channel layer {alias:?} did not start")]
    Layer {
        /// The layer's alias.
        alias: String,
        /// What the layer said.
        source: LayerError,
    },
    /// A channel that can't be worked on.
    #[error("the workers cannot start")]
    Workers(#[from] WorkerError),
    /// A start-up hook failed.
    #[error("a start-up hook failed: {0}")]
    Startup(String),
    /// A shutdown hook failed; the server has ended all the same.
    #[error("a shutdown hook failed: {0}")]
    Shutdown(String),
}

impl Server {
    /// A server for an application, with the default limits, no channel layer, and the access log on standard output.
    pub fn new(app: ProtocolTypeRouter) -> Self {
        Self {
            app,
            debug: false,
            limits: Limits::default(),
            layers: ChannelLayers::default(),
            addresses: Vec::new(),
            listeners: Vec::new(),
            #[cfg(feature = "tls")]
            tls: Vec::new(),
            log: AccessLog::text(),
            trusted: Vec::new(),
            workers: Plan::default(),
            admin: None,
            checks: Checks::default(),
            startup: Vec::new(),
            shutdown: Vec::new(),
            signal: None,
        }
    }

    /// The channel layer `default`.
    pub fn channel_layer(mut self, layer: impl ChannelLayer) -> Self {
        self.layers.insert("default", Arc::new(layer));
        self
    }

    /// All channel layers, by alias.
    pub fn channel_layers(mut self, layers: ChannelLayers) -> Self {
        self.layers = layers;
        self
    }

    /// The bounds. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Handles the messages of these plain channels in this process too, by the application's `channel` part. Workers
    /// in processes of their own are [`Worker`](super::Worker)s. Default: none.
    pub fn workers<T: Into<String>>(mut self, channels: impl IntoIterator<Item = T>) -> Self {
        self.workers.channels.extend(channels.into_iter().map(Into::into));
        self
    }

    /// How many messages of one channel are handled at once. Default: 1, which keeps their order; more costs it.
    pub fn worker_concurrency(mut self, values: usize) -> Self {
        self.workers.concurrency = values;
        self
    }

    /// Detailed error pages and live templates. Default: off.
    pub fn debug(mut self, debug: bool) -> Self {
        self.debug = debug;
        self
    }

    /// Listens on `host:port`, `unix:/path`, or `systemd` for the sockets that a supervisor passes (with the feature
    /// `systemd`); may be called several times. Default: `127.0.0.1:8000`.
    pub fn bind(mut self, address: impl AsRef<str>) -> Self {
        self.addresses.push(Address::from(address.as_ref()));
        self
    }

    /// Listens on `host:port` with TLS, or on the TCP sockets among those that `systemd` passes; HTTP/2 and HTTP/1.1 are
    /// chosen by ALPN.
    #[cfg(feature = "tls")]
    pub fn bind_tls(mut self, address: impl Into<String>, tls: Tls) -> Self {
        let address = match Address::from(&*address.into()) {
            // A path is taken for a host, which there is not.
            Address::Unix(path) => Address::Tcp(format!("unix:{}", path.display())),
            address => address,
        };
        self.tls.push((address, tls));
        self
    }

    /// Listens on a listener of the host program's.
    pub fn listen(mut self, listener: TcpListener) -> Self {
        self.listeners.push(Listener::Tcp(listener));
        self
    }

    /// Where the banner and the access log go. Default: text on standard output.
    pub fn access_log(mut self, log: AccessLog) -> Self {
        self.log = log;
        self
    }

    /// The networks of proxies whose word on the client counts: its address and scheme from `X-Forwarded-For` and
    /// `X-Forwarded-Proto` (or `Forwarded`, where they write only that), read from right to left, and the request's
    /// name from `X-Request-ID`. Such fields from others are ignored. Default: nobody.
    ///
    /// Name only proxies that set these fields themselves: whoever is trusted can claim any address.
    ///
    /// ```
    /// # fn example(server: solent::server::Server) -> Result<(), solent::server::NetworkError> {
    /// let server = server.trusted_proxies(["10.0.0.0/8".parse()?, "unix".parse()?]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn trusted_proxies(mut self, networks: impl IntoIterator<Item = Network>) -> Self {
        self.trusted.extend(networks);
        self
    }

    /// Listens for those who run the site, on a port of this machine (`"9100"`), `host:port` or `unix:/path`:
    /// `/healthz` (is it alive), `/readyz` (can it serve: JSON with reasons, 503 when it cannot), `/metrics` (for
    /// Prometheus) and `/connections` (who is connected where, since when: JSON; `?route=` and `?limit=`, which is 1000
    /// at first). Default: off.
    ///
    /// Whoever reaches it may read everything there: bind it to loopback or to a network of one's own. On loopback it
    /// answers only what is addressed to this machine by name.
    pub fn admin(mut self, bind: impl Into<String>) -> Self {
        self.admin = Some(bind.into());
        self
    }

    /// Something without which the server is not ready, such as a database or a server behind. Channel layers and the
    /// drain are always among the checks.
    ///
    /// ```
    /// # fn example(server: solent::server::Server, proxy: solent::http::proxy::Proxy) {
    /// let server = server.ready_check("django", move || {
    ///     let proxy = proxy.clone();
    ///     async move { proxy.check().await }
    /// });
    /// # }
    /// ```
    pub fn ready_check<F>(
        mut self,
        name: impl Into<String>,
        check: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.checks.add(name.into(), check);
        self
    }

    /// Runs before the server listens; an error stops the start. ASGI: `lifespan.startup`.
    pub fn on_startup<F>(mut self, hook: impl FnOnce(Arc<Environment>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.startup.push(Box::new(|env| Box::pin(hook(env))));
        self
    }

    /// Runs after the last connection has ended. ASGI: `lifespan.shutdown`.
    pub fn on_shutdown<F>(mut self, hook: impl FnOnce(Arc<Environment>) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.shutdown.push(Box::new(|env| Box::pin(hook(env))));
        self
    }

    /// Drains when `signal` resolves, in place of SIGTERM and SIGINT.
    pub fn shutdown_signal(mut self, signal: impl Future<Output = ()> + Send + 'static) -> Self {
        self.signal = Some(Box::pin(signal));
        self
    }

    /// Starts, serves until SIGTERM, SIGINT or the signal of the host program, and drains.
    ///
    /// A second SIGTERM or SIGINT ends the drain at once.
    ///
    /// # Errors
    /// [`ServeError`]: what kept the server from starting, or a shutdown hook's error.
    ///
    /// # Cancel safety
    /// Dropping the future stops accepting, without a drain; open connections go on until the runtime ends.
    pub async fn serve(mut self) -> Result<(), ServeError> {
        match self.signal.take() {
            Some(signal) => {
                let running = self.start().await?;
                signal.await;
                running.shutdown().await
            }
            None => {
                // From here on, so that a signal behind the banner drains, and one before it ends the start.
                let mut signals = Signals::listen()?;
                tokio::select! {
                    running = self.start() => running?.until(signals).await,
                    () = signals.next() => Ok(()),
                }
            }
        }
    }

    /// Starts and gives the running server.
    ///
    /// # Errors
    /// [`ServeError`]: what kept the server from starting.
    ///
    /// # Cancel safety
    /// Dropping the future closes the listeners; what start-up hooks have done by then stands.
    pub async fn start(mut self) -> Result<Running, ServeError> {
        let env = self.begin().await?;
        let listeners = self.bind_all().await?;
        self.start_workers(&env).await?;
        let urls: Vec<_> = listeners.iter().map(Listener::url).collect();
        let shutdown = std::mem::take(&mut self.shutdown);
        let (log, debug) = (self.log.clone(), self.debug);
        let Parts { phase, permits, serving, admin } = self.into_parts(&env).await?;
        log.banner(debug, &urls);
        Ok(Running::spawn(env, phase, serving, permits, listeners, shutdown).with_admin(admin))
    }

    /// What comes before any connection: the channel layers and the hooks.
    pub(super) async fn begin(&mut self) -> Result<Arc<Environment>, ServeError> {
        let env = Arc::new(self.environment()?);
        for (alias, layer) in env.layers.iter() {
            layer.start().await.map_err(|source| ServeError::Layer { alias: alias.to_owned(), source })?;
        }
        for hook in self.startup.drain(..) {
            hook(Arc::clone(&env)).await.map_err(|error| ServeError::Startup(error.chain()))?;
        }
        Ok(env)
    }

    /// The server's log has what becomes of its workers; an end of one is no end of the server.
    pub(super) async fn start_workers(&mut self, env: &Arc<Environment>) -> Result<(), ServeError> {
        let _ended = self.workers.start(&self.app, env).await?;
        Ok(())
    }

    /// What serves connections, once everything else is taken.
    pub(super) async fn into_parts(mut self, env: &Arc<Environment>) -> Result<Parts, ServeError> {
        let (phase, phases) = watch::channel(Phase::Serving);
        let admin = match self.admin.take() {
            Some(bind) => {
                Some(admin::start(&bind, Arc::clone(env), phases.clone(), self.checks.clone()).await?)
            }
            None => None,
        };
        let trusted: Arc<[Network]> = self.trusted.into();
        let permits = Arc::new(Permits::new(&env.limits, Arc::clone(&trusted)));
        let handler =
            Handler { app: self.app, env: Arc::clone(env), log: self.log, phase: phases.clone(), trusted };
        let serving = Arc::new(Serving::new(handler, phases));
        Ok(Parts { phase, permits, serving, admin })
    }

    fn environment(&self) -> Result<Environment, ServeError> {
        let mut env = Environment::default();
        env.debug = self.debug;
        env.limits = self.limits.clone();
        env.layers = self.layers.clone();
        env.names = Arc::new(self.app.names()?);
        Ok(env)
    }

    async fn bind_all(&mut self) -> Result<Vec<Listener>, ServeError> {
        let mut listeners = std::mem::take(&mut self.listeners);
        #[cfg(feature = "tls")]
        for (address, tls) in self.tls.drain(..) {
            listeners.extend(bind(&address).await?.into_iter().map(|listener| match listener {
                Listener::Tcp(listener) => Listener::Tls(listener, tls.clone()),
                other => other,
            }));
        }
        if listeners.is_empty() && self.addresses.is_empty() {
            self.addresses.push(Address::from("127.0.0.1:8000"));
        }
        for address in &self.addresses {
            listeners.extend(bind(address).await?);
        }
        Ok(listeners)
    }
}

/// What serves connections.
pub(super) struct Parts {
    pub(super) phase: watch::Sender<Phase>,
    pub(super) permits: Arc<Permits>,
    pub(super) serving: Arc<Serving>,
    pub(super) admin: Option<Running>,
}

async fn bind(address: &Address) -> Result<Vec<Listener>, ServeError> {
    let bound = Listener::bind_all(address).await;
    bound.map_err(|source| ServeError::Bind { address: address.to_string(), source })
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server")
            .field("addresses", &self.addresses)
            .field("debug", &self.debug)
            .finish_non_exhaustive()
    }
}
