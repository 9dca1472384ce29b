//! [`RedisChannelLayer`]: channels as sorted sets.

mod groups;
mod inbox;
mod keeper;
mod layer;
mod local;
mod names;
mod plain;
mod receive;
mod scripts;
mod send;
mod source;
mod worker;

use std::collections::HashSet;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;

use super::Host;
use super::settings::{RedisSettings, setting};
use super::wire::{Health, Part, Pipe, PipeSettings};
use crate::layers::LayerError;
use crate::layers::hub::{Mailbox, MailboxOptions};
use crate::layers::locks::lock;
use inbox::Inbox;
use keeper::{Keeper, Memberships};
use local::Local;
use plain::PlainChannels;
use source::{BLOCK, Source};

/// The channel layer on the wire of `channels_redis.core`. Channels: `RedisChannelLayer`.
///
/// Messages wait in Redis, up to `capacity` for each channel and for the inbox that all mailboxes of a process share,
/// and up to `expiry`. A plain channel's message goes to one of its receivers. Memberships of live mailboxes are renewed
/// long before `group_expiry`. Cheap to clone.
///
/// The layer connects by [`start`](crate::layers::ChannelLayer::start), or else when it is first used, inside a tokio runtime.
///
/// ```no_run
/// use solent::layers::ChannelLayers;
/// use solent::layers::redis::{Host, RedisChannelLayer, RedisSettings};
///
/// let mut settings = RedisSettings::of(Host::at("127.0.0.1", 6379));
/// settings.symmetric_encryption_keys = vec!["as Python's side has it".to_owned()];
/// let layers = ChannelLayers::of(RedisChannelLayer::new(settings)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RedisChannelLayer(Arc<Inner>);

struct Inner {
    settings: RedisSettings,
    local: Arc<Local>,
    plain: Arc<PlainChannels>,
    links: OnceLock<Vec<Link>>,
    /// The inboxes that are read, by their non-local names.
    inboxes: Mutex<HashSet<String>>,
    next_host: AtomicUsize,
    next_part: AtomicUsize,
    /// What listeners that have gone give back.
    giving: TaskTracker,
    /// Closed with the layer, which ends its tasks.
    alive: watch::Sender<()>,
}

/// What is held of one host.
struct Link {
    health: Arc<Health>,
    pipe: Pipe,
}

/// Between two looks at whether all has settled.
const MOMENT: Duration = Duration::from_millis(5);

/// The connection of one host for all that does not block; blocking readers count up from it.
const PIPE: Part = 0;

impl RedisChannelLayer {
    /// A layer that is not connected yet.
    ///
    /// # Errors
    /// [`LayerError::Setting`] for a setting that cannot be, such as an expiry of no whole seconds.
    pub fn new(settings: RedisSettings) -> Result<Self, LayerError> {
        settings.check()?;
        if settings.hosts.iter().any(Host::is_cluster) {
            let reason = "this layer touches several keys at once, which a Redis Cluster refuses; redis-pubsub does not";
            return Err(setting("hosts", reason));
        }
        for (name, time) in [("expiry", settings.expiry), ("group_expiry", settings.group_expiry)] {
            if time.is_zero() || time.subsec_nanos() != 0 {
                return Err(setting(name, format!("expected whole seconds, at least 1, found {time:?}")));
            }
        }
        let max_age = settings.expiry + Duration::from_secs(10);
        let codec = settings.codec(Some(max_age))?.random_prefix(settings.random_prefix_length);
        let local = Local::new(&settings.prefix, codec, settings.capacity.clone(), settings.hosts.len());
        Ok(Self(Arc::new(Inner {
            settings,
            local,
            plain: Arc::default(),
            links: OnceLock::new(),
            inboxes: Mutex::default(),
            next_host: AtomicUsize::new(0),
            next_part: AtomicUsize::new(PIPE + 1),
            giving: TaskTracker::new(),
            alive: watch::Sender::new(()),
        })))
    }
}

impl Inner {
    /// The hosts' connections, which are being made from the first call on.
    fn links(&self) -> Result<&[Link], LayerError> {
        if let Some(links) = self.links.get() {
            return Ok(links);
        }
        if Handle::try_current().is_err() {
            return Err(LayerError::Unavailable {
                host: self.settings.hosts[0].to_string(),
                reason: "the layer was not started, and there is no tokio runtime here to start it in"
                    .to_owned(),
            });
        }
        Ok(self.links.get_or_init(|| self.connect()))
    }

    fn connect(&self) -> Vec<Link> {
        let links: Vec<Link> = (0..self.settings.hosts.len()).map(|host| self.link(host)).collect();
        let hosts = links.iter().enumerate().map(|(host, link)| (self.memberships(host), link.pipe.clone()));
        let keeper = Keeper {
            local: self.local.clone(),
            hosts: hosts.collect(),
            group_expiry: self.settings.group_expiry,
            layer: self.alive.subscribe(),
        };
        tokio::spawn(keeper.run());
        links
    }

    fn memberships(&self, host: usize) -> Memberships {
        let (expiry, group_expiry) = (self.settings.expiry, self.settings.group_expiry);
        Memberships { local: self.local.clone(), host, expiry, group_expiry }
    }

    fn link(&self, index: usize) -> Link {
        let host = self.settings.hosts[index].clone();
        let health = Arc::new(Health::new(host.to_string(), &[PIPE]));
        let pipe = Pipe::start(PipeSettings {
            host,
            health: health.clone(),
            part: PIPE,
            connect_time: self.settings.connect_time,
            response_time: self.settings.response_time,
            restore: Some(Arc::new(self.memberships(index))),
        });
        Link { health, pipe }
    }

    /// The host that a name belongs to.
    fn link_of(&self, name: &str) -> Result<&Link, LayerError> {
        Ok(&self.links()?[self.local.ring.index(name)])
    }

    /// A dedicated connection for one key of one host.
    fn source(&self, host: usize, non_local: &str) -> Source {
        Source {
            host: self.settings.hosts[host].clone(),
            key: self.local.names.key(non_local),
            connect_time: self.settings.connect_time,
            response_time: self.settings.response_time,
            connection: None,
            id: 0,
        }
    }

    /// Reads an inbox of this process, on every host: Python senders do not agree on which one it belongs to.
    fn read_inbox(&self, non_local: &str) -> Result<(), LayerError> {
        let links = self.links()?;
        if !lock(&self.inboxes).insert(non_local.to_owned()) {
            return Ok(());
        }
        for (host, link) in links.iter().enumerate() {
            let inbox = Inbox {
                source: self.source(host, non_local),
                local: self.local.clone(),
                health: link.health.clone(),
                part: self.next_part.fetch_add(1, Relaxed),
                life: self.settings.expiry.as_secs(),
                layer: self.alive.subscribe(),
            };
            tokio::spawn(inbox.run());
        }
        Ok(())
    }

    fn new_channel(&self, kind: &str, options: MailboxOptions) -> Result<Mailbox, LayerError> {
        let name = self.local.names.fresh(kind.strip_suffix('.').unwrap_or(kind))?;
        self.read_inbox(name.non_local())?;
        let events = options.events.min(self.local.capacity.of(name.as_str()));
        let taken = || LayerError::ChannelFull { channel: name.clone() };
        self.local.hub.open(name.clone(), MailboxOptions { events, ..options }).ok_or_else(taken)
    }

    /// Deletes everything under the prefix, on every host, without holding Redis up as `KEYS` would.
    async fn flush(&self) -> Result<(), LayerError> {
        self.local.hub.clear();
        for link in self.links()? {
            let mut cursor = "0".to_owned();
            loop {
                let mut scan = redis::cmd("SCAN");
                scan.arg(&cursor).arg("MATCH").arg(self.local.names.all()).arg("COUNT").arg(1000);
                let found = redis::from_redis_value::<(String, Vec<Vec<u8>>)>(link.pipe.one(scan).await?);
                let (next, keys) = found.map_err(|error| link.health.unavailable(error.to_string()))?;
                if !keys.is_empty() {
                    let mut delete = redis::cmd("DEL");
                    delete.arg(keys);
                    link.pipe.one(delete).await?;
                }
                cursor = next;
                if cursor == "0" {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Calls back the readers that wait in Redis for nobody: what came for one behind the end of the process would be
    /// popped into nothing. Where that is not allowed, it takes as long as a read waits. What receivers were handed and
    /// did not take goes back to Redis.
    async fn settle(&self) {
        let Some(links) = self.links.get() else { return };
        let settled = async {
            loop {
                for (channel, returned) in self.plain.returned_in_vain() {
                    self.put_back(&channel, returned).await;
                }
                let reading = self.plain.reading_in_vain();
                if reading.is_empty() && self.giving.is_empty() {
                    return;
                }
                for (host, connection) in reading {
                    let mut unblock = redis::cmd("CLIENT");
                    unblock.arg("UNBLOCK").arg(connection);
                    // One that is only about to wait is called again.
                    let _ = links[host].pipe.one(unblock).await;
                }
                sleep(MOMENT).await;
            }
        };
        let _ = timeout(BLOCK + self.settings.response_time, settled).await;
    }

    async fn start(&self) -> Result<(), LayerError> {
        for link in self.links()? {
            match link.health.check_all().await {
                Err(error) if !self.settings.start_without_layer => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    fn describe(&self) -> String {
        let hosts: Vec<_> = self.settings.hosts.iter().map(ToString::to_string).collect();
        format!("redis at {}", hosts.join(", "))
    }
}

impl fmt::Debug for RedisChannelLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RedisChannelLayer").field(&self.0.describe()).finish()
    }
}
