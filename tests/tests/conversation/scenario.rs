//! A conversation as data.

use std::time::Duration;

use bytes::Buf;
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::message::{self, Body, MessageKind};
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use super::end::{Failure, Opening};

/// What a program does at our end, and what a scripted peer does at the other.
#[derive(Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) opening: Opening,
    pub(crate) config: Config,
    pub(crate) ours: Vec<Step>,
    pub(crate) theirs: Vec<Line>,
}

/// A call at our end, and what comes of it.
#[derive(Clone)]
pub(crate) struct Step {
    pub(crate) call: Call,
    pub(crate) outcomes: Vec<Outcome>,
}

/// What a program calls.
#[derive(Clone)]
pub(crate) enum Call {
    Open(Option<Duration>),
    Get(Value, Option<Duration>),
    Set(Value),
    TrySet(Value),
    Flush,
    Recv(Option<Duration>),
    Receive,
    /// Answers the request of this number, counted from 0.
    Respond(usize, Result<Value, RemoteError>),
    /// Has every request answered by this as soon as it comes.
    AnswerRequests(Value),
    Close,
    /// Lets the peer go on from where it [waits](Line::Wait).
    Tell,
}

/// What comes of a call.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    /// Somebody has logged in.
    Login(Credentials),
    /// The connection is open, with this capability.
    Opened(u8),
    Done,
    Value(Value),
    Async(Value),
    Request(Value),
    /// It is closed, and so many bytes were not sent.
    Closed(usize),
    Failed(Failure),
}

/// What the peer does.
#[derive(Clone)]
pub(crate) enum Line {
    /// Reads these bytes.
    Expect(Vec<u8>),
    /// Writes these bytes.
    Send(Vec<u8>),
    /// Waits for the program's [`Call::Tell`].
    Wait,
    /// Writes nothing more, and reads on.
    Close,
    /// Reads whatever else our end sends.
    Ignore,
}

/// Starts a scenario in which our end logs in as nobody in particular.
pub(crate) fn client(name: impl Into<String>) -> Scenario {
    before_login(
        name,
        Opening::LogIn(Credentials::anonymous()),
        Config::client(),
    )
    .ours([open().opened(6)])
    .theirs([expect(b"\x06\0"), send(b"\x06")])
}

/// Starts a scenario in which our end accepts ann.
pub(crate) fn server(name: impl Into<String>) -> Scenario {
    before_login(name, Opening::Accept, Config::server())
        .ours([open().logged_in(ann()).opened(6)])
        .theirs([send(b"ann:pw\x06\0"), expect(b"\x06")])
}

/// Starts a scenario with nothing.
pub(crate) fn before_login(
    name: impl Into<String>,
    opening: Opening,
    mut config: Config,
) -> Scenario {
    // As over TCP, where the transport finds out.
    config.peer_is_local = true;
    Scenario {
        name: name.into(),
        opening,
        config,
        ours: Vec::new(),
        theirs: Vec::new(),
    }
}

impl Scenario {
    pub(crate) fn configured(mut self, configure: impl FnOnce(&mut Config)) -> Self {
        configure(&mut self.config);
        self
    }

    pub(crate) fn ours(mut self, steps: impl IntoIterator<Item = Step>) -> Self {
        self.ours.extend(steps);
        self
    }

    pub(crate) fn theirs(mut self, lines: impl IntoIterator<Item = Line>) -> Self {
        self.theirs.extend(lines);
        self
    }

    /// Returns whether the peer can be ahead of our end: up to the last question only answers are
    /// waited for, so that none of them is taken in before its question is asked.
    pub(crate) fn can_be_ahead(&self) -> bool {
        let takes_answers_only =
            |step: &Step| matches!(step.call, Call::Open(_) | Call::Get(..) | Call::Set(_));
        let mut others = self.ours.iter().skip_while(|step| takes_answers_only(step));
        let waits = self.theirs.iter().any(|line| matches!(line, Line::Wait));
        !waits && !others.any(|step| matches!(step.call, Call::Get(..)))
    }

    /// Returns how many bytes the peer sends.
    pub(crate) fn sent(&self) -> usize {
        let sent = |line: &Line| {
            if let Line::Send(bytes) = line {
                bytes.len()
            } else {
                0
            }
        };
        self.theirs.iter().map(sent).sum()
    }
}

impl Step {
    const fn of(call: Call) -> Self {
        Self {
            call,
            outcomes: Vec::new(),
        }
    }

    fn with(mut self, outcome: Outcome) -> Self {
        self.outcomes.push(outcome);
        self
    }

    pub(crate) fn logged_in(self, credentials: Credentials) -> Self {
        self.with(Outcome::Login(credentials))
    }

    pub(crate) fn opened(self, capability: u8) -> Self {
        self.with(Outcome::Opened(capability))
    }

    pub(crate) fn done(self) -> Self {
        self.with(Outcome::Done)
    }

    pub(crate) fn gives(self, value: impl Into<Value>) -> Self {
        self.with(Outcome::Value(value.into()))
    }

    pub(crate) fn gives_async(self, value: impl Into<Value>) -> Self {
        self.with(Outcome::Async(value.into()))
    }

    pub(crate) fn gives_request(self, value: impl Into<Value>) -> Self {
        self.with(Outcome::Request(value.into()))
    }

    pub(crate) fn drops(self, bytes: usize) -> Self {
        self.with(Outcome::Closed(bytes))
    }

    pub(crate) fn fails(self, failure: Failure) -> Self {
        self.with(Outcome::Failed(failure))
    }
}

pub(crate) const fn open() -> Step {
    Step::of(Call::Open(None))
}

pub(crate) const fn open_within(timeout: Duration) -> Step {
    Step::of(Call::Open(Some(timeout)))
}

pub(crate) fn get(query: impl Into<Value>) -> Step {
    Step::of(Call::Get(query.into(), None))
}

/// Asks something that is not answered in a time that is as short as nothing.
pub(crate) fn get_briefly(query: impl Into<Value>) -> Step {
    Step::of(Call::Get(query.into(), Some(BRIEF)))
}

pub(crate) fn set(message: impl Into<Value>) -> Step {
    Step::of(Call::Set(message.into())).done()
}

pub(crate) fn try_set(message: impl Into<Value>) -> Step {
    Step::of(Call::TrySet(message.into()))
}

pub(crate) fn flush() -> Step {
    Step::of(Call::Flush).done()
}

pub(crate) const fn recv() -> Step {
    Step::of(Call::Recv(None))
}

pub(crate) const fn recv_briefly() -> Step {
    Step::of(Call::Recv(Some(BRIEF)))
}

pub(crate) const fn receive() -> Step {
    Step::of(Call::Receive)
}

pub(crate) fn respond(request: usize, answer: impl Into<Value>) -> Step {
    Step::of(Call::Respond(request, Ok(answer.into())))
}

pub(crate) fn respond_error(request: usize, text: &'static str) -> Step {
    Step::of(Call::Respond(request, Err(remote_error(text))))
}

pub(crate) fn answer_requests(answer: impl Into<Value>) -> Step {
    Step::of(Call::AnswerRequests(answer.into())).done()
}

pub(crate) const fn close() -> Step {
    Step::of(Call::Close)
}

pub(crate) fn tell() -> Step {
    Step::of(Call::Tell).done()
}

pub(crate) fn expect(bytes: impl AsRef<[u8]>) -> Line {
    Line::Expect(bytes.as_ref().to_vec())
}

pub(crate) fn send(bytes: impl AsRef<[u8]>) -> Line {
    Line::Send(bytes.as_ref().to_vec())
}

/// The bytes of a request.
pub(crate) fn sync(value: impl Into<Value>) -> Vec<u8> {
    of_value(MessageKind::Sync, value)
}

/// The bytes of an async message.
pub(crate) fn notice(value: impl Into<Value>) -> Vec<u8> {
    of_value(MessageKind::Async, value)
}

/// The bytes of a response.
pub(crate) fn response(value: impl Into<Value>) -> Vec<u8> {
    of_value(MessageKind::Response, value)
}

/// The bytes of an error response.
pub(crate) fn error(text: &'static str) -> Vec<u8> {
    bytes(MessageKind::Response, Body::error(&remote_error(text)))
}

/// The bytes of a message, compressed.
pub(crate) fn compressed(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
    let body = Body::encode(&value.into()).expect("a value").compress();
    assert!(body.form().is_some(), "it does not shrink");
    bytes(kind, body)
}

/// The failure of a call that is answered by an error.
pub(crate) fn remote(text: &'static str) -> Failure {
    Failure::Remote(remote_error(text))
}

pub(crate) fn ann() -> Credentials {
    Credentials::new("ann", "pw").expect("no NUL")
}

/// What our end says to a request when it is a client.
pub(crate) fn declined() -> Vec<u8> {
    error("nyi: this client answers no requests")
}

pub(crate) fn bytes(kind: MessageKind, body: Body) -> Vec<u8> {
    let mut outbox = Outbox::default();
    message::Message::new(kind, body).write(&mut outbox);
    outbox.copy_to_bytes(outbox.remaining()).into()
}

fn of_value(kind: MessageKind, value: impl Into<Value>) -> Vec<u8> {
    bytes(kind, Body::encode(&value.into()).expect("a value"))
}

fn remote_error(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("no NUL")
}

/// Too little time for an answer that is not sent.
const BRIEF: Duration = Duration::from_millis(10);
