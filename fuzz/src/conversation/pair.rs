//! Two connections, each reading what the other writes, beside a model of what must come.

use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config, Requests};
use hopen_codec::handshake::{ClientHandshake, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;

use super::end::End;
use super::wire::take;

/// Who does something.
#[derive(Clone, Copy, Debug)]
pub enum Side {
    Client,
    Server,
}

/// What can happen to two connections.
#[derive(Clone, Copy, Debug)]
pub enum Operation {
    Ask(Side),
    Tell(Side),
    /// Gives up, where that is not the end.
    GiveUp(Side),
    /// Gives up, also where that is the end.
    Abandon(Side),
    /// This end answers one of the requests that it was asked, counted in a ring.
    Answer(Side, usize),
    /// So many of the bytes that this end has written arrive, and all messages that they complete
    /// are received.
    Deliver(Side, usize),
    /// One of the bytes that this end has written and that have not arrived, counted in a ring,
    /// becomes another.
    Corrupt(Side, usize, u8),
    /// This end closes, and what has not arrived never will.
    Close(Side),
}

/// What an operation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Goes,
    Over,
}

/// How two connections start: of each what concerns the client, and then the server.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    pub requests: [Requests; 2],
    pub capabilities: [Capability; 2],
    /// How many numbers a message carries beside its own.
    pub padding: usize,
}

impl Setup {
    /// Small messages between ends that understand everything.
    pub const fn plain(client: Requests, server: Requests) -> Self {
        Self {
            requests: [client, server],
            capabilities: [Capability::MAX; 2],
            padding: 0,
        }
    }
}

/// Two connections, and what must be true of them.
///
/// Every message carries a number, and an answer that of its request. The model is that of a caller
/// without an opinion: its answers come in the order of its requests, whoever asks what meanwhile.
/// Of the bytes it knows where each message ends, and so which must have come.
pub struct Pair {
    pub client: End,
    pub server: End,
}

impl Pair {
    /// Logs in.
    pub fn new(setup: Setup) -> Self {
        let (mut to_server, mut to_client) = (Outbox::default(), Outbox::default());
        let [client, server] = [Config::client(), Config::server()];
        let [client, server] = [(client, 0), (server, 1)].map(|(mut config, side)| {
            config.requests = setup.requests[side];
            config.capability = setup.capabilities[side];
            config.limits.message = LONGEST_MESSAGE;
            config
        });
        let anonymous = Credentials::anonymous();
        let client = ClientHandshake::start(&anonymous, client, &mut to_server);
        let client = client.expect("the login is empty");
        let server = ServerHandshake::start(server);
        let login = done(server.receive(&mut take(&mut to_server, usize::MAX)));
        let server = login.accept(&mut to_client);
        let client = done(client.receive(&mut take(&mut to_client, usize::MAX)));
        Self {
            client: End::new(client, setup.padding),
            server: End::new(server, setup.padding),
        }
    }

    pub fn run(&mut self, program: &[Operation]) -> Outcome {
        for &operation in program {
            if self.take(operation) == Outcome::Over {
                return Outcome::Over;
            }
        }
        Outcome::Goes
    }

    pub fn take(&mut self, operation: Operation) -> Outcome {
        let outcome = match operation {
            Operation::Ask(side) => self.ends(side).0.ask(),
            Operation::Tell(side) => self.ends(side).0.tell(),
            Operation::GiveUp(side) => self.ends(side).0.give_up(),
            Operation::Abandon(side) => self.ends(side).0.abandon(),
            Operation::Answer(side, which) => self.ends(side).0.answer(which),
            Operation::Corrupt(side, place, change) => self.ends(side).0.corrupt(place, change),
            Operation::Deliver(side, count) => {
                let (from, to) = self.ends(side);
                let (bytes, due) = from.deliver(count);
                let outcome = to.receive(&bytes, due);
                if outcome == Outcome::Goes && from.is_corrupt() {
                    to.receive_anything(from.rest());
                    return Outcome::Over;
                }
                outcome
            }
            Operation::Close(side) => {
                let (from, to) = self.ends(side);
                to.receive_eof(from.part());
                Outcome::Over
            }
        };
        self.client.write();
        self.server.write();
        outcome
    }

    /// Delivers everything and answers everything, which is all that it takes.
    pub fn settle(&mut self, order: usize) -> Outcome {
        while self.client.is_busy() || self.server.is_busy() {
            let round = [Side::Client, Side::Server].map(|side| {
                let deliver = Operation::Deliver(side, usize::MAX);
                [deliver, Operation::Answer(side, order)]
            });
            if self.run(round.as_flattened()) == Outcome::Over {
                return Outcome::Over;
            }
        }
        self.assert_settled();
        Outcome::Goes
    }

    pub fn assert_settled(&mut self) {
        assert_eq!(self.client.asked, self.server.heard);
        assert_eq!(self.server.asked, self.client.heard);
        assert_eq!(self.client.told, self.server.was_told);
        assert_eq!(self.server.told, self.client.was_told);
        self.client.assert_settled();
        self.server.assert_settled();
    }

    /// Returns this end and the other.
    fn ends(&mut self, side: Side) -> (&mut End, &mut End) {
        match side {
            Side::Client => (&mut self.client, &mut self.server),
            Side::Server => (&mut self.server, &mut self.client),
        }
    }
}

fn done<S, T, E>(progress: Result<Progress<S, T>, E>) -> T {
    match progress {
        Ok(Progress::Done(done)) => done,
        Ok(Progress::NeedsInput(_)) => panic!("the input was all there is"),
        Err(_) => panic!("the login is accepted"),
    }
}

/// More than any message here, and little enough for one that claims it to be run many times.
const LONGEST_MESSAGE: u64 = 256 * 1024;
