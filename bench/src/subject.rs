//! What a way to hold a value implements to be measured, and the timing loops around it.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// One way to decode a message and to hold what it says.
pub trait Subject {
    type Value;

    fn name(&self) -> &'static str;

    /// Takes the message that the next calls are about, in the form that a caller would have it.
    fn load(&mut self, message: &[u8]);

    fn decode(&self) -> Option<Self::Value>;

    /// Reads every element and adds them up as `workloads` does.
    fn visit(&self, value: &Self::Value) -> u64;

    /// Whether the counting allocator sees what this subject allocates.
    fn is_counted(&self) -> bool {
        true
    }
}

/// What one decode allocated.
#[derive(Clone, Copy)]
pub struct Memory {
    pub peak: u64,
    pub allocations: u64,
}

/// A [`Subject`] of any value type.
pub trait Measured {
    fn title(&self) -> &'static str;
    fn take(&mut self, message: &[u8]);
    fn checksum(&self) -> Option<u64>;
    fn memory(&self) -> Option<Memory>;
    /// Decodes `times` times; the values are dropped off the clock.
    fn decode(&self, times: u32) -> Duration;
    fn decode_drop(&self, times: u32) -> Duration;
    fn decode_visit_drop(&self, times: u32) -> Duration;
}

impl<S: Subject> Measured for S {
    fn title(&self) -> &'static str {
        self.name()
    }

    fn take(&mut self, message: &[u8]) {
        self.load(message);
    }

    fn checksum(&self) -> Option<u64> {
        Some(self.visit(&Subject::decode(self)?))
    }

    fn memory(&self) -> Option<Memory> {
        self.is_counted().then(|| {
            let info = allocation_counter::measure(|| {
                black_box(Subject::decode(self));
            });
            Memory {
                peak: info.bytes_max,
                allocations: info.count_total,
            }
        })
    }

    fn decode(&self, times: u32) -> Duration {
        let mut spent = Duration::ZERO;
        for _ in 0..times {
            let start = Instant::now();
            let value = black_box(Subject::decode(self));
            spent += start.elapsed();
            drop(value);
        }
        spent
    }

    fn decode_drop(&self, times: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            black_box(Subject::decode(black_box(self)));
        }
        start.elapsed()
    }

    fn decode_visit_drop(&self, times: u32) -> Duration {
        let start = Instant::now();
        for _ in 0..times {
            let value = Subject::decode(black_box(self)).expect("checked before");
            black_box(self.visit(&value));
        }
        start.elapsed()
    }
}
