//! What a subscriber is told.

use core::fmt;
use std::time::{Duration, SystemTime};

use hopen_codec::tick::{Column, Data, Schema};
use hopen_codec::value::{Date, Symbol, Timestamp, Value};

use crate::Error;

/// What has happened to a subscription.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "what happens is to be handled in full"
)]
pub enum Event {
    /// A table was subscribed to, for the first time or again.
    Schema {
        /// How it looks.
        schema: Schema,
        /// How that compares with the last time.
        change: SchemaChange,
    },
    /// A query among the requests was answered.
    Answer {
        /// Which request it was, from 0.
        request: usize,
        /// What came back.
        answer: Value,
    },
    /// Rows of a table.
    Update {
        /// Its name.
        table: Symbol,
        /// The rows.
        data: Data,
    },
    /// This day has ended in the tickerplant.
    EndOfDay(Date),
    /// An async message that is none of those.
    Other(Value),
    /// An async message that is no value ([`Error::BadMessage`]), or an error ([`Error::Remote`]). It
    /// may have been an update; the connection goes on.
    Bad(Error),
    /// The connection is lost, and everything was handed out that had come over it. It is made again,
    /// which a [`Gap`] tells.
    Lost {
        /// Why.
        cause: Error,
        /// Since when something may be missing: see [`Gap::from`].
        since: SystemTime,
    },
    /// An attempt to connect and subscribe has failed. Another one follows.
    Failed {
        /// Why.
        cause: Error,
        /// How many have failed in a row, with this one.
        attempts: u32,
        /// How long it waits before the next.
        wait: Duration,
    },
    /// What was lost is there again, and something may be missing. It comes before the schemas and
    /// answers of the new connection.
    Gap(Gap),
}

/// When nobody told us anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "it tells from when to when")]
pub struct Gap {
    /// When the program last had taken everything that had come, by the clock of this host. What was
    /// sent before was received, but for what was under way at that moment; what was sent later may
    /// be missing, although some of it may have come.
    pub from: SystemTime,
    /// When the last request was answered on the new connection. What is published later comes.
    pub to: SystemTime,
    /// How many attempts it took, with the one that succeeded.
    pub attempts: u32,
}

impl Gap {
    /// Returns how long it is; zero where the clock was set back.
    pub fn length(&self) -> Duration {
        self.to.duration_since(self.from).unwrap_or_default()
    }
}

impl fmt::Display for Gap {
    /// As it follows "connected again": `after 2 attempts; something may be missing from
    /// 2026.11.24D19:04:05.123456789 to 2026.11.24D19:04:07.000000000 (UTC)`. A time that no q timestamp
    /// holds is `0Np`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let attempts = match self.attempts {
            1 => "1 attempt".to_owned(),
            attempts => format!("{attempts} attempts"),
        };
        let [from, to] =
            [self.from, self.to].map(|time| Timestamp::try_from(time).unwrap_or(Timestamp::NULL));
        write!(
            f,
            "after {attempts}; something may be missing from {from} to {to} (UTC)"
        )
    }
}

/// How a table looks now and looked before.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no other way to compare")]
pub enum SchemaChange {
    /// It was not described on the connection before, or there was none.
    First,
    /// It has the same columns.
    Same,
    /// Its columns differ in names, types, order or keys.
    Changed {
        /// The columns as they were.
        before: Vec<Column>,
    },
}

impl SchemaChange {
    pub(super) fn of(before: Option<&Vec<Column>>, now: &[Column]) -> Self {
        match before {
            None => Self::First,
            Some(before) if before == now => Self::Same,
            Some(before) => Self::Changed {
                before: before.clone(),
            },
        }
    }
}
