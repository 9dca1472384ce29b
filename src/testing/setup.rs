//! What a communicator's scope is made of: path, headers, overrides, and what the server would share.

use std::borrow::Cow;
use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::transcript::Transcript;
use crate::routing::{Names, Routes};
use crate::websocket::Witness;
use crate::{Environment, Protocol, Scope};

type Override = Box<dyn FnOnce(&mut Scope) + Send + Sync>;

/// The scope of a conversation that has not begun.
pub(super) struct Setup {
    pub(super) target: String,
    pub(super) headers: HeaderMap,
    overrides: Vec<Override>,
    env: Environment,
    shared: Option<Arc<Environment>>,
}

impl Setup {
    /// A scope for `target`, a path with or without a query, in front of an application with these routes.
    pub(super) fn new(target: &str, routes: &dyn Routes) -> Self {
        let mut env = Environment::default();
        // A name that stands twice stops a server's start; here only reversing would notice.
        env.names = Arc::new(Names::new(routes.routes()).unwrap_or_default());
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        Self { target: target.to_owned(), headers, overrides: Vec::new(), env, shared: None }
    }

    /// What stays behind when a scope was taken.
    pub(super) fn empty() -> Self {
        Self {
            target: String::new(),
            headers: HeaderMap::new(),
            overrides: Vec::new(),
            env: Environment::default(),
            shared: None,
        }
    }

    #[track_caller]
    pub(super) fn set_header(&mut self, name: &str, value: &str) {
        let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) else {
            panic!("{name}: {value} can't be a header");
        };
        // Host has a default; all others may stand several times.
        if name == header::HOST {
            self.headers.insert(name, value);
        } else {
            self.headers.append(name, value);
        }
    }

    pub(super) fn add_override(&mut self, change: impl FnOnce(&mut Scope) + Send + Sync + 'static) {
        self.overrides.push(Box::new(change));
    }

    pub(super) fn env_mut(&mut self) -> &mut Environment {
        &mut self.env
    }

    pub(super) fn share(&mut self, env: Arc<Environment>) {
        self.shared = Some(env);
    }

    /// The scope, and the request's headers.
    #[track_caller]
    pub(super) fn into_scope(self, protocol: Protocol, transcript: &Transcript) -> (Scope, HeaderMap) {
        let (raw_path, query) = self.target.split_once('?').unwrap_or((&self.target, ""));
        let Ok(path) = percent_encoding::percent_decode_str(raw_path).decode_utf8() else {
            panic!("the path {raw_path:?} is not UTF-8 once decoded; a server answers 400 to it");
        };
        let scheme = if protocol == Protocol::WEBSOCKET { "ws" } else { "http" };
        let mut scope = Scope::new(protocol, path);
        scope.raw_path = raw_path.into();
        scope.query_string = query.to_owned();
        scope.scheme = Cow::Borrowed(scheme);
        scope.client = Some(([127, 0, 0, 1], 50_000).into());
        scope.server = Some(([127, 0, 0, 1], 80).into());
        scope.env = self.shared.unwrap_or_else(|| Arc::new(self.env));
        let transcript = transcript.clone();
        scope.extensions.insert(Witness::new(move |what| transcript.note(format!("!! {what}"))));
        for change in self.overrides {
            change(&mut scope);
        }
        (scope, self.headers)
    }
}

/// The settings that all communicators share, forwarded to their `setup`.
macro_rules! setup_methods {
    () => {
        /// Adds a header. `Host` is `localhost` until set.
        ///
        /// # Panics
        /// When it can't be a header.
        #[track_caller]
        pub fn header(mut self, name: &str, value: &str) -> Self {
            self.setup.set_header(name, value);
            self
        }

        /// Puts a user into the scope, as auth middleware would.
        pub fn user(self, user: $crate::auth::User) -> Self {
            self.scope(move |scope| scope.user = user)
        }

        /// Puts a session into the scope; session middleware lets it stand.
        pub fn session(self, session: $crate::auth::Session) -> Self {
            self.scope(move |scope| scope.session = session)
        }

        /// Changes the scope before the application sees it. May be called several times.
        pub fn scope(mut self, change: impl FnOnce(&mut $crate::Scope) + Send + Sync + 'static) -> Self {
            self.setup.add_override(change);
            self
        }

        /// Uses a channel layer as `default`. Communicators that are given clones of one layer talk to each other.
        pub fn channel_layer(mut self, layer: impl $crate::layers::ChannelLayer) -> Self {
            self.setup.env_mut().layers.insert("default", ::std::sync::Arc::new(layer));
            self
        }

        /// Other bounds than the default ones.
        pub fn limits(mut self, limits: $crate::Limits) -> Self {
            self.setup.env_mut().limits = limits;
            self
        }

        /// Uses what a server shares, such as [`Running::env`](crate::server::Running::env), in place of one's own
        /// channel layers and limits.
        pub fn env(mut self, env: ::std::sync::Arc<$crate::Environment>) -> Self {
            self.setup.share(env);
            self
        }

        /// How long an expectation may take before it fails. Default: 5 s; under paused time that is no time at all.
        pub fn patience(mut self, patience: ::std::time::Duration) -> Self {
            self.patience = patience;
            self
        }
    };
}
pub(super) use setup_methods;
