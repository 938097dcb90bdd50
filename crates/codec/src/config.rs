//! What a connection is told before it starts: the capability to offer, when to compress, and
//! every size that a peer could abuse.
//!
//! ```
//! use hopen_codec::config::{Capability, Compression, Config};
//!
//! let mut config = Config::client();
//! config.compression = Compression::Never;
//! config.limits.message = 256 * 1024 * 1024;
//! assert_eq!(config.capability, Capability::V6);
//! ```

use core::fmt;

/// What one end of a connection is told before it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// The capability that is offered to the peer; the connection works at the lower of the two.
    /// Default: [`Capability::MAX`].
    pub capability: Capability,
    /// When to compress what is sent. Default: [`Compression::Auto`].
    pub compression: Compression,
    /// How many requests may be outstanding. Default: [`Requests::OneAtATime`].
    pub requests: Requests,
    /// Whether the peer is on this host, which [`Compression::Auto`] asks. A transport that knows
    /// both addresses sets it. Default: `false`.
    pub peer_is_local: bool,
    /// How much the peer can make this process hold.
    pub limits: Limits,
}

impl Config {
    /// Returns the defaults of a client.
    pub const fn client() -> Self {
        Self {
            capability: Capability::MAX,
            compression: Compression::Auto,
            requests: Requests::OneAtATime,
            peer_is_local: false,
            limits: Limits::client(),
        }
    }

    /// Returns the defaults of a server, which trusts its peers with less.
    pub const fn server() -> Self {
        Self {
            capability: Capability::MAX,
            compression: Compression::Auto,
            requests: Requests::OneAtATime,
            peer_is_local: false,
            limits: Limits::server(),
        }
    }

    /// Returns whether a message to a peer of this `capability` is offered to the compressor.
    ///
    /// [`Compression::Auto`] is the rule of KX's C library: the peer is not on this host and its
    /// capability has compression ([`Capability::compresses`]). Which messages are large enough is
    /// [`compress`](crate::compress)'s to say.
    pub const fn compresses(&self, capability: Capability) -> bool {
        match self.compression {
            Compression::Auto => !self.peer_is_local && capability.compresses(),
            Compression::Always => capability.compresses(),
            Compression::Never => false,
        }
    }
}

/// When outgoing messages are compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a policy to match on in full")]
pub enum Compression {
    /// As KX's C library: where the peer is on another host and understands it.
    #[default]
    Auto,
    /// Also toward a peer on this host, as long as it understands it.
    Always,
    /// Never.
    Never,
}

/// How many requests may be outstanding at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "a policy to match on in full")]
pub enum Requests {
    /// One: the next goes out when the response has come. As q itself does, and right with every
    /// peer.
    #[default]
    OneAtATime,
    /// Any number, whose responses are taken in the order of the requests.
    ///
    /// Only right with a server that never defers an answer (`-30!`) and never calls back while it
    /// works on one: responses do not say what they answer, and such a server gives them in another
    /// order. While the server waits for an answer of ours, one request is outstanding at a time as
    /// otherwise; a call-back while there are more ends the connection. A deferred answer is not
    /// noticed: **each
    /// request may get the answer of another**. Giving up an answer ends the connection in this
    /// mode.
    Pipelined,
}

/// How much a peer can make this process hold. Each limit is there because without it a peer could
/// make this process allocate or wait without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest login in bytes: `user:password`, capability and NUL. Default 64 KiB.
    ///
    /// A server would keep reading for a NUL that never comes. KX documents no maximum; tokens of
    /// several KiB are in use, and 64 KiB is far above them. A line of text that follows a login
    /// ([`TextHandshake`](crate::handshake::TextHandshake)) may be as long.
    pub login: usize,
    /// The longest message in bytes, header included, as it arrives and after decompression.
    /// Default: 1 GiB for a server, [`Limits::LARGEST_MESSAGE`] for a client.
    ///
    /// The header announces up to 1 TB. A client asked for its answer and is sent whole tables;
    /// a server is sent what anybody likes. In both the buffer grows with what has arrived, so
    /// that an announcement alone buys nothing.
    pub message: u64,
    /// The memory in bytes for messages that are kept until somebody asks for them, counted as
    /// [`Backlog`](crate::backlog::Backlog) does: the length of each and what keeping it takes; the
    /// last one may go beyond.
    /// Default: 64 MiB.
    ///
    /// A server that publishes faster than it answers would otherwise fill this process, and with
    /// messages of 10 bytes several times as fast as it sends. 64 MiB is what a subscription of
    /// NATS's client for Go keeps by default (`DefaultSubPendingBytesLimit`).
    pub kept_asyncs: usize,
    /// How many requests the peer may have open, that is sent and not answered. Default 65,536.
    ///
    /// Each takes 32 bytes here, beside what the program keeps to answer it. A q process has one
    /// open, or one for every level of calling back; programs that pipeline have hundreds.
    pub requests: usize,
    /// The bytes that may wait to go out, beside the last message. Default 100 MiB.
    ///
    /// A peer that reads more slowly than it is sent to would otherwise fill this process, as slow
    /// subscribers fill a tickerplant. What waits is the sender's to bound, so this is for transports:
    /// they make the sender wait, or say that the queue is full. 100 MiB is where TorQ cuts off a slow
    /// subscriber.
    pub queue: usize,
}

impl Limits {
    /// The longest message that the 40-bit length of a header can announce: 1 TiB less one byte.
    pub const LARGEST_MESSAGE: u64 = (1 << 40) - 1;

    /// Returns the defaults of a client.
    pub const fn client() -> Self {
        Self {
            login: 64 * 1024,
            message: Self::LARGEST_MESSAGE,
            kept_asyncs: 64 * 1024 * 1024,
            requests: 65_536,
            queue: 100 * 1024 * 1024,
        }
    }

    /// Returns the defaults of a server.
    pub const fn server() -> Self {
        Self {
            login: 64 * 1024,
            message: 1024 * 1024 * 1024,
            kept_asyncs: 64 * 1024 * 1024,
            requests: 65_536,
            queue: 100 * 1024 * 1024,
        }
    }
}

/// What a peer understands, as the handshake's byte says: 0 to 6.
///
/// What may be sent at each (observed with KX's C library, which refuses the rest on its own
/// side; nothing is sent and the handle stays usable):
///
/// | | timestamp, timespan | guid | compression | message over 2 GiB | vector over 2^31-1 items |
/// | --- | --- | --- | --- | --- | --- |
/// | 0 | no | no | no | no | no |
/// | 1 | yes | no | yes | no | no |
/// | 2 | yes | no | no | no | no |
/// | 3, 4 | yes | yes | yes | no | no |
/// | 5 | yes | yes | yes | yes | no |
/// | 6 | yes | yes | yes | yes | yes |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Capability(u8);

impl Capability {
    /// kdb+ 2.5 and before, which send no capability byte at all.
    pub const V0: Self = Self(0);
    /// kdb+ 2.6: timestamps, timespans and compression.
    pub const V1: Self = Self(1);
    /// kdb+ 2.7 and 2.8 by KX's pages; KX's C library does not compress toward it.
    pub const V2: Self = Self(2);
    /// kdb+ 3.0: guids.
    pub const V3: Self = Self(3);
    /// Reserved; treated as 3.
    pub const V4: Self = Self(4);
    /// Messages of more than 2 GiB.
    pub const V5: Self = Self(5);
    /// Vectors of more than 2^31-1 items as well.
    pub const V6: Self = Self(6);
    /// The highest that is known.
    pub const MAX: Self = Self::V6;

    /// Returns the capability with this number, or `None` above 6.
    pub const fn new(number: u8) -> Option<Self> {
        if number <= Self::MAX.0 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Returns what a peer that sends this byte has in common with us: its number, but not more
    /// than [`Capability::MAX`].
    pub const fn from_wire(byte: u8) -> Self {
        if byte <= Self::MAX.0 {
            Self(byte)
        } else {
            Self::MAX
        }
    }

    /// Returns the number, 0 to 6.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Returns whether this peer understands compressed messages: 1 and 3 to 6. KX's pages count
    /// 2 among them; its C library sends that peer nothing compressed, and we follow it.
    pub const fn compresses(self) -> bool {
        self.0 == 1 || self.0 >= 3
    }

    /// Returns the longest message in bytes, header included, that this peer may be sent.
    pub const fn longest_message(self) -> u64 {
        if self.0 >= 5 {
            Limits::LARGEST_MESSAGE
        } else {
            i32::MAX as u64
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_above_six_are_held_to_six() {
        assert_eq!(Capability::new(6), Some(Capability::V6));
        assert_eq!(Capability::new(7), None);
        assert_eq!(Capability::from_wire(200), Capability::V6);
        assert_eq!(Capability::from_wire(0), Capability::V0);
    }

    #[test]
    fn compression_follows_the_policy_and_the_peer() {
        let mut config = Config::client();
        let answers = |config: &Config| {
            (0..=6)
                .map(|n| config.compresses(Capability(n)))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            answers(&config),
            [false, true, false, true, true, true, true]
        );
        config.peer_is_local = true;
        assert_eq!(answers(&config), [false; 7]);
        config.compression = Compression::Always;
        assert_eq!(
            answers(&config),
            [false, true, false, true, true, true, true]
        );
        config.compression = Compression::Never;
        config.peer_is_local = false;
        assert_eq!(answers(&config), [false; 7]);
    }
}
