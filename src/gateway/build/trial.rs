//! Databases to try queries on, without making anything: the site's own as it is, and what its next start makes of it.

use std::path::Path;

use super::BuildError;
use super::tables::make_tables;
use super::users::table_of;
use crate::auth::Database;
use crate::gateway::settings::{DatabaseSettings, Settings};

/// What queries are tried on.
pub(crate) struct Trial {
    /// The database as it is; `None` for a SQLite file that is not there yet.
    pub(crate) present: Option<Database>,
    /// SQLite's tables as they will be once those that are missing are made: a copy of their form, in memory.
    pub(crate) future: Option<Database>,
    /// Django's tables that are missing.
    pub(crate) missing: Vec<&'static str>,
}

impl Trial {
    /// Opens the database for reading, where there is one.
    pub(crate) async fn open(settings: &Settings, tables: &DatabaseSettings) -> Result<Self, BuildError> {
        let url = tables.url.0.expose();
        if !url.starts_with("sqlite:") {
            let present = Database::connect(url, tables.options()).await?;
            let missing = present.missing_tables(&table_of(settings)).await?;
            return Ok(Self { present: Some(present), future: None, missing });
        }
        let present = match readable(url) {
            Some(url) => Some(Database::connect(&url, tables.options()).await?),
            None => None,
        };
        let future = Database::connect("sqlite::memory:", tables.options()).await?;
        if let Some(present) = &present {
            copy_form(present, &future).await?;
        }
        let missing = future.missing_tables(&table_of(settings)).await?;
        make_tables(settings, tables, &future).await?;
        Ok(Self { present, future: Some(future), missing })
    }
}

/// The URL by which a SQLite file is only read; `None` when there is no file. One that nobody has open is taken as it lies
/// there: reading it otherwise would put files of a log beside it.
fn readable(url: &str) -> Option<String> {
    let (path, settings) = url.split_once('?').unwrap_or((url, ""));
    let path = path.trim_start_matches("sqlite:").trim_start_matches("//");
    if !Path::new(path).is_file() {
        return None;
    }
    let is_open = Path::new(&format!("{path}-wal")).exists();
    let how = if is_open { "mode=ro" } else { "mode=ro&immutable=true" };
    let settings = settings.split('&').filter(|part| !part.is_empty() && !part.starts_with("mode="));
    Some(format!("sqlite:{path}?{}", settings.chain([how]).collect::<Vec<_>>().join("&")))
}

/// Makes the same tables, views and indexes, without their rows. What cannot be made is left out: a query about it is
/// tried on the database itself.
async fn copy_form(from: &Database, to: &Database) -> Result<(), BuildError> {
    let sql =
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
    for row in from.rows(sql, &[]).await? {
        if let Some(statement) = row.get("sql").and_then(|sql| sql.as_str()) {
            let _ = to.execute(statement, &[]).await;
        }
    }
    Ok(())
}
