//! From settings to a running application: what the keys say, put together of the other rooms' parts.

mod admin;
mod allow;
mod application;
mod bearer;
mod consumers;
mod guards;
mod layers;
mod parts;
mod proxies;
pub(crate) mod routes;
mod tables;
mod trial;
mod users;
mod views;

use std::path::PathBuf;

pub(crate) use admin::with_admin;
pub(crate) use application::{application_of, templates_of};
pub(crate) use consumers::shards_of;
pub(crate) use layers::{layer_of, layers_of};
pub use parts::Parts;
pub(crate) use tables::{has_demo_accounts, make_missing};
pub(crate) use trial::Trial;
pub(crate) use users::{Users, table_of, users_of};

use super::ConfigError;
use crate::auth::{DatabaseError, JwtKeyError, PasswordError, SessionError};
use crate::layers::{LayerError, PatternError};
use crate::routing::RouteError;
use crate::server::{ServeError, TlsError};

/// Why settings that were checked make no application after all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The routes do not fit together.
    #[error("the routes cannot be used")]
    Routes(#[from] RouteError),
    /// The database cannot be reached.
    #[error("the database")]
    Database(#[from] DatabaseError),
    /// The config file is wrong.
    #[error("{}", .0.told())]
    Config(Box<ConfigError>),
    /// The server cannot start, or did not end well.
    #[error("the server")]
    Serve(#[from] ServeError),
    /// There is no database.
    #[error("the config file has no table [database], where users live")]
    NoDatabase,
    /// The users' table has not been made.
    #[error("the database has no table {0:?}; `migrate` makes it")]
    NoTable(String),
    /// Nowhere to keep sessions.
    #[error("the config file has neither a table [database] nor a session.backend that needs none")]
    NoSessions,
    /// The sessions cannot be reached.
    #[error("the sessions")]
    Sessions(#[from] SessionError),
    /// A query that the database refuses.
    #[error("the database does not understand {}\n\n{}", queries_in(.0), .0)]
    Queries(Box<ConfigError>),
    /// A file of SQL that cannot be run.
    #[error("{}: {what}", file.display())]
    Script {
        /// The file.
        file: PathBuf,
        /// What happened.
        what: String,
    },
    /// A demo's password cannot be hashed.
    #[error("the demo's accounts")]
    Password(#[from] PasswordError),
    /// Accounts whose passwords everyone knows would be there for others.
    #[error(
        "the database has demo accounts, whose passwords everyone knows, and {0}; use another database, or delete the \
         users with addresses at demo.invalid"
    )]
    Demo(String),
    /// A certificate or its key cannot be used.
    #[error("the certificate cannot be used")]
    Tls(#[from] TlsError),
    /// A key of JWTs cannot be used.
    #[error("a key of JWTs")]
    JwtKey(#[from] JwtKeyError),
    /// A channel layer's settings do not fit together.
    #[error("channel layer {alias:?}")]
    Layer {
        /// The layer's alias.
        alias: String,
        /// What the layer said.
        source: LayerError,
    },
    /// A capacity's pattern is malformed.
    #[error("channel layer {alias:?}")]
    Capacity {
        /// The layer's alias.
        alias: String,
        /// What is wrong with it.
        source: PatternError,
    },
}

fn queries_in(error: &ConfigError) -> String {
    match error.count() {
        1 => "a query of the config file".to_owned(),
        count => format!("{count} queries of the config file"),
    }
}

impl From<ConfigError> for BuildError {
    fn from(error: ConfigError) -> Self {
        Self::Config(Box::new(error))
    }
}
