//! Logging in and out.

use serde_json::json;
use solent::auth::{
    NEXT, User, authenticate, change_password, login, logout, normalize_username,
    url_has_allowed_host_and_scheme,
};
use solent::http::{Form, Render, Request, RequestExt, Response, redirect};
use solent::{Result, Scoped};

pub async fn login_page(request: Request) -> Result<Response> {
    let query = Form::parse(request.scope().query_string.as_bytes())?;
    request.render("registration/login.html", json!({ "next": query.get(NEXT).unwrap_or_default() }))
}

pub async fn log_in(mut request: Request) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let username = normalize_username(form.get("username").unwrap_or_default());
    let password = form.get("password").unwrap_or_default();
    match authenticate(request.scope(), &username, password).await? {
        Some(user) => {
            login(&mut request, &user).await?;
            Ok(redirect(&next(&request, &form)?)?)
        }
        None => {
            let error = "Please enter a correct username and password. Both may be case-sensitive.";
            let next = next(&request, &form)?;
            request.render(
                "registration/login.html",
                json!({ "error": error, "username": username, "next": next }),
            )
        }
    }
}

pub async fn log_out(mut request: Request) -> Result<Response> {
    logout(&mut request).await?;
    Ok(redirect(&request.reverse("login", &[])?)?)
}

pub async fn password_page(request: Request) -> Result<Response> {
    request.render(PASSWORD_TEMPLATE, json!({}))
}

/// Changes the password. All other sessions of the user end, and their open sockets close.
pub async fn new_password(mut request: Request) -> Result<Response> {
    let form = Form::read(&mut request).await?;
    let field = |name| form.get(name).unwrap_or_default();
    let user = request.user().clone();
    let known = authenticate(request.scope(), user.username(), field("old_password")).await?;
    let problem = match (known, problem_of(&user, field("new_password1"), field("new_password2"))) {
        (None, _) => Some("Your old password was entered incorrectly. Please enter it again."),
        (Some(_), problem) => problem,
    };
    if problem.is_none() {
        change_password(&mut request, &user, field("new_password1")).await?;
    }
    request.render(PASSWORD_TEMPLATE, json!({ "error": problem, "done": problem.is_none() }))
}

const PASSWORD_TEMPLATE: &str = "registration/password_change.html";

/// What is wrong with a new password.
fn problem_of(user: &User, first: &str, second: &str) -> Option<&'static str> {
    if first != second {
        Some("The two password fields didn’t match.")
    } else if first.chars().count() < 8 {
        Some("A password needs 8 characters at least.")
    } else if first.to_lowercase().contains(&user.username().to_lowercase()) {
        Some("A password with the username in it is guessed first.")
    } else {
        None
    }
}

/// Where to go after logging in: the address that the form or the query names, when it is on this site.
fn next(request: &Request, form: &Form) -> Result<String> {
    let query = Form::parse(request.scope().query_string.as_bytes())?;
    let wanted = form.get(NEXT).filter(|next| !next.is_empty()).or_else(|| query.get(NEXT));
    let host = request.headers().get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
    match wanted {
        Some(wanted) if url_has_allowed_host_and_scheme(wanted, &[host], request.scope().is_secure()) => {
            Ok(wanted.to_owned())
        }
        _ => Ok(request.reverse("courses:list", &[])?),
    }
}
