//! What all clients talk to: takes any login, and has its answers ready.
//!
//! | question | answer |
//! | --- | --- |
//! | the name of a workload | its message |
//! | [`EXPECT`] and such a name | 0; from now on an async message counts if it is that one |
//! | anything else, such as [`COUNT`] | how many async messages have counted since the last question |
//!
//! The function that a message calls may be named by a symbol or by a text: q takes both, and some
//! libraries write only texts.

use std::collections::HashMap;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;

use super::{Address, IDS, Medium};
use crate::workloads::{self, Workload};

/// Before the name of a workload: asks to count its message.
pub(super) const EXPECT: &str = "expect ";

/// Asks how many messages have come.
pub(super) const COUNT: &str = "count";

/// The option that starts such a process.
pub const SERVE: &str = "--serve";

/// A server in a process of its own, which ends with this.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Starts one with the workloads in some size.
    ///
    /// # Errors
    ///
    /// Where the process cannot be started or ends at once.
    pub fn start(scale: f64) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["--scale", &scale.to_string(), SERVE])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut port = String::new();
        let output = child.stdout.take().ok_or("a pipe")?;
        BufReader::new(output).read_line(&mut port)?;
        let port = port.trim().parse()?;
        Ok(Self { child, port })
    }

    pub const fn address(&self, medium: Medium) -> Address {
        let port = self.port;
        Address { medium, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Serves until this process's input ends. Says the port.
///
/// # Errors
///
/// Where there is no port or socket to listen on.
pub fn serve(scale: f64) -> Result<(), Box<dyn Error>> {
    let workloads = Arc::new(Workloads::build(scale));
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = tcp.local_addr()?.port();
    let name = SocketAddr::from_abstract_name(format!("/tmp/kx.{port}"))?;
    let unix = UnixListener::bind_addr(&name)?;
    let shared = Arc::clone(&workloads);
    thread::spawn(move || {
        for stream in tcp.incoming().flatten() {
            let _ = stream.set_nodelay(true);
            let workloads = Arc::clone(&shared);
            thread::spawn(move || converse(stream, &workloads));
        }
    });
    thread::spawn(move || {
        for stream in unix.incoming().flatten() {
            let workloads = Arc::clone(&workloads);
            thread::spawn(move || converse(stream, &workloads));
        }
    });
    println!("{port}");
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

/// Talks to a client until it closes.
fn converse(stream: impl Read + Write, workloads: &Workloads) -> io::Result<()> {
    let mut stream = BufReader::with_capacity(READ_AT_ONCE, stream);
    stream.read_until(0, &mut Vec::new())?;
    stream.get_mut().write_all(&[CAPABILITY])?;
    let mut clerk = Clerk::new(workloads);
    let mut spare = Vec::new();
    while !stream.fill_buf()?.is_empty() {
        let whole = length(stream.buffer()).and_then(|length| stream.buffer().get(..length));
        let (answer, used) = match whole {
            Some(message) => (clerk.take(message), message.len()),
            // It is in more than one read.
            None => {
                spare.resize(HEADER, 0);
                stream.read_exact(&mut spare)?;
                let length = length(&spare).ok_or(io::ErrorKind::InvalidData)?;
                spare.resize(length, 0);
                stream.read_exact(&mut spare[HEADER..])?;
                (clerk.take(&spare), 0)
            }
        };
        stream.consume(used);
        match answer {
            None => {}
            Some(Answer::Ready(message)) => stream.get_mut().write_all(message)?,
            Some(Answer::Count(count)) => stream.get_mut().write_all(&workloads::answer(count))?,
        }
    }
    Ok(())
}

/// Returns the length of the message that begins here, as far as that has come.
fn length(message: &[u8]) -> Option<usize> {
    let length = message.get(4..HEADER)?;
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    (length > HEADER).then_some(length)
}

/// Knows what has come over one connection.
struct Clerk<'a> {
    workloads: &'a Workloads,
    /// What counts, in both forms.
    expected: [Vec<u8>; 2],
    count: i64,
}

enum Answer<'a> {
    Ready(&'a [u8]),
    Count(i64),
}

impl<'a> Clerk<'a> {
    const fn new(workloads: &'a Workloads) -> Self {
        Self {
            workloads,
            expected: [Vec::new(), Vec::new()],
            count: 0,
        }
    }

    fn take(&mut self, message: &[u8]) -> Option<Answer<'a>> {
        if message[1] == 0 {
            let counts = self.expected.iter().any(|body| *body == message[HEADER..]);
            self.count += i64::from(counts);
            return None;
        }
        let text = message
            .get(TEXT..)
            .and_then(|text| str::from_utf8(text).ok());
        let text = text.unwrap_or_default();
        if let Some(workload) = self.workloads.0.get(text) {
            return Some(Answer::Ready(&workload.message));
        }
        if let Some(id) = text.strip_prefix(EXPECT) {
            let workload = self.workloads.0.get(id);
            let body = workload.map_or(&[][..], |workload| &workload.message[HEADER..]);
            self.expected = [body.to_vec(), named_by_text(body)];
        }
        Some(Answer::Count(std::mem::take(&mut self.count)))
    }
}

/// Returns a call of `upd` with the name as text.
fn named_by_text(body: &[u8]) -> Vec<u8> {
    let (list, items) = body.split_at(body.len().min(6));
    match items.strip_prefix(b"\xf5upd\0") {
        Some(arguments) => [list, b"\x0a\0\x03\0\0\0upd", arguments].concat(),
        None => body.to_vec(),
    }
}

struct Workloads(HashMap<&'static str, Workload>);

impl Workloads {
    fn build(scale: f64) -> Self {
        Self(IDS.map(|id| (id, workloads::build(id, scale))).into())
    }
}

/// The capability that is agreed on: timestamps, and no message beyond 2 GB.
const CAPABILITY: u8 = 3;

const HEADER: usize = 8;

/// Where the characters of a text begin.
const TEXT: usize = HEADER + 6;

/// As much as makes no client wait for the server's reading.
const READ_AT_ONCE: usize = 256 * 1024;
