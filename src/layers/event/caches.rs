//! What an event remembers: decoded forms by type, encoded forms by key, and its JSON text.

use std::any::{Any, TypeId};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

use super::EventError;
use crate::layers::locks::lock;

/// Which encoded form of an event is meant. Whoever encodes gives each of its forms a number of its own.
///
/// A form of one's own, made once however many send it:
///
/// ```
/// use bytes::Bytes;
/// use serde_json::json;
/// use solent::layers::{EncodingKey, Event, EventError};
///
/// const LINE: EncodingKey = EncodingKey::new(7);
///
/// fn line(event: &Event) -> Result<Bytes, EventError> {
///     event.encoded(LINE, || Ok([&event.json()?[..], b"\n"].concat().into()))
/// }
///
/// assert_eq!(line(&Event::new(&json!({ "type": "news" }))?)?, "{\"type\":\"news\"}\n");
/// # Ok::<(), EventError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EncodingKey(u32);

impl EncodingKey {
    /// An uncompressed WebSocket text frame with the event's JSON: the usual form, and the fast one.
    pub const TEXT_FRAME: Self = Self(0);

    /// Any other form. Zero is [`TEXT_FRAME`](Self::TEXT_FRAME).
    pub const fn new(number: u32) -> Self {
        Self(number)
    }
}

type Encoded = OnceLock<Result<Bytes, EventError>>;
type Decoded<U> = OnceLock<Result<Arc<U>, EventError>>;
type AnyDecoded = Arc<dyn Any + Send + Sync>;

/// Cells are found under a short lock and filled outside of it: user code decodes, and it may be slow or panic.
#[derive(Default)]
pub(super) struct Caches {
    text_frame: Encoded,
    json: Encoded,
    frames: Mutex<Vec<(EncodingKey, Arc<Encoded>)>>,
    /// The form that was asked for first, which is nearly always the only one: no lock is needed to find it.
    first: OnceLock<AnyDecoded>,
    others: Mutex<Vec<(TypeId, AnyDecoded)>>,
}

impl Caches {
    pub(super) fn json(&self, make: impl FnOnce() -> Result<Bytes, EventError>) -> Result<Bytes, EventError> {
        self.json.get_or_init(make).clone()
    }

    pub(super) fn encoded(
        &self,
        key: EncodingKey,
        encode: impl FnOnce() -> Result<Bytes, EventError>,
    ) -> Result<Bytes, EventError> {
        if key == EncodingKey::TEXT_FRAME {
            return self.text_frame.get_or_init(encode).clone();
        }
        self.frame(key).get_or_init(encode).clone()
    }

    fn frame(&self, key: EncodingKey) -> Arc<Encoded> {
        let mut frames = lock(&self.frames);
        if let Some((_, cell)) = frames.iter().find(|(own, _)| *own == key) {
            return cell.clone();
        }
        let cell = Arc::<Encoded>::default();
        frames.push((key, cell.clone()));
        cell
    }

    pub(super) fn decoded<U: Send + Sync + 'static>(
        &self,
        decode: impl FnOnce() -> Result<U, EventError>,
    ) -> Result<Arc<U>, EventError> {
        let decode = || decode().map(Arc::new);
        let first = self.first.get_or_init(|| Arc::new(Decoded::<U>::new()));
        match first.downcast_ref::<Decoded<U>>() {
            Some(cell) => cell.get_or_init(decode).clone(),
            None => self.other::<U>().get_or_init(decode).clone(),
        }
    }

    fn other<U: Send + Sync + 'static>(&self) -> Arc<Decoded<U>> {
        let mut cells = lock(&self.others);
        let known = cells.iter().find(|(own, _)| *own == TypeId::of::<U>()).map(|(_, cell)| cell.clone());
        if let Some(cell) = known.and_then(|cell| cell.downcast().ok()) {
            return cell;
        }
        let cell = Arc::new(OnceLock::new());
        cells.push((TypeId::of::<U>(), cell.clone()));
        cell
    }
}
