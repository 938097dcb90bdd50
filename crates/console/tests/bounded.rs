//! That a value of any size is shown in the memory that what shows of it takes.
//!
//! The allocator counts for the whole process, so this is one test.

use std::fmt::{self, Write};

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::sym;
use hopen_codec::value::{Char, Dict, Function, Symbol, Symbols, Table, Value, Vector};
use hopen_console::Console;
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

#[test]
fn a_value_of_any_size_is_shown_in_the_memory_of_what_shows() {
    const ROWS: usize = 10_000_000;
    let longs = || Value::from(vec![0_i64; ROWS]);
    let floats = || Value::from(vec![0.5; ROWS]);
    let text = || Value::from(vec![Char(b'x'); ROWS]);
    let name = Symbol::new(vec![b'x'; ROWS]).unwrap();
    let symbols = Symbols::from_iter(vec![sym!("ibm"); ROWS]);
    let table = || {
        Table::new([
            (
                sym!("ticker"),
                Value::Vector(Vector::Symbol(symbols.clone())),
            ),
            (sym!("size"), longs()),
            (sym!("price"), floats()),
        ])
        .unwrap()
    };
    let rows = b"\x0a\0\x02\0\0\0ab".repeat(1_000_000);
    let texts = received(&[b"\0\0\x40\x42\x0f\0", &rows[..]].concat());
    let wide: Vec<Value> = (0..1_000).map(|_| vec![0_i64; 10_000].into()).collect();
    for (value, lines) in [
        (longs(), 1),
        (floats(), 1),
        (text(), 1),
        (name.clone().into(), 1),
        (table().into(), 23),
        (Dict::new(table(), table()).into(), 23),
        (Dict::new(longs(), floats()).into(), 23),
        (texts, 23),
        (Value::List(wide.into()), 23),
        ((text(), name, longs()).into(), 3),
        (Function::lambda(vec![b'x'; ROWS]).into(), 2),
    ] {
        let before = ALLOCATOR.current_usage();
        ALLOCATOR.reset_peak_usage();
        let mut counted = Counted { lines: 0, bytes: 0 };
        write!(counted, "{}", Console::new().show(value.as_ref())).unwrap();
        let took = ALLOCATOR.peak_usage().saturating_sub(before);
        let kind = value.value_type();
        assert_eq!(counted.lines, lines, "{kind}");
        assert!(counted.bytes <= 80 * lines, "{kind}");
        assert!(took <= MOST, "{took} bytes for a {kind}");
    }
}

fn received(body: &[u8]) -> Value {
    let body = Body::from_bytes(body.to_vec().into(), ByteOrder::Little);
    body.decode(&Limits::client())
        .expect("a value")
        .expect("no error")
}

/// Counts what is written, and keeps nothing.
struct Counted {
    lines: usize,
    bytes: usize,
}

impl Write for Counted {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.lines += text.matches('\n').count();
        self.bytes += text.len();
        Ok(())
    }
}

/// 23 lines of 80 columns take 2 KB; those of a column that is being laid out, and the tables of
/// their places, as much again a few times.
const MOST: usize = 32 * 1024;
