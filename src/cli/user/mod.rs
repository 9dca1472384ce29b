//! `user`: the accounts of the site.

mod password;
mod table;

use clap::{Arg, ArgAction, ArgMatches};
use futures_util::future::BoxFuture;

use self::password::read_password;
use super::print::{print, say};
use super::{CliError, Command, Context};
use crate::auth::{Account, DatabaseError, NewUser, Passwords, UserStore, normalize_username};
use crate::gateway::UserAccounts;

pub(super) struct User;

impl Command for User {
    fn definition(&self) -> clap::Command {
        let name =
            || Arg::new("name").value_name("NAME").required(true).help("The name that the user logs in with");
        let flag = |name: &'static str, help: &'static str| {
            Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
        };
        clap::Command::new("user")
            .about("Lists and changes the accounts of the site")
            .subcommand_required(true)
            .subcommand(
                clap::Command::new("add")
                    .about("Creates an account; the password is read from standard input")
                    .arg(name())
                    .arg(Arg::new("email").long("email").value_name("ADDRESS").help("The user's address"))
                    .arg(flag("staff", "Lets the user into Django's admin"))
                    .arg(flag("superuser", "Gives the user every permission"))
                    .arg(flag("no-password", "Creates an account that nobody can log in with")),
            )
            .subcommand(clap::Command::new("list").about("Lists all accounts"))
            .subcommand(
                clap::Command::new("password")
                    .about("Changes a password, which ends all sessions of the user")
                    .long_about(
                        "Changes a password, which ends all sessions of the user. The password is read from \
                         standard input. Open sockets of the user are closed at once where the channel layer is on \
                         Redis, else at their next re-check (auth.recheck).",
                    )
                    .arg(name()),
            )
            .subcommand(
                clap::Command::new("deactivate")
                    .about("Lets a user in no longer")
                    .long_about(
                        "Lets a user in no longer. Open sockets of the user are closed at once where the channel \
                         layer is on Redis, else at their next re-check (auth.recheck).",
                    )
                    .arg(name()),
            )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let accounts = context.load()?.accounts().await?;
            match context.arguments().subcommand() {
                Some(("add", own)) => add(&accounts, own).await,
                Some(("password", own)) => change_password(&accounts, &name_of(own)).await,
                Some(("deactivate", own)) => deactivate(&accounts, &name_of(own)).await,
                _ => print(table::of(&accounts.users.all().await.map_err(CliError::of)?)),
            }
        })
    }
}

fn name_of(arguments: &ArgMatches) -> String {
    normalize_username(arguments.get_one::<String>("name").map_or("", String::as_str))
}

async fn add(accounts: &UserAccounts, arguments: &ArgMatches) -> Result<(), CliError> {
    let username = &name_of(arguments);
    if accounts.users.by_username(username).await.map_err(CliError::of)?.is_some() {
        return Err(CliError::new(format!("there is a user named {username:?} already")));
    }
    let password = match arguments.get_flag("no-password") {
        true => crate::auth::unusable_password(),
        false => encoded(&accounts.passwords, &read_password()?).await?,
    };
    let user = NewUser {
        username,
        password: &password,
        email: arguments.get_one::<String>("email").map_or("", String::as_str),
        is_staff: arguments.get_flag("staff") || arguments.get_flag("superuser"),
        is_superuser: arguments.get_flag("superuser"),
    };
    match accounts.users.create(user).await {
        Ok(account) => say!("{} is user {}", account.username, account.id)?,
        Err(DatabaseError::Conflict { .. }) => {
            return Err(CliError::new(format!("there is a user named {username:?} already")));
        }
        Err(error) => return Err(CliError::of(error)),
    }
    Ok(())
}

async fn change_password(accounts: &UserAccounts, name: &str) -> Result<(), CliError> {
    let account = account(accounts, name).await?;
    let password = encoded(&accounts.passwords, &read_password()?).await?;
    accounts.users.set_password(&account.id, &password).await.map_err(CliError::of)?;
    accounts.close_sockets(account).await;
    say!("{name} has a new password; earlier sessions have ended")
}

async fn deactivate(accounts: &UserAccounts, name: &str) -> Result<(), CliError> {
    let account = account(accounts, name).await?;
    accounts.users.set_active(&account.id, false).await.map_err(CliError::of)?;
    accounts.close_sockets(account).await;
    say!("{name} can no longer log in; sessions of the account have ended")
}

async fn account(accounts: &UserAccounts, name: &str) -> Result<Account, CliError> {
    let found = accounts.users.by_username(name).await.map_err(CliError::of)?;
    found.map(|user| user.account).ok_or_else(|| CliError::new(format!("there is no user named {name:?}")))
}

async fn encoded(passwords: &Passwords, password: &str) -> Result<String, CliError> {
    passwords.make(password).await.map_err(CliError::of)
}
