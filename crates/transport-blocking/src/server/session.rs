//! One connection, from its login to its end.

use std::sync::{Arc, Weak};

use hopen_codec::backlog::Kept;
use hopen_codec::connection::{ProtocolError, Ticket};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use super::registry::Place;
use super::{Answer, BadMessage, Client, Decision, Reply, Shared, TextProtocol};
use crate::channel::{Spoken, TextQuery};
use crate::link::{Caller, Link, remote_error};
use crate::{Channel, Error, Handle, Login};
use hopen_transport::Intake;
use hopen_transport::server::{Name, User, guarded};

/// Lets a client log in and serves it until the connection is over.
pub(super) fn serve(shared: &Shared, place: &Place, channel: Channel) {
    let name = Name(channel.peer_addr());
    match shared.let_in(channel) {
        Ok(Some((user, handle))) => shared.converse(place, &user, handle),
        Ok(None) => {}
        // Somebody looks whether the port is open.
        Err(Error::Login(HandshakeError::LoginCutOff { received: 0 })) => {
            log::debug!("{name}: closed before its login");
        }
        Err(error) => log::info!("{name}: {error}"),
    }
}

impl Shared {
    /// Receives a login and decides about it. Returns the user and the handle, or `None` where that is
    /// all: the login was refused, or came with a line of text that is answered.
    fn let_in(&self, channel: Channel) -> Result<Option<(Vec<u8>, Handle)>, Error> {
        let name = Name(channel.peer_addr());
        let options = &self.options;
        let login = channel.receive_login(options.config.clone(), Some(options.login_timeout))?;
        if !self.is_welcome(&login) {
            log::warn!("{name}: refused: {}", User(login.credentials()));
            login.refuse();
            return Ok(None);
        }
        let login = match options.text {
            TextProtocol::On if login.offered().is_none() => match login.await_text()? {
                Spoken::Messages(login) => login,
                Spoken::Text(query) => {
                    self.answer_text(name, query)?;
                    return Ok(None);
                }
            },
            TextProtocol::On | TextProtocol::Off => login,
        };
        let user = login.credentials().user().to_vec();
        Ok(Some((user, login.accept()?)))
    }

    fn is_welcome(&self, login: &Login) -> bool {
        let passwords = self.options.passwords.as_ref();
        if passwords.is_some_and(|passwords| !passwords.check(login.credentials())) {
            return false;
        }
        let name = Name(login.peer_addr());
        let decision = guarded(&name, "Handler::login", || self.handler.login(login));
        decision == Some(Decision::Accept)
    }

    fn answer_text(&self, name: Name, query: TextQuery) -> Result<(), Error> {
        let answer = guarded(&name, "Handler::text", || {
            self.handler.text(&query.login, &query.line)
        });
        let answer = answer.unwrap_or_else(|| format!("'{PANIC}\n").into());
        query.answer(&answer, self.options.stall_timeout)
    }

    /// Serves a client that is let in.
    fn converse(&self, place: &Place, user: &[u8], handle: Handle) {
        let (link, mut intake, peer) = handle.into_parts();
        let line: Weak<Link> = Arc::downgrade(&link);
        let client = Client::new(place.number(), user, peer, line, &link.lock().core);
        if !place.is_taken_by(&client) {
            return;
        }
        log::debug!("{client}: opened");
        let opened = guarded(&client, "Handler::opened", || self.handler.opened(&client));
        let why = match opened {
            Some(()) => self.talk(&client, &link, &mut intake),
            None => Error::BadHandle,
        };
        // What is queued for somebody who is closed goes nowhere; nobody sends any more.
        link.close();
        drop(link);
        place.is_left();
        if matches!(why, Error::Closed | Error::BadHandle) {
            log::debug!("{client}: {why}");
        } else {
            log::warn!("{client}: closed: {why}");
        }
        guarded(&client, "Handler::closed", || {
            self.handler.closed(&client, &why);
        });
    }

    /// Takes one message after the other. Returns what has ended that.
    fn talk(&self, client: &Client, link: &Arc<Link>, intake: &mut Intake) -> Error {
        let mut caller = Caller::reading(link, intake);
        loop {
            match caller.serve(self.options.stall_timeout) {
                Ok(Some(kept)) => match self.take(client, link, &mut caller, kept) {
                    Ok(()) => {}
                    // The client was told instead.
                    Err(error @ Error::Send(_)) => log::warn!("{client}: not answered: {error}"),
                    // What it had sent before it closed is taken all the same, and the end found behind it.
                    Err(Error::Closed) => {}
                    Err(error) => return error,
                },
                // The server stops.
                Ok(None) => {
                    let settled = caller.settle();
                    link.end_writing();
                    return settled.err().unwrap_or(Error::BadHandle);
                }
                Err(error) => {
                    if let Error::Protocol(ProtocolError::Frame(frame)) = &error {
                        self.report(client, &BadMessage::Header(*frame));
                    }
                    return error;
                }
            }
        }
    }

    fn take(
        &self,
        client: &Client,
        link: &Arc<Link>,
        caller: &mut Caller<'_>,
        kept: Kept,
    ) -> Result<(), Error> {
        let (ticket, body) = match kept {
            Kept::Async(body) => (None, body),
            Kept::Request(ticket, body) => (Some(ticket), body),
        };
        let decoded = body.decode(&client.config().limits);
        let message = decoded.map_err(|error| self.bad_body(client, body, error))?;
        match (ticket, message) {
            (Some(ticket), Ok(query)) => self.answer(client, link, caller, ticket, query),
            (Some(ticket), Err(_)) => {
                // An error is no question.
                self.respond(caller, ticket, Err(remote_error("badmsg")))
            }
            (None, Ok(message)) => {
                guarded(client, "Handler::notice", || {
                    self.handler.notice(client, message);
                });
                Ok(())
            }
            (None, Err(error)) => {
                // Some clients send one that nobody asked for, as qPython does.
                log::debug!("{client}: says '{error}");
                Ok(())
            }
        }
    }

    fn answer(
        &self,
        client: &Client,
        link: &Arc<Link>,
        caller: &mut Caller<'_>,
        ticket: Ticket,
        query: Value,
    ) -> Result<(), Error> {
        let answer = guarded(client, "Handler::request", || {
            self.handler.request(client, query)
        });
        match answer {
            Some(Answer::Now(answer)) => self.respond(caller, ticket, answer),
            Some(Answer::Deferred(take)) => {
                let line: Weak<Link> = Arc::downgrade(link);
                let reply = Reply::new(line, client.clone(), ticket);
                guarded(client, "what takes a reply", || take(reply));
                Ok(())
            }
            None => self.respond(caller, ticket, Err(remote_error(PANIC))),
        }
    }

    fn respond(
        &self,
        caller: &mut Caller<'_>,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Error> {
        let answer = answer.as_ref().map_err(Clone::clone);
        caller.respond_in_time(ticket, answer, self.options.stall_timeout)
    }

    fn bad_body(&self, client: &Client, body: Body, error: DecodeError) -> Error {
        self.report(client, &BadMessage::Body { body, error });
        Error::BadMessage(error)
    }

    fn report(&self, client: &Client, message: &BadMessage) {
        guarded(client, "Handler::bad_message", || {
            self.handler.bad_message(client, message);
        });
    }
}

/// What a client is told whose request has made the handler panic.
const PANIC: &str = "panic";
