//! What was measured, as charts: one for each work, with a bar for each subject on a workload.

use std::error::Error;
use std::path::Path;

use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint};
use plotters::prelude::*;

use crate::measure::{Table, slug};
use crate::subject::Rank;

/// Draws the charts into a folder: `decode.svg` and so on.
///
/// # Errors
///
/// Where a file cannot be written.
pub fn draw(folder: &Path, tables: &[Table]) -> Result<(), Box<dyn Error>> {
    let mut drawn = Vec::new();
    for Table { work, unit, .. } in tables {
        if !drawn.contains(work) {
            drawn.push(*work);
            let tables: Vec<&Table> = tables.iter().filter(|table| table.work == *work).collect();
            let file = folder.join(slug(work)).with_extension("svg");
            one(&file, &format!("{work}: {}", unit.title()), &tables)?;
        }
    }
    Ok(())
}

fn one(file: &Path, caption: &str, tables: &[&Table]) -> Result<(), Box<dyn Error>> {
    let rates = |table: &Table| {
        let unit = table.unit;
        let rates = table
            .rows
            .iter()
            .map(move |row| (row.subject, row.rank, unit.rate(row.median())));
        rates.collect::<Vec<_>>()
    };
    // Each workload has a line for its title above those of its bars.
    let lines: usize = tables.iter().map(|table| table.rows.len() + 1).sum();
    let all: Vec<f64> = tables
        .iter()
        .flat_map(|table| rates(table))
        .map(|bar| bar.2)
        .collect();
    let lowest = all.iter().copied().fold(f64::INFINITY, f64::min) / 2.0;
    let highest = all.iter().copied().fold(0.0, f64::max) * 4.0;
    let height = 70 + LINE * lines as u32;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(caption, ("sans-serif", 16))
        .margin(8)
        .margin_right(24)
        .x_label_area_size(24)
        .build_cartesian_2d((lowest..highest).log_scale(), Lines(lines))?;
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .x_labels(8)
        .draw()?;
    let mut line = lines as f64;
    for table in tables {
        line -= 1.0;
        let title = format!("{} {}", table.workload, table.title);
        let at = |x, line: f64| (x, line);
        chart.draw_series([Text::new(
            title,
            at(lowest * 1.05, line + 0.75),
            ("sans-serif", 13),
        )])?;
        for (subject, rank, rate) in rates(table) {
            line -= 1.0;
            let color = match rank {
                Rank::Limit => RGBColor(0x9e, 0x9e, 0x9e),
                Rank::Peer => RGBColor(0x90, 0xb4, 0xd6),
                Rank::Ours => RGBColor(0xd9, 0x5f, 0x02),
            };
            let bar = [at(lowest, line + 0.1), at(rate, line + 0.85)];
            chart.draw_series([Rectangle::new(bar, color.filled())])?;
            let label = format!(" {subject} {}", significant(rate));
            chart.draw_series([Text::new(label, at(rate, line + 0.75), ("sans-serif", 12))])?;
        }
    }
    root.present()?;
    Ok(())
}

/// Prints a number with three digits that count.
fn significant(number: f64) -> String {
    let digits = (2 - number.log10().floor() as i32).clamp(0, 4) as usize;
    format!("{number:.digits$}")
}

/// So many lines, from below, as an axis.
struct Lines(usize);

impl Ranged for Lines {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, line: &f64, (low, high): (i32, i32)) -> i32 {
        low + (f64::from(high - low) * line / self.0 as f64).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        Vec::new()
    }

    fn range(&self) -> std::ops::Range<f64> {
        0.0..self.0 as f64
    }
}

const WIDTH: u32 = 860;
const LINE: u32 = 18;
