//! The negotiation of RFC 7692 section 7.1: the first offer that can be met is met.

use ::http::HeaderMap;
use ::http::header::SEC_WEBSOCKET_EXTENSIONS;

use super::{Agreed, Compression, Encoding};

/// One offer of the extension.
#[derive(Debug, Default, PartialEq, Eq)]
struct Offer {
    server_no_context: bool,
    client_no_context: bool,
    server_bits: Option<u8>,
    client_bits: Option<ClientBits>,
}

/// `client_max_window_bits`, which may stand without a value.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum ClientBits {
    Any,
    AtMost(u8),
}

/// What to agree on, if anything.
pub(crate) fn negotiate(headers: &HeaderMap, options: &Compression) -> Option<Agreed> {
    if !options.enabled {
        return None;
    }
    let values = headers.get_all(SEC_WEBSOCKET_EXTENSIONS).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).filter_map(Offer::parse).find_map(|offer| offer.meet(options))
}

impl Offer {
    /// `None` for another extension and for an offer with an unknown, repeated or malformed parameter.
    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        if !parts.next()?.eq_ignore_ascii_case("permessage-deflate") {
            return None;
        }
        let mut offer = Self::default();
        parts.try_for_each(|part| offer.take(part))?;
        Some(offer)
    }

    fn take(&mut self, part: &str) -> Option<()> {
        let (name, value) = match part.split_once('=') {
            Some((name, value)) => (name.trim_end(), Some(unquote(value.trim_start()))),
            None => (part, None),
        };
        match (name, value) {
            ("server_no_context_takeover", None) => once_flag(&mut self.server_no_context),
            ("client_no_context_takeover", None) => once_flag(&mut self.client_no_context),
            ("server_max_window_bits", Some(value)) => once(&mut self.server_bits, bits(value)?),
            ("client_max_window_bits", None) => once(&mut self.client_bits, ClientBits::Any),
            ("client_max_window_bits", Some(value)) => {
                once(&mut self.client_bits, ClientBits::AtMost(bits(value)?))
            }
            _ => None,
        }
    }

    /// `None` for an offer that insists on a window of 8 bits from this side: zlib makes none that small.
    fn meet(&self, options: &Compression) -> Option<Agreed> {
        let server_bits = self.server_bits.unwrap_or(15);
        if server_bits < 9 {
            return None;
        }
        let client_context = options.client_context_takeover && !self.client_no_context;
        // Named even where it was not asked for: the client then need not keep a window for this side's messages.
        let mut answer = String::from("permessage-deflate; server_no_context_takeover");
        if !client_context {
            answer.push_str("; client_no_context_takeover");
        }
        if self.server_bits.is_some() {
            answer.push_str("; server_max_window_bits=");
            answer.push_str(&server_bits.to_string());
        }
        // The client's window is left to it: the inflaters here take any.
        Some(Agreed { answer, encoding: Encoding::new(server_bits, options), client_context })
    }
}

/// A value may be a quoted string.
fn unquote(value: &str) -> &str {
    value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value)
}

/// 8 to 15, without leading zeros (section 7.1.2).
fn bits(value: &str) -> Option<u8> {
    let bits = value.parse().ok().filter(|bits| (8..=15).contains(bits))?;
    (value.len() == if bits < 10 { 1 } else { 2 } && !value.starts_with('+')).then_some(bits)
}

fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    slot.replace(value).is_none().then_some(())
}

fn once_flag(flag: &mut bool) -> Option<()> {
    (!std::mem::replace(flag, true)).then_some(())
}

#[cfg(test)]
mod tests {
    use ::http::HeaderValue;

    use super::*;

    fn answer(offers: &'static str, options: &Compression) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offers));
        negotiate(&headers, options).map(|agreed| agreed.answer)
    }

    const BOTH: &str = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    #[test]
    fn offers_are_met_as_the_rfc_says() {
        let default = Compression { enabled: true, ..Compression::default() };
        let with_bits = |bits: u8| Some(format!("{BOTH}; server_max_window_bits={bits}"));
        let cases = [
            ("permessage-deflate", Some(BOTH.to_owned())),
            ("PerMessage-Deflate", Some(BOTH.to_owned())),
            ("permessage-deflate; client_max_window_bits", Some(BOTH.to_owned())),
            ("permessage-deflate; client_max_window_bits=8", Some(BOTH.to_owned())),
            ("permessage-deflate; server_max_window_bits=9", with_bits(9)),
            ("permessage-deflate; server_max_window_bits=\"10\"", with_bits(10)),
            ("permessage-deflate; server_max_window_bits=8", None),
            ("permessage-deflate; server_max_window_bits=8, permessage-deflate", Some(BOTH.to_owned())),
            ("x-other, permessage-deflate", Some(BOTH.to_owned())),
            ("x-webkit-deflate-frame", None),
        ];
        for (offers, expected) in cases {
            assert_eq!(answer(offers, &default), expected, "{offers}");
        }
    }

    #[test]
    fn malformed_offers_are_declined() {
        for parameter in [
            "server_max_window_bits",
            "server_max_window_bits=7",
            "server_max_window_bits=16",
            "server_max_window_bits=010",
            "server_max_window_bits=+9",
            "server_max_window_bits=x",
            "client_max_window_bits=",
            "client_max_window_bits=99",
            "server_no_context_takeover=1",
            "client_no_context_takeover; client_no_context_takeover",
            "server_max_window_bits=10; server_max_window_bits=10",
            "unknown",
            "",
        ] {
            let offer = format!("permessage-deflate; {parameter}");
            assert_eq!(Offer::parse(&offer), None, "{offer}");
        }
    }

    #[test]
    fn a_client_keeps_its_context_only_where_both_sides_want_it() {
        let keeping = Compression { enabled: true, client_context_takeover: true, ..Compression::default() };
        let kept = "permessage-deflate; server_no_context_takeover";
        assert_eq!(answer("permessage-deflate", &keeping).as_deref(), Some(kept));
        assert_eq!(answer("permessage-deflate; client_no_context_takeover", &keeping).as_deref(), Some(BOTH));
    }

    #[test]
    fn a_key_turns_it_off() {
        let off = Compression { enabled: false, ..Compression::default() };
        assert_eq!(answer("permessage-deflate", &off), None);
    }
}
