//! The bytes of a conversation as a fault leaves them.

use bytes::BytesMut;
use hopen_codec::decode::DecodeError;
use hopen_codec::frame::{FrameDecoder, Header};
use hopen_codec::message::MessageKind;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

use crate::conversation::end::Opening;
use crate::conversation::fault::{Direction, Fault, Kind};
use crate::conversation::scenario::{Line, Scenario};

/// The bytes that a peer sends, as a fault leaves them.
pub(crate) struct Bytes {
    pub(crate) bytes: Vec<u8>,
    /// How many bytes the peer says: at the end of the line in which these are reached it closes,
    /// as neither end knows any more where a message ends, and both would wait.
    pub(crate) says: usize,
}

impl Bytes {
    pub(crate) fn of(scenario: &Scenario, fault: Fault) -> Self {
        let mut bytes = sent(scenario);
        let mut says = usize::MAX;
        if fault.direction == Direction::FromUs {
            return Self { bytes, says };
        }
        match fault.kind {
            Kind::End | Kind::Close | Kind::Reset | Kind::Fails(_) => bytes.truncate(fault.offset),
            Kind::Flip(_) | Kind::Replace(_) => {
                let whole = bytes.clone();
                if let Some(byte) = bytes.get_mut(fault.offset) {
                    *byte = fault.kind.damaged(*byte);
                }
                if bytes != whole && !goes_on(scenario, &whole, &bytes, fault.offset) {
                    says = fault.offset + 1;
                    bytes.truncate(end_of_line(scenario, says));
                }
            }
            Kind::Split
            | Kind::ByteByByte
            | Kind::PauseUntilRead
            | Kind::PauseUntilStep(_)
            | Kind::Interrupted
            | Kind::NotReady
            | Kind::TakesNothing => {}
        }
        Self { bytes, says }
    }
}

/// Returns everything that the peer sends.
pub(crate) fn sent(scenario: &Scenario) -> Vec<u8> {
    sent_after(scenario, usize::MAX)
}

/// Returns what the peer sends when it reads so many bytes.
pub(crate) fn sent_after(scenario: &Scenario, mut reads: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    for line in &scenario.theirs {
        match line {
            Line::Expect(bytes) if bytes.len() > reads => break,
            Line::Expect(bytes) => reads -= bytes.len(),
            Line::Send(bytes) => sent.extend_from_slice(bytes),
            Line::Wait | Line::Close | Line::Ignore => {}
        }
    }
    sent
}

fn end_of_line(scenario: &Scenario, says: usize) -> usize {
    let mut end = 0;
    for line in &scenario.theirs {
        if let Line::Send(bytes) = line
            && end < says
        {
            end += bytes.len();
        }
    }
    end
}

/// Returns whether both ends still agree about where messages end when a byte is damaged, and our
/// end gives an answer of the same length: one in the body of a message, which is no question or a
/// good one.
fn goes_on(scenario: &Scenario, whole: &[u8], damaged: &[u8], offset: usize) -> bool {
    let login = match &scenario.opening {
        Opening::LogIn(_) => 1,
        Opening::Accept | Opening::Refuse => {
            whole.iter().position(|byte| *byte == 0).expect("a login") + 1
        }
    };
    let mut start = login;
    while let Some(bytes) = whole.get(start..start + Header::LENGTH) {
        let header = Header::parse(bytes.try_into().expect("so many")).expect("a header");
        let end = start + usize::try_from(header.length).expect("it is in memory");
        if offset < end {
            let is_question = header.kind == MessageKind::Sync;
            let mut input = BytesMut::from(&damaged[start..end]);
            return offset >= start + Header::LENGTH
                && (!is_question || matches!(decoded(scenario, &mut input), Ok(Ok(_))));
        }
        start = end;
    }
    false
}

fn decoded(
    scenario: &Scenario,
    input: &mut BytesMut,
) -> Result<Result<Value, RemoteError>, DecodeError> {
    let mut decoder = FrameDecoder::new(scenario.config.limits.message);
    let message = decoder
        .decode(input)
        .expect("a frame")
        .expect("a whole one");
    message.body.decode(&scenario.config.limits)
}
