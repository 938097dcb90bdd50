//! Lists, dictionaries and tables as lines: what stands in columns, and what does not.

use core::fmt;

use hopen_codec::value::{BasicType, DictRef, Elements, ListRef, TableRef, ValueRef};

use crate::Precision;
use crate::line::{CUT, Line};

/// Lays out one value.
pub(crate) struct Layout {
    columns: usize,
    precision: Precision,
    /// How many more texts may be made.
    cells: usize,
}

impl Layout {
    pub(crate) const fn new(columns: usize, precision: Precision) -> Self {
        Self {
            columns,
            precision,
            cells: MOST_CELLS,
        }
    }

    /// Returns the lines of a list, dictionary or table on a console of so many: two less at most,
    /// but for a rule within a dictionary.
    pub(crate) fn lines(
        &mut self,
        value: ValueRef<'_>,
        lines: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let most = lines.saturating_sub(if is_table(value) { 4 } else { 2 });
        let is_cut = count(value, DEPTH)? > most;
        let mut lines = self.lines_of(value, most - usize::from(is_cut), DEPTH)?;
        if is_cut {
            lines.push(Line::of(format_args!("{CUT}"), self.columns));
        }
        Ok(lines)
    }

    /// Returns a line for each of the first items, and two more for the head of a table.
    fn lines_of(
        &mut self,
        value: ValueRef<'_>,
        most: usize,
        depth: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let depth = depth.checked_sub(1).ok_or(CannotLayOut)?;
        if let ValueRef::List(list) = value {
            return self.list(list, most, depth);
        }
        if let ValueRef::Dict(dict) = value {
            return self.dict(dict, most, depth);
        }
        if let ValueRef::Table(table) = value {
            return self.table(table, most, depth);
        }
        let items = value.elements().ok_or(CannotLayOut)?;
        items.take(most).map(|item| self.item(item)).collect()
    }

    /// Lays out keys and what they map to, beside each other.
    fn dict(
        &mut self,
        dict: DictRef<'_>,
        most: usize,
        depth: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let (keys, values) = dict.parts();
        if count(keys, depth)? != count(values, depth)? {
            return Err(CannotLayOut);
        }
        let mut keys = self.lines_of(keys, most, depth)?;
        let mut values = self.lines_of(values, most, depth)?;
        if keys.len() == values.len() + HEAD {
            self.add_head(&mut values);
        } else if values.len() == keys.len() + HEAD {
            self.add_head(&mut keys);
        }
        let width = widest(&keys);
        let lines = keys.iter().zip(&values).map(|(key, value)| {
            let mut line = Line::new(self.columns);
            line.append(key);
            line.pad(width);
            line.push(format_args!("| "));
            line.append(value);
            line
        });
        Ok(lines.collect())
    }

    /// Puts a blank line and a rule above lines that stand beside a table.
    fn add_head(&self, lines: &mut Vec<Line>) {
        let width = lines.first().map_or(0, Line::width);
        let head = [Line::new(self.columns), Line::dashes(width, self.columns)];
        lines.splice(0..0, head);
    }

    /// Lays out the names of the columns, a rule, and the first rows. What is behind the columns
    /// that show is not looked at.
    fn table(
        &mut self,
        table: TableRef<'_>,
        most: usize,
        depth: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let mut rows = None;
        let mut lines = Vec::new();
        for (name, column) in table.columns().take(WIDEST) {
            let count = items(column).ok_or(CannotLayOut)?;
            if *rows.get_or_insert(count) != count {
                return Err(CannotLayOut);
            }
            let mut cells = vec![self.cell(format_args!("{name}"))?];
            cells.extend(self.lines_of(column, most, depth)?);
            if lines.is_empty() {
                lines = cells;
                pad(&mut lines);
            } else {
                append(&mut lines, &cells);
            }
            if lines.iter().any(Line::is_full) {
                break;
            }
        }
        let width = lines.first().ok_or(CannotLayOut)?.width();
        lines.insert(1, Line::dashes(width, self.columns));
        Ok(lines)
    }

    /// Lays out the items of a list: those of equal count as rows of a matrix.
    fn list(
        &mut self,
        list: ListRef<'_>,
        most: usize,
        depth: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let items: Vec<ValueRef<'_>> = list.iter().take(most).collect();
        match count_of_each(&items) {
            Some(count) if !items.iter().all(is_text) => self.matrix(&items, count, depth),
            _ => items.iter().map(|item| self.short_form(*item)).collect(),
        }
    }

    /// Lays out vectors and lists of one count below each other, in columns.
    fn matrix(
        &mut self,
        rows: &[ValueRef<'_>],
        count: usize,
        depth: usize,
    ) -> Result<Vec<Line>, CannotLayOut> {
        let mut lines = vec![Line::new(self.columns); rows.len()];
        let rows = rows.iter().map(|row| self.row(*row, depth));
        let mut rows = rows.collect::<Result<Vec<_>, _>>()?;
        for at in 0..count.min(WIDEST) {
            let column = rows.iter_mut().map(|row| row.next(self));
            let mut column = column.collect::<Result<Vec<_>, _>>()?;
            if at == 0 {
                pad(&mut column);
                lines = column;
            } else {
                append(&mut lines, &column);
            }
            if lines.iter().any(Line::is_full) {
                break;
            }
        }
        Ok(lines)
    }

    /// Returns the cells of a row of a matrix. Those of a vector are made one by one; those of a
    /// list depend on each other.
    fn row<'a>(&mut self, row: ValueRef<'a>, depth: usize) -> Result<Row<'a>, CannotLayOut> {
        if let (ValueRef::Vector(_), Some(items)) = (row, row.elements()) {
            return Ok(Row::Vector(items));
        }
        let mut cells = self.lines_of(row, WIDEST, depth)?;
        let mut width = 0;
        let shown = cells.iter().take_while(|cell| {
            let starts = width;
            width += cell.width() + 1;
            starts < self.columns
        });
        cells.truncate(shown.count());
        Ok(Row::List(cells.into_iter()))
    }

    /// Returns an item of a vector, as q's `string` has it.
    fn item(&mut self, item: ValueRef<'_>) -> Result<Line, CannotLayOut> {
        if let ValueRef::Atom(atom) = item {
            self.cell(format_args!(
                "{:.*}",
                self.precision.digits(),
                atom.string()
            ))
        } else {
            self.short_form(item)
        }
    }

    fn short_form(&mut self, value: ValueRef<'_>) -> Result<Line, CannotLayOut> {
        self.cell(format_args!("{value:.*}", self.precision.digits()))
    }

    fn cell(&mut self, text: fmt::Arguments<'_>) -> Result<Line, CannotLayOut> {
        self.cells = self.cells.checked_sub(1).ok_or(CannotLayOut)?;
        Ok(Line::of(text, self.columns))
    }
}

/// A value has no layout, and prints in short form: its parts do not fit together, or there are too
/// many of them or too many inside each other.
#[derive(Debug)]
pub(crate) struct CannotLayOut;

/// The cells of a row of a matrix.
enum Row<'a> {
    Vector(Elements<'a>),
    List(std::vec::IntoIter<Line>),
}

impl Row<'_> {
    /// Returns the next cell. All rows have as many, but for those that reach the end of the line
    /// before, and then all of them have.
    fn next(&mut self, layout: &mut Layout) -> Result<Line, CannotLayOut> {
        match self {
            Self::Vector(items) => items.next().map(|item| layout.item(item)).transpose(),
            Self::List(cells) => Ok(cells.next()),
        }
        .map(|cell| cell.unwrap_or_else(|| Line::new(layout.columns)))
    }
}

/// Pads lines to the width of the widest.
fn pad(lines: &mut [Line]) {
    let width = widest(lines);
    lines.iter_mut().for_each(|line| line.pad(width));
}

/// Puts a column behind lines of equal width, which have it afterwards as well.
fn append(lines: &mut [Line], column: &[Line]) {
    let start = widest(lines).saturating_add(1);
    let end = start.saturating_add(widest(column));
    for (line, cell) in lines.iter_mut().zip(column) {
        line.push(format_args!(" "));
        line.append(cell);
        line.pad(end);
    }
}

fn widest(lines: &[Line]) -> usize {
    lines.iter().map(Line::width).max().unwrap_or(0)
}

/// Returns whether a value is a table, keyed or not.
fn is_table(value: ValueRef<'_>) -> bool {
    if let ValueRef::Dict(dict) = value {
        return dict.keyed_table().is_some();
    }
    matches!(value, ValueRef::Table(_))
}

/// Returns whether a value is a vector that prints as one text: booleans, bytes, chars.
fn is_text(value: &ValueRef<'_>) -> bool {
    let ValueRef::Vector(vector) = value else {
        return false;
    };
    matches!(
        vector.basic_type(),
        BasicType::Boolean | BasicType::Byte | BasicType::Char
    )
}

/// Returns how many items each of some vectors and lists has, if that is the same number.
fn count_of_each(values: &[ValueRef<'_>]) -> Option<usize> {
    let mut counts = values.iter().map(|value| items(*value));
    let first = counts.next()??;
    counts.all(|count| count == Some(first)).then_some(first)
}

/// Returns how many items a vector or list has.
fn items(value: ValueRef<'_>) -> Option<usize> {
    value.elements().map(|items| items.len())
}

/// Returns how many rows, pairs or items a value has: q's `count`.
fn count(value: ValueRef<'_>, depth: usize) -> Result<usize, CannotLayOut> {
    let mut value = value;
    for _ in 0..=depth {
        value = if let ValueRef::Dict(dict) = value {
            dict.keys()
        } else if let ValueRef::Table(table) = value {
            table.columns().next().ok_or(CannotLayOut)?.1
        } else {
            return items(value).ok_or(CannotLayOut);
        };
    }
    Err(CannotLayOut)
}

/// How many lines the head of a table takes: names and rule.
const HEAD: usize = 2;

/// How many columns of a table or matrix are looked at: half of what q's `\C` starts with.
const WIDEST: usize = 1_000;

/// How many values inside each other are laid out. A level is a turn of recursion, and what is
/// inside a received list is stepped over on each one: a peer's nesting takes so many times the
/// walk over it at most. Nobody can tell the rows of a matrix of sixteen dimensions apart.
const DEPTH: usize = 16;

/// How many texts are made for one value, shown or not. The largest console shows 2,000 rows of
/// 1,000 columns; more can be needed only by lists of lists of lists, whose widths depend on what
/// does not show.
const MOST_CELLS: usize = 2_000 * WIDEST;
