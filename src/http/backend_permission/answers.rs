//! Answers that are kept for a while, in a bounded number.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::http::{HeaderValue, StatusCode};
use tokio::time::Instant;

/// What a server behind has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    Allowed,
    /// The status, 401 or 403, and the challenge that came with it.
    Refused(StatusCode, Option<HeaderValue>),
    /// No answer that says yes or no, and why.
    Unknown(String),
}

type Key = [u8; 32];

/// Every answer holds equally long, so that the oldest is also the first to go.
#[derive(Debug)]
pub(super) struct Answers {
    time: Duration,
    most: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    by_key: HashMap<Key, (Answer, Instant)>,
    order: VecDeque<(Key, Instant)>,
}

impl Answers {
    pub(super) fn new(time: Duration, most: usize) -> Self {
        Self { time, most, kept: Mutex::default() }
    }

    pub(super) fn time(&self) -> Duration {
        self.time
    }

    pub(super) fn most(&self) -> usize {
        self.most
    }

    /// An answer that still holds.
    pub(super) fn find(&self, key: &Key) -> Option<Answer> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.by_key.get(key).filter(|(_, until)| *until > Instant::now()).map(|(answer, _)| answer.clone())
    }

    /// Keeps an answer. One that is no yes and no no is asked for anew.
    pub(super) fn keep(&self, key: Key, answer: &Answer) {
        if self.time.is_zero() || self.most == 0 || matches!(answer, Answer::Unknown(_)) {
            return;
        }
        let now = Instant::now();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.order.front().is_some_and(|(_, until)| *until <= now || kept.order.len() >= self.most) {
            kept.drop_oldest();
        }
        let until = now + self.time;
        kept.by_key.insert(key, (answer.clone(), until));
        kept.order.push_back((key, until));
    }
}

impl Kept {
    fn drop_oldest(&mut self) {
        let Some((key, until)) = self.order.pop_front() else { return };
        // Two that asked at the same time have both kept it: the later answer stays.
        if self.by_key.get(&key).is_some_and(|(_, later)| *later <= until) {
            self.by_key.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u8) -> Key {
        [number; 32]
    }

    #[tokio::test(start_paused = true)]
    async fn answers_hold_for_their_time_and_the_oldest_makes_room() {
        let answers = Answers::new(Duration::from_secs(10), 2);
        answers.keep(key(1), &Answer::Allowed);
        tokio::time::advance(Duration::from_secs(5)).await;
        answers.keep(key(2), &Answer::Refused(StatusCode::FORBIDDEN, None));
        assert_eq!(answers.find(&key(1)), Some(Answer::Allowed));
        answers.keep(key(3), &Answer::Allowed);
        assert_eq!((answers.find(&key(1)), answers.find(&key(3))), (None, Some(Answer::Allowed)));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(answers.find(&key(3)), None);
        answers.keep(key(4), &Answer::Allowed);
        assert_eq!(answers.kept.lock().unwrap().by_key.len(), 1, "what holds no more makes room");
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_answered_is_not_kept_and_no_time_keeps_nothing() {
        let answers = Answers::new(Duration::from_secs(10), 2);
        answers.keep(key(1), &Answer::Unknown(String::new()));
        assert_eq!(answers.find(&key(1)), None);
        let answers = Answers::new(Duration::ZERO, 2);
        answers.keep(key(1), &Answer::Allowed);
        assert_eq!(answers.find(&key(1)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_answer_to_the_same_question_outlives_the_first() {
        let answers = Answers::new(Duration::from_secs(10), 4);
        answers.keep(key(1), &Answer::Allowed);
        tokio::time::advance(Duration::from_secs(6)).await;
        answers.keep(key(1), &Answer::Allowed);
        tokio::time::advance(Duration::from_secs(6)).await;
        answers.keep(key(2), &Answer::Allowed);
        assert_eq!(answers.find(&key(1)), Some(Answer::Allowed));
    }
}
