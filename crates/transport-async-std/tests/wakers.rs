//! Who is woken by what, and by whom: tasks that share a handle, and move.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Wake;
use std::time::Duration;

use async_io::block_on;
use bytes::Buf;
use futures_io::{AsyncRead, AsyncWrite};
use hopen_async_std::{Channel, Error, Handle, Phase, Received, SharedHandle};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::message::{Body, Message, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::Value;
use memory::{Stage, Task, Wire, poll_while_woken, task};

#[expect(dead_code, reason = "nothing is dropped here")]
mod memory;

#[test]
fn an_answer_wakes_whose_it_is_and_who_is_next() {
    let (client, driver, server) = shared();
    let mut waiting: Vec<_> = (0..TASKS)
        .map(|number| {
            let handle = client.clone();
            let future: Asking = Box::pin(async move { handle.get(number).await });
            (number, future, Arc::new(Count::default()))
        })
        .collect();
    // Each is polled once, and then only when it is woken.
    let mut answered = Vec::new();
    waiting.retain_mut(|(_, future, count)| poll(future.as_mut(), count).is_none());
    let mut tasks = vec![driver, server];
    let mut polls = 0;
    while !waiting.is_empty() {
        tasks = poll_while_woken(tasks);
        let before = polls;
        waiting.retain_mut(|(number, future, count)| {
            if count.take() == 0 {
                return true;
            }
            polls += 1;
            let Some(answer) = poll(future.as_mut(), count) else {
                return true;
            };
            answered.push((*number, answer.unwrap()));
            false
        });
        assert!(polls > before, "nobody is woken");
    }
    assert!(
        answered
            .into_iter()
            .eq((0..TASKS).map(|n| (n, Value::from(n))))
    );
    // For its turn and for its answer: not for each answer of the others.
    assert!(polls <= 2 * TASKS as usize, "{polls} polls");
}

#[test]
fn a_future_that_has_moved_wakes_the_task_that_it_is_in() {
    let (client, driver, server) = shared();
    let mut asks = Box::pin(client.get("moved"));
    let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
    assert!(poll(asks.as_mut(), &first).is_none());
    assert!(poll(asks.as_mut(), &second).is_none());
    let left = poll_while_woken([driver, server]);
    assert_eq!((first.count(), second.count()), (0, 1));
    assert_eq!(
        poll(asks.as_mut(), &second).unwrap().unwrap(),
        "moved".into()
    );
    drop(left);
}

#[test]
fn a_driver_that_has_moved_is_woken_where_it_is() {
    let (client, mut driver, server) = shared();
    let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
    assert!(poll(driver.as_mut(), &first).is_none());
    assert!(poll(driver.as_mut(), &second).is_none());
    let (first_before, second_before) = (first.count(), second.count());
    client.try_set("written by the second").unwrap();
    assert_eq!(first.count(), first_before);
    assert!(second.count() > second_before);
    drop(poll_while_woken([driver, server]));
}

#[test]
fn waking_a_task_may_drop_a_future_of_the_same_handle() {
    let (client, driver, server) = shared();
    let other: Asking = {
        let handle = client.clone();
        Box::pin(async move { handle.get("dropped").await })
    };
    let dropper = Arc::new(Dropper(Mutex::new(Some(other))));
    let mut asks = Box::pin(client.get("x"));
    assert!(poll(asks.as_mut(), &dropper).is_none());
    {
        // It waits too, so that dropping it gives a place back.
        let mut other = dropper.0.lock().unwrap();
        let count = Arc::new(Count::default());
        let other = other.as_mut().expect("it is there");
        assert!(poll(other.as_mut(), &count).is_none());
    }
    let left = poll_while_woken([driver, server]);
    assert!(dropper.0.lock().unwrap().is_none(), "it is woken");
    assert_eq!(poll(asks.as_mut(), &dropper).unwrap().unwrap(), "x".into());
    drop(left);
}

#[test]
fn a_peer_that_sends_without_end_holds_up_no_deadline_and_no_other_task() {
    for answers in [false, true] {
        // Each of them is declined or answered.
        let mut handle = opened(&[&b"\x06"[..], &sync("who?")]);
        if answers {
            handle.on_request(Ok);
        }
        // One poll comes to an end, though there is always more to read.
        let mut asks = Box::pin(handle.get("x"));
        assert!(poll(asks.as_mut(), &Arc::new(Count::default())).is_none());
        drop(asks);
        let error = block_on(handle.get_timeout("x", Duration::from_millis(1))).unwrap_err();
        assert!(
            matches!(
                error,
                Error::Timeout(Phase::Response | Phase::EarlierResponse)
            ),
            "{error:?}"
        );
    }
}

#[test]
fn what_makes_room_lets_the_driver_read_on() {
    let wire = Wire::new(64);
    let (client, mut server) = wire.handles(Stage::Plain, |mut config| {
        config.limits.kept_asyncs = 0;
        config
    });
    let (client, driver) = client.into_shared();
    let push = task(async {
        for number in 0..10_i64 {
            server.set(number).await.unwrap();
        }
        server.flush().await.unwrap();
    });
    // One is kept, and nothing more is read.
    let mut left = poll_while_woken([push, task(async { driver.await.unwrap() })]);
    for number in 0..10_i64 {
        let mut next = Box::pin(client.recv());
        let received = poll(next.as_mut(), &Arc::new(Count::default()));
        assert_eq!(received.unwrap().unwrap(), Value::from(number));
        left = poll_while_woken(left);
    }
    assert_eq!(left.len(), 1, "the driver goes on");
}

/// A question, on its way.
type Asking = Pin<Box<dyn Future<Output = Result<Value, Error>> + Send>>;

/// Drops a future when it is woken.
struct Dropper(Mutex<Option<Asking>>);

impl Wake for Dropper {
    fn wake(self: Arc<Self>) {
        let other = self.0.lock().expect("no panic").take();
        drop(other);
    }
}

/// Counts how often a task is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Count {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// Returns how often it was woken since this was asked last.
    fn take(&self) -> usize {
        self.0.swap(0, Ordering::SeqCst)
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// Polls a future, and has it wake somebody.
fn poll<T>(
    future: Pin<&mut (impl Future<Output = T> + ?Sized)>,
    wakes: &Arc<impl Wake + Send + Sync + 'static>,
) -> Option<T> {
    let waker = Waker::from(Arc::clone(wakes));
    match future.poll(&mut Context::from_waker(&waker)) {
        Poll::Ready(done) => Some(done),
        Poll::Pending => None,
    }
}

/// Returns a handle to a server that echoes, and what runs for it.
fn shared() -> (SharedHandle, Task<'static>, Task<'static>) {
    let (client, server) = Wire::new(64).handles(Stage::Plain, |config| config);
    let (client, driver) = client.into_shared();
    let driver = task(async { driver.await.expect("it is closed by hand") });
    (client, driver, task(echo(server)))
}

async fn echo(mut server: Handle) {
    loop {
        match server.receive().await {
            Ok(Received::Request(ticket, question)) => {
                // The client may have gone.
                let _ = server.respond(ticket, Ok(question)).await;
            }
            Ok(Received::Async(_)) => {}
            Err(_) => return,
        }
    }
}

/// Returns a handle that reads the first of these and then the second for ever.
fn opened(reads: &[&[u8]; 2]) -> Handle {
    let stream = Endless {
        next: reads[0].to_vec(),
        then: reads[1].to_vec(),
    };
    let nobody = Credentials::default();
    let login = Channel::new(stream).log_in(&nobody, Config::client(), None);
    block_on(async { login.await.expect("it is let in") })
}

/// Gives one thing after another, the last again and again, and takes everything.
struct Endless {
    next: Vec<u8>,
    then: Vec<u8>,
}

impl AsyncRead for Endless {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let count = room.len().min(self.next.len());
        room[..count].copy_from_slice(&self.next[..count]);
        self.next.drain(..count);
        if self.next.is_empty() {
            self.next = self.then.clone();
        }
        Poll::Ready(Ok(count))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// The bytes of a question.
fn sync(question: &str) -> Vec<u8> {
    let body = Body::encode(&question.into()).expect("a value");
    let mut outbox = Outbox::default();
    Message::new(MessageKind::Sync, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).into()
}

/// So many that what is done for each of them once for each other would show.
const TASKS: i64 = 200;
