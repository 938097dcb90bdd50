//! The parts of the view, each against its alternatives. The first of each group is in use.

use crate::measure::{median, time};
use crate::subjects::view::read::ValueRef;
use crate::subjects::view::walk::{self, Order};
use crate::subjects::view::{nul, visit};
use crate::workloads::{self, symbol_sum};
use std::hint::black_box;
use std::time::Instant;

const ROUNDS: usize = 31;

/// A name and what runs under it; all of a group arrive at the same result.
type Contender<'a> = (&'a str, &'a dyn Fn(&[u8]) -> u64);

pub fn print() {
    println!("| group | technique | median | of the first | rate |\n|---|---|--:|--:|--:|");
    for workload in workloads::all() {
        let body = &workload.message[8..];
        match workload.id {
            "W3" => {
                compare("end of 1,000,000 symbols", &body[6..], &ENDS);
                compare("read 1,000,000 symbols", &body[6..], &SYMBOLS);
            }
            "W4" => {
                compare("check 800,000 objects, regular", body, &WALKS);
                compare("read 800,000 objects", body, &READS);
            }
            _ => {}
        }
    }
    compare(
        "check 800,000 objects, random",
        &workloads::random_atoms(800_000),
        &WALKS,
    );
    let five = b"time\0sym\0price\0size\0cond\0\x00\x00\x05\0\0\0\x0c\0";
    compare("end of 5 symbols", five, &FIVE);
}

fn compare(group: &str, bytes: &[u8], contenders: &[Contender<'_>]) {
    let expected = contenders[0].1(bytes);
    let mut samples = vec![Vec::new(); contenders.len()];
    let start = Instant::now();
    black_box(contenders[0].1(black_box(bytes)));
    let times = (2e6 / (start.elapsed().as_nanos() as f64 + 1.0)).clamp(1.0, 10_000.0) as u32;
    for round in 0..ROUNDS {
        for turn in 0..contenders.len() {
            let i = (round + turn) % contenders.len();
            let (name, run) = contenders[i];
            let start = Instant::now();
            for _ in 0..times {
                assert_eq!(
                    black_box(run(black_box(bytes))),
                    expected,
                    "{group}, {name}"
                );
            }
            samples[i].push(start.elapsed().as_nanos() as f64 / f64::from(times));
        }
    }
    for (own, (name, _)) in samples.iter().zip(contenders) {
        let middle = median(own.iter().copied());
        let ratio = median(own.iter().zip(&samples[0]).map(|(own, first)| own / first));
        let rate = bytes.len() as f64 / middle;
        println!(
            "| {group} | {name} | {} | {ratio:.2} | {rate:.2} GB/s |",
            time(middle)
        );
    }
}

const ENDS: [Contender<'_>; 9] = [
    ("nul::nth_end", &|b| {
        nul::nth_end(b, 1_000_000).map_or(0, |end| end as u64)
    }),
    ("2048-byte blocks, 32 lanes", &|b| {
        blocks::<2048, 32>(b, 1_000_000)
    }),
    ("4096-byte blocks, 64 lanes", &|b| {
        blocks::<4096, 64>(b, 1_000_000)
    }),
    ("2048-byte blocks, 16 lanes", &|b| {
        blocks::<2048, 16>(b, 1_000_000)
    }),
    ("64-byte blocks, sum of u8", &|b| narrow::<64>(b, 1_000_000)),
    ("128-byte blocks, sum of u8", &|b| {
        narrow::<128>(b, 1_000_000)
    }),
    ("240-byte blocks, sum of u8", &|b| {
        narrow::<240>(b, 1_000_000)
    }),
    ("memchr_iter, nth", &|b| {
        memchr::memchr_iter(0, b)
            .nth(999_999)
            .map_or(0, |at| at as u64 + 1)
    }),
    ("byte loop", &|b| {
        let mut nuls = b.iter().enumerate().filter(|(_, byte)| **byte == 0);
        nuls.nth(999_999).map_or(0, |(at, _)| at as u64 + 1)
    }),
];

fn blocks<const BLOCK: usize, const LANES: usize>(bytes: &[u8], mut left: usize) -> u64 {
    let mut at = 0;
    while let Some(block) = bytes[at..].first_chunk::<BLOCK>() {
        let mut lanes = [0_u8; LANES];
        for row in block.as_chunks::<LANES>().0 {
            for i in 0..LANES {
                lanes[i] += u8::from(row[i] == 0);
            }
        }
        let count = lanes.iter().map(|lane| usize::from(*lane)).sum();
        if left <= count {
            break;
        }
        left -= count;
        at += BLOCK;
    }
    (at + nul::nth_end(&bytes[at..], left).unwrap_or(0)) as u64
}

fn narrow<const BLOCK: usize>(bytes: &[u8], mut left: usize) -> u64 {
    let mut at = 0;
    while let Some(block) = bytes[at..].first_chunk::<BLOCK>() {
        let count = usize::from(block.iter().map(|byte| u8::from(*byte == 0)).sum::<u8>());
        if left <= count {
            break;
        }
        left -= count;
        at += BLOCK;
    }
    (at + nul::nth_end(&bytes[at..], left).unwrap_or(0)) as u64
}

const FIVE: [Contender<'_>; 4] = [
    ("nul::nth_end", &|b| {
        nul::nth_end(b, 5).map_or(0, |end| end as u64)
    }),
    ("nul::first five times", &|b| {
        (0..5).fold(0, |at, _| at + 1 + nul::first(&b[at..]).unwrap_or(0)) as u64
    }),
    ("memchr five times", &|b| {
        (0..5).fold(0, |at, _| at + 1 + memchr::memchr(0, &b[at..]).unwrap_or(0)) as u64
    }),
    ("byte loop", &|b| {
        let mut nuls = b.iter().enumerate().filter(|(_, byte)| **byte == 0);
        nuls.nth(4).map_or(0, |(at, _)| at as u64 + 1)
    }),
];

const SYMBOLS: [Contender<'_>; 5] = [
    ("nul::Symbols", &|b| {
        nul::Symbols::new(b).map(symbol_sum).sum()
    }),
    ("nul::first each", &|b| each(b, nul::first)),
    ("memchr each", &|b| each(b, |rest| memchr::memchr(0, rest))),
    ("memchr_iter", &|b| {
        let mut start = 0;
        memchr::memchr_iter(0, b).fold(0, |sum, at| {
            let symbol = &b[start..at];
            start = at + 1;
            sum + symbol_sum(symbol)
        })
    }),
    ("byte loop each", &|b| {
        each(b, |rest| rest.iter().position(|byte| *byte == 0))
    }),
];

#[inline(always)]
fn each(mut rest: &[u8], find: impl Fn(&[u8]) -> Option<usize>) -> u64 {
    let mut sum = 0;
    while let Some(length) = find(rest) {
        sum += symbol_sum(&rest[..length]);
        rest = &rest[length + 1..];
    }
    sum
}

const WALKS: [Contender<'_>; 4] = [
    ("walk::check: match on the type", &|b| {
        walk::check(b, black_box(Order::Little)).map_or(0, |()| 1)
    }),
    ("table of sizes for atoms, match for the rest", &|b| {
        table_walk::<false, false>(b)
    }),
    ("8-byte atoms by match, other atoms by table", &|b| {
        table_walk::<false, true>(b)
    }),
    ("the table, symbols by a byte loop", &|b| {
        table_walk::<true, false>(b)
    }),
];

const READS: [Contender<'_>; 4] = [
    (
        "list.iter(), stepping over an item when the next is asked for",
        &|b| visit(ValueRef::first(b, black_box(Order::Little))),
    ),
    ("list.iter(), stepping over an item at once", &|b| {
        visit_settling(ValueRef::first(b, black_box(Order::Little)))
    }),
    ("the first, with a call for every atom", &|b| {
        visit_calling(ValueRef::first(b, black_box(Order::Little)))
    }),
    (
        "walk(): all values depth first, nothing stepped over",
        &|b| {
            ValueRef::walk(b, black_box(Order::Little)).fold(0, |sum, value| match value {
                ValueRef::Atom(_) => sum.wrapping_add(visit(value)),
                _ => sum,
            })
        },
    ),
];

fn visit_settling(value: ValueRef<'_>) -> u64 {
    let ValueRef::List(list) = value else {
        return visit(value);
    };
    let mut sum = 0_u64;
    let mut items = list.iter();
    while let Some(item) = items.next() {
        items.settle();
        sum = sum.wrapping_add(match item {
            ValueRef::List(_) => visit_settling(item),
            _ => visit(item),
        });
    }
    sum
}

#[inline(never)]
fn visit_calling(value: ValueRef<'_>) -> u64 {
    let ValueRef::List(list) = value else {
        return visit(value);
    };
    list.iter()
        .fold(0, |sum, item| sum.wrapping_add(visit_calling(item)))
}

/// Sizes of atoms, type byte included; 0 for all other types.
const SIZES: [u8; 256] = {
    let mut sizes = [0; 256];
    let atoms = [2, 17, 0, 2, 3, 5, 9, 5, 9, 2, 0, 9, 5, 5, 9, 9, 5, 5, 5];
    let mut i = 0;
    while i < atoms.len() {
        sizes[255 - i] = atoms[i];
        i += 1;
    }
    sizes
};

fn table_walk<const BYTES: bool, const LONGS: bool>(b: &[u8]) -> u64 {
    let walk = || -> Option<usize> {
        let (mut at, mut pending) = (0, 1_u64);
        while pending != 0 {
            pending -= 1;
            let kind = *b.get(at)?;
            if LONGS && matches!(kind as i8, -7 | -9 | -12 | -15 | -16) {
                at += 9;
                continue;
            }
            let size = usize::from(SIZES[usize::from(kind)]);
            if size != 0 {
                at += size;
            } else if kind == 0xf5 {
                let rest = b.get(at + 1..)?;
                at += 2 + if BYTES {
                    rest.iter().position(|c| *c == 0)?
                } else {
                    nul::first(rest)?
                };
            } else {
                let head: &[u8; 6] = b.get(at..)?.first_chunk()?;
                if head[0] != 0 || head[1] > 4 {
                    return None;
                }
                pending += u64::from(u32::from_le_bytes([head[2], head[3], head[4], head[5]]));
                at += 6;
            }
        }
        Some(at)
    };
    u64::from(walk() == Some(b.len()))
}
