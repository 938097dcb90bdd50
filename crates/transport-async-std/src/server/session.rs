//! One connection, from its login to its end.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::sync::{Arc, Weak};

use hopen_codec::backlog::Kept;
use hopen_codec::connection::{ProtocolError, Ticket};
use hopen_codec::decode::DecodeError;
use hopen_codec::handshake::HandshakeError;
use hopen_codec::message::Body;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;
use hopen_transport::server::{Name, User, guarded};

use super::registry::{Place, Point};
use super::{Answer, BadMessage, Client, Decision, Handler, Reply, Shared, TextProtocol, give_way};
use crate::channel::{Spoken, TextQuery};
use crate::link::{Caller, Link, Reader, remote_error};
use crate::{Channel, Error, Handle, Login};

/// Lets a client log in and serves it until the connection is over.
pub(super) async fn serve<H: Handler>(shared: &Shared<H>, place: &Place, channel: Channel) {
    let name = Name(channel.peer_addr());
    // Of its own, as it takes much more than what comes after it.
    let let_in = Box::pin(shared.let_in(channel));
    match place.unless(Point::Stops, let_in).await {
        Some(Ok(Some((user, handle)))) => shared.converse(place, &user, handle).await,
        Some(Ok(None)) => {}
        // Somebody looks whether the port is open.
        Some(Err(Error::Login(HandshakeError::LoginCutOff { received: 0 }))) => {
            log::debug!("{name}: closed before its login");
        }
        Some(Err(error)) => log::info!("{name}: {error}"),
        None => log::debug!("{name}: closed before its login, as the server stops"),
    }
}

/// A client that is let in.
struct Seat<'a> {
    place: &'a Place,
    client: Client,
    link: Arc<Link>,
}

/// What became of a call of the handler.
enum Called<T> {
    Returned(T),
    Panicked,
    /// It was dropped, as the server is over.
    Dropped,
}

impl<H: Handler> Shared<H> {
    /// Receives a login and decides about it. Returns the user and the handle, or `None` where that is
    /// all: the login was refused, or came with a line of text that is answered.
    async fn let_in(&self, channel: Channel) -> Result<Option<(Vec<u8>, Handle)>, Error> {
        let name = Name(channel.peer_addr());
        let options = &self.options;
        let config = options.config.clone();
        let login = channel.receive_login(config, Some(options.login_timeout));
        let login = login.await?;
        if !self.is_welcome(&login).await {
            log::warn!("{name}: refused: {}", User(login.credentials()));
            login.refuse();
            return Ok(None);
        }
        let login = match options.text {
            TextProtocol::On if login.offered().is_none() => match login.await_text().await? {
                Spoken::Messages(login) => login,
                Spoken::Text(query) => {
                    self.answer_text(name, query).await?;
                    return Ok(None);
                }
            },
            TextProtocol::On | TextProtocol::Off => login,
        };
        let user = login.credentials().user().to_vec();
        Ok(Some((user, login.accept().await?)))
    }

    async fn is_welcome(&self, login: &Login) -> bool {
        let passwords = self.options.passwords.as_ref();
        if passwords.is_some_and(|passwords| !passwords.check(login.credentials())) {
            return false;
        }
        let name = Name(login.peer_addr());
        let decision = caught(&name, "Handler::login", || self.handler.login(login)).await;
        decision == Some(Decision::Accept)
    }

    async fn answer_text(&self, name: Name, query: TextQuery) -> Result<(), Error> {
        let answer = caught(&name, "Handler::text", || {
            self.handler.text(&query.login, &query.line)
        });
        let answer = answer.await;
        let answer = answer.unwrap_or_else(|| format!("'{PANIC}\n").into());
        query.answer(&answer, self.options.stall_timeout).await
    }

    /// Serves a client that is let in.
    async fn converse(&self, place: &Place, user: &[u8], handle: Handle) {
        let (link, peer) = handle.into_parts();
        let line: Weak<Link> = Arc::downgrade(&link);
        let client = Client::new(place.number(), user, peer, line, &link.lock().state);
        if !place.is_taken_by(&client) {
            return;
        }
        let seat = Seat {
            place,
            client,
            link,
        };
        let client = &seat.client;
        log::debug!("{client}: opened");
        let opened = seat.call("Handler::opened", || self.handler.opened(client));
        let why = match opened.await {
            Called::Returned(()) => self.talk(&seat).await,
            Called::Panicked | Called::Dropped => Error::BadHandle,
        };
        // What is queued for somebody who is closed goes nowhere; nobody sends any more.
        seat.link.close();
        place.is_left();
        if matches!(why, Error::Closed | Error::BadHandle) {
            log::debug!("{client}: {why}");
        } else {
            log::warn!("{client}: closed: {why}");
        }
        caught(client, "Handler::closed", || {
            self.handler.closed(client, &why)
        })
        .await;
    }

    /// Takes one message after the other. Returns what has ended that.
    async fn talk(&self, seat: &Seat<'_>) -> Error {
        let mut taken = 0_usize;
        loop {
            match seat.caller().serve(self.options.stall_timeout).await {
                Ok(Some(kept)) => match self.take(seat, kept).await {
                    Ok(()) => {}
                    // The client was told instead.
                    Err(error @ Error::Send(_)) => {
                        log::warn!("{}: not answered: {error}", seat.client);
                    }
                    // What it had sent before it closed is taken all the same, and the end found behind it.
                    Err(Error::Closed) => {}
                    Err(error) => return error,
                },
                // The server stops.
                Ok(None) => {
                    let settled = seat.caller().settle().await;
                    seat.link.end_writing();
                    return settled.err().unwrap_or(Error::BadHandle);
                }
                Err(error) => {
                    if let Error::Protocol(ProtocolError::Frame(frame)) = &error {
                        self.report(seat, &BadMessage::Header(*frame)).await;
                    }
                    return error;
                }
            }
            taken += 1;
            if taken.is_multiple_of(MESSAGES) {
                give_way().await;
            }
        }
    }

    async fn take(&self, seat: &Seat<'_>, kept: Kept) -> Result<(), Error> {
        let client = &seat.client;
        let (ticket, body) = match kept {
            Kept::Async(body) => (None, body),
            Kept::Request(ticket, body) => (Some(ticket), body),
        };
        let message = match body.decode(&client.config().limits) {
            Ok(message) => message,
            Err(error) => return Err(self.bad_body(seat, body, error).await),
        };
        match (ticket, message) {
            (Some(ticket), Ok(query)) => self.answer(seat, ticket, query).await,
            (Some(ticket), Err(_)) => {
                // An error is no question.
                self.respond(seat, ticket, Err(remote_error("badmsg")))
                    .await
            }
            (None, Ok(message)) => {
                let called = seat.call("Handler::notice", || self.handler.notice(client, message));
                match called.await {
                    Called::Returned(()) | Called::Panicked => Ok(()),
                    Called::Dropped => Err(Error::BadHandle),
                }
            }
            (None, Err(error)) => {
                // Some clients send one that nobody asked for, as qPython does.
                log::debug!("{client}: says '{error}");
                Ok(())
            }
        }
    }

    async fn answer(&self, seat: &Seat<'_>, ticket: Ticket, query: Value) -> Result<(), Error> {
        let client = &seat.client;
        let called = seat.call("Handler::request", || self.handler.request(client, query));
        match called.await {
            Called::Returned(Answer::Now(answer)) => self.respond(seat, ticket, answer).await,
            Called::Returned(Answer::Deferred(take)) => {
                let line: Weak<Link> = Arc::downgrade(&seat.link);
                let reply = Reply::new(line, client.clone(), ticket);
                guarded(client, "what takes a reply", || take(reply));
                Ok(())
            }
            Called::Panicked => self.respond(seat, ticket, Err(remote_error(PANIC))).await,
            Called::Dropped => Err(Error::BadHandle),
        }
    }

    async fn respond(
        &self,
        seat: &Seat<'_>,
        ticket: Ticket,
        answer: Result<Value, RemoteError>,
    ) -> Result<(), Error> {
        let answer = answer.as_ref().map_err(Clone::clone);
        let patience = self.options.stall_timeout;
        seat.caller()
            .respond_in_time(ticket, answer, patience)
            .await
    }

    async fn bad_body(&self, seat: &Seat<'_>, body: Body, error: DecodeError) -> Error {
        self.report(seat, &BadMessage::Body { body, error }).await;
        Error::BadMessage(error)
    }

    async fn report(&self, seat: &Seat<'_>, message: &BadMessage) {
        let called = seat.call("Handler::bad_message", || {
            self.handler.bad_message(&seat.client, message)
        });
        // The connection ends either way.
        called.await;
    }
}

impl Seat<'_> {
    fn caller(&self) -> Caller<'_> {
        Caller::new(&self.link, Reader::Here)
    }

    /// Calls what the program has written. While it takes its time, what waits for the client is
    /// written.
    async fn call<F: Future>(&self, what: &str, call: impl FnOnce() -> F) -> Called<F::Output> {
        let mut called = pin!(caught(&self.client, what, call));
        let called = poll_fn(|context| {
            let polled = called.as_mut().poll(context);
            if polled.is_pending() {
                self.link.keep_writing(context);
            }
            polled
        });
        match self.place.unless(Point::Over, called).await {
            Some(Some(returned)) => Called::Returned(returned),
            Some(None) => Called::Panicked,
            None => Called::Dropped,
        }
    }
}

/// Calls what the program has written, and returns `None` where it panics, which is logged.
async fn caught<F: Future>(
    name: &(dyn core::fmt::Display + Sync),
    what: &str,
    call: impl FnOnce() -> F,
) -> Option<F::Output> {
    let mut call = Some(call);
    let mut future = pin!(None);
    poll_fn(|context| {
        let polled = guarded(&name, what, || {
            if let Some(call) = call.take() {
                future.set(Some(call()));
            }
            let future = future.as_mut().as_pin_mut();
            future.map_or(Poll::Pending, |future| future.poll(context))
        });
        match polled {
            Some(polled) => polled.map(Some),
            None => Poll::Ready(None),
        }
    })
    .await
}

/// What a client is told whose request has made the handler panic.
const PANIC: &str = "panic";

/// How many messages of one client are taken before others have their turn.
const MESSAGES: usize = 64;
