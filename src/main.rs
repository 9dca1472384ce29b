//! The `solent` binary: hands its arguments to the command line and turns the result into an exit code.

use std::process::ExitCode;

use solent::cli::{self, App};

// A process that has served a crowd must not stay as large as the crowd was.
#[cfg(all(feature = "jemalloc", not(target_env = "msvc")))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    cli::run(App::new(), [])
}
