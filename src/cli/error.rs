//! What a command tells its user when it did not work.

use std::fmt;

use crate::Error;
use crate::gateway::{BuildError, ConfigError};

/// Why a command did not do what it was asked for: one paragraph for its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError(Option<String>);

impl CliError {
    /// An error with a text for the user.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Some(text.into()))
    }

    /// Any error, with what caused it.
    pub fn of(error: impl Into<Error>) -> Self {
        Self(Some(error.into().chain()))
    }

    /// Nobody reads what the command says, which is no failure.
    pub(super) fn unheard() -> Self {
        Self(None)
    }

    pub(super) fn is_unheard(&self) -> bool {
        self.0.is_none()
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_deref().unwrap_or("nobody reads the output"))
    }
}

impl std::error::Error for CliError {}

impl From<BuildError> for CliError {
    fn from(error: BuildError) -> Self {
        Self::of(error)
    }
}

impl From<ConfigError> for CliError {
    fn from(error: ConfigError) -> Self {
        Self::of(BuildError::from(error))
    }
}
