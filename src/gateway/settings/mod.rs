//! The settings of a deployment: every key of the file, with its type, default and documentation.
//!
//! One file per table. What is read here is right key by key; what keys must have in common is for
//! [`check`](super::check) to find.

mod admin;
mod allow;
mod auth;
mod bearer;
mod cache;
mod channel_layers;
mod database;
mod http_route;
mod limits;
mod log;
mod proxy;
mod server;
mod session;
mod websocket_route;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A default, changed: how settings of other rooms are written, whose structs may grow.
pub(crate) fn changed<T: Default>(change: impl FnOnce(&mut T)) -> T {
    let mut value = T::default();
    change(&mut value);
    value
}

pub(crate) use admin::AdminSettings;
pub(crate) use allow::{Allow, AllowHttp};
pub(crate) use auth::AuthSettings;
pub(crate) use bearer::{BearerUsers, Bearing, JwtTable};
pub(crate) use cache::CacheTable;
pub(crate) use channel_layers::{Backend, LayerSettings, SentinelSettings};
pub(crate) use database::{DatabaseSettings, DemoSettings};
use http_route::HeaderText;
pub(crate) use http_route::{CachePolicy, Events, HttpRoute, QuerySettings, Redirect, Respond, Target};
pub(crate) use limits::LimitSettings;
pub(crate) use log::{LogFormat, LogSettings};
pub(crate) use proxy::ProxySettings;
pub(crate) use server::ServerSettings;
pub(crate) use session::{SessionBackend, SessionTable};
pub(crate) use websocket_route::{Accept, Rates, SocketRoute};

use super::secret::Secret;
use super::section::section;
use super::setting::{Key, Placed};
use super::units::{ByteSize, OrOff};
use crate::http::StaticFiles;

section! {
    /// A deployment: what the file says, key by key.
    pub struct Settings {
        /// For development: error pages with details, live templates, and a file that is read again when it changes. It
        /// tells visitors what they should not know, so that it must be off in production.
        debug: Placed<bool> = Placed { value: false, span: 0..0 },
        /// What signs sessions, cookies and links; a Django site's `SECRET_KEY`. At least 32 bytes unless debug is on.
        /// Who knows it can be anyone.
        secret_key: Option<Placed<Secret>> = None,
        /// Former secret keys that still verify what they signed: the way to change the key without logging
        /// everyone out.
        secret_key_fallbacks: Vec<Secret> = Vec::new(),
        /// The host names that the site answers to: exact, `.example.com` for a domain with its subdomains, or `*` for
        /// all. With debug on, and none named, `.localhost`, `127.0.0.1` and `[::1]`.
        allowed_hosts: Placed<Vec<String>> = Placed { value: Vec::new(), span: 0..0 },
        /// The origins whose pages may open sockets: host names as in `allowed_hosts`, or `https://host:port`. Without
        /// it, the allowed hosts.
        allowed_origins: Option<Vec<String>> = None,
        /// The `Content-Security-Policy` of pages. None by default: one that does not fit a site's pages breaks them.
        content_security_policy: Option<Placed<HeaderText>> = None,
        /// Where the server listens.
        server: ServerSettings,
        /// The database that users, sessions and queries live in; Django's own, or one of the same form.
        database: Option<DatabaseSettings> = None,
        /// Channel layers, by alias; `default` is the one that is meant when none is named.
        channel_layers: BTreeMap<String, LayerSettings> = BTreeMap::new(),
        /// Sessions and their cookie.
        session: SessionTable,
        /// Users, log-in, and how long what a socket was allowed stays allowed.
        auth: AuthSettings,
        /// Whole pages, kept in memory for visitors who are not logged in.
        cache: CacheTable,
        /// Templates.
        templates: TemplateSettings,
        /// Static files.
        r#static: StaticSettings,
        /// Every bound that the server keeps.
        limits: LimitSettings,
        /// Logs.
        log: LogSettings,
        /// A listener for those who run the site: `/healthz`, `/readyz` and `/metrics`.
        admin: AdminSettings,
        /// Servers behind, which routes name: times and bounds.
        proxy: ProxySettings,
        /// Pages. Their order decides.
        http: Vec<HttpRoute> = Vec::new(),
        /// Sockets. Their order decides.
        websocket: Vec<SocketRoute> = Vec::new(),
    }
}

impl Settings {
    /// Every key that a file can have, with its default and what it is for: what `config/production.toml` is made of.
    pub fn reference() -> Vec<Key> {
        Self::keys()
    }
}

section! {
    /// `[templates]`.
    pub(crate) struct TemplateSettings {
        /// The folder of the templates. Without it, those that are part of the program.
        dir: Option<Placed<PathBuf>> = None,
    }
}

section! {
    /// `[static]`.
    pub(crate) struct StaticSettings {
        /// A folder whose files are served under `url`. Without it, and without `templates.dir`, those that are part
        /// of the program.
        dir: Option<Placed<PathBuf>> = None,
        /// Where static files are served; templates put it in front of a file's path with `static()`.
        url: Placed<String> = Placed { value: "/static/".to_owned(), span: 0..0 },
        /// How many bytes of a folder's files are kept in memory, for this folder and for each that a route serves:
        /// those of up to 256 KiB that were asked for last. A change on disk is seen within a second, without the cache
        /// and with debug on at once.
        cache: OrOff<ByteSize> = OrOff(Some(ByteSize(StaticFiles::CACHE))),
    }
}

impl StaticSettings {
    /// The files of a folder.
    pub(crate) fn files_of(&self, folder: &Path) -> StaticFiles {
        StaticFiles::folder(folder).cache(self.cache.0.map_or(0, |size| size.0))
    }
}
