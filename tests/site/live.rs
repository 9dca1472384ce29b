//! The site on a free port, which can be stopped and started again on the same one.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use solent::auth::{Database, DatabaseOptions};
use solent::{Environment, Limits};
use tempfile::TempDir;

use super::hosting::Hosting;
use super::raw::{Head, Raw};
use super::site::Handlers;

pub struct Live {
    hosting: Hosting,
    scheme: &'static str,
    pub address: SocketAddr,
    _folder: TempDir,
}

/// A certificate's files.
pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Live {
    pub async fn start(handlers: Handlers) -> Self {
        Self::run(tempfile::tempdir().unwrap(), handlers, None).await
    }

    pub async fn over_tls(handlers: Handlers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificate = certificate(folder.path());
        Self::run(folder, handlers, Some(certificate)).await
    }

    async fn run(folder: TempDir, handlers: Handlers, certificate: Option<Certificate>) -> Self {
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let hosting = Hosting::start(folder.path(), handlers, certificate).await;
        let address = hosting.address();
        Self { hosting, scheme, address, _folder: folder }
    }

    /// The address as browsers take it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self) {
        self.hosting.restart().await;
    }

    /// Sends a request as a member with these cookies; gives the answer with its body.
    pub async fn get(&self, path: &str, cookies: &str) -> (Head, String) {
        self.request(&format!("GET {path} HTTP/1.1\r\n{}\r\n", self.lines(cookies))).await
    }

    /// Sends a form.
    pub async fn post(&self, path: &str, cookies: &str, form: &str) -> (Head, String) {
        let (lines, length) = (self.lines(cookies), form.len());
        let kind = "Content-Type: application/x-www-form-urlencoded";
        self.request(&format!(
            "POST {path} HTTP/1.1\r\n{lines}{kind}\r\nContent-Length: {length}\r\n\r\n{form}"
        ))
        .await
    }

    /// Sends a whole request.
    pub async fn request(&self, bytes: &str) -> (Head, String) {
        let mut raw = Raw::connect(self.address).await;
        raw.send(bytes).await;
        raw.response().await
    }

    /// The site's database, to look into it and to change what stands there.
    pub async fn database(&self) -> Database {
        Database::connect(self.hosting.database(), DatabaseOptions::default())
            .await
            .expect("the site's database")
    }

    /// What the running server's connections share: its channel layer, to speak to a room from elsewhere.
    pub fn env(&self) -> &Environment {
        self.hosting.env()
    }

    fn lines(&self, cookies: &str) -> String {
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {cookies}\r\n") };
        format!("Host: {}\r\nAccept: text/html\r\n{cookies}", self.address)
    }

    /// The log-in page's CSRF cookie and token.
    pub async fn csrf(&self) -> (String, String) {
        let (head, page) = self.get("/accounts/login/", "").await;
        (cookies_of(&head), token_of(&page))
    }

    /// Logs in; gives the cookies.
    pub async fn login(&self, username: &str, password: &str) -> String {
        let (cookies, token) = self.csrf().await;
        let form = format!("csrfmiddlewaretoken={token}&username={username}&password={password}");
        let (head, page) = self.post("/accounts/login/", &cookies, &form).await;
        assert_eq!(head.status, 302, "{page}");
        cookies_of(&head)
    }
}

/// The cookies that a response sets, as a browser sends them back.
pub fn cookies_of(head: &Head) -> String {
    let lines = head.text.lines().filter_map(|line| line.split_once(": "));
    let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
    let pairs: Vec<&str> = set.filter_map(|(_, cookie)| cookie.split(';').next()).collect();
    pairs.join("; ")
}

/// The token in a page's first form.
pub fn token_of(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrfmiddlewaretoken\" value=\"").expect("the page has a form");
    rest.split('"').next().unwrap_or_default().to_owned()
}

fn certificate(folder: &Path) -> Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Certificate { cert, key }
}

/// The default limits, with an end that tests do not wait for.
pub fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(200);
    limits
}
