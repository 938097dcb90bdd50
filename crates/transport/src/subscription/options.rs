//! What a subscriber is told.

use std::time::Duration;

use hopen_codec::tick::Topic;
use hopen_codec::value::Value;

use crate::{Error, Options};

/// What a subscriber connects to, what it asks there, and how often it tries.
///
/// ```
/// use std::time::Duration;
///
/// use hopen_codec::sym;
/// use hopen_codec::tick::Topic;
/// use hopen_transport::Error;
/// use hopen_transport::subscription::SubscriberOptions;
///
/// let trades = Topic::table(sym!("trade")).only([sym!("ibm")]);
/// let mut options = SubscriberOptions::new(":prices:5010:ann", [trades])?;
/// options.backoff.maximum = Duration::from_secs(5);
/// options.attempts = Some(100);
/// # Ok::<(), Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SubscriberOptions {
    /// Where to connect, and as whom. Credentials that a function makes
    /// ([`Options::credentials_from`]) are asked for at each attempt.
    ///
    /// The time-out is for a whole attempt: connecting, logging in, and all answers. Default:
    /// [`TIMEOUT`](Self::TIMEOUT), as an attempt that hangs would never be repeated;
    /// [`Duration::ZERO`] is for ever.
    pub connect: Options,
    /// What is asked of each connection, one after the other. None at all is right for a process that
    /// sends without being asked.
    pub requests: Vec<Request>,
    /// How long it waits between attempts.
    pub backoff: Backoff,
    /// After how many attempts that failed in a row it is over, with the error of the last: at the
    /// first one where it is 0 or 1. Default: it is never over, as processes are started in any order
    /// and come back after hours.
    pub attempts: Option<u32>,
    /// After how many attempts in a row that the other side refused it is over. Default 5: a token may
    /// have expired, of which another is made, and a tickerplant that starts may not have its tables
    /// yet; who repeats a wrong password for ever is locked out.
    ///
    /// Refused is a login ([`Error::Access`], [`Error::Login`]), a certificate ([`Error::Tls`]), and a
    /// request that is answered by an error ([`Error::Remote`], which for an unknown table says its
    /// name), by what cannot be read ([`Error::BadMessage`]), or by something else than tables
    /// ([`Error::NotSubscribed`]). What can never succeed ends it at once: a request that cannot be
    /// sent ([`Error::Send`]), a kind of socket that the transport has not.
    pub refusals: u32,
    /// How long no message may come over a connection before it counts as lost; a message that takes
    /// longer than that to arrive counts as none. Default: for ever, as a market may be closed. For a
    /// process that is never quiet, or publishes a heartbeat: a host that vanishes without a word is
    /// otherwise noticed by TCP's keep-alive only, which systems begin after two hours.
    pub silence: Option<Duration>,
}

impl SubscriberOptions {
    /// How long an attempt may take unless something else is said: 30 s.
    pub const TIMEOUT: Duration = Duration::from_secs(30);

    /// Returns the defaults for an address and what is asked there.
    ///
    /// # Errors
    ///
    /// Where the handle is none.
    pub fn new<T>(
        to: T,
        requests: impl IntoIterator<Item = impl Into<Request>>,
    ) -> Result<Self, Error>
    where
        T: TryInto<Options>,
        T::Error: Into<Error>,
    {
        Ok(Self {
            connect: to.try_into().map_err(Into::into)?,
            requests: requests.into_iter().map(Into::into).collect(),
            backoff: Backoff::default(),
            attempts: None,
            refusals: 5,
            silence: None,
        })
    }
}

/// What is asked of a connection.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "all else is a query")]
pub enum Request {
    /// A subscription, whose answer is read as [`Schema`](hopen_codec::tick::Schema)s.
    Topic(Topic),
    /// Any question, whose answer is [handed out](super::Event::Answer) as it is. It is asked of each
    /// new connection, and must be fit for that.
    ///
    /// So a program subscribes in its own way, or asks for more in the same call, so that nothing is
    /// published in between. As kdb-tick's `r.q` does, to replay the log after that:
    /// ``"(.u.sub[`;`];.u `i`L)"``. [`Schema::read_all`](hopen_codec::tick::Schema::read_all) reads
    /// the first part of its answer.
    Query(Value),
}

impl Request {
    pub(super) fn question(&self) -> Value {
        match self {
            Self::Topic(topic) => topic.clone().into(),
            Self::Query(query) => query.clone(),
        }
    }
}

impl From<Topic> for Request {
    fn from(topic: Topic) -> Self {
        Self::Topic(topic)
    }
}

impl From<Value> for Request {
    fn from(query: Value) -> Self {
        Self::Query(query)
    }
}

impl From<&str> for Request {
    /// A text that the process evaluates.
    fn from(query: &str) -> Self {
        Self::Query(query.into())
    }
}

/// How long to wait between attempts: twice as long each time, from the minimum to the maximum, and of
/// that a random share between half and all, so that many subscribers of one process do not all come
/// back at the same moment.
///
/// It begins anew when a message has come over a connection, and not when one was made: a process that
/// lets in and closes at once is asked less and less often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it has two ends")]
pub struct Backoff {
    /// The first wait. Default 250 ms.
    pub minimum: Duration,
    /// The longest wait. Default 30 s. The minimum where that is longer.
    pub maximum: Duration,
}

impl Backoff {
    pub(super) fn wait(self, level: u32, random: &mut fastrand::Rng) -> Duration {
        let factor = 2_u32.checked_pow(level).unwrap_or(u32::MAX);
        let longest = self.minimum.saturating_mul(factor).min(self.maximum);
        let half = longest.max(self.minimum) / 2;
        half + half.mul_f64(random.f64())
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            minimum: Duration::from_millis(250),
            maximum: Duration::from_secs(30),
        }
    }
}
