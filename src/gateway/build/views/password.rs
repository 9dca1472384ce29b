//! `password_change`: users give themselves another password.

use std::sync::Arc;

use serde_json::json;

use crate::auth::{User, authenticate, change_password};
use crate::http::{BoxedView, Form, Render, Request, RequestExt, Response};
use crate::{Result, Scoped};

/// Shorter passwords are refused, as Django refuses them by default.
const SHORTEST: usize = 8;

/// The form on GET, the change on POST, after which all other sessions of the user have ended.
pub(super) fn password_view(template: &str) -> BoxedView {
    let template: Arc<str> = template.into();
    BoxedView::new(move |request| {
        let template = Arc::clone(&template);
        Box::pin(async move {
            match *request.method() {
                ::http::Method::POST => change(request, &template).await,
                _ => request.render(&template, json!({})),
            }
        })
    })
}

async fn change(mut request: Request, template: &str) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let field = |name| form.get(name).unwrap_or_default();
    let user = request.user().clone();
    let known = authenticate(request.scope(), user.username(), field("old_password")).await?;
    let problem = match known {
        None => Some("Your old password was entered incorrectly. Please enter it again."),
        Some(_) => problem_of(&user, field("new_password1"), field("new_password2")),
    };
    if problem.is_none() {
        change_password(&mut request, &user, field("new_password1")).await?;
    }
    request.render(template, json!({ "error": problem, "done": problem.is_none() }))
}

/// What is wrong with a new password.
fn problem_of(user: &User, first: &str, second: &str) -> Option<&'static str> {
    if first != second {
        Some("The two password fields didn’t match.")
    } else if first.chars().count() < SHORTEST {
        Some("A password needs 8 characters at least.")
    } else if first.to_lowercase().contains(&user.username().to_lowercase()) {
        Some("A password with the username in it is guessed first.")
    } else {
        None
    }
}
