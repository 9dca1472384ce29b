//! The name of one request, by which log entries of several servers are put together.

use std::fmt;
use std::sync::Arc;

use ::http::header::HeaderName;
use ::http::{HeaderMap, HeaderValue};

/// The longest name that is taken from a proxy.
const LONGEST: usize = 128;

/// The name of one request or handshake: taken from a trusted proxy's `X-Request-ID`, else made.
///
/// It stands in the answer's `X-Request-ID`, in every log entry of the request (in its span), and in what proxied
/// servers get. Cheap to clone.
///
/// ```
/// use solent::RequestId;
///
/// let id = RequestId::new();
/// assert_eq!(id.as_str().len(), 32);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Name);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Name {
    Absent,
    // In place: most names are made here, and live as long as one request.
    Made([u8; 32]),
    Given(Arc<str>),
}

impl RequestId {
    /// The field's name.
    pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// A new name: 128 random bits in hexadecimal.
    #[expect(clippy::new_without_default, reason = "no two are equal, which nobody expects of a default")]
    pub fn new() -> Self {
        let bits: [u8; 16] = rand::random();
        let digit = |half: u8| b"0123456789abcdef"[usize::from(half)];
        let mut digits = [0; 32];
        for (pair, byte) in digits.chunks_exact_mut(2).zip(bits) {
            pair.copy_from_slice(&[digit(byte >> 4), digit(byte & 0xf)]);
        }
        Self(Name::Made(digits))
    }

    /// The name that a proxy has given: 1 to 128 letters, digits and `-_.:+/=@`; `None` for anything else, which might
    /// be meant to look like more than one log entry.
    pub(crate) fn from_proxy(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(Self::HEADER).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        let is_fine = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:+/=@".contains(byte);
        let fits = (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(is_fine);
        Some(Self(Name::Given(value.to_str().ok().filter(|_| fits)?.into())))
    }

    /// The name of scopes that no server made.
    pub(crate) const NONE: Self = Self(Name::Absent);

    /// The text; empty in a scope that no server made.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Name::Absent => "",
            Name::Made(digits) => str::from_utf8(digits).unwrap_or_default(),
            Name::Given(name) => name,
        }
    }

    pub(crate) fn header_value(&self) -> HeaderValue {
        // What can stand in the field was all that was taken.
        HeaderValue::from_str(self.as_str()).unwrap_or(HeaderValue::from_static(""))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_short_and_plain_name_is_taken() {
        let long = "a".repeat(LONGEST);
        let longer = "a".repeat(LONGEST + 1);
        let cases: &[(&[&str], bool)] = &[
            (&["4bf92f3577b34da6"], true),
            (&["Root=1-67891233-abcdef012345678912345678"], true),
            (&[&long], true),
            (&[&longer], false),
            (&[""], false),
            (&["a b"], false),
            (&["a\tb"], false),
            (&["<script>"], false),
            (&["a", "b"], false),
            (&[], false),
        ];
        for (values, taken) in cases {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(RequestId::HEADER, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(RequestId::from_proxy(&headers).is_some(), *taken, "{values:?}");
        }
    }
}
