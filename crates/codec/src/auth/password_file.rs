//! Who may log in, as the password file of q's `-u` and `-U` says it.

use std::collections::BTreeMap;

use core::fmt;

use md5::Md5;
use md5::digest::{Digest, Output};
use sha1::Sha1;
use zeroize::Zeroize;

use super::{Credentials, Secret, same};

mod error;
#[cfg(test)]
mod tests;

pub use error::PasswordFileError;

/// Who may log in, as the password file of q's `-u` and `-U` says it.
///
/// ```text
/// ann:secret                                       plain …
/// bob:pa:ss
///
/// ann:5ebe2294ecd0e0f08eab7690d2a6ee69             … or MD5 …
///
/// ann:e5e9fa1ba31ecd1ae84f75caaa474f3a663f05f4     … or SHA-1 of the password, in hex
/// ```
///
/// A line for each user, all of the same kind. The first colon ends the user, all others belong to
/// the password. There are no comments and no blank lines; the last line may end in LF or not.
/// Sources: [KX, command line](https://code.kx.com/q/basics/cmdline/#-u-usr-pwd) and
/// [KX, changes in 4.0](https://code.kx.com/q/releases/ChangesIn4.0/).
///
/// Neither says how q tells the kinds apart or what it does with a line that is none, and there was
/// no q to try it on. What can be meant in two ways is refused here, with the number of the line: a
/// hash that is taken for a plain password lets in whoever has read the file, a carriage return that
/// is taken for the end of one keeps everybody out.
///
/// | in the file | what becomes of it |
/// | --- | --- |
/// | passwords of two kinds | refused; [`parse_as`](Self::parse_as) is told which it is |
/// | an empty password, hashed or not | refused: to know the name would be enough |
/// | an empty user, `:secret` | a user like others, who logs in as such |
/// | a user twice, a line without a colon, a NUL, which no login can hold | refused |
/// | a blank line, lines that end in CR LF, a byte order mark | refused |
/// | a hash in capital letters | read like one in small letters |
/// | no user at all | refused: a file that is being written anew is empty for a moment |
///
/// # What a stranger can find out
///
/// An unknown user and a wrong password take the same path: the password is hashed once, and then
/// user and hash are compared with every line to the last byte, whatever was found before. How long
/// [`check`](Self::check) takes depends on the lengths of what is in the file and of what was
/// presented, not on whether they are the same.
///
/// Only hashes are kept, of plain passwords their SHA-1: that is broken for who may choose both
/// texts, not for who looks for the password to a hash. They are overwritten when they are dropped;
/// the bytes that were parsed are the caller's to overwrite.
///
/// # Reading it again
///
/// The value does not change, so a file is read again without a restart, as with q's `\u`, by parsing
/// it and putting the new value in the place of the old one. If it cannot be parsed, nothing is lost.
/// Half a file may be one too, so whoever changes it writes another and renames that.
///
/// ```
/// use std::sync::{Arc, RwLock};
/// use hopen_codec::auth::{Credentials, PasswordFile, PasswordFileError};
///
/// let users = RwLock::new(Arc::new(PasswordFile::parse(b"ann:secret\nbob:pa:ss\n")?));
/// let may_log_in = |credentials: &Credentials| {
///     let users = Arc::clone(&users.read().expect("nobody panics with it")); // not kept locked
///     users.check(credentials)
/// };
/// let reload = |file: &[u8]| {
///     let new = Arc::new(PasswordFile::parse(file)?);
///     *users.write().expect("nobody panics with it") = new;
///     Ok::<(), PasswordFileError>(())
/// };
///
/// let ann = Credentials::parse(b"ann:secret")?;
/// assert!(may_log_in(&ann));
/// reload(b"ann:5ebe2294ecd0e0f08eab7690d2a6ee69\n")?;
/// assert!(may_log_in(&ann) && !may_log_in(&Credentials::parse(b"bob:pa:ss")?));
/// assert!(reload(b"").is_err() && may_log_in(&ann));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct PasswordFile {
    kind: PasswordKind,
    users: Vec<User>,
}

/// How the passwords of a file are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "q knows no other kind")]
pub enum PasswordKind {
    /// As they are.
    Plain,
    /// As their MD5 hashes: 32 hex digits, q's `raze string md5 "secret"`.
    Md5,
    /// As their SHA-1 hashes: 40 hex digits, q's `raze string -33!"secret"`; since 4.0 2020.03.17.
    Sha1,
}

#[derive(Clone)]
struct User {
    name: Vec<u8>,
    hash: Secret,
}

impl PasswordFile {
    /// Reads a file, and finds out of which kind its passwords are: MD5 hashes if each has 32 hex
    /// digits, SHA-1 hashes if each has 40, and plain if none looks like either.
    ///
    /// # Errors
    ///
    /// [`PasswordFileError`], with the number of the line, from 1.
    pub fn parse(file: &[u8]) -> Result<Self, PasswordFileError> {
        let lines = lines(file)?;
        let kinds = lines.iter().map(Line::looks);
        let first = lines.first().map_or(PasswordKind::Plain, Line::looks);
        if let Some((kind, line)) = kinds.zip(1..).find(|(kind, _)| *kind != first) {
            return Err(PasswordFileError::Mixed { line, kind, first });
        }
        Self::new(first, &lines)
    }

    /// Reads a file whose passwords are known to be of a kind: plain ones, say, that happen to have
    /// 32 hex digits.
    ///
    /// # Errors
    ///
    /// [`PasswordFileError`], with the number of the line, from 1.
    pub fn parse_as(kind: PasswordKind, file: &[u8]) -> Result<Self, PasswordFileError> {
        let lines = lines(file)?;
        let is_other = |line: &Line| kind != PasswordKind::Plain && line.looks() != kind;
        match lines.iter().zip(1..).find(|(line, _)| is_other(line)) {
            Some((_, line)) => Err(PasswordFileError::NoHash { line, kind }),
            None => Self::new(kind, &lines),
        }
    }

    /// Returns whether the file lets these credentials in. Those without a password it does not,
    /// whoever it is.
    ///
    /// It takes time in proportion to the length of the file: 3 us for 100 users with names of 12
    /// bytes, 0.3 ms for 10,000, on an AMD EPYC.
    pub fn check(&self, credentials: &Credentials) -> bool {
        let password = credentials.password().map_or(&b""[..], Secret::expose);
        let hash = self.kind.hash(password);
        let is_there = self.users.iter().fold(false, |found, user| {
            found | (same(&user.name, credentials.user()) & (user.hash == hash))
        });
        is_there & credentials.password().is_some()
    }

    /// Returns how its passwords are written.
    pub fn kind(&self) -> PasswordKind {
        self.kind
    }

    fn new(kind: PasswordKind, lines: &[Line]) -> Result<Self, PasswordFileError> {
        let nothing = kind.hash(b"");
        let mut seen = BTreeMap::new();
        let mut users = Vec::with_capacity(lines.len());
        for (Line { user, password }, line) in lines.iter().zip(1..) {
            if let Some(first) = seen.insert(user, line) {
                return Err(PasswordFileError::Duplicate { line, first });
            }
            let hash = match kind {
                PasswordKind::Plain => kind.hash(password.expose()),
                PasswordKind::Md5 | PasswordKind::Sha1 => from_hex(password.expose()),
            };
            if hash == nothing {
                return Err(PasswordFileError::EmptyPassword { line });
            }
            users.push(User {
                name: user.clone(),
                hash,
            });
        }
        Ok(Self { kind, users })
    }
}

impl fmt::Debug for PasswordFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PasswordFile")
            .field("kind", &self.kind)
            .field("users", &self.users.len())
            .finish()
    }
}

impl PasswordKind {
    /// Returns what is kept of a password in a file of this kind.
    fn hash(self, password: &[u8]) -> Secret {
        #[cfg(test)]
        super::steps::hash(password);
        match self {
            Self::Md5 => hash::<Md5>(password),
            Self::Plain | Self::Sha1 => hash::<Sha1>(password),
        }
    }
}

impl fmt::Display for PasswordKind {
    /// As it follows "the password is".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain => "plain",
            Self::Md5 => "an MD5 hash",
            Self::Sha1 => "a SHA-1 hash",
        })
    }
}

/// A line of a file, of whatever kind.
struct Line {
    user: Vec<u8>,
    password: Secret,
}

impl Line {
    fn parse(text: &[u8], line: usize) -> Result<Self, PasswordFileError> {
        if text.is_empty() {
            return Err(PasswordFileError::Blank { line });
        }
        if text.ends_with(b"\r") {
            return Err(PasswordFileError::CarriageReturn { line });
        }
        let Credentials { user, password } = Credentials::parse(text)
            .map_err(|error| PasswordFileError::Credentials { line, error })?;
        match password {
            Some(password) => Ok(Self { user, password }),
            None => Err(PasswordFileError::NoColon { line }),
        }
    }

    /// Returns the kind that the password looks like.
    fn looks(&self) -> PasswordKind {
        let password = self.password.expose();
        match password.len() {
            32 if password.iter().all(u8::is_ascii_hexdigit) => PasswordKind::Md5,
            40 if password.iter().all(u8::is_ascii_hexdigit) => PasswordKind::Sha1,
            _ => PasswordKind::Plain,
        }
    }
}

fn lines(file: &[u8]) -> Result<Vec<Line>, PasswordFileError> {
    if file.starts_with(BYTE_ORDER_MARK) {
        return Err(PasswordFileError::ByteOrderMark);
    }
    let file = file.strip_suffix(b"\n").unwrap_or(file);
    if file.is_empty() {
        return Err(PasswordFileError::Empty);
    }
    file.split(|byte| *byte == b'\n')
        .zip(1..)
        .map(|(text, line)| Line::parse(text, line))
        .collect()
}

fn hash<D: Digest>(password: &[u8]) -> Secret {
    let mut output = Output::<D>::default();
    D::new_with_prefix(password).finalize_into(&mut output);
    let hash = Secret::new(output.to_vec());
    output.as_mut_slice().zeroize();
    hash
}

/// Reads what looks like a hash.
fn from_hex(digits: &[u8]) -> Secret {
    let digit = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    };
    let mut hash = Vec::with_capacity(digits.len() / 2);
    for pair in digits.chunks_exact(2) {
        hash.push(digit(pair[0]) << 4 | digit(pair[1]));
    }
    Secret::new(hash)
}

/// U+FEFF in UTF-8, which some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
