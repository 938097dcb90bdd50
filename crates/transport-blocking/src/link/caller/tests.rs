use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hopen_codec::auth::Credentials;
use hopen_codec::config::{Compression, Config};
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

use super::*;
use crate::Channel;

#[test]
fn who_takes_an_answer_slowly_over_tls_takes_it_to_its_end() {
    let (from_client, to_server) = io::pipe().unwrap();
    let (from_server, to_client) = io::pipe().unwrap();
    let client = thread::spawn(move || {
        let mut settings = Settings::default();
        settings.verify_server = VerifyServer::Off;
        let tls = Client::new(&settings).unwrap();
        let channel = Channel::new(from_server, to_server).unwrap();
        let channel = channel.start_tls(&tls, "localhost", None).unwrap();
        let nobody = Credentials::default();
        let mut handle = channel.log_in(&nobody, Config::client(), None).unwrap();
        handle.get("x").unwrap()
    });
    let is_slow = Arc::new(AtomicBool::new(false));
    let writer = Slow {
        is_slow: Arc::clone(&is_slow),
        writer: to_client,
    };
    let channel = Channel::new(from_client, writer).unwrap();
    let channel = channel.accepting(ServerMode::Tls, Some(server()));
    let mut config = Config::server();
    config.compression = Compression::Never;
    let login = channel.receive_login(config, None).unwrap();
    let (link, mut intake, _) = login.accept().unwrap().into_parts();
    let mut caller = Caller::reading(&link, &mut intake);
    let Some(Kept::Request(ticket, _)) = caller.serve(PATIENCE).unwrap() else {
        panic!("it asks")
    };
    // What is encrypted at once takes longer to be written than nothing may move.
    is_slow.store(true, Ordering::SeqCst);
    let answer = Value::from(vec![7_u8; 256 * 1024]);
    let answered = caller.respond_in_time(ticket, Ok(&answer), 4 * EACH);
    answered.unwrap();
    assert!(client.join().unwrap() == answer);
}

/// Takes its time for each piece, when it is told to.
struct Slow<W> {
    is_slow: Arc<AtomicBool>,
    writer: W,
}

impl<W: Write> Write for Slow<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.is_slow.load(Ordering::SeqCst) {
            thread::sleep(EACH);
        }
        self.writer.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

fn server() -> Server {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixtures.join("server.pem"));
    settings.key_file = Some(fixtures.join("server-key.pem"));
    Server::new(&settings).expect("they belong together")
}

/// How long each 64 KiB take.
const EACH: Duration = Duration::from_millis(300);

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);
