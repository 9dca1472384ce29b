//! A pickle's bytes, read from the front: single ones, numbers, lines, and the texts and numbers in them.

use super::PickleError;
use super::machine::Node;

/// What is left of a pickle.
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) fn byte(&mut self) -> Result<u8, PickleError> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], PickleError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub(super) fn take_long(&mut self, length: u64) -> Result<&'a [u8], PickleError> {
        self.take(usize::try_from(length).unwrap_or(usize::MAX))
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(length).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or(PickleError::End(self.bytes.len()))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// To the end of the line, without it.
    pub(super) fn line(&mut self) -> Result<&'a [u8], PickleError> {
        let length = self.bytes[self.at..].iter().position(|byte| *byte == b'\n');
        let line = self.take(length.ok_or(PickleError::End(self.bytes.len()))?)?;
        self.at += 1;
        Ok(line)
    }

    pub(super) fn place(&mut self) -> Result<u64, PickleError> {
        let line = self.line()?;
        let place = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
        place.ok_or_else(|| self.malformed("a place of the memo"))
    }

    pub(super) fn malformed(&self, expected: &'static str) -> PickleError {
        PickleError::Malformed { at: self.at, expected }
    }
}

/// The longest whole number that is read: Python's own limit for turning digits into one.
const MAX_DIGITS: usize = 4300;

pub(super) fn integer(line: &[u8]) -> Node {
    let digits = line.strip_prefix(b"-").unwrap_or(line);
    let is_number = !digits.is_empty() && digits.len() <= MAX_DIGITS && digits.iter().all(u8::is_ascii_digit);
    match std::str::from_utf8(line) {
        // JSON has no zeros in front.
        Ok(text) if is_number && (digits.len() == 1 || digits[0] != b'0') => Node::Integer(text.to_owned()),
        _ => Node::Opaque,
    }
}

/// Two's complement, the lowest byte first.
pub(super) fn long(bytes: &[u8]) -> Node {
    if bytes.len() > 16 {
        return Node::Opaque;
    }
    let negative = bytes.last().is_some_and(|high| high & 0x80 != 0);
    let mut whole = [if negative { 0xff } else { 0 }; 16];
    whole[..bytes.len()].copy_from_slice(bytes);
    Node::Integer(i128::from_le_bytes(whole).to_string())
}

/// Python's texts may hold halves of pairs, which nothing else can.
pub(super) fn text(bytes: &[u8]) -> Node {
    std::str::from_utf8(bytes).map_or(Node::Opaque, |text| Node::Text(text.to_owned()))
}

/// Latin-1 with `\uXXXX` and `\UXXXXXXXX`.
pub(super) fn raw_unicode(line: &[u8]) -> Node {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((&first, tail)) = rest.split_first() {
        let digits = match (first, tail.first()) {
            (b'\\', Some(b'u')) => 4,
            (b'\\', Some(b'U')) => 8,
            _ => 0,
        };
        if digits == 0 {
            text.push(char::from(first));
            rest = tail;
            continue;
        }
        let code = tail.get(1..=digits).and_then(|hex| std::str::from_utf8(hex).ok());
        let code = code.filter(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let Some(c) = code.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32) else {
            return Node::Opaque;
        };
        text.push(c);
        rest = &tail[1 + digits..];
    }
    Node::Text(text)
}
