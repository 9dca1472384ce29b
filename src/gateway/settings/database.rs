//! `[database]`: the database of users, sessions and queries.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use super::changed;
use crate::auth::DatabaseOptions;
use crate::gateway::document::Node;
use crate::gateway::problem::Problem;
use crate::gateway::reader::{Reader, nearest};
use crate::gateway::secret::Secret;
use crate::gateway::section::section;
use crate::gateway::setting::{Placed, Setting, quoted};

section! {
    /// `[database]`.
    pub(crate) struct DatabaseSettings {
        /// `sqlite:` and a path, or `postgres://user:password@host/name`. A SQLite file that is not there is created;
        /// one that is there keeps its settings.
        url: Placed<DatabaseUrl>,
        /// Connections at once. Fewer make queries wait for each other, more than the database allows make them fail.
        connections: u32 = DatabaseOptions::default().connections,
        /// How long a query waits for a connection; then the database counts as away.
        acquire_time: Duration = DatabaseOptions::default().acquire_time,
        /// How long a query may take, the wait for a connection included; then the database counts as away.
        query_time: Duration = DatabaseOptions::default().query_time,
        /// An idle connection is closed after this.
        idle_time: Duration = DatabaseOptions::default().idle_time,
        /// Whether Django's tables of users and sessions are made where they are missing. Those that are there stay as
        /// they are.
        migrate: bool = true,
        /// Files of SQL that make the site's own tables, run in order by `migrate` and at every start: they say
        /// `IF NOT EXISTS`.
        schema: Vec<Placed<PathBuf>> = Vec::new(),
        /// Accounts and data to try the site with.
        demo: Option<DemoSettings> = None,
    }
}

section! {
    /// `database.demo`: with debug on, for a database that has no users yet. A site with these accounts serves this
    /// machine alone.
    pub(crate) struct DemoSettings {
        /// Passwords by name. Everyone may know them.
        accounts: BTreeMap<String, String> = BTreeMap::new(),
        /// A file of SQL, run once, behind the accounts.
        data: Option<Placed<PathBuf>> = None,
    }
}

impl DatabaseSettings {
    pub(crate) fn options(&self) -> DatabaseOptions {
        changed(|options: &mut DatabaseOptions| {
            options.connections = self.connections;
            options.acquire_time = self.acquire_time;
            options.query_time = self.query_time;
            options.idle_time = self.idle_time;
        })
    }
}

/// A database's URL, whose path is relative to the file's folder, and which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DatabaseUrl(pub(crate) Secret);

const SCHEMES: [&str; 3] = ["sqlite", "postgres", "postgresql"];

impl Setting for DatabaseUrl {
    fn expected() -> String {
        "\"sqlite:\" and a path, or \"postgres://user:password@host/name\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let url = Secret::read(node, reader)?;
        let url = url.expose();
        let scheme = url.split_once(':').map_or(url, |(scheme, _)| scheme);
        match scheme {
            "sqlite" if url.contains(':') => Some(Self(Secret::new(resolved(url, reader)))),
            "postgres" | "postgresql" if url.contains("://") => Some(Self(Secret::new(url))),
            // What stands in front of the colon may be a secret that was put into the wrong variable.
            _ => {
                let problem = Problem::new(node.span.clone(), "this is not the URL of a database")
                    .expecting(Self::expected())
                    .nearest(nearest(scheme, &SCHEMES).filter(|_| url.contains(':')))
                    .hiding(node);
                reader.report(problem)
            }
        }
    }

    /// Without user and password.
    fn show(&self) -> Option<String> {
        Some(quoted(&without_password(self.0.expose())))
    }
}

/// SQLite's path, relative to the file's folder. `sqlite:a`, `sqlite://a` and `sqlite::memory:` are all in use.
fn resolved(url: &str, reader: &Reader<'_>) -> String {
    let path = url.trim_start_matches("sqlite:").trim_start_matches("//");
    if path.starts_with(':') || path.is_empty() {
        return url.to_owned();
    }
    format!("sqlite:{}", reader.resolve(path).display())
}

/// A URL whose user and password are hidden.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://…{}", &rest[at..]),
        None => url.to_owned(),
    }
}
