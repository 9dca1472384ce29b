//! Logging in and out.

use serde_json::json;
use solent::auth::{NEXT, authenticate, login, logout, normalize_username, url_has_allowed_host_and_scheme};
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
