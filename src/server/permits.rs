//! Places for connections: so many at once, so many from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Limits;

/// Descriptors that are kept for everything that is not a connection.
const RESERVED: u64 = 64;

/// The places of one server.
#[derive(Debug)]
pub(super) struct Permits {
    places: Arc<Semaphore>,
    per_address: Option<usize>,
    addresses: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection's place, kept until the last of it is gone, upgraded sockets included.
#[derive(Debug)]
pub(super) struct Permit {
    _place: OwnedSemaphorePermit,
    address: Option<IpAddr>,
    permits: Arc<Permits>,
}

impl Permits {
    /// As many places as the limits say, or as the process may have open files. The soft limit is raised to the hard
    /// one, since the default of 1,024 is a trap.
    pub(super) fn new(limits: &Limits) -> Self {
        let places = limits.connections.unwrap_or_else(|| {
            let files = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
            usize::try_from(files.saturating_sub(RESERVED)).unwrap_or(usize::MAX)
        });
        Self {
            places: Arc::new(Semaphore::new(places.clamp(1, Semaphore::MAX_PERMITS))),
            per_address: limits.connections_per_address,
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
        let address = address.filter(|_| self.per_address.is_some());
        if let (Some(address), Some(most)) = (address, self.per_address) {
            let mut addresses = self.lock();
            let count = addresses.entry(address).or_default();
            if *count >= most {
                return None;
            }
            *count += 1;
        }
        Some(Permit { _place: place, address, permits: Arc::clone(self) })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.addresses.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut addresses = self.permits.lock();
        if let Some(count) = addresses.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                addresses.remove(&address);
            }
        }
    }
}
