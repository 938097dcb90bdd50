//! What a process listens on, as any text.

use std::num::NonZeroU16;

use hopen_codec::address::{ListenAddress, ListenAddressError, Port, Ports, Sharing};

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Ok(text) = str::from_utf8(input) else {
        return;
    };
    match text.parse::<ListenAddress>() {
        Ok(address) => check(&address, text),
        Err(error) => {
            assert!(!error.to_string().contains(char::is_control));
            assert!(!is_plain(text), "{text}: {error}");
        }
    }
}

/// What was read prints so that it reads back, and nothing of it drives a terminal.
fn check(address: &ListenAddress, text: &str) {
    let printed = address.to_string();
    assert!(!printed.contains(char::is_control));
    assert_eq!(printed.parse().as_ref(), Ok(address));
    assert_eq!(address.sharing == Sharing::Shared, text.starts_with("rp,"));
    if let Some(host) = &address.host {
        assert!(text.contains(host.as_str()) && !host.is_empty());
    }

    // A system on which a service has the length of its name for a port.
    let known = |name: &str| -> Result<_, ListenAddressError> {
        Ok(u16::try_from(name.len()).ok().and_then(NonZeroU16::new))
    };
    let number = |port: &Port| match port {
        Port::Number(number) => number.get(),
        Port::Service(name) => u16::try_from(name.len()).unwrap_or(0),
    };
    match (&address.ports, address.ports.numbers(known)) {
        (Ports::Any, numbers) => assert_eq!(numbers, Ok(0..=0)),
        (Ports::One(port), Ok(numbers)) => assert_eq!(numbers, number(port)..=number(port)),
        (Ports::Range { low, high }, Ok(numbers)) => {
            assert_eq!(numbers, number(low)..=number(high));
            assert!(!numbers.is_empty());
        }
        (Ports::Range { low, high }, Err(ListenAddressError::EmptyRange { .. })) => {
            assert!(number(low) > number(high));
        }
        (_, Err(error)) => {
            assert!(matches!(error, ListenAddressError::UnknownService { .. }));
            assert!(text.len() > usize::from(u16::MAX));
        }
    }
}

/// Returns whether a text is one of the forms that need no thought: a port, or two in order.
fn is_plain(text: &str) -> bool {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|_| digits)
    };
    let text = text.strip_prefix("rp,").unwrap_or(text);
    let text = text.strip_prefix("localhost:").unwrap_or(text);
    match text.split_once('/') {
        Some((low, high)) => match (number(low), number(high)) {
            (Some(low), Some(high)) => 0 < low && low <= high,
            _ => false,
        },
        None => text == "0W" || number(text).is_some(),
    }
}
