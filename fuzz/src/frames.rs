//! A stream of messages, in chunks of any sizes: a field of sizes, and the stream.

use bytes::BytesMut;
use hopen_codec::config::Limits;
use hopen_codec::frame::{FrameDecoder, FrameError};
use hopen_codec::message::Message;

use crate::{deliver, take_field};

/// Looks at one input.
pub fn look_at(mut input: &[u8]) {
    let chunks = take_field(&mut input);
    let (one, another) = (at_once(input), in_chunks(input, chunks));
    assert_eq!(one.messages.len(), another.messages.len());
    assert_eq!(one.error, another.error);
    assert_eq!(one.left, another.left);
    for (message, same) in one.messages.iter().zip(&another.messages) {
        assert_eq!(message.header(), same.header());
        assert_eq!(message.body.chunks(), same.body.chunks());
        assert_eq!(message.body.decode(&limits()), same.body.decode(&limits()));
    }
}

/// What a stream came to.
#[derive(Default)]
struct Outcome {
    messages: Vec<Message>,
    error: Option<FrameError>,
    left: Vec<u8>,
}

fn at_once(wire: &[u8]) -> Outcome {
    let mut frames = FrameDecoder::new(limits().message);
    let mut input = BytesMut::from(wire);
    let mut outcome = Outcome::default();
    outcome.decode(&mut frames, &mut input);
    outcome.left = input.to_vec();
    outcome
}

fn in_chunks(wire: &[u8], chunks: &[u8]) -> Outcome {
    let mut frames = FrameDecoder::new(limits().message);
    let mut outcome = Outcome::default();
    let (input, rest) = deliver(wire, chunks, |input| {
        outcome.decode(&mut frames, input);
        frames.make_room(input)
    });
    assert!(rest.is_empty() || outcome.error.is_some());
    outcome.left = [&input, rest].concat();
    outcome
}

impl Outcome {
    fn decode(&mut self, frames: &mut FrameDecoder, input: &mut BytesMut) {
        loop {
            let announced = frames.announced(input).map(|message| message.length);
            match frames.decode(input) {
                Ok(Some(message)) => {
                    assert_eq!(announced, Some(message.header().length));
                    self.messages.push(message);
                }
                Ok(None) => return,
                Err(error) => {
                    assert_eq!(frames.decode(input).err(), Some(error));
                    self.error = Some(error);
                    return;
                }
            }
        }
    }
}

/// A limit that is reached.
fn limits() -> Limits {
    let mut limits = Limits::server();
    limits.message = 1 << 20;
    limits
}
