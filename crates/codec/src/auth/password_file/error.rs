//! Why bytes are no password file.

use core::error;
use core::fmt;

use super::PasswordKind;
use crate::auth::CredentialsError;

/// Why bytes are no password file. Lines are counted from 1. No user and no password is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PasswordFileError {
    /// Nobody is in it.
    Empty,
    /// It starts with a byte order mark, which would belong to the first user.
    ByteOrderMark,
    /// A line with nothing in it.
    Blank {
        /// The line.
        line: usize,
    },
    /// A carriage return at the end of a line, which would belong to the password.
    CarriageReturn {
        /// The line.
        line: usize,
    },
    /// A line without a colon.
    NoColon {
        /// The line.
        line: usize,
    },
    /// A user or a password that no login can have.
    Credentials {
        /// The line.
        line: usize,
        /// What is wrong with it.
        error: CredentialsError,
    },
    /// An empty password, or the hash of one.
    EmptyPassword {
        /// The line.
        line: usize,
    },
    /// A user who is there already.
    Duplicate {
        /// The line.
        line: usize,
        /// The line before that has the same user.
        first: usize,
    },
    /// Passwords that do not look like the same kind.
    Mixed {
        /// The first line that differs from the first of the file.
        line: usize,
        /// What its password looks like.
        kind: PasswordKind,
        /// What the password of the first line looks like.
        first: PasswordKind,
    },
    /// A password that does not look like the kind that the file is said to be of.
    NoHash {
        /// The line.
        line: usize,
        /// That kind.
        kind: PasswordKind,
    },
}

impl fmt::Display for PasswordFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("nobody is in the password file"),
            Self::ByteOrderMark => f.write_str("the password file starts with a byte order mark"),
            Self::Blank { line } => write!(f, "line {line} is blank"),
            Self::CarriageReturn { line } => {
                write!(f, "line {line} ends in CR LF, not in LF alone")
            }
            Self::NoColon { line } => write!(f, "line {line} is not USER:PASSWORD"),
            Self::Credentials { line, error } => write!(f, "in line {line} {error}"),
            Self::EmptyPassword { line } => write!(f, "in line {line} the password is empty"),
            Self::Duplicate { line, first } => {
                write!(f, "line {line} has the user of line {first} again")
            }
            Self::Mixed { line, kind, first } => write!(
                f,
                "in line {line} the password is {kind} by its looks, in line 1 it is {first}: \
                 all are to be of one kind"
            ),
            Self::NoHash { line, kind } => {
                write!(f, "in line {line} the password is not {kind}")
            }
        }
    }
}

impl error::Error for PasswordFileError {}
