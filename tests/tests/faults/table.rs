//! The counts of what has come of each kind of fault.

use core::fmt;
use std::collections::BTreeMap;

use crate::conversation::fault::{Direction, Fault, Kind};
use crate::judge::Verdict;

/// What has come of the runs, by transport, direction and kind.
#[derive(Default)]
pub(crate) struct Table {
    rows: BTreeMap<(&'static str, &'static str, String), Row>,
    unexplained: Vec<String>,
}

#[derive(Default)]
struct Row {
    runs: usize,
    right: usize,
    not_reached: usize,
    spelled: usize,
    errors: BTreeMap<&'static str, usize>,
    unexplained: usize,
}

impl Table {
    pub(crate) fn add(
        &mut self,
        transport: &'static str,
        fault: Fault,
        verdict: Result<Verdict, String>,
    ) {
        let direction = match fault.direction {
            Direction::ToUs => "to us",
            Direction::FromUs => "from us",
        };
        let row = self.rows.entry((transport, direction, name(fault.kind)));
        let row = row.or_default();
        row.runs += 1;
        match verdict {
            Ok(Verdict::Right) => row.right += 1,
            Ok(Verdict::NotReached) => row.not_reached += 1,
            Ok(Verdict::Spelled) => row.spelled += 1,
            Ok(Verdict::Error(name)) => *row.errors.entry(name).or_default() += 1,
            Err(fault_of_ours) => {
                row.unexplained += 1;
                let text = format!("over {transport}, {fault:?}: {fault_of_ours}");
                self.unexplained.push(text);
            }
        }
    }

    /// Fails where something is not explained.
    pub(crate) fn check(&self) {
        let some = &self.unexplained[..self.unexplained.len().min(SHOWN)];
        assert!(
            some.is_empty(),
            "{} are not explained, as:\n{}",
            self.unexplained.len(),
            some.join("\n")
        );
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:28}{:9}{:18}{:>7}{:>8}{:>9}{:>9}{:>13}  errors",
            "transport", "bytes", "fault", "runs", "right", "beyond", "spelled", "unexplained"
        )?;
        let mut sum = Row::default();
        for ((transport, direction, kind), row) in &self.rows {
            line(f, transport, direction, kind, row)?;
            sum.runs += row.runs;
            sum.right += row.right;
            sum.not_reached += row.not_reached;
            sum.spelled += row.spelled;
            sum.unexplained += row.unexplained;
            for (name, count) in &row.errors {
                *sum.errors.entry(name).or_default() += count;
            }
        }
        line(f, "all", "", "", &sum)
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    transport: &str,
    direction: &str,
    kind: &str,
    row: &Row,
) -> fmt::Result {
    write!(
        f,
        "{transport:28}{direction:9}{kind:18}{:>7}{:>8}{:>9}{:>9}{:>13} ",
        row.runs, row.right, row.not_reached, row.spelled, row.unexplained
    )?;
    for (name, count) in &row.errors {
        write!(f, " {name} {count}")?;
    }
    writeln!(f)
}

fn name(kind: Kind) -> String {
    match kind {
        Kind::Split => "split".into(),
        Kind::ByteByByte => "byte by byte".into(),
        Kind::PauseUntilRead => "pause until read".into(),
        Kind::PauseUntilStep(_) => "pause until needed".into(),
        Kind::Interrupted => "interrupted".into(),
        Kind::NotReady => "not ready".into(),
        Kind::End => "end".into(),
        Kind::Close => "close".into(),
        Kind::Reset => "reset".into(),
        Kind::Flip(_) => "a bit flipped".into(),
        Kind::Replace(byte) => format!("byte {byte:02x}"),
        Kind::Fails(errno) => format!("{errno:?}"),
        Kind::TakesNothing => "takes nothing".into(),
    }
}

/// How many of those that are not explained are shown.
const SHOWN: usize = 20;
