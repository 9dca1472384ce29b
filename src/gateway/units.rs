//! Times, sizes and rates as people write them: `"10s"`, `"1MiB"`, `"20/s"`.

use std::time::Duration;

use super::document::{Node, Value};
use super::reader::Reader;
use super::setting::Setting;

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ByteSize(pub(crate) usize);

/// A value, or `"off"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OrOff<T>(pub(crate) Option<T>);

/// So many in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) count: u32,
    pub(crate) per: Duration,
}

const TIMES: [(&str, u64); 5] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000)];
const SIZES: [(&str, usize); 7] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1000),
    ("B", 1),
];

impl Setting for Duration {
    fn expected() -> String {
        "a time such as \"10s\", \"500ms\", \"1h30m\" or \"2d\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        read_text(node, reader, parse_duration)
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{}\"", duration_text(*self)))
    }
}

impl Setting for ByteSize {
    fn expected() -> String {
        "a size such as \"64KiB\", \"2.5MiB\" or \"100kB\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        read_text(node, reader, parse_size)
    }

    fn show(&self) -> Option<String> {
        Some(format!("\"{}\"", size_text(self.0)))
    }
}

impl Setting for Rate {
    fn expected() -> String {
        "a rate such as \"20/s\", \"50/m\" or \"1000/h\"".to_owned()
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        read_text(node, reader, parse_rate)
    }

    fn show(&self) -> Option<String> {
        let text = duration_text(self.per);
        Some(format!("\"{}/{}\"", self.count, text.strip_prefix('1').unwrap_or(&text)))
    }
}

impl<T: Setting> Setting for OrOff<T> {
    fn expected() -> String {
        format!("{}, or \"off\"", T::expected())
    }

    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Text(text) if text.text == "off" => Some(Self(None)),
            Value::Bool(false) => reader.wrong(node, &Self::expected()),
            _ => {
                reader.or_word = Some("off");
                let value = T::read(node, reader);
                reader.or_word = None;
                value.map(|value| Self(Some(value)))
            }
        }
    }

    fn show(&self) -> Option<String> {
        self.0.as_ref().map_or_else(|| Some("\"off\"".to_owned()), T::show)
    }
}

fn read_text<T: Setting>(node: &Node, reader: &mut Reader<'_>, parse: fn(&str) -> Option<T>) -> Option<T> {
    match &node.value {
        Value::Text(text) => parse(text.text.trim()).or_else(|| reader.wrong(node, &T::expected())),
        _ => reader.wrong(node, &T::expected()),
    }
}

/// One or more numbers with units, largest first by custom: `1h30m`.
pub(crate) fn parse_duration(text: &str) -> Option<Duration> {
    let mut micros: f64 = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let (number, unit, next) = number_and_unit(rest)?;
        let scale = TIMES.iter().find(|(name, _)| *name == unit)?.1;
        micros += number * scale as f64;
        rest = next;
    }
    // A thousand years are more than any clock here can take.
    (!text.is_empty() && micros < 3.2e16).then(|| Duration::from_micros(micros.round() as u64))
}

fn parse_size(text: &str) -> Option<ByteSize> {
    let (number, unit, rest) = number_and_unit(text)?;
    let scale = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit))?.1;
    let bytes = number * scale as f64;
    (rest.is_empty() && bytes < (1_u64 << 50) as f64).then_some(ByteSize(bytes.round() as usize))
}

fn parse_rate(text: &str) -> Option<Rate> {
    let (count, unit) = text.split_once('/')?;
    let count = count.trim().parse().ok().filter(|count| *count > 0)?;
    let per = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return None,
    };
    Some(Rate { count, per: Duration::from_secs(per) })
}

/// `1.5MiB…` as 1.5, `MiB` and what follows.
fn number_and_unit(text: &str) -> Option<(f64, &str, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(digits);
    let rest = rest.trim_start();
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(letters);
    let number: f64 = number.parse().ok()?;
    (number.is_finite() && !unit.is_empty()).then_some((number, unit, rest.trim_start()))
}

pub(crate) fn duration_text(duration: Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    if micros == 0 {
        return "0s".to_owned();
    }
    // A minute is said as 60 seconds.
    let fits =
        |(unit, scale): &&(&str, u64)| micros.is_multiple_of(*scale) && !(*unit == "m" && micros == *scale);
    match TIMES.iter().find(fits) {
        Some((unit, scale)) => format!("{}{unit}", micros / scale),
        None => format!("{}ms", micros as f64 / 1000.0),
    }
}

fn size_text(bytes: usize) -> String {
    for (unit, scale) in &SIZES[..3] {
        if bytes >= *scale && (bytes * 10).is_multiple_of(*scale) {
            let tenths = bytes * 10 / scale;
            let text = if tenths.is_multiple_of(10) {
                (tenths / 10).to_string()
            } else {
                format!("{}.{}", tenths / 10, tenths % 10)
            };
            return format!("{text}{unit}");
        }
    }
    format!("{bytes}B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_people_write_them() {
        for (text, millis) in [
            ("10s", 10_000),
            ("500ms", 500),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
            ("1.5s", 1500),
            ("0s", 0),
            ("1m 30s", 90_000),
            ("10 s", 10_000),
        ] {
            assert_eq!(parse_duration(text), Some(Duration::from_millis(millis)), "{text}");
        }
        for text in ["", "10", "s", "10x", "-1s", "1e3s", "10s10", "1..5s", "999999999999d"] {
            assert_eq!(parse_duration(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_shown_reads_back() {
        for text in ["10s", "75s", "1d", "90m", "20ms", "1h"] {
            assert_eq!(duration_text(parse_duration(text).unwrap()), text);
        }
        for text in ["64KiB", "2.5MiB", "1MiB", "1GiB", "100B", "1000B"] {
            assert_eq!(size_text(parse_size(text).unwrap().0), text);
        }
    }

    #[test]
    fn sizes_and_rates_read_as_people_write_them() {
        assert_eq!(parse_size("1kB"), Some(ByteSize(1000)));
        assert_eq!(parse_size("1 kib"), Some(ByteSize(1024)));
        for text in ["", "1", "MiB", "1XiB", "-1B", "1MiB2", "99999999TB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
        assert_eq!(parse_rate("20/s"), Some(Rate { count: 20, per: Duration::from_secs(1) }));
        assert_eq!(parse_rate("5 / h").unwrap().show().unwrap(), "\"5/h\"");
        for text in ["", "20", "0/s", "20/d", "a/s", "1.5/s"] {
            assert_eq!(parse_rate(text), None, "{text}");
        }
    }
}
