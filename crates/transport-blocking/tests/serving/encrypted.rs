//! Clients that speak TLS, whose records are not those of the codec.

use std::io::Write;
use std::sync::mpsc;
use std::time::Duration;

use hopen_blocking::ListenOptions;
use hopen_blocking::server::{Decision, ServerOptions, TextProtocol};
use hopen_codec::message::MessageKind;
use hopen_tls::ServerMode;

use crate::desk::Login;
use crate::support::{PATIENCE, Running, expect, message, read_to_end};
use crate::tls_peer::{self, Peer};

#[test]
fn who_does_not_send_a_record_to_its_end_is_cut_off_and_who_sends_nothing_is_not() {
    let mut options = ServerOptions::default();
    options.stall_timeout = Duration::from_millis(10);
    let server = encrypted(options);
    let mut idle = Peer::client(server.raw(b""));
    idle.write(b"idle\x06\0");
    expect(&mut idle, b"\x06");
    let question = message(MessageKind::Sync, "x");
    // Of a message whose start has not come, and of one whose start has.
    for begun in [0, 3] {
        for length in [1, 4, 5, 20] {
            let mut slow = Peer::client(server.raw(b""));
            slow.write(&[b"slow\x06\0", &question[..begun]].concat());
            let record = slow.record(&question[begun..]);
            slow.stream.write_all(&record[..length]).unwrap();
            assert_eq!(
                server.closed().1,
                "timeout while waiting for the rest of a message",
                "{length} bytes behind {begun}"
            );
            read_to_end(&mut slow.stream);
        }
    }
    // It has sent nothing for as long, and is answered all the same.
    idle.write(&question);
    expect(&mut idle, &message(MessageKind::Response, "x"));
    assert_eq!(server.stop(), 0);
}

#[test]
fn who_has_not_logged_in_when_the_server_stops_is_told_the_end() {
    let (sender, asked) = mpsc::channel();
    let mut options = ServerOptions::default();
    options.text = TextProtocol::On;
    let server = encrypted_with(options, move |_| {
        sender.send(()).unwrap();
        Decision::Accept
    });
    let mut slow = Peer::client(server.raw(b""));
    // What it speaks is still to be found out when it is welcome.
    slow.write(b"slow\0");
    asked.recv_timeout(PATIENCE).unwrap();
    server.control.stop(PATIENCE);
    assert!(slow.hears_the_end());
    assert_eq!(server.ended(), 0);
}

fn encrypted(options: ServerOptions) -> Running {
    encrypted_with(options, |_| Decision::Accept)
}

fn encrypted_with(
    options: ServerOptions,
    login: impl Fn(&Login) -> Decision + Send + Sync + 'static,
) -> Running {
    let mut listen = ListenOptions::try_from("localhost:0W").unwrap();
    listen.mode = ServerMode::Tls;
    listen.tls = Some(tls_peer::server());
    Running::listening(listen, options, login)
}
