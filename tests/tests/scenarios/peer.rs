//! The scripted peer, and the ways in which its bytes arrive.

use std::io::{self, Read, Write};
use std::sync::mpsc::Receiver;

use crate::conversation::end::Wire;
use crate::conversation::scenario::{Line, Scenario};

/// How what the peer sends arrives.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// As the script says: each line in one write.
    AsWritten,
    /// Each byte in a write of its own.
    ByteByByte,
    /// All of it in one write, before the peer reads anything.
    AtOnce,
    /// In pieces whose lengths this number makes.
    Cut(u64),
}

impl Way {
    /// Returns the ways that make a difference to a scenario, and are possible.
    pub(crate) fn all_of(scenario: &Scenario) -> Vec<Self> {
        let mut ways = vec![Self::AsWritten];
        if scenario.can_be_ahead() && scenario.sent() > 1 {
            ways.push(Self::AtOnce);
        }
        if (2..=BYTE_BY_BYTE).contains(&scenario.sent()) {
            ways.push(Self::ByteByByte);
        }
        if scenario.sent() > 2 {
            ways.extend([Self::Cut(1), Self::Cut(2)]);
        }
        ways
    }
}

/// Does what the script says, and returns what it has read, or what was not as expected.
///
/// Where our end has gone nothing more is written, without a complaint: that it should not have
/// gone is for its own outcomes to say.
pub(crate) fn follow(
    script: &[Line],
    way: Way,
    wire: Wire,
    told: &Receiver<()>,
) -> Result<Vec<u8>, String> {
    let mut peer = Peer {
        reader: wire.reader,
        writer: Some(wire.writer),
        read: Vec::new(),
    };
    if matches!(way, Way::AtOnce) {
        peer.send(&all_sent(script), way)?;
    }
    for line in script {
        match line {
            Line::Expect(bytes) => peer.expect(bytes)?,
            Line::Send(_) if matches!(way, Way::AtOnce) => {}
            Line::Send(bytes) => peer.send(bytes, way)?,
            Line::Close => peer.writer = None,
            Line::Wait => told.recv().map_err(|_| "nobody tells the peer to go on")?,
            Line::Ignore => {
                peer.read_rest()?;
                return Ok(peer.read);
            }
        }
    }
    let expected = peer.read.len();
    peer.read_rest()?;
    let rest = &peer.read[expected..];
    if rest.is_empty() {
        Ok(peer.read)
    } else {
        Err(format!("nothing more was expected: {rest:02x?}"))
    }
}

struct Peer {
    reader: Box<dyn Read + Send>,
    writer: Option<Box<dyn Write + Send>>,
    read: Vec<u8>,
}

impl Peer {
    fn expect(&mut self, bytes: &[u8]) -> Result<(), String> {
        let start = self.read.len();
        let length = bytes.len() as u64;
        let read = self
            .reader
            .by_ref()
            .take(length)
            .read_to_end(&mut self.read);
        let found = &self.read[start..];
        if found == bytes {
            return Ok(());
        }
        let end = found.iter().zip(bytes).take_while(|(a, b)| a == b).count();
        Err(format!(
            "of {} bytes {end} were as expected, then came {:02x?}, {read:?}",
            bytes.len(),
            &found[end..found.len().min(end + 64)],
        ))
    }

    fn send(&mut self, bytes: &[u8], way: Way) -> Result<(), String> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let written = match way {
            Way::AsWritten | Way::AtOnce => writer.write_all(bytes),
            Way::ByteByByte => bytes.iter().try_for_each(|byte| writer.write_all(&[*byte])),
            Way::Cut(seed) => write_cut(writer, bytes, seed),
        };
        match written {
            Err(error) if is_gone(&error) => self.writer = None,
            Err(error) => return Err(error.to_string()),
            Ok(()) => {}
        }
        Ok(())
    }

    fn read_rest(&mut self) -> Result<(), String> {
        match self.reader.read_to_end(&mut self.read) {
            Err(error) if !is_gone(&error) => Err(error.to_string()),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}

fn all_sent(script: &[Line]) -> Vec<u8> {
    let mut all = Vec::new();
    for line in script {
        if let Line::Send(bytes) = line {
            all.extend_from_slice(bytes);
        }
    }
    all
}

/// Writes pieces of 1 byte to a few hundredths of the whole, or up to 16 bytes of a short one.
fn write_cut(writer: &mut dyn Write, mut bytes: &[u8], seed: u64) -> io::Result<()> {
    let longest = (bytes.len() / 32).max(16) as u64;
    let mut random = seed;
    while !bytes.is_empty() {
        // Knuth's multiplier; the upper half is random enough to cut by.
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let length = 1 + (random >> 32) % longest;
        let (piece, rest) = bytes.split_at(bytes.len().min(length as usize));
        writer.write_all(piece)?;
        bytes = rest;
    }
    Ok(())
}

/// Returns whether an error says that the other end is closed.
fn is_gone(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    matches!(
        error.kind(),
        BrokenPipe | ConnectionAborted | ConnectionReset
    )
}

/// How many bytes are written one by one at most.
const BYTE_BY_BYTE: usize = 16 * 1024;
