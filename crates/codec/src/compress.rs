//! KX's own compression, both directions.

/// Which of the two compressed layouts a message has: byte 2 of its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "KX's validator knows these two and refuses others"
)]
pub enum Form {
    /// `1`: the length of the message before compression takes 4 bytes.
    Short,
    /// `2`: it takes 8 bytes; for messages of 4 GiB and more.
    Long,
}
