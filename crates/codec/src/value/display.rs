//! Values as text: q's short form, which `-3!` returns and `0N!` prints.
//!
//! `Display` of a [`Value`] is one line in q's syntax, as far as q's syntax goes:
//!
//! | value | text |
//! | --- | --- |
//! | long, int, short | `1`, `1 2i`, `1 2h`; `0N`, `0W`, `-0W`; of shorts only `0Nh` |
//! | float | `1.5`, `1 2f`, `1e+10`, `0n 0w -0w` |
//! | real | `1.5e`, `1 2.5e`; `0Ne`, `0we`, `-0we` |
//! | boolean, byte, guid | `101b`; `0x2a`, `0x0102`; `00010203-0405-0607-0809-0a0b0c0d0e0f` |
//! | chars | `"a"`, `"ab\n"` with `\"` `\\` `\n` `\r` `\t` and `\ooo` for all that is not ASCII |
//! | symbol | `` `a ``, `` `a`b ``; never quoted: `` `hello world `` |
//! | timestamp, date, month | `2000.01.01D00:00:00.000000000`, `2000.01.01`, `2000.01 2000.02m` |
//! | datetime | `2000.01.01T00:00:00.000`; `0Nz`, `0wz` |
//! | timespan | `0D00:00:00.000000000`, `-1D00:00:00.000000000` |
//! | minute, second, time | `00:00`, `-00:00:01`, `27:46:40.000` |
//! | null, infinity | `0Np`, `-0Wd`; in vectors `0N 2000.01.01`, `-0W 0N 0Wd` |
//! | one item, none | `,1` `` ,`a `` `,"a"` `,1 2`; `` `long$() `` `` `byte$() `` `""` `()` |
//! | list | `` (1;`a;"s") `` |
//! | dictionary | `` `a`b!1 2 ``, `` (,`a)!,1 ``, `` (`symbol$())!() `` |
//! | table, by reference | `` +`a`b!(1 2;3 4) ``, `` +(,`a)!,1 2 ``; `` +(,`a)!`:./t/ `` |
//! | keyed table | `` (+(,`k)!,1 2 3)!+(,`v)!,4 5 6 `` |
//! | attribute | `` `s#1 2 3 ``; a table shows its own, but not those of its columns |
//! | sorted dictionary | `` `s#`s#`a`b!1 2 ``; only its keys: `` `s#`a`b!1 2 `` |
//! | function | `{x+y}`, `{x+y}[1]`, `+[;1]`, `+/`, `~~:`, `::` |
//!
//! Floats show 7 digits, as q does by default; the formatter's precision is q's `\P`, 0 standing
//! for 17 digits there as here. Width and fill have no effect.
//!
//! ```
//! use hopen_codec::value::{Items, Value, Vector};
//!
//! let prices = Value::Vector(Vector::Float(Items::from(vec![100.0, 1.0 / 3.0])));
//! assert_eq!(prices.to_string(), "100 0.3333333");
//! assert_eq!(format!("{prices:.3}"), "100 0.333");
//! ```
//!
//! `{:#}` (and `{:#?}`) is the same but for the texts of lambdas, whose lines end where they do in
//! the source.
//!
//! In symbols, the texts of functions and errors q prints every byte as it is. Here control
//! characters, invisible ones, those that change the direction of writing, and bytes that are no
//! UTF-8 print as `\ooo`: no peer drives a terminal, and a value stays on its line. A backslash
//! that was in the text looks the same.
//!
//! Printing takes time in proportion to the value and no stack, whatever the nesting. A list,
//! dictionary, table or function with parts inside of 1,000 others prints as `..`.
//!
//! No licensed q was at hand, and KX does not write these rules down: they come from KX's pages,
//! from outputs of q that others published ([attributes of dictionaries], [compositions]), and
//! from the printers of other clients. Nulls within vectors of times, the empty byte vector, and
//! whatever q itself cannot make (a dictionary with a function for its keys) are our reading.
//!
//! [attributes of dictionaries]: https://forum.kx.com/t/15293
//! [compositions]: https://community.kx.com/t5/General/Underneath-q-is-k/td-p/12871

mod item;
mod number;
mod printer;
mod temporal;
mod text;

use core::fmt;

use super::{Atom, SymbolRef, Value, ValueRef};

pub(crate) use text::Escaped;

impl fmt::Display for Value {
    /// Writes q's short form, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printer::write_value(self.as_ref(), f)
    }
}

impl fmt::Display for ValueRef<'_> {
    /// Writes q's short form, on one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        printer::write_value(*self, f)
    }
}

impl fmt::Display for SymbolRef<'_> {
    /// Writes the name without a backtick. Control characters, invisible ones, those that change
    /// the direction of writing, and bytes that are not UTF-8 print as `\ooo`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Escaped(self.as_bytes()), f)
    }
}

impl<'a> Atom<SymbolRef<'a>> {
    /// Returns the atom as q's `string` has it, which is how tables show their items: without the
    /// type, quotes or a backtick, and blank where it is null.
    ///
    /// | type | text |
    /// | --- | --- |
    /// | boolean, byte, guid | `1`; `2a`; `00000000-0000-0000-0000-000000000000`, the null too |
    /// | short, int, long | `1`; blank; `0W`, `-0W`; of shorts no infinity |
    /// | real, float | `1.5`, `1e+10`; blank; `0w`, `-0w` |
    /// | char, symbol | as it is; what would drive a terminal, or is no text, in octal |
    /// | month, date | `2000.01`; `2000.01.01`; blank; `0W` |
    /// | other temporals | as in the short form; blank; `0W`, `-0W` |
    ///
    /// Precision is q's `\P`, as in the short form.
    ///
    /// ```
    /// use hopen_codec::value::{Atom, Date};
    ///
    /// assert_eq!(Atom::Float(5.0).as_ref().string().to_string(), "5");
    /// assert_eq!(format!("{:.3}", Atom::Float(1.0 / 3.0).as_ref().string()), "0.333");
    /// assert_eq!(Atom::Date(Date::NULL).as_ref().string().to_string(), "");
    /// ```
    pub fn string(self) -> AtomString<'a> {
        AtomString(self)
    }
}

/// An atom as q's `string` has it. Made by [`Atom::string`].
#[derive(Clone, Copy, Debug)]
pub struct AtomString<'a>(Atom<SymbolRef<'a>>);

impl fmt::Display for AtomString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        item::write_string(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::*;
    use crate::byte_order::ByteOrder;

    #[test]
    fn numbers_print_as_in_q() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let (nan32, inf32) = (f32::NAN, f32::INFINITY);
        check([
            (atom(true), "1b"),
            (vector(&[true, false, true]), "101b"),
            (atom(Byte(0x2a)), "0x2a"),
            (vector(&[Byte(1), Byte(0xff)]), "0x01ff"),
            (
                atom(Guid([0x1f; 16])),
                "1f1f1f1f-1f1f-1f1f-1f1f-1f1f1f1f1f1f",
            ),
            (
                vector(&[Guid::default(), Guid(core::array::from_fn(|n| n as u8))]),
                "00000000-0000-0000-0000-000000000000 00010203-0405-0607-0809-0a0b0c0d0e0f",
            ),
            (atom(-1_i64), "-1"),
            (atom(i64::MIN), "0N"),
            (atom(-i64::MAX), "-0W"),
            (vector(&[1, i64::MIN, i64::MAX]), "1 0N 0W"),
            (atom(1_i32), "1i"),
            (atom(i32::MIN), "0Ni"),
            (vector(&[1, i32::MIN, i32::MAX, -i32::MAX]), "1 0N 0W -0Wi"),
            (atom(i16::MIN), "0Nh"),
            (atom(i16::MAX), "32767h"),
            (vector(&[1, -i16::MAX, i16::MIN]), "1 -32767 0Nh"),
            (atom(5.0), "5f"),
            (atom(-0.0), "-0f"),
            (atom(nan), "0n"),
            (atom(-inf), "-0w"),
            (atom(123_456_789.0), "1.234568e+08"),
            (atom(1e-5), "1e-05"),
            (atom(1e10), "1e+10"),
            (vector(&[1.0, 2.0]), "1 2f"),
            (vector(&[1.0, 2.5]), "1 2.5"),
            (vector(&[nan, 0.0, 1.0]), "0n 0 1"),
            (vector(&[1.0, inf]), "1 0w"),
            (vector(&[1.0, 1e10]), "1 1e+10"),
            (atom(1.5_f32), "1.5e"),
            (atom(0.1_f32), "0.1e"),
            (atom(1e10_f32), "1e+10e"),
            (atom(nan32), "0Ne"),
            (atom(inf32), "0we"),
            (atom(-inf32), "-0we"),
            (vector(&[1.0_f32, 2.5]), "1 2.5e"),
            (vector(&[nan32, inf32, -inf32, 1.0]), "0N 0w -0w 1e"),
        ]);
    }

    #[test]
    fn the_precision_is_q_s_number_of_digits() {
        let thirds = vector(&[100.0, 1.0 / 3.0]);
        assert_eq!(format!("{thirds:.3}"), "100 0.333");
        assert_eq!(format!("{thirds:.1}"), "1e+02 0.3");
        assert_eq!(format!("{thirds:.0}"), "100 0.33333333333333331");
        assert_eq!(format!("{thirds:.99}"), "100 0.33333333333333331");
        assert_eq!(
            format!("{:.2}", list([thirds, atom(2.345_f32)])),
            "(1e+02 0.33;2.3e)"
        );
        assert_eq!(format!("{:.0}", atom(0.1_f32)), "0.10000000149011612e");
    }

    #[test]
    fn times_print_as_in_q() {
        check([
            (atom(Timestamp(0)), "2000.01.01D00:00:00.000000000"),
            (atom(Timestamp(-1)), "1999.12.31D23:59:59.999999999"),
            (
                atom(Timestamp(i64::MAX - 1)),
                "2292.04.10D23:47:16.854775806",
            ),
            (
                atom(Timestamp(-i64::MAX + 1)),
                "1707.09.22D00:12:43.145224194",
            ),
            (atom(Timestamp::NULL), "0Np"),
            (atom(Timestamp::NEG_INFINITY), "-0Wp"),
            (atom(Month(1)), "2000.02m"),
            (vector(&[Month(-1), Month::NULL]), "1999.12 0Nm"),
            (atom(Month::INFINITY), "0Wm"),
            (atom(Date(8766)), "2024.01.01"),
            (vector(&[Date::NULL, Date(0)]), "0N 2000.01.01"),
            (vector(&[Date::NULL, Date::NULL]), "0N 0Nd"),
            (
                vector(&[Date::NEG_INFINITY, Date::NULL, Date::INFINITY]),
                "-0W 0N 0Wd",
            ),
            (vector(&[Date::NULL]), ",0Nd"),
            (atom(Date(i32::MAX - 1)), "0000.00.00"),
            (atom(Datetime(3.234)), "2000.01.04T05:36:57.600"),
            (atom(Datetime(-0.5)), "1999.12.31T12:00:00.000"),
            (atom(Datetime(1e300)), "0000.00.00T00:00:00.000"),
            (atom(Datetime(f64::NAN)), "0Nz"),
            (atom(Datetime(-f64::INFINITY)), "-0wz"),
            (
                vector(&[Datetime(f64::NAN), Datetime(f64::INFINITY)]),
                "0N 0wz",
            ),
            (
                vector(&[Datetime(f64::NAN), Datetime(0.0)]),
                "0N 2000.01.01T00:00:00.000",
            ),
            (atom(Timespan(0)), "0D00:00:00.000000000"),
            (atom(Timespan(-1_000_000_000)), "-0D00:00:01.000000000"),
            (atom(Timespan(-i64::MAX + 1)), "-106751D23:47:16.854775806"),
            (vector(&[Timespan::NULL, Timespan::INFINITY]), "0N 0Wn"),
            (
                vector(&[Minute(721), Minute(-1), Minute(6_000)]),
                "12:01 -00:01 100:00",
            ),
            (atom(Minute::NULL), "0Nu"),
            (atom(Second(43_500)), "12:05:00"),
            (atom(Second(-1)), "-00:00:01"),
            (vector(&[Second::INFINITY]), ",0Wv"),
            (atom(Time(43_499_123)), "12:04:59.123"),
            (atom(Time(100_000_000)), "27:46:40.000"),
            (atom(Time(-i32::MAX + 1)), "-596:31:23.646"),
            (atom(Time::NEG_INFINITY), "-0Wt"),
        ]);
    }

    #[test]
    fn text_prints_as_in_q_but_drives_no_terminal() {
        check([
            (atom(Char(b'a')), r#""a""#),
            (atom(Char(b'"')), r#""\"""#),
            (text(r#"say "a\b""#), r#""say \"a\\b\"""#),
            (text("\n\r\t\x1b\x7f"), r#""\n\r\t\033\177""#),
            (text(b"caf\xc3\xa9"), r#""caf\303\251""#),
            (text("a"), r#","a""#),
            (text("\""), r#","\"""#),
            (text(""), r#""""#),
            (symbol("a"), "`a"),
            (symbol(""), "`"),
            (symbol("hello world"), "`hello world"),
            (symbol("価格"), "`価格"),
            (symbol(b"\xff\xfe"), r"`\377\376"),
            (symbol("a\nb\x1b[2J\u{202e}"), r"`a\012b\033[2J\342\200\256"),
            (symbols(&["a", "", "b"]), "`a``b"),
            (lambda("{x\n +y}"), r"{x\012 +y}"),
            (lambda(b"{\"\xe9\"}"), r#"{"\351"}"#),
        ]);
    }

    #[test]
    fn vectors_of_one_and_of_no_item_say_what_they_are() {
        check([
            (vector(&[1_i64]), ",1"),
            (vector(&[1_i32]), ",1i"),
            (vector(&[1.0]), ",1f"),
            (vector(&[true]), ",1b"),
            (vector(&[Byte(1)]), ",0x01"),
            (symbols(&["a"]), ",`a"),
            (vector::<bool>(&[]), "`boolean$()"),
            (vector::<Guid>(&[]), "`guid$()"),
            (vector::<Byte>(&[]), "`byte$()"),
            (vector::<i64>(&[]), "`long$()"),
            (vector::<Timespan>(&[]), "`timespan$()"),
            (symbols(&[]), "`symbol$()"),
            (list([]), "()"),
            (list([vector(&[1_i64, 2])]), ",1 2"),
            (list([list([list([])])]), ",,()"),
        ]);
    }

    #[test]
    fn attributes_stand_in_front() {
        let sorted = |items: &[i64]| with_attribute(vector(items), Attribute::Sorted);
        let table = table(
            ["a", "b"],
            [sorted(&[1, 2]), list([sorted(&[1, 2]), list([])])],
        );
        check([
            (sorted(&[0, 1, 2]), "`s#0 1 2"),
            (sorted(&[1]), "`s#,1"),
            (sorted(&[]), "`s#`long$()"),
            (
                with_attribute(symbols(&["a", "b"]), Attribute::Unique),
                "`u#`a`b",
            ),
            (
                with_attribute(vector(&[1_i32, 1]), Attribute::Parted),
                "`p#1 1i",
            ),
            (with_attribute(text("ab"), Attribute::Grouped), "`g#\"ab\""),
            (
                with_attribute(list([atom(1_i64), symbol("a")]), Attribute::Sorted),
                "`s#(1;`a)",
            ),
            (table.clone(), "+`a`b!(1 2;(`s#1 2;()))"),
            (
                with_attribute(table, Attribute::Sorted),
                "`s#+`a`b!(1 2;(`s#1 2;()))",
            ),
        ]);
    }

    #[test]
    fn the_string_of_an_atom_says_no_type_and_is_blank_for_a_null() {
        for (atom, text) in [
            (Atom::Boolean(true), "1"),
            (Atom::Boolean(false), "0"),
            (Atom::Byte(Byte(0x2a)), "2a"),
            (
                Atom::Guid(Guid::default()),
                "00000000-0000-0000-0000-000000000000",
            ),
            (Atom::Short(7), "7"),
            (Atom::Short(i16::MIN), ""),
            (Atom::Short(i16::MAX), "32767"),
            (Atom::Int(-1), "-1"),
            (Atom::Int(i32::MIN), ""),
            (Atom::Long(i64::MAX), "0W"),
            (Atom::Long(-i64::MAX), "-0W"),
            (Atom::Long(i64::MIN), ""),
            (Atom::Real(1.5), "1.5"),
            (Atom::Real(f32::NAN), ""),
            (Atom::Real(f32::INFINITY), "0w"),
            (Atom::Float(5.0), "5"),
            (Atom::Float(123_456_789.0), "1.234568e+08"),
            (Atom::Float(-f64::NAN), ""),
            (Atom::Float(-f64::INFINITY), "-0w"),
            (Atom::Char(Char(b'"')), "\""),
            (Atom::Char(Char(b' ')), " "),
            (Atom::Char(Char(0x1b)), r"\033"),
            (Atom::Char(Char(0xe9)), r"\351"),
            (Atom::Symbol(Symbol::new("a b").unwrap()), "a b"),
            (Atom::Symbol(Symbol::new("a\nb").unwrap()), r"a\012b"),
            (Atom::Symbol(Symbol::NULL), ""),
            (
                Atom::Timestamp(Timestamp(0)),
                "2000.01.01D00:00:00.000000000",
            ),
            (Atom::Timestamp(Timestamp::NULL), ""),
            (Atom::Month(Month(1)), "2000.02"),
            (Atom::Month(Month::NULL), ""),
            (Atom::Date(Date(0)), "2000.01.01"),
            (Atom::Date(Date::INFINITY), "0W"),
            (Atom::Datetime(Datetime(0.0)), "2000.01.01T00:00:00.000"),
            (Atom::Datetime(Datetime(f64::NAN)), ""),
            (Atom::Timespan(Timespan(-1)), "-0D00:00:00.000000001"),
            (Atom::Timespan(Timespan::NULL), ""),
            (Atom::Minute(Minute(61)), "01:01"),
            (Atom::Second(Second::NULL), ""),
            (Atom::Time(Time(1)), "00:00:00.001"),
        ] {
            assert_eq!(atom.as_ref().string().to_string(), text, "{atom:?}");
        }
        let third = Atom::Float(1.0 / 3.0);
        assert_eq!(format!("{:.3}", third.as_ref().string()), "0.333");
    }

    #[test]
    fn the_alternate_form_keeps_the_lines_of_lambdas_and_of_nothing_else() {
        let source = "{x\n\u{1b}+y}\n";
        for (value, expected) in [
            (lambda(source), "{x\n\\033+y}\n"),
            (
                projection(lambda(source), [atom(1_i64)]),
                "{x\n\\033+y}\n[1]",
            ),
            (symbol("a\nb"), r"`a\012b"),
            (text("a\nb"), r#""a\nb""#),
        ] {
            assert_eq!(format!("{value:#}"), expected);
        }
    }

    #[test]
    fn dictionaries_and_tables_print_as_in_q() {
        let keys = || table(["k"], [vector(&[1_i64, 2, 3])]);
        let values = || table(["v"], [vector(&[4_i64, 5, 6])]);
        let ab = || symbols(&["a", "b"]);
        let one_two = || vector(&[1_i64, 2]);
        let sorted_ab = || with_attribute(ab(), Attribute::Sorted);
        check([
            (dict(ab(), one_two()), "`a`b!1 2"),
            (dict(symbols(&["a"]), vector(&[1_i64])), "(,`a)!,1"),
            (dict(symbols(&[]), list([])), "(`symbol$())!()"),
            (dict(list([]), list([])), "()!()"),
            (dict(text(""), text("ab")), "\"\"!\"ab\""),
            (dict(text("a"), text("b")), "(,\"a\")!,\"b\""),
            (dict(list([one_two()]), vector(&[1_i64])), "(,1 2)!,1"),
            (dict(symbol("a"), dict(symbol("b"), atom(1_i64))), "`a!`b!1"),
            (dict(dict(ab(), ab()), one_two()), "(`a`b!`a`b)!1 2"),
            // These two as q printed them: https://forum.kx.com/t/15293
            (dict(sorted_ab(), one_two()), "`s#`a`b!1 2"),
            (sorted(sorted_ab(), one_two()), "`s#`s#`a`b!1 2"),
            (sorted(symbols(&["a"]), sorted_ab()), "`s#(,`a)!`s#`a`b"),
            (dict(keys(), values()), "(+(,`k)!,1 2 3)!+(,`v)!,4 5 6"),
            (
                sorted(with_attribute(keys(), Attribute::Sorted), values()),
                "`s#(`s#+(,`k)!,1 2 3)!+(,`v)!,4 5 6",
            ),
            (
                dict(dict(keys(), values()), atom(1_i64)),
                "((+(,`k)!,1 2 3)!+(,`v)!,4 5 6)!1",
            ),
            (
                table(["a", "b"], [one_two(), vector(&[3_i64, 4])]),
                "+`a`b!(1 2;3 4)",
            ),
            (table(["a"], [one_two()]), "+(,`a)!,1 2"),
            // No program can make this one.
            (
                received(b"\x62\0\x63\x0b\0\0\0\0\0\0\0\0\0\0\0"),
                "+(`symbol$())!()",
            ),
            (list([keys(), atom(1_i64)]), "(+(,`k)!,1 2 3;1)"),
            (dict(lambda("{x}"), atom(1_i64)), "{x}!1"),
            (dict(binary(1), atom(1_i64)), "(+)!1"),
        ]);
        let by_reference = b"\x62\0\x63\x0b\0\x01\0\0\0a\0\xf5:./t/\0";
        assert_eq!(received(by_reference).to_string(), "+(,`a)!`:./t/");
    }

    #[test]
    fn functions_print_as_in_q() {
        let plus = || binary(1);
        let elided = || Value::Function(UnaryPrimitive::ELIDED.into());
        let one = || atom(1_i64);
        check([
            (Value::IDENTITY, "::"),
            (
                list([atom(42_i64), Value::IDENTITY, symbol("foo")]),
                "(42;::;`foo)",
            ),
            (plus(), "+"),
            (lambda("{x+y}"), "{x+y}"),
            (lambda("k){x}"), "k){x}"),
            (projection(lambda("{x+y}"), [one()]), "{x+y}[1]"),
            (projection(plus(), [elided(), one()]), "+[;1]"),
            (
                projection(unary(41), [elided(), one(), elided()]),
                "enlist[;1;]",
            ),
            (projection(plus(), []), "+[]"),
            (projection(projection(plus(), [one()]), [one()]), "+[1][1]"),
            (composition([unary(15), unary(15)]), "~~:"),
            (composition([]), ""),
            (derived(1, plus()), "+/"),
            (derived(0, derived(1, plus())), "+/'"),
            (derived(1, dict(symbol("a"), one())), "(`a!1)/"),
        ]);
        let captured = b"\x69\x02\0\0\0\x68\x02\0\0\0\x66\x12\x0a\0\x02\0\0\0ab\x6f\xfc\x40";
        assert_eq!(received(captured).to_string(), r#"@["ab"]0x40\:"#);
    }

    /// Out of what q printed of its own library:
    /// <https://community.kx.com/t5/General/Underneath-q-is-k/td-p/12871>
    #[test]
    fn the_functions_of_q_s_library_print_as_q_printed_them() {
        let char = |char| atom(Char(char));
        let elided = || Value::Function(UnaryPrimitive::ELIDED.into());
        let cast = |to| projection(binary(11), [char(to)]);
        check([
            (unary(2), "-:"),                                       // neg
            (unary(20), "0::"),                                     // read0
            (derived(2, binary(1)), "+\\"),                         // sums
            (derived(3, binary(0)), ":':"),                         // prev
            (composition([unary(2), unary(14), unary(2)]), "-_-:"), // ceiling
            (composition([unary(17), binary(12)]), "?,"),           // union
            (composition([unary(28), cast(b'b')]), "max$[\"b\"]"),  // any
            (
                composition([cast(b'b'), unary(15), derived(3, binary(15))]), // differ
                "$[\"b\"]~~':",
            ),
            (
                composition([
                    cast(b's'),
                    projection(derived(0, binary(16)), [atom(-1_i64)]),
                ]),
                "$[\"s\"]!'[-1]", // hsym
            ),
            (
                composition([unary(19), projection(binary(12), [char(b'\\')])]),
                r#".,["\\"]"#, // system
            ),
            (
                projection(binary(19), [elided(), list([]), binary(12), elided()]),
                ".[;();,;]", // upsert
            ),
            (projection(binary(16), [atom(-15_i64)]), "![-15]"), // md5
        ]);
    }

    #[test]
    fn what_is_too_deep_prints_as_two_dots() {
        let nested = |wire: &[u8], depth: usize, core: &[u8]| [&wire.repeat(depth), core].concat();
        let one = b"\xf9\x01\0\0\0\0\0\0\0";
        let enlisted = b"\0\0\x01\0\0\0";
        let deepest = nested(enlisted, 1_000, one);
        assert_eq!(received(&deepest).to_string(), ",".repeat(1_000) + "1");
        let deeper = nested(enlisted, 300_000, one);
        assert_eq!(received(&deeper).to_string(), ",".repeat(1_000) + "..");

        let pairs = nested(b"\0\0\x02\0\0\0\x65\0", 1_001, b"\0\0\0\0\0\0");
        let expected = "(::;".repeat(1_000) + ".." + &")".repeat(1_000);
        assert_eq!(received(&pairs).to_string(), expected);

        // Keys of keys, and behind what was left out everything goes on.
        let keys = [nested(b"\x63", 2_000, one), one.repeat(2_000)].concat();
        let expected = "(".repeat(999) + ".." + &"!1)".repeat(999) + "!1";
        assert_eq!(received(&keys).to_string(), expected);

        let derived = nested(b"\x6b", 5_000, b"\x66\x01");
        assert_eq!(
            received(&derived).to_string(),
            "..".to_owned() + &"/".repeat(1_000)
        );
    }

    #[test]
    fn bytes_that_are_no_value_after_all_end_the_text() {
        let body =
            b"\0\0\x03\0\0\0\x63\x0b\0\x01\0\0\0a\0\x68\x02\0\0\0\x64\0\x0a\0\x01\0\0\0x\x6b";
        for end in 0..body.len() {
            let unchecked = List::of_view(SharedView {
                object: Bytes::from_static(&body[..end]),
                order: ByteOrder::Little,
                needs: None,
            });
            let _ = Value::List(unchecked).to_string();
        }
    }

    proptest! {
        #[test]
        fn any_value_prints_on_one_line_without_control_characters(value in any_value()) {
            let text = value.to_string();
            prop_assert!(!text.contains(char::is_control), "{:?}", text);
        }
    }

    fn any_value() -> impl Strategy<Value = Value> {
        let bytes = prop::collection::vec(
            prop_oneof![
                any::<u8>(),
                prop::sample::select(b"\n\x1b\xc2\x85a\"".to_vec())
            ],
            0..12,
        );
        let name = bytes.clone().prop_map(|mut bytes| {
            bytes.retain(|byte| *byte != 0);
            Symbol::new(bytes).unwrap()
        });
        let leaf = prop_oneof![
            name.clone()
                .prop_map(|name| Value::Atom(Atom::Symbol(name))),
            prop::collection::vec(name.clone(), 0..3)
                .prop_map(|names| Value::Vector(Vector::Symbol(names.into_iter().collect()))),
            bytes.clone().prop_map(text),
            (name, bytes.clone())
                .prop_map(|(name, text)| Value::Function(Function::lambda_in(name, text))),
            (1_u8..20, 0_usize..4, prop::collection::vec(any::<u8>(), 64))
                .prop_map(|(number, count, bytes)| vector_of(number, count, &bytes)),
            (0_u8..=255).prop_map(|code| {
                let function = UnaryPrimitive::new(code).map(Function::from);
                function.map_or(Value::IDENTITY, Value::Function)
            }),
        ];
        leaf.prop_recursive(5, 40, 4, |inner| {
            let parts = prop::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                parts.clone().prop_map(list),
                (inner.clone(), inner.clone()).prop_map(|(keys, values)| dict(keys, values)),
                (inner.clone(), inner.clone()).prop_map(|(keys, values)| sorted(keys, values)),
                (inner.clone(), parts.clone()).prop_map(|(of, parts)| projection(of, parts)),
                parts.prop_map(composition),
                (0_u8..6, inner).prop_map(|(iterator, of)| derived(iterator, of)),
            ]
        })
    }

    /// A vector of a basic type, read out of any bytes.
    fn vector_of(number: u8, count: usize, items: &[u8]) -> Value {
        let width = BasicType::from_number(number).and_then(BasicType::width);
        let Some(width) = width else {
            return Value::IDENTITY;
        };
        let header = [number, 0, count as u8, 0, 0, 0];
        let bits = if number == 1 { 1 } else { u8::MAX };
        let items = items[..width * count].iter().map(|byte| byte & bits);
        received(&header.into_iter().chain(items).collect::<Vec<u8>>())
    }

    #[track_caller]
    fn check<const N: usize>(table: [(Value, &str); N]) {
        for (value, text) in table {
            assert_eq!(value.to_string(), text);
        }
    }

    fn received(body: &[u8]) -> Value {
        let body = Bytes::copy_from_slice(body);
        crate::decode::decode(body, ByteOrder::Little)
            .unwrap()
            .unwrap()
    }

    fn atom<T: Item>(item: T) -> Value {
        Value::Atom(item.into_atom())
    }

    fn vector<T: Item>(items: &[T]) -> Value {
        Value::Vector(T::into_vector(Items::from(items)))
    }

    fn text(text: impl AsRef<[u8]>) -> Value {
        let chars = text.as_ref().iter().map(|byte| Char(*byte));
        Value::Vector(Vector::Char(chars.collect()))
    }

    fn symbol(name: impl AsRef<[u8]>) -> Value {
        Value::Atom(Atom::Symbol(Symbol::new(name).unwrap()))
    }

    fn symbols(names: &[&str]) -> Value {
        let names = names.iter().map(|name| Symbol::new(name).unwrap());
        Value::Vector(Vector::Symbol(names.collect()))
    }

    fn list(items: impl IntoIterator<Item = Value>) -> Value {
        Value::List(items.into_iter().collect())
    }

    fn dict(keys: Value, values: Value) -> Value {
        Value::Dict(Dict::new(keys, values))
    }

    fn sorted(keys: Value, values: Value) -> Value {
        Value::Dict(Dict::sorted(keys, values))
    }

    fn table<const N: usize>(names: [&str; N], columns: [Value; N]) -> Value {
        let names = names.map(|name| Symbol::new(name).unwrap());
        Value::Table(Table::new(names.into_iter().zip(columns)).unwrap())
    }

    fn lambda(text: impl AsRef<[u8]>) -> Value {
        Value::Function(Function::lambda(text))
    }

    fn unary(code: u8) -> Value {
        Value::Function(UnaryPrimitive::new(code).unwrap().into())
    }

    fn binary(code: u8) -> Value {
        Value::Function(BinaryPrimitive::new(code).unwrap().into())
    }

    fn projection(function: Value, arguments: impl IntoIterator<Item = Value>) -> Value {
        Value::Function(Function::projection(function, arguments))
    }

    fn composition(functions: impl IntoIterator<Item = Value>) -> Value {
        Value::Function(Function::composition(functions))
    }

    fn derived(iterator: u8, function: Value) -> Value {
        let iterator = IteratorPrimitive::new(iterator).unwrap();
        Value::Function(Function::derived(iterator, function))
    }

    fn with_attribute(value: Value, attribute: Attribute) -> Value {
        match value {
            Value::Vector(vector) => Value::Vector(vector.with_attribute(attribute)),
            Value::List(list) => Value::List(list.with_attribute(attribute)),
            Value::Table(table) => Value::Table(table.with_attribute(attribute)),
            Value::Atom(_) | Value::Dict(_) | Value::Function(_) => value,
        }
    }
}
