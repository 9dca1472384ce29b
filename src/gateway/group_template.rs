//! A group's name with placeholders: `chat_{course_id}`, `user_{user.id}`.

use super::placeholders::{Mistake, Piece, parse_pieces};
use crate::layers::GroupName;
use crate::{KwargError, Result, Scope};

/// A group's name with placeholders for captures and the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupTemplate(Vec<Piece>);

impl GroupTemplate {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let pieces = parse_pieces(text, is_fine, FINE)?;
        if pieces.is_empty() {
            return Err(Mistake { at: 0, what: "an empty name".to_owned() });
        }
        Ok(Self(pieces))
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The name for a connection or request.
    ///
    /// # Errors
    /// A [`KwargError`] for a capture that is not there, and “not found” for one that no group's name can hold.
    pub(crate) fn fill(&self, scope: &Scope) -> Result<GroupName> {
        let mut name = String::new();
        for piece in &self.0 {
            name.push_str(&piece.fill(scope)?);
        }
        GroupName::new(&name).map_err(|_| KwargError::unfit("group", &name, "a group's name").into())
    }
}

/// What stands in a group's name.
fn is_fine(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '_' | '.')
}

const FINE: &str = "a group's name holds ASCII letters, digits, `-`, `_` and `.` only";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Protocol;

    #[test]
    fn placeholders_are_filled_from_captures() {
        let mut scope = Scope::new(Protocol::WEBSOCKET, "/");
        scope.url_route.kwargs.insert("course_id", "7");
        let template = GroupTemplate::parse("chat_{course_id}.x").unwrap();
        assert_eq!(template.fill(&scope).unwrap().as_str(), "chat_7.x");
        assert!(GroupTemplate::parse("{other}").unwrap().fill(&scope).is_err());
        scope.url_route.kwargs.insert("course_id", "a b");
        assert!(template.fill(&scope).unwrap_err().downcast_ref::<KwargError>().is_some());
    }

    #[test]
    fn mistakes_have_their_place() {
        for (text, at) in [("", 0), ("a b", 1), ("a{", 1), ("a}", 1), ("ab{}", 2), ("{x}{y", 3), ("é", 0)] {
            assert_eq!(GroupTemplate::parse(text).unwrap_err().at, at, "{text}");
        }
    }
}
