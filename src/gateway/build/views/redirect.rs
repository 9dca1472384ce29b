//! `redirect`: somewhere else, by address or by a route's name.

use std::fmt::Display;
use std::sync::Arc;

use crate::Result;
use crate::gateway::settings::Redirect;
use crate::http::{BoxedView, Request, RequestExt, redirect, redirect_permanently};
use crate::routing::ReverseError;

enum To {
    Url(String),
    Name(String),
}

/// A view that redirects.
pub(super) fn view(settings: &Redirect) -> BoxedView {
    let to = match (&settings.url, &settings.name) {
        (Some(url), _) => To::Url(url.value.clone()),
        (None, name) => To::Name(name.as_ref().map(|name| name.value.clone()).unwrap_or_default()),
    };
    let (to, permanent) = (Arc::new(to), settings.permanent);
    BoxedView::new(move |request| {
        let to = Arc::clone(&to);
        Box::pin(async move {
            let address = match &*to {
                To::Url(url) => url.clone(),
                To::Name(name) => reverse(&request, name)?,
            };
            Ok(if permanent { redirect_permanently(&address)? } else { redirect(&address)? })
        })
    })
}

/// The path of a named route, with those of the request's own captures that it takes.
pub(super) fn reverse(request: &Request, name: &str) -> Result<String> {
    let captures = request.kwargs();
    let mut given: Vec<(&str, &str)> = captures.iter().collect();
    loop {
        let args: Vec<(&str, &(dyn Display + Sync))> =
            given.iter().map(|(name, value)| (*name, value as &(dyn Display + Sync))).collect();
        match request.reverse(name, &args) {
            Err(ReverseError::Unexpected { argument, .. })
                if given.iter().any(|(name, _)| *name == argument) =>
            {
                given.retain(|(name, _)| *name != argument);
            }
            path => return Ok(path?),
        }
    }
}
