//! Handles as q spells them: where to connect, and as whom. And what to listen on.
//!
//! ```text
//! :host:port[:user[:password]]     a process on another host, or on this one
//! ::port[:user[:password]]         a process on this host
//! port                             the same
//! ```
//!
//! The password is all that follows the third colon, colons included. A host that is an IPv6 address
//! stands in brackets, `:[::1]:5010`, which q does not know. Source:
//! [KX, hopen](https://code.kx.com/q/ref/hopen/).
//!
//! ```
//! use hopen_codec::address::{Address, Endpoint};
//!
//! let address: Address = ":prices.example:5010:ann:se:cret".parse()?;
//! assert_eq!(address.endpoint, Endpoint::Tcp { host: "prices.example".into(), port: 5010 });
//! assert_eq!(address.credentials.user(), b"ann");
//! assert_eq!(address.to_string(), ":prices.example:5010:ann"); // never the password
//! # Ok::<(), hopen_codec::address::AddressError>(())
//! ```
//!
//! The other side's, [`ListenAddress`], is what `\p` and `-p` take:
//!
//! ```text
//! [host:]port                      these interfaces, or all; a port of 0W is any free one
//! ```
//!
//! Source: [KX, Listening port](https://code.kx.com/q/basics/listening-port/).

use core::fmt;
use core::str::FromStr;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_till};
use nom::character::complete::char;
use nom::combinator::{opt, rest};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};

use crate::auth::{Credentials, CredentialsError};
use crate::value::SymbolRef;

mod listen;

pub use listen::{ListenAddress, ListenAddressError};

/// Where to connect, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// Where.
    pub endpoint: Endpoint,
    /// As whom; anonymous where the handle names no user.
    pub credentials: Credentials,
}

/// Where a process listens.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a transport has to know every kind"
)]
pub enum Endpoint {
    /// A host and a port; no host is this host.
    Tcp {
        /// A name or an address, an IPv6 address without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Address {
    /// Makes the address of a process, for an anonymous user.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            credentials: Credentials::anonymous(),
        }
    }
}

impl From<u16> for Address {
    /// A port of this host, as in `hopen 5010`.
    fn from(port: u16) -> Self {
        Self::new(Endpoint::Tcp {
            host: String::new(),
            port,
        })
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        if is_number(text) {
            return Ok(Self::from(port_number(text)?));
        }
        if let Ok((_, scheme)) = scheme(text) {
            return Err(AddressError::Scheme {
                scheme: scheme.into(),
            });
        }
        let (_, spelling) = spelling(text).map_err(|_| explain(text))?;
        if spelling.host.is_empty() && !is_number(spelling.port) {
            return Err(explain(text));
        }
        let port = port_number(spelling.port)?;
        let credentials = match (spelling.user, spelling.password) {
            (None, _) => Credentials::anonymous(),
            (Some(user), None) => Credentials::user_only(user)?,
            (Some(user), Some(password)) => Credentials::new(user, password)?,
        };
        Ok(Self {
            endpoint: Endpoint::Tcp {
                host: spelling.host.into(),
                port,
            },
            credentials,
        })
    }
}

impl fmt::Display for Address {
    /// As q spells it, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.endpoint, f)?;
        match self.credentials.user() {
            [] => Ok(()),
            user => write!(f, ":{}", SymbolRef::trusted(user)),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Tcp { host, port } = self;
        if host.contains(':') {
            write!(f, ":[{}]:{port}", escape(host))
        } else {
            write!(f, ":{}:{port}", escape(host))
        }
    }
}

/// Why a text is no handle of a process, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// It does not start with a colon: `localhost:5010`.
    NoColon {
        /// What to write.
        instead: Box<str>,
    },
    /// A colon and a number: to q the name of a file.
    File {
        /// What stands where the host should be.
        name: Box<str>,
    },
    /// Two colons before the host: `::localhost:5010`.
    TwoColons {
        /// What to write.
        instead: Box<str>,
    },
    /// A kind of handle that is not a TCP connection.
    Scheme {
        /// What stands before `://`.
        scheme: Box<str>,
    },
    /// The port is no number from 1 to 65535.
    Port {
        /// What stands there.
        port: Box<str>,
    },
    /// The user or the password cannot be sent.
    Credentials(CredentialsError),
}

impl From<CredentialsError> for AddressError {
    fn from(error: CredentialsError) -> Self {
        Self::Credentials(error)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoColon { instead } => {
                write!(f, "a handle starts with a colon: write {}", escape(instead))
            }
            Self::File { name } if is_number(name) => {
                write!(f, ":{name} names a file in q: for the port write ::{name}")
            }
            Self::File { name } => {
                write!(
                    f,
                    ":{} names a file in q: for a process write :HOST:PORT",
                    escape(name)
                )
            }
            Self::TwoColons { instead } => {
                write!(
                    f,
                    "two colons stand before the host: write {}",
                    escape(instead)
                )
            }
            Self::Scheme { scheme } => {
                write!(
                    f,
                    "{}:// is not supported yet: write :HOST:PORT",
                    escape(scheme)
                )
            }
            Self::Port { port } => {
                write!(
                    f,
                    "the port is {}, not a number from 1 to 65535",
                    escape(port)
                )
            }
            Self::Credentials(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl core::error::Error for AddressError {}

/// The parts of a handle.
struct Spelling<'a> {
    host: &'a str,
    port: &'a str,
    user: Option<&'a str>,
    password: Option<&'a str>,
}

/// Takes `:host:port[:user[:password]]` apart.
fn spelling(text: &str) -> IResult<&str, Spelling<'_>> {
    let bracketed = delimited(char('['), is_not("[]"), char(']'));
    let plain = take_till(|c| matches!(c, ':' | '/' | '[' | ']'));
    let host = preceded(char(':'), alt((bracketed, plain)));
    let port = preceded(char(':'), is_not(":"));
    let user = opt(preceded(char(':'), take_till(|c| c == ':')));
    let password = opt(preceded(char(':'), rest));
    (host, port, user, password)
        .map(|(host, port, user, password)| Spelling {
            host,
            port,
            user,
            password,
        })
        .parse(text)
}

/// Finds out what was meant by a text that is no handle of a process. What it says never holds more
/// than host and port.
fn explain(text: &str) -> AddressError {
    if let Some(rest) = text.strip_prefix("::") {
        let instead = format!(":{}", host_and_port(rest)).into();
        return AddressError::TwoColons { instead };
    }
    match text.strip_prefix(':') {
        Some(name) => AddressError::File {
            name: name.split(':').next().unwrap_or_default().into(),
        },
        None => AddressError::NoColon {
            instead: format!(":{}", host_and_port(text)).into(),
        },
    }
}

fn scheme(text: &str) -> IResult<&str, &str> {
    preceded(opt(char(':')), terminated(is_not(":/"), tag("://"))).parse(text)
}

/// Returns the start of a text up to its second colon.
fn host_and_port(text: &str) -> String {
    let mut parts = text.splitn(3, ':');
    match (parts.next(), parts.next()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => format!("{}:PORT", host.unwrap_or_default()),
    }
}

fn port_number(text: &str) -> Result<u16, AddressError> {
    match text.parse() {
        Ok(port) if port > 0 && is_number(text) => Ok(port),
        _ => Err(AddressError::Port { port: text.into() }),
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Shows a text without letting it drive a terminal.
fn escape(text: &str) -> SymbolRef<'_> {
    SymbolRef::trusted(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(host: &str, port: u16) -> Endpoint {
        Endpoint::Tcp {
            host: host.into(),
            port,
        }
    }

    #[test]
    fn handles_of_processes_are_read() {
        for (text, endpoint, user, password) in [
            ("5010", tcp("", 5010), "", None),
            ("::5010", tcp("", 5010), "", None),
            (":localhost:5010", tcp("localhost", 5010), "", None),
            ("::5010:ann", tcp("", 5010), "ann", None),
            (":h:1:ann:", tcp("h", 1), "ann", Some("")),
            (":h:65535::pw", tcp("h", 65535), "", Some("pw")),
            (":h:1:ann:p:w://x:", tcp("h", 1), "ann", Some("p:w://x:")),
            (":[::1]:5010:ann:pw", tcp("::1", 5010), "ann", Some("pw")),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.endpoint, endpoint, "{text}");
            assert_eq!(address.credentials.user(), user.as_bytes(), "{text}");
            let found = address
                .credentials
                .password()
                .map(|secret| secret.expose().to_vec());
            assert_eq!(
                found,
                password.map(|password| password.as_bytes().to_vec()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_was_meant_is_said() {
        for (text, says) in [
            (
                "localhost:5010",
                "a handle starts with a colon: write :localhost:5010",
            ),
            (
                "localhost:5010:ann:secret",
                "a handle starts with a colon: write :localhost:5010",
            ),
            (
                "localhost",
                "a handle starts with a colon: write :localhost:PORT",
            ),
            ("", "a handle starts with a colon: write ::PORT"),
            (
                ":5010",
                ":5010 names a file in q: for the port write ::5010",
            ),
            (
                ":data/log",
                ":data/log names a file in q: for a process write :HOST:PORT",
            ),
            (
                "::localhost:5010",
                "two colons stand before the host: write :localhost:5010",
            ),
            (
                ":unix://5010",
                "unix:// is not supported yet: write :HOST:PORT",
            ),
            (
                ":tcps://h:5010:u:secret",
                "tcps:// is not supported yet: write :HOST:PORT",
            ),
            (":h:0", "the port is 0, not a number from 1 to 65535"),
            (
                ":h:65536",
                "the port is 65536, not a number from 1 to 65535",
            ),
            (":h:+1", "the port is +1, not a number from 1 to 65535"),
            ("70000", "the port is 70000, not a number from 1 to 65535"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert_eq!(error, says, "{text}");
        }
    }

    #[test]
    fn what_is_printed_reads_back_without_the_password() {
        for text in ["::5010", ":h:5010", ":h:5010:ann", ":[::1]:5010"] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), text);
        }
        let address: Address = ":h:5010:ann:secret".parse().unwrap();
        assert_eq!(address.to_string(), ":h:5010:ann");
        assert!(!format!("{address:?}").contains("secret"));
    }
}
