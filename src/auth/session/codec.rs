//! A session as text, signed: the form of both the database's column and the signed cookie.

use std::time::{Duration, SystemTime};

use super::SessionData;
use super::unpacked::{LARGEST, Unpacked};
use crate::auth::signing::{dumps_json, unpack};
use crate::auth::{SecretKeys, SigningError, TimestampSigner};

/// The salt of the `db` store's column.
pub(super) const DATABASE: &str = "django.contrib.sessions.SessionStore";

/// The salt of the `signed_cookies` store.
pub(super) const SIGNED_COOKIES: &str = "django.contrib.sessions.backends.signed_cookies";

/// Writes and reads a store's sessions.
#[derive(Debug)]
pub(super) struct Codec {
    signer: TimestampSigner,
    unpacked: Unpacked,
}

impl Codec {
    /// Of the store that uses this salt.
    pub(super) fn new(keys: SecretKeys, salt: &'static str) -> Self {
        Self { signer: TimestampSigner::new(keys).with_salt(salt), unpacked: Unpacked::default() }
    }

    pub(super) fn encode(&self, data: &SessionData, now: SystemTime) -> String {
        dumps_json(&data.to_json(), &self.signer, true, now)
    }

    /// The session behind the text; `None` when it does not decode or is too old, which the log tells.
    pub(super) fn decode(
        &self,
        text: &str,
        max_age: Option<Duration>,
        now: SystemTime,
    ) -> Option<SessionData> {
        let decoded = self.signer.unsign(text, max_age, now).and_then(|payload| self.unpack(payload));
        decoded.inspect_err(|error| tracing::warn!("a session is taken for empty: {error}")).ok()
    }

    /// What stands under a signature, which has been verified.
    fn unpack(&self, payload: &str) -> Result<SessionData, SigningError> {
        if let Some(data) = self.unpacked.get(payload) {
            return Ok(data);
        }
        let json = unpack(payload)?;
        let data = SessionData::parse(&json).ok_or(SigningError::Malformed("a JSON object"))?;
        if json.len() <= LARGEST {
            self.unpacked.put(payload, data.clone());
        }
        Ok(data)
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use chrono::{DateTime, Utc};
    use serde_json::Value;

    use super::super::Expiry;
    use super::*;

    fn vectors() -> Value {
        serde_json::from_str(include_str!("../../../tests/vectors/sessions.json")).unwrap()
    }

    fn at(seconds: &Value) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs_f64(seconds.as_f64().unwrap())
    }

    /// The session as unordered JSON, to compare with a vector.
    fn value(data: Option<SessionData>) -> Value {
        serde_json::from_str(&data.unwrap_or_default().to_json()).unwrap()
    }

    fn both_directions(key: &str, text: &str, salt: &'static str) {
        let vectors = vectors();
        let cases = vectors[key].as_array().unwrap();
        for case in cases {
            let codec = Codec::new(SecretKeys::new(case["secret_key"].as_str().unwrap()), salt);
            let (signed, now) = (case[text].as_str().unwrap(), at(&case["time"]));
            let data = codec.decode(signed, None, now).unwrap();
            assert_eq!(value(Some(data.clone())), case["session"]);
            // Read and written again, every character is Django's; compressed ones only inflate to the same.
            let again = codec.encode(&data, now);
            if signed.starts_with('.') {
                assert!(again.starts_with('.'));
                assert_eq!(codec.decode(&again, None, now).unwrap().to_json(), data.to_json());
            } else {
                assert_eq!(again, signed);
            }
        }
        assert_eq!(cases.len(), 8);
    }

    #[test]
    fn the_databases_column_is_djangos() {
        both_directions("db", "session_data", DATABASE);
    }

    #[test]
    fn signed_cookies_are_djangos() {
        both_directions("signed_cookies", "cookie", SIGNED_COOKIES);
    }

    #[test]
    fn what_does_not_decode_is_an_empty_session() {
        let vectors = vectors();
        let cases = vectors["db_decode"].as_array().unwrap();
        for case in cases {
            let fallbacks = case["fallbacks"].as_array().unwrap().iter().map(|key| key.as_str().unwrap());
            let keys = SecretKeys::new(case["secret_key"].as_str().unwrap()).with_fallbacks(fallbacks);
            let text = case["session_data"].as_str().unwrap();
            let found = Codec::new(keys, DATABASE).decode(text, None, SystemTime::now());
            assert_eq!(value(found), case["session"], "{}", case["case"]);
        }
        assert_eq!(cases.len(), 8);
    }

    #[test]
    fn signed_cookies_expire() {
        let vectors = vectors();
        let cases = vectors["signed_cookies_age"].as_array().unwrap();
        let all = &vectors["signed_cookies"][0];
        let codec = Codec::new(SecretKeys::new(all["secret_key"].as_str().unwrap()), SIGNED_COOKIES);
        let max_age = Duration::from_secs(all["max_age"].as_u64().unwrap());
        for case in cases {
            let cookie = case["cookie"].as_str().unwrap();
            let found = codec.decode(cookie, Some(max_age), at(&case["now"]));
            assert_eq!(value(found), case["session"], "{}", case["case"]);
        }
        assert_eq!(cases.len(), 3);
    }

    #[test]
    fn sessions_end_when_djangos_end() {
        let (vectors, age) = (vectors(), Duration::from_secs(1_209_600));
        let cases = vectors["expiry"].as_array().unwrap();
        for case in cases {
            let instant = |key: &str| case[key].as_str().unwrap().parse::<DateTime<Utc>>().unwrap();
            let mut data = SessionData::default();
            if !case["stored"].is_null() {
                data.set("_session_expiry", &case["stored"]).unwrap();
            }
            let expiry = data.expiry();
            assert_eq!(expiry.date(instant("modification"), age), instant("date"), "{case}");
            let expected = Duration::from_secs(case["age"].as_u64().unwrap());
            assert_eq!(expiry.age(instant("modification"), age), expected, "{case}");
            assert_eq!(expiry == Expiry::BrowserClose, case["at_browser_close"] == true, "{case}");
            let mut again = SessionData::default();
            again.set_expiry(expiry).unwrap();
            assert_eq!(again.to_json(), data.to_json());
        }
        assert_eq!(cases.len(), 6);
    }
}
