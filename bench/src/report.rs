//! What was measured, as a markdown table and as JSON.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::measure::{Row, Table};
use crate::subject::Rank;

/// Returns a line for each work that says how many times as fast as each of the others we are.
pub fn summary(tables: &[Table]) -> String {
    let mut others: Vec<&str> = Vec::new();
    for row in tables.iter().flat_map(|table| &table.rows) {
        if row.rank != Rank::Ours && !others.contains(&row.subject) {
            others.push(row.subject);
        }
    }
    let mut text = String::from("| workload | work | hopen | GB/s | allocations |");
    others
        .iter()
        .for_each(|other| text += &format!(" x {other} |"));
    text += "\n|---|---|--:|--:|--:|";
    others.iter().for_each(|_| text += "--:|");
    text += "\n";
    for table in tables {
        let Some(ours) = table.rows.iter().find(|row| row.rank == Rank::Ours) else {
            continue;
        };
        let _ = write!(
            text,
            "| {} {} | {} | {} | {:.2} | {} |",
            table.workload,
            table.title,
            table.work.title(),
            time(ours.median()),
            table.bytes as f64 / ours.median(),
            ours.memory
                .map_or("n/a".into(), |memory| memory.allocations.to_string()),
        );
        for other in &others {
            let other = table.rows.iter().find(|row| row.subject == *other);
            let cell = other.map_or("n/a".into(), |other| ratio(ours.speed_beside(other)));
            let _ = write!(text, " {cell} |");
        }
        text += "\n";
    }
    text
}

/// Returns one table of everything. A ratio says how many times as fast as the other a subject is.
pub fn markdown(tables: &[Table]) -> String {
    let mut text = String::from(
        "| workload | work | subject | median | GB/s | x best peer | x memcpy | allocations \
         | peak heap / message |\n|---|---|---|--:|--:|--:|--:|--:|--:|\n",
    );
    for table in tables {
        for row in &table.rows {
            let ratio = |other: Option<&Row>| {
                other.map_or("n/a".into(), |other| ratio(row.speed_beside(other)))
            };
            let (allocations, peak) = row.memory.map_or(("n/a".into(), "n/a".into()), |memory| {
                let share = memory.peak as f64 / table.bytes as f64;
                (memory.allocations.to_string(), format!("{share:.2}"))
            });
            let _ = writeln!(
                text,
                "| {} {} | {} | {} | {} | {:.2} | {} | {} | {allocations} | {peak} |",
                table.workload,
                table.title,
                table.work.title(),
                row.subject,
                time(row.median()),
                table.bytes as f64 / row.median(),
                ratio(table.best_peer()),
                ratio(table.limit()),
            );
        }
    }
    text
}

/// Returns everything, each sample included.
pub fn json(machine: &str, tables: &[Table]) -> String {
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| {
            let rows = table.rows.iter().map(|row| {
                json!({
                    "subject": row.subject,
                    "rank": format!("{:?}", row.rank),
                    "median_ns": row.median(),
                    "times_best_peer": table.best_peer().map(|peer| row.speed_beside(peer)),
                    "times_limit": table.limit().map(|limit| row.speed_beside(limit)),
                    "allocations": row.memory.map(|memory| memory.allocations),
                    "peak_heap": row.memory.map(|memory| memory.peak),
                    "samples_ns": row.samples,
                })
            });
            json!({
                "workload": table.workload,
                "title": table.title,
                "bytes": table.bytes,
                "work": table.work.title(),
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

fn ratio(ratio: f64) -> String {
    if ratio < 10.0 {
        format!("{ratio:.2}")
    } else {
        format!("{ratio:.0}")
    }
}
