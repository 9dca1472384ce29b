//! `Set-Cookie`, written as Django writes it: values quoted by Python's rules, attributes in alphabetical order.

use std::borrow::Cow;
use std::fmt::{self, Write};
use std::time::{Duration, SystemTime};

use ::http::HeaderValue;

/// A cookie to be set or deleted. Channels: `set_cookie`.
///
/// ```
/// use solent::middleware::{SameSite, SetCookie};
///
/// let cookie = SetCookie::new("theme", "dark blue").same_site(SameSite::Lax);
/// let now = std::time::SystemTime::now();
/// assert_eq!(cookie.header(now)?, r#"theme="dark blue"; Path=/; SameSite=Lax"#);
///
/// let key = SetCookie::new("key", "k1").domain(Some("example.com")).secure(true).http_only(true);
/// assert_eq!(key.header(now)?, "key=k1; Domain=example.com; HttpOnly; Path=/; Secure");
/// let gone = SetCookie::deletion("key").domain(Some("example.com"));
/// assert!(gone.header(now)?.to_str().is_ok_and(|text| text.contains("Max-Age=0")));
/// # Ok::<(), solent::middleware::CookieError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct SetCookie {
    name: Cow<'static, str>,
    value: String,
    domain: Option<Cow<'static, str>>,
    expires: Option<SystemTime>,
    http_only: bool,
    max_age: Option<Duration>,
    path: Cow<'static, str>,
    same_site: Option<SameSite>,
    secure: bool,
}

/// From which sites' pages a browser sends a cookie along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum SameSite {
    /// Only from the same site's pages.
    Strict,
    /// Also when a link from elsewhere is followed. The default.
    #[default]
    Lax,
    /// From everywhere; browsers want `Secure` with it.
    None,
}

/// A cookie that cannot be written into a header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("cookie {name:?}: expected {expected}, found {found:?}")]
pub struct CookieError {
    name: String,
    expected: &'static str,
    found: String,
}

impl SetCookie {
    /// A cookie for the whole site that lasts as long as the browser.
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            domain: None,
            expires: None,
            http_only: false,
            max_age: None,
            path: Cow::Borrowed("/"),
            same_site: None,
            secure: false,
        }
    }

    /// The cookie that deletes the one of this name, with the path, domain and `SameSite` that are set further on.
    /// Channels: `delete_cookie`.
    pub fn deletion(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let secure = name.starts_with("__Secure-") || name.starts_with("__Host-");
        let cookie = Self::new(name, "").max_age(Duration::ZERO).secure(secure);
        Self { expires: Some(SystemTime::UNIX_EPOCH), ..cookie }
    }

    /// How long it lasts. It brings `expires` along, for old browsers.
    pub fn max_age(self, age: Duration) -> Self {
        Self { max_age: Some(age), ..self }
    }

    /// When it ends.
    pub fn expires(self, when: SystemTime) -> Self {
        Self { expires: Some(when), ..self }
    }

    /// For which paths. `/` unless set.
    pub fn path(self, path: impl Into<Cow<'static, str>>) -> Self {
        Self { path: path.into(), ..self }
    }

    /// For which domain and its subdomains, rather than this host alone.
    pub fn domain(self, domain: Option<impl Into<Cow<'static, str>>>) -> Self {
        Self { domain: domain.map(Into::into), ..self }
    }

    /// Only over TLS.
    pub fn secure(self, secure: bool) -> Self {
        Self { secure, ..self }
    }

    /// Hidden from scripts.
    pub fn http_only(self, http_only: bool) -> Self {
        Self { http_only, ..self }
    }

    /// From which sites' pages it is sent along. A deletion with [`SameSite::None`] becomes `Secure`, without which
    /// browsers would ignore it.
    pub fn same_site(self, same_site: SameSite) -> Self {
        let secure = self.secure || (self.is_deletion() && same_site == SameSite::None);
        Self { same_site: Some(same_site), secure, ..self }
    }

    fn is_deletion(&self) -> bool {
        self.max_age == Some(Duration::ZERO)
    }

    /// The header's value at the time `now`.
    ///
    /// What is not ASCII in the value travels as octal escapes of its Latin-1 byte, or of its UTF-8 bytes where
    /// Latin-1 has no such character.
    ///
    /// # Errors
    /// [`CookieError`] when the name is not made of letters, digits and ``!#$%&'*+-.^_`|~:``, or when path or domain
    /// hold a semicolon or what is not printable ASCII.
    pub fn header(&self, now: SystemTime) -> Result<HeaderValue, CookieError> {
        let error = |expected, found: &str| CookieError {
            name: self.name.clone().into_owned(),
            expected,
            found: found.to_owned(),
        };
        if !is_legal(&self.name) {
            return Err(error("a name of letters, digits and !#$%&'*+-.^_`|~:", &self.name));
        }
        if let Some(found) = self.domain.iter().chain([&self.path]).find(|text| !is_attribute(text)) {
            return Err(error("path and domain of printable ASCII without semicolons", found));
        }
        // All of it is ASCII by now, so this cannot fail.
        HeaderValue::try_from(self.text(now)).map_err(|_| error("a value that fits in a header", ""))
    }

    fn text(&self, now: SystemTime) -> String {
        let mut text = format!("{}={}", self.name, Quoted(&self.value));
        let mut add = |attribute: &str, value: Option<&dyn fmt::Display>| {
            // Writing to a string cannot fail.
            let _ = value.map(|value| write!(text, "; {attribute}={value}"));
        };
        let expires = self.expires.or_else(|| self.max_age.and_then(|age| now.checked_add(age)));
        add("Domain", self.domain.as_ref().map(|domain| domain as _));
        add("expires", expires.map(httpdate::fmt_http_date).as_ref().map(|date| date as _));
        if self.http_only {
            text.push_str("; HttpOnly");
        }
        if let Some(age) = self.max_age {
            let _ = write!(text, "; Max-Age={}", age.as_secs());
        }
        if !self.path.is_empty() {
            let _ = write!(text, "; Path={}", self.path);
        }
        if let Some(same_site) = self.same_site {
            let _ = write!(text, "; SameSite={same_site:?}");
        }
        if self.secure {
            text.push_str("; Secure");
        }
        text
    }
}

impl fmt::Debug for SetCookie {
    /// Without the value, which may be a session's key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie").field("name", &self.name).finish_non_exhaustive()
    }
}

/// What Python leaves without quotes.
fn is_legal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~:".contains(&b))
}

/// What Python leaves as it is between quotes.
fn is_plain(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~: ()/<=>?@[]{}".contains(&b)
}

fn is_attribute(text: &str) -> bool {
    text.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b';')
}

/// A value as it stands in the header: bare when every character is legal, else quoted.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_legal(self.0) {
            return f.write_str(self.0);
        }
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' | '\\' => write!(f, "\\{c}")?,
                _ => match u8::try_from(c) {
                    Ok(byte) if is_plain(byte) => f.write_char(c)?,
                    Ok(byte) => write!(f, "\\{byte:03o}")?,
                    Err(_) => {
                        let mut buffer = [0; 4];
                        for byte in c.encode_utf8(&mut buffer).bytes() {
                            write!(f, "\\{byte:03o}")?;
                        }
                    }
                },
            }
        }
        f.write_char('"')
    }
}
