//! The ports to listen on: one, a range, or any.

use core::fmt;
use core::num::NonZeroU16;
use core::ops::RangeInclusive;
use core::str::FromStr;

use super::ListenAddressError;
use crate::address::{escape, is_number};

/// The port to listen on, or those to choose from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a transport has to know every kind"
)]
pub enum Ports {
    /// `0W`: any that is free. q looks among 32768 to 60999; where the system chooses, it is one of
    /// the system's.
    Any,
    /// `5010`: this one.
    One(Port),
    /// `5010/5020`: a free one of these, which are tried in random order.
    Range {
        /// The lowest.
        low: Port,
        /// The highest.
        high: Port,
    },
}

/// A port by its number or by its service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "q knows no other way to name one")]
pub enum Port {
    /// A number.
    Number(NonZeroU16),
    /// The name of a service over TCP, whose number the system knows, on Unix from `/etc/services`.
    /// It consists of ASCII letters, digits, `.`, `-` and `_`, starts with a letter or a digit, and
    /// has a letter.
    Service(String),
}

impl Ports {
    /// Returns the numbers to choose from; `0..=0` for any that is free, as it is spelt to a socket.
    ///
    /// `service` is what the system knows: it returns the number of a service over TCP, none if there
    /// is no such service, or why that cannot be found out. It is asked for the low end first.
    ///
    /// ```
    /// use std::num::NonZeroU16;
    /// use hopen_codec::address::{ListenAddress, ListenAddressError};
    ///
    /// let numbers = |text: &str| -> Result<_, ListenAddressError> {
    ///     let address: ListenAddress = text.parse()?;
    ///     address.ports.numbers(|name| {
    ///         Ok((name == "kdb").then(|| NonZeroU16::new(5010).expect("it is not 0")))
    ///     })
    /// };
    /// assert_eq!(numbers("localhost:kdb")?, 5010..=5010);
    /// assert_eq!(numbers("kdb/5020")?, 5010..=5020);
    /// assert_eq!(numbers("0W")?, 0..=0);
    /// assert!(numbers("5000/kdbx").is_err() && numbers("5020/kdb").is_err());
    /// # Ok::<(), ListenAddressError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// What `service` fails with; [`UnknownService`](ListenAddressError::UnknownService) where it
    /// knows none of that name; [`EmptyRange`](ListenAddressError::EmptyRange) where the low end is
    /// above the high one.
    pub fn numbers<E>(
        &self,
        mut service: impl FnMut(&str) -> Result<Option<NonZeroU16>, E>,
    ) -> Result<RangeInclusive<u16>, E>
    where
        E: From<ListenAddressError>,
    {
        let mut number = |port: &Port| match port {
            Port::Number(number) => Ok(number.get()),
            Port::Service(name) => match service(name)? {
                Some(number) => Ok(number.get()),
                None => Err(ListenAddressError::UnknownService {
                    name: name.as_str().into(),
                }
                .into()),
            },
        };
        match self {
            Self::Any => Ok(0..=0),
            Self::One(port) => number(port).map(|port| port..=port),
            Self::Range { low, high } => Ok(range(number(low)?, number(high)?)?),
        }
    }
}

impl FromStr for Ports {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        if let Some(positive) = text.strip_prefix('-')
            && unsigned(positive).is_ok()
        {
            return Err(ListenAddressError::Multithreaded { ports: text.into() });
        }
        unsigned(text)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str(ANY),
            Self::One(port) => fmt::Display::fmt(port, f),
            Self::Range { low, high } => write!(f, "{low}/{high}"),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => fmt::Display::fmt(number, f),
            Self::Service(name) => fmt::Display::fmt(&escape(name), f),
        }
    }
}

fn unsigned(text: &str) -> Result<Ports, ListenAddressError> {
    if text == ANY || (is_number(text) && text.parse() == Ok(0_u16)) {
        return Ok(Ports::Any);
    }
    let Some((low, high)) = text.split_once('/') else {
        return port(text)
            .map(Ports::One)
            .ok_or_else(|| ListenAddressError::Port { port: text.into() });
    };
    let end =
        |text: &str| port(text).ok_or_else(|| ListenAddressError::RangeEnd { end: text.into() });
    let (low, high) = (end(low)?, end(high)?);
    if let (Port::Number(low), Port::Number(high)) = (&low, &high) {
        range(low.get(), high.get())?;
    }
    Ok(Ports::Range { low, high })
}

fn port(text: &str) -> Option<Port> {
    if is_number(text) {
        text.parse().ok().map(Port::Number)
    } else {
        is_service(text).then(|| Port::Service(text.into()))
    }
}

fn range(low: u16, high: u16) -> Result<RangeInclusive<u16>, ListenAddressError> {
    if low > high {
        return Err(ListenAddressError::EmptyRange { low, high });
    }
    Ok(low..=high)
}

/// Returns whether a text may be the name of a service, which has a letter
/// ([RFC 6335](https://www.rfc-editor.org/rfc/rfc6335#section-5.1)); the dots and underscores of
/// some are older than that rule. `0W` and q's float of that spelling are not meant for one.
fn is_service(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.contains(|c: char| c.is_ascii_alphabetic())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && !text.eq_ignore_ascii_case(ANY)
}

const ANY: &str = "0W";
