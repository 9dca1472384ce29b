//! Cookies: read by Django's rules, which differ from RFC 6265's, and put into the scope of either protocol.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::task::{Context, Poll};

use ::http::{HeaderMap, header};
use tower::{Layer, Service};

use super::pass_routes_on;
use crate::Scoped;

/// The cookies of a request or handshake, by name.
///
/// ```
/// use solent::middleware::Cookies;
///
/// let cookies = Cookies::parse(br#"sessionid=abc; theme="dark\054 large""#);
/// assert_eq!(cookies.get("sessionid"), Some("abc"));
/// assert_eq!(cookies.get("theme"), Some("dark, large"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cookies(BTreeMap<String, String>);

impl Cookies {
    /// Reads a `Cookie` header's value, byte by byte as Latin-1. Nothing in it is an error: a piece without `=` has
    /// the empty name, and of two pieces with one name the later wins.
    pub fn parse(header: &[u8]) -> Self {
        let mut cookies = Self::default();
        cookies.read(header);
        cookies
    }

    /// Reads all `Cookie` headers as if they were one; HTTP/2 clients may send several.
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut cookies = Self::default();
        for header in headers.get_all(header::COOKIE) {
            cookies.read(header.as_bytes());
        }
        cookies
    }

    fn read(&mut self, header: &[u8]) {
        let text: Cow<'_, str> = match str::from_utf8(header) {
            Ok(text) if text.is_ascii() => text.into(),
            _ => header.iter().map(|&byte| char::from(byte)).collect(),
        };
        for piece in text.split(';') {
            let (name, value) = piece.split_once('=').unwrap_or(("", piece));
            let (name, value) = (name.trim_matches(is_blank), value.trim_matches(is_blank));
            if !(name.is_empty() && value.is_empty()) {
                self.0.insert(name.to_owned(), unquote(value));
            }
        }
    }

    /// A cookie's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All cookies, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// What Python's `str.strip` strips.
pub(crate) fn is_blank(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// Takes the quotes off a quoted value, and the backslashes in front of characters and of three octal digits.
fn unquote(value: &str) -> String {
    let Some(quoted) = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        rest = after;
        if let Some(code) = octal(rest) {
            text.push(char::from(code));
            rest = &rest[3..];
        } else if let Some(escaped) = rest.chars().next() {
            text.push(escaped);
            rest = &rest[escaped.len_utf8()..];
        } else {
            text.push('\\');
        }
    }
    text.push_str(rest);
    text
}

/// The byte that three octal digits at the beginning of `text` stand for.
fn octal(text: &str) -> Option<u8> {
    let digits = text.get(..3).filter(|digits| digits.bytes().all(|digit| matches!(digit, b'0'..=b'7')))?;
    u8::from_str_radix(digits, 8).ok()
}

/// Puts the cookies into the scope, for requests and handshakes alike. Channels: `CookieMiddleware`.
///
///
///
/// ```
/// use solent::middleware::{CookieLayer, Cookies};
/// use solent::routing::{ViewRouter, path};
/// use solent::testing::HttpCommunicator;
/// use solent::{Scoped, http::Request};
/// use tower::Layer;
///
/// async fn theme(request: Request) -> String {
///     request.scope().cookies.get("theme").unwrap_or("light").to_owned()
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> solent::Result<()> {
/// let views = CookieLayer::new().layer(ViewRouter::new([path("", theme)])?);
/// let answer = HttpCommunicator::get(views, "/").header("cookie", "theme=dark").response().await;
/// assert_eq!(answer.text(), "dark");
/// // Without the middleware, a request's cookies are read from its headers.
/// assert_eq!(Cookies::from_headers(&http::HeaderMap::new()).get("theme"), None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct CookieLayer {}

impl CookieLayer {
    /// The layer; it has no settings.
    pub fn new() -> Self {
        Self {}
    }
}

impl<S> Layer<S> for CookieLayer {
    type Service = CookieReader<S>;

    fn layer(&self, inner: S) -> CookieReader<S> {
        CookieReader { inner }
    }
}

/// The service of [`CookieLayer`].
#[derive(Debug, Clone)]
pub struct CookieReader<S> {
    inner: S,
}

impl<S: Service<R>, R: Scoped> Service<R> for CookieReader<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: R) -> S::Future {
        let cookies = Cookies::from_headers(request.headers());
        request.scope_mut().cookies = cookies;
        self.inner.call(request)
    }
}

pass_routes_on!(CookieReader);
