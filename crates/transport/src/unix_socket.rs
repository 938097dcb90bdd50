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

use socket2::{Domain, SockAddr, Socket, Type};

use crate::Error;
use crate::listen::BACKLOG;

/// Returns the names under which a client looks for the socket of a port, in their order.
pub fn names(port: u16) -> Vec<Name> {
    Name::of_client(path(folder().filter(|folder| !folder.is_empty()), port))
}

/// A socket that is listened on.
#[derive(Debug)]
#[non_exhaustive]
pub struct Beside {
    /// Its name. Dropped before the socket: a file that nobody listens on is another process's to take.
    pub claim: Claim,
    /// The socket.
    pub listener: UnixListener,
}

/// A name that is listened on. If it is a file, it goes when this is dropped.
#[derive(Debug)]
pub struct Claim(Name);

impl Beside {
    /// Listens on the socket of a port. `None` where `QUDSPATH` says that there is to be none.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with the path.
    pub fn port(port: u16) -> Result<Option<Self>, Error> {
        match folder() {
            Some(folder) if folder.is_empty() => Ok(None),
            folder => Self::bind(Name::of_listener(path(folder, port))).map(Some),
        }
    }

    /// Listens under a name. The file that a killed process has left is taken over.
    ///
    /// # Errors
    ///
    /// [`Error::Bind`], with the path.
    pub fn bind(name: Name) -> Result<Self, Error> {
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
            Ok(listener) => Ok(Self {
                claim: Claim(name),
                listener,
            }),
            Err(error) => Err(Error::Bind {
                socket: format!("uds {}", name.path().display()).into(),
                error,
            }),
        }
    }
}

impl Claim {
    /// Returns the path that the socket is named by, which is a file only elsewhere than on Linux.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Name::File(path) = &self.0 {
            // It fails where somebody has removed it already.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A name that a socket is found under.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "these are all that are tried")]
pub enum Name {
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

    /// Returns the name as the system takes it, that of no file with a NUL in front.
    pub fn to_os_string(&self) -> OsString {
        let mut name = Vec::with_capacity(LONGEST);
        let is_abstract = !matches!(self, Self::File(_));
        name.resize(usize::from(is_abstract), 0);
        name.extend_from_slice(self.path().as_os_str().as_bytes());
        #[cfg(target_os = "linux")]
        if matches!(self, Self::Filled(_)) && name.len() < LONGEST {
            name.resize(LONGEST, 0);
        }
        OsString::from_vec(name)
    }

    /// Connects without waiting, to a stream in non-blocking mode.
    ///
    /// # Errors
    ///
    /// The system's; [`WouldBlock`](io::ErrorKind::WouldBlock) where the queue of a server is full,
    /// which is waited for by nothing but another attempt, or by connecting in blocking mode.
    pub fn try_connect(&self) -> io::Result<UnixStream> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.connect(&self.address()?)?;
        Ok(OwnedFd::from(socket).into())
    }

    fn address(&self) -> io::Result<SockAddr> {
        SockAddr::unix(self.to_os_string())
    }

    fn bind(&self) -> io::Result<UnixListener> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&self.address()?)?;
        socket.listen(BACKLOG)?;
        Ok(OwnedFd::from(socket).into())
    }

    /// Returns whether it is a file that nobody listens on any more.
    fn is_deserted_file(&self) -> bool {
        let is_file = matches!(self, Self::File(_));
        let refused = |error: io::Error| matches!(error.kind(), io::ErrorKind::ConnectionRefused);
        is_file && self.try_connect().is_err_and(refused)
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

/// The length of a name in `sockaddr_un` on Linux.
const LONGEST: usize = 108;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use super::*;

    #[test]
    fn a_socket_is_found_under_each_of_its_names() {
        let folder = tempfile::tempdir().unwrap();
        for name in Name::of_client(folder.path().join("kx.5010")) {
            let listening = Beside::bind(name.clone()).unwrap();
            let mut client = name.try_connect().unwrap();
            let (mut server, _) = listening.listener.accept().unwrap();
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
            let error = client.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            drop(listening);
            name.try_connect().unwrap_err();
        }
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
        let name = Name::File(path.clone());
        // A listener that is dropped leaves its file where it was.
        drop(name.bind().unwrap());
        assert!(path.exists());
        let listening = Beside::bind(name.clone()).unwrap();
        drop(name.try_connect().unwrap());
        drop(listening);
        assert!(!path.exists());
    }

    #[test]
    fn a_path_that_is_too_long_is_an_error() {
        let long = PathBuf::from("/tmp").join("x".repeat(200));
        for name in Name::of_client(long) {
            let error = name.try_connect().unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_server_whose_queue_is_full_is_told_from_one_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let name = Name::File(folder.path().join("kx.5010"));
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
        socket.bind(&name.address().unwrap()).unwrap();
        socket.listen(0).unwrap();
        let _waiting = name.try_connect().unwrap();
        let error = name.try_connect().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
        assert!(!name.is_deserted_file());
        drop(socket);
        assert!(name.is_deserted_file());
    }
}
