//! A path at a server behind, with placeholders: `/may-chat/{course_id}/?user={user.id}`.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::placeholders::{Mistake, Piece, parse_pieces};
use crate::Scope;

/// What is put into a path, or a query, is one part of it and stays so.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A path with placeholders for captures and the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathTemplate(Vec<Piece>);

impl PathTemplate {
    /// Reads a path.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        if !text.starts_with('/') {
            return Err(Mistake { at: 0, what: "a path that does not begin with `/`".to_owned() });
        }
        parse_pieces(text, is_fine, FINE).map(Self)
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The path for a connection or request; `None` without a capture, or where one would name another folder.
    pub(crate) fn fill(&self, scope: &Scope) -> Option<String> {
        let mut path = String::new();
        for piece in &self.0 {
            let part = piece.fill(scope).ok()?;
            match piece {
                Piece::Text(text) => path.push_str(text),
                _ if matches!(part.as_str(), "." | "..") => return None,
                _ => path.extend(utf8_percent_encode(&part, PART)),
            }
        }
        Some(path)
    }
}

/// What stands in a path or query as it is (RFC 3986 section 3.3 and 3.4); `%` begins what is encoded.
fn is_fine(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@/?%".contains(character)
}

const FINE: &str = "a path holds no blanks, and other letters than those of ASCII percent-encoded only";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    #[test]
    fn what_is_put_into_a_path_stays_one_part_of_it() {
        let template = PathTemplate::parse("/may/{room}/?who={user.username}").unwrap();
        let mut scope = Scope::new(Protocol::WEBSOCKET, "/");
        assert_eq!(template.fill(&scope), None, "no capture");
        for (room, path) in [
            ("7", "/may/7/?who="),
            ("a/b?c#d é", "/may/a%2Fb%3Fc%23d%20%C3%A9/?who="),
            ("a.b", "/may/a.b/?who="),
        ] {
            scope.url_route.kwargs.insert("room", room);
            assert_eq!(template.fill(&scope).as_deref(), Some(path));
        }
        scope.url_route.kwargs.insert("room", "..");
        assert_eq!(template.fill(&scope), None);
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, at) in [("", 0), ("may/", 0), ("/a b", 2), ("/a{", 2), ("/é", 1), ("/#", 1)] {
            assert_eq!(PathTemplate::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
