//! `hopen serve`: the scratch process on a port, and on request a feed.
//!
//! ```text
//!  clients ── Server (hopen-blocking) ──▶ Process ──▶ Scratch
//!                                            └──────▶ Feed ──▶ subscribers
//! ```

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hopen_blocking::server::{Control, Passwords, Server, ServerOptions, TextProtocol};
use hopen_blocking::{ListenOptions, Listener};
use hopen_codec::auth::PasswordFile;
use hopen_tls::{ServerMode, Settings, TlsError, VerifyClient};

use crate::args::{ServeFeed, ServeOptions, ServeTls};
use crate::status::{Status, file_name, report};

mod feed;
mod log;
mod process;

use feed::Feed;
use process::Process;

/// Listens, and serves clients until a signal ends the process. An error is one of writing to `out`.
pub(crate) fn run(options: ServeOptions, out: &mut impl Write) -> io::Result<Status> {
    let passwords = match options.users.file().map(PasswordsIn::read).transpose() {
        Ok(passwords) => passwords,
        Err(status) => return Ok(status),
    };
    let mut listen = ListenOptions::new(options.listen);
    listen.unix = options.unix;
    listen.mode = options.tls.mode;
    let certified = match prepare_tls(options.tls, &mut listen) {
        Ok(certified) => certified,
        Err(error) => {
            report(format_args!("error: TLS: {error}"));
            return Ok(Status::NotConnected);
        }
    };
    let listening = Listener::bind(listen).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let (listener, address) = match listening {
        Ok(listening) => listening,
        Err(error) => {
            report(format_args!("error: {error}"));
            return Ok(Status::NotConnected);
        }
    };
    // The port of this host only, and the socket beside it, are for the users of this host.
    let is_open = options.users.are_all() && certified == Certified::NotAll;
    if is_open && !address.ip().to_canonical().is_loopback() {
        let beside = match listener.unix_path() {
            Some(path) => format!(" or {}", file_name(path)),
            None => String::new(),
        };
        report(format_args!(
            "warning: whoever reaches {address}{beside} is let in; --user NAME:PASSWORD or \
             --passwords FILE asks for a login"
        ));
    }
    log::to_standard_error();
    let feed = match options.feed {
        ServeFeed::None => None,
        ServeFeed::MadeUp => Some(Arc::new(Feed::new())),
    };
    let process = Process::new(options.users.named(), feed.clone());
    let mut told = ServerOptions::default();
    told.passwords = passwords.as_ref().map(|read| read.passwords.clone());
    told.text = TextProtocol::On;
    told.connections = MOST_CONNECTIONS;
    let started = Server::new(listener, process, told).map_err(|error| error.to_string());
    let started = started.and_then(|server| {
        let follow = follow_signals(server.control(), passwords);
        follow.map_err(|error| format!("cannot watch for signals: {error}"))?;
        let publishing = feed.map(Feed::publish).transpose();
        let publishing = publishing.map_err(|error| format!("cannot start a thread: {error}"))?;
        Ok((server, publishing))
    });
    let (server, publishing) = match started {
        Ok(started) => started,
        Err(what) => {
            report(format_args!("error: {what}"));
            return Ok(Status::Failure);
        }
    };
    writeln!(out, "listening on {address}")?;
    out.flush()?;
    server.run();
    drop(publishing);
    Ok(Status::Success)
}

/// A password file, and what was read from it.
struct PasswordsIn {
    path: PathBuf,
    passwords: Passwords,
}

impl PasswordsIn {
    fn read(path: &Path) -> Result<Self, Status> {
        let file = read_passwords(path).map_err(|what| {
            report(format_args!("error: {what}"));
            Status::NoInput
        })?;
        Ok(Self {
            path: path.to_owned(),
            passwords: Passwords::new(file),
        })
    }

    /// Reads it again. What cannot be read leaves everything as it was.
    #[cfg(unix)]
    fn read_again(&self) {
        match read_passwords(&self.path) {
            Ok(file) => {
                self.passwords.replace(file);
                report(format_args!("{}: read again", file_name(&self.path)));
            }
            Err(what) => report(format_args!("error: {what}; the old passwords are kept")),
        }
    }
}

fn read_passwords(path: &Path) -> Result<PasswordFile, String> {
    let name = file_name(path);
    let bytes = fs::read(path).map(zeroize::Zeroizing::new);
    let bytes = bytes.map_err(|error| format!("cannot read {name}: {error}"))?;
    PasswordFile::parse(&bytes).map_err(|error| format!("{name}: {error}"))
}

/// Whether all clients have to show a certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Certified {
    All,
    NotAll,
}

/// Reads what TLS needs, where it is spoken.
fn prepare_tls(options: ServeTls, listen: &mut ListenOptions) -> Result<Certified, TlsError> {
    if options.mode == ServerMode::Plain {
        return Ok(Certified::NotAll);
    }
    let mut settings = Settings::from_variables(|name| std::env::var_os(name))?;
    if let Some((certificate, key)) = options.identity {
        settings.certificate_file = Some(certificate);
        settings.key_file = Some(key);
    }
    listen.tls = Some(hopen_tls::Server::new(&settings)?);
    let asks_all =
        options.mode == ServerMode::Tls && settings.verify_client == VerifyClient::Required;
    Ok(if asks_all {
        Certified::All
    } else {
        Certified::NotAll
    })
}

/// Ends the process on SIGINT and SIGTERM, when everything that was taken in is answered; a second one
/// ends it at once. On SIGHUP the password file is read again.
#[cfg(unix)]
fn follow_signals(control: Control, passwords: Option<PasswordsIn>) -> io::Result<()> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    if passwords.is_some() {
        signals.add_signal(SIGHUP)?;
    }
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        let mut patience = PATIENCE;
        for signal in signals.forever() {
            match &passwords {
                Some(passwords) if signal == SIGHUP => passwords.read_again(),
                _ => {
                    control.stop(patience);
                    patience = Duration::ZERO;
                }
            }
        }
    })?;
    Ok(())
}

/// Elsewhere the system ends the process by itself.
#[cfg(not(unix))]
fn follow_signals(_control: Control, _passwords: Option<PasswordsIn>) -> io::Result<()> {
    Ok(())
}

/// How many connections may be open: 1024 files, which is what a process commonly may open, less its
/// own.
const MOST_CONNECTIONS: usize = 1000;

/// How long what was taken in may take when the process is told to end.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(10);
