//! A place in the scope where the application's errors are told, so that failures can show them.

use super::Transcript;
use crate::Scope;

/// Stands in a communicator's scope; no other scope has one.
#[derive(Clone)]
pub(crate) struct Witness(Transcript);

impl Witness {
    pub(super) fn new(transcript: Transcript) -> Self {
        Self(transcript)
    }

    /// Notes what the application did wrong, when a communicator is there to be told.
    pub(crate) fn tell(scope: &Scope, what: &str) {
        if let Some(witness) = scope.extensions.get::<Self>() {
            witness.0.note(format!("!! {what}"));
        }
    }
}
