//! Names for visitors of a chat without accounts: a random one, kept in a cookie.

use solent::Scope;
use solent::middleware::SetCookie;

const COOKIE: &str = "guest";

/// The name that the visitor's browser sends.
pub fn guest_of(scope: &Scope) -> &str {
    scope.cookies.get(COOKIE).unwrap_or("guest")
}

/// A name for a visitor who has none yet, and the cookie that keeps it.
pub fn new_guest(scope: &Scope) -> Option<(String, SetCookie)> {
    if scope.cookies.get(COOKIE).is_some() {
        return None;
    }
    let name = format!("guest-{}", rand::random_range(1000..10_000));
    let cookie = SetCookie::new(COOKIE, name.clone()).http_only(true);
    Some((name, cookie))
}
