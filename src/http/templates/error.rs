//! What goes wrong with a template, and where.

use std::fmt;

/// A template that cannot be found, read, understood or rendered.
#[derive(Debug)]
pub struct TemplateError {
    template: String,
    line: Option<usize>,
    column: Option<usize>,
    problem: String,
    source: Option<minijinja::Error>,
}

impl TemplateError {
    /// The engine's error; it knows the template better, since that may be one that `template` extends.
    pub(super) fn of(template: &str, error: minijinja::Error) -> Self {
        let problem = match error.detail() {
            Some(detail) if error.kind() == minijinja::ErrorKind::TemplateNotFound => detail.to_owned(),
            Some(detail) => format!("{}: {detail}", error.kind()),
            None => error.kind().to_string(),
        };
        let template = error.name().unwrap_or(template).to_owned();
        Self { template, line: error.line(), column: None, problem, source: Some(error) }
    }

    pub(super) fn at(template: &str, line: usize, column: usize, problem: String) -> Self {
        Self { template: template.to_owned(), line: Some(line), column: Some(column), problem, source: None }
    }

    /// The template's name.
    pub fn template(&self) -> &str {
        &self.template
    }

    /// The line, from 1, where it is known.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// The column in characters, from 1, where it is known.
    pub fn column(&self) -> Option<usize> {
        self.column
    }

    /// What is wrong there.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template {:?}", self.template)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl std::error::Error for TemplateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // The engine's error itself is told above; what it stems from is not.
        self.source.as_ref().and_then(std::error::Error::source)
    }
}
