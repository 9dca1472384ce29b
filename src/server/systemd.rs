//! What systemd is told of a service, and the sockets that it passes: `Type=notify`, the watchdog, socket activation.
//!
//! Without systemd, or another supervisor of its kind, nothing is told and nothing is passed.

use std::ffi::OsString;
use std::io;
use std::net::TcpListener as StdTcpListener;
#[cfg(any(target_os = "linux", target_os = "android"))]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener as StdUnixListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use listenfd::ListenFd;
use rustix::time::{ClockId, clock_gettime};
use tokio::net::{TcpListener, UnixListener};
use tokio_util::task::AbortOnDropHandle;

/// Tells a supervisor how the service is: the protocol of `sd_notify(3)`.
///
/// ```
/// use solent::server::Notifier;
///
/// let notifier = Notifier::from_env();
/// notifier.ready("2 listeners");
/// notifier.reloading(); // and `ready` again, when the new configuration is in force
/// notifier.stopping();
/// ```
#[derive(Debug)]
pub struct Notifier {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// The supervisor that started this process, as `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID` tell; without
    /// them, nobody.
    pub fn from_env() -> Self {
        let own = std::process::id();
        let is_own = |name: &str| number(name).is_none_or(|id| id == u64::from(own));
        let watchdog = number("WATCHDOG_USEC").filter(|time| *time > 0 && is_own("WATCHDOG_PID"));
        let socket = std::env::var_os("NOTIFY_SOCKET").and_then(|name| match open(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(?name, %error, "NOTIFY_SOCKET cannot be told anything");
                None
            }
        });
        Self { socket, watchdog: watchdog.map(Duration::from_micros) }
    }

    /// The service serves; also after a reload. `status` is a line for `systemctl status`.
    pub fn ready(&self, status: &str) {
        self.tell(&format!("READY=1\nSTATUS={}", one_line(status)));
    }

    /// The service reads its configuration again; [`ready`](Self::ready) comes when it has.
    pub fn reloading(&self) {
        let now = clock_gettime(ClockId::Monotonic);
        let micros = Duration::new(now.tv_sec.try_into().unwrap_or(0), now.tv_nsec.try_into().unwrap_or(0));
        self.tell(&format!(
            "RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reading the config file again",
            micros.as_micros()
        ));
    }

    /// The service is about to end.
    pub fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=draining");
    }

    /// Tells that the service is alive, twice in the time in which the supervisor wants to hear it, until the handle is
    /// dropped. Told by a task of the runtime's, so that a runtime whose threads are all stuck is noticed.
    ///
    /// # Panics
    /// Outside of a tokio runtime, when there is a watchdog.
    pub fn watch(self: &std::sync::Arc<Self>) -> Option<Watchdog> {
        let half = self.watchdog.filter(|_| self.socket.is_some())? / 2;
        let notifier = std::sync::Arc::clone(self);
        Some(Watchdog(AbortOnDropHandle::new(tokio::spawn(async move {
            let mut ticks = tokio::time::interval(half.max(Duration::from_millis(1)));
            loop {
                ticks.tick().await;
                notifier.tell("WATCHDOG=1");
            }
        }))))
    }

    fn tell(&self, state: &str) {
        let Some((socket, address)) = &self.socket else { return };
        if let Err(error) = socket.send_to_addr(state.as_bytes(), address) {
            tracing::warn!(%error, state, "the supervisor could not be told");
        }
    }
}

/// While it is held, the supervisor hears that the service is alive.
#[derive(Debug)]
pub struct Watchdog(#[allow(dead_code, reason = "held, never read")] AbortOnDropHandle<()>);

fn open(name: &OsString) -> io::Result<(UnixDatagram, SocketAddr)> {
    let address = match name.as_bytes() {
        // An abstract name, which is no file.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    // A supervisor that does not read shall not hold up the service.
    socket.set_nonblocking(true)?;
    Ok((socket, address))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// The protocol is one of lines.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// A socket that was passed.
pub(super) enum Passed {
    Tcp(TcpListener),
    Unix(UnixListener),
}

/// The sockets that a supervisor passed to this process (`LISTEN_FDS`, `LISTEN_PID`). Given once.
///
/// # Errors
/// When there are none, or one is no stream's listener.
pub(super) fn passed() -> io::Result<Vec<Passed>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let mut sockets = ListenFd::from_env();
    if sockets.len() == 0 || TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::other("no sockets were passed to this process by LISTEN_FDS"));
    }
    (0..sockets.len()).map(|index| take(&mut sockets, index)).collect()
}

fn take(sockets: &mut ListenFd, index: usize) -> io::Result<Passed> {
    let none = || io::Error::other(format!("the passed socket {index} listens for no streams"));
    if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
        return tcp(listener).map(Passed::Tcp);
    }
    match sockets.take_unix_listener(index) {
        Ok(Some(listener)) => unix(listener).map(Passed::Unix),
        _ => Err(none()),
    }
}

fn tcp(listener: StdTcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn unix(listener: StdUnixListener) -> io::Result<UnixListener> {
    listener.set_nonblocking(true)?;
    UnixListener::from_std(listener)
}
