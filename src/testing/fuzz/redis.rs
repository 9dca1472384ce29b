//! The decoders of both Redis layers, under any bytes.

use bytes::Bytes;

use super::choice;
use crate::layers::redis::format::{Codec, Fernet, Serializers};

/// What the core layer pops: random bytes in front, perhaps encrypted.
///
/// # Panics
/// As [`redis_pubsub`].
pub fn redis_core(data: &[u8]) {
    decode(data, 12);
}

/// What the pub/sub layer hears. A message that is read is written and read again as the same.
///
/// # Panics
/// When that does not hold.
pub fn redis_pubsub(data: &[u8]) {
    decode(data, 0);
}

fn decode(data: &[u8], prefix: usize) {
    let (options, bytes) = choice(data);
    let format = if options & 1 == 0 { "msgpack" } else { "json" };
    let serializer = Serializers::default().get(format).expect("registered");
    let codec = Codec::new(serializer).random_prefix(prefix).max_bytes(1 << 20);
    let codec = match options & 2 {
        0 => codec,
        _ => codec.encrypted(Fernet::new(["a key of fuzzers"]).ok(), None),
    };
    let Ok(message) = codec.decode(&Bytes::copy_from_slice(bytes)) else { return };
    // What can be read may be deeper, or longer, than what is written.
    let Ok(written) = codec.encode(&message) else { return };
    let again = codec.decode(&Bytes::from(written)).expect("what was written reads");
    assert_eq!(format!("{again:?}"), format!("{message:?}"));
}
