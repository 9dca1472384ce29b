//! Named parameters, rewritten to the database's own placeholders.
//!
//! A small tokenizer knows what is not a parameter: strings, quoted identifiers, comments, casts (`::`) and, in
//! PostgreSQL, dollar quotes.

use std::fmt::Write;

use super::{DatabaseError, Parameter};

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// SQL with placeholders, and the values for them in their order.
#[derive(Debug, PartialEq)]
pub(super) struct Statement<'a> {
    pub(super) sql: String,
    pub(super) values: Vec<Named<'a>>,
}

/// A parameter's value with its name, for messages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Named<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a Parameter,
}

impl<'a> Statement<'a> {
    /// Rewrites `sql`. A parameter that is used twice is bound once; a list becomes one placeholder per item, and
    /// an empty one `NULL`, which nothing is in.
    pub(super) fn new(
        sql: &str,
        dialect: Dialect,
        parameters: &'a [(&'a str, Parameter)],
    ) -> Result<Self, DatabaseError> {
        let mut statement = Self { sql: String::with_capacity(sql.len() + 16), values: Vec::new() };
        statement.append(sql, dialect, parameters)?;
        Ok(statement)
    }

    /// Asks of one query and many sets of values for which of them it finds a row: a statement whose rows hold the
    /// numbers of those sets, as `number`.
    pub(super) fn exist(
        sql: &str,
        dialect: Dialect,
        sets: &'a [&'a [(&'a str, Parameter)]],
    ) -> Result<Self, DatabaseError> {
        let mut statement = Self { sql: String::new(), values: Vec::new() };
        for (number, parameters) in sets.iter().enumerate() {
            let union = if number == 0 { "" } else { " UNION ALL " };
            // Writing to a string cannot fail.
            let _ = write!(statement.sql, "{union}SELECT {number} AS number WHERE EXISTS (");
            statement.append(sql, dialect, parameters)?;
            // On a line of its own, in case the query ends in a comment.
            statement.sql.push_str("\n)");
        }
        Ok(statement)
    }

    fn append(
        &mut self,
        sql: &str,
        dialect: Dialect,
        parameters: &'a [(&'a str, Parameter)],
    ) -> Result<(), DatabaseError> {
        let mut rest = sql;
        while !rest.is_empty() {
            let after_word = self.sql.ends_with(is_of_word);
            let (length, token) = next_token(rest, dialect, &self.sql, after_word);
            let (text, next) = rest.split_at(length);
            match token {
                Token::Plain => self.sql.push_str(text),
                Token::Parameter => self.place(&text[1..], dialect, parameters)?,
                Token::Foreign => {
                    let message = format!("expected parameters as :name, found {text:?} in {sql:?}");
                    return Err(DatabaseError::Statement(message));
                }
            }
            rest = next;
        }
        Ok(())
    }

    /// The byte of the SQL as it was written from which a byte of the rewritten one comes.
    pub(super) fn origin(
        sql: &str,
        dialect: Dialect,
        parameters: &'a [(&'a str, Parameter)],
        at: usize,
    ) -> Option<usize> {
        let mut statement = Self { sql: String::new(), values: Vec::new() };
        let mut read = 0;
        while read < sql.len() {
            let after_word = statement.sql.ends_with(is_of_word);
            let (length, token) = next_token(&sql[read..], dialect, &statement.sql, after_word);
            let before = statement.sql.len();
            let text = &sql[read..read + length];
            match token {
                Token::Parameter => statement.place(&text[1..], dialect, parameters).ok()?,
                Token::Plain | Token::Foreign => statement.sql.push_str(text),
            }
            if at < statement.sql.len() {
                return Some(if matches!(token, Token::Parameter) { read } else { read + at - before });
            }
            read += length;
        }
        // The end, where something is missing.
        Some(sql.trim_end().len())
    }

    /// A text of the database's, in which placeholders are called by their parameters' names.
    pub(super) fn in_names(&self, text: &str, sign: char) -> String {
        let numbered = self.values.iter().enumerate().rev();
        numbered.fold(text.to_owned(), |text, (index, named)| {
            text.replace(&format!("{sign}{}", index + 1), &format!(":{}", named.name))
        })
    }

    fn place(
        &mut self,
        name: &str,
        dialect: Dialect,
        parameters: &'a [(&'a str, Parameter)],
    ) -> Result<(), DatabaseError> {
        let Some((name, value)) = parameters.iter().find(|(known, _)| *known == name) else {
            let known: Vec<_> = parameters.iter().map(|(name, _)| format!(":{name}")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(DatabaseError::Statement(format!("no value for parameter :{name}; given: {known}")));
        };
        let items = match value {
            Parameter::List(items) => &items[..],
            _ => std::slice::from_ref(value),
        };
        if items.is_empty() {
            self.sql.push_str("NULL");
        }
        for (index, value) in items.iter().enumerate() {
            if index > 0 {
                self.sql.push_str(", ");
            }
            let number = self.number_of(Named { name, value });
            let sign = if dialect == Dialect::Sqlite { '?' } else { '$' };
            // Writing to a string cannot fail.
            let _ = write!(self.sql, "{sign}{number}");
        }
        Ok(())
    }

    /// The number of a value's placeholder; the same one when it has been placed before.
    fn number_of(&mut self, named: Named<'a>) -> usize {
        let placed = self.values.iter().position(|known| std::ptr::eq(known.value, named.value));
        placed.map_or_else(
            || {
                self.values.push(named);
                self.values.len()
            },
            |index| index + 1,
        )
    }
}

/// The names of a statement's parameters, each once, in order.
pub(super) fn names(sql: &str, dialect: Dialect) -> Vec<&str> {
    let mut names = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let before = &sql[..at];
        let after_word = before.ends_with(is_of_word);
        let (length, token) = next_token(&sql[at..], dialect, before, after_word);
        let name = &sql[at..at + length];
        if matches!(token, Token::Parameter) && !names.contains(&&name[1..]) {
            names.push(&name[1..]);
        }
        at += length;
    }
    names
}

/// Whether a sign behind this one goes on with a word.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

enum Token {
    Plain,
    Parameter,
    /// A placeholder of the database's own, which cannot be told from the rewritten ones.
    Foreign,
}

/// The length of the token at the beginning of `rest`, at least one character, and what it is.
fn next_token(rest: &str, dialect: Dialect, before: &str, after_word: bool) -> (usize, Token) {
    let postgres = dialect == Dialect::Postgres;
    let plain = |length| (length, Token::Plain);
    match rest.as_bytes()[0] {
        b'\'' => plain(quoted(rest, '\'', postgres && has_escapes(before))),
        b'"' => plain(quoted(rest, '"', false)),
        b'`' if !postgres => plain(quoted(rest, '`', false)),
        b'[' if !postgres => plain(rest.find(']').map_or(rest.len(), |end| end + 1)),
        b'-' if rest.starts_with("--") => plain(rest.find('\n').unwrap_or(rest.len())),
        b'/' if rest.starts_with("/*") => plain(comment(rest, postgres)),
        b'$' if postgres && !after_word => match dollar_quoted(rest) {
            Some(length) => plain(length),
            None => (1 + digits(&rest[1..]), Token::Foreign),
        },
        b'?' | b'@' | b'$' if !postgres && !after_word => (1 + word(&rest[1..]), Token::Foreign),
        b':' if rest.starts_with("::") => plain(2),
        b':' => match word(&rest[1..]) {
            0 => plain(1),
            length => (1 + length, Token::Parameter),
        },
        _ => plain(rest.find(|c| "'\"`[-/$?@:".contains(c)).filter(|&end| end > 0).unwrap_or_else(|| {
            // A sign that begins nothing here, or the end.
            let first = rest.chars().next().map_or(1, char::len_utf8);
            if rest.starts_with(|c| "'\"`[-/$?@:".contains(c)) { first } else { rest.len() }
        })),
    }
}

/// The length of the identifier at the beginning of `text`; one that begins with a digit is none.
fn word(text: &str) -> usize {
    let length = text.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    if text.starts_with(|c: char| c.is_ascii_digit()) { 0 } else { length }
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// The length of a quoted text; a doubled quote is two texts side by side, which is as well here.
fn quoted(rest: &str, quote: char, escapes: bool) -> usize {
    let mut characters = rest.char_indices().skip(1);
    while let Some((index, c)) = characters.next() {
        if c == quote {
            return index + c.len_utf8();
        }
        if c == '\\' && escapes {
            characters.next();
        }
    }
    rest.len()
}

/// Whether the string that follows is PostgreSQL's `E'…'`.
fn has_escapes(before: &str) -> bool {
    before
        .strip_suffix(['E', 'e'])
        .is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

/// The length of a comment; PostgreSQL's nest.
fn comment(rest: &str, nests: bool) -> usize {
    let (mut depth, mut index) = (1, 2);
    while depth > 0 {
        let end = rest[index..].find("*/").map(|at| index + at);
        let begin = rest[index..].find("/*").map(|at| index + at).filter(|_| nests);
        match (begin, end) {
            (Some(begin), Some(end)) if begin < end => (depth, index) = (depth + 1, begin + 2),
            (_, Some(end)) => (depth, index) = (depth - 1, end + 2),
            (_, None) => return rest.len(),
        }
    }
    index
}

/// The length of `$tag$…$tag$`.
fn dollar_quoted(rest: &str) -> Option<usize> {
    let tag = &rest[..rest[1..].find('$')? + 2];
    let name = &tag[1..tag.len() - 1];
    if word(name) != name.len() {
        return None;
    }
    Some(rest[tag.len()..].find(tag).map_or(rest.len(), |end| tag.len() + end + tag.len()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewritten(sql: &str, dialect: Dialect) -> String {
        let parameters = [("a", 1.into()), ("b", 2.into()), ("ids", [1, 2, 3].into_iter().collect())];
        Statement::new(sql, dialect, &parameters).unwrap().sql
    }

    #[test]
    fn parameters_become_the_databases_own_placeholders() {
        assert_eq!(rewritten("x = :a AND y = :b OR z = :a", Dialect::Sqlite), "x = ?1 AND y = ?2 OR z = ?1");
        assert_eq!(
            rewritten("x = :a AND y = :b OR z = :a", Dialect::Postgres),
            "x = $1 AND y = $2 OR z = $1"
        );
        assert_eq!(rewritten("x IN (:ids) AND y = :a", Dialect::Postgres), "x IN ($1, $2, $3) AND y = $4");
        let nothing = [("ids", Parameter::List(Vec::new()))];
        assert_eq!(Statement::new("x IN (:ids)", Dialect::Sqlite, &nothing).unwrap().sql, "x IN (NULL)");
    }

    #[test]
    fn what_only_looks_like_a_parameter_stays() {
        for sql in [
            "':a'",
            "'it''s :a'",
            "\":a\"",
            "-- :a\n1",
            "/* :a */ 1",
            "1 -- :a",
            "12:30",
            "a : b",
            "'\\' || ':a'",
        ] {
            assert_eq!(rewritten(sql, Dialect::Sqlite), sql);
            assert_eq!(rewritten(sql, Dialect::Postgres), sql);
        }
        for sql in [
            "1::text",
            "E'\\':a'",
            "$$ :a $$",
            "$f$ :a $$ :a $f$",
            "/* /* :a */ :a */ 1",
            "x ? 'k' AND y @> z",
            "name$1",
        ] {
            assert_eq!(rewritten(sql, Dialect::Postgres), sql);
        }
        for sql in ["[:a]", "`:a`"] {
            assert_eq!(rewritten(sql, Dialect::Sqlite), sql);
        }
        assert_eq!(rewritten(":a::text", Dialect::Postgres), "$1::text");
        assert_eq!(rewritten("/* /* */ :a", Dialect::Sqlite), "/* /* */ ?1");
        assert_eq!(rewritten("'\\':a", Dialect::Postgres), "'\\'$1");
        assert_eq!(rewritten("'é':a", Dialect::Postgres), "'é'$1");
    }

    #[test]
    fn foreign_placeholders_and_missing_values_are_errors() {
        for (sql, dialect) in [
            ("x = ?", Dialect::Sqlite),
            ("x = ?1", Dialect::Sqlite),
            ("x = @a", Dialect::Sqlite),
            ("x = $a", Dialect::Sqlite),
            ("x = $1", Dialect::Postgres),
            ("x = :missing", Dialect::Postgres),
        ] {
            assert!(matches!(Statement::new(sql, dialect, &[]), Err(DatabaseError::Statement(_))), "{sql}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_rewritten_without_a_panic(sql in any::<String>()) {
            let _ = Statement::new(&sql, Dialect::Sqlite, &[]);
            let _ = Statement::new(&sql, Dialect::Postgres, &[]);
        }

        #[test]
        fn text_without_parameters_stays(sql in r#"['"`a-z\[\] /*\n-]{0,40}"#) {
            prop_assert_eq!(&Statement::new(&sql, Dialect::Sqlite, &[]).unwrap().sql, &sql);
            prop_assert_eq!(&Statement::new(&sql, Dialect::Postgres, &[]).unwrap().sql, &sql);
        }
    }
}
