//! Handles as q spells them: what `hopen` takes. And what to listen on.
//!
//! ```text
//! :host:port[:user[:password]]            a process on another host, or on this one
//! ::port[:user[:password]]                a process on this host
//! port                                    the same
//! :unix://port[:user[:password]]          a process on this host, by its Unix domain socket
//! :tcps://host:port[:user[:password]]     a process, by TLS
//! :unixs://port[:user[:password]]         a process on this host, by TLS over its Unix domain socket
//! :fifo://path                            a named pipe, to read from
//! :path                                   a file, to append to
//! (handle;milliseconds)                   any of a process with a time-out
//! ```
//!
//! Each may be written as a symbol, with q's backtick before it. The password is all that follows
//! the colon behind the user, colons included. A host that is an IPv6 address stands in brackets,
//! `:[::1]:5010`, which q does not know. A drive's letter in front of a path, `:c:/q/test.txt`, is
//! no host. Source: [KX, hopen](https://code.kx.com/q/ref/hopen/).
//!
//! ```
//! use hopen_codec::address::{Address, Endpoint, Target};
//!
//! let address: Address = ":prices.example:5010:ann:se:cret".parse()?;
//! assert_eq!(address.endpoint, Endpoint::Tcp { host: "prices.example".into(), port: 5010 });
//! assert_eq!(address.credentials.user(), b"ann");
//! assert_eq!(address.to_string(), ":prices.example:5010:ann"); // never the password
//!
//! let target: Target = ":fifo:///tmp/trades".parse()?;
//! assert_eq!(target, Target::Pipe { path: "/tmp/trades".into() });
//! # Ok::<(), hopen_codec::address::AddressError>(())
//! ```
//!
//! What q would take for something else than was meant is refused, and the error says what to
//! write: `:5010` is the name of a file to q, and `::localhost:5010` has a colon too many.
//!
//! ```
//! use hopen_codec::address::Address;
//!
//! let error = ":5010".parse::<Address>().unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     ":5010 names a file in q: for the port write ::5010, for the file :./5010"
//! );
//! ```
//!
//! The other side's, [`ListenAddress`], is what `\p` and `-p` take:
//!
//! ```text
//! [rp,][host:]port                 these interfaces, or all; rp, shares the port with others
//!             lowest/highest       a free one of these ports; 0W is any free one
//! ```
//!
//! Source: [KX, Listening port](https://code.kx.com/q/basics/listening-port/).

use core::fmt::{self, Write as _};
use core::str::FromStr;
use core::time::Duration;

use crate::auth::{Credentials, Secret};
use crate::value::SymbolRef;

mod argument;
mod error;
mod listen;
mod spelling;

pub use error::{AddressError, Kind};
pub use listen::{ListenAddress, ListenAddressError, Port, Ports, Sharing};

/// A process to connect to, and as whom.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Address {
    /// Where it listens.
    pub endpoint: Endpoint,
    /// As whom; anonymous where the handle names no user.
    pub credentials: Credentials,
}

/// Where a process listens, and how it is reached there.
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
    /// The same by TLS: `tcps`.
    Tcps {
        /// A name or an address, an IPv6 address without its brackets.
        host: String,
        /// The port.
        port: u16,
    },
    /// The Unix domain socket that a process on this host opens beside its port: `unix`.
    Unix {
        /// The port, which the socket is named after.
        port: u16,
    },
    /// The same by TLS: `unixs`.
    Unixs {
        /// The port, which the socket is named after.
        port: u16,
    },
}

impl Endpoint {
    /// Returns the port.
    pub const fn port(&self) -> u16 {
        match self {
            Self::Tcp { port, .. }
            | Self::Tcps { port, .. }
            | Self::Unix { port }
            | Self::Unixs { port } => *port,
        }
    }
}

impl Address {
    /// Makes the address of a process, for an anonymous user.
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            credentials: Credentials::anonymous(),
        }
    }

    /// Returns the handle as q spells it, with the password that `Display` leaves out. This is the
    /// only way to print it.
    pub fn with_password(&self) -> Secret {
        let mut text = self.endpoint.to_string().into_bytes();
        let user = self.credentials.user();
        let password = self.credentials.password();
        if !user.is_empty() || password.is_some() {
            text.push(b':');
            text.extend_from_slice(user);
        }
        match password {
            None => Secret::new(text),
            Some(password) => {
                // Of the right size at once: a vector that grows leaves copies behind.
                let mut whole = Vec::with_capacity(text.len() + 1 + password.expose().len());
                whole.append(&mut text);
                whole.push(b':');
                whole.extend_from_slice(password.expose());
                Secret::new(whole)
            }
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
        text.parse::<Target>()?.into_process()
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
        let (scheme, host) = match self {
            Self::Tcp { host, .. } => (":", Some(host)),
            Self::Tcps { host, .. } => (":tcps://", Some(host)),
            Self::Unix { .. } => (":unix://", None),
            Self::Unixs { .. } => (":unixs://", None),
        };
        f.write_str(scheme)?;
        match host {
            Some(host) if host.contains(':') => write!(f, "[{}]:", escape(host))?,
            Some(host) => write!(f, "{}:", escape(host))?,
            None => {}
        }
        fmt::Display::fmt(&self.port(), f)
    }
}

/// What a handle is opened to: whatever may stand in `hopen`'s string.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "who opens any of them has to know every kind"
)]
pub enum Target {
    /// A process.
    Process(Address),
    /// A named pipe, or a device, to read from: `:fifo://path`.
    Pipe {
        /// Its path.
        path: String,
    },
    /// A file to append to: `:path`.
    File {
        /// Its path.
        path: String,
    },
}

impl Target {
    /// Returns the process that this is.
    ///
    /// # Errors
    ///
    /// [`AddressError::Other`] where it is none, which says what opens it.
    pub fn into_process(self) -> Result<Address, AddressError> {
        match self {
            Self::Process(address) => Ok(address),
            Self::Pipe { .. } | Self::File { .. } => Err(self.other_than(Kind::Process)),
        }
    }

    /// Returns the path of the pipe that this is.
    ///
    /// # Errors
    ///
    /// [`AddressError::Other`] where it is none, which says what opens it.
    pub fn into_pipe(self) -> Result<String, AddressError> {
        match self {
            Self::Pipe { path } => Ok(path),
            Self::Process(_) | Self::File { .. } => Err(self.other_than(Kind::Pipe)),
        }
    }

    /// Returns the path of the file that this is.
    ///
    /// # Errors
    ///
    /// [`AddressError::Other`] where it is none, which says what opens it.
    pub fn into_file(self) -> Result<String, AddressError> {
        match self {
            Self::File { path } => Ok(path),
            Self::Process(_) | Self::Pipe { .. } => Err(self.other_than(Kind::File)),
        }
    }

    /// Returns what kind of thing it is.
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Process(_) => Kind::Process,
            Self::Pipe { .. } => Kind::Pipe,
            Self::File { .. } => Kind::File,
        }
    }

    fn other_than(&self, wanted: Kind) -> AddressError {
        let text = match self {
            Self::Process(address) => address.to_string(),
            Self::Pipe { path } => format!(":fifo://{}", escape(up_to_colon(path, 0))),
            Self::File { path } => {
                let drive = if spelling::begins_with_drive(path) {
                    2
                } else {
                    0
                };
                format!(":{}", escape(up_to_colon(path, drive)))
            }
        };
        AddressError::Other {
            found: self.kind(),
            wanted,
            text: text.into(),
        }
    }
}

impl From<Address> for Target {
    fn from(address: Address) -> Self {
        Self::Process(address)
    }
}

impl FromStr for Target {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        spelling::target(text)
    }
}

impl fmt::Display for Target {
    /// As q spells it, without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Process(address) => fmt::Display::fmt(address, f),
            Self::Pipe { path } => write!(f, ":fifo://{}", escape(path)),
            Self::File { path } => {
                f.write_char(':')?;
                fmt::Display::fmt(&escape(path), f)
            }
        }
    }
}

/// What q's `hopen` is applied to: a handle, and how long opening it may take if that is said.
///
/// ```
/// use core::time::Duration;
/// use hopen_codec::address::HopenArgument;
/// use hopen_codec::value::Value;
///
/// let argument: HopenArgument = r#"(":prices:5010:ann:secret";500)"#.parse()?;
/// assert_eq!(argument.timeout, Some(Duration::from_millis(500)));
/// assert_eq!(argument.to_string(), "(`:prices:5010:ann;500)");
///
/// // As q values: a text, a symbol, a number, or one of these and milliseconds.
/// let value = Value::from((":prices:5010:ann:secret", 500_i64));
/// assert_eq!(HopenArgument::try_from(value.as_ref())?, argument);
/// # Ok::<(), hopen_codec::address::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HopenArgument {
    /// What to open.
    pub target: Target,
    /// How long connecting and logging in may take, if that is said; zero is for ever, as it is to
    /// KX's C library.
    pub timeout: Option<Duration>,
}

/// Returns whether a text is a number.
fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns a path up to its first colon behind `start` bytes. Behind that may be a password: the path
/// of a handle that was meant for a process.
fn up_to_colon(path: &str, start: usize) -> &str {
    let colon = path[start..].find(':');
    colon.map_or(path, |colon| &path[..start + colon])
}

/// Shows a text without letting it drive a terminal.
fn escape(text: &str) -> SymbolRef<'_> {
    SymbolRef::trusted(text.as_bytes())
}

#[cfg(test)]
mod tests;
