//! A server behind: its address, and streams to it.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use ::http::Uri;
use ::http::uri::Authority;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio_util::either::Either;

use super::settings::Settings;

/// A dead server is noticed on idle connections too.
const PROBE: Duration = Duration::from_secs(30);

/// The address of a server behind: `http://host:port` or `https://host:port` without a path, or `unix:` and a socket's path.
/// A server behind `https://` is verified, see [`Proxy::trust`](super::Proxy::trust).
///
/// ```
/// use solent::http::proxy::Upstream;
///
/// let django: Upstream = "http://127.0.0.1:9000".parse()?;
/// let gunicorn: Upstream = "unix:/run/gunicorn.sock".parse()?;
/// assert!("http://127.0.0.1:9000/app/".parse::<Upstream>().is_err());
/// # Ok::<_, solent::http::proxy::UpstreamError>(())
/// ```
///
/// Or by parts, such as those of a program's own settings:
///
/// ```
/// use solent::http::proxy::Upstream;
///
/// assert_eq!(Upstream::tcp("127.0.0.1:9000").to_string(), "http://127.0.0.1:9000");
/// assert_eq!(Upstream::unix("/run/gunicorn.sock").to_string(), "unix:/run/gunicorn.sock");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Upstream(Address);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Address {
    /// Host and port.
    Tcp(String),
    /// Host and port, where TLS is spoken.
    #[cfg(feature = "tls")]
    Tls(String),
    Unix(PathBuf),
}

/// A text that is no server's address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected \"http://host:port\" or \"https://host:port\" without a path, or \"unix:\" and a path; found {0:?}"
)]
pub struct UpstreamError(String);

/// What is spoken over where it is no plain TCP.
pub(super) trait Other: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Other for S {}

pub(super) type Stream = Either<TcpStream, Box<dyn Other>>;

impl Upstream {
    /// A server at `host:port`. Whether there is such a host is known only when it is connected to.
    pub fn tcp(address: impl Into<String>) -> Self {
        Self(Address::Tcp(address.into()))
    }

    /// A server at `host:port` that speaks TLS, and whose certificate has the host's name.
    #[cfg(feature = "tls")]
    pub fn tls(address: impl Into<String>) -> Self {
        Self(Address::Tls(address.into()))
    }

    /// A server on a Unix socket.
    pub fn unix(path: impl Into<PathBuf>) -> Self {
        Self(Address::Unix(path.into()))
    }

    /// The `Host` by which its own address names it.
    pub(super) fn host(&self) -> &str {
        match &self.0 {
            Address::Tcp(authority) => authority.strip_suffix(":80").unwrap_or(authority),
            #[cfg(feature = "tls")]
            Address::Tls(authority) => authority.strip_suffix(":443").unwrap_or(authority),
            Address::Unix(_) => "localhost",
        }
    }

    /// Opens a connection, TLS's handshake included. Cancel safe.
    #[cfg_attr(not(feature = "tls"), allow(unused_variables, reason = "the settings say whom TLS trusts"))]
    pub(super) async fn connect(&self, settings: &Settings) -> io::Result<Stream> {
        match &self.0 {
            Address::Tcp(authority) => tcp_stream(authority).await.map(Either::Left),
            #[cfg(feature = "tls")]
            Address::Tls(authority) => {
                let trust = settings.trust()?;
                let host = authority.rsplit_once(':').map_or(authority.as_str(), |(host, _)| host);
                let stream = trust.verify(host, tcp_stream(authority).await?).await?;
                Ok(Either::Right(Box::new(stream)))
            }
            Address::Unix(path) => Ok(Either::Right(Box::new(UnixStream::connect(path).await?))),
        }
    }
}

async fn tcp_stream(authority: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await?;
    // Failures of either cost speed or notice alone.
    let _ = stream.set_nodelay(true);
    let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(PROBE));
    Ok(stream)
}

impl FromStr for Upstream {
    type Err = UpstreamError;

    fn from_str(text: &str) -> Result<Self, UpstreamError> {
        let wrong = || UpstreamError(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::unix(path)) };
        }
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let authority = uri.authority().filter(|_| bare).ok_or_else(wrong)?;
        let upstream = match uri.scheme_str() {
            Some("http") => address(authority, 80).map(Self::tcp),
            #[cfg(feature = "tls")]
            Some("https") => address(authority, 443).map(Self::tls),
            _ => None,
        };
        upstream.ok_or_else(wrong)
    }
}

/// Host and port.
fn address(authority: &Authority, default: u16) -> Option<String> {
    let plain = !authority.as_str().contains('@') && !authority.host().is_empty();
    let port = authority.port_u16();
    let odd_port = port.is_none() && authority.as_str() != authority.host();
    (plain && !odd_port).then(|| format!("{}:{}", authority.host(), port.unwrap_or(default)))
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Address::Tcp(authority) => write!(f, "http://{authority}"),
            #[cfg(feature = "tls")]
            Address::Tls(authority) => write!(f, "https://{authority}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        for (text, shown, host) in [
            ("http://127.0.0.1:9000", "http://127.0.0.1:9000", "127.0.0.1:9000"),
            ("http://django/", "http://django:80", "django"),
            ("http://[::1]:9000", "http://[::1]:9000", "[::1]:9000"),
            #[cfg(feature = "tls")]
            ("https://django", "https://django:443", "django"),
            #[cfg(feature = "tls")]
            ("https://[::1]:9443/", "https://[::1]:9443", "[::1]:9443"),
            ("unix:/run/a.sock", "unix:/run/a.sock", "localhost"),
        ] {
            let upstream: Upstream = text.parse().unwrap();
            assert_eq!((upstream.to_string().as_str(), upstream.host()), (shown, host));
        }
        for text in [
            "",
            "127.0.0.1:9000",
            "ftp://a",
            "https://a/b",
            "http://a/b",
            "http://a?b",
            "http://u:p@a",
            "http://a:x",
            "unix:",
        ] {
            assert!(text.parse::<Upstream>().is_err(), "{text}");
        }
    }
}
