//! What a conversation comes to, by the codec alone: no socket, no thread, no waiting.

use std::collections::VecDeque;
use std::io::ErrorKind;

use bytes::{Buf, BytesMut};
use hopen_codec::backlog::Kept;
use hopen_codec::connection::{Connection, Incoming, Outgoing, SendError, Ticket};
use hopen_codec::handshake::{ClientHandshake, HandshakeError, Progress, ServerHandshake};

use hopen_codec::message::Body;
use hopen_codec::outbox::Outbox;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::conversation::end::{Failure, Opening};
use crate::conversation::scenario::{Call, Outcome, Scenario};

/// What comes when all bytes have come.
#[derive(Clone)]
pub(crate) enum After {
    /// Nothing: who waits then waits for ever, unless what it has to write fails.
    Nothing,
    Closes,
    /// What a call gives, and of which kind it was.
    Fails(Failure, ErrorKind),
}

/// How much can be written.
#[derive(Clone)]
pub(crate) struct Writes {
    pub(crate) limit: usize,
    pub(crate) failure: Failure,
    pub(crate) kind: ErrorKind,
}

/// What a conversation comes to.
pub(crate) struct Reference {
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) rest: Vec<Outcome>,
    /// How many bytes are queued or written after each outcome, from the start.
    pub(crate) queued: Vec<usize>,
    /// How many of them have to be with the peer if that outcome has come.
    pub(crate) acknowledged: Vec<usize>,
    /// Everything that our end says.
    pub(crate) says: Vec<u8>,
}

/// Returns what a conversation comes to where these bytes come.
pub(crate) fn reference(
    scenario: &Scenario,
    bytes: &[u8],
    after: After,
    writes: Option<Writes>,
) -> Reference {
    let mut end = End {
        scenario,
        input: BytesMut::from(bytes),
        after,
        writes,
        outbox: Outbox::default(),
        connection: None,
        answer: None,
        kept: VecDeque::new(),
        tickets: Vec::new(),
        over: None,
    };
    let mut reference = Reference {
        outcomes: Vec::new(),
        rest: Vec::new(),
        queued: Vec::new(),
        acknowledged: Vec::new(),
        says: Vec::new(),
    };
    let mut acknowledged = 0;
    for step in &scenario.ours {
        let outcomes = end.call(&step.call);
        let waits = matches!(step.call, Call::Flush | Call::Respond(..) | Call::Open(_));
        if waits && !outcomes.last().is_some_and(ends_it) {
            acknowledged = end.outbox.len();
        }
        for outcome in outcomes {
            reference.outcomes.push(outcome);
            reference.queued.push(end.outbox.len());
            reference.acknowledged.push(acknowledged);
        }
        if reference.outcomes.last().is_some_and(ends_it) {
            break;
        }
    }
    if end.connection.is_some() {
        while !reference.rest.last().is_some_and(ends_it) {
            reference.rest.extend(end.call(&Call::Recv(None)));
        }
    }
    reference.says = end.outbox.copy_to_bytes(end.outbox.remaining()).into();
    reference
}

/// Returns whether an outcome ends the connection.
pub(crate) fn ends_it(outcome: &Outcome) -> bool {
    let Outcome::Failed(failure) = outcome else {
        return false;
    };
    !matches!(
        failure,
        Failure::Remote(_) | Failure::BadMessage(_) | Failure::Send(_)
    )
}

struct End<'a> {
    scenario: &'a Scenario,
    input: BytesMut,
    after: After,
    writes: Option<Writes>,
    outbox: Outbox,
    connection: Option<Connection>,
    /// What requests are answered by.
    answer: Option<Value>,
    kept: VecDeque<Kept>,
    tickets: Vec<Option<Ticket>>,
    over: Option<Failure>,
}

impl End<'_> {
    fn call(&mut self, call: &Call) -> Vec<Outcome> {
        let outcome = match call {
            Call::Open(_) => return self.open(),
            Call::Get(query, _) => self.get(query).map(Outcome::Value),
            Call::Set(message) | Call::TrySet(message) => self.set(message),
            Call::Flush => self.written(),
            Call::Recv(_) => self.recv().map(Outcome::Value),
            Call::Receive => self.receive(),
            Call::Respond(number, answer) => {
                match self.tickets.get_mut(*number).and_then(Option::take) {
                    Some(ticket) => self
                        .respond(ticket, answer.clone())
                        .and_then(|()| self.written()),
                    None => return Vec::new(),
                }
            }
            Call::AnswerRequests(answer) => {
                self.answer = Some(answer.clone());
                Ok(Outcome::Done)
            }
            Call::Close | Call::Tell => unreachable!("no whole conversation does"),
        };
        if let Err(failure) = &outcome
            && ends_it(&Outcome::Failed(failure.clone()))
        {
            self.over.get_or_insert_with(|| failure.clone());
        }
        vec![outcome.unwrap_or_else(Outcome::Failed)]
    }

    fn open(&mut self) -> Vec<Outcome> {
        let config = self.scenario.config.clone();
        match &self.scenario.opening {
            Opening::LogIn(credentials) => {
                let started = ClientHandshake::start(credentials, config, &mut self.outbox);
                if let Some(writes) = self.cannot_write() {
                    return vec![Outcome::Failed(refused(writes.failure, writes.kind))];
                }
                match started.expect("a login").receive(&mut self.input) {
                    Ok(Progress::Done(connection)) => self.opened(None, connection),
                    Ok(Progress::NeedsInput(handshake)) => {
                        vec![Outcome::Failed(match &self.after {
                            After::Nothing => hangs(),
                            After::Closes => login_failed(handshake.receive_eof()),
                            After::Fails(failure, kind) => refused(failure.clone(), *kind),
                        })]
                    }
                    Err(error) => vec![Outcome::Failed(login_failed(error))],
                }
            }
            Opening::Accept | Opening::Refuse => {
                match ServerHandshake::start(config).receive(&mut self.input) {
                    Ok(Progress::Done(login)) => {
                        let credentials = Outcome::Login(login.credentials().clone());
                        let connection = login.accept(&mut self.outbox);
                        if let Some(writes) = self.cannot_write() {
                            return vec![credentials, Outcome::Failed(writes.failure)];
                        }
                        self.opened(Some(credentials), connection)
                    }
                    Ok(Progress::NeedsInput(handshake)) => {
                        vec![Outcome::Failed(match &self.after {
                            After::Nothing => hangs(),
                            After::Closes => login_failed(handshake.receive_eof(&self.input)),
                            After::Fails(failure, _) => failure.clone(),
                        })]
                    }
                    Err(error) => vec![Outcome::Failed(login_failed(error))],
                }
            }
        }
    }

    fn opened(&mut self, login: Option<Outcome>, connection: Connection) -> Vec<Outcome> {
        let opened = Outcome::Opened(connection.capability().number());
        self.connection = Some(connection);
        login.into_iter().chain([opened]).collect()
    }

    fn get(&mut self, query: &Value) -> Result<Value, Failure> {
        self.check()?;
        let connection = self.connection.as_mut().expect("it is open");
        let sent = connection.request(query, &mut self.outbox);
        sent.map_err(not_sent)?;
        if let Some(writes) = self.cannot_write() {
            return Err(writes.failure);
        }
        loop {
            if let Some(response) = self.take_in()? {
                return self.value(&response);
            }
        }
    }

    fn set(&mut self, message: &Value) -> Result<Outcome, Failure> {
        self.check()?;
        let connection = self.connection.as_mut().expect("it is open");
        let sent = connection.notify(message, &mut self.outbox);
        sent.map_err(not_sent).map(|()| Outcome::Done)
    }

    /// What has come is received before a failure of writing is told.
    fn recv(&mut self) -> Result<Value, Failure> {
        loop {
            match self.kept.pop_front() {
                Some(Kept::Async(body)) => return self.value(&body),
                Some(Kept::Request(ticket, _)) => self.decline(ticket)?,
                None => {
                    self.take_in()?;
                }
            }
        }
    }

    fn receive(&mut self) -> Result<Outcome, Failure> {
        loop {
            match self.kept.pop_front() {
                Some(Kept::Async(body)) => return self.value(&body).map(Outcome::Async),
                Some(Kept::Request(ticket, body)) => match self.value(&body) {
                    Ok(value) => {
                        self.tickets.push(Some(ticket));
                        return Ok(Outcome::Request(value));
                    }
                    Err(failure) => {
                        self.respond(ticket, Err(error("badmsg")))?;
                        self.written()?;
                        return Err(failure);
                    }
                },
                None => {
                    self.take_in()?;
                }
            }
        }
    }

    fn respond(
        &mut self,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Failure> {
        self.check()?;
        let connection = self.connection.as_mut().expect("it is open");
        let answer = answer.as_ref().map(Outgoing::from).map_err(Clone::clone);
        let sent = connection.respond(ticket, answer, &mut self.outbox);
        sent.map_err(not_sent)
    }

    fn decline(&mut self, ticket: Ticket) -> Result<(), Failure> {
        self.respond(ticket, Err(error("nyi: this client answers no requests")))
    }

    /// Takes in one message, and returns it if it is a response.
    fn take_in(&mut self) -> Result<Option<Body>, Failure> {
        self.check()?;
        let connection = self.connection.as_mut().expect("it is open");
        let received = connection.receive(&mut self.input, &mut self.outbox);
        match received.map_err(Failure::Protocol)? {
            Some(Incoming::Response(body)) => return Ok(Some(body)),
            Some(Incoming::LateResponse) => {}
            Some(Incoming::Async(body)) => self.kept.push_back(Kept::Async(body)),
            Some(Incoming::Request(ticket, body)) => match &self.answer {
                Some(answer) => {
                    let is_question =
                        matches!(body.decode(&self.scenario.config.limits), Ok(Ok(_)));
                    let answer = answer.clone();
                    let answer = is_question.then_some(answer).ok_or_else(|| error("badmsg"));
                    self.respond(ticket, answer)?;
                }
                None if matches!(self.scenario.opening, Opening::LogIn(_)) => {
                    self.decline(ticket)?
                }
                None => self.kept.push_back(Kept::Request(ticket, body)),
            },
            None => return Err(self.at_the_end()),
        }
        Ok(None)
    }

    /// Returns what who waits is told when nothing more comes.
    fn at_the_end(&mut self) -> Failure {
        if let Some(writes) = self.cannot_write() {
            return writes.failure;
        }
        let connection = self.connection.as_mut().expect("it is open");
        match &self.after {
            After::Nothing => hangs(),
            After::Closes => match connection.receive_eof(&self.input) {
                Ok(()) => Failure::Closed,
                Err(error) => Failure::Protocol(error),
            },
            After::Fails(failure, _) => failure.clone(),
        }
    }

    fn written(&self) -> Result<Outcome, Failure> {
        self.check()?;
        match self.cannot_write() {
            Some(writes) => Err(writes.failure),
            None => Ok(Outcome::Done),
        }
    }

    /// Returns why not everything that is queued can be written, if so.
    fn cannot_write(&self) -> Option<Writes> {
        let writes = self.writes.as_ref();
        writes
            .filter(|writes| self.outbox.len() > writes.limit)
            .cloned()
    }

    fn check(&self) -> Result<(), Failure> {
        self.over.clone().map_or(Ok(()), Err)
    }

    fn value(&self, body: &Body) -> Result<Value, Failure> {
        let decoded = body.decode(&self.scenario.config.limits);
        decoded
            .map_err(Failure::BadMessage)?
            .map_err(Failure::Remote)
    }
}

fn not_sent(error: SendError) -> Failure {
    if let SendError::Failed(error) = error {
        Failure::Protocol(error)
    } else {
        Failure::Send(error)
    }
}

fn login_failed(error: HandshakeError) -> Failure {
    if error == HandshakeError::Access {
        Failure::Access
    } else {
        Failure::Login(error)
    }
}

/// What a client makes of a failure before its login is answered: a server that closes with the
/// login unread resets the connection.
fn refused(failure: Failure, kind: ErrorKind) -> Failure {
    if matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) {
        Failure::Access
    } else {
        failure
    }
}

/// No run may come to this.
fn hangs() -> Failure {
    Failure::Other("it waits for ever".into())
}

fn error(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("no NUL")
}
