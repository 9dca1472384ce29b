//! A span that OpenTelemetry knows: its parent, its name, what HTTP's conventions say of it.

use ::http::{HeaderMap, Request, StatusCode};
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{Status, TraceContextExt};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::{RequestId, Scope};

/// The span of a request, kept where the router finds it however many spans others have opened around it.
#[derive(Debug, Clone)]
struct RequestSpan(Span);

/// The span of a request. Only a `trusted` proxy's word on the trace counts: others could fill the traces of strangers.
pub(crate) fn request_span<B>(request: &Request<B>, id: &RequestId, trusted: bool) -> Span {
    let span = tracing::info_span!("request", %id, otel.kind = "server");
    if trusted {
        let context = TraceContextPropagator::new().extract(&HeaderExtractor(request.headers()));
        if context.span().span_context().is_valid() {
            let _ = span.set_parent(context);
        }
    }
    span.set_attribute("http.request.method", request.method().as_str().to_owned());
    span.set_attribute("url.path", request.uri().path().to_owned());
    span.context().span().update_name(request.method().as_str().to_owned());
    span
}

/// The name of a socket in its log entries: its request's span, whose end is the socket's.
pub(crate) struct SocketName(Span);

impl SocketName {
    pub(crate) fn current(_: &RequestId) -> Self {
        Self(Span::current())
    }

    /// Takes a step under this name.
    pub(crate) fn during<T>(&mut self, step: impl FnOnce() -> T) -> T {
        self.0.in_scope(step)
    }
}

/// Lets the router find the span of the request that a scope is of.
pub(crate) fn keep(scope: &mut Scope) {
    scope.extensions.insert(RequestSpan(Span::current()));
}

/// A route was found: the span is called by its method and pattern, of which there are few, and not by its path.
pub(crate) fn routed(scope: &Scope) {
    let Some(RequestSpan(span)) = scope.extensions.get() else { return };
    let route = format!("/{}", scope.url_route.pattern);
    span.set_attribute("network.protocol.name", scope.protocol.as_str().to_owned());
    span.context().span().update_name(format!("{} {route}", scope.method));
    span.set_attribute("http.route", route);
}

/// The answer to a request or a handshake. What went wrong here makes the span an error; what clients did wrong does not.
pub(crate) fn answered(span: &Span, status: StatusCode) {
    span.set_attribute("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.set_status(Status::error(""));
    }
}

/// Lets a server behind go on with the trace, in place of what a client wrote.
pub(crate) fn pass_on(headers: &mut HeaderMap) {
    let context = Span::current().context();
    if context.span().span_context().is_valid() {
        headers.remove("tracestate");
        TraceContextPropagator::new().inject_context(&context, &mut HeaderInjector(headers));
    }
}
