//! What a template's text refers to: other templates, routes by their names, filters, tests and functions.
//!
//! The engine checks these only when a page is rendered. Reading the literal ones out of the text finds them before
//! anyone asks for the page; names that are computed stay the engine's to check.

use std::collections::BTreeSet;

use super::words::{Tags, Word, Words, place};

/// A reference, with its place in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference<'t> {
    pub(super) target: Target<'t>,
    /// From 1.
    pub(super) line: usize,
    /// From 1, in characters.
    pub(super) column: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target<'t> {
    /// `url("name", …)`.
    Route(&'t str, Arguments<'t>),
    /// `{% extends "name" %}`, and its relatives.
    Template(&'t str),
    /// `value|name`.
    Filter(&'t str),
    /// `value is name`.
    Test(&'t str),
    /// `name(…)`.
    Function(&'t str),
}

/// What stands behind the name in `url("name", …)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arguments<'t> {
    /// Each name, with its value where that is written out.
    Named(Vec<(&'t str, Option<&'t str>)>),
    /// `url("name", 1)`.
    Positional,
    /// `url("name", **arguments)`: known when the page is rendered.
    Computed,
}

/// The references in a template's text, in order.
pub(super) fn references(text: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    for tag in tags(text) {
        for at in 0..tag.words.len() {
            if let Some(target) = tag.target(at) {
                let (line, column) = place(text, tag.words[at].0);
                found.push(Reference { target, line, column });
            }
        }
    }
    found
}

/// The names that a template gives values to: by `set`, `macro`, `import`, `for` and the like.
pub(super) fn definitions(text: &str) -> BTreeSet<&str> {
    let mut found = BTreeSet::new();
    for tag in tags(text).filter(Tag::gives_names) {
        for at in 1..tag.words.len() {
            let is_macro = matches!(tag.before(at, 1), Some(Word::Name("macro")));
            if let Word::Name(name) = tag.words[at].1
                && (is_macro || !tag.is_called(at))
            {
                found.insert(name);
            }
        }
    }
    found
}

fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    Tags::of(text).map(move |tag| Tag {
        is_block: text[..tag.start].ends_with('%'),
        may_miss: text[tag.clone()].contains("ignore missing"),
        words: Words::of(text, tag).filter(|(_, word)| !is_trimming(*word)).collect(),
    })
}

/// The `-` and `+` of `{%-`, which are no words of the tag. Arithmetic's are left out too: nothing here asks for them.
fn is_trimming(word: Word<'_>) -> bool {
    matches!(word, Word::Other("-" | "+"))
}

/// The inside of `{{ … }}` or `{% … %}`.
struct Tag<'t> {
    is_block: bool,
    /// `ignore missing`.
    may_miss: bool,
    words: Vec<(usize, Word<'t>)>,
}

/// What may stand before a bracket and is no function.
const KEYWORDS: [&str; 8] = ["if", "else", "and", "or", "not", "in", "is", "recursive"];

impl<'t> Tag<'t> {
    fn before(&self, at: usize, count: usize) -> Option<Word<'t>> {
        self.words.get(at.checked_sub(count)?).map(|(_, word)| *word)
    }

    fn is_called(&self, at: usize) -> bool {
        matches!(self.words.get(at + 1), Some((_, Word::Other("("))))
    }

    fn gives_names(&self) -> bool {
        let first = self.words.first().map(|(_, word)| *word);
        let giving = ["set", "macro", "from", "import", "for", "with", "call"];
        self.is_block && matches!(first, Some(Word::Name(word)) if giving.contains(&word))
    }

    fn target(&self, at: usize) -> Option<Target<'t>> {
        match self.words[at].1 {
            Word::Quoted(text) => self.target_of_text(at, text),
            Word::Name(name) => self.target_of_name(at, name),
            Word::Other(_) => None,
        }
    }

    /// What a quoted text refers to, by the words before it.
    fn target_of_text(&self, at: usize, text: &'t str) -> Option<Target<'t>> {
        match (self.before(at, 3), self.before(at, 2), self.before(at, 1)?) {
            (_, Some(Word::Name("url")), Word::Other("(")) => {
                Some(Target::Route(text, arguments(&self.words[at + 1..])))
            }
            (Some(Word::Other("|")), Some(Word::Name("map")), Word::Other("(")) => Some(Target::Filter(text)),
            (Some(Word::Other("|")), Some(Word::Name("select" | "reject")), Word::Other("(")) => {
                Some(Target::Test(text))
            }
            (_, _, Word::Name("extends" | "include" | "import" | "from"))
                if self.is_block && !self.may_miss =>
            {
                Some(Target::Template(text))
            }
            _ => None,
        }
    }

    fn target_of_name(&self, at: usize, name: &'t str) -> Option<Target<'t>> {
        match (self.before(at, 2), self.before(at, 1)) {
            (_, Some(Word::Other("|"))) => Some(Target::Filter(name)),
            (None, Some(Word::Name("filter"))) if self.is_block => Some(Target::Filter(name)),
            (_, Some(Word::Name("is"))) if name != "not" => Some(Target::Test(name)),
            (Some(Word::Name("is")), Some(Word::Name("not"))) => Some(Target::Test(name)),
            (_, Some(Word::Name("macro"))) => None,
            (_, None) if self.is_block => None,
            _ if self.is_called(at) && !KEYWORDS.contains(&name) => Some(Target::Function(name)),
            _ => None,
        }
    }
}

/// The arguments of `url(…)` in the words behind the route's name.
fn arguments<'t>(words: &[(usize, Word<'t>)]) -> Arguments<'t> {
    let mut named = Vec::new();
    let mut depth = 0_usize;
    let word = |at: usize| words.get(at).map(|(_, word)| *word);
    for (at, (_, here)) in words.iter().enumerate() {
        match here {
            Word::Other(")") if depth == 0 => break,
            Word::Other("(" | "[" | "{") => depth += 1,
            Word::Other(")" | "]" | "}") => depth = depth.saturating_sub(1),
            Word::Other(",") if depth == 0 => match (word(at + 1), word(at + 2), word(at + 3)) {
                (Some(Word::Name(name)), Some(Word::Other("=")), value)
                    if value != Some(Word::Other("=")) =>
                {
                    named.push((name, written_out(value, word(at + 4))));
                }
                (Some(Word::Other("*")), _, _) => return Arguments::Computed,
                (None | Some(Word::Other(")")), _, _) => {}
                _ => return Arguments::Positional,
            },
            _ => {}
        }
    }
    Arguments::Named(named)
}

/// A value that is a text or a whole number, and nothing more.
fn written_out<'t>(value: Option<Word<'t>>, next: Option<Word<'t>>) -> Option<&'t str> {
    if !matches!(next, Some(Word::Other("," | ")"))) {
        return None;
    }
    match value? {
        Word::Quoted(text) if !text.contains('\\') => Some(text),
        Word::Name(number) if number.bytes().all(|byte| byte.is_ascii_digit()) => Some(number),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Target, definitions, references};

    fn found(text: &str) -> Vec<(Target<'_>, usize, usize)> {
        let found = references(text).into_iter().filter(|found| found.target != Target::Function("url"));
        found.map(|found| (found.target, found.line, found.column)).collect()
    }

    /// The targets alone, of which functions are none that anybody asks about here.
    fn targets(text: &str) -> Vec<Target<'_>> {
        let targets = references(text).into_iter().map(|found| found.target);
        targets.filter(|target| *target != Target::Function("url")).collect()
    }

    fn named<'t>(arguments: &[(&'t str, Option<&'t str>)]) -> Arguments<'t> {
        Arguments::Named(arguments.to_vec())
    }

    #[test]
    fn literal_names_are_found_with_their_places() {
        let text = "{% extends \"base.html\" %}\n<a href=\"{{ url('chat:room', course_id=1) }}\">\u{e9}{{url( \"b\" )}}";
        assert_eq!(
            found(text),
            [
                (Target::Template("base.html"), 1, 12),
                (Target::Route("chat:room", named(&[("course_id", Some("1"))])), 2, 17),
                (Target::Route("b", named(&[])), 2, 55),
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
            "{% if (a) and not (b) %}",
            "{% macro mine(a) %}",
            "{{ a.is }}",
            "{{ 'it\\'s |no' }}",
            "{{ url(name) }}",
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
        assert_eq!(found("{% set x = url(\"a\") %}"), [(Target::Route("a", named(&[])), 1, 16)]);
        assert_eq!(found("{%- from \"m.html\" import x -%}"), [(Target::Template("m.html"), 1, 10)]);
    }

    #[test]
    fn arguments_are_read_as_far_as_they_are_written_out() {
        for (text, expected) in [
            (r#"url("a", b=1, c='x')"#, named(&[("b", Some("1")), ("c", Some("x"))])),
            (r#"url("a", b=x.y, c=(1, d), e=[1, 2])"#, named(&[("b", None), ("c", None), ("e", None)])),
            (r#"url("a", b=1 + 2,)"#, named(&[("b", None)])),
            (r#"url("a", b="x" ~ y)"#, named(&[("b", None)])),
            (r#"url("a", **rest)"#, Arguments::Computed),
            (r#"url("a", 1)"#, Arguments::Positional),
            (r#"url("a", b == 1)"#, Arguments::Positional),
        ] {
            assert_eq!(targets(&format!("{{{{ {text} }}}}")), [Target::Route("a", expected)], "{text}");
        }
    }

    #[test]
    fn filters_tests_and_functions_are_found_where_they_can_stand() {
        use Target::{Filter, Function, Test};
        for (text, expected) in [
            ("{{ a|upper|join(',') }}", vec![Filter("upper"), Filter("join")]),
            (
                "{{ a | map('lower') | select('odd') }}",
                vec![Filter("map"), Filter("lower"), Filter("select"), Test("odd")],
            ),
            ("{% filter upper %}", vec![Filter("upper")]),
            (
                "{% if a is odd or b is not even and c is in (1) %}",
                vec![Test("odd"), Test("even"), Test("in")],
            ),
            ("{%- if range(a) -%}", vec![Function("range")]),
            ("{% call(x) box() %}", vec![Function("box")]),
        ] {
            assert_eq!(targets(text), expected, "{text}");
        }
    }

    #[test]
    fn names_are_given_by_the_tags_that_give_names() {
        let text =
            "{% macro box(a) %}{% set b = f(1) %}{% from 'm' import c as d %}{% for e, g in h() %}{{ i }}";
        let given: Vec<_> = definitions(text).into_iter().collect();
        for name in ["a", "b", "box", "d", "e", "g"] {
            assert!(given.contains(&name), "{name} is missing in {given:?}");
        }
        for name in ["f", "h", "i"] {
            assert!(!given.contains(&name), "{name} in {given:?}");
        }
    }
}
