//! A compressed payload of any bytes, beside a reader that is written down as section 6.2 of
//! docs/protocol.md has it: a byte for the form and the byte order, two for the limit, the payload.

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::{DecompressError, Form, MAX_EXPANSION, decompress};

use crate::byte_order;

/// Looks at one input.
pub fn look_at(input: &[u8]) {
    let Some((&[kind, low, high], payload)) = input.split_first_chunk() else {
        return;
    };
    let form = if kind & 2 == 0 {
        Form::Short
    } else {
        Form::Long
    };
    let limit = u64::from(u16::from_le_bytes([low, high])) << 4;
    check(form, payload, byte_order(kind), limit);
}

/// Decompresses a payload and compares what becomes of it with what must. Returns the body, if it is
/// one.
pub(crate) fn check(form: Form, payload: &[u8], order: ByteOrder, limit: u64) -> Option<Vec<u8>> {
    let outcome = match decompress(form, payload, order, limit) {
        Ok(body) => {
            // What was claimed is what is allocated.
            assert_eq!(body.capacity(), body.len());
            let length = body.len() as u64 + HEADER as u64;
            assert!(length <= limit && length <= payload.len() as u64 * MAX_EXPANSION);
            Ok(body)
        }
        Err(error) => {
            let text = error.to_string();
            assert!(text.starts_with("compressed message: ") && !text.contains(char::is_control));
            assert!(error.offset() <= payload.len() as u64);
            Err(wrong(error))
        }
    };
    assert_eq!(outcome, Reader::read(form, payload, order, limit));
    outcome.ok()
}

/// What is wrong with a payload.
#[derive(Debug, PartialEq)]
enum Wrong {
    NoLength,
    Claim,
    End { offset: usize, missing: usize },
    EmptySlot { offset: usize, slot: u8 },
    TooLong { offset: usize, missing: usize },
}

fn wrong(error: DecompressError) -> Wrong {
    match error {
        DecompressError::MissingLength { .. } => Wrong::NoLength,
        DecompressError::ClaimTooSmall { .. }
        | DecompressError::ClaimAboveLimit { .. }
        | DecompressError::ClaimAboveExpansion { .. } => Wrong::Claim,
        DecompressError::TokensEnd {
            offset, missing, ..
        } => Wrong::End {
            offset: offset as usize,
            missing: missing as usize,
        },
        DecompressError::EmptySlot { offset, slot, .. } => Wrong::EmptySlot {
            offset: offset as usize,
            slot,
        },
        DecompressError::MatchTooLong {
            offset, missing, ..
        } => Wrong::TooLong {
            offset: offset as usize,
            missing: missing as usize,
        },
        other => panic!("{other:?} with a limit of a megabyte"),
    }
}

/// The reader of section 6.2.
struct Reader<'a> {
    payload: &'a [u8],
    read: usize,
    /// The message, its header included.
    output: Vec<u8>,
    /// The length before compression.
    claimed: usize,
    table: [Option<usize>; 256],
    /// The byte token whose pair is complete only with the next token.
    late: Option<usize>,
}

impl<'a> Reader<'a> {
    fn read(form: Form, payload: &'a [u8], order: ByteOrder, limit: u64) -> Result<Vec<u8>, Wrong> {
        let claimed = match form {
            Form::Short => payload.get(..4),
            Form::Long => payload.get(..8),
        };
        let claimed = number(claimed.ok_or(Wrong::NoLength)?, order);
        let most = limit.min(payload.len() as u64 * MAX_EXPANSION);
        if claimed <= HEADER as u64 || claimed > most {
            return Err(Wrong::Claim);
        }
        let mut reader = Self {
            payload,
            read: match form {
                Form::Short => 4,
                Form::Long => 8,
            },
            output: vec![0; HEADER],
            claimed: claimed as usize,
            table: [None; 256],
            late: None,
        };
        let mut steps = 0;
        while reader.missing() > 0 {
            let flags = reader.next()?;
            for token in 0..8 {
                if reader.missing() > 0 {
                    steps += 1;
                    reader.token(flags >> token & 1 == 0)?;
                }
            }
        }
        // Each token takes at least a byte, so the steps are those of the input.
        assert!(steps <= payload.len());
        Ok(reader.output.split_off(HEADER))
    }

    fn token(&mut self, is_byte: bool) -> Result<(), Wrong> {
        let (place, offset) = (self.output.len(), self.read);
        if is_byte {
            let byte = self.next()?;
            self.output.push(byte);
            self.enter_late();
            self.late = Some(place);
            return Ok(());
        }
        let (slot, more) = (self.next()?, self.next()?);
        let length = usize::from(more) + 2;
        let from = self.table[usize::from(slot)].ok_or(Wrong::EmptySlot { offset, slot })?;
        let missing = self.missing();
        if length > missing {
            return Err(Wrong::TooLong { offset, missing });
        }
        for at in from..from + length {
            self.output.push(self.output[at]);
        }
        self.enter_late();
        self.enter(place);
        Ok(())
    }

    fn enter_late(&mut self) {
        if let Some(place) = self.late.take() {
            self.enter(place);
        }
    }

    /// Learns the pair at a place.
    fn enter(&mut self, place: usize) {
        let hash = self.output[place] ^ self.output[place + 1];
        self.table[usize::from(hash)] = Some(place);
    }

    fn next(&mut self) -> Result<u8, Wrong> {
        let (offset, missing) = (self.read, self.missing());
        let byte = self.payload.get(self.read).copied();
        self.read += 1;
        byte.ok_or(Wrong::End { offset, missing })
    }

    fn missing(&self) -> usize {
        self.claimed - self.output.len()
    }
}

fn number(bytes: &[u8], order: ByteOrder) -> u64 {
    let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match order {
        ByteOrder::Big => bytes.iter().fold(0, join),
        ByteOrder::Little => bytes.iter().rev().fold(0, join),
    }
}

const HEADER: usize = 8;
