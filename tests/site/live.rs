//! The site on a free port, which can be stopped and started again on the same one.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use solent::auth::{Database, DatabaseOptions, Hasher};
use solent::server::{AccessLog, Running, Server, Tls};
use solent::{Environment, Limits};
use tempfile::TempDir;

use super::ROOMS;
use super::raw::{Head, Raw};
use super::rooms::Rooms;
use super::site::{Handlers, Settings, Site};

pub struct Live {
    running: Option<Running>,
    settings: Settings,
    tls: Option<Tls>,
    rooms: Rooms,
    pub address: SocketAddr,
    _folder: TempDir,
}

impl Live {
    pub async fn start(handlers: Handlers) -> Self {
        Self::with(|settings| settings.handlers = handlers).await
    }

    /// A site with some settings changed.
    pub async fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(folder.path());
        change(&mut settings);
        Self::run(folder, settings, None).await
    }

    pub async fn over_tls(handlers: Handlers) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tls = certificate(folder.path());
        let settings = Settings { handlers, ..settings(folder.path()) };
        Self::run(folder, settings, Some(tls)).await
    }

    async fn run(folder: TempDir, mut settings: Settings, tls: Option<Tls>) -> Self {
        let rooms = Rooms::of(ROOMS);
        let running = serve(&settings, tls.clone(), &rooms).await;
        let address = running.addresses()[0];
        settings.bind = address.to_string();
        Self { running: Some(running), settings, tls, rooms, address, _folder: folder }
    }

    /// The address as browsers take it.
    pub fn url(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self) {
        if let Some(running) = self.running.take() {
            running.shutdown().await.expect("the server ends well");
        }
        self.running = Some(serve(&self.settings, self.tls.clone(), &self.rooms).await);
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
        Database::connect(&self.settings.database, DatabaseOptions::default())
            .await
            .expect("the site's database")
    }

    /// What the running server's connections share: its channel layer, to speak to a room from elsewhere.
    pub fn env(&self) -> &Environment {
        self.running.as_ref().expect("the site is running").env()
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

/// Settings for a site of its own in a folder, whose passwords cost nothing to check.
pub fn settings(folder: &Path) -> Settings {
    Settings {
        database: format!("sqlite:{}", folder.join("site.db").display()),
        bind: "127.0.0.1:0".to_owned(),
        hasher: Some(Hasher::Pbkdf2Sha256 { iterations: 10 }),
        ..Settings::default()
    }
}

fn certificate(folder: &Path) -> Tls {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    Tls::from_pem_files(&cert, &key).unwrap()
}

async fn serve(settings: &Settings, tls: Option<Tls>, rooms: &Rooms) -> Running {
    let site = Site::open(settings.clone()).await.expect("the site opens");
    let mut limits = Limits::default();
    limits.drain_time = Duration::from_millis(200);
    let server = Server::new(site.application().expect("the routes are right"))
        .limits(limits)
        .debug(settings.debug)
        .channel_layers(rooms.layers())
        .access_log(AccessLog::off());
    let server = match tls {
        Some(tls) => server.bind_tls(&settings.bind, tls),
        None => server.bind(&settings.bind),
    };
    server.start().await.expect("the server starts")
}
