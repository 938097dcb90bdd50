//! That checking a body takes steps in proportion to its bytes, whatever they are. Steps are counted,
//! not timed: one for each object, and one for each byte behind its start that is looked at.

use std::cell::Cell;

use proptest::prelude::*;

use super::check;
use crate::byte_order::ByteOrder;
use crate::message::Body;
use crate::strategy;

thread_local! {
    static STEPS: Cell<usize> = const { Cell::new(0) };
}

/// Counts so many steps.
pub(super) fn look_at(count: usize) {
    STEPS.set(STEPS.get() + count);
}

#[test]
fn a_value_of_any_shape_takes_no_more_steps_than_it_has_bytes() {
    let shapes: [(&str, Shape); 17] = [
        ("lists in lists", |n| {
            [LIST_OF_ONE.repeat(n), list(0, b"")].concat()
        }),
        ("empty lists", |n| list(n, b"\0\0\0\0\0\0")),
        ("empty vectors", |n| list(n, b"\x06\0\0\0\0\0")),
        ("wide empty vectors", |n| {
            list(n, b"\x06\x80\0\0\0\0\0\0\0\0")
        }),
        ("tiny vectors", |n| list(n, b"\x0a\0\x01\0\0\0a")),
        ("empty symbol vectors", |n| list(n, b"\x0b\0\0\0\0\0")),
        ("boolean vectors", |n| list(n, b"\x01\0\x02\0\0\0\0\x01")),
        ("empty symbols", |n| list(n, b"\xf5\0")),
        ("booleans", |n| list(n, b"\xff\x01")),
        ("primitives", |n| list(n, b"\x65\0")),
        ("lambdas", |n| list(n, b"\x64\0\x0a\0\0\0\0\0")),
        ("iterators", |n| {
            [b"\x6a".repeat(n), b"\xff\x01".to_vec()].concat()
        }),
        ("projections", |n| {
            [b"\x68\x01\0\0\0".repeat(n), b"\xff\x01".to_vec()].concat()
        }),
        ("dictionaries in dictionaries", |n| {
            [b"\x63\xff\0".repeat(n), b"\xff\x01".to_vec()].concat()
        }),
        ("tables without columns", |n| {
            list(n, b"\x62\0\x63\x0b\0\0\0\0\0\0\0\0\0\0\0")
        }),
        ("a symbol vector", |n| vector(11, n, &vec![0; n])),
        ("a boolean vector", |n| vector(1, n, &vec![1; n])),
    ];
    for (name, shape) in shapes {
        let steps = |count| {
            let body = shape(count);
            let steps = steps(&body);
            assert!(steps.is_value, "{name}");
            assert!(steps.count <= body.len(), "{name}: {} steps", steps.count);
            steps.count
        };
        let [one, two, four] = [1_000, 2_000, 4_000].map(steps);
        assert_eq!(four - two, 2 * (two - one), "{name}");
        assert!(steps(100_000) >= 100_000, "{name}: this counts nothing");
    }
}

#[test]
fn a_body_that_is_refused_takes_its_rest_once_more_at_most() {
    let shapes: [(&str, Shape); 8] = [
        ("open lists", |n| b"\0\0\x02\0\0\0".repeat(n)),
        ("open dictionaries", |n| b"\x63".repeat(n)),
        ("open projections", |n| b"\x68\x02\0\0\0".repeat(n)),
        ("a count of all bytes", |n| {
            vector(0, 2 * n, &vec![0x65; 4 * n])
        }),
        ("a name without an end", |n| {
            [b"\xf5".to_vec(), vec![b'a'; n]].concat()
        }),
        ("symbols, and one without an end", |n| {
            [
                &vector(0, n + 1, &b"\xf5\0".repeat(n))[..],
                b"\xf5",
                &vec![b'a'; 2 * n],
            ]
            .concat()
        }),
        ("a symbol vector that lacks one", |n| {
            vector(11, n + 1, &[vec![b'a'], vec![0; n]].concat())
        }),
        ("a boolean vector with a wrong end", |n| {
            vector(1, n + 1, &[vec![1; n], vec![2]].concat())
        }),
    ];
    for (name, shape) in shapes {
        for count in [1_000, 2_000, 4_000, 100_000] {
            let body = shape(count);
            let steps = steps(&body);
            assert!(!steps.is_value, "{name}");
            let most = 2 * body.len() + 1;
            assert!(steps.count <= most, "{name}: {} steps", steps.count);
        }
    }
}

proptest! {
    #[test]
    fn whatever_comes_takes_steps_in_proportion(
        body in (strategy::value(4, 6), strategy::byte_order()).prop_flat_map(|(value, order)| {
            let body = Body::encode_in(&value, order).expect("a value");
            (strategy::mutated(body.chunks().concat()), Just(order))
        }),
    ) {
        let (body, order) = body;
        STEPS.set(0);
        let most = match check(&body, order) {
            Ok(_) => body.len(),
            Err(_) => 2 * body.len() + 1,
        };
        prop_assert!(STEPS.get() <= most);
    }
}

/// A body of a shape, with so many of what it is made of.
type Shape = fn(usize) -> Vec<u8>;

struct Steps {
    is_value: bool,
    count: usize,
}

fn steps(body: &[u8]) -> Steps {
    STEPS.set(0);
    let is_value = check(body, ByteOrder::Little).is_ok();
    let count = STEPS.get();
    Steps { is_value, count }
}

/// A list of so many of the same.
fn list(count: usize, item: &[u8]) -> Vec<u8> {
    vector(0, count, &item.repeat(count))
}

fn vector(code: u8, count: usize, items: &[u8]) -> Vec<u8> {
    let count = u32::try_from(count).expect("few");
    [&[code, 0][..], &count.to_le_bytes(), items].concat()
}

const LIST_OF_ONE: &[u8] = b"\0\0\x01\0\0\0";
