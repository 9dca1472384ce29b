//! Sessions in a place of one's own: here one file per session in a folder.
//!
//! Run with `cargo run --example own_session_store`, then reload `http://127.0.0.1:8000/` a few times.

use std::io::ErrorKind;
use std::path::PathBuf;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;
use solent::auth::{SessionData, SessionError, SessionStore};
use solent::http::Request;
use solent::middleware::{SessionLayer, session_stack};
use solent::routing::{ProtocolTypeRouter, ViewRouter, path};
use solent::server::Server;
use solent::{Result, Scoped};
use tokio::fs;
use tower::Layer;

/// Sessions as files: the first line is the time of expiry, the second the data.
#[derive(Debug)]
pub(crate) struct FolderSessions(pub(crate) PathBuf);

type Answer<'a, T> = BoxFuture<'a, Result<T, SessionError>>;

fn failed(error: std::io::Error) -> SessionError {
    SessionError::Store(Box::new(error))
}

impl FolderSessions {
    /// The file of a key. A key that comes from a client may be anything: only those that this store makes are files.
    fn file(&self, key: &str) -> Option<PathBuf> {
        let ours = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        ours.then(|| self.0.join(key))
    }
}

impl SessionStore for FolderSessions {
    fn load<'a>(&'a self, key: &'a str) -> Answer<'a, Option<SessionData>> {
        Box::pin(async move {
            let Some(file) = self.file(key) else { return Ok(None) };
            let text = match fs::read_to_string(file).await {
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                text => text.map_err(failed)?,
            };
            let Some((expires, json)) = text.split_once('\n') else { return Ok(None) };
            let is_live = expires.parse::<DateTime<Utc>>().is_ok_and(|expires| expires > Utc::now());
            Ok(SessionData::parse(json.as_bytes()).filter(|_| is_live))
        })
    }

    #[rustfmt::skip]
    fn save<'a>(&'a self, key: Option<&'a str>, data: &'a SessionData, expires: DateTime<Utc>) -> Answer<'a, String> {
        Box::pin(async move {
            let new = format!("{:032x}", rand::random::<u128>());
            let key = key.unwrap_or(&new);
            let file = self.file(key).ok_or(SessionError::Deleted)?;
            // A session that was deleted meanwhile, by a logout elsewhere, must not come back.
            if key != new && !file.exists() {
                return Err(SessionError::Deleted);
            }
            fs::write(file, format!("{}\n{}", expires.to_rfc3339(), data.to_json())).await.map_err(failed)?;
            Ok(key.to_owned())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            let Some(file) = self.file(key) else { return Ok(()) };
            match fs::remove_file(file).await {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error)),
                _ => Ok(()),
            }
        })
    }

    fn clear_expired(&self) -> Answer<'_, u64> {
        // Left to whatever cleans the folder: an expired file is never loaded.
        Box::pin(async { Ok(0) })
    }
}

async fn count(request: Request) -> Result<String> {
    let session = &request.scope().session;
    let visits = session.get::<u64>("visits").await?.unwrap_or(0) + 1;
    session.set("visits", &visits).await?;
    Ok(format!("visit {visits}"))
}

/// A page that counts its visits.
pub(crate) fn app(folder: PathBuf) -> Result<ProtocolTypeRouter> {
    let views = ViewRouter::new([path("", count)])?;
    Ok(ProtocolTypeRouter::new().http(session_stack(SessionLayer::new(FolderSessions(folder))).layer(views)))
}

#[tokio::main]
async fn main() -> Result<()> {
    Ok(Server::new(app(std::env::temp_dir())?).bind("127.0.0.1:8000").serve().await?)
}
