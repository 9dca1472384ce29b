//! Converters: what a `<type:name>` in a `path()` pattern takes, and its canonical form.

use std::borrow::Cow;
use std::fmt;

/// What one type of `path()` parameter takes.
///
/// ```
/// use solent::routing::{Converter, Converters};
///
/// let year = Converter::new("year", "[0-9]{4}", |text| Some(text.to_owned()));
/// let converters = Converters::default().with(year);
/// ```
#[derive(Clone)]
pub struct Converter {
    name: Cow<'static, str>,
    regex: Cow<'static, str>,
    to_canonical: fn(&str) -> Option<String>,
    kind: Kind,
}

/// What is known of a converter's texts, for the index and for finding routes that are never reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Str,
    Slug,
    Uuid,
    Path,
    Custom,
}

impl Converter {
    /// A converter called `name` for the texts that match `regex`. `to_canonical` gives the text that lands in
    /// `kwargs`, or `None` when the text is not a value after all: the route then does not match.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        regex: impl Into<Cow<'static, str>>,
        to_canonical: fn(&str) -> Option<String>,
    ) -> Self {
        Self { name: name.into(), regex: regex.into(), to_canonical, kind: Kind::Custom }
    }

    const fn built_in(
        name: &'static str,
        regex: &'static str,
        to_canonical: fn(&str) -> Option<String>,
        kind: Kind,
    ) -> Self {
        Self { name: Cow::Borrowed(name), regex: Cow::Borrowed(regex), to_canonical, kind }
    }

    /// The name, as it stands in patterns.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What its texts look like.
    pub fn regex(&self) -> &str {
        &self.regex
    }

    pub(super) fn canonical(&self, text: &str) -> Option<String> {
        (self.to_canonical)(text)
    }

    /// Whether the whole of `text` is a value.
    pub(super) fn accepts(&self, text: &str) -> bool {
        let whole = regex::Regex::new(&format!(r"\A(?:{})\z", self.regex));
        whole.is_ok_and(|whole| whole.is_match(text)) && self.canonical(text).is_some()
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl Kind {
    /// Whether texts are never empty and never hold a slash.
    pub(super) fn stays_in_segment(self) -> bool {
        !matches!(self, Self::Path | Self::Custom)
    }
}

impl fmt::Debug for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Converter").field("name", &self.name).field("regex", &self.regex).finish()
    }
}

impl PartialEq for Converter {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.regex == other.regex
    }
}

/// The converters that a router's patterns may name: Django's `int`, `str`, `slug`, `uuid` and `path`, and one's own.
///
/// `int` takes ASCII digits that fit in 64 bits and gives them without leading zeros; `uuid` takes lower case only.
#[derive(Debug, Clone)]
pub struct Converters(Vec<Converter>);

impl Converters {
    /// Adds a converter; one of the same name is replaced.
    #[must_use]
    pub fn with(mut self, converter: Converter) -> Self {
        self.0.retain(|known| known.name != converter.name);
        self.0.push(converter);
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&Converter> {
        self.0.iter().find(|converter| converter.name == name)
    }

    pub(super) fn names(&self) -> String {
        self.0.iter().map(Converter::name).collect::<Vec<_>>().join(", ")
    }
}

impl Default for Converters {
    fn default() -> Self {
        let same = |text: &str| Some(text.to_owned());
        let int = |text: &str| text.parse().ok().map(|number: u64| number.to_string());
        Self(vec![
            Converter::built_in("int", "[0-9]+", int, Kind::Int),
            Converter::built_in("str", "[^/]+", same, Kind::Str),
            Converter::built_in("slug", "[-a-zA-Z0-9_]+", same, Kind::Slug),
            Converter::built_in(
                "uuid",
                "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
                same,
                Kind::Uuid,
            ),
            Converter::built_in("path", ".+", same, Kind::Path),
        ])
    }
}
