use core::pin::Pin;
use core::time::Duration;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_io::{AsyncRead, AsyncWrite};
use hopen_codec::auth::Credentials;
use hopen_codec::backlog::Kept;
use hopen_codec::config::{Compression, Config};
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};
use smol::future::zip;

use super::*;
use crate::Channel;

#[test]
fn who_takes_an_answer_slowly_over_tls_takes_it_to_its_end() {
    let (to_server, to_client) = (Pipe::default(), Pipe::default());
    let client = async {
        let mut settings = Settings::default();
        settings.verify_server = VerifyServer::Off;
        let tls = Client::new(&settings).unwrap();
        let channel = Channel::of_pair(to_client.clone(), to_server.clone());
        let channel = channel.start_tls(&tls, "localhost", None).await.unwrap();
        let nobody = Credentials::default();
        let handle = channel.log_in(&nobody, Config::client(), None).await;
        handle.unwrap().get("x").await.unwrap()
    };
    let answer = Value::from(vec![7_u8; 256 * 1024]);
    let served = async {
        let channel = Channel::of_pair(to_server.clone(), to_client.clone());
        let channel = channel.accepting(ServerMode::Tls, Some(server()));
        let mut config = Config::server();
        config.compression = Compression::Never;
        let login = channel.receive_login(config, None).await.unwrap();
        let (link, _) = login.accept().await.unwrap().into_parts();
        let caller = Caller::new(&link, Reader::Here);
        let Some(Kept::Request(ticket, _)) = caller.serve(Duration::MAX).await.unwrap() else {
            panic!("it asks")
        };
        to_client.drips.store(true, Ordering::SeqCst);
        // No time at all: something has to go whenever that is looked at.
        let answered = caller.respond_in_time(ticket, Ok(&answer), Duration::ZERO);
        answered.await.unwrap();
    };
    let (answered, ()) = smol::block_on(zip(client, served));
    assert!(answered == answer);
}

#[test]
fn a_stream_that_hands_on_what_it_has_is_given_nothing_more() {
    let (to_server, to_client) = (Pipe::default(), Pipe::default());
    let told = Value::from(vec![7_u8; 1000]);
    let client = async {
        let writer = Buffered {
            held: Vec::new(),
            is_flushing: false,
            pipe: to_server.clone(),
        };
        let channel = Channel::of_pair(to_client.clone(), writer);
        let nobody = Credentials::default();
        let handle = channel.log_in(&nobody, Config::client(), None).await;
        let mut handle = handle.unwrap();
        for _ in 0..3 {
            let before = to_server.held();
            handle.set(told.clone()).await.unwrap();
            handle.flush().await.unwrap();
            // Nobody reads it.
            assert_eq!(to_server.held() - before, 1014);
        }
    };
    let server = async {
        let channel = Channel::of_pair(to_server.clone(), to_client.clone());
        let login = channel.receive_login(Config::server(), None).await.unwrap();
        // Dropped with the test.
        login.accept().await.unwrap()
    };
    smol::block_on(zip(client, server));
}

fn server() -> Server {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixtures.join("server.pem"));
    settings.key_file = Some(fixtures.join("server-key.pem"));
    Server::new(&settings).expect("they belong together")
}

/// What was written and not read.
#[derive(Clone, Default)]
struct Pipe {
    state: Arc<Mutex<(VecDeque<u8>, Option<Waker>)>>,
    /// Whether it takes a few bytes at a time, and has to be asked twice for them.
    drips: Arc<AtomicBool>,
    has_taken: bool,
}

impl AsyncRead for Pipe {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.state.lock().expect("no panic");
        if state.0.is_empty() {
            state.1 = Some(context.waker().clone());
            return Poll::Pending;
        }
        Poll::Ready(io::Read::read(&mut state.0, room))
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut count = bytes.len();
        if self.drips.load(Ordering::SeqCst) {
            self.has_taken = !self.has_taken;
            if !self.has_taken {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            count = count.min(DROP);
        }
        let mut state = self.state.lock().expect("no panic");
        state.0.extend(&bytes[..count]);
        let waker = state.1.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl Pipe {
    fn held(&self) -> usize {
        self.state.lock().expect("no panic").0.len()
    }
}

/// Takes a few bytes at a time, hands them on when it is flushed, and wants to be asked twice for that.
struct Buffered {
    held: Vec<u8>,
    is_flushing: bool,
    pipe: Pipe,
}

impl AsyncWrite for Buffered {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        assert!(!self.is_flushing, "nobody could tell what has gone");
        let count = bytes.len().min(DROP);
        self.held.extend_from_slice(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.held.is_empty() {
            return Poll::Ready(Ok(()));
        }
        self.is_flushing = !self.is_flushing;
        if self.is_flushing {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let held = mem::take(&mut self.held);
        Pin::new(&mut self.pipe)
            .poll_write(context, &held)
            .map_ok(drop)
    }

    fn poll_close(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}

/// So little that a poll ends before all is taken that is encrypted at once.
const DROP: usize = 100;
