//! What can be set, and what must not be set so.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};

use solent::auth::Hasher;
use solent::{Error, Result};

/// Which of the two consumers serves the rooms. They behave the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handlers {
    Async,
    Blocking,
}

/// What can be set.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite:path`, created when it is missing, or `postgres://…`.
    pub database: String,
    /// Signs sessions and tokens. The default is known to everyone and only good for debugging.
    pub secret_key: String,
    pub allowed_hosts: Vec<String>,
    pub bind: String,
    /// Detailed error pages, live templates, and the demo's accounts in a new database.
    pub debug: bool,
    pub handlers: Handlers,
    /// How new passwords are hashed; `None`: Django's way.
    pub hasher: Option<Hasher>,
    /// The folder with the pages.
    pub templates: PathBuf,
}

const DEMO_KEY: &str = "only-for-the-demo";
const SHORTEST_KEY: usize = 32;

impl Default for Settings {
    fn default() -> Self {
        Self {
            database: "sqlite:solent.db".to_owned(),
            secret_key: DEMO_KEY.to_owned(),
            allowed_hosts: ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec(),
            bind: "127.0.0.1:8000".to_owned(),
            debug: true,
            handlers: Handlers::Async,
            hasher: None,
            templates: Path::new(env!("CARGO_MANIFEST_DIR")).join("templates"),
        }
    }
}

impl Settings {
    /// What the command line and `SOLENT_SECRET_KEY` say.
    pub fn from_arguments(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut settings = Self::default();
        if let Ok(key) = std::env::var("SOLENT_SECRET_KEY") {
            settings.secret_key = key;
        }
        while let Some(argument) = arguments.next() {
            let mut value =
                || arguments.next().ok_or_else(|| Error::msg(format!("{argument} needs a value")));
            match argument.as_str() {
                "--blocking" => settings.handlers = Handlers::Blocking,
                "--production" => settings.debug = false,
                "--database" => settings.database = value()?,
                "--bind" => settings.bind = value()?,
                "--allowed-hosts" => {
                    settings.allowed_hosts = value()?.split(',').map(str::to_owned).collect();
                }
                _ => return Err(Error::msg(format!("unknown argument {argument}"))),
            }
        }
        Ok(settings)
    }

    /// Refuses a secret key that others know or can guess, unless this is for debugging.
    pub fn check_key(&self) -> Result<()> {
        let problem = match self.secret_key.len() {
            _ if self.debug => return Ok(()),
            0 => "there is no secret key",
            _ if self.secret_key == DEMO_KEY => "the secret key is the demo's, which everyone knows",
            length if length < SHORTEST_KEY => "the secret key is shorter than 32 bytes",
            _ => return Ok(()),
        };
        Err(Error::msg(format!("{problem}; with debugging off, set SOLENT_SECRET_KEY to a long random text")))
    }

    /// Refuses to serve the demo's accounts to anyone but this machine.
    pub fn check_demo(&self) -> Result<()> {
        let problem = if !self.debug {
            "debugging is off".to_owned()
        } else if self.allowed_hosts.iter().any(|host| host == "*") {
            "every host is allowed".to_owned()
        } else if !self.is_loopback()? {
            format!("{} can be reached from other machines", self.bind)
        } else {
            return Ok(());
        };
        Err(Error::msg(format!(
            "the database has the demo's accounts, whose passwords everyone knows, and {problem}; use another \
             database, or delete the users with addresses at demo.invalid"
        )))
    }

    fn is_loopback(&self) -> Result<bool> {
        let addresses: Vec<SocketAddr> = self.bind.to_socket_addrs()?.collect();
        Ok(addresses.iter().all(|address| address.ip().is_loopback()))
    }
}
