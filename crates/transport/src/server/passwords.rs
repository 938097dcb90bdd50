//! A password file that can be read again.

use std::sync::{Arc, PoisonError, RwLock};

use hopen_codec::auth::{Credentials, PasswordFile};

/// Who may log in by a [`PasswordFile`], which can be [replaced](Self::replace) while the server runs:
/// q's `-U` and `\u`. Clones are the same.
///
/// ```
/// use hopen_transport::server::{Passwords, ServerOptions};
/// use hopen_codec::auth::PasswordFile;
///
/// let passwords = Passwords::new(PasswordFile::parse(b"ann:secret\n")?);
/// let mut options = ServerOptions::default();
/// options.passwords = Some(passwords.clone());
/// // Later, when the file has changed; whoever is logged in stays so.
/// passwords.replace(PasswordFile::parse(b"ann:new\nbob:secret\n")?);
/// # Ok::<(), hopen_codec::auth::PasswordFileError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Passwords(Arc<RwLock<Arc<PasswordFile>>>);

impl Passwords {
    /// Takes a file.
    pub fn new(file: PasswordFile) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(file))))
    }

    /// Puts another file in its place, for all logins from now on.
    pub fn replace(&self, file: PasswordFile) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(file);
    }

    /// Returns whether somebody may log in.
    #[doc(hidden)]
    pub fn check(&self, credentials: &Credentials) -> bool {
        // Not kept locked: to check takes a while.
        let file = Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner));
        file.check(credentials)
    }
}
