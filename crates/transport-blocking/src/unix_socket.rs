//! The Unix domain socket that a process opens beside its port, under the name `/tmp/kx.PORT`.
//!
//! ```text
//! 01 00 00 "/tmp/kx.5010"                 Linux: a name that is no file, of exactly this length
//! 01 00 00 "/tmp/kx.5010" 00 … 00         Linux: the same name, filled up to 108 bytes
//! 01 00 "/tmp/kx.5010" 00                 a file
//! ```
//!
//! KX's C library tries the three in this order on Linux (observed); q listens on the first there
//! since 3.5, and on a file elsewhere. The variable `QUDSPATH` names another folder than `/tmp`, for
//! all three. Where it is empty a process opens no such socket, and a client still looks in `/tmp`
//! ([KX, Listening port](https://code.kx.com/q/basics/listening-port/); observed for the client).

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::deadline::Deadline;
use crate::listener::BACKLOG;
use crate::{Error, Phase};

/// Connects to the socket of a port.
pub(crate) fn connect(port: u16, deadline: Deadline) -> Result<UnixStream, Error> {
    let path = path(folder().filter(|folder| !folder.is_empty()), port);
    connect_to(&Name::of_client(path), deadline)
}

/// Tries one name after the other. Of the failures the first counts: that of the name that q
/// listens on here.
fn connect_to(names: &[Name], deadline: Deadline) -> Result<UnixStream, Error> {
    let mut failure = None;
    for name in names {
        if deadline.has_passed() {
            failure.get_or_insert(Error::Timeout(Phase::Connect));
            break;
        }
        match name.connect(deadline) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(Error::Timeout(Phase::Connect));
            }
            Err(error) => {
                failure.get_or_insert_with(|| Error::hop(error));
            }
        }
    }
    Err(failure.unwrap_or(Error::Timeout(Phase::Connect)))
}

/// A socket that is listened on. If it is a file, it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) listener: UnixListener,
    name: Name,
}

impl Beside {
    /// Listens on the socket of a port. `None` where `QUDSPATH` says that there is to be none.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with the path.
    pub(crate) fn port(port: u16) -> Result<Option<Self>, Error> {
        match folder() {
            Some(folder) if folder.is_empty() => Ok(None),
            folder => Self::bind(Name::of_listener(path(folder, port))).map(Some),
        }
    }

    fn bind(name: Name) -> Result<Self, Error> {
        let bound = name.bind().or_else(|error| {
            // A process that was killed leaves its file behind.
            if error.kind() == io::ErrorKind::AddrInUse && name.is_deserted_file() {
                std::fs::remove_file(name.path())?;
                name.bind()
            } else {
                Err(error)
            }
        });
        match bound {
            Ok(listener) => Ok(Self { listener, name }),
            Err(error) => Err(Error::Bind {
                socket: format!("uds {}", name.path().display()).into(),
                error,
            }),
        }
    }

    /// Returns the path that the socket is named by, which is a file only elsewhere than on Linux.
    pub(crate) fn path(&self) -> &Path {
        self.name.path()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        if let Name::File(path) = &self.name {
            // It fails where somebody has removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A name that a socket is found under.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Name {
    /// One of Linux's, which is no file.
    #[cfg(target_os = "linux")]
    Abstract(PathBuf),
    /// The same, filled up with NULs to the greatest length.
    #[cfg(target_os = "linux")]
    Filled(PathBuf),
    /// A file.
    File(PathBuf),
}

impl Name {
    /// Returns the names under which a client looks, in their order.
    fn of_client(path: PathBuf) -> Vec<Self> {
        vec![
            #[cfg(target_os = "linux")]
            Self::Abstract(path.clone()),
            #[cfg(target_os = "linux")]
            Self::Filled(path.clone()),
            Self::File(path),
        ]
    }

    /// Returns the name under which a process listens.
    const fn of_listener(path: PathBuf) -> Self {
        #[cfg(target_os = "linux")]
        return Self::Abstract(path);
        #[cfg(not(target_os = "linux"))]
        return Self::File(path);
    }

    fn path(&self) -> &Path {
        match self {
            #[cfg(target_os = "linux")]
            Self::Abstract(path) | Self::Filled(path) => path,
            Self::File(path) => path,
        }
    }

    fn address(&self) -> io::Result<SockAddr> {
        let mut name = Vec::with_capacity(LONGEST);
        let is_abstract = !matches!(self, Self::File(_));
        name.resize(usize::from(is_abstract), 0);
        name.extend_from_slice(self.path().as_os_str().as_bytes());
        #[cfg(target_os = "linux")]
        if matches!(self, Self::Filled(_)) && name.len() < LONGEST {
            name.resize(LONGEST, 0);
        }
        SockAddr::unix(OsString::from_vec(name))
    }

    fn bind(&self) -> io::Result<UnixListener> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&self.address()?)?;
        socket.listen(BACKLOG)?;
        Ok(OwnedFd::from(socket).into())
    }

    /// Connects. A server whose queue of connections is full keeps a client waiting, for which the
    /// system takes the time-out of writing.
    fn connect(&self, deadline: Deadline) -> io::Result<UnixStream> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_write_timeout(deadline.left().map(|left| left.max(LEAST_WAIT)))?;
        socket.connect(&self.address()?)?;
        socket.set_write_timeout(None)?;
        Ok(OwnedFd::from(socket).into())
    }

    /// Returns whether it is a file that nobody listens on any more.
    fn is_deserted_file(&self) -> bool {
        let is_file = matches!(self, Self::File(_));
        let refused = |error: io::Error| matches!(error.kind(), io::ErrorKind::ConnectionRefused);
        is_file && self.connect(Deadline::NEVER).is_err_and(refused)
    }
}

/// Returns the folder that `QUDSPATH` names, if it is set.
fn folder() -> Option<OsString> {
    std::env::var_os("QUDSPATH")
}

fn path(folder: Option<OsString>, port: u16) -> PathBuf {
    let folder = folder.unwrap_or_else(|| OsStr::new("/tmp").to_owned());
    Path::new(&folder).join(format!("kx.{port}"))
}

/// The least time to wait for a server: none at all is no time-out to the system.
const LEAST_WAIT: Duration = Duration::from_millis(1);

/// The length of a name in `sockaddr_un` on Linux.
const LONGEST: usize = 108;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_client_finds_a_socket_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let names = Name::of_client(folder.path().join("kx.5010"));
        for name in &names {
            let listening = Beside::bind(name.clone()).unwrap();
            let mut client = connect_to(&names, patience()).unwrap();
            let (mut server, _) = listening.listener.accept().unwrap();
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
        }
        let error = connect_to(&names, patience()).unwrap_err();
        assert_eq!(error.to_string(), "hop. OS reports: Connection refused");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_names_are_those_that_kx_s_library_tries() {
        // As strace shows them for a client of KX's C library: the lengths 16, 110 and whatever a
        // file's name takes.
        let lengths = |path: &str| {
            let names = Name::of_client(path.into());
            let lengths = names.iter().map(|name| name.address().unwrap().len());
            lengths.collect::<Vec<_>>()
        };
        assert_eq!(lengths("/tmp/kx.5010"), [2 + 1 + 12, 2 + 108, 2 + 12 + 1]);
        assert_eq!(path(None, 5010), Path::new("/tmp/kx.5010"));
        let elsewhere = path(Some("/tmp/foo".into()), 5010);
        assert_eq!(elsewhere, Path::new("/tmp/foo/kx.5010"));
    }

    #[test]
    fn a_name_that_is_taken_is_an_error_with_the_path() {
        let folder = tempfile::tempdir().unwrap();
        for name in Name::of_client(folder.path().join("kx.5010")) {
            let _first = Beside::bind(name.clone()).unwrap();
            let error = Beside::bind(name).unwrap_err().to_string();
            let path = folder.path().join("kx.5010");
            let expected = format!(
                "cannot listen on uds {}. OS reports: Address already in use",
                path.display()
            );
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_file_that_a_killed_process_has_left_is_taken_over_and_goes_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kx.5010");
        // A listener that is dropped leaves its file where it was.
        drop(Name::File(path.clone()).bind().unwrap());
        assert!(path.exists());
        let listening = Beside::bind(Name::File(path.clone())).unwrap();
        drop(connect_to(&[Name::File(path.clone())], patience()).unwrap());
        drop(listening);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_is_too_long_is_an_error() {
        let long = PathBuf::from("/tmp").join("x".repeat(200));
        for name in Name::of_client(long) {
            let error = name.connect(patience()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_that_takes_no_more_connections_is_waited_for_no_longer_than_said() {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::File(folder.path().join("kx.5010"));
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&name.address().unwrap()).unwrap();
        socket.listen(0).unwrap();
        let _waiting = name.connect(patience()).unwrap();
        for brief in [Duration::ZERO, Duration::from_millis(20)] {
            let deadline = Deadline::after(Some(brief));
            let error = connect_to(std::slice::from_ref(&name), deadline).unwrap_err();
            assert!(matches!(error, Error::Timeout(Phase::Connect)), "{error}");
        }
    }

    /// Longer than anything takes that does not fail.
    fn patience() -> Deadline {
        Deadline::after(Some(Duration::from_secs(60)))
    }
}
