//! What a process listens on, as `\p` and `-p` of q take it.

use core::fmt;
use core::num::NonZeroU16;
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, rest, verify};
use nom::sequence::{delimited, terminated};
use nom::{IResult, Parser};

use super::escape;

mod error;
mod ports;
#[cfg(test)]
mod tests;

pub use error::ListenAddressError;
pub use ports::{Port, Ports};

/// What a process listens on: interfaces and a TCP port, or several ports to choose from.
///
/// ```text
/// port               on all interfaces
/// host:port          on those of a name or address
/// [::1]:port         on an IPv6 address, which q does not know
/// rp,host:port       beside other processes that do the same, host or not
///
///      5010          as the port: this one
///      kdb           that of a service, which the system knows
///      5010/5020     a free one of these, in random order; either end may be a service
///      0W            any that is free
/// ```
///
/// A number is at most 65535. 0 is another way to say `0W`, as it is for sockets; to q's `\p` it
/// means to stop listening, which is no address. Printed, an address reads as it was written, and a
/// port of 0 as `0W`.
///
/// A negative port, q's multithreaded input, is refused by name. It says how many threads evaluate,
/// not what to listen on, and that is up to the program here.
///
/// ```
/// use hopen_codec::address::{ListenAddress, Ports, Sharing};
///
/// let local: ListenAddress = "localhost:5010".parse()?;
/// assert_eq!((local.sharing, local.host.as_deref()), (Sharing::Exclusive, Some("localhost")));
/// assert_eq!(local, "localhost:05010".parse()?);
///
/// let any: ListenAddress = "rp,0W".parse()?;
/// assert_eq!((any.sharing, any.host, any.ports), (Sharing::Shared, None, Ports::Any));
/// # Ok::<(), hopen_codec::address::ListenAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenAddress {
    /// Whether other processes may listen on the same port.
    pub sharing: Sharing,
    /// A name or an address, an IPv6 address without its brackets; none for all interfaces.
    pub host: Option<String>,
    /// The port, or those to choose from.
    pub ports: Ports,
}

/// Whether several processes listen on one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a transport has to know every kind"
)]
pub enum Sharing {
    /// One process has the port.
    Exclusive,
    /// `rp,`: all that ask for it have the port, and the system hands each connection to one of them
    /// (`SO_REUSEPORT`). Without it in the system there is nothing to do but to fail.
    Shared,
}

impl From<u16> for ListenAddress {
    /// A port of all interfaces, as in `\p 5010`; 0 for any that is free.
    fn from(port: u16) -> Self {
        Self {
            sharing: Sharing::Exclusive,
            host: None,
            ports: NonZeroU16::new(port).map_or(Ports::Any, |port| Ports::One(Port::Number(port))),
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let malformed = || ListenAddressError::Malformed;
        let (_, spelling) = spelling(text).map_err(|_| malformed())?;
        if spelling.ports.contains([':', '[', ']']) || spelling.ports.starts_with('/') {
            return Err(malformed());
        }
        Ok(Self {
            sharing: spelling.sharing,
            host: spelling.host.map(Into::into),
            ports: spelling.ports.parse()?,
        })
    }
}

impl TryFrom<&str> for ListenAddress {
    type Error = ListenAddressError;

    fn try_from(text: &str) -> Result<Self, ListenAddressError> {
        text.parse()
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.sharing {
            Sharing::Exclusive => {}
            Sharing::Shared => f.write_str(SHARED)?,
        }
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{}]:", escape(host))?,
            Some(host) => write!(f, "{}:", escape(host))?,
            None => {}
        }
        fmt::Display::fmt(&self.ports, f)
    }
}

/// The parts of what to listen on.
struct Spelling<'a> {
    sharing: Sharing,
    host: Option<&'a str>,
    ports: &'a str,
}

/// Takes `[rp,][host:]ports` apart. A host that is no host stays with the ports.
fn spelling(text: &str) -> IResult<&str, Spelling<'_>> {
    let plain = take_while1(is_of_a_name);
    let address = verify(
        take_while1(|c| is_of_a_name(c) || matches!(c, ':' | '%')),
        |address: &str| address.contains(':'),
    );
    let host = alt((delimited(char('['), address, char(']')), plain));
    (opt(tag(SHARED)), opt(terminated(host, char(':'))), rest)
        .map(|(shared, host, ports)| Spelling {
            sharing: shared.map_or(Sharing::Exclusive, |_| Sharing::Shared),
            host,
            ports,
        })
        .parse(text)
}

/// Returns whether a character may be in the name of a host, which may be international.
fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

const SHARED: &str = "rp,";
