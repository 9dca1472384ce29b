//! The site as Rust code: `examples/chat`.

use std::net::SocketAddr;
use std::path::Path;

use solent::Environment;
use solent::auth::Hasher;
use solent::server::{AccessLog, Running, Server, Tls};

use super::ROOMS;
use super::live::{Certificate, limits};
use super::rooms::Rooms;
use super::site::{Handlers, Settings, Site};

/// The consumers that a room can have here.
pub const CONSUMERS: &[Handlers] = &[Handlers::Async, Handlers::Blocking];

pub struct Hosting {
    running: Option<Running>,
    settings: Settings,
    certificate: Option<Certificate>,
    rooms: Rooms,
}

impl Hosting {
    /// Serves the site in a folder of its own, on a free port.
    pub async fn start(folder: &Path, handlers: Handlers, certificate: Option<Certificate>) -> Self {
        let (settings, rooms) = (Settings { handlers, ..settings(folder) }, Rooms::of(ROOMS));
        let running = serve(&settings, certificate.as_ref(), &rooms).await;
        Self { running: Some(running), settings, certificate, rooms }
    }

    pub fn address(&self) -> SocketAddr {
        self.running().addresses()[0]
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self) {
        self.settings.bind = self.address().to_string();
        if let Some(running) = self.running.take() {
            running.shutdown().await.expect("the server ends well");
        }
        self.running = Some(serve(&self.settings, self.certificate.as_ref(), &self.rooms).await);
    }

    pub fn database(&self) -> &str {
        &self.settings.database
    }

    pub fn env(&self) -> &Environment {
        self.running().env()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the site is running")
    }
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

async fn serve(settings: &Settings, certificate: Option<&Certificate>, rooms: &Rooms) -> Running {
    let site = Site::open(settings.clone()).await.expect("the site opens");
    let server = Server::new(site.application().expect("the routes are right"))
        .limits(limits())
        .debug(settings.debug)
        .channel_layers(rooms.layers())
        .access_log(AccessLog::off());
    let server = match certificate {
        Some(files) => server.bind_tls(&settings.bind, Tls::from_pem_files(&files.cert, &files.key).unwrap()),
        None => server.bind(&settings.bind),
    };
    server.start().await.expect("the server starts")
}
