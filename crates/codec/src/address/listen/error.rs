//! Why a text does not say what to listen on.

use core::error;
use core::fmt;

use crate::address::escape;

/// Why a text does not say what to listen on, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ListenAddressError {
    /// It is not of the form `[rp,][HOST:]PORT`. What it is may be a handle with its password, and is
    /// not told.
    Malformed,
    /// The port is none of what may stand there.
    Port {
        /// What stands there.
        port: Box<str>,
    },
    /// An end of a range is no port: `5010/` or `0W/5020`.
    RangeEnd {
        /// What stands there.
        end: Box<str>,
    },
    /// The ends of a range are the wrong way round: `5020/5010`.
    EmptyRange {
        /// What should be the lowest port.
        low: u16,
        /// What should be the highest port.
        high: u16,
    },
    /// A negative port: q's multithreaded input.
    Multithreaded {
        /// The port or the range, with its sign.
        ports: Box<str>,
    },
    /// The system knows no service of this name. Found out where the number is wanted, not where
    /// the text is read.
    UnknownService {
        /// The name.
        name: Box<str>,
    },
}

impl fmt::Display for ListenAddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str(
                "this is nothing to listen on: write PORT, HOST:PORT or [IPV6]:PORT, or rp, and one \
                 of these",
            ),
            Self::Port { port } => write!(
                f,
                "the port is {}, not a number from 0 to 65535, a service, LOW/HIGH or 0W",
                escape(port)
            ),
            Self::RangeEnd { end } => write!(
                f,
                "a range of ports ends in {}, not a number from 1 to 65535 or a service",
                escape(end)
            ),
            Self::EmptyRange { low, high } => {
                write!(f, "no port is from {low} to {high}: write {high}/{low}")
            }
            Self::Multithreaded { ports } => write!(
                f,
                "{} (a negative port) is q's multithreaded input: write {}",
                escape(ports),
                escape(ports.strip_prefix('-').unwrap_or(ports))
            ),
            Self::UnknownService { name } => write!(
                f,
                "this system knows no service {0}: write a number, and for a host {0}:PORT",
                escape(name)
            ),
        }
    }
}

impl error::Error for ListenAddressError {}
