//! Error pages: small self-contained HTML for browsers, plain text for everyone else.

use std::borrow::Cow;

use ::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use ::http::{HeaderMap, HeaderValue, StatusCode};

use super::body::{Body, Response};
use super::error::HttpError;

/// In a response's extensions: this 404 is the router's, no view was asked.
///
/// A view's own 404 does not bear it, so that whoever stands outside can tell the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoRoute;

/// Whether the client asks for HTML.
pub(crate) fn wants_html(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).iter().any(|value| {
        value
            .to_str()
            .is_ok_and(|accept| accept.contains("text/html") || accept.contains("application/xhtml"))
    })
}

/// A page with a status and a sentence; `detail` is preformatted text below it.
pub(crate) fn page(status: StatusCode, text: &str, detail: Option<&str>, html: bool) -> Response {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let (kind, body) = if html {
        ("text/html; charset=utf-8", html_page(status, text, detail, &nonce))
    } else {
        ("text/plain; charset=utf-8", text_page(text, detail))
    };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    // The site's own policy, which stands aside for this one, may not let the page's style be.
    let policy = HeaderValue::try_from(format!("default-src 'none'; style-src 'nonce-{nonce}'; {ELSE}"));
    if let Some(policy) = policy.ok().filter(|_| html) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    if detail.is_none() {
        // What a site's own error page further out shows in place of this one.
        response.extensions_mut().insert(HttpError::new(status, text.to_owned()));
    }
    response
}

/// What `default-src` does not speak of.
const ELSE: &str = "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The router's 404.
pub(crate) fn no_route(detail: Option<&str>, html: bool) -> Response {
    let mut response = page(StatusCode::NOT_FOUND, "Not found.", detail, html);
    response.extensions_mut().insert(NoRoute);
    response
}

/// A refusal that middleware has answered with plain text, as a page; its headers stay. What is a page already, such as
/// the site's own, stays as it is.
pub(crate) fn refusal_page(response: Response) -> Response {
    let is_plain =
        response.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let Some(refused) = response.extensions().get::<HttpError>().filter(|_| is_plain) else {
        return response;
    };
    let page = page(refused.status(), refused.text(), None, true);
    let (mut head, _) = response.into_parts();
    let (new, body) = page.into_parts();
    head.headers.remove(CONTENT_LENGTH);
    head.headers.extend(new.headers);
    Response::from_parts(head, body)
}

fn text_page(text: &str, detail: Option<&str>) -> String {
    detail.map_or_else(|| format!("{text}\n"), |detail| format!("{text}\n\n{detail}\n"))
}

fn html_page(status: StatusCode, text: &str, detail: Option<&str>, nonce: &str) -> String {
    let title = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    let text = escape(text);
    let detail = detail.map_or(String::new(), |detail| format!("<pre>{}</pre>", escape(detail)));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{code} {title}</title><style nonce=\"{nonce}\">{STYLE}</style></head>\
         <body><main><h1>{title}</h1><p>{text}</p>{detail}</main></body></html>\n"
    )
}

const STYLE: &str = ":root{color-scheme:light dark;background:Canvas;color:CanvasText}body{font:1rem/1.5 system-ui,sans-serif;margin:15vh auto;\
                     max-width:40rem;padding:0 1.5rem}h1{font-size:1.5rem}pre{white-space:pre-wrap;overflow-wrap:anywhere;padding:1rem;\
                     border:1px solid;border-radius:.25rem}";

/// `text` with HTML's five characters replaced.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['&', '<', '>', '"', '\'']) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#x27;"),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}
