//! When a session ends, by Django's rules.

use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{SessionData, SessionError};

/// The entry that holds it.
const ENTRY: &str = "_session_expiry";

/// When a session ends.
///
/// ```
/// use std::time::Duration;
/// use chrono::Utc;
/// use solent::auth::Expiry;
///
/// let (now, hour, age) = (Utc::now(), Duration::from_secs(3600), Duration::from_secs(86_400));
/// assert_eq!(Expiry::After(hour).age(now, age), hour);
/// assert_eq!(Expiry::After(hour).date(now, age), now + hour);
/// assert_eq!(Expiry::Default.date(now, age), now + age);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub enum Expiry {
    /// After the settings' cookie age, counted from each save.
    #[default]
    Default,
    /// When the browser closes; the store keeps it for the cookie age.
    BrowserClose,
    /// So long after each save.
    After(Duration),
    /// At an instant.
    At(DateTime<Utc>),
}

impl SessionData {
    /// When this session ends.
    pub fn expiry(&self) -> Expiry {
        match self.get::<Value>(ENTRY) {
            Ok(Some(Value::Number(seconds))) => match seconds.as_f64() {
                Some(seconds) if seconds != 0.0 => {
                    // A negative age has ended already; one that does not fit never ends.
                    Expiry::After(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
                }
                _ => Expiry::BrowserClose,
            },
            Ok(Some(Value::String(text))) => parse_instant(&text).map_or(Expiry::Default, Expiry::At),
            _ => Expiry::Default,
        }
    }

    /// Sets when this session ends.
    ///
    /// # Errors
    /// None for the values that an [`Expiry`] can have.
    pub fn set_expiry(&mut self, expiry: Expiry) -> Result<(), SessionError> {
        match expiry {
            Expiry::Default => {
                self.remove(ENTRY);
                Ok(())
            }
            Expiry::BrowserClose => self.set(ENTRY, &0),
            Expiry::After(age) => self.set(ENTRY, &age.as_secs().max(1)),
            Expiry::At(instant) => self.set(ENTRY, &iso_format(instant)),
        }
    }
}

impl Expiry {
    /// The instant at which a session that is saved at `now` ends.
    pub fn date(self, now: DateTime<Utc>, cookie_age: Duration) -> DateTime<Utc> {
        let age = match self {
            Self::At(instant) => return instant,
            Self::After(age) => age,
            Self::Default | Self::BrowserClose => cookie_age,
        };
        let age = TimeDelta::from_std(age).unwrap_or(TimeDelta::MAX);
        now.checked_add_signed(age).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// How long the cookie of a session that is saved at `now` lasts, in whole seconds.
    pub fn age(self, now: DateTime<Utc>, cookie_age: Duration) -> Duration {
        let left = self.date(now, cookie_age).signed_duration_since(now);
        Duration::from_secs(left.num_seconds().try_into().unwrap_or(0))
    }
}

/// What Python's `fromisoformat` reads of what its `isoformat` writes; a time without a zone is UTC.
fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc());
    zoned.or_else(|| text.parse::<NaiveDateTime>().ok().map(|naive| naive.and_utc()))
}

/// As Python's `isoformat` writes it.
fn iso_format(instant: DateTime<Utc>) -> String {
    let whole = instant.timestamp_subsec_micros() == 0;
    instant.format(if whole { "%Y-%m-%dT%H:%M:%S+00:00" } else { "%Y-%m-%dT%H:%M:%S%.6f+00:00" }).to_string()
}
