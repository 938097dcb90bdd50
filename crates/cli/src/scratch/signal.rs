//! What is signalled instead of an answer.

use bytes::Bytes;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Symbol;

/// An error, by q's word for it where there is one.
///
/// The words and when q signals them: [KX, Errors](https://code.kx.com/q/basics/errors/).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// `assign`: a name of the process itself is given a value.
    Assign,
    /// `char`: a byte that no text has outside quotes.
    Char,
    /// `domain`: the type is right and the value is not.
    Domain,
    /// `length`: vectors of different counts.
    Length,
    /// `limit`: too long or too deep.
    Limit,
    /// `rank`: a wrong number of arguments.
    Rank,
    /// `type`: a function of something else.
    Type,
    /// `wsfull`: more memory than there is for it.
    WorkspaceFull,
    /// `(`, say: a bracket or a quote whose other one is missing.
    Unpaired(u8),
    /// The name itself: nothing is known by it.
    Undefined(Symbol),
    /// `nyi: WORD`: q knows it, and this process does not.
    Missing(Symbol),
    /// `parse: at N`: what stands there, in bytes from the start of the text, cannot be read.
    Parse {
        /// Where.
        at: usize,
    },
}

impl Signal {
    /// Says that something is not there, by the word that asked for it. Of a long word the start
    /// will do.
    pub(super) fn missing(word: impl AsRef<[u8]>) -> Self {
        let word = word.as_ref();
        let word = word.get(..LONGEST_WORD).unwrap_or(word);
        Symbol::new(word).map_or(Self::Char, Self::Missing)
    }
}

impl From<Signal> for RemoteError {
    fn from(signal: Signal) -> Self {
        let text = match signal {
            Signal::Assign => Bytes::from_static(b"assign"),
            Signal::Char => Bytes::from_static(b"char"),
            Signal::Domain => Bytes::from_static(b"domain"),
            Signal::Length => Bytes::from_static(b"length"),
            Signal::Limit => Bytes::from_static(b"limit"),
            Signal::Rank => Bytes::from_static(b"rank"),
            Signal::Type => Bytes::from_static(b"type"),
            Signal::WorkspaceFull => Bytes::from_static(b"wsfull"),
            Signal::Unpaired(byte) => vec![byte].into(),
            Signal::Undefined(name) => Bytes::copy_from_slice(&name),
            Signal::Missing(word) => [b"nyi: ", &*word].concat().into(),
            Signal::Parse { at } => format!("parse: at {at}").into(),
        };
        Self::new(text).expect("symbols, brackets and q's words hold no NUL")
    }
}

/// How many bytes of a word are shown.
const LONGEST_WORD: usize = 40;

#[cfg(test)]
mod tests {
    use hopen_codec::sym;

    use super::*;

    #[test]
    fn signals_are_q_s_words() {
        for (signal, text) in [
            (Signal::Type, "type"),
            (Signal::WorkspaceFull, "wsfull"),
            (Signal::Unpaired(b'"'), "\""),
            (Signal::Undefined(sym!("nosuch")), "nosuch"),
            (Signal::missing("{"), "nyi: {"),
            (Signal::Parse { at: 12 }, "parse: at 12"),
        ] {
            assert_eq!(RemoteError::from(signal).to_string(), text);
        }
    }

    #[test]
    fn a_long_word_is_cut() {
        let signal = Signal::missing("9".repeat(1000));
        assert_eq!(signal, Signal::missing("9".repeat(LONGEST_WORD)));
    }
}
