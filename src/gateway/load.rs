//! Loading a deployment: file → checked settings → application → server.

use std::net::ToSocketAddrs;
use std::path::Path;
use std::sync::Arc;

use super::build::{
    BuildError, Parts, Trial, Users, application_of, has_demo_accounts, layers_of, make_missing,
    templates_of, with_admin,
};
use super::check::{check, check_queries};
use super::document::Document;
use super::expand::Variables;
use super::problem::ConfigError;
use super::reader::{Effective, Reader};
use super::setting::Setting;
use super::settings::{LogFormat, Settings};
use crate::http::Templates;
use crate::layers::ChannelLayers;
use crate::routing::ProtocolTypeRouter;
use crate::server::{AccessLog, Server, Tls, Worker};

/// A config file that was read and found right, as far as that can be known without its database.
///
/// # Cancel safety
/// A start that is dropped leaves the tables that were made and a demo's accounts that were written, and nothing that listens.
/// A check leaves nothing.
///
/// What the command line does with a file, step by step:
///
/// ```no_run
/// use std::path::Path;
/// use solent::gateway::{Loaded, Parts};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let variables = |name: &str| (name == "DATABASE_PASSWORD").then(|| "from a vault".to_owned());
/// let site = Loaded::read_with(Path::new("site.toml"), &Parts::new(), &variables)?;
/// println!("{}", site.routes());
/// println!("missing: {:?}", site.check_with_database().await?);
/// site.make_tables().await?;
/// println!("{} sessions had expired", site.clear_expired_sessions().await?);
///
/// let mut running = site.start().await?;
/// println!("listening on {:?}", running.addresses());
/// running.reload().await?; // the file as it is by then
/// running.shutdown().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Loaded {
    document: Arc<Document>,
    settings: Arc<Settings>,
    effective: Arc<Vec<Effective>>,
    templates: Templates,
    parts: Parts,
    warnings: Option<Arc<ConfigError>>,
}

impl Loaded {
    /// Reads and checks a config file, with the process's environment variables.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn read(path: &Path, parts: &Parts) -> Result<Self, ConfigError> {
        Self::read_with(path, parts, &|name| std::env::var(name).ok())
    }

    /// Reads and checks a config file.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_with(path: &Path, parts: &Parts, variables: Variables<'_>) -> Result<Self, ConfigError> {
        let document = Document::read(path, variables).map_err(|error| {
            ConfigError::whole(path.to_owned(), format!("the file cannot be read: {error}"))
        })?;
        Self::of(document, parts)
    }

    /// Checks a text as if it stood in a file of this folder.
    #[cfg(feature = "testing")]
    pub(crate) fn of_text(text: &str, parts: &Parts) -> Result<Self, ConfigError> {
        Self::of(Document::parse(Path::new("solent.toml"), text.to_owned(), &|_| None), parts)
    }

    fn of(document: Document, parts: &Parts) -> Result<Self, ConfigError> {
        let mut reader = Reader::new(&document);
        let settings = Settings::read(&document.root, &mut reader);
        let (mut problems, effective) = reader.finish();
        let Some(settings) = settings else {
            let nothing =
                || ConfigError::whole(document.path.clone(), "the file cannot be understood".to_owned());
            return Err(ConfigError::of(&document, problems).unwrap_or_else(nothing));
        };
        let templates = templates_of(&settings);
        let found = check(&settings, &document, parts, &templates);
        problems.extend(found.problems);
        if let Some(error) = ConfigError::of(&document, problems) {
            return Err(error);
        }
        let warnings = ConfigError::of(&document, found.warnings).map(Arc::new);
        Ok(Self {
            warnings,
            document: Arc::new(document),
            settings: Arc::new(settings),
            effective: Arc::new(effective),
            templates,
            parts: parts.clone(),
        })
    }

    /// What the file says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What the file says that works, and is hardly what was meant; `None` when all is well.
    pub fn warnings(&self) -> Option<&ConfigError> {
        self.warnings.as_deref()
    }

    /// Every value in force with where it came from, secrets hidden: what `config show` prints.
    pub fn show(&self) -> String {
        super::show::show(&self.effective)
    }

    /// The routes of pages and sockets, with names, guards and targets: what `routes` prints.
    pub fn routes(&self) -> String {
        super::routes::table(&self.settings)
    }

    /// Whether the site is being developed.
    pub(crate) fn debug(&self) -> bool {
        *self.settings.debug
    }

    /// What is worth a line in the log, as `[log]` says it.
    pub(crate) fn log_level(&self) -> &str {
        &self.settings.log.level
    }

    /// Where spans go.
    #[cfg_attr(not(feature = "otel"), expect(dead_code, reason = "such a program sends none"))]
    pub(crate) fn collector(&self) -> Option<&str> {
        self.settings.log.otlp.as_ref().map(|collector| collector.as_str())
    }

    /// Whether the log is for programs.
    pub(crate) fn logs_json(&self) -> bool {
        self.settings.log.format == LogFormat::Json
    }

    /// The stores of users and sessions, opened.
    pub(crate) async fn users(&self) -> Result<Users, BuildError> {
        Users::open(&self.settings).await
    }

    /// The channel layers, not yet started.
    pub(crate) fn layers(&self) -> Result<ChannelLayers, BuildError> {
        layers_of(&self.settings)
    }

    /// Makes tables that are missing.
    pub(crate) async fn migrate(&self, users: &Users) -> Result<(), BuildError> {
        make_missing(&self.settings, users).await
    }

    /// Lets the database try the file's queries.
    ///
    /// # Errors
    /// A [`BuildError`] when the database cannot be reached.
    pub(crate) async fn check_queries(&self, users: &Users) -> Result<Option<ConfigError>, BuildError> {
        let Some(database) = &users.database else { return Ok(None) };
        let problems = check_queries(&self.settings, &self.document, database).await?;
        Ok(ConfigError::of(&self.document, problems))
    }

    /// Lets the database try the file's queries, without making or changing anything. Where tables of a SQLite database
    /// are missing, queries are tried on a copy in memory that has them.
    ///
    /// Gives the names of Django's tables that are missing, which a start makes unless `database.migrate` is off.
    ///
    /// # Errors
    /// Every query that the database refuses; a [`BuildError`] when it cannot be reached, or a file of SQL is wrong.
    pub async fn check_with_database(&self) -> Result<Vec<&'static str>, BuildError> {
        let Some(tables) = &self.settings.database else { return Ok(Vec::new()) };
        let trial = Trial::open(&self.settings, tables).await?;
        let mut refused = None;
        for database in trial.present.iter().chain(&trial.future) {
            refused = ConfigError::of(
                &self.document,
                check_queries(&self.settings, &self.document, database).await?,
            );
            if refused.is_none() {
                break;
            }
        }
        refused.map_or(Ok(trial.missing), |error| Err(BuildError::Queries(Box::new(error))))
    }

    /// A worker on the file's channel layers, for the channels that the program has consumers for.
    ///
    /// # Errors
    /// [`BuildError`]: a channel layer's settings do not fit together.
    pub fn worker(&self) -> Result<Worker, BuildError> {
        let app = ProtocolTypeRouter::new().channel(self.parts.channels().clone());
        Ok(Worker::new(app).channel_layers(self.layers()?).limits(self.settings.limits.limits()))
    }

    /// The server that the file describes, with its application, its database and its layers.
    ///
    /// # Errors
    /// [`BuildError`]: the database cannot be reached or refuses a query, or something that a check would have found.
    pub async fn server(&self) -> Result<Server, BuildError> {
        self.server_of(&self.users().await?, self.tls()?.as_ref()).await
    }

    /// The certificates that the file names.
    pub(super) fn tls(&self) -> Result<Option<Tls>, BuildError> {
        let files = self.settings.server.tls.as_ref();
        Ok(files.map(|files| Tls::from_pem_files(&files.cert.value, &files.key.value)).transpose()?)
    }

    pub(super) async fn server_of(&self, users: &Users, tls: Option<&Tls>) -> Result<Server, BuildError> {
        let settings = &self.settings;
        let mut server = Server::new(self.application(users).await?)
            .debug(*settings.debug)
            .limits(settings.limits.limits())
            .channel_layers(self.layers()?)
            .trusted_proxies(settings.server.trusted_proxies.iter().cloned())
            .access_log(access_log(settings));
        for address in &settings.server.bind {
            server = match tls {
                Some(tls) if !address.0.starts_with("unix:") => server.bind_tls(&address.0, tls.clone()),
                _ => server.bind(&address.0),
            };
        }
        Ok(with_admin(server, settings, users))
    }

    /// The application, once the database has understood all queries.
    pub(super) async fn application(&self, users: &Users) -> Result<ProtocolTypeRouter, BuildError> {
        self.migrate(users).await?;
        if let Some(error) = self.check_queries(users).await? {
            return Err(BuildError::Queries(Box::new(error)));
        }
        let demo = has_demo_accounts(users).await;
        if demo {
            refuse_to_show_demo(&self.settings)?;
        }
        application_of(&self.settings, &self.parts, self.templates.clone(), users, demo)
    }

    /// The file as it is now.
    pub(super) fn read_again(&self) -> Result<Self, ConfigError> {
        Self::read(&self.document.path, &self.parts)
    }

    /// Whether a key at the top stands for the same in both files. Certificates aside: a listener that has some may show
    /// others at any time.
    pub(super) fn has_same(&self, other: &Self, key: &str) -> bool {
        let both_secure = self.settings.server.tls.is_some() && other.settings.server.tls.is_some();
        let find = |of: &Self| {
            let node = of.document.root.entry(key)?.node.without_places();
            Some(if both_secure && key == "server" { node.without("tls") } else { node })
        };
        find(self) == find(other)
    }

    /// Whether users, sessions and the database are the same in both files, so that one may take the other's.
    pub(super) fn has_same_users(&self, other: &Self) -> bool {
        let keys = |of: &Self| {
            let settings = &of.settings;
            let keys = settings.secret_key.as_ref().map(|key| &key.value);
            keys.into_iter().chain(&settings.secret_key_fallbacks).cloned().collect::<Vec<_>>()
        };
        let url = |of: &Self| of.settings.database.as_ref().map(|database| database.url.value.clone());
        keys(self) == keys(other)
            && url(self) == url(other)
            && ["database", "auth", "session"].iter().all(|table| self.has_same(other, table))
    }
}

fn access_log(settings: &Settings) -> AccessLog {
    match settings.log.format {
        _ if !settings.log.access => AccessLog::off(),
        LogFormat::Text => AccessLog::text(),
        LogFormat::Json => AccessLog::json(),
    }
}

/// Accounts whose passwords everyone knows are for this machine alone.
fn refuse_to_show_demo(settings: &Settings) -> Result<(), BuildError> {
    let reachable = settings.server.bind.iter().find(|address| !is_loopback(&address.0));
    let problem = if !*settings.debug {
        "debug is off".to_owned()
    } else if settings.allowed_hosts.iter().any(|host| host == "*") {
        "every host is allowed".to_owned()
    } else if let Some(address) = reachable {
        format!("{} can be reached from other machines", address.0)
    } else {
        return Ok(());
    };
    Err(BuildError::Demo(problem))
}

fn is_loopback(address: &str) -> bool {
    address.starts_with("unix:")
        || address.to_socket_addrs().is_ok_and(|mut all| all.all(|address| address.ip().is_loopback()))
}
