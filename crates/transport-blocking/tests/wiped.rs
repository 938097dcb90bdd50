//! After a login no copy of its password is left in this process: all of its memory is searched.
//!
//! A test keeps its password masked, and the other side sends and takes it byte by byte.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use hopen_blocking::{Channel, ListenOptions, Listener, UnixSocket, hopen};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use memchr::memchr_iter;
use zeroize::Zeroize;

#[test]
fn a_client_leaves_no_copy_of_its_password() {
    let _turn = turn();
    let password = Masked::new(1);
    let credentials = Credentials::new("ann", password.shown()).expect("no NUL");
    assert_ne!(password.copies(), 0, "what is there is found");
    let (port, server) = server();
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
    let channel = Channel::tcp(stream).expect("a connection");
    let handle = channel.log_in(&credentials, Config::client(), None);
    drop(credentials);
    assert_eq!(password.copies(), 0, "while the handle is open");
    drop(handle.expect("it is let in"));
    server.join().expect("it lets everybody in");
}

#[test]
fn a_handle_that_is_given_as_a_text_leaves_no_copy_but_that_text() {
    let _turn = turn();
    let password = Masked::new(2);
    let (port, server) = server();
    let mut text = Vec::with_capacity(300);
    text.extend_from_slice(format!(":localhost:{port}:ann:").as_bytes());
    password.append_to(&mut text);
    let mut text = String::from_utf8(text).expect("it is ASCII");
    let handle = hopen(text.as_str());
    assert_eq!(password.copies(), 1, "the text");
    text.zeroize();
    assert_eq!(password.copies(), 0);
    drop(handle.expect("it is let in"));
    server.join().expect("it lets everybody in");
}

#[test]
fn a_server_leaves_no_copy_of_a_password() {
    let _turn = turn();
    let password = Masked::new(3);
    let mut options = ListenOptions::new("localhost:0W".parse().expect("an address"));
    options.unix = UnixSocket::None;
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let client = thread::spawn(move || {
        let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a server");
        server.write_all(b"ann:").expect("a server that reads");
        for byte in password.bytes() {
            server.write_all(&[byte]).expect("a server that reads");
        }
        server.write_all(b"\x06\0").expect("a server that reads");
        server.read_exact(&mut [0]).expect("it is accepted");
        server
    });
    let channel = listener.accept().expect("a client");
    let login = channel.receive_login(Config::server(), None);
    let login = login.expect("a login");
    assert_eq!(password.copies(), 1, "what the program is shown");
    let handle = login.accept();
    assert_eq!(password.copies(), 0, "while the handle is open");
    drop(handle.expect("a client"));
    client.join().expect("it is let in");
}

/// Lets a client in, and waits until it has closed.
fn server() -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let thread = thread::spawn(move || {
        let (mut client, _) = listener.accept().expect("a client");
        let mut byte = [1];
        while byte != [0] {
            client.read_exact(&mut byte).expect("a login");
        }
        client.write_all(&[6]).expect("a client that reads");
        let end = client.read(&mut byte).expect("its end");
        assert_eq!(end, 0);
    });
    (port, thread)
}

/// Searching makes copies, of the passwords of others too.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A password that is in memory only where somebody has written it out.
#[derive(Clone, Copy)]
struct Masked {
    number: u8,
}

impl Masked {
    const LENGTH: usize = 200;
    /// How many letters at its end are looked for: memory that was given back without being
    /// overwritten begins with what the allocator has written there.
    const SOUGHT: usize = 24;

    /// Each test has another.
    const fn new(number: u8) -> Self {
        Self { number }
    }

    /// Returns its letters.
    fn bytes(self) -> impl Iterator<Item = u8> {
        (1..).take(Self::LENGTH).map(move |place: u32| {
            let mixed = (place << 8 | u32::from(self.number)).wrapping_mul(0x9e37_79b1);
            b'A' + (mixed >> 16) as u8 % 26
        })
    }

    fn shown(self) -> Vec<u8> {
        let mut shown = Vec::with_capacity(Self::LENGTH);
        self.append_to(&mut shown);
        shown
    }

    fn append_to(self, room: &mut Vec<u8>) {
        assert!(room.capacity() - room.len() >= Self::LENGTH, "no copy");
        room.extend(self.bytes());
    }

    /// Counts the copies in all memory of this process that can be written to.
    fn copies(self) -> usize {
        let memory = File::open("/proc/self/mem").expect("our own memory");
        let maps = fs::read_to_string("/proc/self/maps").expect("our own memory");
        // The copies that searching makes are all in here.
        let mut window = vec![0; WINDOW + Self::SOUGHT - 1];
        let own = window.as_ptr_range();
        let own = own.start.addr()..own.end.addr();
        let sought = || self.bytes().skip(Self::LENGTH - Self::SOUGHT);
        let first = sought().next().expect("it is not empty");
        let mut copies = 0;
        for area in maps.lines().filter_map(writable) {
            for start in area.clone().step_by(WINDOW) {
                let length = window.len().min(area.end - start);
                let seen = &mut window[..length];
                // What another thread has given back meanwhile is not there.
                if memory.read_exact_at(seen, start as u64).is_err() {
                    continue;
                }
                let found = memchr_iter(first, seen).filter(|&at| {
                    let there = seen[at..].iter().take(Self::SOUGHT).copied();
                    at < WINDOW && !own.contains(&(start + at)) && there.eq(sought())
                });
                copies += found.count();
            }
        }
        window.zeroize();
        copies
    }
}

/// Returns where a line of the map says that memory can be read and written.
fn writable(line: &str) -> Option<std::ops::Range<usize>> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    rest.starts_with("rw").then_some(())?;
    Some(address(start)?..address(end)?)
}

/// How much memory is looked at at once.
const WINDOW: usize = 1024 * 1024;
