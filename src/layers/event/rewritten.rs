//! An event in the words of one type, for those to whom its sender's words would say nothing.

use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Event;

/// What became of an event, kept in its caches under this type: `T` tells whose words were asked for.
struct Rewritten<T> {
    event: Option<Event>,
    of: PhantomData<fn() -> T>,
}

impl Event {
    /// The event as `T` writes it. `None` when it reads so already, whatever else it holds, and when it is none of
    /// `T`'s. Found out once per process, event and `T`.
    pub(crate) fn rewritten<T>(&self) -> Option<Self>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let make = || Ok(Rewritten::<T> { event: self.in_words_of::<T>(), of: PhantomData });
        self.shared.caches.decoded(make).ok()?.event.clone()
    }

    fn in_words_of<T>(&self) -> Option<Self>
    where
        T: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        let event = Self::new(self.decode::<T>().ok()?.get()).ok()?;
        let (own, written) = (self.value().as_map()?, event.value().as_map()?);
        let reads_so = written
            .iter()
            .all(|(key, value)| key.as_str().and_then(|key| own.get(key)).is_some_and(|own| own == value));
        (!reads_so).then_some(event)
    }
}
