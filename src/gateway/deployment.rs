//! A running deployment: serves what its file says, and reads the file again when asked.

use std::net::SocketAddr;

use tracing::info;

use super::Loaded;
use super::build::{BuildError, Users};
use crate::server::{Running, Tls};

/// The tables that take effect at a start only.
const AT_START: [&str; 6] = ["debug", "server", "channel_layers", "limits", "log", "admin"];

/// A running deployment.
#[derive(Debug)]
pub struct Deployment {
    loaded: Loaded,
    users: Users,
    /// Those of files before, which watch over the sockets that were opened with them.
    earlier: Vec<Users>,
    /// What the listeners show, where they speak TLS.
    tls: Option<Tls>,
    running: Running,
}

impl Loaded {
    /// Starts what the file describes.
    ///
    /// # Errors
    /// As [`server`](Self::server), and when the server cannot start.
    pub async fn start(&self) -> Result<Deployment, BuildError> {
        let users = self.users().await?;
        let tls = self.tls()?;
        let running = self.server_of(&users, tls.as_ref()).await?.start().await?;
        if !self.settings().log.access {
            // With the access log, its banner says so.
            info!(addresses = ?running.addresses(), "the site is being served");
        }
        Ok(Deployment { loaded: self.clone(), users, earlier: Vec::new(), tls, running })
    }
}

impl Deployment {
    /// The TCP addresses that are listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        self.running.addresses()
    }

    /// Reads the file again and lets what it says now answer from the next request on. No connection is dropped: open
    /// sockets go on as they began, with the same sessions, groups and re-checks. Certificates are read again too, for
    /// the connections that come from now on.
    ///
    /// Gives the names of the changed tables that take effect at the next start only.
    ///
    /// # Errors
    /// What is wrong with the file as it is now. Then the one before stays in force.
    ///
    /// # Cancel safety
    /// When the future is dropped, what was in force stays in force.
    pub async fn reload(&mut self) -> Result<Vec<&'static str>, BuildError> {
        let loaded = self.loaded.read_again()?;
        let kept = loaded.has_same_users(&self.loaded);
        let users = if kept { self.users.clone() } else { loaded.users().await? };
        let app = loaded.application(&users).await?;
        let newer = loaded.tls()?;
        self.running.replace(app)?;
        if let (Some(tls), Some(newer)) = (&self.tls, &newer) {
            tls.replace_with(newer);
        }
        let late = AT_START.into_iter().filter(|table| !loaded.has_same(&self.loaded, table)).collect();
        if !kept {
            self.earlier.push(std::mem::replace(&mut self.users, users));
        }
        self.loaded = loaded;
        Ok(late)
    }

    /// Drains and ends.
    ///
    /// # Errors
    /// A shutdown hook's.
    ///
    /// # Cancel safety
    /// As of [`Running::shutdown`].
    pub async fn shutdown(self) -> Result<(), BuildError> {
        Ok(self.running.shutdown().await?)
    }
}
