//! How long the other side may stand still in the middle of something.

use std::time::{Duration, Instant};

/// Tells one who goes on slowly from one who has stopped, by the bytes that move on the wire. It has no
/// clock: it is told the time, and a transport waits.
#[derive(Debug)]
pub struct Standstill {
    patience: Duration,
    /// How many bytes had moved when that was looked at last.
    moved: Option<u64>,
    /// By when more have to.
    by: Option<Instant>,
}

impl Standstill {
    /// Lets nothing move for `patience` at most.
    pub const fn new(patience: Duration) -> Self {
        Self {
            patience,
            moved: None,
            by: None,
        }
    }

    /// Is told how many bytes have moved so far, `None` where none have to, and asks for the time if it
    /// needs it. Returns by when there have to be more; `None` is never.
    pub fn by(&mut self, moved: Option<u64>, now: impl FnOnce() -> Instant) -> Option<Instant> {
        if moved != self.moved {
            self.moved = moved;
            // More time than the clock can tell is for ever.
            self.by = moved.and_then(|_| now().checked_add(self.patience));
        }
        self.by
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_byte_gives_the_whole_time_again_and_nothing_else_does() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut standstill = Standstill::new(Duration::from_secs(60));
        assert_eq!(standstill.by(None, || at(0)), None);
        assert_eq!(standstill.by(Some(0), || at(1)), Some(at(61)));
        assert_eq!(standstill.by(Some(0), || at(50)), Some(at(61)));
        assert_eq!(standstill.by(Some(1), || at(60)), Some(at(120)));
        assert_eq!(standstill.by(Some(1), || at(119)), Some(at(120)));
        // It has come to its end, and the next begins with the time of its own.
        assert_eq!(standstill.by(None, || at(119)), None);
        assert_eq!(standstill.by(Some(1), || at(200)), Some(at(260)));
    }

    #[test]
    fn more_time_than_the_clock_can_tell_is_for_ever() {
        let mut standstill = Standstill::new(Duration::MAX);
        assert_eq!(standstill.by(Some(1), Instant::now), None);
    }
}
