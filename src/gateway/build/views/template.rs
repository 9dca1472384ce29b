//! `template`: a page, with the rows of its route's queries.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::http::StatusCode;
use serde_json::Value;

use crate::Result;
use crate::auth::{Database, Parameter};
use crate::gateway::settings::QuerySettings;
use crate::http::{BoxedView, HttpError, Render, Request, RequestExt, Response};

/// A named query.
struct Query {
    name: String,
    sql: String,
    /// The status of the answer without a row, for queries that give one.
    one: Option<StatusCode>,
}

struct Page {
    template: String,
    queries: Vec<Query>,
    database: Option<Database>,
}

/// A view that renders a template.
pub(super) fn view(
    template: &str,
    queries: &BTreeMap<String, QuerySettings>,
    database: Option<&Database>,
) -> BoxedView {
    let queries = queries.iter().map(|(name, query)| Query {
        name: name.clone(),
        sql: query.sql.value.clone(),
        one: query.one.then(|| query.otherwise.as_ref().map_or(StatusCode::NOT_FOUND, |status| status.value)),
    });
    let page =
        Page { template: template.to_owned(), queries: queries.collect(), database: database.cloned() };
    let page = Arc::new(page);
    BoxedView::new(move |request| {
        let page = Arc::clone(&page);
        Box::pin(async move { page.answer(request).await })
    })
}

impl Page {
    async fn answer(&self, request: Request) -> Result<Response> {
        let mut context = serde_json::Map::new();
        if let Some(database) = &self.database {
            let parameters = parameters(&request);
            let parameters: Vec<(&str, Parameter)> =
                parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
            for query in &self.queries {
                context.insert(query.name.clone(), query.ask(database, &parameters).await?);
            }
        }
        request.render(&self.template, Value::Object(context))
    }
}

impl Query {
    async fn ask(&self, database: &Database, parameters: &[(&str, Parameter)]) -> Result<Value> {
        let Some(otherwise) = self.one else {
            let rows = database.rows(&self.sql, parameters).await?;
            return Ok(Value::Array(rows.into_iter().map(Value::Object).collect()));
        };
        match database.row(&self.sql, parameters).await? {
            Some(row) => Ok(Value::Object(row)),
            None => Err(HttpError::new(otherwise, otherwise_text(otherwise)).into()),
        }
    }
}

fn otherwise_text(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found.",
        StatusCode::FORBIDDEN => "Access denied.",
        other => other.canonical_reason().unwrap_or("Not available."),
    }
}

/// What queries may ask for: the route's captures, and who asks.
fn parameters(request: &Request) -> Vec<(String, Parameter)> {
    let captures = request.kwargs().iter().map(|(name, value)| (name.to_owned(), value.into()));
    let user = request.user();
    let user = [("user_id".to_owned(), user.id().into()), ("username".to_owned(), user.username().into())];
    captures.chain(user).collect()
}
