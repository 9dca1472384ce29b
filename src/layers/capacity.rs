//! Capacities of channels, by patterns over their names.

use regex::Regex;

/// How many messages may wait in a channel: the first pattern that matches the name decides, else the default.
///
/// ```
/// use solent::layers::Capacities;
///
/// let capacities = Capacities::new(100).glob("http.response!*", 10)?;
/// assert_eq!(capacities.of("http.response!abc"), 10);
/// assert_eq!(capacities.of("chat"), 100);
///
/// let capacities = Capacities::default().with_default(50).regex(r"jobs\.\d+", 1_000)?;
/// assert_eq!((capacities.of("jobs.7"), capacities.of("chat")), (1_000, 50));
/// # Ok::<(), solent::layers::PatternError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Capacities {
    patterns: Vec<(Regex, usize)>,
    default: usize,
}

/// A capacity pattern that is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("channel pattern {pattern:?}: {reason}")]
pub struct PatternError {
    pattern: String,
    reason: String,
}

impl Capacities {
    /// `default` for every channel.
    pub fn new(default: usize) -> Self {
        Self { patterns: Vec::new(), default }
    }

    /// The default for channels that no pattern names.
    #[must_use]
    pub fn with_default(mut self, default: usize) -> Self {
        self.default = default;
        self
    }

    /// Adds a glob over the whole name: `*`, `?`, `[abc]`, `[!abc]`; case-sensitive.
    ///
    /// # Errors
    /// When a bracket holds no valid set, such as `[z-a]`.
    pub fn glob(self, pattern: &str, capacity: usize) -> Result<Self, PatternError> {
        let translated = format!(r"(?s)\A{}\z", glob_regex(pattern));
        self.add(pattern, &translated, capacity)
    }

    /// Adds a regular expression, matched at the start of the name.
    ///
    /// # Errors
    /// When it does not parse; look-around and back-references are not supported.
    pub fn regex(self, pattern: &str, capacity: usize) -> Result<Self, PatternError> {
        self.add(pattern, &format!(r"\A(?:{pattern})"), capacity)
    }

    fn add(mut self, pattern: &str, translated: &str, capacity: usize) -> Result<Self, PatternError> {
        let regex = Regex::new(translated)
            .map_err(|error| PatternError { pattern: pattern.to_owned(), reason: error.to_string() })?;
        self.patterns.push((regex, capacity));
        Ok(self)
    }

    /// The capacity of the channel `name` (the full name, local part included).
    pub fn of(&self, name: &str) -> usize {
        let found = self.patterns.iter().find(|(pattern, _)| pattern.is_match(name));
        found.map_or(self.default, |(_, capacity)| *capacity)
    }
}

impl Default for Capacities {
    /// 100 messages for every channel.
    fn default() -> Self {
        Self::new(100)
    }
}

/// A shell pattern as a regular expression, as Python's `fnmatch` reads it.
fn glob_regex(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        match letter {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            '[' => match bracket(rest) {
                Some((set, behind)) => {
                    out.push_str(&set);
                    rest = behind;
                }
                None => out.push_str(r"\["),
            },
            other => out.push_str(&regex::escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// The set behind a `[`, and what follows it; `None` when no `]` closes it, which makes the `[` an ordinary letter.
fn bracket(rest: &str) -> Option<(String, &str)> {
    let (negated, body) = rest.strip_prefix('!').map_or((false, rest), |body| (true, body));
    // A `]` in first place is a member of the set.
    let from = body.chars().next()?.len_utf8();
    let end = from + body[from..].find(']')?;
    let mut set = String::from(if negated { "[^" } else { "[" });
    for letter in body[..end].chars() {
        if matches!(letter, '\\' | '[' | ']' | '^' | '&' | '~') {
            set.push('\\');
        }
        set.push(letter);
    }
    set.push(']');
    Some((set, &body[end + 1..]))
}
