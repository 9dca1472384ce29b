//! What an application is configured with, under any text: patterns and the config file.

use crate::http::Request;
use crate::routing::{Route, ViewRouter, ViewTarget, path, re_path};

async fn view(_: Request) -> &'static str {
    "found"
}

/// Patterns: a line with a pattern, then one with a path. A router is built or its error is told; either way the
/// path is only matched.
///
/// # Panics
/// Never by itself: matching must not.
pub fn patterns(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (pattern, asked) = text.split_once('\n').unwrap_or((text, ""));
    let uri =
        format!("/{}", percent_encoding::utf8_percent_encode(asked, percent_encoding::NON_ALPHANUMERIC));
    ask(path(pattern, view), &uri);
    ask(re_path(pattern, view), &uri);
}

fn ask(route: Route<ViewTarget>, uri: &str) {
    let views = match ViewRouter::new([route]) {
        Ok(views) => views,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    let request = ::http::Request::builder().uri(uri).body(crate::http::Body::empty());
    let Ok(request) = request else { return };
    let mut views = views;
    use futures_util::FutureExt as _;
    use tower::Service as _;
    // The view waits for nothing.
    let answer = views.call(request).now_or_never().expect("an answer at once");
    let status = answer.map(|answer| answer.status().as_u16()).unwrap_or_default();
    assert!(matches!(status, 200 | 301 | 308 | 400 | 404), "{status}");
}

/// The config file: it is understood, or its mistakes are told with their places.
///
/// # Panics
/// When mistakes are told as nothing.
#[cfg(feature = "gateway")]
pub fn config(data: &[u8]) {
    use crate::gateway::{Loaded, Parts};

    let Ok(text) = std::str::from_utf8(data) else { return };
    match Loaded::of_text(text, &Parts::default()) {
        Ok(loaded) => {
            let _ = (loaded.show(), loaded.routes());
        }
        Err(error) => assert!(error.count() > 0 && !error.to_string().is_empty()),
    }
}
