//! [`Host`]: one Redis server, or the master that Sentinels name, and how to connect to it.

use std::fmt;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion,
    RedisError, TlsCertificates,
};
use tokio::time::timeout;

use super::Connection;

/// One entry of `hosts`: a server, a master behind Sentinels, or a whole cluster. It counts as one host in any case.
///
/// A master behind Sentinels, over TLS with the own authority; and a cluster:
///
/// ```
/// use solent::layers::redis::Host;
///
/// let master = Host::parse("rediss://:secret@sentinels/0")?
///     .root_certificate("-----BEGIN CERTIFICATE-----…")
///     .sentinel("chat", ["redis://10.0.0.1:26379", "redis://10.0.0.2:26379"])?;
/// let cluster = Host::cluster(["redis://10.0.1.1:6379", "redis://10.0.1.2:6379"])?;
/// assert!(!format!("{master:?}").contains("secret"));
/// # Ok::<(), solent::layers::redis::HostError>(())
/// ```
#[derive(Clone)]
pub struct Host {
    info: ConnectionInfo,
    root_certificate: Option<Vec<u8>>,
    sentinels: Vec<ConnectionInfo>,
    master_name: String,
    /// Nodes of a cluster, each of which leads to all.
    nodes: Vec<ConnectionInfo>,
}

/// How often a cluster's node that has moved or is busy is tried again, and how long that takes at most each time.
const CLUSTER_RETRIES: u32 = 4;
const CLUSTER_WAIT_MS: u64 = 200;

/// An entry of `hosts` that is none. The entry itself is not shown, since it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Redis host: expected redis://, rediss:// or unix:// with a host, port and database, found {found}")]
pub struct HostError {
    found: String,
}

impl Default for Host {
    /// `redis://localhost:6379`.
    fn default() -> Self {
        Self::at("localhost", 6379)
    }
}

impl Host {
    /// A URL: `redis://[user:password@]host:port/db`, `rediss://…` for TLS, `unix://path?db=0`.
    ///
    /// # Errors
    /// [`HostError`] when it is none.
    pub fn parse(url: &str) -> Result<Self, HostError> {
        let info = url.into_connection_info().map_err(|_| HostError { found: without_secrets(url) })?;
        Ok(Self::of(info))
    }

    /// A host and a port, without password and TLS.
    pub fn at(host: &str, port: u16) -> Self {
        match (host, port).into_connection_info() {
            Ok(info) => Self::of(info),
            Err(_) => unreachable!("a host and a port always make an address"),
        }
    }

    fn of(info: ConnectionInfo) -> Self {
        let tcp = info.tcp_settings().clone().set_nodelay(true);
        Self {
            info: info.set_tcp_settings(tcp),
            root_certificate: None,
            sentinels: Vec::new(),
            master_name: String::new(),
            nodes: Vec::new(),
        }
    }

    /// A Redis Cluster, found by some of its nodes' URLs: for [`RedisPubSubChannelLayer`](crate::layers::redis::RedisPubSubChannelLayer) alone.
    ///
    /// A group is a sharded channel (`SPUBLISH`), which lives on the node that has its slot; mailboxes and plain
    /// channels are classic ones, which every node passes on. Python's channels_redis knows no clusters.
    ///
    /// # Errors
    /// [`HostError`] when a URL is none, or there is none.
    pub fn cluster<S: AsRef<str>>(nodes: impl IntoIterator<Item = S>) -> Result<Self, HostError> {
        let nodes: Vec<ConnectionInfo> = nodes
            .into_iter()
            .map(|url| Self::parse(url.as_ref()).map(|host| host.info))
            .collect::<Result<_, _>>()?;
        let first = nodes.first().cloned().ok_or_else(|| HostError { found: "no node".to_owned() })?;
        Ok(Self { nodes, ..Self::of(first) })
    }

    pub(in crate::layers::redis) fn is_cluster(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// Trusts only this certificate authority (PEM) for `rediss://`.
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificate = Some(pem.into());
        self
    }

    /// The master called `name`, which the Sentinels (URLs) are asked for at every new connection. Password, database
    /// and TLS are this host's; its address is not used.
    ///
    /// # Errors
    /// [`HostError`] when a Sentinel's URL is none.
    pub fn sentinel<S: AsRef<str>>(
        mut self,
        name: impl Into<String>,
        sentinels: impl IntoIterator<Item = S>,
    ) -> Result<Self, HostError> {
        self.sentinels = sentinels
            .into_iter()
            .map(|url| Self::parse(url.as_ref()).map(|host| host.info))
            .collect::<Result<_, _>>()?;
        self.master_name = name.into();
        Ok(self)
    }

    /// A connection for commands. Whoever uses it bounds every wait.
    pub(crate) async fn connect(&self, time: Duration) -> Result<MultiplexedConnection, String> {
        bounded(time, async {
            let config = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
            self.client().await?.get_multiplexed_async_connection_with_config(&config).await
        })
        .await
    }

    /// A connection for a pipe.
    pub(in crate::layers::redis) async fn pipe(&self, time: Duration) -> Result<Connection, String> {
        if self.is_cluster() {
            let connecting = async { self.nodes_client(time, None)?.get_async_connection().await };
            return bounded(time, connecting).await.map(Connection::Cluster);
        }
        self.connect(time).await.map(Connection::Single)
    }

    /// Connections to a cluster's nodes for subscriptions; what they push goes to `push`.
    pub(in crate::layers::redis) async fn cluster_subscriber<E>(
        &self,
        time: Duration,
        push: impl Fn(redis::PushInfo) -> Result<(), E> + Send + Sync + 'static,
    ) -> Result<ClusterConnection, String>
    where
        E: 'static,
    {
        let push: Pushes = Box::new(move |builder| builder.push_sender(push));
        bounded(time, async { self.nodes_client(time, Some(push))?.get_async_connection().await }).await
    }

    fn nodes_client(&self, time: Duration, push: Option<Pushes>) -> Result<ClusterClient, RedisError> {
        let mut builder = ClusterClientBuilder::new(self.nodes.clone())
            .use_protocol(ProtocolVersion::RESP3)
            .connection_timeout(time)
            .response_timeout(time)
            .retries(CLUSTER_RETRIES)
            .max_retry_wait(CLUSTER_WAIT_MS);
        if let Some(pem) = &self.root_certificate {
            builder = builder.certs(TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) });
        }
        if let Some(push) = push {
            builder = push(builder);
        }
        builder.build()
    }

    /// A connection for subscriptions.
    pub(in crate::layers::redis) async fn subscriber(&self, time: Duration) -> Result<PubSub, String> {
        bounded(time, async { self.client().await?.get_async_pubsub().await }).await
    }

    async fn client(&self) -> Result<Client, RedisError> {
        let info = match self.sentinels.is_empty() {
            true => self.info.clone(),
            false => self.info.clone().set_addr(self.master().await?),
        };
        match &self.root_certificate {
            None => Client::open(info),
            Some(pem) => {
                let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.clone()) };
                Client::build_with_tls(info, certificates)
            }
        }
    }

    /// The master's address, from the first Sentinel that knows it.
    async fn master(&self) -> Result<ConnectionAddr, RedisError> {
        let mut last = RedisError::from((redis::ErrorKind::EmptySentinelList, "no Sentinel"));
        for sentinel in &self.sentinels {
            match self.ask(sentinel.clone()).await {
                Ok(Some((host, port))) => return Ok(self.address(host, port)),
                Ok(None) => {
                    let kind = redis::ErrorKind::MasterNameNotFoundBySentinel;
                    last = RedisError::from((
                        kind,
                        "the Sentinel does not know the master",
                        self.master_name.clone(),
                    ));
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask(&self, sentinel: ConnectionInfo) -> Result<Option<(String, u16)>, RedisError> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(1)));
        let client = Client::open(sentinel)?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        redis::cmd("SENTINEL")
            .arg("get-master-addr-by-name")
            .arg(&self.master_name)
            .query_async(&mut connection)
            .await
    }

    fn address(&self, host: String, port: u16) -> ConnectionAddr {
        match self.info.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => {
                ConnectionAddr::TcpTls { host, port, insecure: *insecure, tls_params: tls_params.clone() }
            }
            _ => ConnectionAddr::Tcp(host, port),
        }
    }
}

/// Gives a cluster's client where its pushes go.
type Pushes = Box<dyn FnOnce(ClusterClientBuilder) -> ClusterClientBuilder + Send>;

/// Runs a connection's set-up, at most for `time`.
async fn bounded<T>(
    time: Duration,
    connecting: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, String> {
    match timeout(time, connecting).await {
        Ok(Ok(connection)) => Ok(connection),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("no answer within {time:?}")),
    }
}

/// A URL without what may be a password.
fn without_secrets(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let shown = rest.rsplit_once('@').map_or(rest, |(_, behind)| behind);
    let shown = shown.split('?').next().unwrap_or(shown);
    format!("{:?}", if scheme.is_empty() { shown.to_owned() } else { format!("{scheme}://{shown}") })
}

impl fmt::Display for Host {
    /// The address, without secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_cluster() {
            let nodes: Vec<_> = self.nodes.iter().map(|node| node.addr().to_string()).collect();
            return write!(f, "the cluster of {}", nodes.join(" and "));
        }
        match self.sentinels.is_empty() {
            true => write!(f, "{}", self.info.addr()),
            false => write!(f, "master {} of {} Sentinels", self.master_name, self.sentinels.len()),
        }
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Host({self})")
    }
}
