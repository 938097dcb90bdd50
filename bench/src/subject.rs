//! What a library implements to be measured, what is measured of it, and the timing loops.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::workloads::{Purpose, Workload};

/// A way to decode and encode messages, or a limit beside which they are seen.
///
/// What a subject cannot do is `None`.
pub trait Subject {
    /// What decoding makes.
    type Value;
    /// What is encoded: a value of the program's own.
    type Own;
    /// What encoding makes.
    type Output;

    fn name(&self) -> &'static str;

    fn rank(&self) -> Rank {
        Rank::Peer
    }

    /// Takes the message that the next calls are about, in the form that a caller would have it.
    fn load(&mut self, workload: &Workload);

    fn decode(&self) -> Option<Self::Value>;

    /// Reads every element and adds them up as `workloads` does.
    fn visit(&self, value: &Self::Value) -> Option<u64>;

    /// Makes the value of the message as a program would have made it.
    fn own(&self) -> Option<Self::Own>;

    fn encode(&self, own: &Self::Own) -> Option<Self::Output>;

    /// As `encode`, of a vector of symbols that the program has: for who keeps symbols otherwise.
    fn encode_symbols(&self) -> Option<Self::Output> {
        None
    }

    /// Encodes to a compressed message, or to a plain one that does not shrink enough.
    fn encode_compressed(&self, _own: &Self::Own) -> Option<Self::Output> {
        None
    }

    /// Returns what was encoded, with or without its header.
    fn bytes(&self, output: &Self::Output) -> Vec<u8>;

    /// Takes a plain message and returns the compressed one or its body; `Some(None)` where it does
    /// not shrink enough.
    fn compress(&self, _message: Vec<u8>) -> Option<Option<Vec<u8>>> {
        None
    }

    /// Takes a compressed message and returns the plain one or its body.
    fn decompress(&self, _message: Vec<u8>) -> Option<Vec<u8>> {
        None
    }

    fn decode_compressed(&self) -> Option<Self::Value> {
        None
    }

    /// Whether the counting allocator sees what this subject allocates.
    fn is_counted(&self) -> bool {
        true
    }
}

/// What a subject is compared as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// No library: the same bytes moved once.
    Limit,
    Peer,
    Ours,
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// From bytes to a value, which is dropped off the clock.
    Decode,
    DecodeDrop,
    DecodeVisitDrop,
    /// From a value to the bytes of a message.
    Encode,
    /// From a vector of symbols of the program's own to the bytes of a message.
    EncodeSymbols,
    Compress,
    Decompress,
    EncodeCompress,
    DecompressDecode,
}

impl Work {
    pub const ALL: [Self; 9] = [
        Self::Decode,
        Self::DecodeDrop,
        Self::DecodeVisitDrop,
        Self::Encode,
        Self::EncodeSymbols,
        Self::Compress,
        Self::Decompress,
        Self::EncodeCompress,
        Self::DecompressDecode,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::DecodeDrop => "decode, drop",
            Self::DecodeVisitDrop => "decode, visit, drop",
            Self::Encode => "encode",
            Self::EncodeSymbols => "encode a vector of symbols",
            Self::Compress => "compress",
            Self::Decompress => "decompress",
            Self::EncodeCompress => "encode, compress",
            Self::DecompressDecode => "decompress, decode",
        }
    }

    /// Returns whether this is measured on a workload.
    pub fn suits(self, workload: &Workload) -> bool {
        match self {
            Self::Decode => workload.purpose == Purpose::Values,
            Self::DecodeDrop => workload.purpose == Purpose::Small,
            Self::DecodeVisitDrop | Self::Encode => workload.purpose != Purpose::Compression,
            Self::EncodeSymbols => workload.is_symbols(),
            Self::Compress | Self::EncodeCompress => workload.purpose == Purpose::Compression,
            Self::Decompress | Self::DecompressDecode => workload.compressed.is_some(),
        }
    }
}

/// What one decode or encode allocated.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    pub peak: u64,
    pub allocations: u64,
}

/// A [`Subject`] of any value type.
pub trait Measured {
    fn title(&self) -> &'static str;
    fn standing(&self) -> Rank;
    fn take(&mut self, workload: &Workload);
    /// Checks that what the subject makes of a workload is right; `Ok(false)` where it does not do
    /// this work.
    fn check(&self, workload: &Workload, work: Work) -> Result<bool, String>;
    fn memory(&self, work: Work) -> Option<Memory>;
    /// Does the work so many times and returns the nanoseconds of one time.
    fn run(&self, workload: &Workload, work: Work, times: u32) -> f64;
}

impl<S: Subject> Measured for S {
    fn title(&self) -> &'static str {
        self.name()
    }

    fn standing(&self) -> Rank {
        self.rank()
    }

    fn take(&mut self, workload: &Workload) {
        self.load(workload);
    }

    fn check(&self, workload: &Workload, work: Work) -> Result<bool, String> {
        let wrong = || {
            format!(
                "{}: {} of {} is wrong",
                self.name(),
                work.title(),
                workload.id
            )
        };
        let right = |is_right: bool| if is_right { Ok(true) } else { Err(wrong()) };
        let expected = workload.compressed.as_ref().unwrap_or(&workload.message);
        let same = |bytes: &[u8], message: &[u8]| {
            bytes == &message[8..] || bytes.get(8..) == Some(&message[8..])
        };
        let sum = |value: Option<S::Value>| value.map(|value| self.visit(&value));
        match work {
            Work::Decode | Work::DecodeDrop => Ok(self.decode().is_some()),
            Work::DecodeVisitDrop => match sum(self.decode()).flatten() {
                None => Ok(false),
                Some(sum) => right(sum == workload.checksum),
            },
            Work::Encode => match self.own().and_then(|own| self.encode(&own)) {
                None => Ok(false),
                Some(output) => right(same(&self.bytes(&output), &workload.message)),
            },
            Work::EncodeSymbols => match self.encode_symbols() {
                None => self.check(workload, Work::Encode),
                Some(output) => right(same(&self.bytes(&output), &workload.message)),
            },
            Work::EncodeCompress => match self.own().and_then(|own| self.encode_compressed(&own)) {
                None => Ok(false),
                Some(output) => right(same(&self.bytes(&output), expected)),
            },
            Work::Compress => match self.compress(workload.message.clone()) {
                None => Ok(self
                    .own()
                    .is_some_and(|own| self.encode_compressed(&own).is_some())),
                Some(None) => right(workload.compressed.is_none()),
                Some(Some(bytes)) => right(
                    workload
                        .compressed
                        .as_ref()
                        .is_some_and(|message| same(&bytes, message)),
                ),
            },
            Work::Decompress => match self.decompress(expected.clone()) {
                None => Ok(self.decode_compressed().is_some() && self.decode().is_some()),
                Some(bytes) => right(same(&bytes, &workload.message)),
            },
            Work::DecompressDecode => match sum(self.decode_compressed()) {
                None => Ok(false),
                Some(sum) => right(sum == Some(workload.checksum)),
            },
        }
    }

    fn memory(&self, work: Work) -> Option<Memory> {
        if !self.is_counted() {
            return None;
        }
        let info = match work {
            Work::Decode | Work::DecodeDrop => allocation_counter::measure(|| {
                black_box(self.decode());
            }),
            Work::Encode => {
                let own = self.own()?;
                allocation_counter::measure(|| {
                    black_box(self.encode(&own));
                })
            }
            _ => return None,
        };
        Some(Memory {
            peak: info.bytes_max,
            allocations: info.count_total,
        })
    }

    fn run(&self, workload: &Workload, work: Work, times: u32) -> f64 {
        let own = || self.own().expect("checked before");
        let spent = match work {
            Work::Decode => apart(times, || (), |()| self.decode()),
            Work::DecodeDrop => together(times, || self.decode()),
            Work::DecodeVisitDrop => together(times, || {
                let value = self.decode().expect("checked before");
                self.visit(&value)
            }),
            Work::Encode if workload.purpose == Purpose::Small => {
                let own = own();
                together(times, || self.encode(&own))
            }
            Work::EncodeSymbols if self.encode_symbols().is_some() => {
                apart(times, || (), |()| self.encode_symbols())
            }
            Work::Encode | Work::EncodeSymbols => {
                let own = own();
                apart(times, || (), |()| self.encode(&own))
            }
            Work::Compress if self.compress(workload.message.clone()).is_some() => apart(
                times,
                || Some(workload.message.clone()),
                |message| self.compress(message.take().expect("one each time")),
            ),
            // Who compresses only as it encodes is timed by difference.
            Work::Compress => {
                let own = own();
                let both = apart(times, || (), |()| self.encode_compressed(&own));
                both.saturating_sub(apart(times, || (), |()| self.encode(&own)))
            }
            Work::Decompress => {
                let compressed = workload.compressed.as_ref().expect("it suits the workload");
                if self.decompress(compressed.clone()).is_some() {
                    apart(
                        times,
                        || Some(compressed.clone()),
                        |message| self.decompress(message.take().expect("one each time")),
                    )
                } else {
                    let both = apart(times, || (), |()| self.decode_compressed());
                    both.saturating_sub(apart(times, || (), |()| self.decode()))
                }
            }
            Work::EncodeCompress => {
                let own = own();
                apart(times, || (), |()| self.encode_compressed(&own))
            }
            Work::DecompressDecode => apart(times, || (), |()| self.decode_compressed()),
        };
        spent.as_nanos() as f64 / f64::from(times)
    }
}

/// Times each call alone, with something that was prepared for it; that, and what is returned, are
/// made and dropped off the clock.
fn apart<P, T>(times: u32, prepare: impl Fn() -> P, mut work: impl FnMut(&mut P) -> T) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let mut prepared = prepare();
        let start = Instant::now();
        let made = black_box(work(&mut prepared));
        spent += start.elapsed();
        drop(made);
    }
    spent
}

/// Times all calls as one, drops included: what takes less than looking at a clock.
fn together<T>(times: u32, mut work: impl FnMut() -> T) -> Duration {
    let start = Instant::now();
    for _ in 0..times {
        black_box(work());
    }
    start.elapsed()
}
