//! What `hopen serve` lets one query, and all names, take, asked for by a client of a real process:
//! an error comes back and the next query is answered. And how deep `hopen` prints an answer. The
//! table is in docs/security.md.

#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)]
mod server;
#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)]
mod serving;

use hopen_blocking::{Error, Handle};
use hopen_codec::value::Value;

use program::hopen;
use server::{Server, long};
use serving::Serving;

#[test]
fn a_query_is_no_longer_or_deeper_than_it_may_be() {
    let serving = Serving::start(&[]);
    let mut handle = open(&serving);
    let nested = |levels: usize| ["(".repeat(levels), ")".repeat(levels)].join("1");
    answers(
        &mut handle,
        &[" ".repeat(MEBIBYTE - 1).as_str(), "1"].concat(),
        1,
    );
    signals(
        &mut handle,
        &[" ".repeat(MEBIBYTE).as_str(), "1"].concat(),
        "limit",
    );
    answers(&mut handle, &nested(100), 1);
    signals(&mut handle, &nested(101), "limit");
    signals(&mut handle, &nested(MEBIBYTE / 2 - 1), "limit");
}

#[test]
fn a_query_makes_no_more_items_and_bytes_than_it_may() {
    let serving = Serving::start(&[]);
    let mut handle = open(&serving);
    assert_eq!(handle.get("a:til 10000000").expect("room"), Value::IDENTITY);
    answers(&mut handle, "count a", 10_000_000);
    signals(&mut handle, "til 10000001", "limit");
    signals(&mut handle, "til 0W", "limit");
    // A list pays for what it holds, 80 MB each time: the fourteenth goes beyond 1 GiB.
    let lists = format!("count ({})", vec!["a"; 14].join(";"));
    signals(&mut handle, &lists, "wsfull");
    // That, the name and its copy.
    #[cfg(target_os = "linux")]
    assert!(serving.peak_memory() < 1024 * MEBIBYTE + 2 * 80_000_000 + SELF);
}

#[test]
fn all_names_take_no_more_than_they_may() {
    let serving = Serving::start(&[]);
    let mut handle = open(&serving);
    // `trade` is one of them.
    for n in 1..1000 {
        assert_eq!(
            handle.get(format!("a{n}:1").as_str()).expect("a place"),
            Value::IDENTITY
        );
    }
    signals(&mut handle, "b:1", "limit");
    // 80 MB each.
    for n in 1..=3 {
        handle
            .get(format!("a{n}:til 10000000").as_str())
            .expect("room");
    }
    signals(&mut handle, "a4:til 10000000", "wsfull");
    answers(&mut handle, "a4", 1);
    answers(&mut handle, "count a3", 10_000_000);
    // The names, what is to be one, and its copy.
    #[cfg(target_os = "linux")]
    assert!(serving.peak_memory() < 256 * MEBIBYTE + 2 * 80_000_000 + SELF);
}

#[test]
fn an_answer_of_any_depth_is_printed_to_a_thousand_levels() {
    let deep = [&b"\0\0\x01\0\0\0".repeat(1_000_000)[..], b"\xff\x01"].concat();
    let server = Server::start(move |peer| {
        peer.accept();
        peer.answer(&deep);
        peer.answer(&long(5));
    });
    let outcome = hopen(&[&server.handle(""), "deep", "2+3"], "");
    server.seen();
    assert_eq!((outcome.code, &*outcome.stderr), (Some(0), ""));
    let (deep, rest) = outcome.stdout.split_once('\n').expect("a line");
    assert_eq!(rest, "5\n");
    assert_eq!(deep, format!("{}..", ",".repeat(1000)));
}

/// Asks for a long.
#[track_caller]
fn answers(handle: &mut Handle, query: &str, answer: i64) {
    let found = handle.get(query).expect("an answer");
    assert_eq!(found, Value::from(answer));
}

/// Asks for an error, and for something else after it.
#[track_caller]
fn signals(handle: &mut Handle, query: &str, error: &str) {
    match handle.get(query) {
        Err(Error::Remote(found)) => assert_eq!(found.to_string(), error),
        other => panic!("{other:?} instead of {error}"),
    }
    answers(handle, "2+3", 5);
}

fn open(serving: &Serving) -> Handle {
    hopen_blocking::hopen(serving.handle("").as_str()).expect("it listens")
}

/// What a process takes that has done nothing, and some more.
#[cfg(target_os = "linux")]
const SELF: usize = 64 * MEBIBYTE;

const MEBIBYTE: usize = 1024 * 1024;
