//! Every key of every table: a value of a kind that nothing takes is told at its place, all of them at once.

use solent::gateway::{Inside, Key, Settings};

use super::binary::{Folder, stderr_of};

/// No key's value is a day.
const WRONG: &str = "1979-05-27";

/// A file in the making, and what is to be said of each of its lines.
#[derive(Default)]
struct File {
    text: String,
    expected: Vec<(usize, String)>,
}

impl File {
    fn line(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// A key with the wrong value.
    fn wrong(&mut self, written: &str) {
        self.line(&format!("{written} = {WRONG}"));
        self.expected.push((self.text.lines().count(), written.to_owned()));
    }

    /// The keys of a table, those of tables inside of it dotted.
    fn keys(&mut self, prefix: &str, keys: &[Key]) {
        for key in keys {
            let written = format!("{prefix}{}", key.name);
            match &key.inside {
                Inside::Value => self.wrong(&written),
                Inside::Section(inner) => self.keys(&format!("{written}."), inner),
                Inside::Named(inner) => self.keys(&format!("{written}.NAME."), inner),
                Inside::List(inner) => {
                    let pairs: Vec<_> = inner.iter().map(|key| format!("{} = {WRONG}", key.name)).collect();
                    self.line(&format!("{written} = [{{ {} }}]", pairs.join(", ")));
                    let line = self.text.lines().count();
                    self.expected.extend(inner.iter().map(|key| (line, format!("{written}.{}", key.name))));
                }
                other => panic!("{written} is of a kind that this test does not know: {other:?}"),
            }
        }
    }
}

fn every_key_wrong() -> File {
    let mut file = File::default();
    let reference = Settings::reference();
    let (values, tables): (Vec<&Key>, Vec<&Key>) =
        reference.iter().partition(|key| matches!(key.inside, Inside::Value));
    values.iter().for_each(|key| file.wrong(key.name));
    for table in tables {
        let (heading, keys) = match &table.inside {
            Inside::Section(keys) => (format!("[{}]", table.name), keys),
            Inside::Named(keys) => (format!("[{}.NAME]", table.name), keys),
            Inside::List(keys) => (format!("[[{}]]", table.name), keys),
            other => panic!("{} is of a kind that this test does not know: {other:?}", table.name),
        };
        file.line(&heading);
        file.keys("", keys);
    }
    file
}

#[test]
fn a_value_of_a_wrong_kind_is_told_at_its_place_with_what_was_expected() {
    let file = every_key_wrong();
    assert!(file.expected.len() > 150, "only {} keys", file.expected.len());
    let folder = Folder::with(&file.text);
    let output = folder.run(&["check", "--offline"]);
    let told = stderr_of(&output);
    assert_eq!(output.status.code(), Some(1), "{told}");
    let blocks: Vec<&str> = told.split("\n\n").skip(1).collect();
    for (line, key) in &file.expected {
        let place = format!("solent.toml:{line}:");
        let found = format!(": {key}: found a date or time");
        let block = blocks.iter().find(|block| {
            let first = block.lines().next().unwrap_or_default();
            first.contains(&place) && first.ends_with(&found)
        });
        let block = block.unwrap_or_else(|| panic!("nothing is said of {key} in line {line}:\n{told}"));
        assert!(block.contains("= expected ") && block.contains('^'), "{block}");
    }
    // One of them is no follow-up: the file's only route has every target.
    let of_the_file = blocks.iter().filter(|block| !block.starts_with("(built in)")).count();
    assert_eq!(of_the_file, file.expected.len() + 1, "what follows from a wrong value is not told:\n{told}");
    assert!(told.contains("targets: redirect, respond, login, logout, password_change"), "{told}");
}

#[test]
fn a_table_that_is_none_is_told_at_its_place() {
    let reference = Settings::reference();
    let tables: Vec<&Key> = reference.iter().filter(|key| !matches!(key.inside, Inside::Value)).collect();
    let text: String = tables.iter().map(|key| format!("{} = {WRONG}\n", key.name)).collect();
    let folder = Folder::with(&text);
    let told = stderr_of(&folder.run(&["check", "--offline"]));
    for (at, table) in tables.iter().enumerate() {
        let place = format!("solent.toml:{}:", at + 1);
        let line = told.lines().find(|line| line.contains(&place));
        let found = format!("{}: found a date or time", table.name);
        assert!(line.is_some_and(|line| line.ends_with(&found)), "{} in\n{told}", table.name);
    }
}
