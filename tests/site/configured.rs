//! The site as a file: `config/solent.toml`, read and served as the binary does it.

use std::net::SocketAddr;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use solent::Environment;
use solent::gateway::{Loaded, Parts};
use solent::server::{AccessLog, Running};

use super::live::{Certificate, limits};
use super::site::Handlers;

/// The consumers that a room can have here: the built-in `chat`.
pub const CONSUMERS: &[Handlers] = &[Handlers::Async];

pub struct Hosting {
    running: Option<Running>,
    config: PathBuf,
    database: String,
}

impl Hosting {
    /// Serves the site in a folder of its own, on a free port.
    pub async fn start(folder: &Path, handlers: Handlers, certificate: Option<Certificate>) -> Self {
        assert!(CONSUMERS.contains(&handlers), "the file's consumer is the built-in one");
        let config = copied(folder, certificate.as_ref());
        let database = format!("sqlite:{}", folder.join("solent.db").display());
        let running = serve(&config, "127.0.0.1:0").await;
        Self { running: Some(running), config, database }
    }

    pub fn address(&self) -> SocketAddr {
        self.running().addresses()[0]
    }

    /// Stops the server and starts it again on the same port.
    pub async fn restart(&mut self) {
        let address = self.address().to_string();
        if let Some(running) = self.running.take() {
            running.shutdown().await.expect("the server ends well");
        }
        self.running = Some(serve(&self.config, &address).await);
    }

    pub fn database(&self) -> &str {
        &self.database
    }

    pub fn env(&self) -> &Environment {
        self.running().env()
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("the site is running")
    }
}

/// The file in another folder, so that its database is a new one; what it refers to is where the file expects it.
fn copied(folder: &Path, certificate: Option<&Certificate>) -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::create_dir(folder.join("config")).unwrap();
    symlink(project.join("config/demo"), folder.join("config/demo")).unwrap();
    symlink(project.join("templates"), folder.join("templates")).unwrap();
    let mut text = std::fs::read_to_string(project.join("config/solent.toml")).unwrap();
    if let Some(files) = certificate {
        let tls = format!("[server]\ntls = {{ cert = {:?}, key = {:?} }}\n", files.cert, files.key);
        text = text.replace("[server]\n", &tls);
        assert!(text.contains(&tls), "the file has a table [server]");
    }
    let config = folder.join("config/solent.toml");
    std::fs::write(&config, text).unwrap();
    config
}

async fn serve(config: &Path, bind: &str) -> Running {
    let variables = |name: &str| (name == "SOLENT_BIND").then(|| bind.to_owned());
    let loaded = Loaded::read_with(config, &Parts::new(), &variables).expect("the file is right");
    let server = loaded.server().await.expect("the site can be built");
    let server = server.limits(limits()).access_log(AccessLog::off());
    server.start().await.expect("the server starts")
}
