//! A visitor: requests to a site, each over a connection of its own, and what is in the answers.

use std::net::SocketAddr;

use super::raw::{Head, Raw};

/// Asks for a page, with more fields: `Name: value\r\n` each.
pub async fn get(address: SocketAddr, path: &str, fields: &str) -> (Head, String) {
    let mut raw = Raw::connect(address).await;
    raw.send(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}\r\n")).await;
    raw.response().await
}

/// Sends a form.
pub async fn post(address: SocketAddr, path: &str, fields: &str, form: &str) -> (Head, String) {
    let mut raw = Raw::connect(address).await;
    raw.send(format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{fields}\r\n{form}",
        form.len()
    ))
    .await;
    raw.response().await
}

/// The cookies that an answer sets, with their attributes.
pub fn set_cookies(head: &Head) -> Vec<&str> {
    let lines = head.text.lines().filter_map(|line| line.split_once(": "));
    lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| value).collect()
}

/// `name=value` of one of them.
pub fn cookie(head: &Head, name: &str) -> Option<String> {
    let found = set_cookies(head).into_iter().find(|value| value.starts_with(&format!("{name}=")))?;
    found.split(';').next().map(str::to_owned)
}

/// The token in a page's form.
pub fn token_of(page: &str) -> &str {
    let value = page.split("name=\"csrfmiddlewaretoken\" value=\"").nth(1);
    value.and_then(|rest| rest.split('"').next()).expect("a token")
}
