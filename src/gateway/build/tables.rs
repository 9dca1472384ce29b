//! The database's tables and the demo's data: made where they are missing.

use std::path::Path;

use super::BuildError;
use super::users::{Users, table_of, users_of};
use crate::auth::{Database, NewUser, Passwords};
use crate::gateway::settings::{DatabaseSettings, DemoSettings, Settings};

/// The demo's accounts have addresses that no mail ever reaches, which tells them from all others.
const DEMO_ADDRESS: &str = "@demo.invalid";

/// Makes what is missing: Django's tables, the site's own, and with debug on the demo's data.
pub(crate) async fn make_missing(settings: &Settings, users: &Users) -> Result<(), BuildError> {
    let (Some(database), Some(tables)) = (&users.database, &settings.database) else { return Ok(()) };
    make_tables(settings, tables, database).await?;
    match &tables.demo {
        Some(demo) if *settings.debug => fill_if_new(settings, demo, database).await,
        _ => Ok(()),
    }
}

/// Makes the tables that are missing: Django's, then the site's own.
pub(super) async fn make_tables(
    settings: &Settings,
    tables: &DatabaseSettings,
    database: &Database,
) -> Result<(), BuildError> {
    if tables.migrate {
        database.migrate_with_users_in(&table_of(settings)).await?;
    }
    for file in &tables.schema {
        run(database, file).await?;
    }
    Ok(())
}

/// Fills a database without any users, so that nobody's database gets accounts with known passwords.
async fn fill_if_new(
    settings: &Settings,
    demo: &DemoSettings,
    database: &Database,
) -> Result<(), BuildError> {
    let table = &settings.auth.user_table.value;
    if database.row(&format!("SELECT 1 FROM \"{table}\" LIMIT 1"), &[]).await?.is_some() {
        return Ok(());
    }
    let users = users_of(settings, database)?;
    let passwords = Passwords::default();
    // Slow, and therefore before anything is written: a start that is broken off here leaves nothing half done.
    let mut accounts = Vec::new();
    for (username, password) in &demo.accounts {
        accounts.push((username, passwords.make(password).await?, format!("{username}{DEMO_ADDRESS}")));
    }
    for (username, password, email) in &accounts {
        users.create(NewUser { username, password, email, ..NewUser::default() }).await?;
    }
    match &demo.data {
        Some(file) => run(database, file).await,
        None => Ok(()),
    }
}

/// Whether accounts of a demo are there, from now or from an earlier start.
pub(crate) async fn has_demo_accounts(users: &Users) -> bool {
    let Some(database) = &users.database else { return false };
    let sql = "SELECT 1 FROM auth_user WHERE email LIKE :address LIMIT 1";
    let found = database.row(sql, &[("address", format!("%{DEMO_ADDRESS}").into())]).await;
    // A table without that name, or without addresses, is not one that a demo was written to.
    found.is_ok_and(|row| row.is_some())
}

/// Runs a file of SQL, statement by statement; each ends with `;` at the end of a line.
async fn run(database: &Database, file: &Path) -> Result<(), BuildError> {
    let failed = |what: String| BuildError::Script { file: file.to_owned(), what };
    let script = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let lines: Vec<&str> = script.lines().filter(|line| !line.trim_start().starts_with("--")).collect();
    let script = lines.join("\n") + "\n";
    for statement in script.split(";\n").filter(|statement| !statement.trim().is_empty()) {
        let done = database.execute(statement, &[]).await;
        done.map_err(|error| failed(crate::Error::from(error).chain()))?;
    }
    Ok(())
}
