//! The values of a statement's named parameters.

use chrono::{DateTime, SubsecRound, Utc};

/// The value of a named parameter.
///
/// Most are made from the value itself:
///
/// ```
/// use solent::auth::Parameter;
///
/// assert_eq!(Parameter::from("Networks"), Parameter::Text("Networks".to_owned()));
/// assert_eq!(Parameter::from(None::<i64>), Parameter::Null);
/// assert_eq!([1, 2].into_iter().collect::<Parameter>(), Parameter::List(vec![1.into(), 2.into()]));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Parameter {
    /// No value.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// Text. It is read as a number, a time or whatever else stands at its place.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// An instant, written as Django writes it.
    Time(DateTime<Utc>),
    /// Several values, for `IN (:name)`.
    List(Vec<Self>),
}

impl Parameter {
    /// The value as an error message shows it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => value.to_string(),
            Self::Text(text) => format!("{text:?}"),
            Self::Bytes(bytes) => format!("{} bytes", bytes.len()),
            Self::Time(time) => time.to_rfc3339(),
            Self::List(items) => format!("a list of {}", items.len()),
        }
    }
}

/// An instant as Django stores it in SQLite, where times are compared as text: `YYYY-MM-DD HH:MM:SS[.ffffff]`, UTC,
/// the fraction left out when it is 0.
pub(super) fn django_time(time: DateTime<Utc>) -> String {
    let time = time.trunc_subsecs(6);
    let format =
        if time.timestamp_subsec_micros() == 0 { "%Y-%m-%d %H:%M:%S" } else { "%Y-%m-%d %H:%M:%S%.6f" };
    time.format(format).to_string()
}

impl From<bool> for Parameter {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i32> for Parameter {
    fn from(value: i32) -> Self {
        Self::Integer(value.into())
    }
}

impl From<i64> for Parameter {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl From<f64> for Parameter {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Parameter {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Parameter {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<DateTime<Utc>> for Parameter {
    fn from(time: DateTime<Utc>) -> Self {
        Self::Time(time)
    }
}

impl<T: Into<Self>> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<T: Into<Self>> FromIterator<T> for Parameter {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone as _;

    use super::*;

    #[test]
    fn times_are_written_as_django_compares_them() {
        let second = Utc.with_ymd_and_hms(2026, 12, 6, 16, 16, 38).unwrap();
        assert_eq!(django_time(second), "2026-12-06 16:16:38");
        assert_eq!(
            django_time(second + chrono::TimeDelta::microseconds(924_137)),
            "2026-12-06 16:16:38.924137"
        );
        assert_eq!(
            django_time(second + chrono::TimeDelta::microseconds(100_000)),
            "2026-12-06 16:16:38.100000"
        );
        assert_eq!(django_time(second + chrono::TimeDelta::nanoseconds(999)), "2026-12-06 16:16:38");
    }
}
