//! A made-up market: prices that walk, and the tables that tick of it.

use core::array;

use fastrand::Rng;
use hopen_codec::sym;

use hopen_codec::value::{
    Attribute, Date, Symbol, Symbols, Table, Timespan, Timestamp, Value, Vector,
};

/// The tables, by their names.
pub(super) const TABLES: [&str; 2] = ["trade", "quote"];

/// What happens to the shares of some companies.
pub(super) struct Market {
    random: Rng,
    /// In cents, which is how far prices move.
    prices: [u32; NAMES.len()],
}

/// What has happened within a moment.
pub(super) struct Tables {
    time: Timespan,
    rows: Vec<Row>,
}

/// A trade, and what is bid and asked behind it.
struct Row {
    name: &'static str,
    price: u32,
    size: i64,
}

impl Market {
    pub(super) fn new() -> Self {
        let mut random = Rng::new();
        Self {
            prices: array::from_fn(|_| random.u32(2_000..30_000)),
            random,
        }
    }

    /// Lets a moment pass, in which some shares are traded.
    pub(super) fn tick(&mut self, now: Timestamp) -> Tables {
        let rows = (0..self.random.usize(1..=MOST_ROWS)).map(|_| {
            let which = self.random.usize(0..NAMES.len());
            let price = self.prices[which];
            let price = price + self.random.u32(0..=10);
            // Never far from where it was, and never nothing.
            let price = price.saturating_sub(5).clamp(100, 1_000_000);
            self.prices[which] = price;
            Row {
                name: NAMES[which],
                price,
                size: 100 * self.random.i64(1..=10),
            }
        });
        Tables {
            rows: rows.collect(),
            time: Timespan(now.0.rem_euclid(DAY)),
        }
    }
}

impl Tables {
    /// Returns the rows of a table for the names that are wanted; `None` where there are none.
    pub(super) fn of(&self, table: &str, wants: impl Fn(&str) -> bool) -> Option<Table> {
        let rows: Vec<&Row> = self.rows.iter().filter(|row| wants(row.name)).collect();
        (!rows.is_empty()).then(|| build(table, self.time, &rows, Attribute::None))
    }
}

/// Returns an empty table, whose names are grouped as a tickerplant's are.
pub(super) fn schema(table: &str) -> Table {
    build(table, Timespan(0), &[], Attribute::Grouped)
}

/// Returns the day of a time.
pub(super) fn date(time: Timestamp) -> Date {
    // 106,751 days either way, at most.
    Date(i32::try_from(time.0.div_euclid(DAY)).unwrap_or(0))
}

fn build(table: &str, time: Timespan, rows: &[&Row], attribute: Attribute) -> Table {
    let names = rows
        .iter()
        .map(|row| Symbol::new(row.name).expect("a literal without a NUL"));
    let names = names.collect::<Symbols>();
    let start = [
        (sym!("time"), vec![time; rows.len()].into()),
        (
            sym!("sym"),
            Value::Vector(Vector::Symbol(names.with_attribute(attribute))),
        ),
    ];
    let dollars = |cents: u32| f64::from(cents) / 100.0;
    let sizes: Vec<i64> = rows.iter().map(|row| row.size).collect();
    let others = if table == "trade" {
        let prices: Vec<f64> = rows.iter().map(|row| dollars(row.price)).collect();
        vec![(sym!("price"), prices.into()), (sym!("size"), sizes.into())]
    } else {
        let bids: Vec<f64> = rows.iter().map(|row| dollars(row.price - 1)).collect();
        let asks: Vec<f64> = rows.iter().map(|row| dollars(row.price + 1)).collect();
        vec![
            (sym!("bid"), bids.into()),
            (sym!("ask"), asks.into()),
            (sym!("bsize"), sizes.clone().into()),
            (sym!("asize"), sizes.into()),
        ]
    };
    Table::new(start.into_iter().chain(others)).expect("the columns are of one count")
}

/// Who is traded.
const NAMES: [&str; 6] = ["amd", "goog", "ibm", "intc", "msft", "orcl"];

/// How many rows a moment has at most.
const MOST_ROWS: usize = 5;

/// A day in nanoseconds.
const DAY: i64 = 24 * 60 * 60 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_is_empty_and_fits_what_ticks() {
        let mut market = Market::new();
        for table in TABLES {
            let schema = schema(table);
            assert_eq!(schema.as_ref().rows(), Ok(0));
            let names: Vec<_> = schema.as_ref().names().into_iter().collect();
            assert_eq!(names[..2], [sym!("time").as_ref(), sym!("sym").as_ref()]);
            assert!(!Value::from(schema.clone()).to_string().contains("`g#"));
            for _ in 0..1000 {
                let ticked = market.tick(Timestamp(-1));
                let rows = ticked.of(table, |_| true).unwrap();
                assert!((1..=MOST_ROWS).contains(&rows.as_ref().rows().unwrap()));
                assert_eq!(rows.as_ref().names(), schema.as_ref().names());
                let types = |table: &Table| {
                    let columns = table.as_ref().columns();
                    columns
                        .map(|(_, column)| column.value_type())
                        .collect::<Vec<_>>()
                };
                assert_eq!(types(&rows), types(&schema));
                assert!(ticked.of(table, |name| name == "nobody").is_none());
            }
        }
    }

    #[test]
    fn days_begin_at_midnight_before_2000_too() {
        for (nanoseconds, day) in [(0, 0), (-1, -1), (DAY - 1, 0), (DAY, 1), (-DAY, -1)] {
            assert_eq!(date(Timestamp(nanoseconds)), Date(day));
        }
    }
}
