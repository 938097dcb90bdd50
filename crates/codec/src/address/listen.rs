//! What a process listens on, as `\p` and `-p` of q take it.

use core::error;
use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{tag, take_while1};
use nom::character::complete::char;
use nom::combinator::{opt, rest, verify};
use nom::sequence::{delimited, terminated};
use nom::{IResult, Parser};

use super::{escape, is_number};

/// What a process listens on: interfaces and a TCP port.
///
/// ```text
/// port               on all interfaces
/// host:port          on those of a name or address
/// [::1]:port         on an IPv6 address, which q does not know
/// 0W                 as the port: any that is free
/// ```
///
/// The port is a number up to 65535. 0 is another way to say `0W`, as it is for sockets; to q's
/// `\p` it means to stop listening, which is no address. Printed, an address reads as it was
/// written, and a port of 0 as `0W`. What else q takes is refused by name: `rp,` for a port that is
/// shared, `lo/hi` for a range of ports, a negative one for a thread for each connection, a service
/// for the port.
///
/// ```
/// use hopen_codec::address::ListenAddress;
///
/// let local: ListenAddress = "localhost:5010".parse()?;
/// assert_eq!((local.host.as_deref(), local.port), (Some("localhost"), 5010));
///
/// let any: ListenAddress = "0W".parse()?;
/// assert_eq!((any.host, any.port), (None, 0));
/// # Ok::<(), hopen_codec::address::ListenAddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenAddress {
    /// A name or an address, an IPv6 address without its brackets; none for all interfaces.
    pub host: Option<String>,
    /// The port; 0 for any that is free.
    pub port: u16,
}

impl From<u16> for ListenAddress {
    /// A port of all interfaces, as in `\p 5010`; 0 for any that is free.
    fn from(port: u16) -> Self {
        Self { host: None, port }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let malformed = || ListenAddressError::Malformed { text: text.into() };
        let (_, spelling) = spelling(text).map_err(|_| malformed())?;
        if spelling.shares {
            return Err(ListenAddressError::SharedPort);
        }
        if spelling.port.contains([':', '[', ']']) {
            return Err(malformed());
        }
        Ok(Self {
            host: spelling.host.map(Into::into),
            port: port_number(spelling.port)?,
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
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{}]:", escape(host))?,
            Some(host) => write!(f, "{}:", escape(host))?,
            None => {}
        }
        match self.port {
            0 => f.write_str(ANY_PORT),
            port => port.fmt(f),
        }
    }
}

/// Why a text does not say what to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddressError {
    /// It is not of the form `[HOST:]PORT`.
    Malformed {
        /// The text.
        text: Box<str>,
    },
    /// The port is no number from 0 to 65535 and not `0W`.
    Port {
        /// What stands there.
        port: Box<str>,
    },
    /// A name stands where the port should be: that of a service, which q looks up.
    Service {
        /// The name.
        name: Box<str>,
    },
    /// `rp,`: a port that several processes listen on.
    SharedPort,
    /// `lo/hi`: a free port out of a range.
    Range {
        /// The range.
        range: Box<str>,
    },
    /// A negative port: a thread for each connection.
    Multithreaded {
        /// The port, with its sign.
        port: Box<str>,
    },
}

impl fmt::Display for ListenAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { text } => write!(
                f,
                "cannot listen on {}: write PORT, HOST:PORT or [IPV6]:PORT",
                escape(text)
            ),
            Self::Port { port } => write!(
                f,
                "the port is {}, not a number from 0 to 65535 or 0W",
                escape(port)
            ),
            Self::Service { name } => write!(
                f,
                "{} is no port, and names of services are not supported: write a number or 0W",
                escape(name)
            ),
            Self::SharedPort => f.write_str("rp, (a shared port) is not supported yet"),
            Self::Range { range } => {
                write!(
                    f,
                    "{} (a range of ports) is not supported yet",
                    escape(range)
                )
            }
            Self::Multithreaded { port } => write!(
                f,
                "{} (a negative port, for multithreaded input) is not supported yet",
                escape(port)
            ),
        }
    }
}

impl error::Error for ListenAddressError {}

/// The parts of what to listen on.
struct Spelling<'a> {
    shares: bool,
    host: Option<&'a str>,
    port: &'a str,
}

/// Takes `[rp,][host:]port` apart. A host that is no host stays with the port.
fn spelling(text: &str) -> IResult<&str, Spelling<'_>> {
    let plain = take_while1(is_of_a_name);
    let address = verify(
        take_while1(|c| is_of_a_name(c) || matches!(c, ':' | '%')),
        |address: &str| address.contains(':'),
    );
    let host = alt((delimited(char('['), address, char(']')), plain));
    (opt(tag("rp,")), opt(terminated(host, char(':'))), rest)
        .map(|(shares, host, port)| Spelling {
            shares: shares.is_some(),
            host,
            port,
        })
        .parse(text)
}

fn port_number(text: &str) -> Result<u16, ListenAddressError> {
    if text == ANY_PORT {
        return Ok(0);
    }
    if is_number(text) {
        return text
            .parse()
            .map_err(|_| ListenAddressError::Port { port: text.into() });
    }
    Err(explain(text))
}

/// Finds out what q would take a text for where the port should be.
fn explain(text: &str) -> ListenAddressError {
    if let Some(number) = text.strip_prefix('-')
        && is_number(number)
    {
        return ListenAddressError::Multithreaded { port: text.into() };
    }
    if let Some((low, high)) = text.split_once('/')
        && is_port(low)
        && is_port(high)
    {
        return ListenAddressError::Range { range: text.into() };
    }
    if is_port(text) {
        return ListenAddressError::Service { name: text.into() };
    }
    ListenAddressError::Port { port: text.into() }
}

/// Returns whether a text may be a number or the name of a service.
fn is_port(text: &str) -> bool {
    text.starts_with(char::is_alphanumeric) && text.chars().all(is_of_a_name)
}

/// Returns whether a character may be in the name of a host, which may be international, or of a
/// service.
fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '-' | '_')
}

const ANY_PORT: &str = "0W";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_a_process_listens_on_is_read() {
        for (text, host, port, printed) in [
            ("5010", None, 5010, "5010"),
            ("1", None, 1, "1"),
            ("65535", None, 65535, "65535"),
            ("0W", None, 0, "0W"),
            ("0", None, 0, "0W"),
            ("05010", None, 5010, "5010"),
            ("localhost:5010", Some("localhost"), 5010, "localhost:5010"),
            ("127.0.0.1:0W", Some("127.0.0.1"), 0, "127.0.0.1:0W"),
            ("127.0.0.1:0", Some("127.0.0.1"), 0, "127.0.0.1:0W"),
            (
                "a_b-c.example:1",
                Some("a_b-c.example"),
                1,
                "a_b-c.example:1",
            ),
            (
                "bücher.example:1",
                Some("bücher.example"),
                1,
                "bücher.example:1",
            ),
            ("5010:5011", Some("5010"), 5011, "5010:5011"),
            ("[::1]:5010", Some("::1"), 5010, "[::1]:5010"),
            ("[::]:0W", Some("::"), 0, "[::]:0W"),
            (
                "[fe80::1%eth0]:1",
                Some("fe80::1%eth0"),
                1,
                "[fe80::1%eth0]:1",
            ),
        ] {
            let address: ListenAddress = text.parse().unwrap();
            assert_eq!(
                (address.host.as_deref(), address.port),
                (host, port),
                "{text}"
            );
            assert_eq!(address.to_string(), printed);
        }
        assert_eq!(ListenAddress::from(5010), "5010".parse().unwrap());
        assert_eq!(ListenAddress::from(0), "0W".parse().unwrap());
    }

    #[test]
    fn what_q_takes_and_this_does_not_is_named() {
        for (text, says) in [
            ("rp,5010", "rp, (a shared port) is not supported yet"),
            (
                "rp,localhost:5010",
                "rp, (a shared port) is not supported yet",
            ),
            (
                "5010/5020",
                "5010/5020 (a range of ports) is not supported yet",
            ),
            (
                "h:5010/5020",
                "5010/5020 (a range of ports) is not supported yet",
            ),
            (
                "kdb/5020",
                "kdb/5020 (a range of ports) is not supported yet",
            ),
            (
                "-5010",
                "-5010 (a negative port, for multithreaded input) is not supported yet",
            ),
            (
                "h:-5010",
                "-5010 (a negative port, for multithreaded input) is not supported yet",
            ),
            (
                "kdb",
                "kdb is no port, and names of services are not supported: write a number or 0W",
            ),
            (
                "localhost:kdb",
                "kdb is no port, and names of services are not supported: write a number or 0W",
            ),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert_eq!(error.to_string(), says, "{text}");
        }
    }

    #[test]
    fn a_port_that_is_none_is_shown_without_letting_it_drive_a_terminal() {
        for (text, port) in [
            ("", ""),
            ("h:", ""),
            ("65536", "65536"),
            ("h:99999999999999999999", "99999999999999999999"),
            ("+1", "+1"),
            (" 5010", " 5010"),
            ("--1", "--1"),
            ("-0W", "-0W"),
            ("5010/", "5010/"),
            ("/tmp/kx.5010", "/tmp/kx.5010"),
            ("unix://5010", "//5010"),
            ("50\u{202e}10", "50\\342\\200\\25610"),
            ("50\x1b10", "50\\03310"),
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            let says = format!("the port is {port}, not a number from 0 to 65535 or 0W");
            assert_eq!(error.to_string(), says);
        }
    }

    #[test]
    fn what_is_not_host_and_port_is_refused() {
        for text in [
            ":5010",
            "::5010",
            ":localhost:5010",
            "::1:5010",
            "h:1:2",
            "[::1]",
            "[::1]5010",
            "[]:1",
            "[h]:1",
            "[::1:5010",
            "::1]:5010",
            "a b:1",
            "a,b:1",
            "a/b:1",
            "h%1:1",
            "h\u{200d}:1",
        ] {
            let error = text.parse::<ListenAddress>().unwrap_err();
            assert_eq!(error, ListenAddressError::Malformed { text: text.into() });
        }
        let error = "h\x1b:1".parse::<ListenAddress>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot listen on h\\033:1: write PORT, HOST:PORT or [IPV6]:PORT"
        );
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(
            host in prop::option::of("[a-z0-9._-]{1,12}|[0-9a-f]{0,4}:[0-9a-f:.]{0,20}(%[a-z0-9]{1,4})?"),
            port in prop_oneof![any::<u16>(), Just(0)],
        ) {
            let address = ListenAddress { host, port };
            prop_assert_eq!(address.to_string().parse::<ListenAddress>(), Ok(address));
        }

        #[test]
        fn whatever_is_read_is_printed_so_that_it_reads_back(
            text in "(rp,)?(\\[?[\\PC:%\\[\\]]{0,6}\\]?:)?([0-9]{0,6}|0W|\\PC{0,3})",
        ) {
            if let Ok(address) = text.parse::<ListenAddress>() {
                prop_assert_eq!(address.to_string().parse::<ListenAddress>(), Ok(address));
            }
        }
    }
}
