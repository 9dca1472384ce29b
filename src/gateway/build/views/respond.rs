//! `respond`: an answer as it stands in the file.

use ::http::{HeaderValue, header};

use crate::gateway::settings::Respond;
use crate::http::{Body, BoxedView, Response};

/// A view that gives the same answer to everyone.
pub(super) fn view(settings: &Respond) -> BoxedView {
    let (status, body) = (settings.status, bytes::Bytes::from(settings.body.clone()));
    let headers = settings.headers.0.clone();
    BoxedView::new(move |_| {
        let mut response = Response::new(Body::from(body.clone()));
        *response.status_mut() = status;
        let own = response.headers_mut();
        own.extend(headers.iter().cloned());
        own.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("text/plain; charset=utf-8"));
        Box::pin(async move { Ok(response) })
    })
}
