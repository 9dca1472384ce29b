//! From a value to any deserialisable Rust type.

use std::borrow::Cow;

use serde::de::value::{BorrowedBytesDeserializer, BorrowedStrDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

use super::{Key, Value, ValueError};

/// Reads a value. At the top of a message, the entry `type` is shown as a [`Tag`] instead of as it is.
#[derive(Clone, Copy)]
pub(crate) struct ValueDeserializer<'de> {
    value: &'de Value,
    tag: Option<Tag<'de>>,
}

impl<'de> ValueDeserializer<'de> {
    pub(crate) fn new(value: &'de Value) -> Self {
        Self { value, tag: None }
    }

    pub(crate) fn with_tag(value: &'de Value, tag: Tag<'de>) -> Self {
        Self { value, tag: Some(tag) }
    }
}

impl<'de> Deserializer<'de> for ValueDeserializer<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(*flag),
            Value::I64(number) => visitor.visit_i64(*number),
            Value::U64(number) => visitor.visit_u64(*number),
            Value::F64(number) => visitor.visit_f64(*number),
            Value::Text(text) => visitor.visit_borrowed_str(text),
            Value::Bytes(bytes) => visitor.visit_borrowed_bytes(bytes),
            Value::Array(items) => all_read(items.iter().map(Self::new), visitor),
            Value::Map(map) => {
                let mut entries = Entries { rest: map.iter(), value: None, tag: self.tag };
                let made = visitor.visit_map(&mut entries)?;
                match entries.rest.len() {
                    0 => Ok(made),
                    left => Err(ValueError::text(format!("{left} entries of the map were not expected"))),
                }
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    /// A `Vec<u8>` field takes bytes as well as an array of small integers.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Bytes(bytes) => all_read(bytes.iter().copied(), visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        match self.value {
            Value::Text(variant) => visitor.visit_enum(Variant { name: variant, content: None }),
            Value::Map(map) => match (map.len(), map.iter().next()) {
                (1, Some((Key::Text(name), content))) => {
                    visitor.visit_enum(Variant { name, content: Some(content) })
                }
                (found, _) => {
                    Err(ValueError::text(format!("expected a map with one variant, found {found} entries")))
                }
            },
            other => Err(ValueError::text(format!("expected a variant, found {}", other.kind()))),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for ValueDeserializer<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Visits a sequence and makes sure that nothing of it was left over.
fn all_read<'de, I, V>(items: I, visitor: V) -> Result<V::Value, ValueError>
where
    I: Iterator,
    I::Item: IntoDeserializer<'de, ValueError>,
    V: Visitor<'de>,
{
    let mut sequence = SeqDeserializer::new(items);
    let made = visitor.visit_seq(&mut sequence)?;
    sequence.end()?;
    Ok(made)
}

struct Entries<'de, I> {
    rest: I,
    value: Option<ValueDeserializer<'de>>,
    tag: Option<Tag<'de>>,
}

impl<'de, I: Iterator<Item = (&'de Key, &'de Value)>> de::MapAccess<'de> for Entries<'de, I> {
    type Error = ValueError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ValueError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        let tag = self.tag.filter(|_| key.as_str() == Some("type"));
        self.value = Some(ValueDeserializer { value, tag });
        match key {
            Key::Text(text) => seed.deserialize(TextKey(text)).map(Some),
            Key::Bytes(bytes) => seed.deserialize(BorrowedBytesDeserializer::new(bytes)).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ValueError> {
        match self.value.take() {
            Some(ValueDeserializer { tag: Some(tag), .. }) => seed.deserialize(tag),
            Some(value) => seed.deserialize(value),
            None => Err(ValueError::text("expected a key before its value")),
        }
    }
}

/// A text key; for types with integer or boolean keys, its text is read as one.
struct TextKey<'de>(&'de str);

macro_rules! parsed_keys {
    ($($method:ident: $visit:ident),*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
            match self.0.parse() {
                Ok(key) => visitor.$visit(key),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for TextKey<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_borrowed_str(self.0)
    }

    parsed_keys!(
        deserialize_bool: visit_bool,
        deserialize_i8: visit_i8, deserialize_i16: visit_i16, deserialize_i32: visit_i32, deserialize_i64: visit_i64,
        deserialize_u8: visit_u8, deserialize_u16: visit_u16, deserialize_u32: visit_u32, deserialize_u64: visit_u64
    );

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        BorrowedStrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

/// A message's type. Variants are looked up by `exact`; whoever wants text gets `shown`, with dots throughout.
#[derive(Clone, Copy)]
pub(crate) struct Tag<'de> {
    exact: &'de str,
    shown: &'de str,
}

impl<'de> Tag<'de> {
    pub(crate) fn new(exact: &'de str, shown: &'de str) -> Self {
        Self { exact, shown }
    }
}

/// A type with dots in place of underscores, which are the same there.
pub(crate) fn dotted(name: &str) -> Cow<'_, str> {
    if name.contains('_') { Cow::Owned(name.replace('_', ".")) } else { Cow::Borrowed(name) }
}

/// Whether two types are the same but for dots and underscores.
pub(crate) fn same_type(left: &str, right: &str) -> bool {
    let fold = |byte: u8| if byte == b'_' { b'.' } else { byte };
    left.len() == right.len() && left.bytes().map(fold).eq(right.bytes().map(fold))
}

impl<'de> Deserializer<'de> for Tag<'de> {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_borrowed_str(self.shown)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_borrowed_str(self.exact).map_err(ValueError::of_type)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let known = variants.contains(&self.exact);
        let same = variants.iter().find(|variant| !known && same_type(variant, self.exact));
        let name = same.copied().unwrap_or(self.exact);
        visitor.visit_enum(BorrowedStrDeserializer::new(name)).map_err(ValueError::of_type)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct ignored_any
    }
}

/// One variant of an externally tagged enum.
struct Variant<'de> {
    name: &'de str,
    content: Option<&'de Value>,
}

impl<'de> de::EnumAccess<'de> for Variant<'de> {
    type Error = ValueError;
    type Variant = Content<'de>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Content<'de>), ValueError> {
        let name = seed.deserialize(BorrowedStrDeserializer::new(self.name))?;
        Ok((name, Content(self.content)))
    }
}

/// What stands behind a variant's name.
struct Content<'de>(Option<&'de Value>);

impl<'de> Content<'de> {
    fn some(self) -> Result<ValueDeserializer<'de>, ValueError> {
        self.0.map(ValueDeserializer::new).ok_or_else(|| ValueError::text("the variant has no content"))
    }
}

impl<'de> de::VariantAccess<'de> for Content<'de> {
    type Error = ValueError;

    fn unit_variant(self) -> Result<(), ValueError> {
        match self.0 {
            None | Some(Value::Null) => Ok(()),
            Some(found) => {
                Err(ValueError::text(format!("expected a variant without content, found {}", found.kind())))
            }
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ValueError> {
        seed.deserialize(self.some()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.some()?.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        self.some()?.deserialize_any(visitor)
    }
}
