//! A message while its fragments come in: size limit and UTF-8 are checked with every piece.

use bytes::Bytes;
use tungstenite::Utf8Bytes;

use super::deflate::Inflater;
use super::{CloseCode, CloseFrame, Message};

/// A data message whose end has not come yet.
#[derive(Debug)]
pub(super) struct Assembly {
    text: bool,
    data: Vec<u8>,
    // The first `valid` bytes are known to be UTF-8; what follows may be the start of one character.
    valid: usize,
    limit: usize,
    /// For a compressed message.
    inflater: Option<Inflater>,
}

/// Bytes that are unmasked at a time before they are inflated.
const CHUNK: usize = 4 << 10;

impl Assembly {
    pub(super) fn new(text: bool, limit: usize, inflater: Option<Inflater>) -> Self {
        Self { text, data: Vec::new(), valid: 0, limit, inflater }
    }

    /// Payload bytes that may still come. What a compressed message comes to is known only as it is inflated, but
    /// no sender needs more for it than for the message as it is, a few bytes per block aside.
    pub(super) fn room(&self) -> usize {
        let room = self.limit.saturating_sub(self.data.len());
        if self.inflater.is_some() { room + room / 8 + 64 } else { room }
    }

    /// Appends a piece, unmasking it on the way: `mask` is rotated so that its first byte belongs to the piece's.
    ///
    /// # Errors
    /// 1009 over the limit; 1007 at the first byte that can't be part of UTF-8.
    pub(super) fn push(&mut self, piece: &[u8], mask: [u8; 4]) -> Result<(), CloseFrame> {
        if self.inflater.is_some() {
            return self.push_compressed(piece, mask);
        }
        if piece.len() > self.room() {
            return Err(too_big("message", self.limit));
        }
        let start = self.data.len();
        if start == 0 {
            self.data.reserve_exact(piece.len());
        }
        self.data.extend_from_slice(piece);
        unmask(&mut self.data[start..], mask);
        self.check()
    }

    fn push_compressed(&mut self, piece: &[u8], mask: [u8; 4]) -> Result<(), CloseFrame> {
        let mut buffer = [0; CHUNK];
        // The chunk's length is a multiple of the mask's, so that every chunk begins with its first byte.
        for chunk in piece.chunks(CHUNK) {
            let plain = &mut buffer[..chunk.len()];
            plain.copy_from_slice(chunk);
            unmask(plain, mask);
            if let Some(inflater) = &mut self.inflater {
                inflater.inflate(plain, &mut self.data, self.limit)?;
            }
            self.check()?;
        }
        Ok(())
    }

    fn check(&mut self) -> Result<(), CloseFrame> {
        if !self.text {
            return Ok(());
        }
        let fresh = &self.data[self.valid..];
        // The fast validator says only yes or no; which byte is wrong, and whether more may come, std says.
        if simdutf8::basic::from_utf8(fresh).is_ok() {
            self.valid = self.data.len();
            return Ok(());
        }
        match std::str::from_utf8(fresh) {
            Ok(_) => self.valid = self.data.len(),
            Err(error) if error.error_len().is_none() => self.valid += error.valid_up_to(),
            Err(_) => return Err(invalid_text()),
        }
        Ok(())
    }

    /// Ends a compressed message; the inflater comes back where the client's context lives on.
    ///
    /// # Errors
    /// 1009 over the limit; 1007 for broken data and text.
    pub(super) fn finish_compressed(&mut self, keep: bool) -> Result<Option<Inflater>, CloseFrame> {
        let Some(mut inflater) = self.inflater.take() else { return Ok(None) };
        inflater.finish(&mut self.data, self.limit)?;
        self.check()?;
        Ok(inflater.end(keep))
    }

    /// The whole message.
    ///
    /// # Errors
    /// 1007 when text ends inside a character.
    pub(super) fn finish(self) -> Result<Message, CloseFrame> {
        let data = Bytes::from(self.data);
        if !self.text {
            return Ok(Message::Binary(data));
        }
        if self.valid != data.len() {
            return Err(invalid_text());
        }
        Utf8Bytes::try_from(data).map(Message::Text).map_err(|_| invalid_text())
    }
}

/// Applies a client's mask (RFC 6455 section 5.3), eight bytes at a time.
pub(super) fn unmask(data: &mut [u8], mask: [u8; 4]) {
    let wide = u64::from_ne_bytes([mask[0], mask[1], mask[2], mask[3], mask[0], mask[1], mask[2], mask[3]]);
    let (chunks, tail) = data.as_chunks_mut::<8>();
    for chunk in chunks {
        *chunk = (u64::from_ne_bytes(*chunk) ^ wide).to_ne_bytes();
    }
    for (byte, key) in tail.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= key;
    }
}

/// Over which limit `what` is: the message or one of its frames.
pub(super) fn too_big(what: &str, limit: usize) -> CloseFrame {
    CloseFrame::new(CloseCode::TOO_BIG, format!("{what} over the limit of {limit} bytes"))
}

fn invalid_text() -> CloseFrame {
    CloseFrame::new(CloseCode::INVALID_TEXT, "text is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_is_applied_from_any_offset() {
        let mask = [1, 2, 3, 4];
        for length in 0..40 {
            let plain: Vec<u8> = (0..length).collect();
            let mut masked = plain.clone();
            unmask(&mut masked, mask);
            for (index, byte) in masked.iter().enumerate() {
                assert_eq!(byte ^ mask[index % 4], plain[index]);
            }
        }
    }

    #[test]
    fn text_fails_at_the_first_byte_that_cannot_be_utf_8() {
        let mut assembly = Assembly::new(true, 100, None);
        assembly.push("κόσμε".as_bytes(), [0; 4]).unwrap();
        assembly.push(&[0xf4], [0; 4]).unwrap();
        assert_eq!(assembly.push(&[0x90], [0; 4]).unwrap_err().code, CloseCode::INVALID_TEXT);
    }
}
