//! `login` and `logout`.

use std::sync::Arc;

use serde_json::json;

use crate::auth::{NEXT, authenticate, login, logout, normalize_username, url_has_allowed_host_and_scheme};
use crate::http::{BoxedView, Form, Render, Request, RequestExt, Response, redirect};
use crate::{Result, Scoped};

const WRONG: &str = "Please enter a correct username and password. Both may be case-sensitive.";

/// The log-in page: the form on GET, the log-in on POST. `home` is where users go who came from nowhere.
pub(super) fn login_view(template: &str, home: Arc<str>) -> BoxedView {
    let template: Arc<str> = template.into();
    BoxedView::new(move |request| {
        let (template, home) = (Arc::clone(&template), Arc::clone(&home));
        Box::pin(async move {
            match *request.method() {
                ::http::Method::POST => log_in(request, &template, &home).await,
                _ => {
                    let next = next_of_query(&request)?;
                    request.render(&template, json!({ "next": next }))
                }
            }
        })
    })
}

/// Log-out, by POST; then to `next`.
pub(super) fn logout_view(next: Arc<str>) -> BoxedView {
    BoxedView::new(move |mut request| {
        let next = Arc::clone(&next);
        Box::pin(async move {
            logout(&mut request).await?;
            Ok(redirect(&next)?)
        })
    })
}

async fn log_in(mut request: Request, template: &str, home: &str) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let username = normalize_username(form.get("username").unwrap_or_default());
    let next = match form.get(NEXT).filter(|next| !next.is_empty()) {
        Some(next) => next.to_owned(),
        None => next_of_query(&request)?,
    };
    let user = authenticate(request.scope(), &username, form.get("password").unwrap_or_default()).await?;
    let Some(user) = user else {
        return request.render(template, json!({ "error": WRONG, "username": username, "next": next }));
    };
    login(&mut request, &user).await?;
    let to = if is_safe(&request, &next) { &next } else { home };
    Ok(redirect(to)?)
}

fn next_of_query(request: &Request) -> Result<String> {
    let query = Form::parse(request.scope().query_string.as_bytes())?;
    Ok(query.get(NEXT).unwrap_or_default().to_owned())
}

/// Whether an address leads to this site.
fn is_safe(request: &Request, next: &str) -> bool {
    let host = request.host().unwrap_or_default();
    url_has_allowed_host_and_scheme(next, &[host], request.scope().is_secure())
}
