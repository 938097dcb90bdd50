//! Which faults a conversation is run with.

use std::env;

use crate::conversation::end::{Share, Transport};
use crate::conversation::fault::{Direction, Errno, Fault, Kind, Layer};
use crate::conversation::scenario::{Scenario, Step};
use crate::damage::sent;
use crate::reference::{After, reference};
use crate::run::Run;

/// At how many places each kind of fault is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    /// At each byte.
    All,
    /// At each byte of streams of ours, and spread over a connection by a socket; little over
    /// transports that are like another.
    Spread,
    /// At the first bytes and the last, and around each 64 KiB.
    Few,
    /// At some of those beneath TLS, and little over transports that are like another.
    Fewer,
}

impl Places {
    /// Returns what the variable says.
    pub(crate) fn chosen() -> Self {
        if all_is_chosen() {
            Self::All
        } else {
            Self::Spread
        }
    }

    /// Returns what it says for large messages.
    pub(crate) fn chosen_of_large() -> Self {
        if all_is_chosen() {
            Self::Few
        } else {
            Self::Fewer
        }
    }

    fn of(self, transport: &dyn Transport, length: usize, turn: usize) -> Vec<usize> {
        let (share, layer) = (transport.share(), transport.layer());
        // Each kind starts elsewhere, and the end is always one.
        let every = |stride: usize| {
            let stride = stride.max(1);
            let places = (turn % stride..length).step_by(stride);
            places.chain([length]).collect()
        };
        match (self, share) {
            (Self::All, _) => every(1),
            (Self::Few, _) => few(length),
            (Self::Fewer, Share::Much) if !layer.is_encrypted() => few(length),
            (Self::Fewer, Share::Much) => {
                let places = few(length).into_iter();
                places.skip(turn % ONE_IN).step_by(ONE_IN).collect()
            }
            (Self::Spread, Share::Much) if layer.is_encrypted() => {
                every(length.div_ceil(PLACES_UNDER_TLS))
            }
            (Self::Spread, Share::Much) if layer.is_ours() => every(1),
            (Self::Spread, Share::Much) => every(length.div_ceil(PLACES)),
            (Self::Spread | Self::Fewer, Share::Little) => every(length.div_ceil(PLACES_OF_LITTLE)),
        }
    }
}

fn all_is_chosen() -> bool {
    env::var("HOPEN_FAULTS").is_ok_and(|chosen| chosen == "all")
}

/// Returns the faults that a transport's layer can do, in both directions.
pub(crate) fn faults(
    transport: &dyn Transport,
    undisturbed: &Run,
    scenario: &Scenario,
    places: Places,
) -> Vec<Fault> {
    let (mut faults, layer) = (Vec::new(), transport.layer());
    for (direction, length) in [Direction::ToUs, Direction::FromUs]
        .into_iter()
        .zip(undisturbed.passed)
    {
        for (turn, kind) in kinds(layer, direction).into_iter().enumerate() {
            for offset in places.of(transport, length, turn) {
                let mut fault = Fault {
                    direction,
                    offset,
                    kind,
                };
                // Each byte is a turn of a thread.
                if kind == Kind::ByteByByte && length - offset > SLOW {
                    continue;
                }
                if let Kind::PauseUntilStep(step) = &mut fault.kind {
                    *step = step_that_needs(scenario, offset);
                }
                faults.push(fault);
            }
        }
    }
    faults
}

fn kinds(layer: Layer, direction: Direction) -> Vec<Kind> {
    let mut kinds = vec![Kind::Split, Kind::ByteByByte];
    if matches!(layer, Layer::OurPolled | Layer::OurPolledUnderTls) {
        kinds.push(Kind::NotReady);
    }
    match (layer, direction) {
        (
            Layer::OurStreams
            | Layer::OurStreamsUnderTls
            | Layer::OurPolled
            | Layer::OurPolledUnderTls,
            Direction::ToUs,
        ) => {
            kinds.extend([Kind::Interrupted, Kind::End]);
            kinds.extend(Errno::ALL.map(Kind::Fails));
            kinds.extend(damages());
        }
        (
            Layer::OurStreams
            | Layer::OurStreamsUnderTls
            | Layer::OurPolled
            | Layer::OurPolledUnderTls,
            Direction::FromUs,
        ) => {
            kinds.extend([Kind::Interrupted, Kind::PauseUntilRead, Kind::TakesNothing]);
            kinds.extend(Errno::ALL.map(Kind::Fails));
        }
        (Layer::PeerSocket, Direction::ToUs) => {
            kinds.extend([Kind::PauseUntilStep(0), Kind::End, Kind::Close, Kind::Reset]);
            kinds.extend(damages());
        }
        (Layer::PeerUnderTls, Direction::ToUs) => {
            kinds.extend([Kind::End, Kind::Close, Kind::Reset]);
            kinds.extend(damages());
        }
        // What our end writes is damaged for the peer, which is scripted: the other role's
        // conversation shows what comes of it.
        (Layer::PeerSocket, Direction::FromUs) => kinds.extend([Kind::Close, Kind::Reset]),
        (Layer::PeerUnderTls, Direction::FromUs) => {
            kinds.extend([Kind::Close, Kind::Reset]);
            kinds.extend(damages());
        }
    }
    kinds
}

/// Each bit, and two bytes that mean something everywhere.
fn damages() -> impl Iterator<Item = Kind> {
    let flips = (0..8).map(Kind::Flip);
    flips.chain([Kind::Replace(0), Kind::Replace(0xff)])
}

/// Returns the first step that needs the byte at a place.
fn step_that_needs(scenario: &Scenario, offset: usize) -> usize {
    let bytes = sent(scenario);
    let with = reference(scenario, &bytes, After::Closes, None).outcomes;
    let until = bytes.get(..offset).unwrap_or(&bytes);
    let without = reference(scenario, until, After::Closes, None).outcomes;
    let same = with
        .iter()
        .zip(&without)
        .take_while(|(a, b)| a == b)
        .count();
    let mut outcomes = 0;
    let needs = |step: &Step| {
        outcomes += step.outcomes.len();
        outcomes > same
    };
    scenario.ours.iter().position(needs).unwrap_or(0)
}

fn few(length: usize) -> Vec<usize> {
    let mut places: Vec<_> = (0..20.min(length)).collect();
    for piece in (PIECE..length).step_by(PIECE) {
        places.extend(piece - 1..(piece + 2).min(length));
    }
    places.extend(length.saturating_sub(30)..=length);
    places.sort_unstable();
    places.dedup();
    places
}

/// How many places there are for each kind of fault at a socket.
const PLACES: usize = 32;

/// How many there are where each takes a handshake of TLS.
const PLACES_UNDER_TLS: usize = 16;

/// Of how many places in a large message one is tried beneath TLS.
const ONE_IN: usize = 4;

/// How many there are over a transport of which little is tried.
const PLACES_OF_LITTLE: usize = 4;

/// What is read at once, and what Linux's pipes hold.
const PIECE: usize = 64 * 1024;

/// How many bytes go one by one at most.
const SLOW: usize = 8 * 1024;
