//! Both ends of a connection in memory, and tasks that are polled only when they were woken.

use core::cell::Cell;
use core::future::{Future, poll_fn};
use core::pin::{Pin, pin};
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Wake;

use futures_io::{AsyncRead, AsyncWrite};
use hopen_async_std::{Channel, Error, Handle};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_tls::{Client, Server, ServerMode, Settings, VerifyServer};

/// What goes over a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Plain,
    Tls,
}

/// The two directions of a connection.
pub(crate) struct Wire {
    pub(crate) to_server: Pipe,
    pub(crate) to_client: Pipe,
}

impl Wire {
    /// A connection whose directions hold so many bytes.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            to_server: Pipe::new(room),
            to_client: Pipe::new(room),
        }
    }

    /// Returns both ends.
    pub(crate) fn ends(&self) -> (Duplex, Duplex) {
        let client = Duplex(self.to_client.clone(), self.to_server.clone());
        let server = Duplex(self.to_server.clone(), self.to_client.clone());
        (client, server)
    }

    /// Returns both ends of a connection that is open.
    pub(crate) fn handles(
        &self,
        stage: Stage,
        config: impl Fn(Config) -> Config,
    ) -> (Handle, Handle) {
        let (client, server) = self.ends();
        let mut handles = (None, None);
        run([
            task(async { handles.0 = Some(log_in(client, stage, config(Config::client())).await) }),
            task(async { handles.1 = Some(accept(server, stage, config(Config::server())).await) }),
        ]);
        let opened = |handle: Option<Result<Handle, Error>>| handle.expect("it is ready");
        (
            opened(handles.0).expect("it is let in"),
            opened(handles.1).expect("it lets in"),
        )
    }
}

/// Logs in at one end.
pub(crate) async fn log_in(stream: Duplex, stage: Stage, config: Config) -> Result<Handle, Error> {
    let mut channel = Channel::new(stream);
    if stage == Stage::Tls {
        let mut settings = Settings::default();
        settings.verify_server = VerifyServer::Off;
        let client = Client::new(&settings).expect("nothing has to be read");
        channel = channel.start_tls(&client, "localhost", None).await?;
    }
    channel.log_in(&Credentials::default(), config, None).await
}

/// Lets in whoever logs in at the other.
pub(crate) async fn accept(stream: Duplex, stage: Stage, config: Config) -> Result<Handle, Error> {
    let mut channel = Channel::new(stream);
    if stage == Stage::Tls {
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tls/tests/fixtures");
        let mut settings = Settings::default();
        settings.certificate_file = Some(fixtures.join("server.pem"));
        settings.key_file = Some(fixtures.join("server-key.pem"));
        let server = Server::new(&settings).expect("they belong together");
        channel = channel.accepting(ServerMode::Tls, Some(server));
    }
    channel.receive_login(config, None).await?.accept().await
}

/// A task of a test.
pub(crate) type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

pub(crate) fn task<'a>(future: impl Future<Output = ()> + 'a) -> Task<'a> {
    Box::pin(future)
}

/// Polls tasks when they are woken, in their order, until all are done. Fails where none is woken: it
/// would wait for ever.
pub(crate) fn run<const N: usize>(tasks: [Task<'_>; N]) {
    let left = poll_while_woken(tasks);
    assert!(left.is_empty(), "{} tasks wait for ever", left.len());
}

/// Polls tasks when they are woken, in their order, until none is. Returns those that wait.
pub(crate) fn poll_while_woken<'a>(tasks: impl IntoIterator<Item = Task<'a>>) -> Vec<Task<'a>> {
    let tasks = tasks.into_iter();
    let mut tasks: Vec<_> = tasks.map(|task| (task, Arc::new(Flag::set()))).collect();
    loop {
        let before = tasks.len();
        let mut has_polled = false;
        tasks.retain_mut(|(task, flag)| {
            if !flag.0.swap(false, Ordering::SeqCst) {
                return true;
            }
            has_polled = true;
            let waker = Waker::from(Arc::clone(flag));
            task.as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        });
        if !has_polled && tasks.len() == before {
            return tasks.into_iter().map(|(task, _)| task).collect();
        }
    }
}

/// Whether a task was woken.
struct Flag(AtomicBool);

impl Flag {
    const fn set() -> Self {
        Self(AtomicBool::new(true))
    }
}

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// How long a task rests that has not been cut yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Until it is woken.
    UntilWoken,
    /// Until the others have had their turn, so that it is cut in the middle of what they do.
    UntilPolled,
}

/// Drops the future that is under way at one poll of those that it counts.
pub(crate) struct Knife {
    at: usize,
    rest: Rest,
    polls: Cell<usize>,
    cuts: Cell<usize>,
}

impl Knife {
    pub(crate) const fn at(at: usize, rest: Rest) -> Self {
        Self {
            at,
            rest,
            polls: Cell::new(0),
            cuts: Cell::new(0),
        }
    }

    /// Cuts nothing.
    pub(crate) const fn blunt() -> Self {
        Self::at(usize::MAX, Rest::UntilWoken)
    }

    /// Returns how many futures it has cut.
    pub(crate) fn cuts(&self) -> usize {
        self.cuts.get()
    }

    /// Waits for a future, or drops it.
    pub(crate) async fn unless_cut<F: Future>(&self, future: F) -> Option<F::Output> {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(done) = future.as_mut().poll(context) {
                return Poll::Ready(Some(done));
            }
            let polls = self.polls.get();
            self.polls.set(polls + 1);
            if polls < self.at || self.cuts() > 0 {
                if self.rest == Rest::UntilPolled && self.cuts() == 0 {
                    context.waker().wake_by_ref();
                }
                return Poll::Pending;
            }
            self.cuts.set(1);
            Poll::Ready(None)
        })
        .await
    }

    /// Does something, and again where it is cut. It is told the number of the attempt.
    pub(crate) async fn again<T>(&self, mut make: impl AsyncFnMut(i64) -> T) -> T {
        let mut attempt = 0;
        loop {
            attempt += 1;
            if let Some(done) = self.unless_cut(make(attempt)).await {
                return done;
            }
        }
    }
}

/// One direction: what was written and not read, up to a number of bytes.
#[derive(Clone)]
pub(crate) struct Pipe {
    state: Arc<Mutex<State>>,
    room: usize,
}

#[derive(Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Everything that was written.
    written: Vec<u8>,
    has_ended: bool,
    is_broken: bool,
    reads: Option<Waker>,
    writes: Option<Waker>,
}

impl Pipe {
    fn new(room: usize) -> Self {
        Self {
            state: Arc::default(),
            room,
        }
    }

    /// Returns everything that was written.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.lock().written.clone()
    }

    /// Returns whether the end that writes says that nothing more comes, and the one that reads has
    /// gone.
    pub(crate) fn is_left(&self) -> bool {
        let state = self.lock();
        state.has_ended && state.is_broken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(mut state: MutexGuard<'_, State>) {
        let (reads, writes) = (state.reads.take(), state.writes.take());
        drop(state);
        for waker in [reads, writes].into_iter().flatten() {
            waker.wake();
        }
    }
}

/// What is read from, and what is written to.
pub(crate) struct Duplex(Pipe, Pipe);

impl AsyncRead for Duplex {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock();
        if state.bytes.is_empty() && !state.has_ended {
            state.reads = Some(context.waker().clone());
            return Poll::Pending;
        }
        let count = io::Read::read(&mut state.bytes, room);
        Pipe::tell(state);
        Poll::Ready(count)
    }
}

impl AsyncWrite for Duplex {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let mut state = self.1.lock();
        if state.is_broken || state.has_ended {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        let count = bytes.len().min(self.1.room - state.bytes.len());
        if count == 0 {
            state.writes = Some(context.waker().clone());
            return Poll::Pending;
        }
        state.bytes.extend(&bytes[..count]);
        state.written.extend(&bytes[..count]);
        Pipe::tell(state);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.1.lock();
        state.has_ended = true;
        Pipe::tell(state);
        Poll::Ready(Ok(()))
    }
}

impl Drop for Duplex {
    fn drop(&mut self) {
        let mut read_from = self.0.lock();
        read_from.is_broken = true;
        Pipe::tell(read_from);
        let mut written_to = self.1.lock();
        written_to.has_ended = true;
        Pipe::tell(written_to);
    }
}
