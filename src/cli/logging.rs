//! What happens, written to standard error.

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::paint::Paint;
use crate::gateway::Loaded;

/// Begins to write the log, as `[log]` says. A program that writes one already keeps its own.
pub(super) fn begin(loaded: &Loaded) {
    let level: Targets = loaded.log_level().parse().unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = if loaded.logs_json() {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(Paint::of_stderr().is_on()).boxed()
    };
    let _ = tracing_subscriber::registry().with(lines.with_filter(level)).try_init();
}
