//! Names of channels and groups: `new` makes them by the strict rule, `parse` reads them as leniently as Python does.

use std::borrow::Borrow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use regex::Regex;

/// The longest name, in characters.
pub const MAX_NAME_LENGTH: usize = 99;

/// The name of a channel: a named inbox. Cheap to clone.
///
/// A *plain* channel (no `!`) may be received from by any process; a *specific* one, `prefix.process!local`, belongs
/// to one mailbox of one process.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelName(Arc<str>);

/// The name of a group: a named set of channels. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupName(Arc<str>);

/// A name that breaks the rule of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} name {name:?}: expected {expected}")]
pub struct NameError {
    kind: &'static str,
    name: String,
    expected: &'static str,
}

const LETTERS: &str = "1 to 99 of the characters a-z A-Z 0-9 - _ .";
const CHANNEL_LETTERS: &str =
    "fewer than 100 characters: a-z A-Z 0-9 - _ . with at most one '!' behind the first";

// Python's `\d` is any decimal digit, its `\w` any letter or number, and its `$` also stands before a last newline.
static LENIENT_CHANNEL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[a-zA-Z\p{Nd}\-_.]+(![\p{L}\p{N}_\-.]*)?\n?\z").ok());
static LENIENT_GROUP: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\A[a-zA-Z\p{Nd}\-_.]+\n?\z").ok());

fn lenient(pattern: &LazyLock<Option<Regex>>, name: &str) -> bool {
    name.chars().take(MAX_NAME_LENGTH + 1).count() <= MAX_NAME_LENGTH
        && pattern.as_ref().is_some_and(|pattern| pattern.is_match(name))
}

/// The strict rule for one part of a name.
fn plain(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// Everything up to and including the first `!`; the whole name when there is none.
///
/// It names one process's inbox. Any text has one, valid name or not.
///
/// ```
/// use solent::layers::ChannelName;
/// use solent::layers::names::non_local;
///
/// assert_eq!(non_local("specific.process!one"), "specific.process!");
/// assert_eq!(ChannelName::new("jobs").map(|name| name.is_specific()), Ok(false));
/// ```
pub fn non_local(name: &str) -> &str {
    name.find('!').map_or(name, |at| &name[..=at])
}

impl ChannelName {
    /// Makes a name: ASCII letters, digits, `-`, `_`, `.`, and at most one `!` behind the first of them.
    ///
    /// # Errors
    /// [`NameError`] when the name breaks that rule or has 100 characters or more.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        let (front, local) = name.split_once('!').unwrap_or((name, ""));
        if !front.is_empty() && plain(front) && plain(local) && name.len() <= MAX_NAME_LENGTH {
            return Ok(Self(name.into()));
        }
        Err(NameError { kind: "channel", name: name.to_owned(), expected: CHANNEL_LETTERS })
    }

    /// Reads a name that Python made, by Python's rule: Unicode digits, letters of any script behind the `!`, and one
    /// final newline pass too.
    ///
    /// # Errors
    /// [`NameError`] when Python would refuse it as well.
    pub fn parse(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if let Ok(strict) = Self::new(name) {
            return Ok(strict);
        }
        if lenient(&LENIENT_CHANNEL, name) {
            return Ok(Self(name.into()));
        }
        Err(NameError { kind: "channel", name: name.to_owned(), expected: CHANNEL_LETTERS })
    }

    /// A mailbox's name that a layer made, whose prefix may be any text.
    #[cfg(feature = "redis")]
    pub(crate) fn made(name: String) -> Self {
        Self(name.into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Everything up to and including the first `!`: the inbox of one process. A plain name is its own.
    pub fn non_local(&self) -> &str {
        non_local(&self.0)
    }

    /// Whether this is a mailbox of one process rather than a channel that anyone may receive from.
    pub fn is_specific(&self) -> bool {
        self.0.contains('!')
    }

    /// Whether a layer's low-level `receive` takes this name: a plain one, or one that ends at its `!`.
    pub fn is_receivable(&self) -> bool {
        !self.is_specific() || self.0.ends_with('!')
    }
}

impl GroupName {
    /// Makes a name: 1 to 99 ASCII letters, digits, `-`, `_` and `.`.
    ///
    /// ```
    /// use solent::layers::GroupName;
    ///
    /// assert!(GroupName::new("chat_7").is_ok());
    /// assert!(GroupName::new("chat 7").is_err());
    /// ```
    ///
    /// # Errors
    /// [`NameError`] when the name breaks that rule.
    pub fn new(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if !name.is_empty() && plain(name) && name.len() <= MAX_NAME_LENGTH {
            return Ok(Self(name.into()));
        }
        Err(NameError { kind: "group", name: name.to_owned(), expected: LETTERS })
    }

    /// Reads a name that Python made, by Python's rule: Unicode digits and one final newline pass too.
    ///
    /// # Errors
    /// [`NameError`] when Python would refuse it as well.
    pub fn parse(name: impl AsRef<str>) -> Result<Self, NameError> {
        let name = name.as_ref();
        if let Ok(strict) = Self::new(name) {
            return Ok(strict);
        }
        if lenient(&LENIENT_GROUP, name) {
            return Ok(Self(name.into()));
        }
        Err(NameError { kind: "group", name: name.to_owned(), expected: LETTERS })
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

macro_rules! text_like {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = NameError;

            /// By the strict rule, as `new`.
            fn from_str(name: &str) -> Result<Self, NameError> {
                Self::new(name)
            }
        }
    )*};
}

text_like!(ChannelName, GroupName);
