//! Places for connections: so many at once, so many from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::network::Network;
use crate::Limits;

/// Descriptors that are kept for everything that is not a connection.
const RESERVED: u64 = 64;

/// The places of one server.
#[derive(Debug)]
pub(super) struct Permits {
    places: Arc<Semaphore>,
    per_address: Option<usize>,
    /// Their connections carry other addresses' requests.
    trusted: Arc<[Network]>,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, kept until the last of it is gone, upgraded sockets included.
#[derive(Debug)]
pub(super) struct Permit {
    // Given back before the place, or the next connection of the address could be refused.
    _share: Option<Share>,
    _place: OwnedSemaphorePermit,
    permits: Arc<Permits>,
}

/// One connection of an address, or one request that a trusted proxy has passed on for it.
#[derive(Debug)]
pub(super) struct Share {
    address: IpAddr,
    permits: Arc<Permits>,
}

impl Permits {
    /// As many places as the limits say, or as the process may have open files. The soft limit is raised to the hard
    /// one, since the default of 1,024 is a trap.
    pub(super) fn new(limits: &Limits, trusted: Arc<[Network]>) -> Self {
        let places = limits.connections.unwrap_or_else(|| {
            let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
            usize::try_from(files.saturating_sub(RESERVED)).unwrap_or(usize::MAX)
        });
        Self {
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            per_address: limits.connections_per_address,
            trusted,
            addresses: Mutex::default(),
        }
    }

    /// Waits for a place; accepting pauses meanwhile. Cancel safe.
    pub(super) async fn place(&self) -> OwnedSemaphorePermit {
        Arc::clone(&self.places).acquire_owned().await.expect("the semaphore is never closed")
    }

    /// A place for a connection from `address`; `None` when that address has its share already.
    pub(super) fn admit(
        self: &Arc<Self>,
        place: OwnedSemaphorePermit,
        address: Option<IpAddr>,
    ) -> Option<Permit> {
        let own = address.filter(|_| !self.trusted.iter().any(|network| network.contains(address)));
        let share = own.map(|address| self.share(address)).transpose().ok()?;
        Some(Permit { _share: share.flatten(), _place: place, permits: Arc::clone(self) })
    }

    /// One more for an address; nothing to hold where there is no limit.
    fn share(self: &Arc<Self>, address: IpAddr) -> Result<Option<Share>, Full> {
        let Some(most) = self.per_address else { return Ok(None) };
        let mut addresses = self.lock();
        let count = addresses.entry(address).or_default();
        if *count >= most {
            return Err(Full);
        }
        *count += 1;
        drop(addresses);
        Ok(Some(Share { address, permits: Arc::clone(self) }))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address has its share already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Full;

impl Permit {
    /// A share for a request that a trusted proxy has passed on for `address`; nothing to hold without a limit.
    pub(super) fn share(&self, address: IpAddr) -> Result<Option<Share>, Full> {
        self.permits.share(address)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut addresses = self.permits.lock();
        if let Some(count) = addresses.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&self.address);
            }
        }
    }
}
