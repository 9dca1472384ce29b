//! A refused handshake: status, headers, text, and the rule that refused.

use std::borrow::Cow;
use std::fmt;

use ::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::Connection;

/// Which rule refused a handshake: the label of the log line and of the metric.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Rule(pub Cow<'static, str>);

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&'static str> for Rule {
    fn from(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }
}

/// Why a WebSocket application did not take a connection.
///
/// It is a value, not an answer: only the connection's driver turns it into HTTP.
///
/// A middleware that lets only so many in:
///
/// ```
/// use http::{HeaderValue, header};
/// use solent::websocket::{Connection, Refusal};
///
/// async fn full(_: Connection) -> Result<(), Refusal> {
///     Err(Refusal::too_many("seats").with_header(header::RETRY_AFTER, HeaderValue::from_static("60")))
/// }
///
/// assert_eq!(Refusal::too_many("seats").status().as_u16(), 429);
/// ```
pub enum Refusal {
    /// No route. The connection comes back untouched, so that an outer router can go on with its next route.
    NotFound(Box<Connection>),
    /// An answer in place of the upgrade.
    Denied(Box<Denial>),
}

/// The HTTP answer to a refused handshake.
///
/// ```
/// use http::{HeaderValue, StatusCode, header};
/// use solent::websocket::{Denial, Rule};
///
/// let denial = Denial::new(StatusCode::UNAUTHORIZED, "token", "a token, please")
///     .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
///     .with_detail("the log alone says this");
/// assert_eq!(denial.rule, Rule::from("token"));
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Denial {
    /// The status; 403 for most.
    pub status: StatusCode,
    /// Further headers, such as `Retry-After`.
    pub headers: HeaderMap,
    /// The text of the body.
    pub text: Cow<'static, str>,
    /// Which rule refused.
    pub rule: Rule,
    /// What the log entry says beyond the rule, such as the origin that was not in the list. Never sent.
    pub detail: String,
}

impl Denial {
    /// A denial without further headers.
    pub fn new(status: StatusCode, rule: impl Into<Rule>, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            headers: HeaderMap::new(),
            text: text.into(),
            rule: rule.into(),
            detail: String::new(),
        }
    }

    /// Adds what only the log entry says.
    #[must_use]
    pub fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// 403: not allowed.
    pub fn forbidden(rule: impl Into<Rule>) -> Self {
        Self::new(StatusCode::FORBIDDEN, rule, "Access denied.")
    }
}

impl Refusal {
    /// A refusal with any status.
    pub fn new(status: StatusCode, rule: impl Into<Rule>, text: impl Into<Cow<'static, str>>) -> Self {
        Self::from(Denial::new(status, rule, text))
    }

    /// 403: not allowed.
    pub fn forbidden(rule: impl Into<Rule>) -> Self {
        Denial::forbidden(rule).into()
    }

    /// 404 without the connection, for a consumer that finds its arguments not to name anything.
    pub fn not_found(rule: impl Into<Rule>) -> Self {
        Self::new(StatusCode::NOT_FOUND, rule, "Not found.")
    }

    /// 429: too many.
    pub fn too_many(rule: impl Into<Rule>) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, rule, "Too many requests.")
    }

    /// 503: draining, or the layer or the database is away.
    pub fn unavailable(rule: impl Into<Rule>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, rule, "Service unavailable.")
    }

    /// Adds a header; nothing is added for [`Refusal::NotFound`].
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        if let Self::Denied(denial) = &mut self {
            denial.headers.append(name, value);
        }
        self
    }

    /// Adds what only the log entry says.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        if let Self::Denied(denial) = &mut self {
            denial.detail = detail.into();
        }
        self
    }

    /// The status it will be answered with.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Denied(denial) => denial.status,
        }
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(_) => f.write_str("NotFound"),
            Self::Denied(denial) => denial.fmt(f),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(_) => f.write_str("no route"),
            Self::Denied(denial) => denial.fmt(f),
        }
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.status.as_u16(), self.rule)?;
        if self.detail.is_empty() { Ok(()) } else { write!(f, ": {}", self.detail) }
    }
}

impl std::error::Error for Denial {}

impl From<Denial> for Refusal {
    fn from(denial: Denial) -> Self {
        Self::Denied(Box::new(denial))
    }
}
