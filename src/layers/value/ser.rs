//! From any serialisable Rust type to a value.

use bytes::Bytes;
use serde::ser::{self, Serialize, Serializer};

use super::{Key, Map, Value, ValueError};

type Done = Result<Value, ValueError>;

pub(super) struct ValueSerializer;

macro_rules! small_integers {
    ($($method:ident: $type:ty => $wide:ty),*) => {
        $(fn $method(self, number: $type) -> Done { Ok(Value::from(<$wide>::from(number))) })*
    };
}

impl Serializer for ValueSerializer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = Items;
    type SerializeTuple = Items;
    type SerializeTupleStruct = Items;
    type SerializeTupleVariant = Items;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeStructVariant = Entries;

    small_integers!(serialize_i8: i8 => i64, serialize_i16: i16 => i64, serialize_i32: i32 => i64, serialize_i64: i64 => i64);
    small_integers!(serialize_u8: u8 => u64, serialize_u16: u16 => u64, serialize_u32: u32 => u64, serialize_u64: u64 => u64);

    fn serialize_i128(self, number: i128) -> Done {
        if let Ok(number) = i64::try_from(number) {
            return Ok(Value::I64(number));
        }
        u64::try_from(number).map(Value::U64).map_err(|_| too_wide(&number))
    }

    fn serialize_u128(self, number: u128) -> Done {
        u64::try_from(number).map(Value::from).map_err(|_| too_wide(&number))
    }

    fn serialize_bool(self, flag: bool) -> Done {
        Ok(Value::Bool(flag))
    }

    fn serialize_f32(self, number: f32) -> Done {
        Ok(Value::F64(f64::from(number)))
    }

    fn serialize_f64(self, number: f64) -> Done {
        Ok(Value::F64(number))
    }

    fn serialize_char(self, letter: char) -> Done {
        Ok(Value::Text(letter.to_string()))
    }

    fn serialize_str(self, text: &str) -> Done {
        Ok(Value::from(text))
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Done {
        Ok(Value::Bytes(Bytes::copy_from_slice(bytes)))
    }

    fn serialize_none(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, inner: &T) -> Done {
        inner.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Done {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Done {
        Ok(Value::from(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, inner: &T) -> Done {
        inner.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        inner: &T,
    ) -> Done {
        Ok(under(Some(variant), inner.serialize(self)?))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Items, ValueError> {
        Ok(Items::new(None, length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<Items, ValueError> {
        Ok(Items::new(None, length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<Items, ValueError> {
        Ok(Items::new(None, length))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Items, ValueError> {
        Ok(Items::new(Some(variant), length))
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Entries, ValueError> {
        Ok(Entries::new(None, length.unwrap_or(0)))
    }

    fn serialize_struct(self, _: &'static str, length: usize) -> Result<Entries, ValueError> {
        Ok(Entries::new(None, length))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Entries, ValueError> {
        Ok(Entries::new(Some(variant), length))
    }
}

fn too_wide(number: &dyn std::fmt::Display) -> ValueError {
    ValueError::text(format!("expected an integer of 64 bits, found {number}"))
}

/// The value itself, or the value under its variant's name.
fn under(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::Map(Map::from_iter([(Key::from(variant), value)])),
        None => value,
    }
}

/// A sequence in the making.
pub(super) struct Items {
    variant: Option<&'static str>,
    items: Vec<Value>,
}

impl Items {
    fn new(variant: Option<&'static str>, length: usize) -> Self {
        // A length hint is the caller's word; it must not make us allocate without bound.
        Self { variant, items: Vec::with_capacity(length.min(1024)) }
    }

    fn push<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ValueError> {
        self.items.push(item.serialize(ValueSerializer)?);
        Ok(())
    }

    fn done(self) -> Done {
        Ok(under(self.variant, Value::Array(self.items)))
    }
}

macro_rules! items {
    ($($trait:ident: $method:ident),*) => {$(
        impl ser::$trait for Items {
            type Ok = Value;
            type Error = ValueError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), ValueError> {
                self.push(item)
            }

            fn end(self) -> Done {
                self.done()
            }
        }
    )*};
}

items!(
    SerializeSeq: serialize_element,
    SerializeTuple: serialize_element,
    SerializeTupleStruct: serialize_field,
    SerializeTupleVariant: serialize_field
);

/// A map in the making.
pub(super) struct Entries {
    variant: Option<&'static str>,
    entries: Vec<(Key, Value)>,
    key: Option<Key>,
}

impl Entries {
    fn new(variant: Option<&'static str>, length: usize) -> Self {
        Self { variant, entries: Vec::with_capacity(length.min(1024)), key: None }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), ValueError> {
        self.entries.push((Key::from(key), value.serialize(ValueSerializer)?));
        Ok(())
    }

    fn done(self) -> Done {
        Ok(under(self.variant, Value::Map(self.entries.into_iter().collect())))
    }
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), ValueError> {
        self.key = Some(match key.serialize(ValueSerializer)? {
            Value::Text(text) => Key::Text(text),
            Value::Bytes(bytes) => Key::Bytes(bytes),
            // JSON writes these as text too, so one type serves both.
            Value::Bool(flag) => Key::Text(flag.to_string()),
            Value::I64(number) => Key::Text(number.to_string()),
            Value::U64(number) => Key::Text(number.to_string()),
            other => {
                return Err(ValueError::text(format!(
                    "expected a text or bytes key, found {}",
                    other.kind()
                )));
            }
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), ValueError> {
        let key = self.key.take().ok_or_else(|| ValueError::text("expected a key before its value"))?;
        self.entries.push((key, value.serialize(ValueSerializer)?));
        Ok(())
    }

    fn end(self) -> Done {
        self.done()
    }
}

macro_rules! entries {
    ($($trait:ident),*) => {$(
        impl ser::$trait for Entries {
            type Ok = Value;
            type Error = ValueError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), ValueError> {
                self.field(key, value)
            }

            fn end(self) -> Done {
                self.done()
            }
        }
    )*};
}

entries!(SerializeStruct, SerializeStructVariant);
