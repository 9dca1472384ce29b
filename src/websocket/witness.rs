//! A place in the scope where the application's errors are told, so that a test's failure can show them.

use std::sync::Arc;

use crate::Scope;

/// Who wants to hear of errors. Stands in the scope of a test's conversation; no other scope has one.
#[derive(Clone)]
pub(crate) struct Witness(Arc<dyn Fn(&str) + Send + Sync>);

impl Witness {
    /// One who hears what went wrong, in a few words.
    pub(crate) fn new(hear: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hear))
    }

    /// Tells what the application did wrong, when someone is there to hear it.
    pub(super) fn tell(scope: &Scope, what: &str) {
        if let Some(witness) = scope.extensions.get::<Self>() {
            (witness.0)(what);
        }
    }
}
