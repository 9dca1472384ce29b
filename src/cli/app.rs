//! What the program is: its name, and what it adds to what config files can name.

use std::path::PathBuf;

use clap::{Arg, ArgAction, value_parser};

use crate::gateway::Parts;

/// The file that is meant when none is named.
pub(super) const DEFAULT_CONFIG: &str = "config/solent.toml";

/// The program that a command line belongs to.
#[derive(Debug, Clone)]
#[must_use]
pub struct App {
    name: &'static str,
    version: &'static str,
    about: &'static str,
    parts: Parts,
}

impl App {
    /// Solent itself.
    pub fn new() -> Self {
        Self {
            name: "solent",
            version: env!("CARGO_PKG_VERSION"),
            about: "Serves pages, proxies and WebSockets from one config file",
            parts: Parts::new(),
        }
    }

    /// A program of another name.
    pub fn named(name: &'static str, version: &'static str, about: &'static str) -> Self {
        Self { name, version, about, ..Self::new() }
    }

    /// What the program adds to what config files can name.
    pub fn parts(self, parts: Parts) -> Self {
        Self { parts, ..self }
    }

    pub(super) fn own_parts(&self) -> &Parts {
        &self.parts
    }

    pub(super) fn definition(&self, commands: impl IntoIterator<Item = clap::Command>) -> clap::Command {
        clap::Command::new(self.name)
            .bin_name(self.name)
            .version(self.version)
            .about(self.about)
            .after_help("Without a command, the site is run. `help COMMAND` tells more of one.")
            .arg(
                Arg::new("config")
                    .long("config")
                    .short('c')
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .default_value(DEFAULT_CONFIG)
                    .global(true)
                    .action(ArgAction::Set)
                    .help("The config file"),
            )
            .subcommands(commands)
    }
}

impl Default for App {
    fn default() -> Self {
        Self::new()
    }
}
