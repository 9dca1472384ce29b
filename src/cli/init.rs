//! `init DIR`: a site to start from.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Arg, value_parser};
use futures_util::future::BoxFuture;

use super::print::say;
use super::{CliError, Command, Context};
use crate::gateway::starter_files;

pub(super) struct Init;

impl Command for Init {
    fn definition(&self) -> clap::Command {
        clap::Command::new("init")
            .about("Makes a site to start from")
            .long_about(
                "Makes a site to start from: a config file with comments, templates, static files. Nothing that is \
                 there already is touched.",
            )
            .arg(
                Arg::new("dir")
                    .value_name("DIR")
                    .required(true)
                    .value_parser(value_parser!(PathBuf))
                    .help("The folder; made when it is not there"),
            )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let dir: PathBuf = context.arguments().get_one("dir").cloned().unwrap_or_default();
            let files = starter_files();
            if let Some((name, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
                return Err(CliError::new(format!("{} is there already", dir.join(name).display())));
            }
            for (name, content) in &files {
                write_new(&dir.join(name), content)?;
            }
            say!("{} files in {}. Start it there with: solent", files.len(), dir.display())
        })
    }
}

fn write_new(path: &Path, content: &[u8]) -> Result<(), CliError> {
    let failed = |error| CliError::new(format!("{} cannot be written: {error}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut file = std::fs::File::create_new(path).map_err(failed)?;
    file.write_all(content).map_err(failed)
}
