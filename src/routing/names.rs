//! Route names, and the way back from a name to a path.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::reverse::Reversible;
use super::{ReverseError, RouteError, RouteInfo};

/// The names of all routes of a server, views and sockets alike.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use solent::http::Request;
/// use solent::routing::{Names, Routes, ViewRouter, path};
/// async fn room(_: Request) -> &'static str { "the room" }
/// let views = ViewRouter::new([path("chat/room/<int:course_id>/", room).name("chat:room")])?;
/// let names = Names::new(views.routes())?;
/// assert_eq!(names.reverse("chat:room", &[("course_id", &1)])?, "/chat/room/1/");
/// assert_eq!(names.reverse_positional("chat:room", &[&1])?, "/chat/room/1/");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Names(BTreeMap<String, Reversible>);

impl Names {
    /// The names among `routes`.
    ///
    /// # Errors
    /// [`RouteError::DuplicateName`] when two routes have one name.
    pub fn new(routes: impl IntoIterator<Item = RouteInfo>) -> Result<Self, RouteError> {
        let mut names: BTreeMap<String, Reversible> = BTreeMap::new();
        for info in routes {
            let Some(name) = info.name.clone() else { continue };
            if let Some(first) = names.get(&name) {
                let first = first.pattern().to_owned();
                return Err(RouteError::DuplicateName { name, first, second: info.pattern });
            }
            names.insert(name.clone(), Reversible::new(name, info));
        }
        Ok(Self(names))
    }

    /// The path of the route `name` with arguments by name, percent-encoded. A route whose groups have no names
    /// takes them as `"0"`, `"1"` and so on.
    ///
    /// # Errors
    /// [`ReverseError`]: an unknown name, a missing, needless or ill-typed argument, a pattern without a way back.
    pub fn reverse(
        &self,
        name: &str,
        args: &[(&str, &(dyn Display + Sync))],
    ) -> Result<String, ReverseError> {
        self.find(name)?.path(args)
    }

    /// As [`reverse`](Self::reverse), with the arguments in the order in which they stand in the pattern.
    ///
    /// # Errors
    /// As [`reverse`](Self::reverse).
    pub fn reverse_positional(
        &self,
        name: &str,
        args: &[&(dyn Display + Sync)],
    ) -> Result<String, ReverseError> {
        self.find(name)?.path_of(args)
    }

    /// Why `name` with these arguments can give no path, as far as their values are known.
    #[cfg(feature = "templates")]
    pub(crate) fn refute(&self, name: &str, args: &[(&str, Option<&str>)]) -> Option<ReverseError> {
        match self.find(name) {
            Ok(route) => route.refute(args).err(),
            Err(error) => Some(error),
        }
    }

    /// All names, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn find(&self, name: &str) -> Result<&Reversible, ReverseError> {
        self.0
            .get(name)
            .ok_or_else(|| ReverseError::UnknownName { name: name.to_owned(), nearest: self.nearest(name) })
    }

    /// The three known names that look most like `name`.
    fn nearest(&self, name: &str) -> Vec<String> {
        let mut known: Vec<(usize, &str)> = self.iter().map(|known| (distance(name, known), known)).collect();
        known.sort_unstable();
        known.into_iter().take(3).map(|(_, known)| known.to_owned()).collect()
    }
}

/// How many characters must be added, taken away or changed to get from one text to the other: what tells which of the
/// known names was meant.
///
/// ```
/// assert_eq!(solent::routing::distance("temlate", "template"), 1);
/// ```
pub fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (number, from) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], number + 1);
        for (place, to) in to.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[place + 1];
            row[place + 1] = changed.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[to.len()]
}

/// The known name that looks most like `name`, when one looks enough like it to be meant.
///
/// ```
/// use solent::routing::nearest;
///
/// assert_eq!(nearest("temlate", &["proxy", "template"]), Some("template"));
/// assert_eq!(nearest("temlate", &["proxy"]), None);
/// ```
pub fn nearest<'n>(name: &str, known: &[&'n str]) -> Option<&'n str> {
    let far = |known: &str| distance(&name.to_lowercase(), &known.to_lowercase());
    let bound = name.chars().count().max(3) / 2 + 1;
    known
        .iter()
        .copied()
        .map(|known| (far(known), known))
        .min()
        .filter(|(far, _)| *far <= bound)
        .map(|(_, name)| name)
}
