//! How a server's log names its clients.

use core::fmt;
use std::net::SocketAddr;

use hopen_codec::auth::Credentials;

/// A client as it is named in a log.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::exhaustive_structs, reason = "it holds what it prints")]
pub struct Name(pub Option<SocketAddr>);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => fmt::Display::fmt(&address, f),
            None => f.write_str("a client on this host"),
        }
    }
}

/// Who wanted to log in. What came without a password is not printed: somebody may have sent a token
/// alone.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "it holds what it prints")]
pub struct User<'a>(pub &'a Credentials);

impl fmt::Display for User<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.password().is_none() {
            return f.write_str("a login without a password");
        }
        let user = self.0.user();
        let shown = user.get(..MOST_SHOWN).unwrap_or(user);
        let more = if shown.len() < user.len() { "…" } else { "" };
        write!(f, "user \"{}{more}\"", shown.escape_ascii())
    }
}

/// How much of a user's name is shown, in bytes: a stranger says how long it is.
const MOST_SHOWN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_shows_no_password_and_no_control_characters() {
        let shown = |login: &[u8]| User(&Credentials::parse(login).unwrap()).to_string();
        assert_eq!(shown(b"ann:secret"), "user \"ann\"");
        assert_eq!(shown(b"\x1b[2J\n:secret"), "user \"\\x1b[2J\\n\"");
        assert_eq!(shown(b"eyJhbGciOi"), "a login without a password");
        let long = [&[b'u'; 5000][..], b":secret"].concat();
        assert_eq!(shown(&long), format!("user \"{}…\"", "u".repeat(64)));
    }
}
