//! A server in this process, with a handler that does what its clients say. The tests of the async
//! transport have it as well.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, Once};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Buf;
use hopen_blocking::server::{BadMessage, Client, Decision, Reply, ServerOptions};
use hopen_blocking::{Error, Handle, ListenOptions, Options, hopen};
use hopen_codec::address::Address;
use hopen_codec::auth::Credentials;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use socket2::{Domain, Socket, Type};

use crate::desk::{Control, Gate, Login};

/// A server that runs.
pub(crate) struct Running {
    pub(crate) port: u16,
    pub(crate) control: Control,
    pub(crate) events: Receiver<Event>,
    thread: JoinHandle<usize>,
}

/// What the handler is told.
#[derive(Debug)]
pub(crate) enum Event {
    Opened(Client),
    /// A request is evaluated until the gate is dropped.
    Evaluates(Gate),
    /// A request is put off.
    Asked(Reply),
    Notice(Client, Value),
    Bad(BadMessage),
    Closed(u64, String),
}

impl Running {
    pub(crate) fn start(options: ServerOptions) -> Self {
        Self::start_with(options, |_| Decision::Accept)
    }

    /// Starts a server that lets in whom a function does.
    pub(crate) fn start_with(
        options: ServerOptions,
        login: impl Fn(&Login) -> Decision + Send + Sync + 'static,
    ) -> Self {
        Self::listening("localhost:0W".try_into().unwrap(), options, login)
    }

    pub(crate) fn listening(
        listen: ListenOptions,
        options: ServerOptions,
        login: impl Fn(&Login) -> Decision + Send + Sync + 'static,
    ) -> Self {
        Logger::start();
        let (sender, events) = mpsc::channel();
        let desk = Desk {
            events: sender,
            login: Box::new(login),
        };
        let (port, control, thread) = desk.start(listen, options);
        Self {
            port,
            control,
            events,
            thread,
        }
    }

    /// Logs in.
    pub(crate) fn client(&self) -> Handle {
        hopen(self.options()).unwrap()
    }

    /// What a client logs in with, unless it says otherwise.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(Address::from(self.port));
        options.timeout = Some(PATIENCE);
        options
    }

    /// Logs in as somebody.
    pub(crate) fn log_in(&self, credentials: Credentials) -> Result<Handle, Error> {
        let mut options = self.options();
        options.address.credentials = credentials;
        hopen(options)
    }

    /// Connects and writes something.
    pub(crate) fn raw(&self, bytes: &[u8]) -> TcpStream {
        self.raw_from(Ipv4Addr::LOCALHOST, bytes)
    }

    /// Connects from an address that nobody else connects from, where the system has so many of its own:
    /// for those whom the log is searched for. Clients of several servers may have the same port.
    pub(crate) fn raw_alone(&self, bytes: &[u8]) -> TcpStream {
        static ALONE: AtomicU8 = AtomicU8::new(2);
        let host = match cfg!(target_os = "linux") {
            true => ALONE.fetch_add(1, Ordering::Relaxed),
            false => 1,
        };
        self.raw_from(Ipv4Addr::new(127, 0, 0, host), bytes)
    }

    fn raw_from(&self, host: Ipv4Addr, bytes: &[u8]) -> TcpStream {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((host, 0)).into()).unwrap();
        let server = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        socket.connect(&server.into()).unwrap();
        let mut stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        stream
    }

    /// Logs in by hand, with the highest capability.
    pub(crate) fn raw_client(&self) -> TcpStream {
        let mut stream = self.raw(b"raw\x06\0");
        stream.read_exact(&mut [0]).unwrap();
        stream
    }

    /// Returns the next event that is looked for, and passes over the others.
    pub(crate) fn next<T>(&self, mut is_it: impl FnMut(Event) -> Option<T>) -> T {
        loop {
            let event = self.events.recv_timeout(PATIENCE).expect("an event");
            if let Some(found) = is_it(event) {
                return found;
            }
        }
    }

    pub(crate) fn opened(&self) -> Client {
        self.next(|event| {
            if let Event::Opened(client) = event {
                Some(client)
            } else {
                None
            }
        })
    }

    /// Returns who was closed next, and why.
    pub(crate) fn closed(&self) -> (u64, String) {
        self.next(|event| {
            if let Event::Closed(handle, why) = event {
                Some((handle, why))
            } else {
                None
            }
        })
    }

    pub(crate) fn asked(&self) -> Reply {
        self.next(|event| {
            if let Event::Asked(reply) = event {
                Some(reply)
            } else {
                None
            }
        })
    }

    /// Waits until a request is evaluated; that goes on until what is returned is dropped.
    pub(crate) fn evaluates(&self) -> Gate {
        self.next(|event| {
            if let Event::Evaluates(gate) = event {
                Some(gate)
            } else {
                None
            }
        })
    }

    /// Waits for the end of a server that is told to stop.
    pub(crate) fn ended(self) -> usize {
        self.thread.join().unwrap()
    }

    /// Stops it, with time enough for whatever it is to do.
    pub(crate) fn stop(self) -> usize {
        self.control.stop(PATIENCE);
        self.ended()
    }
}

/// A handler that does what a request says: see `desk`, which differs between transports.
pub(crate) struct Desk {
    events: Sender<Event>,
    pub(crate) login: Box<dyn Fn(&Login) -> Decision + Send + Sync>,
}

impl Desk {
    pub(crate) fn tell(&self, event: Event) {
        // A test that has ended wants to know no more.
        drop(self.events.send(event));
    }
}

/// Something that does not fit into the system's buffers.
pub(crate) fn large() -> Value {
    Value::from(vec![7_i64; 4 * 1024 * 1024])
}

/// Returns the bytes of a message.
pub(crate) fn message(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
    let mut outbox = Outbox::default();
    Message::new(kind, Body::encode(&value.into()).unwrap()).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

/// Reads exactly these bytes.
pub(crate) fn expect(stream: &mut impl Read, bytes: &[u8]) {
    let mut read = vec![0; bytes.len()];
    stream.read_exact(&mut read).unwrap();
    assert!(read == bytes, "{read:?} instead of {bytes:?}");
}

/// Reads what comes until the other side closes. A reset is an end too: it drops what it has not read.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => panic!("{error}"),
        _ => read,
    }
}

/// Keeps what is logged in this process.
pub(crate) struct Logger(Mutex<Vec<(log::Level, String)>>);

static LOGGER: Logger = Logger(Mutex::new(Vec::new()));
static STARTED: Once = Once::new();

impl Logger {
    fn start() {
        STARTED.call_once(|| {
            log::set_logger(&LOGGER).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
        });
    }

    /// Returns what was logged about something.
    pub(crate) fn about(what: &str) -> Vec<(log::Level, String)> {
        let records = LOGGER.0.lock().unwrap();
        let about = records.iter().filter(|(_, text)| text.contains(what));
        about.cloned().collect()
    }
}

impl log::Log for Logger {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let text = record.args().to_string();
        assert!(!text.contains("secret"), "{text}");
        self.0.lock().unwrap().push((record.level(), text));
    }

    fn flush(&self) {}
}

/// Longer than anything takes that does not fail.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
