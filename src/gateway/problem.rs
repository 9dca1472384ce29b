//! What is wrong with a config file: every problem with its place, what was expected, and the nearest valid name.

use std::fmt;
use std::path::{Path, PathBuf};

use super::document::{Document, Node, Span};
use super::mask::Excerpt;
use crate::http::{TemplateError, Templates};

/// One thing that is wrong, as whoever finds it tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) span: Span,
    what: String,
    expected: Option<String>,
    nearest: Option<String>,
    is_syntax: bool,
    /// A place in another file: a template's.
    elsewhere: Option<Elsewhere>,
    /// Values that nobody should see: what stands behind a misspelt key may be a secret.
    pub(super) hidden: Vec<Span>,
}

impl Problem {
    pub(crate) fn new(span: Span, what: impl Into<String>) -> Self {
        Self {
            span,
            what: what.into(),
            expected: None,
            nearest: None,
            is_syntax: false,
            elsewhere: None,
            hidden: Vec::new(),
        }
    }

    /// A mistake in a template of this folder.
    pub(crate) fn in_template(folder: &Path, templates: &Templates, error: &TemplateError) -> Self {
        let text = templates.text(error.template()).unwrap_or_default();
        let line = error.line().unwrap_or(1);
        let line_text = text.lines().nth(line.saturating_sub(1)).unwrap_or_default().to_owned();
        let indented = line_text.chars().take_while(|character| character.is_whitespace()).count();
        let elsewhere = Elsewhere {
            path: folder.join(error.template()),
            line,
            column: error.column().unwrap_or(indented + 1),
            line_text,
        };
        Self { elsewhere: Some(elsewhere), ..Self::new(usize::MAX..usize::MAX, error.problem()) }
    }

    /// What should have been there.
    pub(crate) fn expecting(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// The valid name that looks most like the one that was found, when one does.
    pub(crate) fn nearest(self, nearest: Option<impl Into<String>>) -> Self {
        Self { nearest: nearest.map(Into::into), ..self }
    }

    pub(crate) fn hiding(self, node: &Node) -> Self {
        Self { hidden: node.leaves(), ..self }
    }

    /// The text is not TOML here: what else is said of this line follows from it.
    pub(crate) fn about_syntax(self) -> Self {
        Self { is_syntax: true, ..self }
    }

    /// Whether this is what is wrong.
    pub(super) fn says(&self, what: &str) -> bool {
        self.what == what
    }

    pub(super) fn is_syntax(&self) -> bool {
        self.is_syntax
    }
}

/// A place in a file that is not the config file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Elsewhere {
    path: PathBuf,
    line: usize,
    column: usize,
    line_text: String,
}

/// Everything that is wrong with a config file.
///
/// It prints as one block per problem: file, line and column, what is wrong, the line with a caret, what was expected,
/// and the nearest valid name. Secrets are never part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    reports: Vec<Report>,
}

/// One problem, ready to be printed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Report {
    path: PathBuf,
    /// From 1; none for the file as a whole.
    line: Option<usize>,
    column: Option<usize>,
    what: String,
    expected: Option<String>,
    nearest: Option<String>,
    excerpt: Option<Excerpt>,
}

impl ConfigError {
    /// The error for a document's problems; `None` when there are none.
    pub(crate) fn of(document: &Document, problems: impl IntoIterator<Item = Problem>) -> Option<Self> {
        let mut problems: Vec<Problem> = document.problems.iter().cloned().chain(problems).collect();
        let broken: Vec<usize> = problems
            .iter()
            .filter(|problem| problem.is_syntax())
            .flat_map(|problem| document.line(problem.span.start)..=document.line(problem.span.end))
            .collect();
        problems
            .retain(|problem| problem.is_syntax() || !broken.contains(&document.line(problem.span.start)));
        problems.sort_by_key(|problem| problem.span.start);
        let mut reports: Vec<_> = problems.into_iter().map(|problem| Report::of(document, problem)).collect();
        reports.dedup();
        (!reports.is_empty()).then_some(Self { reports })
    }

    /// An error of the file as a whole.
    pub(crate) fn whole(path: PathBuf, what: String) -> Self {
        let report =
            Report { path, line: None, column: None, what, expected: None, nearest: None, excerpt: None };
        Self { reports: vec![report] }
    }

    /// How many problems there are.
    pub fn count(&self) -> usize {
        self.reports.len()
    }

    /// The whole message, with a line that says how much is to come.
    pub(super) fn told(&self) -> String {
        self.told_as("problem")
    }

    /// The whole message, with a line that says how much of what is to come.
    pub(crate) fn told_as(&self, what: &str) -> String {
        match self.count() {
            1 => format!("the config file has a {what}\n\n{self}"),
            count => format!("the config file has {count} {what}s\n\n{self}"),
        }
    }
}

impl Report {
    fn of(document: &Document, problem: Problem) -> Self {
        let (path, line, column, excerpt) = match &problem.elsewhere {
            Some(other) => {
                let excerpt = Excerpt::plain(&other.line_text, other.column);
                (other.path.clone(), Some(other.line), Some(other.column), Some(excerpt))
            }
            None => {
                let excerpt = Excerpt::of(document, &problem);
                let line = document.line(problem.span.start);
                (document.path.clone(), Some(line), Some(excerpt.column), Some(excerpt))
            }
        };
        let Problem { what, expected, nearest, .. } = problem;
        Self { path, line, column, what, expected, nearest, excerpt }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.path.display())?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, "{number}:")?;
        }
        write!(f, " {}", self.what)?;
        let line = self.line.map(|line| line.to_string()).unwrap_or_default();
        let margin = line.len();
        if let Some(excerpt) = &self.excerpt {
            write!(f, "\n {line} | {}\n {:margin$} | {}", excerpt.text, "", excerpt.caret())?;
        }
        if let Some(expected) = &self.expected {
            write!(f, "\n {:margin$} = expected {expected}", "")?;
        }
        match &self.nearest {
            Some(nearest) => write!(f, "\n {:margin$} = nearest: {nearest}", ""),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, report) in self.reports.iter().enumerate() {
            if number > 0 {
                f.write_str("\n\n")?;
            }
            report.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {}
