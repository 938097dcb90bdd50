//! Interleaved rounds: every subject once a round, in a rotating order; medians over rounds,
//! ratios taken within a round.

use std::time::Duration;

use crate::subject::{Measured, Memory, Rank, Work};
use crate::workloads::Workload;

/// How much is measured.
pub struct Plan {
    pub rounds: usize,
    /// How long a subject works in a round, at least.
    pub sample: Duration,
    /// The subjects that take part, all where none is named.
    pub subjects: Vec<String>,
}

impl Plan {
    pub fn takes(&self, subject: &dyn Measured) -> bool {
        let named = |name: &String| name == subject.title();
        subject.standing() == Rank::Limit
            || self.subjects.is_empty()
            || self.subjects.iter().any(named)
    }
}

/// One work on one workload.
pub struct Table {
    pub workload: &'static str,
    pub title: &'static str,
    /// The bytes of the plain message.
    pub bytes: usize,
    pub work: Work,
    pub rows: Vec<Row>,
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

    pub fn limit(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.rank == Rank::Limit)
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
) -> Result<Vec<Table>, String> {
    let mut tables = Vec::new();
    for workload in workloads {
        for subject in &mut *subjects {
            subject.take(workload);
        }
        for work in Work::ALL.into_iter().filter(|work| work.suits(workload)) {
            let mut able = Vec::new();
            for subject in &*subjects {
                if subject.check(workload, work)? {
                    able.push(subject.as_ref());
                }
            }
            let mut samples = Vec::new();
            allocation_counter::opt_out(|| samples = rounds(plan, &able, workload, work));
            let rows = able.iter().zip(samples).map(|(subject, samples)| Row {
                subject: subject.title(),
                rank: subject.standing(),
                samples,
                memory: subject.memory(work),
            });
            tables.push(Table {
                workload: workload.id,
                title: workload.title,
                bytes: workload.message.len(),
                work,
                rows: rows.collect(),
            });
        }
    }
    Ok(tables)
}

/// Nanoseconds of each subject in each round.
fn rounds(
    plan: &Plan,
    subjects: &[&dyn Measured],
    workload: &Workload,
    work: Work,
) -> Vec<Vec<f64>> {
    let times: Vec<u32> = subjects
        .iter()
        .map(|subject| {
            let once = subject.run(workload, work, 3).max(1.0);
            (plan.sample.as_nanos() as f64 / once).clamp(1.0, 1e6) as u32
        })
        .collect();
    let mut samples = vec![Vec::with_capacity(plan.rounds); subjects.len()];
    for round in 0..plan.rounds {
        for turn in 0..subjects.len() {
            let i = (round + turn) % subjects.len();
            samples[i].push(subjects[i].run(workload, work, times[i]));
        }
    }
    samples
}

/// Returns the median of some samples, or NaN of none.
pub fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
