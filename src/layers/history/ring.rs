//! The last things that happened, numbered.

use std::collections::VecDeque;

use crate::layers::Event;

/// What happened.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Event(Event),
    /// Events may have been lost here.
    Gap,
}

impl Item {
    fn bytes(&self) -> usize {
        match self {
            Self::Event(event) => event.weight(),
            Self::Gap => 0,
        }
    }
}

/// A bounded queue whose items keep their numbers.
#[derive(Debug)]
pub(super) struct Ring {
    events: usize,
    most_bytes: usize,
    items: VecDeque<Item>,
    bytes: usize,
    /// The number of the first item that is kept.
    first: u64,
}

impl Ring {
    pub(super) fn new(events: usize, bytes: usize) -> Self {
        Self { events, most_bytes: bytes, items: VecDeque::new(), bytes: 0, first: 0 }
    }

    /// The number of the item that comes next.
    pub(super) fn next(&self) -> u64 {
        self.first + self.items.len() as u64
    }

    /// The number of the first item that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn push(&mut self, item: Item) {
        self.bytes += item.bytes();
        self.items.push_back(item);
        while self.items.len() > self.events || (self.bytes > self.most_bytes && self.items.len() > 1) {
            let Some(oldest) = self.items.pop_front() else { return };
            self.bytes -= oldest.bytes();
            self.first += 1;
        }
    }

    /// An item by its number; `None` when it is gone, or not there yet.
    pub(super) fn get(&self, number: u64) -> Option<&Item> {
        let index = number.checked_sub(self.first)?;
        self.items.get(usize::try_from(index).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(text: &str) -> Item {
        Item::Event(Event::new(&json!({ "text": text })).unwrap())
    }

    #[test]
    fn the_oldest_go_by_number_and_by_bytes_and_numbers_stay() {
        let mut ring = Ring::new(3, 10_000);
        for _ in 0..5 {
            ring.push(event("x"));
        }
        assert_eq!((ring.first(), ring.next()), (2, 5));
        assert!(
            ring.get(1).is_none() && ring.get(2).is_some() && ring.get(4).is_some() && ring.get(5).is_none()
        );
        ring.push(event(&"x".repeat(20_000)));
        assert_eq!((ring.first(), ring.next()), (5, 6), "the newest stays, however large");
        ring.push(Item::Gap);
        assert_eq!((ring.first(), ring.next()), (6, 7));
        assert_eq!(ring.bytes, 0);
    }
}
