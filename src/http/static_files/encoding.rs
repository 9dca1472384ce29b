//! Compressed variants of a file: which of them a request takes, and what their names end with.

use ::http::{HeaderMap, header};

/// How a variant is compressed; from the least to the most wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Encoding {
    /// Not at all.
    Identity,
    Gzip,
    Brotli,
    Zstd,
}

impl Encoding {
    pub(super) const ALL: [Self; 4] = [Self::Identity, Self::Gzip, Self::Brotli, Self::Zstd];

    /// What `Content-Encoding` says.
    pub(super) fn name(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Brotli => Some("br"),
            Self::Zstd => Some("zstd"),
        }
    }

    /// What the variant's file name has behind the file's.
    pub(super) fn ending(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => ".gz",
            Self::Brotli => ".br",
            Self::Zstd => ".zst",
        }
    }

    /// What a request takes, the best first. The file as it is comes last at the latest: whoever refuses it gets it rather
    /// than nothing (RFC 9110 section 12.5.3).
    pub(super) fn accepted(headers: &HeaderMap) -> Vec<Self> {
        let lines = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
        let listed = lines.flat_map(|line| line.split(',')).filter_map(weighed);
        let mut wanted: Vec<(f32, Self)> = listed.filter(|(weight, _)| *weight > 0.0).collect();
        wanted.sort_by(|one, other| other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)));
        wanted.into_iter().map(|(_, encoding)| encoding).chain([Self::Identity]).collect()
    }

    fn named(name: &str) -> Option<Self> {
        match &*name.to_ascii_lowercase() {
            "identity" => Some(Self::Identity),
            "gzip" | "x-gzip" => Some(Self::Gzip),
            "br" => Some(Self::Brotli),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// An element of the list: an encoding, and how much it is wanted.
fn weighed(element: &str) -> Option<(f32, Encoding)> {
    let (name, weight) = element.split_once(';').unwrap_or((element, "q=1"));
    let weight = weight.trim().strip_prefix(['q', 'Q'])?.strip_prefix('=')?.parse().ok()?;
    Some((weight, Encoding::named(name.trim())?)).filter(|_| (0.0..=1.0).contains(&weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_wanted_encoding_comes_first() {
        use Encoding::{Brotli, Gzip, Identity, Zstd};
        for (line, expected) in [
            ("", vec![Identity]),
            ("gzip, br, zstd", vec![Zstd, Brotli, Gzip, Identity]),
            ("GZIP;q=0.9, br;q=0.8", vec![Gzip, Brotli, Identity]),
            ("x-gzip ; Q=1", vec![Gzip, Identity]),
            ("br;q=0, gzip;q=0.000", vec![Identity]),
            ("br;q=2, gzip;q=-1, zstd;q=NaN, br;p=1", vec![Identity]),
            ("identity, gzip;q=0.5", vec![Identity, Gzip, Identity]),
            ("deflate, *", vec![Identity]),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, line.parse().unwrap())]);
            assert_eq!(Encoding::accepted(&headers), expected, "{line}");
        }
    }
}
