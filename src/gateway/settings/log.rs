//! `[log]`: what is written, and how.

use crate::gateway::section::section;
use crate::gateway::setting::Placed;
use crate::gateway::words::words;

section! {
    /// `[log]`.
    pub(crate) struct LogSettings {
        /// `text` for people, `json` (an object per line) for programs.
        format: LogFormat = LogFormat::Text,
        /// What is worth a line: `error`, `warn`, `info`, `debug`, `trace`, or by part, as in `"info,solent::layers=debug"`.
        level: Placed<String> = Placed { value: "info".to_owned(), span: 0..0 },
        /// Whether each request and each turn of a socket gets a line on standard output.
        access: bool = true,
        /// Where spans go by OpenTelemetry's protocol: a collector such as `http://127.0.0.1:4318`, in a program that was
        /// built with the feature `otel`. Each request and each socket is a span, in the trace that a trusted proxy names.
        otlp: Option<Placed<String>> = None,
    }
}

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

words! {
    LogFormat { "text" => Self::Text, "json" => Self::Json }
}
