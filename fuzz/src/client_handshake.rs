//! A login and what the server says to it, in chunks of any sizes: the capability that is offered,
//! a field with the credentials, a field with the sizes, and what the server says.

use bytes::{Buf, BytesMut};
use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::{Connection, Incoming, ProtocolError};
use hopen_codec::handshake::{ClientHandshake, HandshakeError, Progress};
use hopen_codec::message::MessageKind;
use hopen_codec::outbox::Outbox;

use crate::{deliver, take_field};

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let Some((offered, rest)) = input.split_first() else {
        return;
    };
    input = rest;
    let login = take_field(&mut input);
    let chunks = take_field(&mut input);
    let mut config = Config::client();
    config.capability = Capability::from_wire(*offered);
    config.limits.message = 1 << 20;
    let Some(client) = start(login, config.clone()) else {
        return;
    };
    let Some((reply, _)) = input.split_first() else {
        assert_eq!(client.receive_eof(), HandshakeError::Access);
        return;
    };
    let outcome = talk(client.clone(), input, chunks);
    let common = config.capability.min(Capability::from_wire(*reply));
    assert_eq!(outcome.capability, common);
    assert_eq!(outcome, talk(client, input, &[]));
}

/// Sends the login and checks that it is what the documentation says.
fn start(login: &[u8], config: Config) -> Option<ClientHandshake> {
    let Ok(credentials) = Credentials::parse(login) else {
        assert!(login.contains(&0));
        return None;
    };
    let mut outbox = Outbox::default();
    let capability = config.capability.number();
    let started = ClientHandshake::start(&credentials, config, &mut outbox);
    let sent = outbox.copy_to_bytes(outbox.remaining());
    match started {
        Ok(client) => {
            let capability = (capability > 0).then_some(capability);
            assert_eq!(sent, [login, capability.as_slice(), &[0]].concat());
            Some(client)
        }
        Err(error) => {
            let last = login.last().copied().unwrap_or(b' ');
            assert_eq!(error, HandshakeError::EndsInControlByte { byte: last });
            assert!(last < 0x20 && capability == 0 && sent.is_empty());
            None
        }
    }
}

/// What a connection came to.
#[derive(Debug, PartialEq)]
struct Outcome {
    capability: Capability,
    received: Vec<(MessageKind, Vec<u8>)>,
    error: Option<ProtocolError>,
    left: Vec<u8>,
}

fn talk(client: ClientHandshake, wire: &[u8], chunks: &[u8]) -> Outcome {
    let (mut handshake, mut connection) = (Some(client), None);
    let (mut received, mut error) = (Vec::new(), None);
    let (input, rest) = deliver(wire, chunks, |input| {
        if let Some(client) = handshake.take() {
            let behind = input.get(1..).map(<[u8]>::to_vec);
            match client.receive(input).expect("any byte is a reply") {
                Progress::Done(done) => {
                    assert_eq!(Some(input.to_vec()), behind);
                    connection = Some(done);
                }
                Progress::NeedsInput(client) => {
                    let room = client.make_room(input);
                    handshake = Some(client);
                    return room;
                }
            }
        }
        let connection = connection.as_mut().expect("the reply has come");
        error = receive(connection, input, &mut received);
        connection.make_room(input)
    });
    let mut connection = connection.expect("the reply has come");
    // A stream that ended in an error is not read on, and nothing of it is lost.
    assert!(rest.is_empty() || error.is_some());
    let eof = connection.receive_eof(&input).err();
    assert!(error.is_none() || eof == error);
    Outcome {
        capability: connection.capability(),
        received,
        error: eof,
        left: [&input, rest].concat(),
    }
}

fn receive(
    connection: &mut Connection,
    input: &mut BytesMut,
    received: &mut Vec<(MessageKind, Vec<u8>)>,
) -> Option<ProtocolError> {
    loop {
        let (kind, body) = match connection.receive(input, &mut Outbox::default()) {
            Ok(Some(Incoming::Async(body))) => (MessageKind::Async, body),
            Ok(Some(Incoming::Request(_, body))) => (MessageKind::Sync, body),
            Ok(Some(other)) => panic!("nothing was asked: {other:?}"),
            Ok(None) => return None,
            Err(error) => return Some(error),
        };
        received.push((kind, body.chunks().concat()));
    }
}
