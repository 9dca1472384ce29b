//! Inflation of one message, in pieces, under a limit that counts bytes as they come.

use std::cell::RefCell;
use std::fmt;

use flate2::{Decompress, FlushDecompress, Status};

use super::broken;
use crate::websocket::CloseFrame;
use crate::websocket::assembly::too_big;

/// What the sender left out at the end (RFC 7692 section 7.2.2).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Inflaters kept per thread, for messages that are whole: they come and go within one call.
const KEPT: usize = 4;

/// Room that is made at a time; the output grows with what is in the message, not with what it claims.
const STEP: usize = 4 << 10;

thread_local! {
    static POOL: RefCell<Vec<Decompress>> = const { RefCell::new(Vec::new()) };
}

/// An inflater with the window that any client's may need.
pub(in crate::websocket) struct Inflater(Decompress);

impl Inflater {
    /// The connection's own inflater, when its client keeps a context, or one from the thread's pool.
    pub(in crate::websocket) fn start(kept: Option<Self>) -> Self {
        kept.unwrap_or_else(|| {
            let pooled = POOL.with_borrow_mut(Vec::pop);
            Self(pooled.unwrap_or_else(|| Decompress::new_with_window_bits(false, 15)))
        })
    }

    /// Appends what `input` inflates to.
    ///
    /// # Errors
    /// 1009 as soon as `output` would hold more than `limit` bytes; 1007 for broken data.
    pub(in crate::websocket) fn inflate(
        &mut self,
        mut input: &[u8],
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), CloseFrame> {
        loop {
            // One byte of room beyond the limit tells a full message from one that is too big.
            let room = (limit + 1 - output.len()).min(STEP);
            output.reserve(room);
            let before = self.0.total_in();
            let status = self.0.decompress_vec(input, output, FlushDecompress::Sync).map_err(|_| broken())?;
            let taken = usize::try_from(self.0.total_in() - before).map_err(|_| broken())?;
            input = &input[taken..];
            if output.len() > limit {
                return Err(too_big("message", limit));
            }
            match status {
                // A final block may stand anywhere; what follows is a new stream (section 7.2.3.4).
                Status::StreamEnd => self.0.reset(false),
                Status::Ok | Status::BufError if input.is_empty() && output.len() < output.capacity() => {
                    break;
                }
                Status::BufError if taken == 0 && output.len() < output.capacity() => return Err(broken()),
                Status::Ok | Status::BufError => {}
            }
            if input.is_empty() && status == Status::StreamEnd {
                break;
            }
        }
        Ok(())
    }

    /// The message's end.
    ///
    /// # Errors
    /// As [`inflate`](Self::inflate).
    pub(in crate::websocket) fn finish(
        &mut self,
        output: &mut Vec<u8>,
        limit: usize,
    ) -> Result<(), CloseFrame> {
        self.inflate(&TAIL, output, limit)
    }

    /// Gives the inflater back, or keeps it for the connection's next message.
    pub(in crate::websocket) fn end(mut self, keep: bool) -> Option<Self> {
        if keep {
            return Some(self);
        }
        self.0.reset(false);
        POOL.with_borrow_mut(|pool| {
            if pool.len() < KEPT {
                pool.push(self.0);
            }
        });
        None
    }
}

impl fmt::Debug for Inflater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflater")
    }
}
