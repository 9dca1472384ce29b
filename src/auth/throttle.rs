//! Failed log-ins, counted by account and by address: a guesser is told to wait before the next password is hashed.

use std::collections::HashMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How many log-ins may fail. They are counted in each process for itself: several let several times as many through.
///
/// ```
/// use solent::auth::{AuthSettings, LoginThrottle};
///
/// let mut settings = AuthSettings::default();
/// assert_eq!(settings.throttle.per_account, Some(10));
/// settings.throttle.per_address = None; // all visitors come from one school
/// settings.throttle = LoginThrottle::off(); // or: a proxy in front counts them
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LoginThrottle {
    /// Failed log-ins of one account in a window, from wherever. 10; `None`: not counted. Too few and anybody can keep
    /// a user out for a while, too many and a weak password is guessed.
    pub per_account: Option<u32>,
    /// Failed log-ins from one address (of IPv6 one network of 64 bits) in a window, for whatever account. 100;
    /// `None`: not counted. Too few and a school behind one address is locked out; behind a proxy that is not
    /// trusted, all visitors are one address.
    pub per_address: Option<u32>,
    /// How long failures count, from the first one on. 5 min.
    pub window: Duration,
}

impl Default for LoginThrottle {
    fn default() -> Self {
        Self { per_account: Some(10), per_address: Some(100), window: Duration::from_secs(300) }
    }
}

impl LoginThrottle {
    /// Counts nothing and lets everybody try.
    pub fn off() -> Self {
        Self { per_account: None, per_address: None, ..Self::default() }
    }
}

/// What is counted at once. Beyond, the ones with the fewest failures are forgotten.
const MAX_COUNTED: usize = 20_000;

/// The counters of one site.
pub(super) struct Failures {
    limits: LoginThrottle,
    hasher: RandomState,
    counted: Mutex<HashMap<Who, Window>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    /// A name, hashed: names are as long as their sender likes.
    Account(u64),
    Address(IpAddr),
}

#[derive(Debug, Clone, Copy)]
struct Window {
    count: u32,
    until: Instant,
}

/// An attempt that is under way. It counts as failed until it is known to be something else.
pub(super) struct Attempt<'a> {
    failures: &'a Failures,
    account: Option<Who>,
    address: Option<Who>,
}

impl Failures {
    pub(super) fn new(limits: LoginThrottle) -> Self {
        Self { limits, hasher: RandomState::new(), counted: Mutex::default() }
    }

    /// Begins an attempt, or says how long to wait for the next.
    pub(super) fn begin(&self, username: &str, address: Option<IpAddr>) -> Result<Attempt<'_>, Duration> {
        let account = self.limits.per_account.map(|_| Who::Account(self.hasher.hash_one(username)));
        let address =
            address.filter(|_| self.limits.per_address.is_some()).map(|ip| Who::Address(network(ip)));
        let limits = [(account, self.limits.per_account), (address, self.limits.per_address)];
        let (mut counted, now) = (self.lock(), Instant::now());
        let waits = limits.iter().filter_map(|(who, limit)| {
            let window = counted.get(&(*who)?).filter(|window| window.until > now)?;
            (window.count >= (*limit)?).then(|| window.until - now)
        });
        if let Some(wait) = waits.max() {
            return Err(wait);
        }
        for who in [account, address].into_iter().flatten() {
            make_room(&mut counted, now);
            let fresh = Window { count: 0, until: now + self.limits.window };
            let window = counted.entry(who).or_insert(fresh);
            if window.until <= now {
                *window = fresh;
            }
            window.count += 1;
        }
        Ok(Attempt { failures: self, account, address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Who, Window>> {
        // Nothing panics while it is held.
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The user is who they say: earlier failures were slips of the finger.
    pub(super) fn succeeded(self) {
        let mut counted = self.failures.lock();
        if let Some(account) = &self.account {
            counted.remove(account);
        }
        take_back(&mut counted, self.address);
    }

    /// Nobody knows whether the password was right, as when the database is away.
    pub(super) fn came_to_nothing(self) {
        let mut counted = self.failures.lock();
        take_back(&mut counted, self.account);
        take_back(&mut counted, self.address);
    }
}

fn take_back(counted: &mut HashMap<Who, Window>, who: Option<Who>) {
    if let Some(window) = who.and_then(|who| counted.get_mut(&who)) {
        window.count = window.count.saturating_sub(1);
    }
}

fn make_room(counted: &mut HashMap<Who, Window>, now: Instant) {
    if counted.len() < MAX_COUNTED {
        return;
    }
    counted.retain(|_, window| window.until > now);
    while counted.len() >= MAX_COUNTED {
        let fewest =
            counted.iter().min_by_key(|(_, window)| (window.count, window.until)).map(|(who, _)| *who);
        let Some(fewest) = fewest else { return };
        counted.remove(&fewest);
    }
}

/// Whoever has one address of IPv6 has as many as they like of the same 64 bits.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX)).into(),
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").field("limits", &self.limits).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn failures_count_until_their_window_ends() {
        let failures = Failures::new(LoginThrottle { per_account: Some(2), ..LoginThrottle::default() });
        let home = address("192.0.2.1");
        assert!(failures.begin("alice", home).is_ok() && failures.begin("alice", home).is_ok());
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(failures.begin("alice", address("192.0.2.2")).err(), Some(Duration::from_secs(200)));
        assert!(failures.begin("bob", home).is_ok(), "another account is another matter");
        tokio::time::advance(Duration::from_secs(200)).await;
        assert!(failures.begin("alice", home).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_wipes_the_accounts_failures_and_an_outage_counts_nothing() {
        let failures = Failures::new(LoginThrottle { per_account: Some(2), ..LoginThrottle::default() });
        for _ in 0..5 {
            let _ = failures.begin("alice", None);
            if let Ok(attempt) = failures.begin("alice", None) {
                attempt.succeeded();
            }
        }
        for _ in 0..5 {
            failures.begin("bob", address("192.0.2.1")).ok().unwrap().came_to_nothing();
        }
    }

    #[test]
    fn a_network_is_one_address() {
        let failures = Failures::new(LoginThrottle {
            per_account: None,
            per_address: Some(1),
            ..LoginThrottle::default()
        });
        assert!(failures.begin("a", address("2001:db8::1")).is_ok());
        assert!(failures.begin("b", address("2001:db8::ffff:2")).is_err());
        assert!(failures.begin("b", address("2001:db8:0:1::1")).is_ok());
        assert!(failures.begin("b", address("::ffff:192.0.2.1")).is_ok());
        assert!(failures.begin("b", address("192.0.2.1")).is_err());
    }

    #[test]
    fn what_is_counted_is_bounded_and_the_worst_is_kept() {
        let failures = Failures::new(LoginThrottle {
            per_account: Some(3),
            per_address: None,
            ..LoginThrottle::default()
        });
        while failures.begin("alice", None).is_ok() {}
        let mut counted = failures.lock();
        let until = Instant::now() + Duration::from_secs(60);
        for number in 0..2 * MAX_COUNTED as u64 {
            if counted.len() < MAX_COUNTED {
                counted.insert(Who::Account(number), Window { count: 1, until });
            }
        }
        drop(counted);
        for name in ["b", "c", "d"] {
            assert!(failures.begin(name, None).is_ok());
        }
        assert_eq!(failures.lock().len(), MAX_COUNTED);
        assert!(failures.begin("alice", None).is_err());
    }
}
