//! A TCP proxy that passes, stalls, or resets.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What the proxy does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Accepts and reads nothing, on old and new connections.
    Stall,
    /// Resets old connections and refuses new ones.
    Reset,
}

/// A proxy in front of one port; it ends when this is dropped.
pub(crate) struct Proxy {
    address: SocketAddr,
    mode: Arc<watch::Sender<Mode>>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(to: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let mode = Arc::new(watch::Sender::new(Mode::Pass));
        let modes = mode.clone();
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, to, modes.subscribe()));
            }
        });
        Self { address, mode, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut client: TcpStream, to: u16, mut modes: watch::Receiver<Mode>) {
    // Zero linger makes the end of the connection a reset.
    let _ = client.set_zero_linger();
    if *modes.borrow_and_update() == Mode::Reset {
        return;
    }
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", to)).await else { return };
    loop {
        let mode = *modes.borrow_and_update();
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server), if mode == Mode::Pass => return,
            changed = modes.changed() => if changed.is_err() || *modes.borrow() == Mode::Reset { return },
        }
    }
}
