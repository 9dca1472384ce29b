//! What a server behind is asked about one connection.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;

use ::http::header::{AUTHORIZATION, COOKIE, HOST, HeaderName, VIA};
use ::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};

use crate::http::{Body, Request};
use crate::scope::Passage;
use crate::{Environment, Protocol, RequestId, Scope};

const ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");

/// What of a client's request goes along; `Via` tells of circles.
const CARRIED: [HeaderName; 4] = [COOKIE, AUTHORIZATION, HOST, VIA];

/// A path, and all of a connection that is needed to ask for it, now and again later.
pub(super) struct Question {
    path: String,
    fields: HeaderMap,
    client: Option<SocketAddr>,
    scheme: &'static str,
    passage: Passage,
    request_id: RequestId,
    env: Arc<Environment>,
}

impl Question {
    pub(super) fn new(path: String, scope: &Scope, headers: &HeaderMap) -> Self {
        let mut fields = HeaderMap::new();
        for name in CARRIED {
            for value in headers.get_all(&name) {
                fields.append(name.clone(), value.clone());
            }
        }
        fields.insert(ORIGINAL_METHOD, method(scope));
        if let Ok(address) = HeaderValue::try_from(address(scope)) {
            fields.insert(ORIGINAL_URI, address);
        }
        Self {
            path,
            fields,
            client: scope.client,
            scheme: if scope.is_secure() { "https" } else { "http" },
            passage: scope.passage.clone(),
            request_id: scope.request_id.clone(),
            env: Arc::clone(&scope.env),
        }
    }

    /// Who asks for what: what an answer holds for. Hashed, so that no cookies lie about in memory.
    pub(super) fn key(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for name in [COOKIE, AUTHORIZATION, HOST] {
            for value in self.fields.get_all(&name) {
                hash.update((value.len() as u64).to_le_bytes());
                hash.update(value.as_bytes());
            }
            // No length: the end of the field.
            hash.update(u64::MAX.to_le_bytes());
        }
        hash.update(self.path.as_bytes());
        hash.finalize().into()
    }

    /// The request, as the proxy takes it; `None` for a path that none can hold.
    pub(super) fn request(&self) -> Option<Request> {
        let path = self.path.split('?').next().unwrap_or_default();
        let mut scope = Scope::within(Arc::clone(&self.env), Protocol::HTTP, path.into(), path.to_owned());
        scope.client = self.client;
        scope.scheme = Cow::Borrowed(self.scheme);
        scope.passage = self.passage.clone();
        scope.request_id = self.request_id.clone();
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = self.path.parse().ok()?;
        *request.headers_mut() = self.fields.clone();
        request.extensions_mut().insert(Box::new(scope));
        Some(request)
    }
}

fn method(scope: &Scope) -> HeaderValue {
    HeaderValue::try_from(scope.method.as_str()).unwrap_or(HeaderValue::from_static("GET"))
}

fn address(scope: &Scope) -> String {
    match scope.query_string.as_str() {
        "" => scope.raw_path.to_string(),
        query => format!("{}?{query}", scope.raw_path),
    }
}
