//! Reading JSON as Python's `json.loads` does, `NaN` and the infinities included.

use super::{FormatError, MAX_DEPTH};
use crate::layers::{Key, Map, Value};

/// Reads one value and nothing else.
pub(super) fn read(input: &[u8]) -> Result<Value, FormatError> {
    let text = std::str::from_utf8(input).map_err(|error| FormatError::Read {
        format: "json",
        reason: "text that is no UTF-8".to_owned(),
        at: error.valid_up_to(),
    })?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.skip_blanks();
    match reader.rest().is_empty() {
        true => Ok(value),
        false => Err(reader.wrong("something behind the end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

const LITERALS: [(&str, Value); 6] = [
    ("null", Value::Null),
    ("true", Value::Bool(true)),
    ("false", Value::Bool(false)),
    ("NaN", Value::F64(f64::NAN)),
    ("Infinity", Value::F64(f64::INFINITY)),
    ("-Infinity", Value::F64(f64::NEG_INFINITY)),
];

impl<'a> Reader<'a> {
    fn wrong(&self, reason: impl Into<String>) -> FormatError {
        FormatError::Read { format: "json", reason: reason.into(), at: self.at }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip_blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    /// Takes `token` when it stands next.
    fn takes(&mut self, token: &str) -> bool {
        self.skip_blanks();
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn expect(&mut self, token: &str) -> Result<(), FormatError> {
        match self.takes(token) {
            true => Ok(()),
            false => Err(self.wrong(format!("expected {token:?}"))),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, FormatError> {
        if depth > MAX_DEPTH {
            return Err(self.wrong(format!("nested deeper than {MAX_DEPTH}")));
        }
        self.skip_blanks();
        if let Some((token, value)) = LITERALS.iter().find(|(token, _)| self.rest().starts_with(token)) {
            self.at += token.len();
            return Ok(value.clone());
        }
        match self.rest().as_bytes().first() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') => self.array(depth),
            Some(b'{') => self.map(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(_) => Err(self.wrong("expected a value")),
            None => Err(self.wrong("expected a value, found the end")),
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, FormatError> {
        self.expect("[")?;
        let mut items = Vec::new();
        if self.takes("]") {
            return Ok(Value::Array(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if !self.takes(",") {
                self.expect("]")?;
                return Ok(Value::Array(items));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, FormatError> {
        self.expect("{")?;
        let mut entries = Vec::new();
        if self.takes("}") {
            return Ok(Value::Map(Map::new()));
        }
        loop {
            self.skip_blanks();
            let key = Key::Text(self.string()?);
            self.expect(":")?;
            entries.push((key, self.value(depth + 1)?));
            if !self.takes(",") {
                self.expect("}")?;
                return Ok(Value::Map(entries.into_iter().collect()));
            }
        }
    }

    /// A string; serde_json knows its escapes. A lone surrogate, which Python lets pass, is no text here.
    fn string(&mut self) -> Result<String, FormatError> {
        let bytes = self.rest().as_bytes();
        if bytes.first() != Some(&b'"') {
            return Err(self.wrong("expected a string"));
        }
        let mut end = 1;
        while bytes.get(end).is_some_and(|byte| *byte != b'"') {
            end += if bytes[end] == b'\\' { 2 } else { 1 };
        }
        let quoted = self.rest().get(..=end).ok_or_else(|| self.wrong("a string without an end"))?;
        let text =
            serde_json::from_str(quoted).map_err(|error| self.wrong(format!("bad string: {error}")))?;
        self.at += quoted.len();
        Ok(text)
    }

    fn number(&mut self) -> Result<Value, FormatError> {
        let end = self.rest().find(|letter| !matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'));
        let token = &self.rest()[..end.unwrap_or(self.rest().len())];
        // Python's numbers are JSON's; serde_json checks the shape, without looking at the size.
        let shape: Result<serde::de::IgnoredAny, _> = serde_json::from_str(token);
        shape.map_err(|_| self.wrong(format!("bad number {token:?}")))?;
        let value = if token.contains(['.', 'e', 'E']) {
            token.parse().map(Value::F64).map_err(|_| self.wrong(format!("bad number {token:?}")))?
        } else {
            let signed = token.parse().map(Value::I64);
            signed
                .or_else(|_| token.parse().map(Value::U64))
                .map_err(|_| self.wrong(format!("the integer {token} needs more than 64 bits")))?
        };
        self.at += token.len();
        Ok(value)
    }
}
