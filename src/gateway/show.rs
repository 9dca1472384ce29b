//! Every value in force, and where it came from.

use std::fmt::Write;

use super::reader::{Effective, Source};

/// Where the sources begin, unless a value is longer.
const COLUMN: usize = 48;

/// As a config file, with the source of each value as a comment.
pub(super) fn show(effective: &[Effective]) -> String {
    let mut text = String::new();
    let mut heading = "";
    for value in effective {
        if value.heading != heading || (heading.starts_with("[[") && is_first(effective, value)) {
            heading = &value.heading;
            let _ = writeln!(text, "\n{heading}");
        }
        let line = format!("{} = {}", value.key, value.value);
        let _ = writeln!(text, "{line:COLUMN$} # {}", source(&value.source));
    }
    text
}

/// Whether a value is the first of its item in a list of tables.
fn is_first(effective: &[Effective], value: &Effective) -> bool {
    let item = |of: &Effective| of.item;
    let at = effective.iter().position(|other| std::ptr::eq(other, value)).unwrap_or_default();
    at == 0 || item(&effective[at - 1]) != value.item
}

fn source(source: &Source) -> String {
    let Source::File { line, variables, files } = source else { return "default".to_owned() };
    let mut text = format!("line {line}");
    for variable in variables {
        let _ = write!(text, ", ${variable}");
    }
    for file in files {
        let _ = write!(text, ", file {file}");
    }
    text
}
