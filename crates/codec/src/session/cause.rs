//! What ends a handle, and what keeps a message from being sent.

use crate::connection::{ProtocolError, SendError};

/// What ended a handle. It is told to everybody who asks. `F` is what can fail in a medium or stage.
///
/// A transport makes an error of its own of it, with the words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "a transport has an error for each of them"
)]
pub enum Cause<F> {
    /// The other side has broken the protocol.
    Protocol(ProtocolError),
    /// More messages came before a response than are kept.
    KeptAsyncs {
        /// How many bytes are kept, as [`Backlog`](crate::backlog::Backlog) counts them.
        limit: usize,
    },
    /// Something else came before the response that was all there was to come.
    ExpectedResponse,
    /// Whoever watches has refused a message.
    Refused {
        /// How long it is, with its header, in bytes.
        length: u64,
    },
    /// The other side lets more wait than the limit.
    QueueFull {
        /// How many bytes may wait.
        limit: usize,
    },
    /// The medium or a stage has failed.
    Medium(F),
    /// The other side has closed, and left nothing undone.
    Closed,
    /// This side has closed.
    BadHandle,
}

/// Why a message was not sent, for a transport to make an error of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "either the handle is at fault or the message"
)]
pub enum NotSent<F> {
    /// The handle is over, or nothing can be written any more.
    Over(Cause<F>),
    /// The message cannot be sent.
    Message(SendError),
}

impl<F> From<SendError> for NotSent<F> {
    fn from(error: SendError) -> Self {
        Self::Message(error)
    }
}
