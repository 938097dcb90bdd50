//! A whole conversation that breaks off after each of its bytes.

use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::connection::ProtocolError;
use hopen_codec::handshake::HandshakeError;

use crate::conversation::end::{Failure, Opening};
use crate::conversation::scenario::{
    Call, Line, Scenario, Step, before_login, error, expect, get, notice, open, receive, recv,
    remote, respond, response, send, server, set, sync,
};

/// A question of ours or a wait for a message, and what the peer sends for it.
struct Exchange {
    /// What needs nothing of the peer.
    before: Vec<Step>,
    step: Step,
    expects: Vec<u8>,
    sends: Vec<Vec<u8>>,
    /// What the step gives if the peer closes before it sends the next of the messages.
    closed: Failure,
    /// The messages that are kept for later, which come first.
    kept: Vec<&'static str>,
}

/// Our end is the client: each scenario is the one conversation, up to one of its bytes.
pub(crate) fn of_a_client() -> Vec<Scenario> {
    let unanswered = Failure::Protocol(ProtocolError::ClosedBeforeResponse);
    let exchanges = [
        Exchange {
            before: vec![set("hello")],
            step: get("one").gives(1_i64),
            expects: [notice("hello"), sync("one")].concat(),
            sends: vec![notice("first"), response(1_i64)],
            closed: unanswered.clone(),
            kept: vec!["first"],
        },
        Exchange {
            before: Vec::new(),
            step: get("two").fails(remote("type")),
            expects: sync("two"),
            sends: vec![error("type")],
            closed: unanswered.clone(),
            kept: Vec::new(),
        },
        Exchange {
            before: Vec::new(),
            step: get("three").gives(vec![1_i64, 2, 3]),
            expects: sync("three"),
            sends: vec![
                notice("second"),
                notice("third"),
                response(vec![1_i64, 2, 3]),
            ],
            closed: unanswered,
            kept: vec!["second", "third"],
        },
        Exchange {
            before: ["first", "second", "third"]
                .map(|text| recv().gives(text))
                .into(),
            step: recv().gives("fourth"),
            expects: Vec::new(),
            sends: vec![notice("fourth")],
            closed: Failure::Closed,
            kept: Vec::new(),
        },
    ];
    let start = before_login(
        "a client's conversation",
        Opening::LogIn(Credentials::anonymous()),
        Config::client(),
    );
    let refused = start
        .clone()
        .named("a client's conversation, of which nothing comes")
        .ours([open().fails(Failure::Access)])
        .theirs([expect(b"\x06\0"), Line::Close]);
    let start = start
        .ours([open().opened(6)])
        .theirs([expect(b"\x06\0"), send(b"\x06")]);
    let mut all = vec![refused];
    all.extend(cut(start, &exchanges));
    all
}

/// Our end is the server.
pub(crate) fn of_a_server() -> Vec<Scenario> {
    let login = b"ann:pw\x06\0";
    let mut all: Vec<_> = (0..login.len())
        .map(|received| {
            let name = format!("a server's conversation, of whose login {received} bytes come");
            before_login(name, Opening::Accept, Config::server())
                .ours([open().fails(Failure::Login(HandshakeError::LoginCutOff { received }))])
                .theirs([send(&login[..received]), Line::Close])
        })
        .collect();
    let exchanges = [
        Exchange {
            before: Vec::new(),
            step: receive().gives_request("one"),
            expects: Vec::new(),
            sends: vec![sync("one")],
            closed: Failure::Closed,
            kept: Vec::new(),
        },
        Exchange {
            before: vec![respond(0, 1_i64).done(), set("news")],
            step: receive().gives_async("update"),
            expects: [response(1_i64), notice("news")].concat(),
            sends: vec![notice("update")],
            closed: Failure::Closed,
            kept: Vec::new(),
        },
        Exchange {
            before: Vec::new(),
            step: receive().gives_request("two"),
            expects: Vec::new(),
            sends: vec![sync("two")],
            closed: Failure::Closed,
            kept: Vec::new(),
        },
    ];
    all.extend(cut(server("a server's conversation"), &exchanges));
    all
}

/// Returns the conversation up to each byte that the peer sends, from none.
fn cut(start: Scenario, exchanges: &[Exchange]) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut so_far = start;
    let mut kept: Vec<&str> = Vec::new();
    for exchange in exchanges {
        if matches!(exchange.step.call, Call::Recv(_)) {
            kept.clear();
        }
        so_far = so_far
            .ours(exchange.before.clone())
            .theirs([expect(&exchange.expects)]);
        for (number, message) in exchange.sends.iter().enumerate() {
            for arrived in 0..message.len() {
                let failure = match arrived {
                    0 => exchange.closed.clone(),
                    _ => Failure::Protocol(truncated(arrived, message.len())),
                };
                let mut step = exchange.step.clone();
                step.outcomes.clear();
                let name = format!("{} up to its byte {}", so_far.name, so_far.sent() + arrived);
                all.push(
                    so_far
                        .clone()
                        .named(name)
                        .ours([step.fails(failure.clone())])
                        .ours(kept.iter().map(|text| recv().gives(*text)))
                        .ours([recv().fails(failure)])
                        .theirs([send(&message[..arrived]), Line::Close, Line::Ignore]),
                );
            }
            so_far = so_far.theirs([send(message)]);
            kept.extend(exchange.kept.get(number));
        }
        so_far = so_far.ours([exchange.step.clone()]);
    }
    all.push(so_far);
    all
}

impl Scenario {
    fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

fn truncated(arrived: usize, length: usize) -> ProtocolError {
    ProtocolError::Truncated {
        arrived: arrived as u64,
        announced: (arrived >= 8).then_some(length as u64),
    }
}
