//! The site as a whole: what must be set for production, and what the parts need of each other.

use std::path::{Path, PathBuf};

use super::Checked;
use crate::gateway::document::Span;
use crate::gateway::problem::Problem;
use crate::gateway::setting::Placed;
use crate::gateway::settings::{SessionBackend, Settings};
use crate::http::proxy::Trust;
use crate::server::Tls;

/// A secret key that is shorter can be guessed.
const SHORTEST_KEY: usize = 32;

/// What the demo's file falls back to; everyone knows it.
pub(crate) const DEMO_KEY: &str = "only-for-the-demo";

impl Settings {
    /// Whether there are users to log in.
    pub(crate) fn has_users(&self) -> bool {
        self.database.is_some()
    }
}

/// Whether this is a level, or a list of levels and parts with levels.
fn is_level(text: &str) -> bool {
    let is_word = |word: &str| ["off", "error", "warn", "info", "debug", "trace"].contains(&word.trim());
    text.split(',').all(|part| match part.split_once('=') {
        Some((target, level)) => !target.trim().is_empty() && is_word(level),
        None => is_word(part),
    })
}

impl Checked<'_> {
    pub(super) fn site(&mut self) {
        self.secret_key();
        self.hosts();
        self.sessions();
        self.user_table();
        self.files();
        self.health_path();
        self.collector();
        if !is_level(&self.settings.log.level) {
            let problem = Problem::new(self.settings.log.level.span.clone(), "this is no level");
            self.report(
                problem.expecting(
                    "error, warn, info, debug or trace, or by part: \"info,solent::layers=debug\"",
                ),
            );
        }
    }

    fn collector(&mut self) {
        let settings = self.settings;
        let Some(collector) = &settings.log.otlp else { return };
        let is_url = |url: ::http::Uri| url.scheme_str() == Some("http") && url.query().is_none();
        let problem = if !collector.parse().is_ok_and(is_url) {
            Problem::new(collector.span.clone(), "this is no collector's address")
                .expecting("http://host:port of a collector near by; it knows TLS where the way goes on")
        } else if cfg!(not(feature = "otel")) {
            Problem::new(collector.span.clone(), "this program cannot send spans")
                .expecting("one that was built with the feature `otel`")
        } else {
            return;
        };
        self.report(problem);
    }

    fn health_path(&mut self) {
        let settings = self.settings;
        let Some(path) = &settings.proxy.health_path else { return };
        let is_path = path.starts_with('/') && path.parse::<::http::uri::PathAndQuery>().is_ok();
        if !is_path {
            let problem = Problem::new(path.span.clone(), format!("found {:?}", path.value));
            self.report(problem.expecting("a path such as \"/health/\""));
        }
    }

    fn secret_key(&mut self) {
        let settings = self.settings;
        if self.debug_is_unread() {
            return;
        }
        if *settings.debug {
            if settings.secret_key.is_none()
                && settings.has_users()
                && !self.document.has(&(0..0), "secret_key")
            {
                let problem = Problem::new(0..0, "secret_key is missing");
                self.report(
                    problem.expecting("secret_key = \"${SOLENT_SECRET_KEY}\": sessions are signed with it"),
                );
            }
            return;
        }
        let expected = "at least 32 bytes that nobody else knows, as from the environment or a file";
        let problem = match &settings.secret_key {
            None if settings.has_users() && !self.document.has(&(0..0), "secret_key") => {
                Problem::new(0..0, "secret_key is missing, and debug is off")
            }
            Some(key) if key.expose() == DEMO_KEY => Problem::new(
                key.span.clone(),
                "the demo's secret key, which everyone knows, and debug is off",
            ),
            Some(key) if key.expose().len() < SHORTEST_KEY => {
                let length = key.expose().len();
                Problem::new(key.span.clone(), format!("a secret key of {length} bytes, and debug is off"))
            }
            _ => return,
        };
        self.report(problem.expecting(expected));
    }

    fn hosts(&mut self) {
        let settings = self.settings;
        let unread = settings.allowed_hosts.span.is_empty() && self.document.has(&(0..0), "allowed_hosts");
        if settings.allowed_hosts.is_empty() && !*settings.debug && !unread && !self.debug_is_unread() {
            let problem =
                Problem::new(settings.allowed_hosts.span.clone(), "allowed_hosts is empty, and debug is off");
            self.report(
                problem.expecting("the host names that the site answers to, such as [\"example.com\"]"),
            );
        }
        let url = &settings.r#static.url;
        let is_path = url.starts_with('/') && url.ends_with('/') && url.len() > 1 && !url.starts_with("//");
        let is_elsewhere =
            ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)) && url.ends_with('/');
        if !is_path && !is_elsewhere {
            let problem = Problem::new(url.span.clone(), format!("found {:?}", url.value));
            self.report(
                problem.expecting("a path with slashes at both ends, such as \"/static/\", or a URL"),
            );
        }
    }

    /// Whether there is a `debug` that says neither: that has been reported, and what production needs would only follow.
    fn debug_is_unread(&self) -> bool {
        self.settings.debug.span.is_empty() && self.document.has(&(0..0), "debug")
    }

    fn sessions(&mut self) {
        let settings = self.settings;
        let Some(backend) = &settings.session.backend else { return };
        let is_cached = matches!(backend.value, SessionBackend::Cache | SessionBackend::CachedDatabase);
        if is_cached && !self.document.has_in("session", "cache") {
            let problem = Problem::new(backend.span.clone(), "sessions in a cache that is not there");
            self.report(problem.expecting("cache = { url = \"redis://host:6379/1\" } beside it"));
        }
        let in_database = matches!(backend.value, SessionBackend::Database | SessionBackend::CachedDatabase);
        if in_database && settings.database.is_none() {
            let problem = Problem::new(backend.span.clone(), "sessions in a database that is not there");
            self.report(problem.expecting("a table [database] with its url"));
        }
        if backend.value == SessionBackend::SignedCookies && settings.secret_key.is_none() {
            let problem = Problem::new(backend.span.clone(), "signed sessions without a secret key");
            self.report(problem.expecting("secret_key = \"${SOLENT_SECRET_KEY}\""));
        }
    }

    /// Names that stand in statements as they are.
    fn user_table(&mut self) {
        let auth = &self.settings.auth;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let table = (&auth.user_table, auth.user_table.split('.').all(is_word));
        let columns = [&auth.id_column, &auth.name_column].map(|column| (column, is_word(column)));
        for (name, _) in [table].into_iter().chain(columns).filter(|(_, is_right)| !is_right) {
            let what = format!("no table or column can be named {:?} here", name.value);
            self.report(Problem::new(name.span.clone(), what).expecting("letters, digits and _"));
        }
    }

    fn files(&mut self) {
        let settings = self.settings;
        if let Some(dir) = settings.r#static.dir.as_ref().filter(|dir| !dir.is_dir()) {
            self.missing_folder(&dir.span, dir);
        }
        if let Some(ca) = &settings.proxy.ca
            && let Err(error) = Trust::from_pem_file(&ca.value)
        {
            let what = if ca.is_file() {
                crate::Error::from(error).chain()
            } else {
                format!("there is no file {}", ca.display())
            };
            self.report(
                Problem::new(ca.span.clone(), what).expecting("a file with certificates in PEM form"),
            );
        }
        if let Some(database) = &settings.database {
            let data = database.demo.as_ref().and_then(|demo| demo.data.as_ref());
            self.missing_files(database.schema.iter().chain(data), "a file of SQL");
        }
        let Some(tls) = &settings.server.tls else { return };
        let files = [&tls.cert, &tls.key];
        self.missing_files(files.into_iter(), "a file in PEM form");
        if files.iter().all(|file| file.is_file())
            && let Err(error) = Tls::from_pem_files(&tls.cert.value, &tls.key.value)
        {
            let problem = Problem::new(tls.cert.span.clone(), crate::Error::from(error).chain());
            self.report(problem.expecting("a certificate and its private key, both in PEM form"));
        }
    }

    fn missing_files<'f>(&mut self, files: impl Iterator<Item = &'f Placed<PathBuf>>, expected: &str) {
        for file in files.filter(|file| !file.is_file()) {
            let problem = Problem::new(file.span.clone(), format!("there is no file {}", file.display()));
            self.report(problem.expecting(expected));
        }
    }

    pub(super) fn missing_folder(&mut self, span: &Span, folder: &Path) {
        let problem = Problem::new(span.clone(), format!("there is no folder {}", folder.display()));
        self.report(problem.expecting("a folder; paths are relative to this file's own"));
    }

    pub(super) fn needs_users(&mut self, span: &Span, what: &str) {
        if self.document.has_in("database", "url") {
            return;
        }
        let problem = Problem::new(span.clone(), format!("{what} without users"));
        self.report(problem.expecting("a table [database] with its url: users live there"));
    }
}
