//! A WebSocket handshake with the server behind.

use std::borrow::Cow;
use std::future::Future;
use std::sync::Arc;

use ::http::header::{
    CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName, SEC_WEBSOCKET_ACCEPT,
    SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use ::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, Version};
use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::upgrade::Upgraded;
use tokio::time::{Instant, timeout};
use tungstenite::handshake::client::generate_key;
use tungstenite::handshake::derive_accept_key;

use super::backends::Backends;
use super::error::ProxyError;
use super::exchange::target;
use super::pool::Pool;
use super::{forwarded, headers};
use crate::Scope;
use crate::metrics::class;
use crate::websocket::{Acceptance, Denial, handshake};

/// The rule of refusals that are the server's, or for want of one.
const RULE: &str = "upstream";
/// Bytes of a refusal's text.
const TEXT: usize = 16 << 10;

/// A WebSocket that the server behind has accepted.
pub(super) struct Opened {
    pub(super) stream: Upgraded,
    pub(super) acceptance: Acceptance,
}

/// Asks the server behind for a WebSocket, with the client's request and a key of its own.
///
/// # Errors
/// Its refusal, or 502 and 504 where it gives no proper answer.
pub(super) async fn open(backends: &Arc<Backends>, scope: &Scope) -> Result<Opened, Denial> {
    let order = backends.order();
    let mut outcome = Err(Denial::new(StatusCode::BAD_GATEWAY, RULE, "No server behind."));
    for backend in order {
        let pool = &backend.pool;
        let start = Instant::now();
        let count = |result| scope.env.metrics.upstream(pool.name()).count(result, start.elapsed());
        match pool.connect_for_upgrade().await {
            Ok(link) => {
                backend.is_well();
                let opened = open_with(pool, scope, link).await;
                count(opened.as_ref().map_or_else(|denial| class(denial.status), |_| "socket"));
                return opened;
            }
            Err(error) => {
                backend.has_failed(pool.settings().out_time);
                count(error.label());
                outcome = Err(failed(pool, &error));
            }
        }
    }
    outcome
}

async fn open_with<F>(
    pool: &Pool,
    scope: &Scope,
    (mut link, connection): (SendRequest<Empty<Bytes>>, F),
) -> Result<Opened, Denial>
where
    F: Future<Output = ()> + Send + 'static,
{
    let key = generate_key();
    let request = request(pool, scope, &key)?;
    let serving = tokio::spawn(connection);
    let answer = timeout(pool.settings().response_time, link.send_request(request)).await;
    let answered = match answer {
        Ok(Ok(response)) if response.status() == StatusCode::SWITCHING_PROTOCOLS => {
            accepted(scope, response, &key).await
        }
        Ok(Ok(response)) => Err(Ok(refused(pool, response).await)),
        Ok(Err(error)) => Err(Err(ProxyError::Exchange(error))),
        Err(_) => Err(Err(ProxyError::ResponseTime)),
    };
    // After a switch the task has ended; after anything else nothing more is wanted of it.
    serving.abort();
    answered.map_err(|refusal| refusal.unwrap_or_else(|error| failed(pool, &error)))
}

fn failed(pool: &Pool, error: &ProxyError) -> Denial {
    let answer = error.answer();
    Denial::new(answer.status(), RULE, answer.text().to_owned()).with_detail(format!(
        "{}: {}",
        pool.upstream(),
        error.chain()
    ))
}

fn request(pool: &Pool, scope: &Scope, key: &str) -> Result<Request<Empty<Bytes>>, Denial> {
    let malformed = || Denial::new(StatusCode::BAD_REQUEST, RULE, "The request target is malformed.");
    let mut fields = scope.headers.clone();
    headers::clean_request(&mut fields);
    forwarded::write(&mut fields, scope, Version::HTTP_11, pool.upstream(), &pool.settings().host).map_err(
        |forwarded::Circle| Denial::new(StatusCode::LOOP_DETECTED, RULE, "This request goes in a circle."),
    )?;
    // Compression is each connection's own: here every message is whole and plain.
    fields.remove(SEC_WEBSOCKET_EXTENSIONS);
    fields.insert(SEC_WEBSOCKET_KEY, HeaderValue::try_from(key).map_err(|_| malformed())?);
    fields.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    fields.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    fields.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let query = Some(&*scope.query_string).filter(|query| !query.is_empty());
    let mut request = Request::new(Empty::new());
    *request.uri_mut() = target(&scope.raw_path, query).ok_or_else(malformed)?;
    *request.headers_mut() = fields;
    Ok(request)
}

/// Checks the server's acceptance (RFC 6455 section 4.1) and takes the stream over.
async fn accepted(
    scope: &Scope,
    mut response: Response<Incoming>,
    key: &str,
) -> Result<Opened, Result<Denial, ProxyError>> {
    let unlawful = |text| Err(Err(ProxyError::Unlawful(text)));
    let fields = response.headers();
    let accept = fields.get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if !handshake::wants_websocket(fields) || accept != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return unlawful("a switch of protocols that is no WebSocket handshake");
    }
    if fields.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return unlawful("an extension that nobody asked for");
    }
    let subprotocol = match fields.get(SEC_WEBSOCKET_PROTOCOL).map(HeaderValue::to_str) {
        None => None,
        Some(Ok(chosen)) if scope.subprotocols.iter().any(|offered| offered == chosen) => {
            Some(chosen.to_owned())
        }
        Some(_) => return unlawful("a subprotocol that was not offered"),
    };
    let mut fields = fields.clone();
    if headers::clean_response(&mut fields).is_err() {
        return unlawful("a body in its handshake");
    }
    for name in [SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, CONTENT_LENGTH, DATE] {
        fields.remove(name);
    }
    let acceptance = Acceptance { subprotocol, headers: fields };
    let stream = hyper::upgrade::on(&mut response).await.map_err(|error| Err(ProxyError::Exchange(error)))?;
    Ok(Opened { stream, acceptance })
}

/// The server's refusal, as it stands: status, fields, and its text where it is one.
async fn refused(pool: &Pool, response: Response<Incoming>) -> Denial {
    let (head, body) = response.into_parts();
    let mut fields = head.headers;
    let text = if is_plain(&fields) {
        let body = timeout(pool.settings().idle_time, Limited::new(body, TEXT).collect()).await;
        let bytes = body.ok().and_then(Result::ok).map(|body| body.to_bytes());
        bytes.and_then(|bytes| String::from_utf8(bytes.into()).ok())
    } else {
        None
    };
    if headers::clean_response(&mut fields).is_err() {
        fields = HeaderMap::new();
    }
    for name in [CONTENT_TYPE, CONTENT_LENGTH, CONTENT_ENCODING, DATE] {
        fields.remove(name);
    }
    // A success without a switch is no success for who wanted a WebSocket.
    let status = if head.status.is_success() { StatusCode::BAD_GATEWAY } else { head.status };
    let reason = status.canonical_reason().unwrap_or("Refused.");
    let mut denial = Denial::new(status, RULE, text.map_or(Cow::Borrowed(reason), Cow::Owned))
        .with_detail(format!("{} answered {}", pool.upstream(), head.status.as_u16()));
    denial.headers = fields;
    denial
}

fn is_plain(fields: &HeaderMap) -> bool {
    let starts = |name: HeaderName, with: &[u8]| {
        fields.get(name).is_some_and(|value| value.as_bytes().starts_with(with))
    };
    starts(CONTENT_TYPE, b"text/plain") && !fields.contains_key(CONTENT_ENCODING)
}
