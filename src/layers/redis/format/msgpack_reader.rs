//! Reading msgpack as strictly as Python's unpacker: valid UTF-8, text or bytes keys, nothing behind the end.

use bytes::Bytes;
use rmp::Marker;

use super::{FormatError, MAX_DEPTH};
use crate::layers::{Key, Map, Value};

/// Reads one value and nothing else. Bytes share the input's memory.
pub(super) fn read(input: &Bytes) -> Result<Value, FormatError> {
    let mut reader = Reader { input, at: 0 };
    let value = reader.value(0)?;
    match reader.left() {
        0 => Ok(value),
        left => Err(reader.wrong(format!("{left} bytes behind the end"))),
    }
}

struct Reader<'a> {
    input: &'a Bytes,
    at: usize,
}

impl Reader<'_> {
    fn wrong(&self, reason: impl Into<String>) -> FormatError {
        FormatError::Read { format: "msgpack", reason: reason.into(), at: self.at }
    }

    fn left(&self) -> usize {
        self.input.len() - self.at
    }

    fn take(&mut self, length: usize) -> Result<&[u8], FormatError> {
        if self.left() < length {
            return Err(self.wrong(format!("expected {length} more bytes, found {}", self.left())));
        }
        self.at += length;
        Ok(&self.input[self.at - length..self.at])
    }

    /// A big-endian unsigned integer of `N` bytes.
    fn unsigned<const N: usize>(&mut self) -> Result<u64, FormatError> {
        Ok(self.take(N)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn length<const N: usize>(&mut self) -> Result<usize, FormatError> {
        let length = self.unsigned::<N>()?;
        usize::try_from(length).map_err(|_| self.wrong("a length that does not fit"))
    }

    fn marker(&mut self) -> Result<Marker, FormatError> {
        Ok(Marker::from_u8(self.take(1)?[0]))
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // widths are those of the format
    fn value(&mut self, depth: usize) -> Result<Value, FormatError> {
        Ok(match self.marker()? {
            Marker::Null => Value::Null,
            Marker::True => Value::Bool(true),
            Marker::False => Value::Bool(false),
            Marker::FixPos(number) => Value::I64(number.into()),
            Marker::FixNeg(number) => Value::I64(number.into()),
            Marker::U8 => Value::from(self.unsigned::<1>()?),
            Marker::U16 => Value::from(self.unsigned::<2>()?),
            Marker::U32 => Value::from(self.unsigned::<4>()?),
            Marker::U64 => Value::from(self.unsigned::<8>()?),
            Marker::I8 => Value::I64((self.unsigned::<1>()? as i8).into()),
            Marker::I16 => Value::I64((self.unsigned::<2>()? as i16).into()),
            Marker::I32 => Value::I64((self.unsigned::<4>()? as i32).into()),
            Marker::I64 => Value::I64(self.unsigned::<8>()? as i64),
            Marker::F32 => Value::F64(f32::from_bits(self.unsigned::<4>()? as u32).into()),
            Marker::F64 => Value::F64(f64::from_bits(self.unsigned::<8>()?)),
            Marker::FixArray(length) => self.array(length.into(), depth)?,
            Marker::Array16 => self.sized_array::<2>(depth)?,
            Marker::Array32 => self.sized_array::<4>(depth)?,
            Marker::FixMap(length) => self.map(length.into(), depth)?,
            Marker::Map16 => self.sized_map::<2>(depth)?,
            Marker::Map32 => self.sized_map::<4>(depth)?,
            other => match self.key_of(other)? {
                Key::Text(text) => Value::Text(text),
                Key::Bytes(bytes) => Value::Bytes(bytes),
            },
        })
    }

    /// Text or bytes, which is all that a key may be.
    fn key_of(&mut self, marker: Marker) -> Result<Key, FormatError> {
        match marker {
            Marker::FixStr(length) => self.text(length.into()),
            Marker::Str8 => self.length::<1>().and_then(|length| self.text(length)),
            Marker::Str16 => self.length::<2>().and_then(|length| self.text(length)),
            Marker::Str32 => self.length::<4>().and_then(|length| self.text(length)),
            Marker::Bin8 => self.length::<1>().and_then(|length| self.bytes(length)),
            Marker::Bin16 => self.length::<2>().and_then(|length| self.bytes(length)),
            Marker::Bin32 => self.length::<4>().and_then(|length| self.bytes(length)),
            other => Err(self.wrong(format!("expected text or bytes, found {other:?}"))),
        }
    }

    fn text(&mut self, length: usize) -> Result<Key, FormatError> {
        match std::str::from_utf8(self.take(length)?) {
            Ok(text) => Ok(Key::Text(text.to_owned())),
            Err(error) => Err(self.wrong(format!("text that is no UTF-8: {error}"))),
        }
    }

    fn bytes(&mut self, length: usize) -> Result<Key, FormatError> {
        self.take(length)?;
        Ok(Key::Bytes(self.input.slice(self.at - length..self.at)))
    }

    fn deeper(&self, depth: usize) -> Result<usize, FormatError> {
        match depth < MAX_DEPTH {
            true => Ok(depth + 1),
            false => Err(self.wrong(format!("nested deeper than {MAX_DEPTH}"))),
        }
    }

    /// An announced number of items, each of which takes a byte at least: a lie must not make us allocate.
    fn announced(&self, items: usize, bytes_each: usize) -> Result<usize, FormatError> {
        match items.saturating_mul(bytes_each) <= self.left() {
            true => Ok(items),
            false => Err(self.wrong(format!("{items} items announced in {} bytes", self.left()))),
        }
    }

    fn sized_array<const N: usize>(&mut self, depth: usize) -> Result<Value, FormatError> {
        let length = self.length::<N>()?;
        self.array(length, depth)
    }

    fn array(&mut self, length: usize, depth: usize) -> Result<Value, FormatError> {
        let depth = self.deeper(depth)?;
        let mut items = Vec::with_capacity(self.announced(length, 1)?.min(1024));
        for _ in 0..length {
            items.push(self.value(depth)?);
        }
        Ok(Value::Array(items))
    }

    fn sized_map<const N: usize>(&mut self, depth: usize) -> Result<Value, FormatError> {
        let length = self.length::<N>()?;
        self.map(length, depth)
    }

    fn map(&mut self, length: usize, depth: usize) -> Result<Value, FormatError> {
        let depth = self.deeper(depth)?;
        let mut entries = Vec::with_capacity(self.announced(length, 2)?.min(1024));
        for _ in 0..length {
            let marker = self.marker()?;
            entries.push((self.key_of(marker)?, self.value(depth)?));
        }
        Ok(Value::Map(entries.into_iter().collect::<Map>()))
    }
}
