//! Futures that are dropped: at every poll point of a conversation, which goes on as if they had not
//! been. Both ends are in memory and polled by hand, so nothing depends on time.

use core::future::Future;
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use futures_io::{AsyncRead, AsyncWrite};
use hopen_async_std::{Channel, Error, Handle, Received};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::value::Value;

#[test]
fn a_conversation_goes_on_wherever_its_futures_are_dropped() {
    let undisturbed = converse(usize::MAX);
    assert_eq!(undisturbed.given_up, 0);
    for at in 0.. {
        let outcome = converse(at);
        if outcome.dropped == 0 {
            assert!(at > 100, "{at} poll points are not a long conversation");
            break;
        }
        assert_eq!(outcome.pushed, undisturbed.pushed, "dropped at poll {at}");
        assert_eq!(outcome.seen, undisturbed.seen, "dropped at poll {at}");
        // A question is asked once more at most, and never answered by another's answer.
        assert!(outcome.given_up <= 1, "dropped at poll {at}");
        assert_eq!(outcome.answers, undisturbed.answers, "dropped at poll {at}");
    }
}

#[test]
fn two_ends_that_send_64_megabytes_at_each_other_finish() {
    let (mut client, mut server) = ends(64 * 1024);
    let large = Value::from(vec![7_i64; 8 * 1024 * 1024]);
    let mut ours = pin!(async {
        client.set(large.clone()).await?;
        client.flush().await?;
        client.recv().await
    });
    let mut theirs = pin!(async {
        server.set(large.clone()).await?;
        server.flush().await?;
        server.recv().await
    });
    let (mut from_server, mut from_client) = (None, None);
    while from_server.is_none() || from_client.is_none() {
        if from_server.is_none() {
            from_server = poll(ours.as_mut());
        }
        if from_client.is_none() {
            from_client = poll(theirs.as_mut());
        }
    }
    assert!(from_server.unwrap().unwrap() == large);
    assert!(from_client.unwrap().unwrap() == large);
}

/// What came of a conversation.
struct Outcome {
    /// The rounds in which the client got an answer to its question.
    answers: Vec<i64>,
    /// The async messages that the client got.
    pushed: Vec<Value>,
    /// The async messages that the server got.
    seen: Vec<Value>,
    /// How many questions were answered to nobody.
    given_up: usize,
    dropped: usize,
}

/// Goes through a conversation over a stream that takes 7 bytes at a time. The future that is under
/// way at the poll of the client's with this number is dropped, and the same is done again.
fn converse(drop_at: usize) -> Outcome {
    let (mut client, mut server) = ends(7);
    let (mut answers, mut pushed) = (Vec::new(), Vec::new());
    let (mut polls, mut dropped) = (0, 0);
    // Answers each question by itself, after an async message, and keeps what else comes.
    let mut served = pin!(async {
        let (mut asked, mut seen) = (0, Vec::new());
        loop {
            match server.receive().await {
                Ok(Received::Request(ticket, question)) => {
                    asked += 1;
                    server.respond(ticket, Ok(question)).await?;
                }
                Ok(Received::Async(message)) => {
                    server.set(message.clone()).await?;
                    seen.push(message);
                }
                Err(Error::Closed) => return Ok::<_, Error>((asked, seen)),
                Err(error) => return Err(error),
            }
        }
    });
    for round in 0..6_i64 {
        let message = Value::from(vec![round; 5]);
        client.try_set(message).expect("there is room");
        for step in 0..3 {
            // What is begun again after it was dropped. Each question is another, so that an answer
            // to an earlier one would show.
            let mut attempt = 0_i64;
            'again: loop {
                attempt += 1;
                let question = Value::from((round, attempt));
                let asked = question.clone();
                let mut future = pin!(async {
                    match step {
                        0 => client.flush().await.map(|()| None),
                        1 => client.get(asked).await.map(Some),
                        _ => client.recv().await.map(Some),
                    }
                });
                loop {
                    if let Some(done) = poll(future.as_mut()) {
                        match (step, done.expect("the conversation goes on")) {
                            (1, Some(answer)) => {
                                assert_eq!(answer, question, "the answer to another question");
                                answers.push(round);
                            }
                            (2, Some(message)) => pushed.push(message),
                            (_, _) => {}
                        }
                        break 'again;
                    }
                    polls += 1;
                    assert!(poll(served.as_mut()).is_none(), "the server goes on");
                    if polls == drop_at.saturating_add(1) {
                        dropped += 1;
                        continue 'again;
                    }
                }
            }
        }
    }
    client.close();
    let (asked, seen) = loop {
        if let Some(served) = poll(served.as_mut()) {
            break served.expect("the client has closed");
        }
    };
    let given_up = asked - answers.len();
    Outcome {
        answers,
        pushed,
        seen,
        given_up,
        dropped,
    }
}

/// Returns both ends of a connection that is open, over a stream that holds so many bytes.
fn ends(room: usize) -> (Handle, Handle) {
    let (to_server, to_client) = (Pipe::new(room), Pipe::new(room));
    let client = Channel::new(Duplex(to_client.clone(), to_server.clone()));
    let server = Channel::new(Duplex(to_server, to_client));
    let nobody = Credentials::default();
    let mut ours = pin!(client.log_in(&nobody, Config::client(), None));
    let mut theirs = pin!(async {
        let login = server.receive_login(Config::server(), None).await?;
        login.accept().await
    });
    let (mut client, mut server) = (None, None);
    while client.is_none() || server.is_none() {
        if client.is_none() {
            client = poll(ours.as_mut());
        }
        if server.is_none() {
            server = poll(theirs.as_mut());
        }
    }
    (
        client.expect("it is ready").expect("it is let in"),
        server.expect("it is ready").expect("it lets in"),
    )
}

fn poll<T>(future: Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// One direction: what was written and not read, up to a number of bytes.
#[derive(Clone)]
struct Pipe(Arc<Mutex<(VecDeque<u8>, bool)>>, usize);

impl Pipe {
    fn new(room: usize) -> Self {
        Self(Arc::default(), room)
    }
}

/// What is read from, and what is written to.
struct Duplex(Pipe, Pipe);

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let (bytes, is_closed) = &mut *self.0.0.lock().expect("no panic");
        if bytes.is_empty() && !*is_closed {
            return Poll::Pending;
        }
        Poll::Ready(io::Read::read(bytes, buffer))
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let room = self.1.1;
        let (waiting, _) = &mut *self.1.0.lock().expect("no panic");
        let count = bytes.len().min(room - waiting.len());
        if count == 0 {
            return Poll::Pending;
        }
        waiting.extend(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.1.0.lock().expect("no panic").1 = true;
        Poll::Ready(Ok(()))
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        self.1.0.lock().expect("no panic").1 = true;
    }
}
