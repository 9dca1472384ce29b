//! What can be known of templates before anyone asks for a page: that what they name is there.

use std::collections::BTreeSet;

use super::references::{Arguments, Reference, Target, definitions, references};
use super::{TemplateError, Templates};
use crate::routing::{Names, ReverseError, nearest};

/// Names that stand for filters and tests of the engine, for who has misspelt one: it tells of each name whether it has
/// it, and lists none.
const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
];
const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// Functions that are no variables of the engine: the page's own, and those that it has in their places.
const FUNCTIONS: [&str; 4] = ["caller", "loop", "super", "url"];

impl Templates {
    /// What is wrong with the templates that can be known without rendering them: mistakes of syntax, `extends` and
    /// `include` of templates that are not there, `url()` to names that no route has or without the arguments that it
    /// needs, filters, tests and functions that do not exist. A function that a view puts into its context counts
    /// among the last, as nothing tells of it here.
    pub fn check(&self, names: &Names) -> Vec<TemplateError> {
        let all = self.names();
        self.check_used(names, all.iter().map(String::as_str))
    }

    /// As [`check`](Self::check), for these templates and what they extend and include. Those that are not there are
    /// left out.
    ///
    /// ```
    /// use solent::http::Templates;
    /// use solent::routing::Names;
    ///
    /// let templates = Templates::embedded([
    ///     ("page.html", "{% extends 'base.html' %}"),
    ///     ("base.html", "{{ url('nowhere') }}"),
    ///     ("unused.html", "{% if %}"),
    /// ]);
    /// let problems = templates.check_used(&Names::default(), ["page.html"]);
    /// assert_eq!(problems.len(), 1, "the route that is missing in base.html");
    /// ```
    pub fn check_used<'n>(
        &self,
        names: &Names,
        used: impl IntoIterator<Item = &'n str>,
    ) -> Vec<TemplateError> {
        let mut errors = Vec::new();
        let texts = self.texts(used, &mut errors);
        let mut functions: BTreeSet<&str> = FUNCTIONS.into();
        functions.extend(self.0.engine.globals().map(|(name, _)| name));
        // What includes a template lends it its names, so that all of them count everywhere.
        functions.extend(texts.iter().flat_map(|(_, text)| definitions(text)));
        let known = Known { templates: self, names, functions };
        for (name, text) in &texts {
            let found = references(text).into_iter().filter_map(|found| known.refute(name, &found));
            errors.extend(found);
        }
        errors
            .sort_by(|a, b| (a.template(), a.line(), a.column()).cmp(&(b.template(), b.line(), b.column())));
        errors
    }

    /// The texts of templates and of those that they refer to, as far as the engine can read them.
    fn texts<'n>(
        &self,
        used: impl IntoIterator<Item = &'n str>,
        errors: &mut Vec<TemplateError>,
    ) -> Vec<(String, String)> {
        let mut texts = Vec::new();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut next: Vec<String> = used.into_iter().map(str::to_owned).collect();
        while let Some(name) = next.pop() {
            if !self.contains(&name) || !seen.insert(name.clone()) {
                continue;
            }
            if let Err(error) = self.0.engine.get_template(&name) {
                errors.push(TemplateError::of(&name, error));
                continue;
            }
            let text = self.text(&name).unwrap_or_default();
            for found in references(&text) {
                if let Target::Template(inner) = found.target {
                    next.push(inner.to_owned());
                }
            }
            texts.push((name, text));
        }
        texts
    }

    /// Whether the engine has a filter or test; it knows best.
    fn has(&self, kind: &str, name: &str) -> bool {
        self.0.engine.empty_state().perform_test(kind, &[name.into()]).unwrap_or(true)
    }
}

/// What templates may name.
struct Known<'k> {
    templates: &'k Templates,
    names: &'k Names,
    functions: BTreeSet<&'k str>,
}

impl Known<'_> {
    /// What is wrong with one reference, if anything is.
    fn refute(&self, template: &str, found: &Reference<'_>) -> Option<TemplateError> {
        let problem = match &found.target {
            Target::Route(name, arguments) => self.refute_route(name, arguments)?,
            Target::Template(name) if self.templates.contains(name) => return None,
            Target::Template(name) => {
                let all = self.templates.names();
                let all: Vec<&str> = all.iter().map(String::as_str).collect();
                unknown("template", name, &all)
            }
            Target::Filter(name) if self.templates.has("filter", name) => return None,
            Target::Filter(name) => unknown("filter", name, FILTERS),
            Target::Test(name) if self.templates.has("test", name) => return None,
            Target::Test(name) => unknown("test", name, TESTS),
            Target::Function(name) if self.functions.contains(name) => return None,
            Target::Function(name) => {
                let all: Vec<&str> = self.functions.iter().copied().collect();
                unknown("function", name, &all)
            }
        };
        Some(TemplateError::at(template, found.line, found.column, problem))
    }

    fn refute_route(&self, name: &str, arguments: &Arguments<'_>) -> Option<String> {
        let error = match arguments {
            Arguments::Named(arguments) => self.names.refute(name, arguments)?,
            Arguments::Positional => {
                return Some(format!("url(): arguments have names: url({name:?}, name=value)"));
            }
            Arguments::Computed => {
                let error = self.names.reverse(name, &[]).err()?;
                Some(error).filter(|error| matches!(error, ReverseError::UnknownName { .. }))?
            }
        };
        Some(format!("url(): {error}"))
    }
}

fn unknown(kind: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known) {
        Some(nearest) => format!("there is no {kind} {name:?}; near it: {nearest}"),
        None => format!("there is no {kind} {name:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{FILTERS, TESTS};
    use crate::http::Templates;

    #[test]
    fn what_is_proposed_is_there() {
        let templates = Templates::embedded([]);
        for (kind, names) in [("filter", FILTERS), ("test", TESTS)] {
            for name in names {
                assert!(templates.has(kind, name), "no {kind} {name}");
            }
            assert!(!templates.has(kind, "nonsense"), "{kind}");
        }
    }
}
