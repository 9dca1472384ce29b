//! The `solent` binary: hands its arguments to the command line and turns the result into an exit code.

use std::process::ExitCode;

use solent::cli::{self, App};

fn main() -> ExitCode {
    cli::run(App::new(), [])
}
