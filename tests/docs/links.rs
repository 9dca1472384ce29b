//! Links in the guides lead to files that are there, and to headings that are in them.

use std::fs;
use std::path::{Path, PathBuf};

/// The project's Markdown files.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages = Vec::new();
    for folder in ["", "docs", "docs/tutorial"] {
        let Ok(entries) = fs::read_dir(root.join(folder)) else { continue };
        let files = entries.map(|entry| entry.expect("it can be read").path());
        pages.extend(files.filter(|path| path.extension().is_some_and(|extension| extension == "md")));
    }
    pages
}

/// The text outside of code blocks.
fn prose(text: &str) -> String {
    let mut in_code = false;
    let lines = text.lines().filter(|line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The targets of `[text](target)`, `![text](target)` and `src="target"`.
fn links(text: &str) -> Vec<String> {
    let ends = [("](", ')'), ("src=\"", '"')];
    let of = |(start, end): (&str, char)| {
        let parts = text.split(start).skip(1);
        parts.filter_map(move |rest| rest.split(end).next()).map(str::to_owned).collect::<Vec<_>>()
    };
    ends.into_iter().flat_map(of).collect()
}

/// GitHub's name of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    kept.chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[test]
fn links_lead_to_files_and_headings_that_are_there() {
    let (mut count, mut broken) = (0, Vec::new());
    for page in pages() {
        let text = prose(&fs::read_to_string(&page).expect("Markdown is text"));
        for link in links(&text) {
            if link.starts_with("http") || link.starts_with("mailto:") {
                continue;
            }
            count += 1;
            let (file, heading) =
                link.split_once('#').map_or((link.as_str(), None), |(file, h)| (file, Some(h)));
            let target = if file.is_empty() { page.clone() } else { page.with_file_name("").join(file) };
            let found = match heading {
                None => target.exists(),
                Some(heading) => fs::read_to_string(&target).is_ok_and(|text| {
                    prose(&text)
                        .lines()
                        .any(|line| line.starts_with('#') && anchor(line.trim_start_matches('#')) == heading)
                }),
            };
            if !found {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    assert!(count > 10, "{count} links");
}

#[test]
fn every_guide_is_listed() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let list = fs::read_to_string(docs.join("README.md")).expect("the list is there");
    for entry in fs::read_dir(&docs).expect("the folder is there") {
        let name = entry.expect("it can be read").file_name().into_string().expect("ASCII");
        if name != "README.md" && name.ends_with(".md") {
            assert!(list.contains(&format!("({name})")), "{name} is not listed in docs/README.md");
        }
    }
}
