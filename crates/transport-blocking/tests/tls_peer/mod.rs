//! The other side of a connection that is encrypted, by rustls alone. The tests of the async transport
//! have it as well.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use hopen_tls::{Client, Server, Settings, VerifyServer};
use rustls::Connection;

/// One end, of which each record can be seen.
pub(crate) struct Peer {
    tls: Connection,
    pub(crate) stream: TcpStream,
}

impl Peer {
    /// Goes through TLS's handshake as the one that has connected.
    pub(crate) fn client(stream: TcpStream) -> Self {
        let tls = client().connect("localhost").expect("it is a name");
        Self::shake_hands(tls.into(), stream)
    }

    /// Goes through it as the one that was connected to.
    pub(crate) fn server(stream: TcpStream) -> Self {
        let tls = server().accept().expect("it has a certificate");
        Self::shake_hands(tls.into(), stream)
    }

    fn shake_hands(mut tls: Connection, mut stream: TcpStream) -> Self {
        while tls.is_handshaking() || tls.wants_write() {
            tls.complete_io(&mut stream).expect("it goes on");
        }
        Self { tls, stream }
    }

    /// Writes bytes as a record.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let record = self.record(bytes);
        self.stream.write_all(&record).expect("it is taken");
    }

    /// Returns the record that bytes become.
    pub(crate) fn record(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        let written = self.tls.writer().write_all(bytes);
        written
            .and_then(|()| self.tls.write_tls(&mut record).map(drop))
            .expect("there is room");
        record
    }

    /// Reads to the end, and returns whether the other side has said that it is one.
    pub(crate) fn hears_the_end(mut self) -> bool {
        use io::ErrorKind::{ConnectionReset, UnexpectedEof};
        match self.read_to_end(&mut Vec::new()) {
            Ok(_) => true,
            Err(error) if matches!(error.kind(), ConnectionReset | UnexpectedEof) => false,
            Err(error) => panic!("{error}"),
        }
    }
}

impl Read for Peer {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.tls.reader().read(room) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.tls.read_tls(&mut self.stream)?;
                    self.tls.process_new_packets().map_err(io::Error::other)?;
                }
                read => return read,
            }
        }
    }
}

/// What trusts everybody.
pub(crate) fn client() -> Client {
    let mut settings = Settings::default();
    settings.verify_server = VerifyServer::Off;
    Client::new(&settings).expect("nothing has to be read")
}

pub(crate) fn server() -> Server {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    Server::new(&settings).expect("they belong together")
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}
