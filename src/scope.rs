//! What is known of one connection: Channels' `scope`, as a struct.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::{Arc, LazyLock};

use ::http::{Extensions, HeaderMap, Method};

use crate::auth::{Session, User};
use crate::http::Departure;
use crate::middleware::Cookies;
use crate::{Environment, RequestId};

/// A scope's type: `http`, `websocket`, `channel`, or a name of one's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(Cow<'static, str>);

impl Protocol {
    /// HTTP requests.
    pub const HTTP: Self = Self(Cow::Borrowed("http"));
    /// WebSocket connections.
    pub const WEBSOCKET: Self = Self(Cow::Borrowed("websocket"));
    /// Messages on a named channel, handled by workers.
    pub const CHANNEL: Self = Self(Cow::Borrowed("channel"));

    /// A protocol of one's own.
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self(name.into())
    }

    /// The name, as in `scope["type"]`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What is known of one connection. Middleware fills it on the way in; views and consumers read it.
///
/// The Channels name of every field is the field's name. For HTTP requests the scope travels in the request's
/// extensions and `headers` stays empty, since the request holds them: read them by [`Scoped::headers`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Scope {
    /// The scope's type.
    pub protocol: Protocol,
    /// The request method; `GET` for WebSockets.
    pub method: Method,
    /// `http`, `https`, `ws` or `wss`, as the client sees it (a trusted proxy's word counts).
    pub scheme: Cow<'static, str>,
    /// The path, percent-decoded once.
    pub path: String,
    /// The path as it stood in the request line.
    pub raw_path: Arc<str>,
    /// What an outer router left for the inner ones; `None` until a router has matched.
    pub path_remaining: Option<String>,
    /// Prefix under which the application is mounted, without a trailing slash; cut off by the outermost router.
    pub root_path: String,
    /// The query without its `?`, undecoded.
    pub query_string: String,
    /// The handshake's headers. Dropped after accept unless the consumer keeps them; empty for HTTP.
    pub headers: HeaderMap,
    /// The client's address; `None` on Unix sockets. Behind trusted proxies the one that they tell, with port 0 unless
    /// they tell that too.
    pub client: Option<SocketAddr>,
    /// The address that the client connected to; `None` on Unix sockets.
    pub server: Option<SocketAddr>,
    /// The subprotocols that the client offers, in its order.
    pub subprotocols: Vec<String>,
    /// The channel's name, for scopes of type `channel`.
    pub channel: Option<String>,
    /// The request's name in logs, in the answer and at proxied servers.
    pub request_id: RequestId,
    /// The cookies, once the cookie middleware has run. Dropped after accept together with the headers.
    pub cookies: Cookies,
    /// The session, once the session middleware has run.
    pub session: Session,
    /// The user; anonymous until the auth middleware has run.
    pub user: User,
    /// Which route matched and what it captured.
    pub url_route: UrlRoute,
    /// Values of middlewares of one's own.
    pub extensions: Extensions,
    /// What all connections of this server share.
    pub env: Arc<Environment>,
    /// Who knows the users, once the auth middleware has run.
    #[cfg(feature = "auth")]
    pub(crate) auth: Option<crate::auth::Auth>,
    /// The site's templates, once their middleware has run.
    #[cfg(feature = "templates")]
    pub(crate) templates: Option<crate::http::Templates>,
    /// The way from the client to this server.
    pub(crate) passage: Passage,
    /// What an HTTP/1.1 connection tells of its client while an answer is awaited.
    pub(crate) departure: Option<Departure>,
}

/// The proxies between a client and this server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Passage {
    /// Whether the peer is a proxy whose word counts.
    pub(crate) trusted: bool,
    /// The proxies between the client and here, the nearest last; `None` is one on a Unix socket.
    pub(crate) hops: Vec<Option<IpAddr>>,
}

impl Scope {
    /// An empty scope of a protocol, for the path `path` (already decoded).
    pub fn new(protocol: Protocol, path: impl Into<String>) -> Self {
        let path = path.into();
        Self::within(Arc::default(), protocol, path.as_str().into(), path)
    }

    /// The same inside a server, whose environment is known: to make one takes longer than most requests do.
    pub(crate) fn within(
        env: Arc<Environment>,
        protocol: Protocol,
        raw_path: Arc<str>,
        path: String,
    ) -> Self {
        Self {
            protocol,
            method: Method::GET,
            scheme: Cow::Borrowed("http"),
            raw_path,
            path,
            path_remaining: None,
            root_path: String::new(),
            query_string: String::new(),
            headers: HeaderMap::new(),
            client: None,
            server: None,
            subprotocols: Vec::new(),
            channel: None,
            request_id: RequestId::NONE,
            cookies: Cookies::default(),
            session: Session::default(),
            user: User::default(),
            url_route: UrlRoute::default(),
            extensions: Extensions::new(),
            env,
            #[cfg(feature = "auth")]
            auth: None,
            #[cfg(feature = "templates")]
            templates: None,
            passage: Passage::default(),
            departure: None,
        }
    }

    /// Whether the client's side of the connection is encrypted.
    pub fn is_secure(&self) -> bool {
        matches!(&*self.scheme, "https" | "wss")
    }
}

/// Anything that carries a scope: an HTTP request or a [`Connection`](crate::websocket::Connection).
/// Channels: `BaseMiddleware`.
///
/// It is what lets one middleware serve both protocols. Sealed: Solent implements it for what carries a scope.
pub trait Scoped: sealed::Sealed {
    /// The scope. A request that no Solent router has seen yet has an empty one.
    fn scope(&self) -> &Scope;
    /// The scope, to be filled; made from the request when there is none yet.
    fn scope_mut(&mut self) -> &mut Scope;
    /// The request's or the handshake's headers.
    fn headers(&self) -> &HeaderMap;
}

/// Traits that only Solent implements, and may therefore grow, have this one above them.
pub(crate) mod sealed {
    pub trait Sealed {}
}

impl sealed::Sealed for Scope {}
impl<B> sealed::Sealed for ::http::Request<B> {}

impl Scoped for Scope {
    fn scope(&self) -> &Scope {
        self
    }

    fn scope_mut(&mut self) -> &mut Scope {
        self
    }

    fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

static EMPTY: LazyLock<Scope> = LazyLock::new(|| Scope::new(Protocol::HTTP, ""));

impl<B> Scoped for ::http::Request<B> {
    fn scope(&self) -> &Scope {
        self.extensions().get::<Box<Scope>>().map_or(&EMPTY, |scope| scope)
    }

    fn scope_mut(&mut self) -> &mut Scope {
        if self.extensions().get::<Box<Scope>>().is_none() {
            let scope = crate::http::scope_of(self);
            self.extensions_mut().insert(Box::new(scope));
        }
        self.extensions_mut().get_mut::<Box<Scope>>().expect("the scope was inserted above")
    }

    fn headers(&self) -> &HeaderMap {
        Self::headers(self)
    }
}

/// The route that matched: positional and named captures, and the route's name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlRoute {
    /// Unnamed captures, outer routers' first; only filled by patterns without named groups.
    pub args: Vec<String>,
    /// Named captures and the routes' extra values.
    pub kwargs: Kwargs,
    /// The route's full name (`chat:socket`), when it has one.
    pub name: Option<Arc<str>>,
    /// The pattern as written, outer routers' included: what log entries and metrics call the route.
    pub pattern: Arc<str>,
    /// The namespace for the names of the routes below, set by outer routers.
    pub(crate) namespace: Option<Arc<str>>,
}

impl UrlRoute {
    /// A named capture as a `T`.
    ///
    /// # Errors
    /// [`KwargError`] when it is absent or does not fit; unhandled, that becomes “not found”.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T, KwargError> {
        self.kwargs.get(name)
    }
}

/// Named captures, as text in their canonical form (an `int` capture `007` is `7`).
///
/// ```
/// use solent::Kwargs;
///
/// let mut kwargs = Kwargs::default();
/// kwargs.insert("course_id", "7");
/// let mut inner = Kwargs::default();
/// inner.insert("course_id", "8");
/// kwargs.extend(&inner);
/// assert_eq!(kwargs.get::<i64>("course_id")?, 8);
/// assert!(kwargs.get::<i64>("room").is_err());
/// # Ok::<_, solent::KwargError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
// By name. There are few, and every open socket has them: a map's first node would take half a KiB.
pub struct Kwargs(Vec<(Arc<str>, String)>);

impl Kwargs {
    /// A capture as a `T`.
    ///
    /// # Errors
    /// [`KwargError`] when it is absent or does not fit.
    pub fn get<T: FromStr>(&self, name: &str) -> Result<T, KwargError> {
        let found = self.text(name).ok_or_else(|| KwargError {
            name: name.to_owned(),
            found: None,
            expected: std::any::type_name::<T>(),
        })?;
        found.parse().map_err(|_| KwargError {
            name: name.to_owned(),
            found: Some(found.to_owned()),
            expected: std::any::type_name::<T>(),
        })
    }

    /// A capture's text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| **known == *name).map(|(_, value)| value.as_str())
    }

    /// Sets a value; one of the same name is replaced.
    pub fn insert(&mut self, name: impl Into<Arc<str>>, value: impl Into<String>) {
        let (name, value) = (name.into(), value.into());
        match self.0.binary_search_by(|(known, _)| known.cmp(&name)) {
            Ok(index) => self.0[index].1 = value,
            Err(index) => {
                self.0.reserve_exact(1);
                self.0.insert(index, (name, value));
            }
        }
    }

    /// All captures, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, value.as_str()))
    }

    /// Sets all values of `other`; they win over those of the same name.
    pub fn extend(&mut self, other: &Self) {
        for (name, value) in &other.0 {
            self.insert(Arc::clone(name), value.as_str());
        }
    }

    /// All captures, with names to be shared.
    pub(crate) fn iter_shared(&self) -> impl Iterator<Item = (&Arc<str>, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// Whether nothing was captured.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A capture that is absent or does not fit the type asked for. Unhandled, it is “not found”, never a 500.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("route argument {name:?}: expected {expected}, found {}", found.as_deref().map_or("nothing".to_owned(), |found| format!("{found:?}")))]
pub struct KwargError {
    name: String,
    found: Option<String>,
    expected: &'static str,
}

impl KwargError {
    /// A capture, or what was made of it, that does not fit: “not found”, when nobody handles it. For conditions that no
    /// type expresses.
    ///
    /// ```
    /// use solent::{KwargError, Kwargs};
    ///
    /// fn month(kwargs: &Kwargs) -> Result<u8, KwargError> {
    ///     let month: u8 = kwargs.get("month")?;
    ///     if !(1..=12).contains(&month) {
    ///         return Err(KwargError::unfit("month", &month.to_string(), "a number from 1 to 12"));
    ///     }
    ///     Ok(month)
    /// }
    /// ```
    pub fn unfit(name: &str, found: &str, expected: &'static str) -> Self {
        Self { name: name.to_owned(), found: Some(found.to_owned()), expected }
    }
}
