//! The command line of `hopen serve`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use hopen_blocking::UnixSocket;
use hopen_codec::address::{Address, ListenAddress, ListenAddressError};
use hopen_codec::auth::Credentials;
use hopen_tls::ServerMode;

use super::wrong_usage;
use crate::status::Status;

/// `hopen serve`.
pub(crate) struct ServeOptions {
    /// Where to listen.
    pub(crate) listen: ListenAddress,
    /// Whether to listen on a Unix domain socket as well.
    pub(crate) unix: UnixSocket,
    /// What TLS needs, and where it is spoken.
    pub(crate) tls: ServeTls,
    /// Who may log in.
    pub(crate) users: Users,
    /// What is published.
    pub(crate) feed: ServeFeed,
}

/// Who may log in.
pub(crate) enum Users {
    /// Everybody.
    All,
    /// Those who were named.
    Named(Vec<Credentials>),
    /// Those whom a password file names.
    OfFile(PathBuf),
}

impl Users {
    pub(crate) const fn are_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// Returns those who were named.
    pub(crate) fn named(self) -> Vec<Credentials> {
        match self {
            Self::Named(users) => users,
            Self::All | Self::OfFile(_) => Vec::new(),
        }
    }

    /// Returns the password file, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match self {
            Self::OfFile(path) => Some(path),
            Self::All | Self::Named(_) => None,
        }
    }
}

/// What a process publishes.
#[derive(Clone, Copy)]
pub(crate) enum ServeFeed {
    /// Nothing.
    None,
    /// A made-up stream of trades and quotes.
    MadeUp,
}

/// What a process that is listened on is told about TLS.
pub(crate) struct ServeTls {
    /// Who is taken: plain clients, such that speak TLS, or both.
    pub(crate) mode: ServerMode,
    /// The files of its certificate and key, where they are not those of the environment.
    pub(crate) identity: Option<(PathBuf, PathBuf)>,
}

#[derive(Args)]
pub(super) struct ServeArguments {
    /// What to listen on: `[rp,][HOST:]PORT`, as q's `\p`
    ///
    /// PORT is a number, a service, a range as 5010/5020 of which a free one is taken, or 0W for any
    /// free port. Without HOST that is every interface of this machine. With rp, other processes may
    /// listen on the same port.
    #[arg(
        long,
        value_name = "SPEC",
        default_value = "127.0.0.1:0W",
        allow_hyphen_values = true
    )]
    listen: String,

    /// Let this user in, and nobody else who is not named likewise
    ///
    /// Other users of a machine can see a command line.
    #[arg(long = "user", value_name = USER)]
    users: Vec<String>,

    /// Let those in whom the password file FILE names, as q's option -U, and nobody else
    ///
    /// A line for each user: NAME:PASSWORD, the password plain or as its MD5 or SHA-1 in hex, on all
    /// lines alike. On SIGHUP the file is read again.
    #[arg(long, value_name = "FILE", conflicts_with = "users")]
    passwords: Option<PathBuf>,

    /// Publish a made-up stream of trades and quotes to whoever subscribes
    ///
    /// As kdb+tick does: (`.u.sub;`trade;`) is answered by a name and an empty table, and followed by
    /// (`upd;`trade;ROWS) ten times a second, and at midnight (UTC) by (`.u.end;DATE).
    #[arg(long)]
    feed: bool,

    /// Open no Unix domain socket beside the port
    ///
    /// As q does, a process listens on the socket /tmp/kx.PORT as well, or in the folder that
    /// QUDSPATH names, but for a port that is shared. All users of this machine can connect to it.
    #[arg(long)]
    no_unix: bool,

    /// Which clients are taken, on both sockets: as q's option -E with 0, 2 and 1
    #[arg(long, value_name = "MODE", default_value = "plain")]
    tls_mode: Mode,

    /// The certificate for TLS, PEM: the leaf, then what signed it [default: KX_SSL_CERT_FILE]
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The key of that certificate, PEM [default: KX_SSL_KEY_FILE]
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

/// As [`ServerMode`].
#[derive(Clone, Copy, ValueEnum)]
enum Mode {
    /// Plain ones
    Plain,
    /// Such that speak TLS
    Tls,
    /// Both kinds
    Both,
}

impl ServeArguments {
    pub(super) fn into_options(self) -> Result<ServeOptions, Status> {
        let listen: Result<_, ListenAddressError> = self.listen.parse();
        let users: Result<Vec<_>, _> = self.users.iter().map(|user| credentials(user)).collect();
        let mode = match self.tls_mode {
            Mode::Plain => ServerMode::Plain,
            Mode::Tls => ServerMode::Tls,
            Mode::Both => ServerMode::Both,
        };
        let identity = self.tls_cert.zip(self.tls_key);
        if let Some((certificate, key)) = &identity
            && (is_handle(certificate) || is_handle(key))
        {
            // What cannot be read would be named, with the password in it.
            return Err(wrong_usage(format_args!(
                "--tls-cert and --tls-key are files, and not handles"
            )));
        }
        if self.passwords.as_deref().is_some_and(is_handle) {
            return Err(wrong_usage(format_args!(
                "--passwords is a file, and not a handle"
            )));
        }
        if identity.is_some() && mode == ServerMode::Plain {
            return Err(wrong_usage(format_args!(
                "a certificate is for TLS: write --tls-mode tls or both with --tls-cert"
            )));
        }
        Ok(ServeOptions {
            listen: listen.map_err(|error| {
                // A handle in the wrong place may hold a password.
                if self.listen.contains(':') {
                    wrong_usage(format_args!(
                        "--listen is [rp,][HOST:]PORT, PORT a number, a service, LOW/HIGH or 0W"
                    ))
                } else {
                    wrong_usage(format_args!("{error}"))
                }
            })?,
            unix: if self.no_unix {
                UnixSocket::None
            } else {
                UnixSocket::Beside
            },
            tls: ServeTls { mode, identity },
            users: match (users?, self.passwords) {
                (_, Some(file)) => Users::OfFile(file),
                (users, None) if users.is_empty() => Users::All,
                (users, None) => Users::Named(users),
            },
            feed: if self.feed {
                ServeFeed::MadeUp
            } else {
                ServeFeed::None
            },
        })
    }
}

fn is_handle(path: &Path) -> bool {
    path.to_str()
        .is_some_and(|path| path.parse::<Address>().is_ok())
}

/// Reads `NAME:PASSWORD`. It is not printed where it is none.
fn credentials(user: &str) -> Result<Credentials, Status> {
    match Credentials::parse(user.as_bytes()) {
        Ok(credentials) if credentials.password().is_some() => Ok(credentials),
        Ok(_) => Err(wrong_usage(format_args!("a --user is {USER}"))),
        Err(error) => Err(wrong_usage(format_args!("{error}"))),
    }
}

/// How a user is given.
pub(super) const USER: &str = "NAME:PASSWORD";
