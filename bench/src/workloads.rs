//! The messages that are measured: the same bytes on every run, and the sum that every subject
//! must arrive at, from a walk that shares no code with any subject.

mod plain;
mod wire;

use wire::{Builder, Random, tickers, walk};

/// One message and what is known about it.
pub struct Workload {
    pub id: &'static str,
    pub title: &'static str,
    pub purpose: Purpose,
    /// A complete plain message, header included.
    pub message: Vec<u8>,
    /// The same message compressed, if compression is what is measured, and if it shrinks enough.
    pub compressed: Option<Vec<u8>>,
    pub checksum: u64,
}

/// What is measured on a workload.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Decoding and encoding.
    Values,
    /// The same, in batches: once takes less than looking at a clock.
    Small,
    Compression,
}

impl Workload {
    /// Returns the message as one that nobody answers.
    pub fn as_async(&self) -> Vec<u8> {
        let mut message = self.message.clone();
        message[1] = 0;
        message
    }

    /// Returns whether the message is a symbol vector and nothing else.
    pub fn is_symbols(&self) -> bool {
        self.message[8] == 11
    }
}

/// All workloads of the codec, in the order in which they are measured.
pub const IDS: [&str; 11] = [
    "W1", "W2", "W3", "W3u", "W4", "W5", "W5t", "W6", "W6x", "W8", "W9",
];

/// Builds the workloads that are wanted. `scale` multiplies the counts.
pub fn all(scale: f64, is_wanted: impl Fn(&str) -> bool) -> Vec<Workload> {
    IDS.into_iter()
        .filter(|id| is_wanted(id))
        .map(|id| build(id, scale))
        .collect()
}

/// Builds one workload.
///
/// # Panics
///
/// Where there is none of this name.
pub fn build(id: &str, scale: f64) -> Workload {
    let count = |full: usize| ((full as f64 * scale) as usize).max(1);
    let mut builder = Builder::message();
    let b = &mut builder;
    let (id, title, purpose) = match id {
        "W0" => {
            b.atom(-7, 42);
            ("W0", "a long", Purpose::Small)
        }
        "W1" => {
            trades(b, count(1_000_000), Trades::AsTheyCome);
            ("W1", "table of 1,000,000 trades", Purpose::Values)
        }
        "W2" => {
            let mut random = Random::new(2);
            b.words(
                9,
                (0..count(10_000_000)).map(|_| float(random.next() as f64 / 1e15)),
            );
            ("W2", "10,000,000 floats", Purpose::Values)
        }
        "W3" => {
            let mut random = Random::new(3);
            let names = tickers(500, &mut random);
            b.symbols((0..count(1_000_000)).map(|_| &names[random.below(500)]));
            ("W3", "1,000,000 symbols, 500 different", Purpose::Values)
        }
        "W3u" => {
            let mut random = Random::new(4);
            b.symbols((0..count(1_000_000)).map(|i| format!("{:x}{i}", random.below(0xfff))));
            ("W3u", "1,000,000 symbols, all different", Purpose::Values)
        }
        "W4" => {
            let mut random = Random::new(5);
            let names = tickers(500, &mut random);
            let updates = count(100_000);
            b.vector(0, updates);
            for i in 0..updates {
                let name = &names[random.below(500)];
                let price = random.below(50_000) as f64 / 100.0;
                update(
                    b,
                    OPEN + i as i64 * 1000,
                    name,
                    price,
                    100 * random.below(50) as i64,
                );
            }
            ("W4", "100,000 updates of atoms", Purpose::Values)
        }
        "W5" => {
            one_row(b);
            ("W5", "update of a table of one row", Purpose::Small)
        }
        "W5t" => {
            update(b, OPEN, "AAPL", 187.25, 100);
            ("W5t", "update of atoms", Purpose::Small)
        }
        "W6" => {
            trades(b, count(1_000_000), Trades::SortedBySymbol);
            ("W6", "trades that compress", Purpose::Compression)
        }
        "W6x" => {
            trades(b, count(1_000_000), Trades::AsTheyCome);
            (
                "W6x",
                "trades that do not compress to half",
                Purpose::Compression,
            )
        }
        "W8" => {
            let mut random = Random::new(8);
            let names = tickers(1000, &mut random);
            b.byte(99);
            b.symbols(&names);
            b.vector(0, names.len());
            let floats = count(1000);
            for _ in 0..names.len() {
                b.words(
                    9,
                    (0..floats).map(|_| float(random.below(1_000_000) as f64 / 100.0)),
                );
            }
            (
                "W8",
                "1000 symbols to vectors of 1000 floats",
                Purpose::Values,
            )
        }
        "W9" => {
            let mut random = Random::new(9);
            let strings = count(200_000);
            b.vector(0, strings);
            for i in 0..strings {
                let digits = random.next() >> (random.below(8) * 8);
                b.chars(format!("order-{i:08}-{digits:x}").as_bytes());
            }
            ("W9", "200,000 short strings", Purpose::Values)
        }
        _ => panic!("there is no workload {id}"),
    };
    let message = builder.finish();
    let (checksum, end) = walk(&message, 8);
    assert_eq!(end, message.len());
    let compressed = match purpose {
        Purpose::Compression => plain::compress(&message),
        Purpose::Values | Purpose::Small => None,
    };
    Workload {
        id,
        title,
        purpose,
        message,
        compressed,
        checksum,
    }
}

/// Returns a message that asks a text.
pub fn question(text: &str) -> Vec<u8> {
    let mut builder = Builder::message();
    builder.chars(text.as_bytes());
    let mut message = builder.finish();
    message[1] = 1;
    message
}

/// Returns a response that is a long.
pub fn answer(long: i64) -> Vec<u8> {
    let mut builder = Builder::message();
    builder.atom(-7, long);
    builder.finish()
}

/// What a symbol adds to the checksum: its length and its first byte.
#[inline]
pub fn symbol_sum(symbol: &[u8]) -> u64 {
    symbol.len() as u64 + symbol.first().map_or(0, |byte| u64::from(*byte))
}

/// 2026.11.20D09:30 as nanoseconds since 2000.01.01.
const OPEN: i64 = 848_482_200_000_000_000;

/// The order of a day's trades.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trades {
    AsTheyCome,
    /// With times in milliseconds and prices in quarters, as in a historical table: about 40%
    /// of it are left by compression.
    SortedBySymbol,
}

fn trades(b: &mut Builder, count: usize, order: Trades) {
    let mut random = Random::new(1);
    let names = tickers(500, &mut random);
    let mut ticks: Vec<i64> = (0..500)
        .map(|_| 1000 + random.below(49_000) as i64)
        .collect();
    let (mut times, mut symbols, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    let (mut sizes, mut conditions) = (Vec::new(), Vec::new());
    let step = 23_400_000_000_000 / count as u64;
    let sorted = order == Trades::SortedBySymbol;
    let mut now = OPEN;
    for i in 0..count {
        now += random.below(2 * step + 1) as i64;
        let name = if sorted {
            i * 500 / count
        } else {
            random.below(500)
        };
        ticks[name] = (ticks[name] + random.below(5) as i64 - 2).max(1);
        times.push(if sorted {
            now / 1_000_000 * 1_000_000
        } else {
            now
        });
        symbols.push(&names[name]);
        prices.push(float(ticks[name] as f64 * if sorted { 0.25 } else { 0.01 }));
        sizes.push(match (sorted, random.below(10)) {
            (true, _) => 100 * (1 + random.below(5) as i64),
            (false, 0..8) => 100 * (1 + random.below(50) as i64),
            (false, _) => 1 + random.below(999) as i64,
        });
        conditions.push(b"@@@@@@FFTIOZ "[random.below(13)]);
    }
    b.table();
    b.symbols(["time", "sym", "price", "size", "cond"]);
    b.vector(0, 5);
    b.words(12, times);
    b.symbols(symbols);
    b.words(9, prices);
    b.words(7, sizes);
    b.chars(&conditions);
}

/// (`upd;`trade;(time;sym;price;size))
fn update(b: &mut Builder, time: i64, name: &str, price: f64, size: i64) {
    b.vector(0, 3);
    b.symbol("upd");
    b.symbol("trade");
    b.vector(0, 4);
    b.atom(-12, time);
    b.symbol(name);
    b.atom(-9, float(price));
    b.atom(-7, size);
}

/// (`upd;`trade;a table of one row)
fn one_row(b: &mut Builder) {
    b.vector(0, 3);
    b.symbol("upd");
    b.symbol("trade");
    b.table();
    b.symbols(["time", "sym", "price", "size", "cond"]);
    b.vector(0, 5);
    b.words(12, [OPEN]);
    b.symbols(["AAPL"]);
    b.words(9, [float(187.25)]);
    b.words(7, [100]);
    b.chars(b"@");
}

fn float(float: f64) -> i64 {
    float.to_bits() as i64
}
