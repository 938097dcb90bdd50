//! A third transport: handles over tokio, by TCP and TLS. docs/design.md goes through it.
//!
//! ```sh
//! cargo run -p hopen-tests --example tokio -- :localhost:5010:ann:secret "a:5" "til a"
//! cargo run -p hopen-tests --example tokio -- :localhost:5010 # prints what is pushed
//! ```
//!
//! What is here is what a transport is for: to connect, to move bytes, and to wait. It is an example
//! and no crate: there are no Unix domain sockets, no server and no handles for several tasks, and
//! time-outs are left to `tokio::time::timeout`, since every future here may be dropped.

use std::error::Error as StdError;
use std::io::{self, Write};

use bytes::{Buf, BufMut, BytesMut};
use hopen_codec::address::Endpoint;
use hopen_codec::outbox::Outbox;
use hopen_codec::session::{Cause, Position, Question, Role, Session};
use hopen_codec::value::Value;
use hopen_transport::{Broken, Dialogue, Error, Intake, Opening, Options, State, Step};
use tokio::io::Interest;
use tokio::net::TcpStream;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn StdError>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((handle, texts)) = arguments.split_first() else {
        return Err("tokio HANDLE [ASYNC..] [QUERY]".into());
    };
    let mut handle = Handle::open(&Options::try_from(handle.as_str())?).await?;
    let Some((query, messages)) = texts.split_last() else {
        loop {
            writeln!(io::stdout(), "{}", handle.recv().await?)?;
        }
    };
    for message in messages {
        handle.set(message.as_str())?;
    }
    handle.flush().await?;
    writeln!(io::stdout(), "{}", handle.get(query.as_str()).await?)?;
    handle.close();
    Ok(())
}

/// An open handle to a process, for one task at a time. Every future of it may be dropped.
struct Handle {
    stream: TcpStream,
    state: State,
    intake: Intake,
    /// What a `get` waits for. One that was dropped has left it here, for the next to give up.
    turn: Option<Turn>,
}

/// How far a question has come.
#[derive(Clone, Copy)]
enum Turn {
    Queued(Question),
    Outstanding(Question),
}

impl Handle {
    /// Connects, begins TLS where the handle says so, and logs in.
    async fn open(options: &Options) -> Result<Self, Error> {
        let (Endpoint::Tcp { host, port } | Endpoint::Tcps { host, port }) =
            &options.address.endpoint
        else {
            return Err(Error::hop(io::ErrorKind::Unsupported.into()));
        };
        let host = if host.is_empty() { "localhost" } else { host };
        // Before anything is connected to: what is wrong with it is no fault of the server's.
        let (credentials, tls) = (options.login()?, options.tls_toward()?);
        let stream = TcpStream::connect((host, *port)).await;
        let stream = stream.map_err(Error::hop)?;
        stream.set_nodelay(true).map_err(Error::hop)?;
        let peer = stream.peer_addr().map_err(Error::hop)?;

        let mut opening = Opening::new(Some(peer.ip().to_canonical().is_loopback()));
        if let Some((client, host)) = tls {
            let tls = opening.start_tls(&client, host)?;
            go_through(&stream, &mut opening, tls).await?;
        }
        let login = opening.log_in(&credentials, options.config.clone())?;
        let connection = go_through(&stream, &mut opening, login).await?;
        let (state, intake) = opening.open(connection, Role::Client);
        Ok(Self {
            stream,
            state,
            intake,
            turn: None,
        })
    }

    /// Asks and waits for the answer.
    async fn get(&mut self, query: impl Into<Value>) -> Result<Value, Error> {
        let query = query.into();
        self.give_up();
        let question = self.state.session.queue_up();
        self.turn = Some(Turn::Queued(question));
        // Its turn comes when the answer that an earlier one has given up is there.
        let asked = self.until(Position::default(), |session| session.ask(question, &query));
        let end = asked.await??;
        self.turn = Some(Turn::Outstanding(question));
        let answer = self.until(end, |session| session.take_response(question));
        let body = answer.await?;
        self.turn = None;
        let limits = self.state.connection().config().limits;
        let value = body.decode(&limits).map_err(Error::BadMessage)?;
        value.map_err(Error::Remote)
    }

    /// Sends without waiting for an answer. It is written when the next method waits for something.
    fn set(&mut self, message: impl Into<Value>) -> Result<(), Error> {
        let limit = self.state.connection().config().limits.queue;
        if self.state.session.unsent() >= limit {
            return Err(Error::QueueFull { limit });
        }
        self.state.session.notify(&message.into())?;
        Ok(())
    }

    /// Waits until everything is written.
    async fn flush(&mut self) -> Result<(), Error> {
        let end = self.state.session.end_of_outbox();
        self.until(end, |session| session.has_gone(end).then_some(()))
            .await
    }

    /// Waits for the next async message.
    async fn recv(&mut self) -> Result<Value, Error> {
        let body = self.until(Position::default(), Session::next_async).await?;
        let limits = self.state.connection().config().limits;
        let value = body.decode(&limits).map_err(Error::BadMessage)?;
        value.map_err(Error::Remote)
    }

    /// Closes it. Returns how many bytes were not written.
    fn close(mut self) -> usize {
        let dropped = self.state.drop_unsent();
        let Self { stream, state, .. } = &mut self;
        state.say_goodbye(|stage| {
            stage.end();
            let mut nothing = Outbox::default();
            // Nobody waits for it.
            let _ = try_write(stream, stage.outgoing(&mut nothing));
        });
        dropped
    }

    /// Moves bytes in both directions until the session has what is waited for.
    async fn until<T>(
        &mut self,
        end: Position,
        mut done: impl FnMut(&mut Session<Broken>) -> Option<T>,
    ) -> Result<T, Error> {
        loop {
            if let Some(result) = done(&mut self.state.session) {
                return Ok(result);
            }
            if let Some(cause) = self.state.session.hindrance(end) {
                return Err(cause.into());
            }
            let stream = &self.stream;
            // A socket has handed on what it has taken.
            if self.state.write(|| true, |wire| try_write(stream, wire)) {
                continue;
            }
            if self.state.receive(&mut self.intake) {
                continue;
            }
            let (buffer, room) = self.state.buffer(&mut self.intake);
            match try_read(&self.stream, buffer, room) {
                Ok(0) => self.state.session.peer_has_closed(&self.intake.input),
                Ok(count) => self.intake.has_come(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let both = Interest::READABLE | Interest::WRITABLE;
                    let is_written = self.state.session.is_written();
                    let interest = if is_written { Interest::READABLE } else { both };
                    self.stream.ready(interest).await.map_err(Error::io)?;
                }
                Err(error) => {
                    let cause = Cause::Medium(Broken::io(&error));
                    self.state.session.end(cause);
                }
            }
        }
    }

    /// Gives up what a `get` that was dropped has asked.
    fn give_up(&mut self) {
        let session = &mut self.state.session;
        match self.turn.take() {
            None => {}
            Some(Turn::Queued(question)) => session.leave(question),
            // It may have come while nobody looked.
            Some(Turn::Outstanding(question)) if session.take_response(question).is_some() => {}
            Some(Turn::Outstanding(question)) => session.give_up(question),
        }
    }
}

/// Goes through what both ends say before the first message.
async fn go_through<D: Dialogue>(
    stream: &TcpStream,
    opening: &mut Opening,
    mut dialogue: D,
) -> Result<D::Done, Error> {
    loop {
        let step = dialogue.step(opening);
        while !opening.is_written() {
            let written = try_write(stream, opening.wire());
            ready(stream, Interest::WRITABLE, written, opening).await?;
        }
        let (next, room) = match step? {
            Step::Done(done) => return Ok(done),
            Step::Read(next, room) => (next, room),
        };
        let (buffer, room) = opening.buffer(room);
        let read = try_read(stream, buffer, room);
        if ready(stream, Interest::READABLE, read, opening).await? == Some(0) {
            return next.ended(opening);
        }
        dialogue = next;
    }
}

/// Waits where nothing goes at once. `None` where it is to be tried again.
async fn ready(
    stream: &TcpStream,
    interest: Interest,
    tried: io::Result<usize>,
    opening: &Opening,
) -> Result<Option<usize>, Error> {
    match tried {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            let ready = stream.ready(interest).await;
            ready.map(|_| None).map_err(|error| opening.failed(error))
        }
        Err(error) => Err(opening.failed(error)),
    }
}

/// Writes some of what waits, and advances it by as much.
fn try_write(stream: &TcpStream, wire: &mut Outbox) -> io::Result<usize> {
    let mut slices = [io::IoSlice::new(&[]); 64];
    let count = wire.chunks_vectored(&mut slices);
    if count == 0 {
        return Ok(0);
    }
    let count = stream.try_write_vectored(&slices[..count])?;
    wire.advance(count);
    Ok(count)
}

/// Reads some bytes behind what is in the buffer.
fn try_read(stream: &TcpStream, buffer: &mut BytesMut, room: usize) -> io::Result<usize> {
    stream.try_read_buf(&mut buffer.limit(room))
}

#[cfg(test)]
#[path = "../tests/tls/mod.rs"]
mod tls;

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use core::pin::pin;
    use core::task::Poll;
    use std::sync::mpsc::{self, Receiver, Sender};
    use std::thread;

    use hopen_blocking::server::{self, Answer, Client, Handler, Reply, ServerOptions};
    use hopen_blocking::{ListenOptions, Listener};
    use hopen_codec::remote_error::RemoteError;
    use hopen_tls::ServerMode;

    use super::*;

    #[tokio::test]
    async fn questions_asyncs_and_errors_go_over_tcp_and_tls() {
        let (port, _asked) = serve();
        for scheme in ["", "tcps://"] {
            let mut handle = open(scheme, port).await;
            assert_eq!(handle.get("hello").await.unwrap(), "hello".into());
            let error = handle.get("error").await.unwrap_err();
            assert!(matches!(error, Error::Remote(_)), "{error}");
            handle.set("push").unwrap();
            handle.flush().await.unwrap();
            assert_eq!(handle.recv().await.unwrap(), "pushed".into());
            assert_eq!(handle.close(), 0);
        }
    }

    #[tokio::test]
    async fn large_messages_go_both_ways() {
        let (port, _asked) = serve();
        let large = Value::from(vec![7_i64; 2_000_000]);
        for scheme in ["", "tcps://"] {
            let mut handle = open(scheme, port).await;
            for _ in 0..2 {
                // The server sends it back while the next one is written.
                handle.set(large.clone()).unwrap();
            }
            assert!(handle.get(large.clone()).await.unwrap() == large);
            for _ in 0..2 {
                assert!(handle.recv().await.unwrap() == large);
            }
        }
    }

    #[tokio::test]
    async fn a_question_that_is_dropped_leaves_the_handle_in_step() {
        let (port, asked) = serve();
        let mut handle = open("", port).await;
        for polls in 1..4 {
            {
                let mut get = pin!(handle.get("later"));
                poll_fn(|context| {
                    for _ in 0..polls {
                        assert!(get.as_mut().poll(context).is_pending());
                    }
                    Poll::Ready(())
                })
                .await;
            }
            // It was written when it was first polled.
            let reply = asked.recv().unwrap();
            let late = thread::spawn(move || reply.answer(Ok("too late")));
            assert_eq!(handle.get("mine").await.unwrap(), "mine".into());
            late.join().unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_login_that_is_refused_is_access() {
        let (port, _asked) = serve();
        let handle = format!(":localhost:{port}:nobody");
        let error = Handle::open(&Options::try_from(handle).unwrap()).await;
        assert!(matches!(error, Err(Error::Access)));
    }

    async fn open(scheme: &str, port: u16) -> Handle {
        let handle = format!(":{scheme}localhost:{port}:ann");
        let mut options = Options::try_from(handle).unwrap();
        options.tls = Some(tls::client());
        Handle::open(&options).await.unwrap()
    }

    /// Starts a server, and returns its port, and the questions that are to be answered later. It ends
    /// with the process.
    fn serve() -> (u16, Receiver<Reply>) {
        let mut listen = ListenOptions::try_from("localhost:0W").unwrap();
        listen.mode = ServerMode::Both;
        listen.tls = Some(tls::server());
        let listener = Listener::bind(listen).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, asked) = mpsc::channel();
        let desk = Desk(sender);
        let server = server::Server::new(listener, desk, ServerOptions::default()).unwrap();
        thread::spawn(move || server.run());
        (port, asked)
    }

    /// Sends back what it is sent, but for a few words.
    struct Desk(Sender<Reply>);

    impl Handler for Desk {
        fn login(&self, login: &hopen_blocking::Login) -> server::Decision {
            match login.credentials().user() {
                b"ann" => server::Decision::Accept,
                _ => server::Decision::Refuse,
            }
        }

        fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
            match query.to::<&str>() {
                Ok("later") => Answer::deferred(|reply| self.0.send(reply).unwrap()),
                Ok("error") => Err(RemoteError::new("error").unwrap()).into(),
                _ => Ok(query).into(),
            }
        }

        fn notice(&self, client: &Client, message: Value) {
            let back = match message.to::<&str>() {
                Ok("push") => "pushed".into(),
                _ => message,
            };
            client.set(back).unwrap();
        }
    }
}
