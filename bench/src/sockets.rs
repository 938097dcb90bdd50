//! The same end to end: what a program gets that talks to a process over a socket of this host.
//!
//! ```text
//!  client of a library ── loopback TCP or Unix domain socket ── server with its answers ready
//! ```
//!
//! The server is a process of its own, and one for all. Every answer is looked at, also while time
//! is taken: publishing ends with a question how many messages have come, each of them byte for byte
//! what it should be.
//!
//! Client and server run on one core. They take turns anyway; on two, a round trip is mostly the time
//! that an idle core takes to wake up, which on a virtual machine is several times all the rest, and
//! the same for everybody.

use std::error::Error;

use crate::measure::{self, Plan, Row, Table, Unit};
use crate::workloads::{self, Purpose, Workload};

mod client;
mod clients;
mod server;

pub use client::Measured;
pub use clients::{all, of_this_process};
pub use server::{SERVE, Server, serve};

/// What a socket is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Medium {
    Tcp,
    Unix,
}

impl Medium {
    pub const ALL: [Self; 2] = [Self::Tcp, Self::Unix];

    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|medium| medium.name() == name)
    }

    /// Returns how it is called on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Unix => "unix",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Unix => "Unix",
        }
    }
}

/// Where the server listens.
#[derive(Clone, Copy)]
pub struct Address {
    pub medium: Medium,
    /// The port, or the one that a Unix domain socket is named after.
    pub port: u16,
}

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// A question and an answer, both small.
    RoundTrip,
    /// An async message and a question, whose answer says that the message has come.
    InTurn,
    /// Async messages, each in a write of its own.
    Publish,
    /// Async messages as a library sends many of them, in a write each if it has no other way.
    PublishBatched,
    /// A question and a large answer, up to the value, which is dropped off the clock.
    Receive,
    /// The same, with every item read, and the drop.
    ReceiveVisitDrop,
}

impl Work {
    pub const ALL: [Self; 6] = [
        Self::RoundTrip,
        Self::InTurn,
        Self::Publish,
        Self::PublishBatched,
        Self::Receive,
        Self::ReceiveVisitDrop,
    ];

    pub const fn title(self) -> &'static str {
        match self {
            Self::RoundTrip => "round trip",
            Self::InTurn => "async and sync in turn",
            Self::Publish => "publish",
            Self::PublishBatched => "publish, batched",
            Self::Receive => "receive, decode",
            Self::ReceiveVisitDrop => "receive, decode, visit, drop",
        }
    }

    /// Returns whether this is measured on a workload.
    fn suits(self, workload: &Workload) -> bool {
        match self {
            Self::RoundTrip => workload.id == "W0",
            Self::InTurn => workload.id == "W5t",
            Self::Publish | Self::PublishBatched => matches!(workload.id, "W5" | "W5t"),
            Self::Receive | Self::ReceiveVisitDrop => workload.purpose == Purpose::Values,
        }
    }

    /// Returns whether async messages are a part of it.
    const fn sends(self) -> bool {
        matches!(self, Self::InTurn | Self::Publish | Self::PublishBatched)
    }

    /// Returns what a rate of it counts.
    fn unit(self, workload: &Workload) -> Unit {
        match self {
            Self::Receive | Self::ReceiveVisitDrop => Unit::Bytes(workload.message.len()),
            Self::RoundTrip | Self::InTurn | Self::Publish | Self::PublishBatched => Unit::Times,
        }
    }
}

/// The workloads that go over sockets: those that ask for something different of a transport.
pub const IDS: [&str; 6] = ["W0", "W1", "W3", "W4", "W5", "W5t"];

/// Measures every client at every work that it does, over each medium.
///
/// # Errors
///
/// If a client gets or sends something wrong, or the server is gone.
pub fn tables(plan: &Plan, scale: f64) -> Result<Vec<Table>, Box<dyn Error>> {
    let workloads: Vec<Workload> = IDS
        .into_iter()
        .filter(|id| plan.takes_workload(id))
        .map(|id| workloads::build(id, scale))
        .collect();
    let works = Work::ALL.map(Work::title);
    if workloads.is_empty() || !works.into_iter().any(|work| plan.takes_work(work)) {
        return Ok(Vec::new());
    }
    stay_on_one_core()?;
    let server = Server::start(scale)?;
    let mut clients = all();
    clients.retain(|client| plan.takes(client.name(), client.rank()));
    let mut works = Work::ALL.to_vec();
    works.retain(|work| plan.takes_work(work.title()));
    let mut mediums = Medium::ALL.to_vec();
    mediums.retain(|medium| plan.takes_medium(*medium));
    let mut tables = Vec::new();
    for work in works {
        for workload in workloads.iter().filter(|workload| work.suits(workload)) {
            for medium in &mediums {
                let to = server.address(*medium);
                tables.push(table(plan, &mut clients, to, work, workload)?);
            }
        }
    }
    Ok(tables)
}

fn table(
    plan: &Plan,
    clients: &mut [Box<dyn Measured>],
    to: Address,
    work: Work,
    workload: &Workload,
) -> Result<Table, Box<dyn Error>> {
    let mut able = Vec::new();
    for client in clients {
        let name = client.name();
        let wrong = |error| format!("{name}, {} over {:?}: {error}", work.title(), to.medium);
        if client.does(work) && client.prepare(to, work, workload).map_err(wrong)? {
            able.push(client);
        }
    }
    let sample = match work {
        // The question at the end is to count little, also where Nagle's algorithm holds it back
        // for the 40 ms that the other side takes to acknowledge what was before it.
        Work::Publish | Work::PublishBatched => plan.sample * 10,
        _ => plan.sample,
    };
    let samples = measure::rounds(plan.rounds, sample, able.len(), |i, times| {
        let client = &mut able[i];
        let spent = client.run(work, workload, times);
        spent.map_err(|error| format!("{}, {}: {error}", client.name(), work.title()).into())
    })?;
    let rows = able.iter().zip(samples).map(|(client, samples)| Row {
        subject: client.name(),
        rank: client.rank(),
        samples,
        memory: None,
    });
    let rows = rows.collect();
    able.iter_mut().for_each(|client| client.close());
    Ok(Table {
        workload: workload.id,
        title: format!("{}, {}", workload.title, to.medium.title()),
        unit: work.unit(workload),
        work: work.title(),
        rows,
    })
}

/// Keeps this thread, and every thread and process that it starts from now on, on the last of the
/// cores that it may use.
fn stay_on_one_core() -> Result<(), Box<dyn Error>> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let core = (0..CpuSet::MAX_CPU)
        .rev()
        .find(|core| allowed.is_set(*core));
    let mut one = CpuSet::new();
    one.set(core.ok_or("a thread has a core")?);
    Ok(sched_setaffinity(None, &one)?)
}
