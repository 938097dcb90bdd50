//! Clients that speak TLS, whose records are not those of the codec.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hopen_blocking::ListenOptions;
use hopen_blocking::server::{Decision, ServerOptions};
use hopen_codec::message::MessageKind;
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

use crate::support::{Running, message, read_to_end};

#[test]
fn who_does_not_send_a_record_to_its_end_is_cut_off_and_who_sends_nothing_is_not() {
    let mut options = ServerOptions::default();
    options.stall_timeout = Duration::from_millis(10);
    let server = encrypted(options);
    let mut tls = client().connect("localhost").unwrap();
    let mut idle = server.raw(b"");
    tls.writer().write_all(b"idle\x06\0").unwrap();
    while tls.is_handshaking() || tls.wants_write() {
        tls.complete_io(&mut idle).unwrap();
    }
    server.opened();
    let question = message(MessageKind::Sync, "x");
    // Of a message whose start has not come, and of one whose start has.
    for begun in [0, 3] {
        for length in [1, 4, 5, 20] {
            let mut tls = client().connect("localhost").unwrap();
            let mut stream = server.raw(b"");
            tls.writer().write_all(b"slow\x06\0").unwrap();
            tls.writer().write_all(&question[..begun]).unwrap();
            while tls.is_handshaking() || tls.wants_write() {
                tls.complete_io(&mut stream).unwrap();
            }
            tls.writer().write_all(&question[begun..]).unwrap();
            let mut record = Vec::new();
            tls.write_tls(&mut record).unwrap();
            stream.write_all(&record[..length]).unwrap();
            assert_eq!(
                server.closed().1,
                "timeout while waiting for the rest of a message",
                "{length} bytes behind {begun}"
            );
            read_to_end(&mut stream);
        }
    }
    // It has sent nothing for as long, and is answered all the same.
    tls.writer().write_all(&question).unwrap();
    let answer = message(MessageKind::Response, "x");
    let mut read = vec![0; 1 + answer.len()];
    let mut come = 0;
    while come < read.len() {
        tls.complete_io(&mut idle).unwrap();
        come += tls.reader().read(&mut read[come..]).unwrap_or(0);
    }
    assert!(read.ends_with(&answer));
    assert_eq!(server.stop(), 0);
}

fn encrypted(options: ServerOptions) -> Running {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    let mut listen = ListenOptions::try_from("localhost:0W").unwrap();
    listen.mode = ServerMode::Tls;
    listen.tls = Some(Server::new(&settings).unwrap());
    Running::listening(listen, options, |_| Decision::Accept)
}

fn client() -> Client {
    let mut settings = Settings::default();
    settings.verify_server = VerifyServer::Off;
    Client::new(&settings).unwrap()
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}
