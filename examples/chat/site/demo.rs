//! The demo: members and courses to try the site with, in a database of its own.

use solent::Result;
use solent::auth::{Database, DatabaseUsers, NewUser, Passwords};

const TABLES: &str = include_str!("../../../config/demo/courses.sql");
const DATA: &str = include_str!("../../../config/demo/data.sql");

/// Name, password, address. The addresses, which no mail ever reaches, tell the demo's accounts from all others.
const MEMBERS: [(&str, &str, &str); 3] = [
    ("alice", "wonderland-1", "alice@demo.invalid"),
    ("bob", "builder-2", "bob@demo.invalid"),
    ("carol", "singer-3", "carol@demo.invalid"),
];

/// Creates the site's own tables where they are missing.
pub async fn create_tables(database: &Database) -> Result<()> {
    run(database, TABLES).await
}

/// Fills a database without any users, so that nobody's database gets accounts with known passwords.
pub async fn fill_if_new(database: &Database, passwords: &Passwords) -> Result<()> {
    if database.row("SELECT 1 FROM auth_user LIMIT 1", &[]).await?.is_some() {
        return Ok(());
    }
    let users = DatabaseUsers::new(database.clone());
    // Slow, and therefore before anything is written: a start that is broken off here leaves nothing half done.
    let mut members = Vec::new();
    for (username, password, email) in MEMBERS {
        members.push((username, passwords.make(password).await?, email));
    }
    for (username, password, email) in &members {
        users.create(NewUser { username, password, email, ..NewUser::default() }).await?;
    }
    run(database, DATA).await
}

/// Whether the demo's accounts are there, from now or from an earlier start.
pub async fn is_present(database: &Database) -> Result<bool> {
    let found =
        database.row("SELECT 1 FROM auth_user WHERE email LIKE '%@demo.invalid' LIMIT 1", &[]).await?;
    Ok(found.is_some())
}

async fn run(database: &Database, script: &str) -> Result<()> {
    let lines: Vec<&str> = script.lines().filter(|line| !line.starts_with("--")).collect();
    for statement in lines.join("\n").split(";\n").filter(|statement| !statement.trim().is_empty()) {
        database.execute(statement, &[]).await?;
    }
    Ok(())
}
