//! Handles against a scripted server: a thread that reads what is expected and writes fixed bytes.

use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use hopen_blocking::{Error, Handle, Options, Phase, hopen, one_shot};
use hopen_codec::address::Address;
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Guid, Value};
use socket2::SockRef;

mod server;

use server::{PATIENCE, Peer, Server, bytes, message};

#[test]
fn a_question_is_answered() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"ann:se:cret\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "2+3"));
        peer.send(&message(MessageKind::Response, 5_i64));
        peer.expect_end();
    });
    let mut handle = hopen(&*spelled(&server, ":ann:se:cret")).unwrap();
    assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64));
    assert_eq!(handle.close(), 0);
    server.finish();
}

#[test]
fn a_response_may_come_with_the_login_s_answer_and_in_single_bytes() {
    let server = Server::start(|mut peer| {
        peer.expect(b"\x06\0");
        let mut bytes = vec![3];
        bytes.extend(message(MessageKind::Async, 1_i64));
        peer.send(&bytes);
        peer.expect(&message(MessageKind::Sync, "til 3"));
        for byte in message(MessageKind::Response, vec![0_i64, 1, 2]) {
            peer.send(&[byte]);
        }
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("til 3").unwrap(), Value::from(vec![0_i64, 1, 2]));
    assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn what_arrives_before_the_answer_is_kept_and_a_question_of_the_server_declined() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "go"));
        peer.send(&message(MessageKind::Async, "first"));
        peer.send(&message(MessageKind::Sync, "who?"));
        peer.send(&message(MessageKind::Async, "second"));
        let error = RemoteError::new("nyi: this client answers no requests").unwrap();
        peer.expect(&bytes(MessageKind::Response, Body::error(&error)));
        peer.send(&message(MessageKind::Response, "done"));
        peer.send(&message(MessageKind::Async, "third"));
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("go").unwrap(), Value::from("done"));
    for text in ["first", "second", "third"] {
        assert_eq!(handle.recv().unwrap(), Value::from(text));
    }
    assert!(matches!(handle.recv(), Err(Error::Closed)));
    server.finish();
}

#[test]
fn a_question_of_the_server_is_declined_also_while_an_update_is_awaited() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.send(&message(MessageKind::Sync, "who?"));
        let error = RemoteError::new("nyi: this client answers no requests").unwrap();
        peer.expect(&bytes(MessageKind::Response, Body::error(&error)));
        peer.send(&message(MessageKind::Async, "news"));
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.recv().unwrap(), Value::from("news"));
    server.finish();
}

#[test]
fn what_is_set_goes_out_before_the_next_question() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Async, (sym!("upd"), 1_i64)));
        peer.expect(&message(MessageKind::Sync, "count"));
        peer.send(&message(MessageKind::Response, 1_i64));
        peer.expect(&message(MessageKind::Async, vec![7_i64; 100_000]));
        peer.expect_end();
    });
    let mut handle = hopen(server.port).unwrap();
    handle.set((sym!("upd"), 1_i64)).unwrap();
    assert_eq!(handle.get("count").unwrap(), Value::from(1_i64));
    handle.set(vec![7_i64; 100_000]).unwrap(); // more than 64 KiB: written at once
    handle.set("lost").unwrap();
    assert_eq!(handle.close(), message(MessageKind::Async, "lost").len());
    server.finish();
}

#[test]
fn an_error_of_the_server_leaves_the_handle_in_step() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "a+`b"));
        let error = RemoteError::new("type").unwrap();
        peer.send(&bytes(MessageKind::Response, Body::error(&error)));
        peer.expect(&message(MessageKind::Sync, "bad"));
        peer.send(b"\x01\x02\0\0\x0a\0\0\0\x03\0"); // no type is 3
        peer.expect(&message(MessageKind::Sync, "1"));
        peer.send(&message(MessageKind::Response, 1_i64));
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.get("a+`b").unwrap_err().to_string(), "type");
    let error = handle.get("bad").unwrap_err();
    assert_eq!(error.to_string(), "badmsg: at byte 8: unknown type 3");
    assert_eq!(handle.get("1").unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn what_the_server_does_not_understand_is_not_sent() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 1);
        peer.expect(&message(MessageKind::Sync, "1"));
        peer.send(&message(MessageKind::Response, 1_i64));
    });
    let mut handle = hopen(server.port).unwrap();
    let error = handle.get(Guid([1; 16])).unwrap_err();
    assert!(
        matches!(error, Error::Send(SendError::Encode(_))),
        "{error}"
    );
    assert_eq!(handle.get("1").unwrap(), Value::from(1_i64));
    server.finish();
}

#[test]
fn nobody_is_told_why_a_login_fails() {
    let server = Server::start(|mut peer| peer.expect(b"ann:wrong\x06\0"));
    let error = hopen(&*spelled(&server, ":ann:wrong")).unwrap_err();
    assert!(matches!(error, Error::Access), "{error:?}");
    assert_eq!(error.to_string(), "access");
    server.finish();
}

#[test]
fn a_login_that_is_not_even_read_is_refused() {
    let server = Server::start(|peer| {
        // It is there, and closing over it resets the connection.
        peer.0.peek(&mut [0]).expect("a login");
    });
    let error = hopen(server.port).unwrap_err();
    assert!(matches!(error, Error::Access), "{error:?}");
    server.finish();
}

#[test]
fn no_time_and_all_time_are_no_time_out() {
    for timeout in [
        Duration::ZERO,
        Duration::MAX,
        Duration::from_secs(u64::MAX / 4),
    ] {
        let server = Server::start(|mut peer| peer.log_in(b"\x06\0", 6));
        let opened = hopen((server.port, timeout));
        assert!(opened.is_ok(), "{timeout:?}: {opened:?}");
        server.finish();
    }
}

#[test]
fn a_handle_is_spelled_in_any_kind_of_string() {
    for n in 0..3 {
        let server = Server::start(|mut peer| peer.log_in(b"ann\x06\0", 6));
        let text = spelled(&server, ":ann");
        let opened = match n {
            0 => hopen(text.as_str()),
            1 => hopen(&text),
            _ => hopen((text, PATIENCE)),
        };
        opened.unwrap();
        server.finish();
    }
    assert!(matches!(hopen(String::new()), Err(Error::Address(_))));
}

#[test]
fn a_server_that_does_not_answer_is_waited_for_as_long_as_was_said() {
    let server = Server::start(|mut peer| {
        peer.expect(b"\x06\0");
        peer.expect_end();
    });
    let error = hopen((server.port, Duration::from_secs(1))).unwrap_err();
    assert!(matches!(error, Error::Timeout(Phase::Login)), "{error:?}");
    assert_eq!(error.to_string(), "timeout while logging in");
    server.finish();
}

#[test]
fn nobody_listening_is_said_as_q_says_it() {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let error = hopen(&*format!(":127.0.0.1:{port}")).unwrap_err();
    assert_eq!(error.to_string(), "hop. OS reports: Connection refused");
    let error = hopen("localhost:5010").unwrap_err();
    assert_eq!(
        error.to_string(),
        "a handle starts with a colon: write :localhost:5010"
    );
}

#[test]
fn a_close_in_the_middle_is_told_apart_from_one_between_messages() {
    let response = message(MessageKind::Response, vec![1_i64, 2, 3]);
    for end in 0..response.len() {
        let part = response[..end].to_vec();
        let server = Server::start(move |mut peer| {
            peer.log_in(b"\x06\0", 6);
            peer.expect(&message(MessageKind::Sync, "x"));
            peer.send(&part);
        });
        let error = hopen(server.port).unwrap().get("x").unwrap_err();
        let Error::Protocol(error) = error else {
            panic!("{error}")
        };
        match end {
            0 => assert_eq!(error, ProtocolError::ClosedBeforeResponse),
            _ => assert!(matches!(error, ProtocolError::Truncated { .. }), "{error}"),
        }
        server.finish();
    }
}

#[test]
fn more_async_messages_than_are_kept_end_the_wait_and_those_kept_come_out() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        let asyncs = [1_i64, 2, 3, 4].map(|n| message(MessageKind::Async, vec![n; 100]));
        peer.send(&asyncs.concat());
        peer.expect_end();
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.kept_asyncs = 1500;
    let mut handle = hopen(options).unwrap();
    let error = handle.get("x").unwrap_err();
    assert!(
        matches!(error, Error::KeptAsyncs { limit: 1500 }),
        "{error}"
    );
    for n in [1_i64, 2] {
        assert_eq!(handle.recv().unwrap(), Value::from(vec![n; 100]));
    }
    assert!(matches!(handle.recv(), Err(Error::KeptAsyncs { .. })));
    drop(handle);
    server.finish();
}

#[test]
fn small_async_messages_count_what_keeping_them_takes() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        peer.send(&message(MessageKind::Async, true).repeat(6000));
        peer.send(&message(MessageKind::Response, true));
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.kept_asyncs = 1024 * 1024;
    let mut handle = hopen(options).unwrap();
    let error = handle.get("x").unwrap_err();
    assert!(matches!(error, Error::KeptAsyncs { .. }), "{error}");
    server.finish();
}

#[test]
fn what_was_received_makes_room_for_what_is_kept_next() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        for n in 0..10_i64 {
            peer.expect(&message(MessageKind::Sync, "x"));
            peer.send(&message(MessageKind::Async, vec![n; 100]));
            peer.send(&message(MessageKind::Response, n));
        }
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.kept_asyncs = 1500;
    let mut handle = hopen(options).unwrap();
    for n in 0..10_i64 {
        assert_eq!(handle.get("x").unwrap(), Value::from(n));
        assert_eq!(handle.recv().unwrap(), Value::from(vec![n; 100]));
    }
    server.finish();
}

#[test]
fn what_is_set_goes_out_before_something_is_waited_for() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Async, "subscribe"));
        peer.send(&message(MessageKind::Async, "update"));
    });
    let mut handle = hopen(server.port).unwrap();
    handle.set("subscribe").unwrap();
    assert_eq!(handle.recv().unwrap(), Value::from("update"));
    server.finish();
}

#[test]
fn what_has_arrived_is_received_though_writing_fails() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        let asyncs = [1_i64, 2, 3].map(|n| message(MessageKind::Async, n));
        peer.send(&asyncs.concat());
    });
    let mut handle = hopen(server.port).unwrap();
    assert_eq!(handle.recv().unwrap(), Value::from(1_i64));
    server.finish();
    let error = set_until_it_fails(&mut handle);
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    for n in [2_i64, 3] {
        assert_eq!(handle.recv().unwrap(), Value::from(n));
    }
    assert!(matches!(handle.recv(), Err(Error::Io { .. })));
}

#[test]
fn whatever_ends_a_handle_every_later_call_says_so() {
    for ending in ENDINGS {
        let server = Server::start(move |mut peer| {
            peer.log_in(b"\x06\0", 6);
            (ending.script)(peer);
        });
        let mut options = Options::new(Address::from(server.port));
        options.config.limits.kept_asyncs = 0;
        let mut handle = hopen(options).unwrap();
        let error = (ending.call)(&mut handle).unwrap_err();
        assert!((ending.is_right)(&error), "{}: {error:?}", ending.name);
        for _ in 0..2 {
            for ended in [
                handle.get("x").map(drop),
                handle.set("x"),
                handle.flush(),
                handle.recv().map(drop),
            ] {
                let later = ended.unwrap_err();
                assert!((ending.is_right)(&later), "{}: {later:?}", ending.name);
                assert_eq!(later.to_string(), error.to_string());
            }
        }
        drop(handle);
        server.finish();
    }
}

/// A way for a handle to end.
struct Ending {
    name: &'static str,
    script: fn(Peer),
    call: fn(&mut Handle) -> Result<(), Error>,
    is_right: fn(&Error) -> bool,
}

const ENDINGS: [Ending; 8] = [
    Ending {
        name: "a response to nothing",
        script: |mut peer| {
            peer.send(&message(MessageKind::Response, 1_i64));
            peer.expect_end();
        },
        call: |handle| handle.recv().map(drop),
        is_right: |error| matches!(error, Error::Protocol(ProtocolError::UnexpectedResponse)),
    },
    Ending {
        name: "a header that is none",
        script: |mut peer| {
            peer.send(b"HTTP/1.1 400");
            peer.expect_end();
        },
        call: |handle| handle.recv().map(drop),
        is_right: |error| matches!(error, Error::Protocol(ProtocolError::Frame(_))),
    },
    Ending {
        name: "a close before the response",
        script: |mut peer| peer.expect(&message(MessageKind::Sync, "x")),
        call: |handle| handle.get("x").map(drop),
        is_right: |error| matches!(error, Error::Protocol(ProtocolError::ClosedBeforeResponse)),
    },
    Ending {
        name: "a close in the middle",
        script: |mut peer| peer.send(b"\x01\0\0\0"),
        call: |handle| handle.recv().map(drop),
        is_right: |error| matches!(error, Error::Protocol(ProtocolError::Truncated { .. })),
    },
    Ending {
        name: "more asyncs than are kept",
        script: |mut peer| {
            peer.expect(&message(MessageKind::Sync, "x"));
            peer.send(&message(MessageKind::Async, 1_i64).repeat(2));
            peer.expect_end();
        },
        call: |handle| {
            let ended = handle.get("x").map(drop);
            assert_eq!(handle.recv().expect("it was kept"), Value::from(1_i64));
            ended
        },
        is_right: |error| matches!(error, Error::KeptAsyncs { limit: 0 }),
    },
    Ending {
        name: "a read that fails",
        script: |mut peer| {
            peer.expect(&message(MessageKind::Sync, "x"));
            let at_once = Some(Duration::ZERO);
            SockRef::from(&peer.0)
                .set_linger(at_once)
                .expect("a socket");
        },
        call: |handle| handle.get("x").map(drop),
        is_right: |error| matches!(error, Error::Io { .. }),
    },
    Ending {
        name: "a write that fails",
        script: drop,
        call: |handle| Err(set_until_it_fails(handle)),
        is_right: |error| matches!(error, Error::Io { .. }),
    },
    Ending {
        name: "a close",
        script: drop,
        call: |handle| handle.recv().map(drop),
        is_right: |error| matches!(error, Error::Closed),
    },
];

#[test]
fn a_message_above_the_limit_ends_the_connection() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "x"));
        peer.send(b"\x01\x02\0\xff\xff\xff\xff\xff"); // 1 TiB less a byte
        peer.expect_end();
    });
    let mut options = Options::new(Address::from(server.port));
    options.config.limits.message = 1024 * 1024;
    let error = hopen(options).unwrap().get("x").unwrap_err();
    assert!(
        matches!(error, Error::Protocol(ProtocolError::Frame(_))),
        "{error}"
    );
    server.finish();
}

#[test]
fn one_shot_asks_and_closes() {
    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "1+1"));
        peer.send(&message(MessageKind::Response, 2_i64));
        peer.expect_end();
    });
    assert_eq!(one_shot(server.port, "1+1").unwrap(), Value::from(2_i64));
    server.finish();
}

/// Returns the handle of a server as q spells it.
fn spelled(server: &Server, credentials: &str) -> String {
    format!(":127.0.0.1:{}{credentials}", server.port)
}

/// Writes to a peer that has closed, until its system has said so.
fn set_until_it_fails(handle: &mut Handle) -> Error {
    loop {
        if let Err(error) = handle.set("x").and_then(|()| handle.flush()) {
            return error;
        }
    }
}

/// Of sockets that keep what is written apart.
#[cfg(target_os = "linux")]
#[test]
fn what_was_set_goes_with_the_question_behind_it_in_one_write() {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use hopen_blocking::Channel;
    use hopen_codec::auth::Credentials;
    use hopen_codec::config::Config;
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let mut peer = UnixStream::from(theirs);
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let expected = [
        message(MessageKind::Async, "a"),
        message(MessageKind::Async, "b"),
        message(MessageKind::Sync, "c"),
    ];
    let server = thread::spawn(move || {
        let mut read = [0; 1000];
        let login = peer.read(&mut read).unwrap();
        assert_eq!(read[..login], *b"\x06\0");
        peer.write_all(b"\x06").unwrap();
        let count = peer.read(&mut read).unwrap();
        assert_eq!(read[..count], expected.concat());
        peer.write_all(&message(MessageKind::Response, 1_i64))
            .unwrap();
    });
    let channel = Channel::unix(UnixStream::from(ours));
    let mut handle = channel
        .log_in(&Credentials::default(), Config::client(), Some(PATIENCE))
        .unwrap();
    handle.set("a").unwrap();
    handle.set("b").unwrap();
    assert_eq!(handle.get("c").unwrap(), Value::from(1_i64));
    server.join().unwrap();
}
