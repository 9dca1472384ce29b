//! Conditional requests (RFC 9110 section 13): whether the version of a file is one that the client has, or wants.

use ::http::header::{self, HeaderName};
use ::http::{HeaderMap, HeaderValue};
use httpdate::HttpDate;

/// What a request's conditions mean for a version of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is sent.
    Passed,
    /// It is another one than the client asks for.
    Failed,
    /// The client has it.
    Unchanged,
}

impl Verdict {
    /// A condition on the tag counts more than one on the date (section 13.2.2).
    pub(super) fn of(asked: &HeaderMap, tag: &str, modified: Option<HttpDate>) -> Self {
        let is_newer_than = |name| date(asked, name).zip(modified).map(|(date, modified)| modified > date);
        let is_wanted = match tags(asked, &header::IF_MATCH) {
            Some(mut tags) => tags.any(|listed| listed == b"*" || listed == tag.as_bytes()),
            None => is_newer_than(header::IF_UNMODIFIED_SINCE) != Some(true),
        };
        let is_known = match tags(asked, &header::IF_NONE_MATCH) {
            Some(mut tags) => tags.any(|listed| listed == b"*" || without_weakness(listed) == tag.as_bytes()),
            None => is_newer_than(header::IF_MODIFIED_SINCE) == Some(false),
        };
        match (is_wanted, is_known) {
            (false, _) => Self::Failed,
            (true, true) => Self::Unchanged,
            (true, false) => Self::Passed,
        }
    }
}

/// The elements of all lines of a list; `None` without the field. Our own tags hold no comma.
fn tags<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Option<impl Iterator<Item = &'h [u8]>> {
    let mut lines = headers.get_all(name).iter().map(HeaderValue::as_bytes).peekable();
    lines.peek()?;
    Some(lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii))
}

fn without_weakness(tag: &[u8]) -> &[u8] {
    tag.strip_prefix(b"W/").unwrap_or(tag)
}

/// A field that is one date; anything else is ignored (sections 13.1.3 and 13.1.4).
fn date(headers: &HeaderMap, name: HeaderName) -> Option<HttpDate> {
    headers.get(name)?.to_str().ok()?.parse().ok()
}
