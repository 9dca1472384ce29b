//! The sessions that were unpacked last, by what was packed: who asks for page after page brings the same text each
//! time. Only what a valid signature stands under comes here, and it says the same whenever it is asked.

use std::collections::HashMap;
use std::fmt;

use parking_lot::Mutex;

use super::SessionData;

/// So many are kept at least, while they are in use, and twice as many at most.
const SESSIONS: usize = 512;

/// A larger session is unpacked anew each time, so that all together stay below a few megabytes.
pub(super) const LARGEST: usize = 4 << 10;

/// The sessions that were unpacked last.
#[derive(Default)]
pub(super) struct Unpacked(Mutex<Generations>);

type Sessions = HashMap<Box<str>, SessionData>;

/// What was used since the last turn, and what was used in the turn before; what was used in neither is forgotten.
#[derive(Default)]
struct Generations {
    young: Sessions,
    old: Sessions,
}

impl Unpacked {
    pub(super) fn get(&self, packed: &str) -> Option<SessionData> {
        let mut generations = self.0.lock();
        if let Some(data) = generations.young.get(packed) {
            return Some(data.clone());
        }
        let (packed, data) = generations.old.remove_entry(packed)?;
        generations.put(packed, data.clone());
        Some(data)
    }

    pub(super) fn put(&self, packed: &str, data: SessionData) {
        self.0.lock().put(packed.into(), data);
    }
}

impl fmt::Debug for Unpacked {
    /// Without the sessions.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unpacked")
    }
}

impl Generations {
    fn put(&mut self, packed: Box<str>, data: SessionData) {
        if self.young.len() >= SESSIONS {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(packed, data);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(number: usize) -> SessionData {
        let mut data = SessionData::default();
        data.set("number", &number).unwrap();
        data
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten_in_time() {
        let unpacked = Unpacked::default();
        unpacked.put("always", named(0));
        unpacked.put("once", named(1));
        for number in 2..SESSIONS * 5 {
            unpacked.put(&number.to_string(), named(number));
            assert_eq!(unpacked.get("always").unwrap().get("number").unwrap(), Some(0));
        }
        assert!(unpacked.get("once").is_none());
        let generations = unpacked.0.lock();
        assert!(generations.young.len() + generations.old.len() <= 2 * SESSIONS);
    }
}
