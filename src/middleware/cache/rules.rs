//! Which requests may be answered from memory, and which answers may be kept for others.

use std::time::Duration;

use ::http::{HeaderMap, Method, StatusCode, header};

use super::page::PageTime;
use crate::auth::Session;
use crate::http::{Request, Response};
use crate::middleware::host_of;
use crate::{Scope, Scoped};

/// A request that anybody could have sent.
pub(super) struct Visit {
    pub(super) address: String,
    session: Session,
    #[cfg(feature = "auth")]
    csrf: Option<crate::http::CsrfToken>,
}

impl Visit {
    /// `None` for a request that somebody in particular sent, or that asks for more than a page.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let (scope, headers) = (request.scope(), request.headers());
        let is_plain = matches!(*request.method(), Method::GET | Method::HEAD)
            && !headers.contains_key(header::AUTHORIZATION)
            && !headers.contains_key(header::RANGE);
        // Without session middleware nobody knows whose a cookie is.
        let is_anybody = !scope.user.is_authenticated()
            && (scope.session.is_present() || !headers.contains_key(header::COOKIE));
        (is_plain && is_anybody).then(|| Self {
            address: address(request, scope),
            session: scope.session.clone(),
            #[cfg(feature = "auth")]
            csrf: scope.extensions.get().cloned(),
        })
    }

    /// Whether the page may hold something of its visitor.
    fn was_personal(&self) -> bool {
        #[cfg(feature = "auth")]
        if self.csrf.as_ref().is_some_and(crate::http::CsrfToken::was_asked_for) {
            return true;
        }
        self.session.is_accessed()
    }
}

/// What tells pages apart, as the client wrote it: another spelling is another page at worst.
fn address(request: &Request, scope: &Scope) -> String {
    let host = host_of(request.headers()).or(request.uri().host()).unwrap_or_default();
    let (root, path, query) = (&scope.root_path, request.uri().path(), request.uri().query());
    let mark = if query.is_some() { "?" } else { "" };
    format!("{} {host} {root} {path}{mark}{}", scope.scheme, query.unwrap_or_default())
}

/// How long an answer may be kept; `None` when it may not.
pub(super) fn time_to_keep(response: &Response, visit: &Visit, usual: Option<Duration>) -> Option<Duration> {
    let headers = response.headers();
    let may = response.status() == StatusCode::OK
        && !headers.contains_key(header::SET_COOKIE)
        && !visit.was_personal()
        && !forbids(headers)
        && !varies_by_visitor(headers);
    let told = response.extensions().get::<PageTime>().map(|time| time.0);
    told.or_else(|| max_age(headers)).or(usual).filter(|time| may && !time.is_zero())
}

/// Whether `Cache-Control` says that nobody may keep the page, or not for others.
fn forbids(headers: &HeaderMap) -> bool {
    directives(headers, header::CACHE_CONTROL)
        .any(|directive| matches!(&*directive, "no-store" | "no-cache" | "private" | "max-age=0"))
}

/// Pages that vary by cookie are one visitor's; `*` says that no request equals another.
fn varies_by_visitor(headers: &HeaderMap) -> bool {
    directives(headers, header::VARY).any(|name| matches!(&*name, "*" | "cookie" | "authorization"))
}

fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let age = directives(headers, header::CACHE_CONTROL)
        .find_map(|directive| directive.strip_prefix("max-age=").map(str::to_owned))?;
    age.trim_matches('"').parse().ok().map(Duration::from_secs)
}

/// The parts of a list header, in lower case.
pub(super) fn directives(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = String> + '_ {
    headers
        .get_all(name)
        .iter()
        .flat_map(|value| value.to_str().unwrap_or("*").split(','))
        .map(|part| part.trim().to_ascii_lowercase())
        .filter(|part| !part.is_empty())
}
