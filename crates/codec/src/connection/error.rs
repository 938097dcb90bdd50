//! What can go wrong on a connection: with what we send, and with what the peer does.

use core::{error, fmt};

use crate::encode::EncodeError;
use crate::frame::FrameError;

/// A message that was not sent: nothing was written, but for an error response where an answer
/// could not be [encoded](Self::Encode). Unless the connection had [failed](Self::Failed) before, it
/// goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// An earlier request is still to be answered.
    RequestOutstanding,
    /// The answer to a request that was given up is still to come. The next request goes out
    /// after it.
    LateResponseOutstanding,
    /// The peer asked something while it owed us an answer, and waits for ours before it takes
    /// anything else.
    Reentrant,
    /// This ticket's request is answered already, or is none of this connection.
    NothingToAnswer,
    /// The value cannot be sent to this peer.
    Encode(EncodeError),
    /// The connection is over.
    Failed(ProtocolError),
}

impl From<EncodeError> for SendError {
    fn from(error: EncodeError) -> Self {
        Self::Encode(error)
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RequestOutstanding => f.write_str("an earlier request is still to be answered"),
            Self::LateResponseOutstanding => {
                f.write_str("the answer to a request that was given up is still to come")
            }
            Self::Reentrant => f.write_str("the peer waits for an answer before it gives one"),
            Self::NothingToAnswer => f.write_str("the peer waits for no such answer"),
            Self::Encode(error) => fmt::Display::fmt(error, f),
            Self::Failed(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl error::Error for SendError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Encode(error) => error.source(),
            Self::Failed(error) => error.source(),
            Self::RequestOutstanding
            | Self::LateResponseOutstanding
            | Self::Reentrant
            | Self::NothingToAnswer => None,
        }
    }
}

/// The peer broke the protocol, or went away in the middle of something, or an answer can no longer
/// be told from another. The connection is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProtocolError {
    /// What should be the header of a message is none.
    Frame(FrameError),
    /// A response came where no request was outstanding.
    UnexpectedResponse,
    /// The peer has more requests open, or as many answers left unread, than
    /// [`Limits::requests`](crate::config::Limits::requests).
    TooManyRequests {
        /// How many may be open.
        limit: usize,
    },
    /// The peer called back while several requests were outstanding, as
    /// [`Requests::Pipelined`](crate::config::Requests::Pipelined) excludes: it may answer the later
    /// ones first.
    CalledBack,
    /// A request was given up while others may be outstanding, in
    /// [`Requests::Pipelined`](crate::config::Requests::Pipelined).
    GivenUp,
    /// The peer closed in the middle of a message.
    Truncated {
        /// How many bytes of it had arrived.
        arrived: u64,
        /// How many it was to have, where its header had arrived.
        announced: Option<u64>,
    },
    /// The peer closed with a request unanswered.
    ClosedBeforeResponse,
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Frame(error) => fmt::Display::fmt(error, f),
            Self::UnexpectedResponse => f.write_str("a response to no request"),
            Self::TooManyRequests { limit } => {
                write!(f, "the peer has more than {limit} requests open")
            }
            Self::CalledBack => f.write_str("the peer called back while requests were pipelined"),
            Self::GivenUp => f.write_str("a pipelined request was given up"),
            Self::Truncated {
                arrived,
                announced: Some(announced),
            } => {
                write!(
                    f,
                    "the peer closed after {arrived} of a message's {announced} bytes"
                )
            }
            Self::Truncated {
                arrived,
                announced: None,
            } => {
                write!(
                    f,
                    "the peer closed after {arrived} bytes of a message's header"
                )
            }
            Self::ClosedBeforeResponse => f.write_str("the peer closed instead of responding"),
        }
    }
}

impl error::Error for ProtocolError {}
