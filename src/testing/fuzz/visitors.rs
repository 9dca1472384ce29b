//! What visitors carry, under any bytes: cookies and sessions.

use super::choice;
use crate::middleware::Cookies;

/// Cookies: no piece is lost or torn by another's quotes.
///
/// # Panics
/// When that does not hold.
pub fn cookies(data: &[u8]) {
    let cookies = Cookies::parse(data);
    for (name, value) in cookies.iter() {
        assert!(!name.contains([';', '=']), "{name:?}");
        assert_eq!(cookies.get(name), Some(value));
    }
    // What comes behind the last semicolon stands whatever came before it.
    let (_, tail) = choice(data);
    let longer = [tail, b"; last=1"].concat();
    assert_eq!(Cookies::parse(&longer).get("last"), Some("1"));
}

/// Sessions: what reads as a session is written and read again as the same, and no text opens without the key.
///
/// # Panics
/// When that does not hold.
#[cfg(feature = "auth")]
pub fn sessions(data: &[u8]) {
    use futures_util::FutureExt as _;

    use crate::auth::{SecretKeys, SessionData, SessionStore, SignedCookieSessions};

    let age = std::time::Duration::from_secs(1_209_600);
    let store = SignedCookieSessions::new(SecretKeys::new("a key of fuzzers"), age);
    let load = |cookie: &str| {
        store.load(cookie).now_or_never().and_then(Result::ok).flatten().map(|data| data.to_json())
    };
    if let Ok(text) = std::str::from_utf8(data) {
        assert_eq!(load(text), None, "nobody signed this");
    }
    let Some(session) = SessionData::parse(data) else { return };
    let json = session.to_json();
    let again = SessionData::parse(json.as_bytes()).expect("what was written reads");
    assert_eq!(again.to_json(), json);
    let saved = store.save(None, &session, chrono::Utc::now()).now_or_never().and_then(Result::ok);
    assert_eq!(load(&saved.expect("cookies are always saved")), Some(json));
}
