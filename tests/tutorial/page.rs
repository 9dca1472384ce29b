//! A page as a list of steps.

/// One thing that the text tells to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A block behind a line that is only a path: the whole file.
    File { path: String, content: String },
    /// A block that takes the place of a piece of a file.
    Replace { path: String, old: String, new: String },
    /// A line of a `sh` block; the `text` block behind it is what its last command prints, line by line.
    Run { command: String, output: Vec<String> },
    /// Something for the browser's console.
    Browser,
}

/// The steps of a page.
///
/// # Errors
/// A block of code that is none of these.
pub fn steps(text: &str) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let (mut lines, mut before) = (text.lines(), String::new());
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            if !line.trim().is_empty() {
                before = line.to_owned();
            }
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        add(&mut steps, kind, &before, &block)?;
        before.clear();
    }
    Ok(steps)
}

fn add(steps: &mut Vec<Step>, kind: &str, before: &str, block: &[&str]) -> Result<(), String> {
    let file = before.strip_prefix('`').and_then(|rest| rest.strip_suffix("`:"));
    match (kind, file) {
        (_, Some(path)) => {
            steps.push(Step::File { path: path.to_owned(), content: block.join("\n") + "\n" });
        }
        ("sh", None) => steps
            .extend(block.iter().map(|line| Step::Run { command: (*line).to_owned(), output: Vec::new() })),
        ("text", None) => match steps.last_mut() {
            Some(Step::Run { output, .. }) => output.extend(block.iter().map(|line| (*line).to_owned())),
            _ => return Err(format!("output of no command: {block:?}")),
        },
        ("js", None) => steps.push(replacement(before, block).unwrap_or(Step::Browser)),
        _ => return Err(format!("a block of {kind:?} that is neither a file nor a command: {block:?}")),
    }
    Ok(())
}

/// “In `FILE` take this in place of `OLD`:”.
fn replacement(before: &str, block: &[&str]) -> Option<Step> {
    let (_, rest) = before.split_once("In `")?;
    let (path, rest) = rest.split_once('`')?;
    let (_, rest) = rest.split_once("in place of `")?;
    let (old, _) = rest.split_once('`')?;
    let new = block.join("\n    ");
    Some(Step::Replace { path: path.to_owned(), old: format!("{old};"), new })
}
