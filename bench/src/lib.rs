//! hopen beside other kdb+ libraries and beside what the machine can do at all: the codec by
//! itself, and the transports over sockets.
//!
//! Every subject gets the same bytes. What it says is checked before anything is timed; then each
//! subject works once a round, in a rotating order, so that a noisy machine moves all of them
//! alike. Medians are over rounds, ratios are taken within a round.

pub mod chart;
pub mod measure;
pub mod memory;
pub mod report;
pub mod sockets;
pub mod subject;
pub mod subjects;
pub mod workloads;
