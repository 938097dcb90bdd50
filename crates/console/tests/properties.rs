//! What holds for every value: it shows, within the console, as the definition has it.
//!
//! The definition is that of q's `.Q.s`, written down as it reads: all texts are made in full, padded
//! and then cut.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the definition is told by what it names; everything else shows in short form"
)]

use hopen_codec::strategy;
use hopen_codec::value::{BasicType, FunctionRef, UnaryPrimitive, ValueRef};
use hopen_console::{Console, Precision};
use proptest::prelude::*;
use unicode_width::UnicodeWidthChar as _;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_value_shows_within_the_console_as_defined(
        value in strategy::value(4, 30),
        lines in 10_usize..30,
        columns in prop_oneof![10_usize..30, 10_usize..200],
        digits in 0_usize..18,
    ) {
        let precision = Precision::new(digits);
        let console = Console::new().with_size(lines, columns).with_precision(precision);
        let shown = console.show(value.as_ref()).to_string();
        prop_assert!(shown.is_empty() || shown.ends_with('\n'));
        let is_function = matches!(value.as_ref(), ValueRef::Function(_));
        // The head of a table beside something else comes on top.
        prop_assert!(is_function || shown.lines().count() <= lines, "{}", shown);
        for line in shown.lines() {
            prop_assert!(width(line) < columns, "{}", line);
            prop_assert!(!line.contains(char::is_control), "{:?}", line);
        }
        let expected = Definition { lines, columns, digits: precision.digits() };
        prop_assert_eq!(shown, expected.text(value.as_ref()), "{}", value);
    }
}

struct Definition {
    lines: usize,
    columns: usize,
    digits: usize,
}

impl Definition {
    fn text(&self, value: ValueRef<'_>) -> String {
        let lines = match value {
            ValueRef::Function(FunctionRef::Unary(UnaryPrimitive::IDENTITY)) => vec![],
            ValueRef::Function(_) => {
                let source = format!("{value:#.*}", self.digits);
                source.split('\n').map(str::to_owned).collect()
            }
            ValueRef::List(_) | ValueRef::Dict(_) | ValueRef::Table(_) => {
                self.block(value).unwrap_or_else(|| vec![self.short(value)])
            }
            _ => vec![self.short(value)],
        };
        lines.iter().map(|line| self.cut(line) + "\n").collect()
    }

    fn cut(&self, line: &str) -> String {
        if width(line) < self.columns {
            return line.to_owned();
        }
        let mut start = String::new();
        for char in line.chars() {
            if width(&start) + width(char.encode_utf8(&mut [0; 4])) > self.columns - 3 {
                break;
            }
            start.push(char);
        }
        start + ".."
    }

    fn block(&self, value: ValueRef<'_>) -> Option<Vec<String>> {
        let head = match value {
            ValueRef::Table(_) => 2,
            ValueRef::Dict(dict) if dict.keyed_table().is_some() => 2,
            _ => 0,
        };
        let most = self.lines - 2 - head;
        if count(value)? <= most {
            return self.lines_of(value, most);
        }
        let mut lines = self.lines_of(value, most - 1)?;
        lines.push("..".to_owned());
        Some(lines)
    }

    fn lines_of(&self, value: ValueRef<'_>, most: usize) -> Option<Vec<String>> {
        match value {
            ValueRef::Dict(dict) => self.dict(dict.keys(), dict.values(), most),
            ValueRef::Table(table) => {
                let mut lines: Vec<String> = Vec::new();
                for (name, column) in table.columns() {
                    if count_of_column(column)? != count(value)? {
                        return None;
                    }
                    let mut cells = vec![name.to_string()];
                    cells.extend(self.lines_of(column, most)?);
                    lines = beside(lines, " ", cells);
                    if width(lines.first()?) >= self.columns {
                        break;
                    }
                }
                let rule = "-".repeat(width(lines.first()?));
                lines.insert(1, rule);
                Some(lines)
            }
            ValueRef::List(list) => {
                let items: Vec<ValueRef<'_>> = list.iter().take(most).collect();
                let counts: Vec<_> = items.iter().map(|item| count_of_column(*item)).collect();
                let is_matrix = counts
                    .iter()
                    .all(|count| count.is_some() && *count == counts[0])
                    && !items.iter().all(|item| {
                        let basic = item.value_type().basic_type();
                        matches!(
                            basic,
                            Some(BasicType::Boolean | BasicType::Byte | BasicType::Char)
                        )
                    });
                if !is_matrix {
                    return Some(items.iter().map(|item| self.short(*item)).collect());
                }
                let rows: Option<Vec<Vec<String>>> = items
                    .iter()
                    .map(|item| self.lines_of(*item, usize::MAX))
                    .collect();
                let rows = rows?;
                let mut lines = vec![];
                for at in 0..counts[0]? {
                    lines = beside(lines, " ", rows.iter().map(|row| row[at].clone()).collect());
                }
                Some(if lines.is_empty() {
                    vec![String::new(); rows.len()]
                } else {
                    lines
                })
            }
            ValueRef::Vector(_) => {
                let string = |item| match item {
                    ValueRef::Atom(atom) => format!("{:.*}", self.digits, atom.string()),
                    _ => unreachable!("the items of vectors are atoms"),
                };
                Some(value.elements()?.take(most).map(string).collect())
            }
            _ => None,
        }
    }

    fn dict(&self, keys: ValueRef<'_>, values: ValueRef<'_>, most: usize) -> Option<Vec<String>> {
        if count(keys)? != count(values)? {
            return None;
        }
        let (mut keys, mut values) = (self.lines_of(keys, most)?, self.lines_of(values, most)?);
        let (a, b) = (keys.len(), values.len());
        for (side, is_lower) in [(&mut keys, b == a + 2), (&mut values, a == b + 2)] {
            if is_lower {
                let rule = "-".repeat(side.first().map_or(0, |line| width(line)));
                side.splice(0..0, [String::new(), rule]);
            }
        }
        let widest = keys.iter().map(|key| width(key)).max().unwrap_or(0);
        let lines = keys.iter().zip(values);
        Some(
            lines
                .map(|(key, value)| padded(key, widest) + "| " + &value)
                .collect(),
        )
    }

    fn short(&self, value: ValueRef<'_>) -> String {
        format!("{value:.*}", self.digits)
    }
}

fn count(value: ValueRef<'_>) -> Option<usize> {
    match value {
        ValueRef::Dict(dict) => count(dict.keys()),
        ValueRef::Table(table) => count_of_column(table.columns().next()?.1),
        _ => count_of_column(value),
    }
}

fn count_of_column(value: ValueRef<'_>) -> Option<usize> {
    Some(value.elements()?.len())
}

/// Puts a column, padded, behind lines.
fn beside(lines: Vec<String>, between: &str, column: Vec<String>) -> Vec<String> {
    let widest = column.iter().map(|cell| width(cell)).max().unwrap_or(0);
    let column = column.iter().map(|cell| padded(cell, widest));
    if lines.is_empty() {
        return column.collect();
    }
    lines
        .iter()
        .zip(column)
        .map(|(line, cell)| line.clone() + between + &cell)
        .collect()
}

fn padded(text: &str, columns: usize) -> String {
    text.to_owned() + &" ".repeat(columns - width(text))
}

fn width(text: &str) -> usize {
    text.chars()
        .map(|char| char.width().unwrap_or(1).max(1))
        .sum()
}
