//! Texts with placeholders for a route's captures and its user: `{course_id}`, `{user.id}`, `{user.username}`.

use crate::{KwargError, Scope};

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(String),
    Capture(String),
    UserId,
    Username,
}

/// What is wrong with a text, and at which byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) at: usize,
    pub(crate) what: String,
}

impl Piece {
    /// Its text for a connection or request.
    ///
    /// # Errors
    /// For a capture that is not there.
    pub(crate) fn fill(&self, scope: &Scope) -> Result<String, KwargError> {
        Ok(match self {
            Self::Text(text) => text.clone(),
            Self::Capture(capture) => scope.url_route.get::<String>(capture)?,
            Self::UserId => scope.user.account().map_or_else(String::new, |account| account.id.clone()),
            Self::Username => scope.user.username().to_owned(),
        })
    }

    /// Whether it depends on who is there.
    pub(crate) fn needs_user(&self) -> bool {
        matches!(self, Self::UserId | Self::Username)
    }
}

/// Reads a text, which holds fine characters only, for the reason `why`.
pub(crate) fn parse_pieces(text: &str, is_fine: fn(char) -> bool, why: &str) -> Result<Vec<Piece>, Mistake> {
    let mut pieces = Vec::new();
    let push_text = |pieces: &mut Vec<Piece>, from: usize, to: usize| {
        let part = &text[from..to];
        if let Some(wrong) = part.find(|character| !is_fine(character)) {
            return Err(Mistake { at: from + wrong, what: why.to_owned() });
        }
        if !part.is_empty() {
            pieces.push(Piece::Text(part.to_owned()));
        }
        Ok(())
    };
    let mut at = 0;
    while let Some(open) = text[at..].find(['{', '}']).map(|found| at + found) {
        let mistake = |what: &str| Mistake { at: open, what: what.to_owned() };
        push_text(&mut pieces, at, open)?;
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
    push_text(&mut pieces, at, text.len())?;
    Ok(pieces)
}
