//! The command line: one file per command. Also for programs that embed Solent and add commands of their own.
//!
//! Stands in front of [`gateway`](crate::gateway), which knows config files. `main` only turns a result into an exit
//! code.

mod app;
mod check;
mod clearsessions;
mod command;
mod completions;
mod config;
mod error;
mod init;
mod layer;
mod logging;
mod migrate;
#[cfg(feature = "otel")]
mod otlp;
mod paint;
mod print;
mod routes;
mod run;
mod signals;
mod user;
mod watch;
mod worker;

use std::ffi::OsString;
use std::process::ExitCode;

pub use app::App;
pub use command::{Command, Context};
pub use error::CliError;

use self::paint::Paint;

/// The commands that every program has; `run` is the one that is meant when none is named.
fn built_in() -> Vec<Box<dyn Command>> {
    vec![
        Box::new(run::Run),
        Box::new(check::Check),
        Box::new(routes::Routes),
        Box::new(init::Init),
        Box::new(migrate::Migrate),
        Box::new(clearsessions::ClearSessions),
        Box::new(user::User),
        Box::new(config::Config),
        Box::new(layer::Layer),
        Box::new(worker::Worker),
        Box::new(completions::Completions),
    ]
}

/// Runs the command line of the process: Solent's commands, and those of the embedding program.
///
/// The exit code is 0 when all went well, 1 when it did not, and 2 when the command line could not be understood. An
/// error is one paragraph on standard error, in colour on a terminal unless `NO_COLOR` is set.
///
/// ```no_run
/// use solent::cli::{self, App};
///
/// fn main() -> std::process::ExitCode {
///     cli::run(App::new(), [])
/// }
/// ```
pub fn run(app: App, commands: impl IntoIterator<Item = Box<dyn Command>>) -> ExitCode {
    run_with(app, commands, std::env::args_os())
}

/// As [`run`], with arguments of one's own; the first is the program's name.
///
/// ```no_run
/// use solent::cli::{self, App};
///
/// // As a program does that starts a site among other things.
/// let exit_code = cli::run_with(App::new(), [], ["site", "check", "--offline"].map(Into::into));
/// ```
pub fn run_with(
    app: App,
    commands: impl IntoIterator<Item = Box<dyn Command>>,
    arguments: impl IntoIterator<Item = OsString>,
) -> ExitCode {
    // Own commands come later, so that they may stand in for built-in ones.
    let mut all = built_in();
    for command in commands {
        let name = command.definition().get_name().to_owned();
        all.retain(|known| known.definition().get_name() != name);
        all.push(command);
    }
    let definition = app.definition(all.iter().map(|command| command.definition()));
    let program = definition.clone();
    let matches = match definition.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            misunderstood(&error);
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let (name, own) = matches.subcommand().unwrap_or(("run", &matches));
    let Some(command) = all.iter().find(|command| command.definition().get_name() == name) else {
        return ExitCode::from(2);
    };
    let outcome =
        Context::new(&app, program, &matches, own).and_then(|context| block_on(command.run(context)));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_unheard() => ExitCode::SUCCESS,
        Err(error) => {
            let paint = Paint::of_stderr();
            eprintln!("{} {error}", paint.red("error:"));
            ExitCode::FAILURE
        }
    }
}

/// Tells what is wrong with the command line, in one paragraph. Help and version come this way too.
fn misunderstood(error: &clap::Error) {
    if !error.use_stderr() {
        let _ = error.print();
        return;
    }
    let told = error.render();
    let told = if Paint::of_stderr().is_on() { told.ansi().to_string() } else { told.to_string() };
    told.lines().filter(|line| !line.trim().is_empty()).for_each(|line| eprintln!("{line}"));
}

fn block_on<T>(future: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| CliError::new(format!("the runtime cannot start: {error}")))?.block_on(future)
}
