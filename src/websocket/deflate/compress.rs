//! Compression of whole messages, by compressors that threads share among their sockets.

use std::cell::RefCell;

use bytes::Bytes;
use flate2::{Compress, FlushCompress, Status};

/// What every message compressed by a sync flush ends with, and what is not sent (RFC 7692 section 7.2.1).
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Compressors kept per thread. Each has its own window and level, and there are few of those in use at once.
const KEPT: usize = 4;

struct Kept {
    window_bits: u8,
    level: u8,
    compress: Compress,
}

thread_local! {
    static POOL: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

/// The payload in the form in which it travels; `None` when the compressor fails, which memory alone could cause.
pub(super) fn compress(payload: &[u8], window_bits: u8, level: u8) -> Option<Bytes> {
    POOL.with_borrow_mut(|pool| {
        let place = pool.iter().position(|kept| kept.window_bits == window_bits && kept.level == level);
        let mut kept = place.map_or_else(|| Kept::new(window_bits, level), |place| pool.swap_remove(place));
        let compressed = run(&mut kept.compress, payload);
        kept.compress.reset();
        if pool.len() >= KEPT {
            pool.remove(0);
        }
        pool.push(kept);
        compressed
    })
}

impl Kept {
    fn new(window_bits: u8, level: u8) -> Self {
        let compression = flate2::Compression::new(u32::from(level));
        let compress = Compress::new_with_window_bits(compression, false, window_bits);
        Self { window_bits, level, compress }
    }
}

fn run(compress: &mut Compress, payload: &[u8]) -> Option<Bytes> {
    let mut output = Vec::with_capacity(payload.len() / 2 + 64);
    loop {
        let taken = usize::try_from(compress.total_in()).ok()?;
        match compress.compress_vec(&payload[taken..], &mut output, FlushCompress::Sync).ok()? {
            // Room left over means that the flush is complete.
            Status::Ok | Status::BufError if output.len() < output.capacity() => break,
            _ => output.reserve(payload.len() / 2 + 64),
        }
    }
    if output.ends_with(&TAIL) {
        output.truncate(output.len() - TAIL.len());
    }
    Some(output.into())
}
