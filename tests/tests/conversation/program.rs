//! What a program does at our end, step by step.

use std::sync::mpsc::Sender;

use hopen_codec::connection::Ticket;

use super::end::{Connect, End, Failure, Message};
use super::scenario::{Call, Outcome, Scenario};

/// What runs at our end.
pub(crate) struct Program {
    connect: Option<Connect>,
    end: Option<Box<dyn End>>,
    tickets: Vec<Option<Ticket>>,
    teller: Sender<()>,
}

impl Program {
    /// A program that opens its end in this way, and tells a peer that waits.
    pub(crate) fn new(connect: Connect, teller: Sender<()>) -> Self {
        Self {
            connect: Some(connect),
            end: None,
            tickets: Vec::new(),
            teller,
        }
    }

    /// Does what a step says, and returns what comes of it: nothing of an answer to what was not
    /// asked.
    pub(crate) fn call(&mut self, call: &Call, scenario: &Scenario) -> Vec<Outcome> {
        if let Call::Open(timeout) = call {
            let connect = self.connect.take().expect("a scenario opens once");
            let opened = connect(scenario.opening.clone(), scenario.config.clone(), *timeout);
            let login = opened.login.map(Outcome::Login);
            let end = match opened.end {
                Ok(Some(end)) => {
                    let capability = end.capability();
                    self.end = Some(end);
                    Some(Outcome::Opened(capability))
                }
                Ok(None) => None,
                Err(failure) => Some(Outcome::Failed(failure)),
            };
            return login.into_iter().chain(end).collect();
        }
        match self.call_open(call) {
            Ok(outcome) => outcome.into_iter().collect(),
            Err(failure) => vec![Outcome::Failed(failure)],
        }
    }

    /// Writes what waits and closes.
    pub(crate) fn finish(self) {
        if let Some(end) = self.end {
            end.finish();
        }
    }

    /// Writes what waits and leaves, without waiting for the peer.
    pub(crate) fn leave(self) {
        if let Some(mut end) = self.end {
            // Where the connection has ended this fails.
            let _ = end.flush();
        }
    }

    fn call_open(&mut self, call: &Call) -> Result<Option<Outcome>, Failure> {
        let end = self.end.as_mut().expect("a scenario opens first");
        Ok(Some(match call {
            Call::Open(_) => unreachable!("it is open"),
            Call::Get(query, timeout) => Outcome::Value(end.get(query.clone(), *timeout)?),
            Call::Set(message) => done(end.set(message.clone())?),
            Call::TrySet(message) => done(end.try_set(message.clone())?),
            Call::Flush => done(end.flush()?),
            Call::Recv(timeout) => Outcome::Value(end.recv(*timeout)?),
            Call::Receive => match end.receive()? {
                Message::Async(value) => Outcome::Async(value),
                Message::Request(ticket, value) => {
                    self.tickets.push(Some(ticket));
                    Outcome::Request(value)
                }
            },
            Call::AnswerRequests(answer) => {
                end.answer_requests(answer.clone());
                Outcome::Done
            }
            Call::Respond(request, answer) => {
                let ticket = self.tickets.get_mut(*request).and_then(Option::take);
                let Some(ticket) = ticket else {
                    return Ok(None);
                };
                done(end.respond(ticket, answer.clone())?)
            }
            Call::Close => {
                let end = self.end.take().expect("it is open");
                Outcome::Closed(end.close())
            }
            Call::Tell => {
                // If the peer has gone it says why.
                let _ = self.teller.send(());
                Outcome::Done
            }
        }))
    }
}

const fn done((): ()) -> Outcome {
    Outcome::Done
}
