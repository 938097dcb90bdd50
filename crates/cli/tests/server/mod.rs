//! A server that follows a script.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The kind of a message that nobody answers.
pub(crate) const ASYNC: u8 = 0;
/// The kind of a message that is answered.
pub(crate) const SYNC: u8 = 1;
/// The kind of an answer.
pub(crate) const RESPONSE: u8 = 2;

/// A server for one connection on this machine.
pub(crate) struct Server<T> {
    port: u16,
    script: JoinHandle<T>,
}

impl<T: Send + 'static> Server<T> {
    /// Listens, and runs the script on the first connection; it closes at its end.
    pub(crate) fn start(script: impl FnOnce(&mut Peer) -> T + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let script = thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
            script(&mut Peer(stream))
        });
        Self { port, script }
    }

    /// Where it listens, as `hopen` wants it, and what follows the port.
    pub(crate) fn handle(&self, credentials: &str) -> String {
        format!(":127.0.0.1:{}{credentials}", self.port)
    }

    /// What the script came to.
    pub(crate) fn seen(self) -> T {
        self.script.join().expect("the script goes as planned")
    }
}

/// The program, as the server sees it.
pub(crate) struct Peer(TcpStream);

impl Peer {
    /// Reads a login and accepts it. Returns it without capability and NUL.
    pub(crate) fn accept(&mut self) -> Vec<u8> {
        let login = self.login();
        self.send(&[3]);
        login
    }

    /// Reads a login. Returns it without capability and NUL.
    pub(crate) fn login(&mut self) -> Vec<u8> {
        let mut login = Vec::new();
        loop {
            let [byte] = self.read();
            if byte == 0 {
                break;
            }
            login.push(byte);
        }
        assert_eq!(login.pop(), Some(6), "the capability that we offer");
        login
    }

    /// Reads a message: its kind and its body.
    pub(crate) fn message(&mut self) -> (u8, Vec<u8>) {
        let header = self.header();
        self.body(header)
    }

    pub(crate) fn header(&mut self) -> [u8; 8] {
        self.read()
    }

    /// Reads the rest of a message: its kind and its body.
    pub(crate) fn body(&mut self, header: [u8; 8]) -> (u8, Vec<u8>) {
        let [order, kind, form, high, length @ ..] = header;
        assert_eq!((order, form, high), (1, 0, 0));
        let mut body = vec![0; u32::from_le_bytes(length) as usize - 8];
        self.0.read_exact(&mut body).expect("a body");
        (kind, body)
    }

    /// Reads a sync message and answers it.
    pub(crate) fn answer(&mut self, body: &[u8]) -> Vec<u8> {
        let (kind, query) = self.message();
        assert_eq!(kind, SYNC);
        self.send_message(RESPONSE, body);
        query
    }

    /// Sends a message.
    pub(crate) fn send_message(&mut self, kind: u8, body: &[u8]) {
        let length = (body.len() as u32 + 8).to_le_bytes();
        self.send(&[&[1, kind, 0, 0], &length, body].concat());
    }

    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).expect("the program is there");
    }

    /// Reads until the program has closed.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).expect("an orderly end");
        rest
    }

    fn read<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("more bytes");
        bytes
    }
}

/// The body of a long atom.
pub(crate) fn long(value: i64) -> Vec<u8> {
    [&[0xf9][..], &value.to_le_bytes()].concat()
}

/// The body of a char vector, which is what a query is.
pub(crate) fn chars(text: impl AsRef<[u8]>) -> Vec<u8> {
    let text = text.as_ref();
    [&[10, 0][..], &(text.len() as u32).to_le_bytes(), text].concat()
}

/// The body of `::`.
pub(crate) const IDENTITY: &[u8] = &[101, 0];

/// How long the program may take before a script gives up on it.
const PATIENCE: Duration = Duration::from_secs(30);
