//! What happens, written to standard error, and, where the file wants it, sent to a collector.

use std::io;

use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use super::CliError;
#[cfg(feature = "otel")]
use super::otlp::Exporter;
use super::paint::Paint;
use crate::gateway::Loaded;

/// The log that has begun.
#[derive(Debug)]
pub(super) struct Log {
    #[cfg(feature = "otel")]
    spans: Option<Exporter>,
}

/// Begins to write the log, as `[log]` says. A program that writes one already keeps its own.
///
/// # Errors
/// When the collector's address cannot be used.
pub(super) fn begin(loaded: &Loaded) -> Result<Log, CliError> {
    let level: Targets = loaded.log_level().parse().unwrap_or_default();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let lines = if loaded.logs_json() {
        lines.json().flatten_event(true).boxed()
    } else {
        lines.with_ansi(Paint::of_stderr().is_on()).boxed()
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(level));
    #[cfg(feature = "otel")]
    {
        let spans = loaded.collector().map(Exporter::to).transpose()?;
        let _ = registry.with(spans.as_ref().map(Exporter::layer)).try_init();
        Ok(Log { spans })
    }
    #[cfg(not(feature = "otel"))]
    {
        let _ = registry.try_init();
        Ok(Log {})
    }
}

impl Log {
    /// Sends what has not been sent.
    pub(super) async fn end(self) {
        #[cfg(feature = "otel")]
        if let Some(spans) = self.spans {
            spans.finish().await;
        }
    }
}
