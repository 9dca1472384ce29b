//! Reads a password: unseen from a terminal, or the first line of what is piped in.

use std::io::{BufRead, IsTerminal, stdin};
use std::process::Command;

use super::CliError;

/// The password that the user types or a program gives.
pub(super) fn read_password() -> Result<String, CliError> {
    if !stdin().is_terminal() {
        return not_empty(read_line()?);
    }
    let hidden = Hidden::begin();
    eprint!("Password: ");
    let first = read_line();
    eprint!("\nPassword again: ");
    let second = read_line();
    eprintln!();
    drop(hidden);
    let (first, second) = (first?, second?);
    if first != second {
        return Err(CliError::new("the two passwords are not the same"));
    }
    not_empty(first)
}

fn read_line() -> Result<String, CliError> {
    let mut line = String::new();
    let read = stdin().lock().read_line(&mut line);
    read.map_err(|error| CliError::new(format!("the password cannot be read: {error}")))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn not_empty(password: String) -> Result<String, CliError> {
    if password.is_empty() {
        return Err(CliError::new("a password was expected on standard input, and none came"));
    }
    Ok(password)
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Hidden;

impl Hidden {
    fn begin() -> Self {
        set_echo("-echo");
        Self
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        set_echo("echo");
    }
}

/// By the system's own program: the standard library knows nothing of terminals.
fn set_echo(how: &str) {
    let _ = Command::new("stty").arg(how).status();
}
