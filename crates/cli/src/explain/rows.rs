//! Two columns: bytes, meaning.

use core::fmt;
use std::io::{self, Write};

/// Prints rows of bytes and their meaning.
pub(super) struct Rows<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Rows<'a> {
    /// How many bytes a row shows at most.
    pub(super) const BYTES: usize = 16;

    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// Prints bytes and what they mean, `depth` steps to the right. Of many bytes only the first
    /// are shown.
    pub(super) fn row(
        &mut self,
        depth: usize,
        bytes: &[u8],
        meaning: impl fmt::Display,
    ) -> io::Result<()> {
        let shown = bytes.get(..Self::BYTES).unwrap_or(bytes);
        let mut column = String::with_capacity(COLUMN);
        if !shown.is_empty() {
            column.push_str("0x");
            column.push_str(&hex::encode(shown));
        }
        if shown.len() < bytes.len() {
            column.push('…');
        }
        let indent = 2 * depth.min(DEEPEST);
        writeln!(self.out, "{column:COLUMN$}{:indent$}{meaning}", "")
    }

    /// Prints that `bytes` are passed over, and what they are.
    pub(super) fn passed_over(&mut self, depth: usize, what: impl fmt::Display) -> io::Result<()> {
        let indent = 2 * depth.min(DEEPEST);
        writeln!(self.out, "{:COLUMN$}{:indent$}{what}", "…", "")
    }
}

/// The width of the first column: `0x`, the digits, an ellipsis, a gap.
const COLUMN: usize = 2 + 2 * Rows::BYTES + 1 + 3;

/// The depth from which rows do not move further to the right.
const DEEPEST: usize = 30;
