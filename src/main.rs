//! The `solent` binary: hands its arguments to the command line and turns the result into an exit code.

fn main() {}
