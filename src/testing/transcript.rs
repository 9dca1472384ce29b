//! The conversation so far: what failures print.

use std::fmt;
use std::panic::Location;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::websocket::Message;

/// The longest piece of a message that a line shows, in characters.
const SHOWN: usize = 200;

/// Everything that was said in one conversation, with the time at which it was. Cheap to clone; clones are the same one.
#[derive(Clone)]
pub struct Transcript(Arc<Inner>);

struct Inner {
    start: Instant,
    lines: Mutex<Vec<(Duration, String)>>,
}

impl Transcript {
    pub(super) fn new() -> Self {
        Self(Arc::new(Inner { start: Instant::now(), lines: Mutex::default() }))
    }

    pub(super) fn note(&self, line: impl Into<String>) {
        let at = self.0.start.elapsed();
        self.lines_now().push((at, line.into()));
    }

    /// The lines so far, without their times.
    pub fn lines(&self) -> Vec<String> {
        self.lines_now().iter().map(|(_, line)| line.clone()).collect()
    }

    fn lines_now(&self) -> MutexGuard<'_, Vec<(Duration, String)>> {
        // A line is pushed whole or not at all.
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the test at the caller's line, with the conversation.
    ///
    /// # Panics
    /// Always.
    pub(super) fn fail(&self, at: &Location<'_>, what: impl fmt::Display) -> ! {
        panic!("{what}\n  at {at}\n{self}")
    }
}

/// A message as a line shows it.
pub(super) fn shown(message: &Message) -> String {
    match message {
        Message::Text(text) => format!("text {:?}", cut(text)),
        Message::Binary(bytes) => {
            let start: Vec<String> = bytes.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            let more = if bytes.len() > 16 { " …" } else { "" };
            format!("binary, {} bytes: {}{more}", bytes.len(), start.join(" "))
        }
    }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

impl fmt::Display for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines_now();
        if lines.is_empty() {
            return f.write_str("  nothing was said yet");
        }
        f.write_str("  the conversation so far:")?;
        for (at, line) in lines.iter() {
            write!(f, "\n  {:9.3} s  {line}", at.as_secs_f64())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Transcript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
