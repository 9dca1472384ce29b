//! Spans, sent to a collector that understands OpenTelemetry's protocol.

mod client;

use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{Subscriber, warn};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use self::client::Client;
use super::CliError;

/// What `OTEL_SERVICE_NAME` says otherwise.
const SERVICE: &str = "solent";

/// Sends spans in batches, from a thread of its own.
#[derive(Debug)]
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// Sends to the collector at a URL. One that is not there yet is tried again with each batch.
    ///
    /// # Errors
    /// When the URL cannot be used.
    pub(super) fn to(collector: &str) -> Result<Self, CliError> {
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::here())
            .with_endpoint(endpoint(collector))
            .build()
            .map_err(|error| CliError::new(format!("log.otlp cannot be used: {error}")))?;
        let name = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| SERVICE.to_owned());
        let resource = Resource::builder().with_service_name(name).build();
        Ok(Self(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build()))
    }

    /// What hands spans to it. The log's level is not theirs.
    pub(super) fn layer<S>(&self) -> impl Layer<S> + use<S>
    where
        S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
    {
        let layer = tracing_opentelemetry::layer().with_tracer(self.0.tracer(SERVICE));
        let layer = layer.with_location(false).with_threads(false).with_tracked_inactivity(false);
        layer.with_filter(Targets::new().with_default(LevelFilter::INFO))
    }

    /// Sends what is left.
    pub(super) async fn finish(self) {
        // It waits for its thread, which waits for this runtime.
        let ended = tokio::task::spawn_blocking(move || self.0.shutdown()).await;
        if let Ok(Err(error)) = ended {
            warn!(%error, "the last spans could not be sent");
        }
    }
}

/// `http://host:port` is a collector, whose spans go to `/v1/traces`.
fn endpoint(collector: &str) -> String {
    let path = collector.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    match path {
        Some((_, path)) if !path.is_empty() => collector.to_owned(),
        _ => format!("{}/v1/traces", collector.trim_end_matches('/')),
    }
}
