//! Broken files, each with the exact errors that it gets.
//!
//! With `SOLENT_TEST_WRITE=1` the errors are written anew; what has changed is then to be read in the diff.

use std::fs;
use std::path::PathBuf;

use super::binary::{project, solent, stderr_of};

fn files() -> Vec<PathBuf> {
    let folder = project().join("tests/gateway/broken");
    let entries = fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|it| it == "toml")).collect();
    files.sort();
    files
}

#[test]
fn every_broken_file_gets_its_errors_all_at_once() {
    let files = files();
    assert!(files.len() >= 30, "only {} broken files", files.len());
    let mut wrong = Vec::new();
    for file in &files {
        let name = file.strip_prefix(project()).unwrap();
        let mut command = solent();
        command
            .env("SOLENT_TEST_SECRET", "never-shown-anywhere")
            .args(["check", "--offline", "--config"])
            .arg(name);
        let output = command.output().expect("the binary runs");
        let told = stderr_of(&output);
        assert_eq!(output.status.code(), Some(1), "{}: {told}", name.display());
        assert!(!told.contains("never-shown"), "{} shows a secret:\n{told}", name.display());
        let expected = file.with_extension("expected");
        if std::env::var_os("SOLENT_TEST_WRITE").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        let expected = fs::read_to_string(&expected).unwrap_or_default();
        if told != expected {
            wrong.push(format!("{}\n--- expected\n{expected}\n--- told\n{told}", name.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn errors_name_file_line_and_column_and_show_the_line_with_a_caret() {
    for file in files() {
        let expected = fs::read_to_string(file.with_extension("expected")).unwrap();
        for block in expected.split("\n\n").skip(1) {
            let first = block.lines().next().unwrap();
            let place: Vec<&str> = first.split(':').collect();
            assert!(place.len() >= 4, "no place in {first:?}");
            let numbers = place[1].parse::<usize>().is_ok() && place[2].parse::<usize>().is_ok();
            assert!(numbers, "no line and column in {first:?}");
            assert!(block.contains('^'), "no caret in {block:?}");
        }
    }
}

#[test]
fn a_program_without_the_feature_says_that_it_cannot_send_spans() {
    let folder = super::binary::Folder::with("debug = true\n[log]\notlp = \"http://127.0.0.1:4318\"\n");
    let checked = folder.run(&["check", "--offline"]);
    let told = stderr_of(&checked);
    assert_eq!(checked.status.success(), cfg!(feature = "otel"), "{told}");
    assert_eq!(told.contains("built with the feature `otel`"), cfg!(not(feature = "otel")), "{told}");
}
