//! Programs outside of this process that play a client's part, and report line by line.
//!
//! `ok - …` is something that held, `not ok - …` a failure with its reason below, `? words` a wish to the test, which
//! grants it and answers `done`; `done` ends a play that went to its end.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

/// How long a play may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// Runs a play to its end, granting its wishes. Gives what held.
///
/// # Panics
/// When something did not hold, or the play did not come to its end in time.
pub async fn play(mut command: Command, mut grant: impl AsyncFnMut(&str)) -> Vec<String> {
    let child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit()).kill_on_drop(true);
    let mut child = child.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let (mut wishes, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut lines = BufReader::new(output).lines();
    let mut told = Vec::new();
    let whole = async {
        while let Some(line) = lines.next_line().await.expect("the play prints text") {
            if let Some(wish) = line.strip_prefix("? ") {
                grant(wish).await;
                wishes.write_all(b"done\n").await.expect("the play waits for its wish");
            }
            told.push(line);
        }
    };
    let in_time = timeout(PATIENCE, whole).await.is_ok();
    let told_all = told.join("\n");
    assert!(in_time, "the play did not end within {PATIENCE:?}; it said:\n{told_all}");
    assert!(!told.iter().any(|line| line.starts_with("not ok")), "{told_all}");
    assert_eq!(told.last().map(String::as_str), Some("done"), "the play broke off; it said:\n{told_all}");
    told.iter().filter_map(|line| line.strip_prefix("ok - ")).map(str::to_owned).collect()
}
