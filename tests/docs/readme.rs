//! The README's config is a chat, and the configs of the guides have no mistakes. (Its program is a doc test of the crate.)

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::raw::Raw;

/// The blocks of a kind in one of the project's pages.
fn blocks(page: &str, kind: &str) -> Vec<String> {
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)).expect("the page is there");
    let fence = format!("```{kind}\n");
    text.split(&fence).skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

fn solent(config: &str, folder: &Path) -> Command {
    let file = folder.join("solent.toml");
    std::fs::write(&file, config).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_solent"));
    command
        .current_dir(folder)
        .args(["--config", "solent.toml"])
        .env("DJANGO_SECRET_KEY", "a secret key of at least 32 bytes, as it says");
    command.env("DATABASE_PASSWORD", "secret");
    command
}

/// A process that ends with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Without blanks and line breaks, which a formatter puts elsewhere.
fn squeezed(code: &str) -> String {
    code.lines().filter(|line| !line.starts_with("//!")).flat_map(str::split_whitespace).collect()
}

#[test]
fn the_readmes_program_and_its_test_are_the_example_that_the_tests_run() {
    let mut blocks = blocks("README.md", "rust,no_run");
    let program = blocks.remove(0);
    let test = self::blocks("README.md", "rust").remove(0);
    let example = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/echo.rs"));
    assert_eq!(squeezed(&(program.clone() + &test)), squeezed(&example.unwrap()));
    let counts = |line: &&str| !line.starts_with("use ") && !["", "}"].contains(&line.trim());
    assert_eq!(program.lines().filter(counts).count(), 10, "it is called the ten-line program");
}

#[test]
fn the_readmes_program_inside_axum_compiles() {
    let program = blocks("README.md", "rust,no_run").remove(0);
    let [inside] = &blocks("README.md", "rs")[..] else { panic!("one block replaces the last line") };
    let (body, end) = program.trim_end().rsplit_once("\n}").expect("main ends the program");
    let (kept, _last_line) = body.rsplit_once('\n').expect("main has lines");
    let compiled = include_str!("echo_in_axum.rs").split_once("use ").expect("it begins with its imports").1;
    assert_eq!(squeezed(&format!("{kept}\n{inside}}}{end}")), squeezed(&format!("use {compiled}")));
}

#[tokio::test]
async fn the_readmes_config_is_a_chat() {
    let [config] = &blocks("README.md", "toml")[..] else { panic!("one config") };
    assert!(config.lines().count() <= 10, "it is called the ten-line config");
    let folder = tempfile::tempdir().unwrap();
    let checked = solent(config, folder.path()).arg("check").output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    let config = format!("{config}\n[server]\nbind = [\"127.0.0.1:0\"]\n");
    let mut process = Running(solent(&config, folder.path()).stdout(Stdio::piped()).spawn().unwrap());
    let mut banner = String::new();
    BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut banner).unwrap();
    let address = banner.rsplit("http://").next().unwrap().trim().trim_end_matches('/').parse().unwrap();
    let open = async |room: &str| {
        Raw::websocket_with(address, &format!("/ws/chat/{room}/"), "Origin: http://localhost\r\n").await
    };
    let (mut one, mut other) = (open("tea").await, open("tea").await);
    one.send_text(r#"{"message": "hello"}"#).await;
    for client in [&mut one, &mut other] {
        assert_eq!(client.frame().await.json()["message"], "hello");
    }
}

#[test]
fn the_config_in_front_of_django_has_no_mistakes() {
    let config = &blocks("docs/in-front-of-django.md", "toml")[0];
    let folder = tempfile::tempdir().unwrap();
    let checked = solent(config, folder.path()).args(["check", "--offline"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
