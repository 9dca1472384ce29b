//! `${NAME}` and `${NAME:-default}` in the file's strings.

use std::fmt;

/// Looks an environment variable up. A variable that is not UTF-8 counts as not set.
pub(crate) type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A string with its variables' values put in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// The variables whose values are part of it, in order.
    pub(crate) variables: Vec<String>,
    /// Whether anything was put in, a default included: then what it says may be a number or a truth value.
    pub(crate) put_in: bool,
}

/// What is wrong with a `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::enum_variant_names, reason = "each says what is not so")]
pub(crate) enum Mistake {
    NotSet(String),
    NotClosed,
    NotAName(String),
}

impl Mistake {
    /// What should have been there.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::NotSet(name) => {
                format!("the variable to be set, or a default: ${{{name}:-…}}")
            }
            Self::NotClosed | Self::NotAName(_) => {
                "${NAME} or ${NAME:-default}; write $${ for the characters themselves".to_owned()
            }
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSet(name) => write!(f, "the environment variable {name} is not set"),
            Self::NotClosed => f.write_str("a `${` without its `}`"),
            Self::NotAName(name) => write!(f, "{name:?} is not a variable's name"),
        }
    }
}

/// Puts the values of variables in. `$${` stands for `${`; any other `$` is itself. A default is taken as it stands.
pub(crate) fn expand(text: &str, variables: Variables<'_>) -> Result<Expanded, Mistake> {
    let mut expanded = Expanded::default();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, behind) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('$') {
            expanded.text.push_str(before);
            expanded.text.push_str("${");
            rest = behind;
            continue;
        }
        expanded.text.push_str(before);
        let (inside, behind) = behind.split_once('}').ok_or(Mistake::NotClosed)?;
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        if !is_name(name) {
            return Err(Mistake::NotAName(name.to_owned()));
        }
        expanded.put_in = true;
        match (variables(name), default) {
            (Some(value), _) if !value.is_empty() || default.is_none() => {
                expanded.text.push_str(&value);
                expanded.variables.push(name.to_owned());
            }
            (_, Some(default)) => expanded.text.push_str(default),
            (_, None) => return Err(Mistake::NotSet(name.to_owned())),
        }
        rest = behind;
    }
    expanded.text.push_str(rest);
    Ok(expanded)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::{Mistake, expand};

    fn variables(name: &str) -> Option<String> {
        match name {
            "HOST" => Some("example.com".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn variables_and_defaults_are_put_in() {
        for (text, expected, used) in [
            ("plain", "plain", &[][..]),
            ("${HOST}", "example.com", &["HOST"]),
            ("http://${HOST}:${PORT:-80}/", "http://example.com:80/", &["HOST"]),
            ("${HOST}${HOST}", "example.comexample.com", &["HOST", "HOST"]),
            ("${MISSING:-}", "", &[]),
            ("${EMPTY:-full}", "full", &[]),
            ("${EMPTY}", "", &["EMPTY"]),
            ("${MISSING:-a:-b}", "a:-b", &[]),
            ("$${HOST}", "${HOST}", &[]),
            (r"^ws/(?P<id>\d+)/$", r"^ws/(?P<id>\d+)/$", &[]),
            ("costs 5$ {not} this", "costs 5$ {not} this", &[]),
        ] {
            let found = expand(text, &variables).unwrap();
            assert_eq!(
                (found.text.as_str(), found.variables.as_slice()),
                (expected, &used.iter().map(|&u| u.to_owned()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn mistakes_are_told() {
        assert_eq!(expand("${MISSING}", &variables), Err(Mistake::NotSet("MISSING".to_owned())));
        assert_eq!(expand("${HOST", &variables), Err(Mistake::NotClosed));
        assert_eq!(expand("${}", &variables), Err(Mistake::NotAName(String::new())));
        assert_eq!(expand("${1A}", &variables), Err(Mistake::NotAName("1A".to_owned())));
        assert_eq!(expand("${A-B}", &variables), Err(Mistake::NotAName("A-B".to_owned())));
    }
}
