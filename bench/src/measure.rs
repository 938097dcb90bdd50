//! Interleaved rounds: every subject once a round, in a rotating order; medians over rounds,
//! ratios taken within a round.

use std::error::Error;
use std::time::{Duration, Instant};

use crate::sockets::Medium;
use crate::subject::{Measured, Memory, Rank, Work};
use crate::workloads::Workload;

/// How much is measured.
pub struct Plan {
    pub rounds: usize,
    /// How long a subject works in a round, at least.
    pub sample: Duration,
    /// The subjects that take part, by their names or the first words of these; all where none is
    /// named, as with what follows.
    pub subjects: Vec<String>,
    pub workloads: Vec<String>,
    /// Works, as [`slug`] makes them.
    pub works: Vec<String>,
    pub mediums: Vec<Medium>,
}

impl Plan {
    pub fn takes(&self, subject: &str, rank: Rank) -> bool {
        let is_named = |name: &String| {
            let rest = subject.strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        rank == Rank::Limit || self.subjects.is_empty() || self.subjects.iter().any(is_named)
    }

    pub fn takes_workload(&self, id: &str) -> bool {
        self.workloads.is_empty() || self.workloads.iter().any(|named| named == id)
    }

    pub fn takes_work(&self, title: &str) -> bool {
        self.works.is_empty() || self.works.contains(&slug(title))
    }

    pub fn takes_medium(&self, medium: Medium) -> bool {
        self.mediums.is_empty() || self.mediums.contains(&medium)
    }
}

/// Returns what a work is called on the command line and in names of files.
pub fn slug(title: &str) -> String {
    title.replace(", ", "-").replace(' ', "-")
}

/// One work on one workload.
pub struct Table {
    pub workload: &'static str,
    pub title: String,
    pub unit: Unit,
    pub work: &'static str,
    pub rows: Vec<Row>,
}

/// What a rate counts.
#[derive(Clone, Copy)]
pub enum Unit {
    /// The bytes of the plain message.
    Bytes(usize),
    /// How often it is done.
    Times,
}

impl Unit {
    /// Returns the rate where one time takes so many nanoseconds: in GB, or thousands, a second.
    pub fn rate(self, nanoseconds: f64) -> f64 {
        match self {
            Self::Bytes(bytes) => bytes as f64 / nanoseconds,
            Self::Times => 1e6 / nanoseconds,
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            Self::Bytes(_) => "GB of plain message a second",
            Self::Times => "thousands a second",
        }
    }

    pub const fn bytes(self) -> Option<usize> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::Times => None,
        }
    }
}

/// One subject's part in a table.
pub struct Row {
    pub subject: &'static str,
    pub rank: Rank,
    /// Nanoseconds of one time, in each round.
    pub samples: Vec<f64>,
    pub memory: Option<Memory>,
}

impl Table {
    /// Returns the fastest of the other libraries.
    pub fn best_peer(&self) -> Option<&Row> {
        let peers = self.rows.iter().filter(|row| row.rank == Rank::Peer);
        peers.min_by(|a, b| a.median().total_cmp(&b.median()))
    }

    pub fn row(&self, subject: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.subject == subject)
    }
}

impl Row {
    pub fn median(&self) -> f64 {
        median(self.samples.iter().copied())
    }

    /// Returns how many times as fast as another subject this is.
    pub fn speed_beside(&self, other: &Self) -> f64 {
        median(
            self.samples
                .iter()
                .zip(&other.samples)
                .map(|(own, other)| other / own),
        )
    }
}

/// Measures every subject at every work that it does.
///
/// # Errors
///
/// If a subject arrives at a wrong result: nothing of it is worth timing then.
pub fn tables(
    plan: &Plan,
    subjects: &mut [Box<dyn Measured>],
    workloads: &[Workload],
) -> Result<Vec<Table>, Box<dyn Error>> {
    let mut tables = Vec::new();
    for workload in workloads {
        for subject in &mut *subjects {
            subject.take(workload);
        }
        let works = Work::ALL.into_iter().filter(|work| work.suits(workload));
        for work in works.filter(|work| plan.takes_work(work.title())) {
            let mut able = Vec::new();
            for subject in &*subjects {
                if subject.check(workload, work)? {
                    able.push(subject.as_ref());
                }
            }
            let run = |i: usize, times| Ok(able[i].run(workload, work, times));
            let samples = rounds(plan.rounds, plan.sample, able.len(), run)?;
            let rows = able.iter().zip(samples).map(|(subject, samples)| Row {
                subject: subject.title(),
                rank: subject.standing(),
                samples,
                memory: subject.memory(work),
            });
            tables.push(Table {
                workload: workload.id,
                title: workload.title.into(),
                unit: Unit::Bytes(workload.message.len()),
                work: work.title(),
                rows: rows.collect(),
            });
        }
    }
    Ok(tables)
}

/// Returns the nanoseconds of each of so many subjects in each round, in which it works for as long
/// as `sample`. `run` has a subject work so many times and returns what one time took.
///
/// # Errors
///
/// Where `run` fails.
pub fn rounds(
    rounds: usize,
    sample: Duration,
    subjects: usize,
    mut run: impl FnMut(usize, u32) -> Result<f64, Box<dyn Error>>,
) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
    let mut samples = vec![Vec::with_capacity(rounds); subjects];
    let mut measure = || -> Result<(), Box<dyn Error>> {
        let mut times = Vec::new();
        for i in 0..subjects {
            times.push(times_that_fill(sample, |times| run(i, times))?);
        }
        for round in 0..rounds {
            for turn in 0..subjects {
                let i = (round + turn) % subjects;
                samples[i].push(run(i, times[i])?);
            }
        }
        Ok(())
    };
    let mut outcome = Ok(());
    allocation_counter::opt_out(|| outcome = measure());
    outcome.map(|()| samples)
}

/// Returns how often work is to be done for it to take as long. That is found step by step, as what
/// is done once for all times is a large part of a few.
fn times_that_fill(
    sample: Duration,
    mut run: impl FnMut(u32) -> Result<f64, Box<dyn Error>>,
) -> Result<u32, Box<dyn Error>> {
    let mut times = 1;
    loop {
        let start = Instant::now();
        let mut once = run(times)?;
        if times == 1 {
            // Once may be the time that something else took.
            once = once.min(run(times)?);
        }
        // What it returns may leave out most of the work: a value that is made before, or all of it
        // where it is a difference.
        if start.elapsed() > LONGEST * sample {
            return Ok(times);
        }
        let enough = (sample.as_nanos() as f64 / once).clamp(1.0, 1e8) as u32;
        if enough <= times + times / 4 {
            return Ok(enough);
        }
        times = enough.min(times * STEP);
    }
}

/// How many times a sample the work for one may take, all that is not timed included.
const LONGEST: u32 = 8;

/// How many times as often something is done in the next step at most.
const STEP: u32 = 8;

/// Returns the median of some samples, or NaN of none.
pub fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
