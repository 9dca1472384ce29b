//! A group's name with placeholders: `chat_{course_id}`, `user_{user.id}`.

use crate::layers::GroupName;
use crate::{KwargError, Result, Scope};

/// A group's name with placeholders for captures and the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GroupTemplate(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Capture(String),
    UserId,
    Username,
}

/// What is wrong with a template, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: usize,
    pub(crate) what: String,
}

impl GroupTemplate {
    /// Reads a template.
    pub(crate) fn parse(text: &str) -> Result<Self, Mistake> {
        let mut pieces = Vec::new();
        let mut at = 0;
        while let Some(open) = text[at..].find(['{', '}']).map(|found| at + found) {
            let mistake = |what: &str| Mistake { at: open, what: what.to_owned() };
            push_text(&mut pieces, &text[at..open], at)?;
            if text[open..].starts_with('}') {
                return Err(mistake("a `}` without its `{`"));
            }
            let close = text[open..].find('}').ok_or_else(|| mistake("a `{` without its `}`"))?;
            pieces.push(match &text[open + 1..open + close] {
                "" => return Err(mistake("a placeholder without a name")),
                "user.id" => Piece::UserId,
                "user.username" => Piece::Username,
                name => Piece::Capture(name.to_owned()),
            });
            at = open + close + 1;
        }
        push_text(&mut pieces, &text[at..], at)?;
        if pieces.is_empty() {
            return Err(Mistake { at: 0, what: "an empty name".to_owned() });
        }
        Ok(Self(pieces))
    }

    pub(crate) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// Whether the name depends on who is there.
    pub(crate) fn needs_user(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::UserId | Piece::Username))
    }

    /// The name for a connection or request.
    ///
    /// # Errors
    /// A [`KwargError`] for a capture that is not there, and “not found” for one that no group's name can hold.
    pub(crate) fn fill(&self, scope: &Scope) -> Result<GroupName> {
        let mut name = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Capture(capture) => name.push_str(&scope.url_route.get::<String>(capture)?),
                Piece::UserId => name.push_str(scope.user.account().map_or("", |account| &account.id)),
                Piece::Username => name.push_str(scope.user.username()),
            }
        }
        GroupName::new(&name).map_err(|_| KwargError::unfit("group", &name, "a group's name").into())
    }
}

fn push_text(pieces: &mut Vec<Piece>, text: &str, at: usize) -> Result<(), Mistake> {
    let wrong = text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')));
    if let Some(wrong) = wrong {
        let what = "a group's name holds ASCII letters, digits, `-`, `_` and `.` only".to_owned();
        return Err(Mistake { at: at + wrong, what });
    }
    if !text.is_empty() {
        pieces.push(Piece::Text(text.to_owned()));
    }
    Ok(())
}

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
