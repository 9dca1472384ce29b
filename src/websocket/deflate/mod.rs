//! permessage-deflate (RFC 7692): negotiation, inflation under a limit, compression shared by a broadcast.
//!
//! The server never keeps a compression context between its messages: a message that stands alone can be sent to
//! every member of a group as it is. Whether clients may keep theirs is an option; each that does costs an inflater.

#[cfg(feature = "deflate")]
mod compress;
#[cfg(feature = "deflate")]
mod inflate;
mod negotiate;

use bytes::Bytes;

#[cfg(feature = "deflate")]
pub(super) use inflate::Inflater;
pub(crate) use negotiate::negotiate;

use super::CloseFrame;

/// When and how messages are compressed.
///
/// ```
/// use solent::Limits;
/// use solent::websocket::Compression;
///
/// let mut limits = Limits::default();
/// assert_eq!(limits.compression, Compression::default());
/// limits.compression.min_size = 2048;
/// limits.compression.level = 1; // cores are scarcer than bandwidth
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compression {
    /// Whether the extension is negotiated at all. Default: yes, with the crate's feature `deflate`.
    pub enabled: bool,
    /// Messages below this many bytes are sent as they are. 512: below, headers and time outweigh what is saved.
    pub min_size: usize,
    /// Effort, 1 (fast) to 9 (small). 3.
    pub level: u8,
    /// Whether clients may keep their context between messages. Off: an inflater of about 48 KiB is then kept for
    /// each connection that does.
    pub client_context_takeover: bool,
}

impl Default for Compression {
    fn default() -> Self {
        Self { enabled: cfg!(feature = "deflate"), min_size: 512, level: 3, client_context_takeover: false }
    }
}

/// What a handshake has agreed on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Agreed {
    /// The value of `Sec-WebSocket-Extensions` in the answer.
    pub(crate) answer: String,
    /// How this server compresses.
    pub(crate) encoding: Encoding,
    /// Whether the client's context lives on between its messages.
    pub(super) client_context: bool,
}

/// How one socket's messages are encoded. Sockets of equal encoding share the frames of a broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Encoding {
    /// 0: never compressed.
    window_bits: u8,
    level: u8,
    min_size: u32,
}

impl Encoding {
    fn new(window_bits: u8, options: &Compression) -> Self {
        let min_size = u32::try_from(options.min_size).unwrap_or(u32::MAX);
        Self { window_bits, level: options.level.clamp(1, 9), min_size }
    }

    /// Whether anything is compressed at all.
    pub(super) fn compresses(self) -> bool {
        self.window_bits != 0
    }

    /// Whether a payload of this length is to be compressed.
    pub(super) fn applies(self, length: usize) -> bool {
        self.compresses() && length >= self.min_size as usize
    }

    /// A number for this encoding's frames, other than 0, which is the uncompressed one's.
    pub(super) fn key(self) -> u32 {
        u32::from(self.window_bits) << 8 | u32::from(self.level)
    }

    /// The payload compressed, or `None` when that would not make it smaller.
    #[cfg(feature = "deflate")]
    pub(super) fn compress(self, payload: &[u8]) -> Option<Bytes> {
        let compressed = compress::compress(payload, self.window_bits, self.level)?;
        (compressed.len() < payload.len()).then_some(compressed)
    }

    #[cfg(not(feature = "deflate"))]
    pub(super) fn compress(self, _: &[u8]) -> Option<Bytes> {
        None
    }
}

/// Without the feature nothing is negotiated, so no message is ever marked as compressed.
#[cfg(not(feature = "deflate"))]
#[derive(Debug)]
pub(super) struct Inflater;

#[cfg(not(feature = "deflate"))]
impl Inflater {
    pub(super) fn start(_: Option<Self>) -> Self {
        Self
    }

    pub(super) fn inflate(&mut self, _: &[u8], _: &mut Vec<u8>, _: usize) -> Result<(), CloseFrame> {
        Ok(())
    }

    pub(super) fn finish(&mut self, _: &mut Vec<u8>, _: usize) -> Result<(), CloseFrame> {
        Ok(())
    }

    pub(super) fn end(self, _: bool) -> Option<Self> {
        None
    }
}

/// Data that can't be inflated.
#[cfg(feature = "deflate")]
fn broken() -> CloseFrame {
    CloseFrame::new(super::CloseCode::INVALID_TEXT, "compressed data is broken")
}
