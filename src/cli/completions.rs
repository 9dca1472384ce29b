//! `completions`: what a shell needs to complete commands and options.

use clap::{Arg, ArgAction, value_parser};
use clap_complete::Shell;
use futures_util::future::BoxFuture;

use super::print::print;
use super::{CliError, Command, Context};

pub(super) struct Completions;

impl Command for Completions {
    fn definition(&self) -> clap::Command {
        clap::Command::new("completions")
            .about("Prints what a shell needs to complete commands and options")
            .long_about(
                "Prints what a shell needs to complete commands and options. For bash: `completions bash > \
                 /etc/bash_completion.d/solent`. For zsh: `completions zsh > _solent`, in a folder of $fpath. For fish: \
                 `completions fish > ~/.config/fish/completions/solent.fish`.",
            )
            .arg(
                Arg::new("shell")
                    .value_name("SHELL")
                    .required(true)
                    .action(ArgAction::Set)
                    .value_parser(value_parser!(Shell))
                    .help("The shell"),
            )
    }

    fn run(&self, context: Context) -> BoxFuture<'static, Result<(), CliError>> {
        Box::pin(async move {
            let Some(shell) = context.arguments().get_one::<Shell>("shell").copied() else { return Ok(()) };
            let mut program = context.program().clone();
            let name = program.get_bin_name().unwrap_or_else(|| program.get_name()).to_owned();
            // Into memory first: clap_complete panics when its reader has gone away.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut program, name, &mut script);
            print(String::from_utf8_lossy(&script))
        })
    }
}
