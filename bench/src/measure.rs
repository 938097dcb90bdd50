//! Interleaved rounds: every subject once a round, in a rotating order; medians over rounds,
//! ratios taken within a round, so that a noisy machine moves all subjects alike.

use crate::subject::{Measured, Memory};
use crate::workloads::Workload;
use std::fmt::Write;
use std::time::Duration;

const ROUNDS: usize = 21;
const SAMPLE: Duration = Duration::from_millis(8);

/// The subject that the others are compared with.
pub const REFERENCE: &str = "KX libe";

#[derive(Clone, Copy)]
enum Work {
    Decode,
    DecodeDrop,
    DecodeVisitDrop,
}

impl Work {
    const fn title(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::DecodeDrop => "decode, drop",
            Self::DecodeVisitDrop => "decode, visit, drop",
        }
    }

    fn run(self, subject: &dyn Measured, times: u32) -> f64 {
        let spent = match self {
            Self::Decode => subject.decode(times),
            Self::DecodeDrop => subject.decode_drop(times),
            Self::DecodeVisitDrop => subject.decode_visit_drop(times),
        };
        spent.as_nanos() as f64 / f64::from(times)
    }
}

/// Measures every subject on every workload and returns a markdown table.
///
/// # Panics
///
/// If a subject arrives at a wrong sum.
pub fn table(subjects: &mut [Box<dyn Measured>], workloads: &[Workload]) -> String {
    let mut table = format!(
        "| workload | work | subject | median | of {REFERENCE} | peak heap / message \
         | allocations |
\
         |---|---|---|--:|--:|--:|--:|\n"
    );
    for workload in workloads {
        let memory: Vec<_> = subjects
            .iter_mut()
            .map(|subject| {
                subject.take(&workload.message);
                let sum = subject.checksum();
                assert_eq!(
                    sum,
                    Some(workload.checksum),
                    "{} {}",
                    subject.title(),
                    workload.id
                );
                subject.memory()
            })
            .collect();
        let first = if workload.small {
            Work::DecodeDrop
        } else {
            Work::Decode
        };
        for work in [first, Work::DecodeVisitDrop] {
            let mut samples = Vec::new();
            allocation_counter::opt_out(|| samples = rounds(subjects, work));
            let reference = subjects
                .iter()
                .position(|subject| subject.title() == REFERENCE);
            for (i, subject) in subjects.iter().enumerate() {
                let ratio = reference.map(|r| {
                    median(
                        samples[i]
                            .iter()
                            .zip(&samples[r])
                            .map(|(own, its)| own / its),
                    )
                });
                let _ = writeln!(
                    table,
                    "| {} {} | {} | {} | {} | {} | {} |",
                    workload.id,
                    workload.title,
                    work.title(),
                    subject.title(),
                    time(median(samples[i].iter().copied())),
                    ratio.map_or("n/a".into(), |ratio| format!("{ratio:.3}")),
                    memory_cells(memory[i], workload.message.len()),
                );
            }
        }
    }
    table
}

/// Nanoseconds of each subject in each round.
fn rounds(subjects: &[Box<dyn Measured>], work: Work) -> Vec<Vec<f64>> {
    let times: Vec<u32> = subjects
        .iter()
        .map(|subject| {
            let once = work.run(subject.as_ref(), 3);
            (SAMPLE.as_nanos() as f64 / once).clamp(1.0, 1e6) as u32
        })
        .collect();
    let mut samples = vec![Vec::with_capacity(ROUNDS); subjects.len()];
    for round in 0..ROUNDS {
        for turn in 0..subjects.len() {
            let i = (round + turn) % subjects.len();
            samples[i].push(work.run(subjects[i].as_ref(), times[i]));
        }
    }
    samples
}

/// Returns the median of some samples.
pub fn median(samples: impl Iterator<Item = f64>) -> f64 {
    let mut samples: Vec<f64> = samples.collect();
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

/// Prints nanoseconds with a fitting unit.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

fn memory_cells(memory: Option<Memory>, message: usize) -> String {
    memory.map_or("n/a | n/a".into(), |memory| {
        format!(
            "{:.2} | {}",
            memory.peak as f64 / message as f64,
            memory.allocations
        )
    })
}
