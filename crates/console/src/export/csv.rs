//! Tables as CSV.

use std::io;

use csv::Writer;
use hopen_codec::value::ValueRef;

use super::{ExportError, Rows, write_field};
use crate::Precision;

/// Writes a table as CSV (RFC 4180, but that lines end with `\n`): a line of the names of its
/// columns, those of keys first, and one for each row.
///
/// ```text
/// ticker,time,price,note          ([]ticker:`ibm`amd; time:2#2024.01.01D; price:101.25 0n;
/// ibm,2024-01-01T…,101.25,"a,b"     note:("a,b";"c"))
/// amd,2024-01-01T…,,c
/// ```
///
/// | item | field |
/// | --- | --- |
/// | char, symbol, char vector | its bytes as they are, in whatever encoding they have |
/// | date, month, timestamp, datetime | as ISO 8601 has them: `2000-01-01`, `2000-01`, `2000-01-01T00:00:00.000000000` |
/// | other atom | q's `string`: `1`, `1.5`, `2a`, `0D00:00:00.000000000`, `00:00:00.000` |
/// | null | nothing; of guids zeros, of chars a blank |
/// | infinity | `0W`, `-0W`, `0w`, `-0w`; of shorts the number |
/// | anything else: a vector or list in a column of them | q's short form: `1 2 3` |
///
/// Fields with a comma, a quote or an end of line are quoted, and so is an empty one that is alone
/// in its row. q's own `csv 0:` writes numbers in [`Precision::DEFAULT`], which does not tell all
/// floats apart; it refuses columns of lists.
///
/// The rows are written as they are read: memory is taken for one of them and a buffer of `out`.
///
/// ```
/// use hopen_codec::{sym, value::{Date, Table, Value}};
/// use hopen_console::{Precision, write_csv};
///
/// let trades = Value::from(Table::new([
///     (sym!("ticker"), [sym!("ibm"), sym!("amd")].into()),
///     (sym!("day"), vec![Date(8766), Date::NULL].into()),
///     (sym!("price"), vec![101.25, 0.1].into()),
/// ])?);
/// let mut csv = Vec::new();
/// write_csv(trades.as_ref(), Precision::DEFAULT, &mut csv)?;
/// assert_eq!(csv, b"ticker,day,price\nibm,2024-01-01,101.25\namd,,0.1\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Where the value is no table, its columns are not of one count or did not come with it: then
/// nothing has been written. Where `out` fails: then some rows may have been.
pub fn write_csv(
    table: ValueRef<'_>,
    precision: Precision,
    out: impl io::Write,
) -> Result<(), ExportError> {
    write(table, precision, Names::First, out)
}

/// Writes a table as [`write_csv`] does, but without the line of names: more rows of a table that was
/// begun.
///
/// # Errors
///
/// As there.
pub fn write_csv_rows(
    table: ValueRef<'_>,
    precision: Precision,
    out: impl io::Write,
) -> Result<(), ExportError> {
    write(table, precision, Names::None, out)
}

/// Whether the names of the columns are written.
#[derive(PartialEq, Eq)]
enum Names {
    First,
    None,
}

fn write(
    table: ValueRef<'_>,
    precision: Precision,
    names: Names,
    out: impl io::Write,
) -> Result<(), ExportError> {
    let found = table.value_type();
    let mut rows = Rows::of(table)?.ok_or(ExportError::NotATable { found })?;
    let mut csv = Writer::from_writer(out);
    if names == Names::First {
        for name in rows.names() {
            csv.write_field(name).map_err(cause)?;
        }
        end_row(&mut csv)?;
    }
    let mut field = Vec::new();
    while let Some(row) = rows.next_row() {
        for (_, item) in row {
            field.clear();
            write_field(item, precision, &mut field)?;
            csv.write_field(&field).map_err(cause)?;
        }
        end_row(&mut csv)?;
    }
    Ok(csv.flush()?)
}

fn end_row(csv: &mut Writer<impl io::Write>) -> io::Result<()> {
    csv.write_record(None::<&[u8]>).map_err(cause)
}

/// Returns the error of the writer below: its kind tells whether a reader has gone.
fn cause(error: csv::Error) -> io::Error {
    let kind = error.into_kind();
    if let csv::ErrorKind::Io(error) = kind {
        error
    } else {
        io::Error::other(format!("{kind:?}"))
    }
}

#[cfg(test)]
mod tests {
    use hopen_codec::sym;
    use hopen_codec::value::{
        Byte, Char, Date, Dict, Guid, Month, Symbol, Table, TableError, Time, Timespan, Timestamp,
        Value,
    };

    use super::*;

    #[test]
    fn more_rows_of_a_table_have_no_names() {
        let rows = Table::new([(sym!("n"), vec![1_i64, 2].into())]).unwrap();
        let mut csv = Vec::new();
        write_csv(
            Value::from(rows.clone()).as_ref(),
            Precision::DEFAULT,
            &mut csv,
        )
        .unwrap();
        write_csv_rows(Value::from(rows).as_ref(), Precision::DEFAULT, &mut csv).unwrap();
        assert_eq!(csv, b"n\n1\n2\n1\n2\n");
        let error = write_csv_rows(Value::IDENTITY.as_ref(), Precision::DEFAULT, &mut csv);
        assert!(matches!(error, Err(ExportError::NotATable { .. })));
    }

    #[test]
    fn each_type_has_its_text() {
        check(
            [
                ("b", vec![true, false].into()),
                ("x", vec![Byte(0x2a), Byte(0)].into()),
                ("h", vec![i16::MAX, i16::MIN].into()),
                ("i", vec![i32::MAX, i32::MIN].into()),
                ("j", vec![-i64::MAX, i64::MIN].into()),
                ("e", vec![1.5_f32, f32::NAN].into()),
                ("f", vec![1e10, f64::NAN].into()),
                ("c", vec![Char(b'"'), Char(b' ')].into()),
                ("s", [sym!("a,b"), sym!("")].into()),
            ],
            "b,x,h,i,j,e,f,c,s\n\
             1,2a,32767,0W,-0W,1.5,1e+10,\"\"\"\",\"a,b\"\n\
             0,00,,,,,, ,\n",
        );
        check(
            [
                ("p", vec![Timestamp(1), Timestamp::NULL].into()),
                ("m", vec![Month(0), Month::NULL].into()),
                ("d", vec![Date(0), Date::INFINITY].into()),
                ("n", vec![Timespan(1), Timespan::NULL].into()),
                ("t", vec![Time(1), Time::NULL].into()),
                ("g", vec![Guid::default(); 2].into()),
            ],
            "p,m,d,n,t,g\n\
             2000-01-01T00:00:00.000000001,2000-01,2000-01-01,0D00:00:00.000000001,00:00:00.001,\
             00000000-0000-0000-0000-000000000000\n\
             ,,0W,,,00000000-0000-0000-0000-000000000000\n",
        );
    }

    #[test]
    fn columns_of_lists_have_texts_as_they_are_and_lists_in_short_form() {
        check(
            [
                ("s", ("two\nlines", "", "x").into()),
                ("l", (1.5, vec![1_i64, 2], (1_i64, "a")).into()),
            ],
            "s,l\n\"two\nlines\",1.5\n,1 2\nx,\"(1;,\"\"a\"\")\"\n",
        );
    }

    #[test]
    fn an_empty_field_alone_in_its_row_is_quoted() {
        check([("s", [sym!(""), sym!("a")].into())], "s\n\"\"\na\n");
    }

    #[test]
    fn bytes_stay_as_they_are() {
        let name = Symbol::new(b"\xe9\x1b").unwrap();
        let column = vec![name.clone()].into();
        let table = Value::from(
            Table::new([(name, column), (sym!("c"), vec![Char(0xff)].into())]).unwrap(),
        );
        assert_eq!(csv(&table).unwrap(), b"\xe9\x1b,c\n\xe9\x1b,\xff\n");
    }

    #[test]
    fn keys_come_first() {
        let part = |name: &str, items: Vec<i64>| {
            Table::new([(Symbol::new(name).unwrap(), items.into())]).unwrap()
        };
        let keyed = Dict::keyed_table(part("k", vec![1, 2]), part("v", vec![3, 4]));
        assert_eq!(csv(&keyed.unwrap().into()).unwrap(), b"k,v\n1,3\n2,4\n");
        let uneven = Dict::new(part("k", vec![1]), part("v", vec![3, 4])).into();
        let error = csv(&uneven).unwrap_err();
        assert!(
            matches!(
                error,
                ExportError::Table(TableError::Keys { keys: 1, rows: 2 })
            ),
            "{error}"
        );
    }

    #[test]
    fn no_rows_are_the_names_alone() {
        check(
            [("a", Vec::<i64>::new().into()), ("b c", "".into())],
            "a,b c\n",
        );
    }

    #[test]
    fn what_is_no_table_is_refused() {
        for value in [
            Value::from(1_i64),
            vec![1_i64].into(),
            Value::IDENTITY,
            Dict::new(vec![1_i64], vec![1_i64]).into(),
        ] {
            let mut out = Vec::new();
            let error = write_csv(value.as_ref(), Precision::DEFAULT, &mut out).unwrap_err();
            assert!(matches!(error, ExportError::NotATable { .. }), "{error}");
            assert!(out.is_empty());
        }
        let away = Table::by_reference([sym!("a")], sym!(":t/")).unwrap();
        let error = csv(&away.into()).unwrap_err();
        assert!(
            matches!(error, ExportError::Table(TableError::ByReference { .. })),
            "{error}"
        );
    }

    #[test]
    fn a_writer_that_fails_ends_it() {
        let table = Value::from(Table::new([(sym!("a"), vec![1_i64; 10_000].into())]).unwrap());
        let mut room = [0; 100];
        let error = write_csv(table.as_ref(), Precision::DEFAULT, &mut room[..]).unwrap_err();
        assert!(
            matches!(&error, ExportError::Write(error) if error.kind() == io::ErrorKind::WriteZero),
            "{error}"
        );
    }

    #[track_caller]
    fn check<const N: usize>(columns: [(&str, Value); N], expected: &str) {
        let columns = columns.map(|(name, column)| (Symbol::new(name).unwrap(), column));
        let csv = csv(&Table::new(columns).unwrap().into()).unwrap();
        assert_eq!(str::from_utf8(&csv).unwrap(), expected);
    }

    fn csv(table: &Value) -> Result<Vec<u8>, ExportError> {
        let mut out = Vec::new();
        write_csv(table.as_ref(), Precision::DEFAULT, &mut out)?;
        Ok(out)
    }
}
