//! Why a consumer's message was not sent.

/// Nothing can be sent before the connection is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the connection is not accepted yet: call `ctx.accept()` before sending")]
pub(super) struct NotAccepted;

/// A blocking handler's send found the outbox full: the client reads too slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client's outbox is full (limit: outbox_bytes)")]
pub(crate) struct OutboxFull;
