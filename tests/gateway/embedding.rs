//! A program with commands and consumers of its own: `examples/own_command.rs`.

use std::path::PathBuf;
use std::process::Command;

use super::binary::{Site, project, stderr_of, stdout_of};
use super::raw::Raw;

/// The example, which `cargo test --test gateway` alone does not build.
fn built() -> PathBuf {
    let tests = std::env::current_exe().expect("this test's place");
    let program = tests.ancestors().nth(2).expect("target/debug").join("examples/own_command");
    let mut cargo = Command::new(env!("CARGO"));
    let done = cargo.args(["build", "--quiet", "--example", "own_command"]).current_dir(project()).status();
    assert!(done.expect("cargo runs").success() && program.exists(), "{} was not built", program.display());
    program
}

fn program() -> Command {
    let mut command = Command::new(built());
    command.env_clear().env("NO_COLOR", "1").env("CLOCK_BIND", "127.0.0.1:0").current_dir(project());
    command.args(["--config", "examples/own_command.toml"]);
    command
}

#[test]
fn its_command_stands_beside_solents_under_its_own_name() {
    let help = stdout_of(&program().arg("--help").output().unwrap());
    assert!(
        help.contains("Usage: clockwork") && help.contains("\n  greet ") && help.contains("\n  routes "),
        "{help}"
    );
    let greeted = program().args(["greet", "alice"]).output().unwrap();
    assert_eq!(stdout_of(&greeted), "Hello alice, this site has 3 routes.\n", "{}", stderr_of(&greeted));
    assert_eq!(program().arg("greet").output().unwrap().status.code(), Some(2));
    let wrong = program().args(["greet", "alice", "--config", "no.toml"]).output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(stderr_of(&wrong).contains("there is no file no.toml"), "{}", stderr_of(&wrong));
}

#[tokio::test]
async fn its_consumer_can_be_named_by_the_config_file() {
    let site = Site::start(&mut program());
    let origin = format!("Origin: http://{}\r\n", site.address);
    let mut socket = Raw::websocket_with(site.address, "/ws/clock/", &origin).await;
    let told = socket.text().await;
    assert!(chrono::DateTime::parse_from_rfc3339(&told).is_ok(), "{told}");
    assert_eq!(site.stop(), Some(0));
}
