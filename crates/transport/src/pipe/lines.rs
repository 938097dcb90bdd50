//! Lines, and many of them in one piece.

use core::fmt;
use core::iter;

use bytes::Bytes;
use memchr::memchr;

/// Complete lines, one behind the other, as [`Inflow::lines`](super::Inflow::lines) hands them
/// out. The last line of a pipe may have no end.
#[derive(Clone, PartialEq, Eq)]
pub struct Lines(Bytes);

impl Lines {
    /// How much `.Q.fps` reads before it passes on lines, in bytes
    /// ([KX, `.Q.fps`](https://code.kx.com/q/ref/dotq/#fps-pipe-streaming)).
    pub const CHUNK: usize = 131_000;

    pub(super) const fn new(bytes: Bytes) -> Self {
        Self(bytes)
    }

    /// Returns one line after the other without its end, which is `\n` or `\r\n`.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &self.0[..];
        iter::from_fn(move || {
            let Some(end) = memchr(b'\n', rest) else {
                return Some(core::mem::take(&mut rest)).filter(|line| !line.is_empty());
            };
            let (line, behind) = rest.split_at(end);
            rest = behind.get(1..).unwrap_or_default();
            Some(line.strip_suffix(b"\r").unwrap_or(line))
        })
    }

    /// Returns the lines as they came, with their ends.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Lines {
    /// Their length only: what a pipe brings is nobody's to print by chance.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("bytes", &self.0.len())
            .finish_non_exhaustive()
    }
}

/// Takes the end off a line.
pub(super) fn without_end(mut line: Bytes) -> Bytes {
    for end in [b"\n", b"\r"] {
        if line.ends_with(end) {
            line.truncate(line.len() - 1);
        }
    }
    line
}
