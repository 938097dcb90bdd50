//! Which errors of an attempt another attempt may mend.

use std::io;

use crate::Error;

/// What an error says of the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go better, and costs the other side nothing: the network, a process that starts.
    Passing,
    /// The other side does not want us, or not this: a few more attempts, with fresh credentials.
    Refused,
    /// It goes no better, as it is this side's fault.
    Final,
}

impl Verdict {
    pub(super) fn of(error: &Error) -> Self {
        match error {
            Error::Hop { error, .. } if error.kind() == io::ErrorKind::Unsupported => Self::Final,
            Error::Hop { .. }
            | Error::Io { .. }
            | Error::Timeout(_)
            | Error::Credentials(_)
            | Error::Protocol(_)
            | Error::KeptAsyncs { .. }
            | Error::Closed
            | Error::BadHandle => Self::Passing,
            Error::Access
            | Error::Login(_)
            | Error::Tls { .. }
            | Error::Remote(_)
            | Error::BadMessage(_)
            | Error::NotSubscribed(_) => Self::Refused,
            Error::Address(_)
            | Error::Send(_)
            // These are of servers, pipes and files, and of what no subscriber does.
            | Error::Listen(_)
            | Error::Bind { .. }
            | Error::Mismatch(_)
            | Error::QueueFull { .. }
            | Error::ExpectedResponse
            | Error::Refused { .. }
            | Error::Pipe(_)
            | Error::File(_) => Self::Final,
        }
    }
}
