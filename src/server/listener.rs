//! Where connections come from: TCP addresses, Unix sockets, listeners of the host program.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::FileTypeExt;
use std::path::PathBuf;

use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};

#[cfg(feature = "systemd")]
use super::systemd::{Passed, passed};
#[cfg(feature = "tls")]
use super::tls::Tls;

/// Where to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub(super) enum Address {
    /// A host and port; port 0 takes a free one.
    Tcp(String),
    /// A Unix socket's path. A socket file that nobody listens on any more is replaced.
    Unix(PathBuf),
    /// The sockets that a supervisor has opened and passes.
    #[cfg(feature = "systemd")]
    Passed,
}

impl From<&str> for Address {
    fn from(text: &str) -> Self {
        match text.strip_prefix("unix:") {
            #[cfg(feature = "systemd")]
            None if text == "systemd" => Self::Passed,
            Some(path) => Self::Unix(path.into()),
            None => Self::Tcp(text.to_owned()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => f.write_str(address),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            #[cfg(feature = "systemd")]
            Self::Passed => f.write_str("systemd"),
        }
    }
}

/// A bound listener.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    #[cfg(feature = "tls")]
    Tls(TcpListener, Tls),
    /// A socket that was passed has a file that is not this process's to remove.
    Unix(UnixListener, Option<SocketFile>),
}

/// An accepted stream.
pub(super) enum Incoming {
    Tcp(TcpStream, SocketAddr),
    #[cfg(feature = "tls")]
    Tls(TcpStream, SocketAddr, Tls),
    Unix(UnixStream),
}

/// A Unix socket's file, removed with its listener.
#[derive(Debug)]
pub(super) struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody else may have removed it already.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Listener {
    /// Listens on an address; on several sockets, where a supervisor passes so many.
    pub(super) async fn bind_all(address: &Address) -> io::Result<Vec<Self>> {
        #[cfg(feature = "systemd")]
        if *address == Address::Passed {
            return Ok(passed()?.into_iter().map(Self::from).collect());
        }
        Ok(vec![Self::bind(address).await?])
    }

    /// Listens on one address.
    pub(super) async fn bind(address: &Address) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => TcpListener::bind(address).await.map(Self::Tcp),
            Address::Unix(path) => {
                remove_stale(path)?;
                let listener = UnixListener::bind(path)?;
                Ok(Self::Unix(listener, Some(SocketFile(path.clone()))))
            }
            #[cfg(feature = "systemd")]
            Address::Passed => Err(io::Error::other("passed sockets are for the site itself")),
        }
    }

    /// The next connection. Cancel safe.
    pub(super) async fn accept(&self) -> io::Result<Incoming> {
        match self {
            Self::Tcp(listener) => {
                let (stream, client) = accept_tcp(listener).await?;
                Ok(Incoming::Tcp(stream, client))
            }
            #[cfg(feature = "tls")]
            Self::Tls(listener, tls) => {
                let (stream, client) = accept_tcp(listener).await?;
                Ok(Incoming::Tls(stream, client, tls.clone()))
            }
            Self::Unix(listener, _) => listener.accept().await.map(|(stream, _)| Incoming::Unix(stream)),
        }
    }

    /// The bound TCP address.
    pub(super) fn address(&self) -> Option<SocketAddr> {
        match self {
            Self::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(feature = "tls")]
            Self::Tls(listener, _) => listener.local_addr().ok(),
            Self::Unix(..) => None,
        }
    }

    /// What the banner shows.
    pub(super) fn url(&self) -> String {
        let url =
            |scheme| self.address().map_or_else(String::new, |address| format!("{scheme}://{address}/"));
        match self {
            Self::Tcp(_) => url("http"),
            #[cfg(feature = "tls")]
            Self::Tls(..) => url("https"),
            Self::Unix(_, Some(file)) => format!("unix:{}", file.0.display()),
            Self::Unix(listener, None) => {
                let address = listener.local_addr().ok();
                let path = address.as_ref().and_then(|address| address.as_pathname());
                format!("unix:{}", path.unwrap_or(std::path::Path::new("")).display())
            }
        }
    }
}

#[cfg(feature = "systemd")]
impl From<Passed> for Listener {
    fn from(passed: Passed) -> Self {
        match passed {
            Passed::Tcp(listener) => Self::Tcp(listener),
            Passed::Unix(listener) => Self::Unix(listener, None),
        }
    }
}

async fn accept_tcp(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, client) = listener.accept().await?;
    // Frames are written whole: waiting for more would only delay them. A failure costs speed alone.
    let _ = stream.set_nodelay(true);
    Ok((stream, client))
}

/// Removes a socket file that nobody listens on: one that a killed process left behind. Anything else stays.
fn remove_stale(path: &std::path::Path) -> io::Result<()> {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
    if !is_socket {
        return Ok(());
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => std::fs::remove_file(path),
        _ => Ok(()),
    }
}
