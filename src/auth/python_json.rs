//! JSON exactly as Python's `json.dumps` writes it with the separators `,` and `:`.

use std::io;

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

/// `value` as JSON in ASCII: everything else as `\uXXXX`, numbers with a fraction as Python's `repr` has them.
///
/// # Errors
/// When the value has no JSON form, such as a map whose keys are not text.
pub(crate) fn to_json<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, PythonFormatter))?;
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        for c in fragment.chars() {
            if matches!(c, ' '..='~') {
                out.write_all(&[c as u8])?;
                continue;
            }
            for unit in c.encode_utf16(&mut units) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }

    fn write_f64<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f64) -> io::Result<()> {
        // Rust and Python agree on the digits and on where the exponent begins; Python gives it a sign and two digits.
        let text = format!("{value:?}");
        match text.split_once('e') {
            None => out.write_all(text.as_bytes()),
            Some((digits, exponent)) => {
                let (sign, exponent) =
                    exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
                write!(out, "{digits}e{sign}{exponent:0>2}")
            }
        }
    }

    fn write_f32<W: io::Write + ?Sized>(&mut self, out: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(out, value.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_text_are_pythons() {
        let numbers = [1.0, 0.0001, 0.00001, 1e16, 1e15, 123_456_789.125, 1e100, -0.5, 5e-324];
        assert_eq!(
            to_json(&numbers).unwrap(),
            "[1.0,0.0001,1e-05,1e+16,1000000000000000.0,123456789.125,1e+100,-0.5,5e-324]"
        );
        assert_eq!(to_json("\u{7f}é😀\n\u{1}\"\\/").unwrap(), r#""\u007f\u00e9\ud83d\ude00\n\u0001\"\\/""#);
    }
}
