//! What was measured, as a markdown table and as JSON.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::measure::{Row, Table, Unit};
use crate::subject::Rank;

/// Returns a line for each work that says how many times as fast as each of the others we are.
pub fn summary(tables: &[Table]) -> String {
    let others = subjects(tables, |rank| rank != Rank::Ours);
    let mut text = String::from("| workload | work | subject | median | rate | allocations |");
    others
        .iter()
        .for_each(|other| text += &format!(" x {other} |"));
    text += "\n|---|---|---|--:|--:|--:|";
    others.iter().for_each(|_| text += "--:|");
    text += "\n";
    for table in tables {
        for ours in table.rows.iter().filter(|row| row.rank == Rank::Ours) {
            let allocations = ours
                .memory
                .map_or("n/a".into(), |memory| memory.allocations.to_string());
            text += &start(table, ours);
            let _ = write!(text, " {allocations} |");
            for other in &others {
                let _ = write!(text, " {} |", ratio(ours, table.row(other)));
            }
            text += "\n";
        }
    }
    text
}

/// Returns one table of everything. A ratio says how many times as fast as the other a subject is.
pub fn markdown(tables: &[Table]) -> String {
    let limits = subjects(tables, |rank| rank == Rank::Limit);
    let mut text = String::from("| workload | work | subject | median | rate | x best peer |");
    limits
        .iter()
        .for_each(|limit| text += &format!(" x {limit} |"));
    text += " allocations | peak heap / message |\n|---|---|---|--:|--:|--:|--:|--:|";
    limits.iter().for_each(|_| text += "--:|");
    text += "\n";
    for table in tables {
        for row in &table.rows {
            text += &start(table, row);
            let _ = write!(text, " {} |", ratio(row, table.best_peer()));
            for limit in &limits {
                let _ = write!(text, " {} |", ratio(row, table.row(limit)));
            }
            let (allocations, peak) = match (row.memory, table.unit.bytes()) {
                (Some(memory), Some(bytes)) => {
                    let share = memory.peak as f64 / bytes as f64;
                    (memory.allocations.to_string(), format!("{share:.2}"))
                }
                _ => ("n/a".into(), "n/a".into()),
            };
            let _ = writeln!(text, " {allocations} | {peak} |");
        }
    }
    text
}

/// Returns the cells that a line about a subject starts with.
fn start(table: &Table, row: &Row) -> String {
    let rate = table.unit.rate(row.median());
    let rate = match table.unit {
        Unit::Bytes(_) => format!("{rate:.2} GB/s"),
        Unit::Times => format!("{rate:.1} k/s"),
    };
    format!(
        "| {} {} | {} | {} | {} | {rate} |",
        table.workload,
        table.title,
        table.work,
        row.subject,
        time(row.median()),
    )
}

/// Returns the subjects of some rank, in the order in which they appear.
fn subjects(tables: &[Table], is_wanted: impl Fn(Rank) -> bool) -> Vec<&'static str> {
    let mut subjects = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if is_wanted(row.rank) && !subjects.contains(&row.subject) {
            subjects.push(row.subject);
        }
    }
    subjects
}

/// Returns everything, each sample included.
pub fn json(machine: &str, tables: &[Table]) -> String {
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            let rows = table.rows.iter().map(|row| {
                let limits = table.rows.iter().filter(|row| row.rank == Rank::Limit);
                let times_limits: Map<String, Value> = limits
                    .map(|limit| (limit.subject.into(), row.speed_beside(limit).into()))
                    .collect();
                json!({
                    "subject": row.subject,
                    "rank": format!("{:?}", row.rank),
                    "median_ns": row.median(),
                    "times_best_peer": table.best_peer().map(|peer| row.speed_beside(peer)),
                    "times_limits": times_limits,
                    "allocations": row.memory.map(|memory| memory.allocations),
                    "peak_heap": row.memory.map(|memory| memory.peak),
                    "samples_ns": row.samples,
                })
            });
            json!({
                "workload": table.workload,
                "title": table.title,
                "bytes": table.unit.bytes(),
                "work": table.work,
                "rows": rows.collect::<Vec<_>>(),
            })
        })
        .collect();
    format!("{:#}\n", json!({ "machine": machine, "tables": tables }))
}

/// Prints nanoseconds with a fitting unit.
pub fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        ns if ns < 1e3 => format!("{ns:.1} ns"),
        ns if ns < 1e6 => format!("{:.2} us", ns / 1e3),
        ns => format!("{:.2} ms", ns / 1e6),
    }
}

fn ratio(row: &Row, other: Option<&Row>) -> String {
    match other.map(|other| row.speed_beside(other)) {
        None => "n/a".into(),
        Some(ratio) if ratio < 10.0 => format!("{ratio:.2}"),
        Some(ratio) => format!("{ratio:.0}"),
    }
}
