//! Colour on terminals, unless `NO_COLOR` is set.

use std::io::IsTerminal;

/// Colours texts, or does not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paint(bool);

impl Paint {
    /// For what goes to standard error.
    pub(super) fn of_stderr() -> Self {
        Self(wanted() && std::io::stderr().is_terminal())
    }

    pub(super) fn is_on(self) -> bool {
        self.0
    }

    pub(super) fn red(self, text: &str) -> String {
        if self.0 { format!("\u{1b}[1;31m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// <https://no-color.org>: any value but the empty one.
fn wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
