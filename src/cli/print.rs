//! What commands say on standard output, which may be closed before all is said: `solent routes | head -1`.

use std::fmt;
use std::io::{ErrorKind, Write};

use super::CliError;

/// Says something that ends as it stands.
///
/// # Errors
/// [`CliError::unheard`] when nobody reads on, at which a command ends without a word; else why it cannot be written.
pub(super) fn print(text: impl fmt::Display) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    // A pipe would hold a line back.
    let said = write!(out, "{text}").and_then(|()| out.flush());
    said.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => CliError::unheard(),
        _ => CliError::new(format!("standard output: {error}")),
    })
}

/// Says a line, formatted as by `println!`; gives what [`print`] gives.
macro_rules! say {
    ($($text:tt)*) => {
        $crate::cli::print::print(format_args!("{}\n", format_args!($($text)*)))
    };
}
pub(super) use say;
