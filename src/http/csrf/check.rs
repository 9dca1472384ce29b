//! Whether a request comes from the site's own pages, step by step as Django checks it.

use ::http::{Method, header};

use super::settings::CsrfSettings;
use super::token::Secret;
use crate::Scoped;
use crate::http::Request;
use crate::middleware::host_of;
use crate::middleware::is_same_domain;
use crate::middleware::urlsplit::SplitUrl;

/// Why a request was refused. The text is Django's own sentence, for the log and the debug page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Forged {
    #[error("Origin checking failed - {0} does not match any trusted origins.")]
    Origin(String),
    #[error("Referer checking failed - no Referer.")]
    NoReferer,
    #[error("Referer checking failed - Referer is malformed.")]
    MalformedReferer,
    #[error("Referer checking failed - Referer is insecure while host is secure.")]
    InsecureReferer,
    #[error("Referer checking failed - {0} does not match any trusted origins.")]
    Referer(String),
    #[error("CSRF cookie not set.")]
    NoSecret,
    #[error("CSRF token missing.")]
    NoToken,
    #[error("CSRF token from {0} {1}.")]
    Token(&'static str, String),
}

/// Whether a method changes nothing, so that nothing is gained by forging it.
pub(super) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// The checks that need no body: where the request says it comes from.
pub(super) fn check_source(request: &Request, settings: &CsrfSettings) -> Result<(), Forged> {
    let host = host_of(request.headers()).unwrap_or_default();
    if let Some(origin) = request.headers().get(header::ORIGIN) {
        let origin = String::from_utf8_lossy(origin.as_bytes());
        let own = format!("{}://{host}", if request.scope().is_secure() { "https" } else { "http" });
        if *origin == own || is_trusted_origin(&origin, settings) {
            return Ok(());
        }
        return Err(Forged::Origin(origin.into_owned()));
    }
    if request.scope().is_secure() { check_referer(request, host, settings) } else { Ok(()) }
}

fn is_trusted_origin(origin: &str, settings: &CsrfSettings) -> bool {
    let Ok(parsed) = SplitUrl::parse(origin) else { return false };
    settings.trusted_origins.iter().any(|trusted| match trusted.split_once("://*") {
        Some((scheme, domain)) => parsed.scheme == scheme && is_same_domain(&parsed.netloc, domain),
        None => trusted == origin,
    })
}

/// Over TLS a request without an origin must name a page of the site, which somebody between could have forged else.
fn check_referer(request: &Request, host: &str, settings: &CsrfSettings) -> Result<(), Forged> {
    let referer = request.headers().get(header::REFERER).ok_or(Forged::NoReferer)?;
    let referer = referer.to_str().map_err(|_| Forged::MalformedReferer)?;
    let parsed = SplitUrl::parse(referer).map_err(|_| Forged::MalformedReferer)?;
    if parsed.scheme.is_empty() || parsed.netloc.is_empty() {
        return Err(Forged::MalformedReferer);
    }
    if parsed.scheme != "https" {
        return Err(Forged::InsecureReferer);
    }
    let trusted = settings.trusted_origins.iter().any(|trusted| {
        let host = trusted.split_once("://").map_or("", |(_, host)| host);
        is_same_domain(&parsed.netloc, host.strip_prefix('*').unwrap_or(host))
    });
    if trusted || is_same_domain(&parsed.netloc, &good_referer(request, host, settings)) {
        return Ok(());
    }
    Err(Forged::Referer(referer.to_owned()))
}

/// The domain of the cookie where it has one, with the port at hand, else the host itself.
fn good_referer(request: &Request, host: &str, settings: &CsrfSettings) -> String {
    let Some(domain) = settings.cookie_domain.as_deref().filter(|_| !settings.use_sessions) else {
        return host.to_owned();
    };
    match request.scope().server.map(|server| server.port()) {
        Some(port) if port != 443 && port != 80 => format!("{domain}:{port}"),
        _ => domain.to_owned(),
    }
}

/// Whether the token of the form, or of the header where the form has none, is a masking of the secret.
pub(super) fn check_token(
    request: &Request,
    form: Option<String>,
    secret: Option<&Secret>,
    settings: &CsrfSettings,
) -> Result<(), Forged> {
    let secret = secret.ok_or(Forged::NoSecret)?;
    let header = || {
        let header = request.headers().get(&settings.header_name)?;
        Some(("the header", String::from_utf8_lossy(header.as_bytes()).into_owned()))
    };
    let form = form.filter(|token| !token.is_empty()).map(|token| ("POST", token));
    let (source, token) = form.or_else(header).ok_or(Forged::NoToken)?;
    match secret.check(&token) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Forged::Token(source, "incorrect".to_owned())),
        Err(error) => Err(Forged::Token(source, error.to_string())),
    }
}
