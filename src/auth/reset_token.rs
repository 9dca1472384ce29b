//! Password-reset tokens, as Django's `PasswordResetTokenGenerator` makes them: good once, for some days, for one
//! account as it is now.

use std::time::Duration;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta, Utc};
use subtle::ConstantTimeEq;

use super::SecretKeys;
use super::signing::{Algorithm, salted_hmac};

const SALT: &str = "django.contrib.auth.tokens.PasswordResetTokenGenerator";

/// Makes and checks the tokens of links that let somebody set a new password.
///
/// A token is bound to the account's password, its last login and its address: once one of them changes, it is worth
/// nothing. The server keeps nothing of it.
///
/// ```
/// use solent::auth::{PasswordResetTokens, ResetAccount, SecretKeys};
/// use chrono::Utc;
///
/// let tokens = PasswordResetTokens::new(SecretKeys::new("a key that is long enough to be one"));
/// let mut account = ResetAccount::new("7", "pbkdf2_sha256$1$a$b");
/// account.email = "alice@example.com";
/// let token = tokens.make(&account, Utc::now());
/// assert!(tokens.check(&account, &token, Utc::now()));
/// account.password = "pbkdf2_sha256$1$a$c";
/// assert!(!tokens.check(&account, &token, Utc::now()));
/// ```
#[derive(Debug, Clone)]
pub struct PasswordResetTokens {
    keys: SecretKeys,
    timeout: Duration,
}

/// What a token is bound to.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResetAccount<'a> {
    /// The primary key, as text.
    pub id: &'a str,
    /// The password column.
    pub password: &'a str,
    /// When the account last logged in.
    pub last_login: Option<DateTime<Utc>>,
    /// The address; may be empty.
    pub email: &'a str,
}

impl<'a> ResetAccount<'a> {
    /// An account that never logged in and has no address.
    pub fn new(id: &'a str, password: &'a str) -> Self {
        Self { id, password, last_login: None, email: "" }
    }
}

impl std::fmt::Debug for ResetAccount<'_> {
    /// Without the password column.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ResetAccount").field("id", &self.id).finish_non_exhaustive()
    }
}

impl PasswordResetTokens {
    /// Tokens that are valid for three days, Django's `PASSWORD_RESET_TIMEOUT`.
    pub fn new(keys: SecretKeys) -> Self {
        Self { keys, timeout: Duration::from_secs(3 * 24 * 60 * 60) }
    }

    /// Another time to use a token in. Too short and the mail comes too late, too long and an old mail still opens
    /// the account.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// A token for an account, made at `now`.
    pub fn make(&self, account: &ResetAccount<'_>, now: DateTime<Utc>) -> String {
        token(account, seconds(now), self.keys.signing())
    }

    /// Whether a token is this account's, as the account is now, and not too old. Fallback keys count.
    ///
    /// A Django in another zone than UTC counts local hours: its tokens seem so much older or younger here.
    pub fn check(&self, account: &ResetAccount<'_>, presented: &str, now: DateTime<Utc>) -> bool {
        let Some(made) = presented.split_once('-').and_then(|(made, _)| from_base36(made)) else {
            return false;
        };
        let is_ours =
            |key: &str| bool::from(token(account, made, key).as_bytes().ct_eq(presented.as_bytes()));
        let age = i128::from(seconds(now)) - i128::from(made);
        self.keys.verifying().any(is_ours) && age <= i128::from(self.timeout.as_secs())
    }
}

fn token(account: &ResetAccount<'_>, made: u64, key: &str) -> String {
    let last_login = account.last_login.map_or_else(String::new, |login| {
        let text = login.to_rfc3339_opts(SecondsFormat::Secs, true);
        text.trim_end_matches('Z').replace('T', " ")
    });
    let value = format!("{}{}{last_login}{made}{}", account.id, account.password, account.email);
    let hash = salted_hmac(SALT, value.as_bytes(), key, Algorithm::Sha256);
    // Every second one of the hexadecimal digits: the high half of each byte.
    let digits: String =
        hash.iter().map(|byte| char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0')).collect();
    format!("{}-{digits}", to_base36(made))
}

/// Seconds since the beginning of 2001.
fn seconds(now: DateTime<Utc>) -> u64 {
    let begin =
        NaiveDate::from_ymd_opt(2001, 1, 1).unwrap_or_default().and_time(chrono::NaiveTime::MIN).and_utc();
    let passed: TimeDelta = now - begin;
    passed.num_seconds().try_into().unwrap_or(0)
}

fn to_base36(mut number: u64) -> String {
    let mut digits = Vec::new();
    loop {
        digits.push(char::from_digit((number % 36) as u32, 36).unwrap_or('0'));
        number /= 36;
        if number == 0 {
            return digits.into_iter().rev().collect();
        }
    }
}

/// Django takes at most 13 digits, which 64 bits hold or not.
fn from_base36(text: &str) -> Option<u64> {
    let is_plain = (1..=13).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    is_plain.then(|| u64::from_str_radix(text, 36).ok()).flatten()
}
