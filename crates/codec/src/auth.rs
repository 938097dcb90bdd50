//! Who logs in: the user and the password of a login. And who may, by a password file.
//!
//! ```text
//!  b  o  b  :  s  e  c  r  e  t  06 00
//! |credentials                  |  |  |
//! |user    |:|password          |  |  NUL, the end
//!                                 capability; not a part of the credentials
//! ```
//!
//! Both are bytes, any but NUL; KX's C library sends them as it is given them. The first colon ends
//! the user, all others belong to the password; without one there is no password. Both may be
//! empty. KX documents no encoding and no greatest length
//! ([KX, IPC protocol, handshake](https://code.kx.com/q/basics/ipc/#handshake)).
//!
//! ```
//! use hopen_codec::auth::Credentials;
//!
//! let bob = Credentials::parse(b"bob:pa:ss")?;
//! assert_eq!(bob.user(), b"bob");
//! assert_eq!(bob.password().expect("there is one").expose(), b"pa:ss");
//! assert_eq!(bob, Credentials::new("bob", "pa:ss")?);
//! assert_eq!(format!("{bob:?}"), r#"Credentials { user: b"bob", password: Some(Secret(..)) }"#);
//! # Ok::<(), hopen_codec::auth::CredentialsError>(())
//! ```
//!
//! A server that keeps a password file, as q does with `-u` or `-U`, asks a [`PasswordFile`] between
//! receiving a login and accepting it:
//!
//! ```
//! use hopen_codec::auth::{Credentials, PasswordFile};
//!
//! let users = PasswordFile::parse(b"ann:secret\nbob:pa:ss\n")?;
//! assert!(users.check(&Credentials::parse(b"bob:pa:ss")?));
//! assert!(!users.check(&Credentials::parse(b"bob")?));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use core::{error, fmt, hint};

use zeroize::Zeroizing;

mod password_file;

pub use password_file::{PasswordFile, PasswordFileError, PasswordKind};

/// A user and, with or without it, a password.
///
/// The password is not printed, and its memory is overwritten when it is dropped. A password that
/// is there and empty (`bob:`) is not the same as none (`bob`).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    user: Vec<u8>,
    password: Option<Secret>,
}

impl Credentials {
    /// Returns the credentials of a user with a password; either may be empty.
    ///
    /// # Errors
    ///
    /// A colon in the user, a NUL in either.
    pub fn new(
        user: impl Into<Vec<u8>>,
        password: impl Into<Vec<u8>>,
    ) -> Result<Self, CredentialsError> {
        let password = Secret::new(password.into());
        let mut credentials = Self::user_only(user)?;
        if let Some(offset) = position(password.expose(), b'\0') {
            return Err(CredentialsError::NulInPassword { offset });
        }
        credentials.password = Some(password);
        Ok(credentials)
    }

    /// Returns the credentials of a user without a password.
    ///
    /// # Errors
    ///
    /// A colon or a NUL in the user.
    pub fn user_only(user: impl Into<Vec<u8>>) -> Result<Self, CredentialsError> {
        let user = user.into();
        if let Some(offset) = position(&user, b'\0') {
            return Err(CredentialsError::NulInUser { offset });
        }
        if let Some(offset) = position(&user, b':') {
            return Err(CredentialsError::ColonInUser { offset });
        }
        Ok(Self {
            user,
            password: None,
        })
    }

    /// Returns the empty credentials: no user, no password. q lets them in unless it is told not
    /// to.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// Reads `user` or `user:password`, as in a login or in a handle: the first colon ends the
    /// user.
    ///
    /// # Errors
    ///
    /// A NUL.
    pub fn parse(login: &[u8]) -> Result<Self, CredentialsError> {
        match position(login, b':') {
            Some(colon) => Self::new(&login[..colon], &login[colon + 1..]),
            None => Self::user_only(login),
        }
    }

    /// Returns the user.
    pub fn user(&self) -> &[u8] {
        &self.user
    }

    /// Returns the password, if there is one.
    pub fn password(&self) -> Option<&Secret> {
        self.password.as_ref()
    }

    /// Returns the length on the wire.
    pub(crate) fn encoded_len(&self) -> usize {
        let password = self.password.as_ref();
        self.user.len() + password.map_or(0, |password| 1 + password.expose().len())
    }

    /// Returns the last byte on the wire.
    pub(crate) fn last_byte(&self) -> Option<u8> {
        match &self.password {
            Some(password) => Some(*password.expose().last().unwrap_or(&b':')),
            None => self.user.last().copied(),
        }
    }

    /// Appends `user` or `user:password`. What there is no room for would leave a copy behind.
    pub(crate) fn encode(&self, login: &mut Zeroizing<Vec<u8>>) {
        login.extend_from_slice(&self.user);
        if let Some(password) = &self.password {
            login.push(b':');
            login.extend_from_slice(password.expose());
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &format_args!("b\"{}\"", self.user.escape_ascii()))
            .field("password", &self.password)
            .finish()
    }
}

/// Bytes that are not printed, and overwritten when they are dropped.
///
/// Comparing two takes the same time wherever they differ; their lengths are no secret.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Returns the bytes. This is the only access to them, so that uses are easy to find in a
    /// program.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        same(self.expose(), other.expose())
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why a user and a password cannot be sent. Ours to correct; the password is not in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialsError {
    /// A user with a colon, which would end it: the rest would be taken for the password.
    ColonInUser {
        /// The place of the colon in the user, in bytes from 0.
        offset: usize,
    },
    /// A user with a NUL, which would end the login.
    NulInUser {
        /// The place of the NUL in the user, in bytes from 0.
        offset: usize,
    },
    /// A password with a NUL, which would end the login.
    NulInPassword {
        /// The place of the NUL in the password, in bytes from 0.
        offset: usize,
    },
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ColonInUser { offset } => write!(f, "the user has a colon at byte {offset}"),
            Self::NulInUser { offset } => write!(f, "the user has a NUL at byte {offset}"),
            Self::NulInPassword { offset } => write!(f, "the password has a NUL at byte {offset}"),
        }
    }
}

impl error::Error for CredentialsError {}

/// Compares as long as the shorter of the two lasts, wherever they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differences = one.iter().zip(other).fold(0, |seen, (a, b)| {
        #[cfg(test)]
        steps::compare();
        hint::black_box(seen | (a ^ b))
    });
    (one.len() == other.len()) & (differences == 0)
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|&byte| byte == wanted)
}

/// Counts what takes time, for a test that this does not depend on what is secret.
#[cfg(test)]
mod steps {
    use std::cell::Cell;

    thread_local! {
        static COUNTS: Cell<Steps> = Cell::default();
    }

    /// What was done in this thread.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    pub(super) struct Steps {
        pub(super) hashes: usize,
        pub(super) hashed_bytes: usize,
        pub(super) compared_bytes: usize,
    }

    pub(super) fn hash(bytes: &[u8]) {
        let mut steps = COUNTS.get();
        steps.hashes += 1;
        steps.hashed_bytes += bytes.len();
        COUNTS.set(steps);
    }

    pub(super) fn compare() {
        let mut steps = COUNTS.get();
        steps.compared_bytes += 1;
        COUNTS.set(steps);
    }

    /// Returns what was done since the last call.
    pub(super) fn take() -> Steps {
        COUNTS.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_split_at_the_first_colon_and_written_as_they_were() {
        let check = |login: &[u8], user: &[u8], password: Option<&[u8]>| {
            let credentials = Credentials::parse(login).unwrap();
            assert_eq!(credentials.user(), user);
            assert_eq!(credentials.password().map(Secret::expose), password);
            let same = match password {
                Some(password) => Credentials::new(user, password),
                None => Credentials::user_only(user),
            };
            assert_eq!(same.as_ref(), Ok(&credentials));

            let mut written = Zeroizing::default();
            credentials.encode(&mut written);
            assert_eq!(*written, login);
            assert_eq!(credentials.encoded_len(), login.len());
            assert_eq!(credentials.last_byte(), login.last().copied());
        };
        check(b"", b"", None);
        check(b":", b"", Some(b""));
        check(b":pw", b"", Some(b"pw"));
        check(b"bob", b"bob", None);
        check(b"bob:", b"bob", Some(b""));
        check(b"bob:a:b:c", b"bob", Some(b"a:b:c"));
        check(b"bob::", b"bob", Some(b":"));
        check(b"b\xff\x01:\x80\x06", b"b\xff\x01", Some(b"\x80\x06"));
        check("bób:€".as_bytes(), "bób".as_bytes(), Some("€".as_bytes()));
        assert_eq!(Credentials::parse(b""), Ok(Credentials::anonymous()));
    }

    #[test]
    fn what_cannot_be_sent_is_refused_with_its_place() {
        assert_eq!(
            Credentials::new("b:b", "pw"),
            Err(CredentialsError::ColonInUser { offset: 1 })
        );
        assert_eq!(
            Credentials::user_only("bob:"),
            Err(CredentialsError::ColonInUser { offset: 3 })
        );
        assert_eq!(
            Credentials::new("bo\0b", "pw"),
            Err(CredentialsError::NulInUser { offset: 2 })
        );
        assert_eq!(
            Credentials::new("bob", "\0"),
            Err(CredentialsError::NulInPassword { offset: 0 })
        );
        assert_eq!(
            Credentials::parse(b"bob:pw\0"),
            Err(CredentialsError::NulInPassword { offset: 2 })
        );
        assert_eq!(
            Credentials::parse(b"\0bob:pw"),
            Err(CredentialsError::NulInUser { offset: 0 })
        );
    }

    #[test]
    fn passwords_are_compared_by_their_bytes() {
        let secret = |text: &str| Secret::new(text.into());
        assert_eq!(secret("secret"), secret("secret"));
        for other in ["", "secre", "secret1", "Secret", "secreT"] {
            assert_ne!(secret("secret"), secret(other));
        }
        assert_ne!(
            Credentials::new("bob", "").unwrap(),
            Credentials::user_only("bob").unwrap()
        );
    }

    #[test]
    fn passwords_are_not_printed() {
        let credentials = Credentials::new(b"b\"\xffb", "hidden").unwrap();
        assert_eq!(
            format!("{credentials:?} {credentials:#?}").find("hidden"),
            None
        );
        assert_eq!(
            format!("{credentials:?}"),
            r#"Credentials { user: b"b\"\xffb", password: Some(Secret(..)) }"#
        );
        assert_eq!(
            format!("{:?}", Credentials::anonymous()),
            r#"Credentials { user: b"", password: None }"#
        );
    }
}
