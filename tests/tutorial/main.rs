//! The tutorial is followed word by word in an empty folder: files are written as they stand, commands are run, and their
//! output must hold what the text promises.
#![allow(missing_docs, unreachable_pub)]

mod page;

use std::path::{Path, PathBuf};

use page::{Step, steps};

/// The pages, in their order.
fn pages() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial");
    let entries = std::fs::read_dir(folder).expect("the tutorial is there");
    let mut pages: Vec<_> = entries.map(|entry| entry.expect("it can be read").path()).collect();
    pages.retain(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(char::is_numeric))
    });
    pages.sort();
    pages
}

#[test]
fn every_block_of_code_is_a_file_or_a_command_or_for_the_browser() {
    let pages = pages();
    assert_eq!(pages.len(), 9);
    let mut count = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).expect("Markdown is text");
        let steps = steps(&text).unwrap_or_else(|error| panic!("{}: {error}", page.display()));
        let rust =
            steps.iter().filter(|step| matches!(step, Step::File { path, .. } if path.ends_with(".rs")));
        assert!(rust.count() > 0, "{}", page.display());
        let tests =
            steps.iter().filter(|step| matches!(step, Step::Run { command, .. } if command == "cargo test"));
        assert_eq!(tests.count(), 1, "{} ends with a test that tries it", page.display());
        let (_, tried) = text.rsplit_once("**In a browser:** ").expect("each page ends in a browser");
        assert!(tried.contains("`cargo run`") || tried.contains("BIND="), "{}: {tried}", page.display());
        count += steps.len();
    }
    assert!(count > 40, "{count} steps");
}

mod slow {
    //! Compiles Solent once more, as a dependency: several minutes when it is done for the first time.

    use std::process::Command;

    use super::*;

    #[test]
    fn the_text_is_followed_literally_and_every_command_gives_what_it_promises() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = tempfile::tempdir().expect("an empty folder");
        let mut here = folder.path().to_owned();
        for page in pages() {
            for step in
                steps(&std::fs::read_to_string(&page).expect("Markdown is text")).expect("checked above")
            {
                match step {
                    Step::File { path, content } => {
                        let file = here.join(path);
                        std::fs::create_dir_all(file.parent().expect("a folder")).expect("made");
                        std::fs::write(file, content).expect("written");
                    }
                    Step::Replace { path, old, new } => {
                        let file = here.join(path);
                        let text = std::fs::read_to_string(&file).expect("an earlier page has made it");
                        assert!(text.contains(&old), "{}: {old:?} is not there", page.display());
                        std::fs::write(file, text.replace(&old, &new)).expect("written");
                    }
                    Step::Run { command, output } => match command.strip_prefix("cd ") {
                        Some(inner) => here = here.join(inner),
                        None => {
                            let found = run(&command, &here, root);
                            for line in output {
                                assert!(
                                    found.contains(&line),
                                    "{}: {command}: no {line:?} in\n{found}",
                                    page.display()
                                );
                            }
                        }
                    },
                    Step::Browser => {}
                }
            }
        }
    }

    /// What a command prints; one that fails ends the test.
    fn run(command: &str, folder: &Path, root: &Path) -> String {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let output = Command::new("bash")
            .args(["-c", command])
            .current_dir(folder)
            .env("SOLENT", root)
            // Between runs only the small program is compiled again.
            .env("CARGO_TARGET_DIR", target.join("tutorial"))
            .env_remove("REDIS_URL")
            .output()
            .expect("bash runs");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        assert!(output.status.success(), "{command} failed:\n{text}");
        text
    }
}
