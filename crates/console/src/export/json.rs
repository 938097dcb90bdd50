//! Values as JSON.

use std::borrow::Cow;
use std::io::{self, Write as _};

use hopen_codec::value::{
    Atom, DictRef, Elements, FunctionRef, SymbolRef, UnaryPrimitive, ValueRef, Vector,
};
use serde_json::ser::{CompactFormatter, Formatter as _};

use super::{ExportError, Rows, Text, write_field};
use crate::Precision;

/// Writes a value as JSON, about as q's `.j.j` does, without an end of line behind it.
///
/// ```text
/// ([]s:`a`b; p:1.5 0n)      [{"s":"a","p":1.5},{"s":"b","p":null}]
/// `a`b!(1 2;"text")         {"a":[1,2],"b":"text"}
/// (1;2024.01.01;`a)         [1,"2024-01-01","a"]
/// ```
///
/// | value | JSON |
/// | --- | --- |
/// | boolean | `true`, `false` |
/// | short, int, long, real, float | a number in q's digits; null and infinite ones are `null` |
/// | char, char vector, symbol | a string, the empty symbol among them |
/// | date, month, timestamp, datetime | a string as ISO 8601 has it; null and infinite ones are `null` |
/// | byte, guid, other temporal | q's `string` of it: `"2a"`, `"0D00:00:00.000000000"`; null and infinite temporals are `null` |
/// | other vector, list | an array |
/// | table, keyed table | an array of an object for each row, the keys first |
/// | dictionary | an object; of keys that are no text q's `string` or short form |
/// | `::` | `null` |
/// | other function | a string: its text |
///
/// JSON is text, q's chars and symbols are bytes. Those that are UTF-8 are taken as that; any
/// other byte is taken for the character of that number, as Latin-1 has it.
///
/// A number's digits are those of [`Precision`]: with [`FULL`](Precision::FULL) every float reads
/// back as it was. JSON has no infinities; `.j.jd` makes them `null` where asked to. An object has
/// as many fields of one name as the dictionary has equal keys, or the table equal names.
///
/// The rows of a table are written as they are read, through a buffer of 8 KiB. What is inside a
/// list is stepped over once for each list around it; there may be 128.
///
/// ```
/// use hopen_codec::{sym, value::{Table, Value}};
/// use hopen_console::{Precision, write_json};
///
/// let trades = Value::from(Table::new([
///     (sym!("ticker"), [sym!("ibm"), sym!("amd")].into()),
///     (sym!("size"), vec![Some(300_i64), None].into()),
/// ])?);
/// let mut json = Vec::new();
/// write_json(trades.as_ref(), Precision::FULL, &mut json)?;
/// assert_eq!(json, br#"[{"ticker":"ibm","size":300},{"ticker":"amd","size":null}]"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Where the columns of a table do not fit together or did not come with it, where a dictionary has
/// not as many keys as values, or the rows of a table for its keys and no table for its values, or
/// where `out` fails: then a part may have been written. Where more than 128 values are inside each
/// other: then nothing has been.
pub fn write_json(
    value: ValueRef<'_>,
    precision: Precision,
    out: impl io::Write,
) -> Result<(), ExportError> {
    if value.walk().any(|(depth, _)| depth > MOST_INSIDE) {
        return Err(ExportError::TooDeep { most: MOST_INSIDE });
    }
    let mut json = Json {
        precision,
        out: io::BufWriter::new(out),
        format: CompactFormatter,
    };
    json.write(value)?;
    Ok(json.out.flush()?)
}

struct Json<W: io::Write> {
    precision: Precision,
    out: io::BufWriter<W>,
    format: CompactFormatter,
}

impl<W: io::Write> Json<W> {
    fn write(&mut self, value: ValueRef<'_>) -> Result<(), ExportError> {
        if let Some(rows) = Rows::of(value)? {
            return self.write_rows(rows);
        }
        if let ValueRef::Atom(atom) = value {
            return Ok(self.write_atom(atom)?);
        }
        if let ValueRef::Vector(Vector::Char(chars)) = value {
            return Ok(self.write_string(chars.as_bytes())?);
        }
        if let ValueRef::Dict(dict) = value {
            return self.write_dict(dict);
        }
        if let ValueRef::Function(function) = value {
            return Ok(self.write_function(function)?);
        }
        self.write_array(value.elements().into_iter().flatten())
    }

    fn write_rows(&mut self, mut rows: Rows<'_>) -> Result<(), ExportError> {
        self.format.begin_array(&mut self.out)?;
        let mut is_first = true;
        while let Some(row) = rows.next_row() {
            self.format.begin_array_value(&mut self.out, is_first)?;
            self.write_row(row)?;
            self.format.end_array_value(&mut self.out)?;
            is_first = false;
        }
        Ok(self.format.end_array(&mut self.out)?)
    }

    fn write_row<'a>(
        &mut self,
        row: impl Iterator<Item = (SymbolRef<'a>, ValueRef<'a>)>,
    ) -> Result<(), ExportError> {
        self.format.begin_object(&mut self.out)?;
        for (at, (name, item)) in row.enumerate() {
            self.begin_field(ValueRef::Atom(Atom::Symbol(name)), at == 0)?;
            self.write(item)?;
            self.format.end_object_value(&mut self.out)?;
        }
        Ok(self.format.end_object(&mut self.out)?)
    }

    fn write_array<'a>(
        &mut self,
        items: impl Iterator<Item = ValueRef<'a>>,
    ) -> Result<(), ExportError> {
        self.format.begin_array(&mut self.out)?;
        for (at, item) in items.enumerate() {
            self.format.begin_array_value(&mut self.out, at == 0)?;
            self.write(item)?;
            self.format.end_array_value(&mut self.out)?;
        }
        Ok(self.format.end_array(&mut self.out)?)
    }

    fn write_dict(&mut self, dict: DictRef<'_>) -> Result<(), ExportError> {
        let (keys, values) = dict.parts();
        let keys = keys.elements();
        let mut values = Values::of(values)?;
        let counts = (
            keys.as_ref().map(Elements::len),
            values.as_ref().map(Values::len),
        );
        let (Some(keys), Some(values), true) = (keys, &mut values, counts.0 == counts.1) else {
            let (keys, values) = counts;
            return Err(ExportError::Dict { keys, values });
        };
        self.format.begin_object(&mut self.out)?;
        for (at, key) in keys.enumerate() {
            self.begin_field(key, at == 0)?;
            match values {
                Values::Elements(items) => match items.next() {
                    Some(item) => self.write(item)?,
                    None => {
                        return Err(ExportError::Dict {
                            keys: counts.0,
                            values: Some(at),
                        });
                    }
                },
                Values::Rows(rows) => match rows.next_row() {
                    Some(row) => self.write_row(row)?,
                    None => {
                        return Err(ExportError::Dict {
                            keys: counts.0,
                            values: Some(at),
                        });
                    }
                },
            }
            self.format.end_object_value(&mut self.out)?;
        }
        Ok(self.format.end_object(&mut self.out)?)
    }

    /// Writes the name of a field, and what stands behind it.
    fn begin_field(&mut self, name: ValueRef<'_>, is_first: bool) -> io::Result<()> {
        self.format.begin_object_key(&mut self.out, is_first)?;
        let mut text = Vec::new();
        write_field(name, self.precision, &mut text)?;
        self.write_string(&text)?;
        self.format.end_object_key(&mut self.out)?;
        self.format.begin_object_value(&mut self.out)
    }

    fn write_atom(&mut self, atom: Atom<SymbolRef<'_>>) -> io::Result<()> {
        let text = Text {
            atom,
            precision: self.precision,
        };
        match atom {
            _ if !is_finite(&atom) => self.format.write_null(&mut self.out),
            Atom::Boolean(boolean) => self.format.write_bool(&mut self.out, boolean),
            Atom::Symbol(symbol) => self.write_string(symbol.as_bytes()),
            Atom::Char(char) => self.write_string(&[char.0]),
            Atom::Short(_) | Atom::Int(_) | Atom::Long(_) | Atom::Real(_) | Atom::Float(_) => {
                write!(self.out, "{text}")
            }
            Atom::Guid(_)
            | Atom::Byte(_)
            | Atom::Timestamp(_)
            | Atom::Month(_)
            | Atom::Date(_)
            | Atom::Datetime(_)
            | Atom::Timespan(_)
            | Atom::Minute(_)
            | Atom::Second(_)
            | Atom::Time(_) => self.write_ascii(&text),
        }
    }

    fn write_function(&mut self, function: FunctionRef<'_>) -> io::Result<()> {
        if let FunctionRef::Unary(UnaryPrimitive::IDENTITY) = function {
            return self.format.write_null(&mut self.out);
        }
        if let FunctionRef::Lambda(lambda) = function {
            return self.write_string(lambda.text());
        }
        let text = format!(
            "{:.*}",
            self.precision.digits(),
            ValueRef::Function(function)
        );
        self.write_string(text.as_bytes())
    }

    /// Writes a string of digits and the like, in which nothing has to be escaped.
    fn write_ascii(&mut self, text: &Text<'_>) -> io::Result<()> {
        write!(self.out, "\"{text}\"")
    }

    fn write_string(&mut self, bytes: &[u8]) -> io::Result<()> {
        Ok(serde_json::to_writer(&mut self.out, &text(bytes))?)
    }
}

/// What the keys of a dictionary map to.
enum Values<'a> {
    Elements(Elements<'a>),
    Rows(Rows<'a>),
}

impl<'a> Values<'a> {
    fn of(values: ValueRef<'a>) -> Result<Option<Self>, ExportError> {
        Ok(match Rows::of(values)? {
            Some(rows) => Some(Self::Rows(rows)),
            None => values.elements().map(Self::Elements),
        })
    }

    fn len(&self) -> usize {
        match self {
            Self::Elements(items) => items.len(),
            Self::Rows(rows) => rows.len(),
        }
    }
}

/// Returns whether an atom is neither null nor infinite, as far as its type has these, and has a
/// text that says more than that.
fn is_finite(atom: &Atom<SymbolRef<'_>>) -> bool {
    match atom {
        Atom::Short(number) => *number != i16::MIN && number.unsigned_abs() != i16::MAX as u16,
        Atom::Int(number) => *number != i32::MIN && number.unsigned_abs() != i32::MAX as u32,
        Atom::Long(number) => *number != i64::MIN && number.unsigned_abs() != i64::MAX as u64,
        Atom::Real(number) => number.is_finite(),
        Atom::Float(number) => number.is_finite(),
        Atom::Timestamp(time) => time.is_finite(),
        Atom::Month(month) => month.is_finite(),
        Atom::Date(date) => date.is_finite(),
        Atom::Datetime(time) => time.0.is_finite(),
        Atom::Timespan(span) => span.is_finite(),
        Atom::Minute(minute) => minute.is_finite(),
        Atom::Second(second) => second.is_finite(),
        Atom::Time(time) => time.is_finite(),
        Atom::Boolean(_) | Atom::Guid(_) | Atom::Byte(_) | Atom::Char(_) | Atom::Symbol(_) => true,
    }
}

/// Returns bytes as text: those that are no UTF-8 are taken for Latin-1.
fn text(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = str::from_utf8(bytes) {
        return text.into();
    }
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|byte| char::from(*byte)));
    }
    text.into()
}

/// How many values may be inside a value: as many as `serde_json` and others read back. Writing
/// takes a turn of recursion for each.
const MOST_INSIDE: usize = 128;

#[cfg(test)]
mod tests {
    use hopen_codec::byte_order::ByteOrder;
    use hopen_codec::value::{
        BinaryPrimitive, Byte, Char, Date, Datetime, Dict, Function, Guid, Minute, Month, Second,
        Symbol, Table, TableError, Time, Timespan, Timestamp, Value,
    };
    use hopen_codec::{strategy, sym};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn atoms_and_vectors_have_the_json_that_is_nearest() {
        let guid = "\"00000000-0000-0000-0000-000000000000\"";
        check([
            (true.into(), "true"),
            (vec![true, false].into(), "[true,false]"),
            (
                vec![1_i64, i64::MIN, i64::MAX, -i64::MAX].into(),
                "[1,null,null,null]",
            ),
            (
                vec![1_i32, i32::MIN, i32::MAX, -i32::MAX].into(),
                "[1,null,null,null]",
            ),
            (
                vec![1_i16, i16::MIN, i16::MAX, -i16::MAX].into(),
                "[1,null,null,null]",
            ),
            (
                vec![1.5, 5.0, 1e10, f64::NAN, f64::INFINITY].into(),
                "[1.5,5,1e+10,null,null]",
            ),
            (
                vec![0.1_f32, -0.0, f32::NAN, f32::INFINITY].into(),
                "[0.1,-0,null,null]",
            ),
            (Vec::<i64>::new().into(), "[]"),
            (vec![1_i64].into(), "[1]"),
            (Char(b'"').into(), r#""\"""#),
            ("two\nlines\u{1b}".into(), r#""two\nlines\u001b""#),
            ("".into(), r#""""#),
            (vec![sym!("a"), sym!("")].into(), r#"["a",""]"#),
            (vec![Byte(0x2a)].into(), r#"["2a"]"#),
            (Guid::default().into(), guid),
            (
                vec![Timestamp(1), Timestamp::NULL, Timestamp::INFINITY].into(),
                r#"["2000-01-01T00:00:00.000000001",null,null]"#,
            ),
            (
                vec![Month(0), Month::NULL, Month::INFINITY].into(),
                r#"["2000-01",null,null]"#,
            ),
            (
                vec![Date(0), Date::NULL, Date::INFINITY].into(),
                r#"["2000-01-01",null,null]"#,
            ),
            (
                vec![Datetime(0.5), Datetime::NULL, Datetime::INFINITY].into(),
                r#"["2000-01-01T12:00:00.000",null,null]"#,
            ),
            (
                vec![Timespan(1), Timespan::NULL, Timespan::INFINITY].into(),
                r#"["0D00:00:00.000000001",null,null]"#,
            ),
            (
                vec![Minute(1), Minute::NULL, Minute::INFINITY].into(),
                r#"["00:01",null,null]"#,
            ),
            (
                vec![Second(1), Second::NULL, Second::INFINITY].into(),
                r#"["00:00:01",null,null]"#,
            ),
            (
                vec![Time(1), Time::NULL, Time::INFINITY].into(),
                r#"["00:00:00.001",null,null]"#,
            ),
            (Value::IDENTITY, "null"),
            (Function::lambda("{x\n}").into(), r#""{x\n}""#),
            (
                Function::projection(BinaryPrimitive::new(1).unwrap(), [1_i64.into()]).into(),
                r#""+[1]""#,
            ),
            (
                (1_i64, "a", (2.5, sym!("b"))).into(),
                r#"[1,"a",[2.5,"b"]]"#,
            ),
        ]);
    }

    #[test]
    fn bytes_that_are_no_text_are_taken_for_latin_1() {
        let name = |bytes: &[u8]| Value::from(Symbol::new(bytes).unwrap());
        check([
            (name("é価".as_bytes()), "\"é価\""),
            (name(b"caf\xe9 \xc3\xa9\xff"), "\"café éÿ\""),
            (Char(0xe9).into(), "\"é\""),
        ]);
    }

    #[test]
    fn tables_are_arrays_of_objects() {
        let keys = || Table::new([(sym!("k"), vec![1_i64, 2].into())]).unwrap();
        let values = || {
            let inner = Table::new([(sym!("x"), vec![7_i64].into())]).unwrap();
            Table::new([(sym!("v"), (inner, vec![0.5, 1.5]).into())]).unwrap()
        };
        check([
            (keys().into(), r#"[{"k":1},{"k":2}]"#),
            (
                Dict::keyed_table(keys(), values()).unwrap().into(),
                r#"[{"k":1,"v":[{"x":7}]},{"k":2,"v":[0.5,1.5]}]"#,
            ),
            (
                Table::new([(sym!("a"), Vec::<i64>::new().into())])
                    .unwrap()
                    .into(),
                "[]",
            ),
            (
                Dict::new(vec![sym!("a"), sym!("b")], keys()).into(),
                r#"{"a":{"k":1},"b":{"k":2}}"#,
            ),
        ]);
    }

    #[test]
    fn dictionaries_are_objects() {
        check([
            (
                Dict::new(vec![sym!("a"), sym!("")], (vec![1_i64, 2], "text")).into(),
                r#"{"a":[1,2],"":"text"}"#,
            ),
            (
                Dict::new(vec![Date(0), Date::NULL], vec![true, false]).into(),
                r#"{"2000-01-01":true,"":false}"#,
            ),
            (Dict::new("ab", vec![1_i64, 2]).into(), r#"{"a":1,"b":2}"#),
            (
                Dict::new(("key", vec![1_i64, 2]), vec![1_i64, 2]).into(),
                r#"{"key":1,"1 2":2}"#,
            ),
            (Dict::new("", "").into(), "{}"),
            (
                Dict::new(vec![sym!("a"), sym!("a")], vec![1_i64, 2]).into(),
                r#"{"a":1,"a":2}"#,
            ),
        ]);
    }

    #[test]
    fn what_does_not_fit_together_is_refused() {
        let table = |rows| Table::new([(sym!("k"), vec![1_i64; rows].into())]).unwrap();
        let away = Table::by_reference([sym!("k")], sym!(":t/")).unwrap();
        let error = json(&Dict::new(table(1), table(2)).into()).unwrap_err();
        assert!(
            matches!(
                error,
                ExportError::Table(TableError::Keys { keys: 1, rows: 2 })
            ),
            "{error}"
        );
        let error = json(&(1_i64, away).into()).unwrap_err();
        assert!(
            matches!(error, ExportError::Table(TableError::ByReference { .. })),
            "{error}"
        );
        for (dict, counts) in [
            (Dict::new("a", "ab"), (Some(1), Some(2))),
            (Dict::new("a", table(2)), (Some(1), Some(2))),
            (Dict::new(1_i64, "a"), (None, Some(1))),
            (Dict::new("a", 1_i64), (Some(1), None)),
            (Dict::new(1_i64, 1_i64), (None, None)),
            (Dict::new(table(1), vec![1_i64]), (None, Some(1))),
        ] {
            let error = json(&dict.into()).unwrap_err();
            let ExportError::Dict { keys, values } = error else {
                panic!("{error}")
            };
            assert_eq!((keys, values), counts);
        }
    }

    #[test]
    fn values_nested_more_deeply_than_others_read_are_refused() {
        let nested =
            |levels: usize| (0..levels).fold(Value::from(1_i64), |inner, _| (inner,).into());
        let deepest = json(&nested(128)).unwrap();
        assert_eq!(deepest, "[".repeat(128) + "1" + &"]".repeat(128));
        let mut out = Vec::new();
        let error = write_json(nested(129).as_ref(), Precision::FULL, &mut out).unwrap_err();
        assert!(
            matches!(error, ExportError::TooDeep { most: 128 }),
            "{error}"
        );
        assert!(out.is_empty());
    }

    #[test]
    fn a_writer_that_fails_ends_it() {
        let mut room = [0; 100];
        let longs = Value::from(vec![1_i64; 10_000]);
        let error = write_json(longs.as_ref(), Precision::FULL, &mut room[..]).unwrap_err();
        assert!(matches!(error, ExportError::Write(_)), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_json(value in strategy::value(4, 5)) {
            match json(&value) {
                Ok(text) => {
                    let read = serde_json::from_str::<serde_json::Value>(&text);
                    prop_assert!(read.is_ok(), "{}", text);
                }
                Err(ExportError::Table(_) | ExportError::Dict { .. }) => {}
                Err(error) => prop_assert!(false, "{}", error),
            }
        }

        #[test]
        fn floats_read_back_in_full(number in any::<f64>()) {
            let text = json(&number.into()).unwrap();
            // serde_json itself reads floats to the last digit only where asked to.
            prop_assert!(serde_json::from_str::<Option<f64>>(&text).is_ok());
            let finite = Some(number).filter(|number| number.is_finite());
            prop_assert_eq!(text.parse().ok(), finite);
        }
    }

    #[track_caller]
    fn check<const N: usize>(table: [(Value, &str); N]) {
        for (value, text) in table {
            let mut out = Vec::new();
            write_json(value.as_ref(), Precision::DEFAULT, &mut out).unwrap();
            assert_eq!(str::from_utf8(&out).unwrap(), text);
            let received = strategy::receive(&value, ByteOrder::Big);
            let mut again = Vec::new();
            write_json(received.as_ref(), Precision::DEFAULT, &mut again).unwrap();
            assert_eq!(again, out);
        }
    }

    fn json(value: &Value) -> Result<String, ExportError> {
        let mut out = Vec::new();
        write_json(value.as_ref(), Precision::FULL, &mut out)?;
        Ok(String::from_utf8(out).expect("JSON is text"))
    }
}
