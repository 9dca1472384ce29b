//! The words of a template's tags, each with its place in the text.

pub(super) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The insides of `{{ … }}` and `{% … %}`, past comments and raw blocks.
pub(super) struct Tags<'t>(&'t str, usize);

impl<'t> Tags<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self(text, 0)
    }
}

impl Iterator for Tags<'_> {
    type Item = std::ops::Range<usize>;

    fn next(&mut self) -> Option<Self::Item> {
        let Self(text, at) = self;
        loop {
            let open = *at + text[*at..].find('{')?;
            *at = open + 1;
            let close = match text.as_bytes().get(open + 1) {
                Some(b'{') => "}}",
                Some(b'%') => "%}",
                Some(b'#') => "#}",
                _ => continue,
            };
            let start = open + 2;
            let end = end_of_tag(text, start, close);
            *at = end;
            match (close, text[start..end].trim_matches(['-', '+']).trim()) {
                ("#}", _) => {}
                ("%}", "raw") => {
                    *at = text[end..].find("endraw").map_or(text.len(), |raw| end + raw);
                }
                _ => return Some(start..end),
            }
        }
    }
}

/// Where a tag ends: at its closing mark, outside of quotes. Comments know no quotes.
fn end_of_tag(text: &str, start: usize, close: &str) -> usize {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, character) in text[start..].char_indices().map(|(at, character)| (start + at, character)) {
        if std::mem::take(&mut is_escaped) {
            continue;
        }
        match (quote, character) {
            (Some(_), '\\') => is_escaped = true,
            (None, _) if text[at..].starts_with(close) => return at,
            (None, '"' | '\'') if close != "#}" => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    text.len()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word<'t> {
    Name(&'t str),
    Quoted(&'t str),
    Other(&'t str),
}

/// The words of a tag, each with its place. An attribute (`.url`) is not a name.
pub(super) struct Words<'t> {
    text: &'t str,
    at: usize,
    end: usize,
}

impl<'t> Words<'t> {
    /// The words between two places of a text.
    pub(super) fn of(text: &'t str, part: std::ops::Range<usize>) -> Self {
        Self { text, at: part.start, end: part.end }
    }
}

impl<'t> Iterator for Words<'t> {
    type Item = (usize, Word<'t>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.text[self.at..self.end].trim_start();
        let at = self.end - rest.len();
        let first = rest.chars().next()?;
        let (length, word) = match first {
            '"' | '\'' => {
                let inner = &rest[1..];
                let end = end_of_quote(inner, first);
                ((end + 2).min(rest.len()), Word::Quoted(&inner[..end]))
            }
            _ if is_name(first) => {
                let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
                let is_attribute = self.text[..at].trim_end().ends_with('.');
                let word = &rest[..end];
                (end, if is_attribute { Word::Other(word) } else { Word::Name(word) })
            }
            _ => (first.len_utf8(), Word::Other(&rest[..first.len_utf8()])),
        };
        self.at = at + length;
        Some((at, word))
    }
}

/// Where the text after a quotation mark ends.
fn end_of_quote(inner: &str, quote: char) -> usize {
    let mut is_escaped = false;
    let end = inner.find(|character| match character {
        _ if std::mem::take(&mut is_escaped) => false,
        '\\' => {
            is_escaped = true;
            false
        }
        _ => character == quote,
    });
    end.unwrap_or(inner.len())
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}
