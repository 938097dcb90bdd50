//! What can be wrong with a handle.

use core::fmt;

use super::escape;
use crate::auth::CredentialsError;

/// Why a text is no handle, and what to write instead. It holds nothing that may be a password.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AddressError {
    /// It does not start with a colon: `localhost:5010`.
    NoColon {
        /// What to write.
        instead: Box<str>,
    },
    /// A colon and a number: to q the name of a file.
    Number {
        /// The number.
        number: Box<str>,
    },
    /// Two colons before the host: `::localhost:5010`.
    TwoColons {
        /// What to write.
        instead: Box<str>,
    },
    /// A kind of handle that is none of q's `hopen`.
    Scheme {
        /// What stands before `://`.
        scheme: Box<str>,
    },
    /// A host or a path behind `unix://` or `unixs://`, where a port belongs.
    UnixHost {
        /// What stands before `://`.
        scheme: Box<str>,
    },
    /// The host has a character that is in no name, or is no IPv6 address in its brackets.
    Host,
    /// User and password in front of an `@`, as in a URL.
    Url,
    /// There is no port.
    NoPort {
        /// What to write.
        instead: Box<str>,
    },
    /// The port is no number from 1 to 65535.
    Port {
        /// What stands there, if it is at least nearly a number; otherwise it may be anything.
        port: Option<Box<str>>,
    },
    /// A path with a colon, which makes it look like a process.
    ColonInPath {
        /// The path, up to the colon.
        path: Box<str>,
    },
    /// There is no path.
    NoPath,
    /// A path with a NUL, which no file has.
    NulInPath,
    /// The user or the password cannot be sent.
    Credentials(CredentialsError),
    /// The time-out is no number of milliseconds.
    Timeout,
    /// A time-out beside the handle of a pipe or a file.
    NoTimeout {
        /// What the handle names.
        found: Kind,
    },
    /// A q value that is neither a text, a symbol nor a number, nor one of them with a time-out.
    Type,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// A handle, but of another kind than is opened here.
    Other {
        /// What it names.
        found: Kind,
        /// What is opened here.
        wanted: Kind,
        /// The handle, without its password; of a path what stands before a colon, as behind it
        /// may be one.
        text: Box<str>,
    },
}

/// What a handle is opened to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "these are all that q knows")]
pub enum Kind {
    /// A process: `hopen`.
    Process,
    /// A named pipe: `open_pipe`.
    Pipe,
    /// A file: `open_file`.
    File,
}

impl Kind {
    /// Returns the function of a transport that opens it.
    const fn opener(self) -> &'static str {
        match self {
            Self::Process => "hopen",
            Self::Pipe => "open_pipe",
            Self::File => "open_file",
        }
    }

    /// Returns how its handle is written.
    const fn form(self) -> &'static str {
        match self {
            Self::Process => ":HOST:PORT",
            Self::Pipe => ":fifo://PATH",
            Self::File => ":PATH",
        }
    }
}

impl fmt::Display for Kind {
    /// With its article.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Process => "a process",
            Self::Pipe => "a pipe",
            Self::File => "a file",
        })
    }
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
            Self::Number { number } => write!(
                f,
                ":{number} names a file in q: for the port write ::{number}, for the file :./{number}"
            ),
            Self::TwoColons { instead } => {
                write!(
                    f,
                    "two colons stand before the host: write {}",
                    escape(instead)
                )
            }
            Self::Scheme { scheme } => {
                let form = match &**scheme {
                    "tcp" | "kdb" | "q" => ":HOST:PORT",
                    "tls" | "ssl" => ":tcps://HOST:PORT",
                    "pipe" => ":fifo://PATH",
                    "file" => ":PATH",
                    "uds" => ":unix://PORT",
                    _ => ":HOST:PORT, or a scheme of tcps, unix, unixs and fifo",
                };
                let scheme = escape(scheme);
                write!(f, "{scheme}:// is no kind of handle: write {form}")
            }
            Self::UnixHost { scheme } => write!(
                f,
                "{scheme}:// takes the port of a process on this host: write :{scheme}://PORT"
            ),
            Self::Host => f.write_str(
                "the host is no name or address (an IPv6 address stands in brackets): write \
                 :HOST:PORT",
            ),
            Self::Url => f.write_str(
                "user and password stand behind the port: write :HOST:PORT:USER:PASSWORD",
            ),
            Self::NoPort { instead } => {
                write!(
                    f,
                    "there is no port behind the host: write {}",
                    escape(instead)
                )
            }
            Self::Port { port: Some(port) } => {
                write!(
                    f,
                    "the port is {}, not a number from 1 to 65535",
                    escape(port)
                )
            }
            Self::Port { port: None } => f.write_str("the port is no number from 1 to 65535"),
            Self::ColonInPath { path } => write!(
                f,
                "a colon follows {}: q takes no path with a colon, which looks like a process",
                escape(path)
            ),
            Self::NoPath => f.write_str("there is no path: write :PATH or :fifo://PATH"),
            Self::NulInPath => f.write_str("the path has a NUL"),
            Self::Credentials(error) => fmt::Display::fmt(error, f),
            Self::Timeout => f.write_str("the time-out is no number of milliseconds"),
            Self::NoTimeout { found } => {
                write!(
                    f,
                    "a time-out is for a process, and the handle names {found}"
                )
            }
            Self::Type => f.write_str("type: a handle is a text, a symbol or the number of a port"),
            Self::NotUtf8 => f.write_str("the handle is not UTF-8"),
            Self::Other {
                found,
                wanted,
                text,
            } => {
                let (opener, form) = (found.opener(), wanted.form());
                write!(
                    f,
                    "{text} names {found}, which {opener} opens: for {wanted} write {form}"
                )
            }
        }
    }
}

impl core::error::Error for AddressError {}
