//! Numbers in base 62, as timestamps stand in signed values.

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

pub(super) fn encode(number: i64) -> String {
    let mut rest = number.unsigned_abs();
    let mut digits = Vec::new();
    loop {
        digits.push(char::from(DIGITS[(rest % 62) as usize]));
        rest /= 62;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        digits.push('-');
    }
    digits.iter().rev().collect()
}

/// The number that `text` stands for, at most `i64::MAX`; `None` for what is no number.
pub(super) fn decode(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    if digits.is_empty() {
        return None;
    }
    let magnitude = digits.bytes().try_fold(0_i64, |number, digit| {
        let value = DIGITS.iter().position(|&known| known == digit)?;
        Some(number.saturating_mul(62).saturating_add(value as i64))
    })?;
    Some(if negative { -magnitude } else { magnitude })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_and_read_as_django_does() {
        let vectors: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/signing.json")).unwrap();
        let cases = vectors["base62"].as_array().unwrap();
        for case in cases {
            let (number, text) = (case["n"].as_i64().unwrap(), case["s"].as_str().unwrap());
            assert_eq!(encode(number), text);
            assert_eq!(decode(text), Some(number));
        }
        assert_eq!(cases.len(), 25);
    }

    #[test]
    fn what_is_no_number_is_none_and_what_is_too_large_saturates() {
        assert_eq!(decode(""), None);
        assert_eq!(decode("-"), None);
        assert_eq!(decode("1!"), None);
        assert_eq!(decode(&"z".repeat(40)), Some(i64::MAX));
        assert_eq!(decode(&encode(i64::MIN)), Some(i64::MIN + 1));
    }
}
