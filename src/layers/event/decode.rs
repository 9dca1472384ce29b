//! From a message to an event type, with `.` and `_` the same in the message's type.

use std::mem::discriminant;

use serde::de::DeserializeOwned;

use super::EventError;
use crate::layers::value::{Key, Map, Reason, Tag, Value, ValueDeserializer, ValueError, dotted, same_type};

/// Decodes a message.
///
/// serde does not tell which variants a type has before one of them was not found. So the type is tried as it is
/// written; what comes back then names the variants, among which the same type in another spelling is looked for.
pub(super) fn message<T: DeserializeOwned>(value: &Value) -> Result<T, EventError> {
    let Some(own) = value.get("type").and_then(Value::as_str) else {
        return T::deserialize(ValueDeserializer::new(value)).map_err(untyped);
    };
    let shown = dotted(own);
    let error = match attempt::<T>(value, own, &shown) {
        Ok(found) => return Ok(named(found, value, own, &shown)),
        Err(error) => error,
    };
    match other_spelling(&error, own) {
        Some(spelling) => attempt(value, spelling, spelling).map_err(|error| typed(&error, own)),
        None => Err(typed(&error, own)),
    }
}

fn attempt<T: DeserializeOwned>(value: &Value, exact: &str, shown: &str) -> Result<T, ValueError> {
    T::deserialize(ValueDeserializer::with_tag(value, Tag::new(exact, shown)))
}

/// The variant that `own` means in another spelling, when the error lists one.
fn other_spelling(error: &ValueError, own: &str) -> Option<&'static str> {
    match error.reason() {
        Reason::UnknownVariant { found, expected, .. } if same_type(found, own) => {
            expected.iter().copied().find(|variant| same_type(variant, own) && *variant != found)
        }
        _ => None,
    }
}

/// Types with a catch-all variant (`#[serde(other)]`) take every type, so no error tells that a better spelling is
/// there: the other spellings are tried, and the first that is not the catch-all wins.
fn named<T: DeserializeOwned>(found: T, value: &Value, own: &str, shown: &str) -> T {
    if !own.contains(['.', '_']) {
        return found;
    }
    let nothing = Value::Map(Map::from_iter([(Key::from("type"), Value::from("\0"))]));
    let Ok(catch_all) = attempt::<T>(&nothing, "\0", "\0") else { return found };
    if discriminant(&found) != discriminant(&catch_all) {
        return found;
    }
    let underscored = own.replace('.', "_");
    for spelling in [shown, &underscored] {
        if let Ok(better) = attempt::<T>(value, spelling, spelling)
            && discriminant(&better) != discriminant(&catch_all)
        {
            return better;
        }
    }
    found
}

fn typed(error: &ValueError, own: &str) -> EventError {
    match error.reason() {
        Reason::UnknownVariant { found, of_type, .. } if *of_type || same_type(found, own) => {
            EventError::UnknownType { r#type: own.to_owned() }
        }
        _ => EventError::BadField { r#type: own.to_owned(), error: error.to_string() },
    }
}

fn untyped(error: ValueError) -> EventError {
    match error.reason() {
        Reason::MissingField("type") => EventError::MissingType,
        _ => EventError::BadField { r#type: String::new(), error: error.to_string() },
    }
}
