//! Queries: the parameters that a route can give.

use super::Checked;
use super::patterns::Captures;
use crate::auth::{Database, DatabaseError};
use crate::gateway::document::Document;
use crate::gateway::problem::Problem;
use crate::gateway::reader::{nearest, one_of};
use crate::gateway::setting::Placed;
use crate::gateway::settings::Settings;

/// What every query may ask for beside the route's captures.
pub(crate) const OF_USERS: [&str; 2] = ["user_id", "username"];

/// Lets the database try all queries.
///
/// # Errors
/// When it cannot be reached.
pub(crate) async fn check_queries(
    settings: &Settings,
    document: &Document,
    database: &Database,
) -> Result<Vec<Problem>, DatabaseError> {
    let url = settings.database.as_ref().map_or("", |database| database.url.0.expose());
    let queries = settings.http.iter().flat_map(|route| route.query.values().map(|query| &query.sql));
    let allows = settings.http.iter().filter_map(|route| route.allow.as_ref());
    let allows = allows.chain(settings.websocket.iter().filter_map(|route| route.allow.as_ref()));
    let mut problems = Vec::new();
    let all: Vec<&Placed<String>> = queries.chain(allows.filter_map(|allow| allow.sql.as_ref())).collect();
    for sql in all {
        match database.prepare(sql, &crate::auth::parameter_names(sql, url)).await {
            Ok(()) => {}
            Err(error) if error.is_unavailable() => return Err(error),
            Err(DatabaseError::Misunderstood { message, at }) => {
                let span = at.map_or_else(
                    || sql.span.clone(),
                    |at| document.place_in(&sql.span, sql, at, name_length(&sql[at..])),
                );
                problems.push(Problem::new(span, message).expecting("a query that the database understands"));
            }
            Err(error) => {
                let what = crate::Error::from(error).chain();
                problems.push(
                    Problem::new(sql.span.clone(), what).expecting("a query that the database understands"),
                );
            }
        }
    }
    Ok(problems)
}

/// The length of the name at the beginning of a text, with its qualifiers.
fn name_length(text: &str) -> usize {
    text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len()).max(1)
}

impl Checked<'_> {
    /// A query's parameters, as far as they can be known without the database.
    pub(super) fn sql(&mut self, sql: &Placed<String>, captured: &Captures) {
        let Some(database) = &self.settings.database else {
            if self.document.has_in("database", "url") {
                return;
            }
            let problem = Problem::new(sql.span.clone(), "a query without a database");
            return self.report(problem.expecting("a table [database] with its url"));
        };
        let known: Vec<&str> = captured.iter().chain(OF_USERS).collect();
        for name in crate::auth::parameter_names(sql, database.url.0.expose()) {
            if known.contains(&name) {
                continue;
            }
            let at = sql.find(&format!(":{name}")).unwrap_or_default();
            let span = self.document.place_in(&sql.span, sql, at, name.len() + 1);
            let expected: Vec<String> = known.iter().map(|name| format!(":{name}")).collect();
            let expected = one_of(&expected.iter().map(String::as_str).collect::<Vec<_>>());
            let problem = Problem::new(span, format!("the route has no value for :{name}"))
                .expecting(expected)
                .nearest(nearest(name, &known).map(|name| format!(":{name}")));
            self.report(problem);
        }
    }
}
