//! Panics of user code as errors, so that one ends what it belongs to and no more.

use std::future::Future;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use crate::blocking::panic_text;
use crate::{Error, Result};

/// Runs a handler; a panic becomes an error that carries its text.
pub(super) async fn caught<T>(handler: impl Future<Output = Result<T>>) -> Result<T> {
    AssertUnwindSafe(handler)
        .catch_unwind()
        .await
        .unwrap_or_else(|panic| Err(Error::msg(format!("a handler panicked: {}", panic_text(&*panic)))))
}
