//! A server under siege: hostile connections of every kind at once, and clients that want answers.
//!
//! Everything goes over loopback, and everything ends: attackers are as many as are asked for, each does
//! one thing and waits to be cut off, and good clients ask until the last of them is.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Buf;
use hopen_blocking::server::{Answer, Client, Handler, ServerOptions};
use hopen_blocking::{Options, hopen};
use hopen_codec::address::Address;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;

/// What is attacked: answers with what it is asked, but a number by so many longs.
pub(crate) struct Target {
    large: Value,
}

impl Target {
    pub(crate) fn new() -> Self {
        Self {
            large: Value::from(vec![7_i64; 4 * 1024 * 1024]),
        }
    }
}

impl Handler for Target {
    fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
        let is_large = query == LARGE.into();
        Ok(if is_large { self.large.clone() } else { query }).into()
    }
}

/// Returns what the server is told, with other times than the defaults.
pub(crate) fn options(login_timeout: Duration, stall_timeout: Duration) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.login_timeout = login_timeout;
    options.stall_timeout = stall_timeout;
    options
}

/// What an attacker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attack {
    /// Connects and closes.
    Scan,
    /// Asks for a page.
    Http,
    /// Sends a login without its end, and waits.
    EndlessLogin,
    /// Sends a login that does not end, a byte at a time.
    SlowLogin,
    /// Sends a login of 10 MB.
    LongLogin,
    /// Sends half a message, and waits.
    HalfMessage,
    /// Sends half a message, and is gone.
    GoneMidway,
    /// Announces a message of 1 TB.
    HugeClaim,
    /// Announces as much as the server takes, and sends a little of it.
    LargeClaim,
    /// Sends tiny async messages as fast as it can, and is gone.
    Flood,
    /// Asks for 32 MB, again and again, and reads nothing.
    NoReader,
}

impl Attack {
    pub(crate) const ALL: [Self; 11] = [
        Self::Scan,
        Self::Http,
        Self::EndlessLogin,
        Self::SlowLogin,
        Self::LongLogin,
        Self::HalfMessage,
        Self::GoneMidway,
        Self::HugeClaim,
        Self::LargeClaim,
        Self::Flood,
        Self::NoReader,
    ];

    /// Attacks, and returns when it is cut off. An error is one that should not be.
    fn run(self, port: u16) -> io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        match self {
            Self::Scan => stream.shutdown(Shutdown::Both),
            Self::Http => {
                stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
                let answer = until_closed(&mut stream)?;
                expect(answer.starts_with(b"HTTP/1.1 501 "))
            }
            Self::EndlessLogin => {
                stream.write_all(b"mallory:pass")?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::SlowLogin => loop {
                let written = stream.write_all(b"x");
                if written.is_err() {
                    return closed_while_writing(written);
                }
                // What the attack is: the pace of somebody who wants to keep a place for long.
                thread::sleep(PACE);
            },
            Self::LongLogin => {
                closed_while_writing(stream.write_all(&vec![b'x'; 10_000_000]))?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::HalfMessage => {
                log_in(&mut stream)?;
                let message = message(vec![7_i64; 1000]);
                stream.write_all(&message[..message.len() / 2])?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::GoneMidway => {
                log_in(&mut stream)?;
                let message = message(vec![7_i64; 1000]);
                stream.write_all(&message[..message.len() / 2])
            }
            Self::LargeClaim => {
                log_in(&mut stream)?;
                stream.write_all(b"\x01\x01\0\0\0\0\0\x40")?;
                closed_while_writing(stream.write_all(&[0; 100_000]))?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::Flood => {
                log_in(&mut stream)?;
                let notices = notice(1_i64).repeat(1000);
                (0..100).try_for_each(|_| stream.write_all(&notices))?;
                // It is read to its end, and nothing is answered.
                stream.shutdown(Shutdown::Write)?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::HugeClaim => {
                log_in(&mut stream)?;
                stream.write_all(b"\x01\x01\0\xff\xff\xff\xff\xff")?;
                closed_while_writing(stream.write_all(&[0; 1000]))?;
                expect(until_closed(&mut stream)?.is_empty())
            }
            Self::NoReader => {
                log_in(&mut stream)?;
                let requests = message(LARGE).repeat(1000);
                loop {
                    let written = stream.write_all(&requests);
                    if written.is_err() {
                        return closed_while_writing(written);
                    }
                }
            }
        }
    }
}

/// What a siege came to.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// Each attack, how often it was made, and how long it took at most until it was cut off.
    pub(crate) attacks: Vec<(Attack, usize, Duration)>,
    /// How many answers the good clients got, and how long they took: half of them no longer than the
    /// first, and all of them no longer than the second.
    pub(crate) answers: usize,
    pub(crate) median: Duration,
    pub(crate) longest: Duration,
}

/// Attacks a port with so many connections of each kind at the same time, while `good` clients ask on
/// and on; each gets the answer to its question, or this fails.
pub(crate) fn attack(port: u16, each: usize, good: usize) -> Report {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let clients: Vec<_> = (0..good)
            .map(|client| {
                scope.spawn({
                    let is_over = &is_over;
                    move || ask(port, client, is_over)
                })
            })
            .collect();
        let attackers = Attack::ALL.map(|attack| {
            let threads = (0..each).map(|_| {
                scope.spawn(move || {
                    let start = Instant::now();
                    attack.run(port).map(|()| start.elapsed())
                })
            });
            (attack, threads.collect::<Vec<_>>())
        });
        let mut report = Report::default();
        let mut failed = Vec::new();
        for (attack, threads) in attackers {
            let count = threads.len();
            let mut longest = Duration::ZERO;
            for thread in threads {
                match thread.join().expect("it does not panic") {
                    Ok(time) => longest = longest.max(time),
                    Err(error) => failed.push((attack, error)),
                }
            }
            report.attacks.push((attack, count, longest));
        }
        is_over.store(true, Ordering::Relaxed);
        let times = clients.into_iter().map(|client| client.join());
        let mut times: Vec<Duration> = times.flat_map(|times| times.expect("answers")).collect();
        times.sort_unstable();
        report.answers = times.len();
        report.median = times.get(times.len() / 2).copied().unwrap_or_default();
        report.longest = times.last().copied().unwrap_or_default();
        assert!(failed.is_empty(), "not cut off: {failed:?}");
        report
    })
}

/// Asks until it is over, at least once, and returns how long each answer took.
fn ask(port: u16, client: usize, is_over: &AtomicBool) -> Vec<Duration> {
    let mut options = Options::new(Address::from(port));
    options.timeout = Some(PATIENCE);
    let mut handle = hopen(options).expect("it is let in");
    let mut times = Vec::new();
    loop {
        let question = Value::from(format!("question {} of client {client}", times.len()));
        let start = Instant::now();
        let answer = handle.get_timeout(question.clone(), PATIENCE);
        times.push(start.elapsed());
        assert_eq!(answer.expect("an answer"), question);
        if is_over.load(Ordering::Relaxed) {
            return times;
        }
    }
}

fn log_in(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"mallory\x06\0")?;
    stream.read_exact(&mut [0])
}

/// Reads until the server closes. It may also reset what it has not read.
fn until_closed(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read) {
        Err(error) if error.kind() != ErrorKind::ConnectionReset => Err(error),
        _ => Ok(read),
    }
}

/// Passes over the error of who writes to a connection that the server has closed.
fn closed_while_writing(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if !is_closed(&error) => Err(error),
        _ => Ok(()),
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
    )
}

fn expect(is_right: bool) -> io::Result<()> {
    if is_right {
        Ok(())
    } else {
        Err(io::Error::other("another answer than it should be"))
    }
}

fn message(query: impl Into<Value>) -> Vec<u8> {
    bytes(MessageKind::Sync, &query.into())
}

fn notice(message: impl Into<Value>) -> Vec<u8> {
    bytes(MessageKind::Async, &message.into())
}

fn bytes(kind: MessageKind, value: &Value) -> Vec<u8> {
    let mut outbox = Outbox::default();
    let body = Body::encode(value).expect("a value");
    Message::new(kind, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).to_vec()
}

/// The question whose answer has 32 MB.
const LARGE: &str = "large";

/// How long a slow login takes for each byte.
const PACE: Duration = Duration::from_millis(50);

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(120);
