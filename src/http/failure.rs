//! From a view's error to its answer: what the client may see, and what the log says.

use std::sync::Arc;

use ::http::header::RETRY_AFTER;
use ::http::uri::PathAndQuery;
use ::http::{Method, StatusCode};

use super::body::{Request, Response};
use super::error::HttpError;
use super::pages::{page, wants_html};
use crate::auth::{retry_after_of, status_of};
use crate::layers::LayerError;
use crate::websocket::Denial;
use crate::{ClientError, Error, KwargError, PoolError, Scoped};

/// What an error's answer and log entry need to know of the request, which the view has taken.
#[derive(Debug)]
pub(crate) struct Asked {
    html: bool,
    debug: bool,
    method: Method,
    path: Option<PathAndQuery>,
    route: Arc<str>,
}

impl Asked {
    pub(crate) fn of(request: &Request) -> Self {
        let scope = request.scope();
        Self {
            html: wants_html(request.headers()),
            debug: scope.env.debug,
            method: request.method().clone(),
            path: request.uri().path_and_query().cloned(),
            route: Arc::clone(&scope.url_route.pattern),
        }
    }

    fn path(&self) -> &str {
        self.path.as_ref().map_or("", PathAndQuery::path)
    }

    /// The answer to an error: a status of its own where it has one, else 500 and a log entry.
    pub(crate) fn failed(&self, error: Error) -> Response {
        if let Some(answer) = error.downcast_ref::<HttpError>() {
            return page(answer.status(), answer.text(), None, self.html);
        }
        if let Some(denial) = error.downcast_ref::<Denial>() {
            // The rule and its detail are for the log alone.
            tracing::info!(
                route = %self.route, method = %self.method, path = %self.path(), "refused: {denial}"
            );
            let mut response = page(denial.status, &denial.text, None, self.html);
            response.headers_mut().extend(denial.headers.clone());
            return response;
        }
        if let Some(mistake) = error.downcast_ref::<ClientError>() {
            return page(StatusCode::BAD_REQUEST, mistake.message(), None, self.html);
        }
        if let Some(wait) = retry_after_of(&error) {
            let text = "Too many log-ins have failed. Please wait a few minutes before you try again.";
            let mut response = page(StatusCode::TOO_MANY_REQUESTS, text, None, self.html);
            response.headers_mut().insert(RETRY_AFTER, wait.as_secs().max(1).into());
            return response;
        }
        if error.downcast_ref::<KwargError>().is_some() || status_of(&error) == Some(StatusCode::NOT_FOUND) {
            let detail = self.debug.then(|| error.chain());
            return page(StatusCode::NOT_FOUND, "Not found.", detail.as_deref(), self.html);
        }
        self.broke(&error)
    }

    fn broke(&self, error: &Error) -> Response {
        let chain = error.chain();
        tracing::error!(
            route = %self.route, method = %self.method, path = %self.path(), error = %chain, "a view failed"
        );
        let (status, text) = match error.downcast_ref::<PoolError>() {
            Some(PoolError::Full { .. } | PoolError::ShutDown) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The server is busy.")
            }
            _ if matches!(error.downcast_ref(), Some(LayerError::Unavailable { .. })) => {
                (StatusCode::SERVICE_UNAVAILABLE, "The server cannot pass messages on at the moment.")
            }
            _ => match status_of(error) {
                Some(StatusCode::SERVICE_UNAVAILABLE) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "The server cannot reach its database at the moment.")
                }
                Some(StatusCode::BAD_REQUEST) => {
                    (StatusCode::BAD_REQUEST, "The session has ended meanwhile.")
                }
                _ => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong here."),
            },
        };
        let detail = self.debug.then(|| format!("route: {}\n\n{chain}", self.route));
        page(status, text, detail.as_deref(), self.html)
    }
}
