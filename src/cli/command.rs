//! A command: how it is called, and what it does.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use futures_util::future::BoxFuture;

use super::app::DEFAULT_CONFIG;
use super::{App, CliError};
use crate::gateway::{Loaded, Parts};

/// A command of the command line.
///
/// ```
/// use futures_util::future::BoxFuture;
/// use solent::cli::{CliError, Command, Context};
///
/// struct Hello;
///
/// impl Command for Hello {
///     fn definition(&self) -> clap::Command {
///         clap::Command::new("hello").about("Says hello")
///     }
///
///     fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
///         Box::pin(async move {
///             println!("hello from {}", context.config().display());
///             Ok(())
///         })
///     }
/// }
/// ```
pub trait Command: Send + Sync {
    /// How it is called, with its arguments and its help.
    fn definition(&self) -> clap::Command;

    /// Does it.
    ///
    /// # Errors
    /// What the user is told; the exit code is 1 then.
    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>>;
}

/// What a command has to work with.
#[derive(Debug, Clone)]
pub struct Context {
    config: PathBuf,
    parts: Parts,
    arguments: ArgMatches,
    program: clap::Command,
}

impl Context {
    pub(super) fn new(
        app: &App,
        program: clap::Command,
        matches: &ArgMatches,
        own: &ArgMatches,
    ) -> Result<Self, CliError> {
        let config = matches.get_one::<PathBuf>("config").cloned();
        let config = config.unwrap_or_else(|| DEFAULT_CONFIG.into());
        Ok(Self { config, parts: app.own_parts().clone(), arguments: own.clone(), program })
    }

    /// The config file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// The command's own arguments.
    pub fn arguments(&self) -> &ArgMatches {
        &self.arguments
    }

    /// The whole command line, with every command.
    pub fn program(&self) -> &clap::Command {
        &self.program
    }

    /// What the program adds to what config files can name.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The config file, read and checked.
    ///
    /// # Errors
    /// Everything that is wrong with it; how to begin, when it is not there.
    pub fn load(&self) -> Result<Loaded, CliError> {
        if !self.config.exists() {
            let file = self.config.display();
            return Err(CliError::new(format!(
                "there is no file {file}; `solent init DIR` makes a site to start from, `--config FILE` names another"
            )));
        }
        Ok(Loaded::read(&self.config, &self.parts)?)
    }
}
