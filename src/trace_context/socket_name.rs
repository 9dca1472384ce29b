//! What names a socket in the log, and takes no span while the socket idles.

use std::time::Duration;

use tokio::time::Instant;
use tracing::Span;

use crate::RequestId;

/// A socket that rests for longer than this makes its span anew when it goes on.
const BUSY: Duration = Duration::from_secs(1);

/// The span that names a request, or the socket that it became, in the log.
pub(super) fn span_of(id: &RequestId) -> Span {
    tracing::info_span!("request", %id)
}

/// The name of a socket in its log entries: that of the request which it was.
///
/// A span is kept between two steps of a busy socket alone: an open one takes half a KiB, which for most sockets would
/// lie there from one ping to the next.
pub(crate) struct SocketName(Option<Box<Name>>);

enum Name {
    /// Somebody else has opened it around the handshake: it cannot be made anew.
    Foreign(Span),
    Own {
        id: RequestId,
        span: Option<Span>,
        entered: Option<Instant>,
    },
}

impl SocketName {
    /// The name that the span gives which is open now; none where nobody listens.
    pub(crate) fn current(id: &RequestId) -> Self {
        let open = Span::current();
        let is_own =
            open.metadata().is_some_and(|open| open.name() == "request" && open.target() == module_path!());
        Self(match open {
            open if open.is_none() => None,
            _ if is_own => Some(Box::new(Name::Own { id: id.clone(), span: None, entered: None })),
            open => Some(Box::new(Name::Foreign(open))),
        })
    }

    /// Takes a step under this name.
    pub(crate) fn during<T>(&mut self, step: impl FnOnce() -> T) -> T {
        match self.0.as_deref_mut() {
            None => step(),
            Some(Name::Foreign(span)) => span.in_scope(step),
            Some(Name::Own { id, span, entered }) => {
                let now = Instant::now();
                let is_busy = entered.replace(now).is_some_and(|before| now.duration_since(before) < BUSY);
                let open = span.take().unwrap_or_else(|| span_of(id));
                let done = open.in_scope(step);
                *span = is_busy.then_some(open);
                done
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was logged, in one text.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn keeps_a_span(name: &SocketName) -> bool {
        matches!(name.0.as_deref(), Some(Name::Own { span: Some(_), .. } | Name::Foreign(_)))
    }

    #[tokio::test(start_paused = true)]
    async fn every_step_is_named_and_only_a_busy_socket_keeps_its_span() {
        let log = Log::default();
        let writer = log.clone();
        let subscriber =
            tracing_subscriber::fmt().with_writer(move || writer.clone()).with_ansi(false).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let id = RequestId::new();
        let mut name = span_of(&id).in_scope(|| SocketName::current(&id));
        for (rest, kept) in [(0, false), (100, true), (100, true), (20_000, false), (100, true)] {
            tokio::time::advance(Duration::from_millis(rest)).await;
            name.during(|| tracing::info!("a step"));
            assert_eq!(keeps_a_span(&name), kept, "after {rest} ms");
        }
        let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert_eq!(written.matches(&format!("request{{id={id}}}: ")).count(), 5, "{written}");
    }

    #[test]
    fn a_span_that_somebody_else_has_opened_stays() {
        let subscriber = tracing_subscriber::fmt().with_writer(io::sink).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let id = RequestId::new();
        let opened = || tracing::info_span!("tenant").in_scope(|| SocketName::current(&id));
        let mut name = span_of(&id).in_scope(opened);
        for _ in 0..2 {
            name.during(|| assert_eq!(Span::current().metadata().unwrap().name(), "tenant"));
        }
    }

    #[test]
    fn where_nobody_listens_nothing_is_kept() {
        let id = RequestId::new();
        let mut name = span_of(&id).in_scope(|| SocketName::current(&id));
        assert!(name.0.is_none());
        assert_eq!(name.during(|| 1), 1);
    }
}
