//! What TLS frames.

/// Whether who reads damaged bytes can tell where something ends, or waits for what never comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sense {
    Kept,
    Lost,
}

/// Where the bytes of a direction are in the records of TLS: 5 bytes with the kind first and the
/// length last, and what is in them, which is encrypted where the kind is 23.
#[derive(Clone, Default)]
pub(super) struct Records {
    header: Vec<u8>,
    /// How many bytes of the record are to come.
    left: usize,
}

impl Records {
    /// Goes over bytes, and says whether the last of them may be damaged without anybody waiting
    /// for more: one that is encrypted.
    pub(super) fn sense(mut self, bytes: &[u8]) -> Sense {
        let mut sense = Sense::Lost;
        for byte in bytes {
            sense = self.goes_over(*byte);
        }
        sense
    }

    pub(super) fn goes_over(&mut self, byte: u8) -> Sense {
        if self.left == 0 {
            self.header.push(byte);
            if let [_, _, _, high, low] = self.header[..] {
                self.left = usize::from(u16::from_be_bytes([high, low]));
            }
            return Sense::Lost;
        }
        self.left -= 1;
        let is_encrypted = self.header.first() == Some(&23);
        if self.left == 0 {
            self.header.clear();
        }
        if is_encrypted {
            Sense::Kept
        } else {
            Sense::Lost
        }
    }
}
