//! `completions`: scripts that shells complete commands and options by.

use std::process::Command;

use super::binary::{solent, stderr_of, stdout_of};

fn script(shell: &str) -> String {
    let output = solent().args(["completions", shell]).output().expect("the binary runs");
    assert!(output.status.success(), "{}", stderr_of(&output));
    stdout_of(&output)
}

/// The commands that the help lists.
fn commands() -> Vec<String> {
    let help = stdout_of(&solent().arg("--help").output().expect("the binary runs"));
    let list = help.split("Commands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("a list");
    let names = list.lines().filter_map(|line| line.strip_prefix("  ")).filter(|line| !line.starts_with(' '));
    names.map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
}

/// What bash offers for the last of these words.
fn offered(words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let program = format!(
        "source /dev/stdin; COMP_WORDS=({}); COMP_CWORD={}; \
         complete -p solent > /dev/null || exit 1; _solent solent \"${{COMP_WORDS[COMP_CWORD]}}\" \
         \"${{COMP_WORDS[COMP_CWORD-1]}}\"; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1
    );
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), script("bash")).unwrap();
    let stdin = std::fs::File::open(file.path()).unwrap();
    let output =
        Command::new("bash").args(["--norc", "-c", &program]).stdin(stdin).output().expect("bash runs");
    assert!(output.status.success(), "{}", stderr_of(&output));
    stdout_of(&output).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_commands_their_commands_and_their_options() {
    let all = offered(&["solent", ""]);
    for command in commands() {
        assert!(all.contains(&command), "no {command} among {all:?}");
    }
    assert_eq!(offered(&["solent", "che"]), ["check"]);
    assert_eq!(offered(&["solent", "user", "dea"]), ["deactivate"]);
    assert_eq!(offered(&["solent", "check", "--off"]), ["--offline"]);
    assert_eq!(offered(&["solent", "completions", "fi"]), ["fish"]);
}

#[test]
fn zsh_and_fish_are_given_every_command() {
    let commands = commands();
    assert!(commands.len() >= 11, "{commands:?}");
    let (zsh, fish) = (script("zsh"), script("fish"));
    assert!(zsh.starts_with("#compdef solent\n"), "{}", &zsh[..100]);
    for command in commands {
        assert!(zsh.lines().any(|line| line.trim() == format!("({command})")), "no {command} for zsh");
        assert!(
            fish.lines().any(|line| line.contains(&format!("-a \"{command}\""))),
            "no {command} for fish"
        );
    }
}

#[test]
fn another_shell_is_refused_with_those_that_there_are() {
    let output = solent().args(["completions", "tcsh"]).output().expect("the binary runs");
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr_of(&output).contains("bash"), "{}", stderr_of(&output));
}
