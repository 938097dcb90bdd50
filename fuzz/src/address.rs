//! A handle: a byte for whether it is a text, a q value or what the strategy makes, and that.

use std::net::Ipv6Addr;

use bytes::Bytes;
use hopen_codec::address::{Address, AddressError, HopenArgument, Target};
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::strategy;
use hopen_codec::value::{Symbol, Value};
use proptest::strategy::{BoxedStrategy, Strategy as _};

use crate::{byte_order, structured};

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((&kind, rest)) = input.split_first() else {
        return;
    };
    match kind & 3 {
        0 | 1 => {
            if let Ok(text) = str::from_utf8(rest) {
                check_text(text);
            }
        }
        2 => {
            let body = Body::from_bytes(Bytes::copy_from_slice(rest), byte_order(kind >> 2));
            if let Ok(Ok(value)) = body.decode(&Limits::server())
                && let Ok(argument) = HopenArgument::try_from(value.as_ref())
            {
                check(&argument);
            }
        }
        _ => {
            thread_local! {
                static TARGETS: BoxedStrategy<Target> = strategy::target().boxed();
            }
            if let Some(target) = TARGETS.with(|targets| structured(targets, rest)) {
                let text = spelled(&target);
                assert_eq!(text.parse().as_ref(), Ok(&target));
                check_text(&text);
            }
        }
    }
}

fn check_text(text: &str) {
    let read = text.parse::<HopenArgument>();
    if let Ok(argument) = &read {
        check(argument);
    }
    check_values(text, read.as_ref().ok());

    // A password is anything: with letters that nothing here has, behind the third colon, no error
    // shows one. Digits may be those of a port.
    let (head, rest) = text.split_at(third_colon(text));
    if head.contains(MARK) {
        return;
    }
    for marks in [
        |c: char| c.is_ascii_alphabetic(),
        |c: char| c.is_alphanumeric(),
    ] {
        let marked = rest.chars().map(|c| if marks(c) { MARK } else { c });
        check_errors(&format!("{head}{}", marked.collect::<String>()));
    }
}

/// Returns where the third colon is, those of `tcps://` and of an IPv6 address in brackets aside.
fn third_colon(text: &str) -> usize {
    let bracketed = text.split_once('[').and_then(|(before, behind)| {
        let (inside, _) = behind.split_once(']')?;
        let address = inside.split('%').next().unwrap_or_default();
        address.parse::<Ipv6Addr>().ok()?;
        Some(before.len()..=before.len() + inside.len())
    });
    let colons = text.match_indices(':').map(|(at, _)| at);
    let colons =
        colons.filter(|at| !text[..*at].ends_with("tcps") || !text[*at..].starts_with("://"));
    let mut colons = colons.filter(|at| !bracketed.as_ref().is_some_and(|all| all.contains(at)));
    colons.nth(2).unwrap_or(text.len())
}

/// What was read prints so that it reads back.
fn check(argument: &HopenArgument) {
    let spelled = spelled(&argument.target);
    assert_eq!(spelled.parse::<Target>().as_ref(), Ok(&argument.target));
    let printed = argument.to_string();
    assert!(!printed.contains(char::is_control));
    if let Target::Process(address) = &argument.target {
        check_secret(argument, address);
    }
    let Some(timeout) = argument.timeout else {
        return;
    };
    let milliseconds = timeout.as_millis();
    assert!(printed.ends_with(&format!(";{milliseconds})")));
    // As a symbol it ends where the blanks begin.
    if spelled.trim() == spelled {
        let again = format!("(`{spelled};{milliseconds})").parse();
        assert_eq!(again.as_ref(), Ok(argument));
    }
    let quoted = spelled.replace('\\', "\\\\").replace('"', "\\\"");
    let again = format!("(\"{quoted}\"; {milliseconds} )").parse();
    assert_eq!(again.as_ref(), Ok(argument));
}

/// What is printed depends on the password in nothing.
fn check_secret(argument: &HopenArgument, address: &Address) {
    let mut twin = address.clone();
    let user = address.credentials.user();
    if address.credentials.password().is_none() {
        return;
    }
    twin.credentials = hopen_codec::auth::Credentials::new(user, "another").expect("no NUL in it");
    let mut other = argument.clone();
    other.target = Target::Process(twin);
    assert_eq!(argument.to_string(), other.to_string());
    assert_eq!(format!("{argument:?}"), format!("{other:?}"));
    for target in [&argument.target, &other.target] {
        let error = target.clone().into_file().expect_err("a process");
        let twin = other.target.clone().into_file().expect_err("a process");
        assert_eq!(error, twin);
    }
}

/// The same handle as a q value is the same.
fn check_values(text: &str, read: Option<&HopenArgument>) {
    let plain = text.parse::<Target>().ok();
    let value = Value::from(text);
    let argument = HopenArgument::try_from(value.as_ref()).ok();
    assert_eq!(argument.map(|argument| argument.target), plain);
    if let Ok(symbol) = Symbol::new(text.as_bytes()) {
        let argument = HopenArgument::try_from(Value::from(symbol).as_ref()).ok();
        assert_eq!(argument.map(|argument| argument.target), plain);
    }
    let with_timeout = Value::from((text, 500_i64));
    let argument = HopenArgument::try_from(with_timeout.as_ref()).ok();
    assert_eq!(argument.map(|argument| argument.target), plain);
    // Only a text can hold a list.
    if plain.is_some() {
        assert_eq!(read.map(|argument| &argument.target), plain.as_ref());
    }
}

/// No error shows what is marked.
fn check_errors(text: &str) {
    let silent = |error: AddressError| {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains(MARK), "{text}: {shown}");
        assert!(!error.to_string().contains(char::is_control));
    };
    text.parse::<HopenArgument>().map_or_else(silent, drop);
    text.parse::<Address>().map_or_else(silent, drop);
    let value = Value::from(text);
    HopenArgument::try_from(value.as_ref()).map_or_else(silent, drop);
    // Of a process the user is shown, which is known to be none of the password.
    if let Ok(target @ (Target::Pipe { .. } | Target::File { .. })) = text.parse::<Target>() {
        target.clone().into_process().map_or_else(silent, drop);
        target.clone().into_pipe().map_or_else(silent, drop);
        target.into_file().map_or_else(silent, drop);
    }
}

/// A handle with its password.
fn spelled(target: &Target) -> String {
    match target {
        Target::Process(address) => {
            let text = address.with_password();
            str::from_utf8(text.expose())
                .expect("it came of a text")
                .to_owned()
        }
        Target::Pipe { path } => format!(":fifo://{path}"),
        Target::File { path } => format!(":{path}"),
    }
}

/// A letter that stands for any of a password.
const MARK: char = 'Ж';
