//! How many connections `hopen serve` takes. By itself, as it takes nearly all files that a process may
//! commonly open.

#![cfg(unix)]

#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[allow(dead_code, reason = "this test needs less of it than others")]
#[cfg(test)]
mod serving;

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};
use serving::Serving;

#[test]
fn a_thousand_connections_are_served_and_one_more_is_closed_at_once() {
    let files = getrlimit(Resource::Nofile).current;
    if files.is_some_and(|files| files < 1024) {
        println!("skipped: a process may open {files:?} files here");
        return;
    }
    let serving = Serving::start(&[]);
    let mut connections: Vec<_> = (0..1000)
        .map(|_| log_in(serving.port()).expect("it is let in"))
        .collect();
    log_in(serving.port()).expect_err("there is no place");
    let complaint = serving.complaint();
    assert!(
        complaint.ends_with(": closed: 1000 connections are open"),
        "{complaint}"
    );
    // Nobody else has noticed, and a place that is given back is taken again.
    let mut first = connections.swap_remove(0);
    first.write_all(CLOSE).expect("it is open");
    assert_eq!(first.read(&mut [0]).expect("its end"), 0);
    let last = connections.last_mut().expect("many");
    last.write_all(b"\x01\x01\0\0\x0a\0\0\0\xff\x01")
        .expect("it is open");
    last.read_exact(&mut [0; 8]).expect("an answer");
    let again = loop {
        // The place is given back a moment after the end.
        if let Ok(connection) = log_in(serving.port()) {
            break connection;
        }
    };
    drop((connections, again));
}

/// Connects and is let in.
fn log_in(port: u16) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.write_all(b"\x03\0")?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

/// A header that is none, which ends a connection.
const CLOSE: &[u8] = b"\xff\xff\xff\xff\xff\xff\xff\xff";
