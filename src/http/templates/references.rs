//! What a template's text refers to: other templates, and routes by their names.
//!
//! The engine checks these only when a page is rendered. Reading the literal ones out of the text finds them before
//! anyone asks for the page; names that are computed stay the engine's to check.

/// A reference, with its place in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) target: Target<'t>,
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target<'t> {
    /// `url("name", …)`.
    Route(&'t str),
    /// `{% extends "name" %}`, and its relatives.
    Template(&'t str),
}

/// The references in a template's text, in order.
pub(super) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for tag in Tags(text, 0) {
        let words = Words { text, at: tag.start, end: tag.end };
        let mut earlier = [Word::Other(""); 2];
        let is_block = text[..tag.start].ends_with('%');
        for (at, word) in words {
            if let Word::Quoted(name) = word
                && let Some(target) =
                    target_of(earlier, name, is_block, text[at..tag.end].contains("ignore missing"))
            {
                let (line, column) = place(text, at);
                found.push(Reference { target, line, column });
            }
            earlier = [earlier[1], word];
        }
    }
    found
}

/// What a quoted text refers to, by the two words before it.
fn target_of<'t>(before: [Word<'t>; 2], name: &'t str, is_block: bool, may_miss: bool) -> Option<Target<'t>> {
    match before {
        [Word::Name("url"), Word::Other("(")] => Some(Target::Route(name)),
        [_, Word::Name("extends" | "include" | "import" | "from")] if is_block && !may_miss => {
            Some(Target::Template(name))
        }
        _ => None,
    }
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The insides of `{{ … }}` and `{% … %}`, past comments and raw blocks.
struct Tags<'t>(&'t str, usize);

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
    for (at, character) in text[start..].char_indices().map(|(at, character)| (start + at, character)) {
        match (quote, character) {
            (None, _) if text[at..].starts_with(close) => return at,
            (None, '"' | '\'') if close != "#}" => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => {}
        }
    }
    text.len()
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'t> {
    Name(&'t str),
    Quoted(&'t str),
    Other(&'t str),
}

/// The words of a tag, each with its place. An attribute (`.url`) is not a name.
struct Words<'t> {
    text: &'t str,
    at: usize,
    end: usize,
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
                let end = inner.find(first).unwrap_or(inner.len());
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

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[cfg(test)]
mod tests {
    use super::{Target, references};

    fn found(text: &str) -> Vec<(Target<'_>, usize, usize)> {
        references(text).into_iter().map(|found| (found.target, found.line, found.column)).collect()
    }

    #[test]
    fn literal_names_are_found_with_their_places() {
        let text = "{% extends \"base.html\" %}\n<a href=\"{{ url('chat:room', course_id=1) }}\">\u{e9}{{url( \"b\" )}}";
        assert_eq!(
            found(text),
            [
                (Target::Template("base.html"), 1, 12),
                (Target::Route("chat:room"), 2, 17),
                (Target::Route("b"), 2, 55),
            ]
        );
    }

    #[test]
    fn what_is_no_reference_is_left_alone() {
        for text in [
            "",
            "{",
            "{{",
            "{%",
            "{{ '",
            "url(\"a\")",
            "{# {{ url(\"a\") }} #}",
            "{{ course.url(\"a\") }}",
            "{{ url(name) }}",
            "{{ my_url(\"a\") }}",
            "{% raw %}{{ url(\"a\") }}{% endraw %}",
            "{{ \"}} url(\" }}",
            "{% include \"a\" ignore missing %}",
            "{{ include \"a\" }}",
            "{# it's #}",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn a_name_inside_of_a_block_tag_counts() {
        assert_eq!(found("{% set x = url(\"a\") %}"), [(Target::Route("a"), 1, 16)]);
        assert_eq!(found("{%- from \"m.html\" import x -%}"), [(Target::Template("m.html"), 1, 10)]);
    }
}
