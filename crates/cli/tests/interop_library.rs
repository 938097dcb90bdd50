//! The library's handles against servers that others wrote: aiokdb's, and one whose bytes KX's own C
//! library makes. Skipped, with a word about it, unless `HOPEN_INTEROP_PYTHON` names a Python that
//! has them; `.ci/run` sets one up.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod peers;
#[cfg(test)]
mod python;

use std::cell::RefCell;
use std::thread;
use std::time::Duration;

use hopen_blocking::{Error, Handle, Phase, hopen};
use hopen_codec::strategy;
use hopen_codec::sym;
use hopen_codec::value::{FunctionRef, Value, ValueRef, ValueType};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use peers::Peer;

const AIOKDB: &str = "aiokdb_server.py";
const KX: &str = "kx_server.py";

#[test]
fn answers_are_values() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let mut handle = open(&peer);
        for (query, answer) in [
            ("til 5", Value::from([0_i64, 1, 2, 3, 4])),
            ("2+3", Value::from(5_i64)),
            ("`abc", sym!("abc").into()),
            ("\"text\"", "text".into()),
            ("::", Value::IDENTITY),
        ] {
            assert_eq!(handle.get(query).unwrap(), answer, "{script}: {query}");
        }
        let five: i64 = handle.get("2+3").unwrap().to().unwrap();
        assert_eq!(five, 5, "{script}");
        let table = handle.get("t").unwrap();
        assert_eq!(table.value_type(), ValueType::TABLE, "{script}");
        let Value::Table(table) = table else {
            panic!("{script}: its type says that it is one");
        };
        assert_eq!(table.as_ref().rows(), Ok(2), "{script}");
        assert_eq!(handle.close(), 0, "{script}");
    }
}

#[test]
fn a_port_is_a_handle_too() {
    let Some(peer) = Peer::start(AIOKDB, &[]) else {
        return;
    };
    let mut handle = hopen((peer.port(), PATIENCE)).unwrap();
    assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64));
}

#[test]
fn an_error_is_remote_and_the_handle_goes_on() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let mut handle = open(&peer);
        for _ in 0..2 {
            let error = handle.get("nosuch").unwrap_err();
            assert!(matches!(error, Error::Remote(_)), "{script}: {error:?}");
            assert_eq!(error.to_string(), "nosuch", "{script}");
            assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64), "{script}");
        }
    }
}

#[test]
fn what_is_set_arrives_in_order_and_before_what_is_got() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let mut handle = open(&peer);
        for number in 0..100 {
            handle.set(format!("n:{number}")).unwrap();
        }
        handle.get("2+3").unwrap();
        for number in 0..100 {
            assert_eq!(message(&peer), format!("async n:{number}"), "{script}");
        }
        handle.set("last").unwrap();
        handle.finish(PATIENCE).unwrap();
        assert_eq!(message(&peer), "async last", "{script}");
    }
}

#[test]
fn what_is_pushed_before_the_answer_is_kept_for_recv() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let mut handle = open(&peer);
        for _ in 0..3 {
            assert_eq!(
                handle.get("push then 2+3").unwrap(),
                Value::from(5_i64),
                "{script}"
            );
        }
        for _ in 0..3 {
            assert_eq!(handle.recv().unwrap(), Value::from("news"), "{script}");
        }
        let nothing = handle.recv_timeout(MOMENT).unwrap_err();
        assert!(
            matches!(nothing, Error::Timeout(Phase::Message)),
            "{script}: {nothing:?}"
        );
        assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64), "{script}");
    }
}

#[test]
fn an_answer_that_never_comes_is_waited_for_before_the_next_question() {
    let Some(peer) = Peer::start(KX, &[]) else {
        return;
    };
    let mut handle = open(&peer);
    let error = handle.get_timeout("never", MOMENT).unwrap_err();
    assert!(
        matches!(error, Error::Timeout(Phase::Response)),
        "{error:?}"
    );
    for _ in 0..2 {
        let error = handle.get_timeout("2+3", MOMENT).unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Phase::EarlierResponse)),
            "{error:?}"
        );
    }
    // Nothing keeps an async message back.
    handle.set("a:1").unwrap();
    handle.flush().unwrap();
    assert_eq!(message(&peer), "async a:1");
}

#[test]
fn an_answer_in_time_needs_no_more_than_that() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let answer = open(&peer).get_timeout("2+3", PATIENCE);
        assert_eq!(answer.unwrap(), Value::from(5_i64), "{script}");
    }
}

#[test]
fn logins_are_accepted_refused_or_time_out() {
    let Some(peer) = Peer::start(AIOKDB, &["--password", "word"]) else {
        return;
    };
    assert!(hopen((peer.handle(":ann:word"), PATIENCE)).is_ok());
    for credentials in [":ann:wrong", ":ann:", ":ann", ""] {
        let error = hopen((peer.handle(credentials), PATIENCE)).unwrap_err();
        assert!(matches!(error, Error::Access), "{credentials}: {error:?}");
    }
    let silent = Peer::start(KX, &["--silent"]).expect("the other one has started");
    let error = hopen((silent.handle(""), MOMENT)).unwrap_err();
    assert!(matches!(error, Error::Timeout(Phase::Login)), "{error:?}");
}

#[test]
fn four_threads_share_a_handle_and_each_gets_its_answers() {
    for script in [AIOKDB, KX] {
        let Some(peer) = Peer::start(script, &[]) else {
            return;
        };
        let (handle, driver) = open(&peer).into_shared();
        let driver = thread::spawn(move || driver.run());
        let threads: Vec<_> = [
            ("2+3", Value::from(5_i64)),
            ("-2+3", Value::from(1_i64)),
            ("`abc", sym!("abc").into()),
            ("push then 2+3", Value::from(5_i64)),
        ]
        .into_iter()
        .map(|(query, answer)| {
            let handle = handle.clone();
            thread::spawn(move || {
                for _ in 0..ROUNDS {
                    assert_eq!(handle.get(query).unwrap(), answer, "{query}");
                    let error = handle.get("nosuch").unwrap_err();
                    assert_eq!(error.to_string(), "nosuch", "{query}");
                }
            })
        })
        .collect();
        for thread in threads {
            thread.join().expect("it gets its own answers");
        }
        for _ in 0..ROUNDS {
            assert_eq!(handle.recv().unwrap(), Value::from("news"), "{script}");
        }
        drop(handle);
        driver.join().expect("it does not panic").unwrap();
    }
}

#[test]
fn kxs_library_reads_and_writes_again_what_we_send() {
    let Some(peer) = Peer::start(KX, &["--reply", "6"]) else {
        return;
    };
    let handle = RefCell::new(open(&peer));
    let mut runner = TestRunner::new(Config {
        // Its file would be named after the source, which it does not know here.
        failure_persistence: None,
        ..Config::with_cases(512)
    });
    let values = strategy::value(3, 4).prop_filter("the server reads it otherwise", is_echoed);
    runner
        .run(&values, |value| {
            let answer = handle.borrow_mut().get(&value);
            let answer = answer.map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(answer, value);
            Ok(())
        })
        .unwrap();
}

/// Whether the server echoes a value: a text is a query to it. KX's library reads a lambda as its text
/// and no table that has no columns or has them elsewhere, and it crashes where it writes the last of
/// the functions that it accepts.
fn is_echoed(value: &Value) -> bool {
    value.to::<&[u8]>().is_err()
        && value.as_ref().walk().all(|(_, inside)| match inside {
            ValueRef::Function(FunctionRef::Lambda(_)) => false,
            ValueRef::Function(FunctionRef::Unary(unary)) => !(42..=44).contains(&unary.code()),
            ValueRef::Function(FunctionRef::Binary(binary)) => binary.code() < 35,
            ValueRef::Table(table) => table.columns().len() > 0,
            ValueRef::Atom(_)
            | ValueRef::Vector(_)
            | ValueRef::List(_)
            | ValueRef::Dict(_)
            | ValueRef::Function(_)
            | _ => true,
        })
}

/// Returns what the peer says of the next async message.
fn message(peer: &Peer) -> String {
    let line = peer.line();
    if line.starts_with("login ") {
        peer.line()
    } else {
        line
    }
}

fn open(peer: &Peer) -> Handle {
    hopen((peer.handle(""), PATIENCE)).expect("it listens")
}

/// How often each of several threads asks.
const ROUNDS: usize = 100;

/// How long to wait for what never comes: longer than a busy machine takes to begin.
const MOMENT: Duration = Duration::from_millis(200);

/// How long a peer may take, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(60);
