//! The little of the wire that workloads are built and checked with. Obviously right, not fast.

use std::collections::HashSet;

use super::symbol_sum;

/// A message under construction.
pub(super) struct Builder(Vec<u8>);

impl Builder {
    /// Starts a response, little endian.
    pub(super) fn message() -> Self {
        Self(vec![1, 2, 0, 0, 0, 0, 0, 0])
    }

    pub(super) fn finish(mut self) -> Vec<u8> {
        let length = u32::try_from(self.0.len()).expect("workloads are small");
        self.0[4..8].copy_from_slice(&length.to_le_bytes());
        self.0
    }

    pub(super) fn byte(&mut self, byte: u8) {
        self.0.push(byte);
    }

    pub(super) fn vector(&mut self, kind: u8, count: usize) {
        self.0.extend([kind, 0]);
        self.0.extend((count as u32).to_le_bytes());
    }

    pub(super) fn table(&mut self) {
        self.0.extend([98, 0, 99]);
    }

    pub(super) fn words(&mut self, kind: u8, words: impl IntoIterator<Item = i64>) {
        let start = self.0.len();
        self.vector(kind, 0);
        words
            .into_iter()
            .for_each(|word| self.0.extend(word.to_le_bytes()));
        let count = (self.0.len() - start) / 8;
        self.0[start + 2..start + 6].copy_from_slice(&(count as u32).to_le_bytes());
    }

    pub(super) fn chars(&mut self, chars: &[u8]) {
        self.vector(10, chars.len());
        self.0.extend(chars);
    }

    pub(super) fn symbols<S: AsRef<str>>(&mut self, symbols: impl IntoIterator<Item = S>) {
        let start = self.0.len();
        self.vector(11, 0);
        let mut count = 0_u32;
        for symbol in symbols {
            self.0.extend(symbol.as_ref().as_bytes());
            self.0.push(0);
            count += 1;
        }
        self.0[start + 2..start + 6].copy_from_slice(&count.to_le_bytes());
    }

    pub(super) fn symbol(&mut self, symbol: &str) {
        self.0.push(-11_i8 as u8);
        self.0.extend(symbol.as_bytes());
        self.0.push(0);
    }

    pub(super) fn atom(&mut self, kind: i8, word: i64) {
        self.0.push(kind as u8);
        self.0.extend(word.to_le_bytes());
    }
}

/// Returns the checksum of the object at `at` and where the object ends.
pub(super) fn walk(b: &[u8], at: usize) -> (u64, usize) {
    let word = |at: usize| u64::from_le_bytes(b[at..at + 8].try_into().expect("8 bytes"));
    let symbol = |at: usize| {
        let length = b[at..].iter().position(|byte| *byte == 0).expect("a NUL");
        (symbol_sum(&b[at..at + length]), at + length + 1)
    };
    let sum = |first: usize, count: usize, step: &dyn Fn(usize) -> (u64, usize)| {
        (0..count).fold((0_u64, first), |(sum, at), _| {
            let (more, end) = step(at);
            (sum.wrapping_add(more), end)
        })
    };
    match b[at] as i8 {
        -11 => symbol(at + 1),
        -7 | -9 | -12 => (word(at + 1), at + 9),
        98 => walk(b, at + 2),
        99 => sum(at + 1, 2, &|at| walk(b, at)),
        kind => {
            let count = u32::from_le_bytes(b[at + 2..at + 6].try_into().expect("4 bytes")) as usize;
            match kind {
                0 => sum(at + 6, count, &|at| walk(b, at)),
                11 => sum(at + 6, count, &symbol),
                10 => sum(at + 6, count, &|at| (u64::from(b[at]), at + 1)),
                7 | 9 | 12 => sum(at + 6, count, &|at| (word(at), at + 8)),
                _ => panic!("type {kind} is in no workload"),
            }
        }
    }
}

/// `count` distinct tickers of 3 to 5 letters.
pub(super) fn tickers(count: usize, random: &mut Random) -> Vec<String> {
    let mut seen = HashSet::new();
    let mut names = Vec::with_capacity(count);
    while names.len() < count {
        let length = 3 + random.below(3);
        let name: String = (0..length)
            .map(|_| char::from(b'A' + random.below(26) as u8))
            .collect();
        if seen.insert(name.clone()) {
            names.push(name);
        }
    }
    names
}

/// The same numbers on every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(super) fn below(&mut self, bound: u64) -> usize {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as usize
    }
}
