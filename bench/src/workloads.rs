//! The messages that are measured: the same bytes on every run, and the sum that every subject
//! must arrive at, from a walk that shares no code with any subject.

/// One message and what is known about it.
pub struct Workload {
    pub id: &'static str,
    pub title: &'static str,
    /// A complete uncompressed message, header included.
    pub message: Vec<u8>,
    pub checksum: u64,
    /// Small messages are timed in batches.
    pub small: bool,
}

/// Builds all workloads.
pub fn all() -> Vec<Workload> {
    vec![
        workload("W3", "1,000,000 symbols", false, symbols),
        workload("W4", "100,000 updates of atoms", false, updates),
        workload("W5", "one-row table update", true, one_row),
        workload(
            "W8",
            "1000 symbols to vectors of 1000 floats",
            false,
            columns,
        ),
        workload("W9", "200,000 short strings", false, strings),
    ]
}

/// What a symbol adds to the checksum: its length and its first byte.
#[inline]
pub fn symbol_sum(symbol: &[u8]) -> u64 {
    symbol.len() as u64 + symbol.first().map_or(0, |byte| u64::from(*byte))
}

fn workload(
    id: &'static str,
    title: &'static str,
    small: bool,
    fill: fn(&mut Builder),
) -> Workload {
    let mut builder = Builder(vec![1, 2, 0, 0, 0, 0, 0, 0]);
    fill(&mut builder);
    let mut message = builder.0;
    let length = u32::try_from(message.len()).expect("workloads are small");
    message[4..8].copy_from_slice(&length.to_le_bytes());
    let (checksum, end) = walk(&message, 8);
    assert_eq!(end, message.len());
    Workload {
        id,
        title,
        message,
        checksum,
        small,
    }
}

/// 2026.11.20D09:30 as nanoseconds since 2000.01.01.
const OPEN: i64 = 848_482_200_000_000_000;

fn symbols(b: &mut Builder) {
    let mut random = Random(3);
    let names = tickers(500, &mut random);
    let picked: Vec<_> = (0..1_000_000).map(|_| &names[random.below(500)]).collect();
    b.symbols(&picked);
}

fn updates(b: &mut Builder) {
    let mut random = Random(5);
    let names = tickers(500, &mut random);
    b.vector(0, 100_000);
    for i in 0..100_000 {
        let name = names[random.below(500)].as_bytes();
        b.vector(0, 3);
        b.symbol(b"upd");
        b.symbol(b"trade");
        b.vector(0, 4);
        b.atom(-12, OPEN + i * 1000);
        b.symbol(name);
        b.atom(-9, (random.below(50_000) as f64 / 100.0).to_bits() as i64);
        b.atom(-7, 100 * random.below(50) as i64);
    }
}

fn one_row(b: &mut Builder) {
    b.vector(0, 3);
    b.symbol(b"upd");
    b.symbol(b"trade");
    b.0.extend([98, 0, 99]);
    b.symbols(&["time", "sym", "price", "size", "cond"]);
    b.vector(0, 5);
    b.words(12, [OPEN]);
    b.symbols(&["AAPL"]);
    b.words(9, [187.25_f64.to_bits() as i64]);
    b.words(7, [100]);
    b.chars(b"@");
}

fn columns(b: &mut Builder) {
    let mut random = Random(8);
    let names = tickers(1000, &mut random);
    b.0.push(99);
    b.symbols(&names);
    b.vector(0, 1000);
    for _ in 0..1000 {
        let floats = [(); 1000].map(|()| random.below(1_000_000) as f64 / 100.0);
        b.words(9, floats.map(|float| float.to_bits() as i64));
    }
}

fn strings(b: &mut Builder) {
    let mut random = Random(9);
    b.vector(0, 200_000);
    for i in 0..200_000 {
        let digits = random.next() >> (random.below(8) * 8);
        b.chars(format!("order-{i:08}-{digits:x}").as_bytes());
    }
}

/// `n` distinct tickers of 3 to 5 letters.
fn tickers(n: usize, random: &mut Random) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let mut names = Vec::with_capacity(n);
    while names.len() < n {
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

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> usize {
        ((u128::from(self.next()) * u128::from(n)) >> 64) as usize
    }
}

struct Builder(Vec<u8>);

impl Builder {
    fn vector(&mut self, kind: u8, count: usize) {
        self.0.extend([kind, 0]);
        self.0.extend((count as u32).to_le_bytes());
    }

    fn words<const N: usize>(&mut self, kind: u8, words: [i64; N]) {
        self.vector(kind, N);
        words
            .iter()
            .for_each(|word| self.0.extend(word.to_le_bytes()));
    }

    fn chars(&mut self, chars: &[u8]) {
        self.vector(10, chars.len());
        self.0.extend(chars);
    }

    fn symbols<S: AsRef<str>>(&mut self, symbols: &[S]) {
        self.vector(11, symbols.len());
        for symbol in symbols {
            self.0.extend(symbol.as_ref().as_bytes());
            self.0.push(0);
        }
    }

    fn symbol(&mut self, symbol: &[u8]) {
        self.0.push(-11_i8 as u8);
        self.0.extend(symbol);
        self.0.push(0);
    }

    fn atom(&mut self, kind: i8, word: i64) {
        self.0.push(kind as u8);
        self.0.extend(word.to_le_bytes());
    }
}

/// The checksum of the object at `at` and where the object ends. Obviously right, not fast.
fn walk(b: &[u8], at: usize) -> (u64, usize) {
    let word = |at: usize| u64::from_le_bytes(b[at..at + 8].try_into().expect("8 bytes"));
    let symbol = |at: usize| {
        let length = b[at..].iter().position(|byte| *byte == 0).expect("a NUL");
        (symbol_sum(&b[at..at + length]), at + length + 1)
    };
    let both = |first: usize, n: usize, step: &dyn Fn(usize) -> (u64, usize)| {
        (0..n).fold((0_u64, first), |(sum, at), _| {
            let (more, end) = step(at);
            (sum.wrapping_add(more), end)
        })
    };
    match b[at] as i8 {
        -11 => symbol(at + 1),
        -7 | -9 | -12 => (word(at + 1), at + 9),
        98 => walk(b, at + 2),
        99 => both(at + 1, 2, &|at| walk(b, at)),
        kind => {
            let n = u32::from_le_bytes(b[at + 2..at + 6].try_into().expect("4 bytes")) as usize;
            match kind {
                0 => both(at + 6, n, &|at| walk(b, at)),
                11 => both(at + 6, n, &symbol),
                10 => both(at + 6, n, &|at| (u64::from(b[at]), at + 1)),
                7 | 9 | 12 => both(at + 6, n, &|at| (word(at), at + 8)),
                _ => panic!("type {kind} is in no workload"),
            }
        }
    }
}
