//! What the console shows, to the byte.
//!
//! The known answers are those of KX's pages and of captured outputs of q, and what follows from
//! q's own definition of its console; no licensed q was at hand to run them.

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::message::Body;
use hopen_codec::sym;
use hopen_codec::value::{
    Attribute, BinaryPrimitive, Byte, Char, Date, Dict, Function, Guid, IteratorPrimitive, List,
    Minute, Month, Symbol, Table, Time, Timespan, Timestamp, UnaryPrimitive, Value,
};
use hopen_console::{Console, Precision};

#[test]
fn tables_show_names_a_rule_and_rows_whose_columns_are_padded() {
    let (null, nan) = (i64::MIN, f64::NAN);
    check([
        (
            table([
                ("a", longs(&[1, 2, 5, null, null])),
                ("b", longs(&[3, 4, null, 6, 7])),
            ]),
            "a b\n---\n1 3\n2 4\n5  \n  6\n  7\n",
        ),
        (
            table([("s", ("ab", "c").into())]),
            "s   \n----\n\"ab\"\n,\"c\"\n",
        ),
        (
            table([("s", ("ab", "cd").into())]),
            "s   \n----\n\"ab\"\n\"cd\"\n",
        ),
        // Captured from q by PyKX: a trailing blank behind the shorter rows.
        (
            table([
                ("x", vec![1_i64, 2].into()),
                ("y", vec![9.49975, 2.439531].into()),
            ]),
            "x y       \n----------\n1 9.49975 \n2 2.439531\n",
        ),
        (table([("a", list([]))]), "a\n-\n"),
        (table([("a", longs(&[]))]), "a\n-\n"),
        (
            table([("long name", longs(&[1]))]),
            "long name\n---------\n1        \n",
        ),
        (
            table([
                ("b", vec![true, false].into()),
                ("x", vec![Byte(0x2a), Byte(0)].into()),
                ("h", vec![7_i16, i16::MIN].into()),
                ("i", vec![i32::MAX, i32::MIN].into()),
                ("e", vec![1.5_f32, f32::NAN].into()),
                ("f", vec![5.0, nan].into()),
                ("c", vec![Char(b'"'), Char(b' ')].into()),
                ("s", [sym!("a b"), sym!("")].into()),
            ]),
            "b x  h i  e   f c s  \n\
             ---------------------\n\
             1 2a 7 0W 1.5 5 \" a b\n\
             0 00                 \n",
        ),
        (
            table([
                ("d", vec![Date(0), Date::NULL].into()),
                ("m", vec![Month(0), Month::INFINITY].into()),
                ("u", vec![Minute(61), Minute::NULL].into()),
                ("t", vec![Time(1), Time::NULL].into()),
                ("n", vec![Timespan(1), Timespan::NULL].into()),
            ]),
            "d          m       u     t            n                   \n\
             ----------------------------------------------------------\n\
             2000.01.01 2000.01 01:01 00:00:00.001 0D00:00:00.000000001\n\
             \u{20}          0W                                             \n",
        ),
        (
            table([
                ("p", vec![Timestamp(0)].into()),
                ("g", vec![Guid::default()].into()),
            ]),
            "p                             g                                   \n\
             ------------------------------------------------------------------\n\
             2000.01.01D00:00:00.000000000 00000000-0000-0000-0000-000000000000\n",
        ),
    ]);
}

#[test]
fn columns_of_lists_show_as_matrices_where_their_items_are_of_one_count() {
    let equal = (vec![1_i64, 2], vec![30_i64, 4]);
    let unequal = (vec![1_i64, 2], vec![30_i64]);
    check([
        (
            table([("v", equal.into()), ("w", longs(&[5, 6]))]),
            "v    w\n------\n1  2 5\n30 4 6\n",
        ),
        (table([("v", unequal.into())]), "v  \n---\n1 2\n,30\n"),
        (
            table([("s", (symbols(["a", "b"]), symbols(["c", "d"])).into())]),
            "s  \n---\na b\nc d\n",
        ),
        (
            table([("s", (symbols(["a", "b"]), symbols(["c"])).into())]),
            "s   \n----\n`a`b\n,`c \n",
        ),
        (
            table([("l", (1_i64, sym!("a"), "text").into())]),
            "l     \n------\n1     \n`a    \n\"text\"\n",
        ),
    ]);
}

#[test]
fn keyed_tables_show_a_bar_behind_the_keys() {
    let keys = table([("k", symbols(["a", "b"]))]);
    let values = table([("a", longs(&[1, 2])), ("b", longs(&[3, 4]))]);
    check([
        (
            Dict::new(keys.clone(), values.clone()).into(),
            "k| a b\n-| ---\na| 1 3\nb| 2 4\n",
        ),
        (
            Dict::sorted(keys.clone(), values.clone()).into(),
            "k| a b\n-| ---\na| 1 3\nb| 2 4\n",
        ),
        (
            Dict::new(table([("k", longs(&[]))]), table([("v", longs(&[]))])).into(),
            "k| v\n-| -\n",
        ),
        // A table on one side only: the other gets a rule of its own.
        (
            Dict::new(symbols(["abc", "b"]), values).into(),
            "   | a b\n---| ---\nabc| 1 3\nb  | 2 4\n",
        ),
        (
            Dict::new(keys, longs(&[10, 2])).into(),
            "k| \n-| --\na| 10\nb| 2\n",
        ),
        (
            Dict::new(symbols([]), table([("v", longs(&[]))])).into(),
            "| v\n| -\n",
        ),
    ]);
}

#[test]
fn dictionaries_show_a_line_for_each_pair() {
    check([
        (
            Dict::new(symbols(["a", "b"]), longs(&[1, 2])).into(),
            "a| 1\nb| 2\n",
        ),
        (
            Dict::new(symbols(["a", "b"]), (longs(&[1, 2]), longs(&[3, 4]))).into(),
            "a| 1 2\nb| 3 4\n",
        ),
        (
            Dict::new(symbols(["a", "bcd"]), (1_i64, "text")).into(),
            "a  | 1\nbcd| \"text\"\n",
        ),
        (
            Dict::new(longs(&[10, 2]), vec![1.5, f64::NAN]).into(),
            "10| 1.5\n2 | \n",
        ),
        (Dict::new(symbols([]), list([])).into(), ""),
        (Dict::new(list([]), list([])).into(), ""),
        (
            Dict::new(Dict::new("ab", longs(&[1, 2])), longs(&[3, 4])).into(),
            "a| 1| 3\nb| 2| 4\n",
        ),
    ]);
}

#[test]
fn lists_show_a_line_for_each_item() {
    let nested = (
        (longs(&[1, 2]), longs(&[3, 40])),
        (longs(&[5, 6]), longs(&[7, 8])),
    );
    check([
        (("abc", "de").into(), "\"abc\"\n\"de\"\n"),
        (("abc", "def").into(), "\"abc\"\n\"def\"\n"),
        ((vec![true, false], vec![true, true]).into(), "10b\n11b\n"),
        ((longs(&[1, 2]), longs(&[3, 40])).into(), "1 2 \n3 40\n"),
        ((longs(&[1, 2]), longs(&[3])).into(), "1 2\n,3\n"),
        ((1_i64, sym!("a"), Char(b's')).into(), "1\n`a\n\"s\"\n"),
        ((1_i64, Value::IDENTITY).into(), "1\n::\n"),
        (list([longs(&[1, 2])]), "1 2\n"),
        (list([list([longs(&[7])])]), "7\n"),
        (("ab", longs(&[1, 2])).into(), "a b\n1 2\n"),
        (
            ((1_i64, sym!("a")), (20_i64, sym!("b"))).into(),
            "1  `a\n20 `b\n",
        ),
        (nested.into(), "1 2  3 40\n5 6  7 8 \n"),
        (list([list([]), list([])]), "\n\n"),
        (list([]), ""),
        (
            (Dict::new(symbols(["a"]), longs(&[1])), longs(&[1])).into(),
            "(,`a)!,1\n,1\n",
        ),
        ((Function::lambda("{x\n}"), 1_i64).into(), "{x\\012}\n1\n"),
    ]);
}

#[test]
fn atoms_and_vectors_show_in_short_form() {
    check([
        (5.0.into(), "5f\n"),
        (i16::MIN.into(), "0Nh\n"),
        (
            Guid::default().into(),
            "00000000-0000-0000-0000-000000000000\n",
        ),
        (sym!("a").into(), "`a\n"),
        ("a\"b\n".into(), "\"a\\\"b\\n\"\n"),
        ("".into(), "\"\"\n"),
        (longs(&[]), "`long$()\n"),
        (symbols([]), "`symbol$()\n"),
        (longs(&[1]), ",1\n"),
        (vec![1.0, 2.0].into(), "1 2f\n"),
        (vec![Date::NULL, Date(0)].into(), "0N 2000.01.01\n"),
    ]);
}

#[test]
fn functions_show_as_they_are_written_and_the_identity_not_at_all() {
    let lambda = || Function::lambda("{[a;b]\n  a+b\n }");
    let plus = BinaryPrimitive::new(1).unwrap();
    check([
        (Value::IDENTITY, ""),
        (Value::Function(lambda()), "{[a;b]\n  a+b\n }\n"),
        (
            Function::projection(lambda(), [1_i64.into()]).into(),
            "{[a;b]\n  a+b\n }[1]\n",
        ),
        (
            Function::derived(IteratorPrimitive::new(1).unwrap(), plus).into(),
            "+/\n",
        ),
        (UnaryPrimitive::new(41).unwrap().into(), "enlist\n"),
        (
            Function::lambda("{\x1b[2J\r\n}").into(),
            "{\\033[2J\\015\n}\n",
        ),
    ]);
}

#[test]
fn long_lists_and_tables_end_with_two_dots() {
    let numbers = |count: i64| (0..count).collect::<Vec<i64>>();
    let line = |n: i64| format!("{n}\n");
    let lines = |count: i64| (0..count).map(line).collect::<String>();
    let padded = |count: i64| (0..count).map(|n| format!("{n:<2}\n")).collect::<String>();
    let list = |count: i64| list((0..count).map(Value::from));
    let rows = |count| table([("x", numbers(count).into())]);
    let pairs = |count: i64| Value::from(Dict::new(vec![Byte(0); count as usize], numbers(count)));
    for (value, text) in [
        (list(23), lines(23)),
        (list(24), lines(22) + "..\n"),
        (rows(21), "x \n--\n".to_owned() + &padded(21)),
        (rows(22), "x \n--\n".to_owned() + &padded(20) + "..\n"),
        (
            pairs(23),
            lines(23)
                .replace('\n', "\n00| ")
                .replacen("0\n", "00| 0\n", 1),
        ),
    ] {
        let text = text.strip_suffix("00| ").unwrap_or(&text);
        assert_eq!(show(&value), text);
    }
    let keyed = |count| Dict::new(rows(count), rows(count)).into();
    assert_eq!(show(&keyed(21)).lines().count(), 23);
    let cut = show(&keyed(22));
    assert_eq!((cut.lines().count(), cut.lines().last()), (23, Some("..")));
    // The second table is what a dictionary is not shortened for.
    let beside = Value::from(Dict::new(numbers(30), rows(30)));
    assert_eq!(show(&beside).lines().count(), 25);
}

#[test]
fn long_lines_end_with_two_dots() {
    let text = |length: usize| Value::from("x".repeat(length).as_str());
    assert_eq!(show(&text(77)), format!("\"{}\"\n", "x".repeat(77)));
    assert_eq!(show(&text(78)), format!("\"{}..\n", "x".repeat(76)));
    let source = format!("{{{}}}\n{{}}", "x".repeat(100));
    let lambda = Function::lambda(&source).into();
    assert_eq!(show(&lambda), format!("{{{}..\n{{}}\n", "x".repeat(76)));
    // The `f` of a vector of floats stands where it ends, which does not show.
    let floats = Value::from(vec![1.0; 40]);
    assert_eq!(show(&floats), format!("{}..\n", "1 ".repeat(39).trim_end()));
    assert_eq!(
        show(&Value::from(vec![1.0; 39])),
        format!("{}1f\n", "1 ".repeat(38))
    );
    let wide: Vec<(Symbol, Value)> = (10..90)
        .map(|n| (Symbol::new(format!("c{n}")).unwrap(), longs(&[n])))
        .collect();
    let shown = show(&Table::new(wide).unwrap().into());
    let names = (10..30).map(|n| format!("c{n} ")).collect::<String>();
    let expected = format!(
        "{}..\n{}..\n{}..\n",
        &names[..77],
        "-".repeat(77),
        &names.replace('c', "").replace(' ', "  ")[..77]
    );
    assert_eq!(shown, expected);
}

#[test]
fn a_matrix_of_lists_shows_as_much_as_one_of_vectors() {
    let row = |count| list((0..count).map(|_| Value::from(1_i64)));
    let shown = |count| show(&list([row(count), row(count)]));
    let widest = "1 ".repeat(39) + "1\n";
    assert_eq!(shown(40), widest.repeat(2));
    assert_eq!(shown(41), format!("{}..\n", &widest[..77]).repeat(2));
}

#[test]
fn size_and_precision_are_those_of_q_s_system_commands() {
    let value = list((0..3_000).map(|n| Value::from(vec![f64::from(n) / 3.0; 3_000])));
    let size = |lines, columns| {
        let text = Console::new()
            .with_size(lines, columns)
            .show(value.as_ref())
            .to_string();
        (
            text.lines().count(),
            text.lines().map(str::len).max().unwrap(),
        )
    };
    assert_eq!(size(25, 80), (23, 79));
    assert_eq!(size(0, 0), (8, 9));
    assert_eq!(size(10, 10), (8, 9));
    assert_eq!(size(usize::MAX, usize::MAX), (1_998, 1_999));
    assert_eq!(Console::default(), Console::new().with_size(25, 80));
    let third = table([("x", vec![1.0 / 3.0].into())]);
    let precise = Console::new().with_precision(Precision::new(3));
    assert_eq!(
        precise.show(third.as_ref()).to_string(),
        "x    \n-----\n0.333\n"
    );
}

#[test]
fn no_more_than_1000_columns_are_looked_at() {
    let row = Value::from(vec![sym!(""); 1_500]);
    let wide = Console::new().with_size(25, 2_000);
    let shown = wide.show(list([row]).as_ref()).to_string();
    assert_eq!(shown, format!("{:999}\n", ""));
    let columns = (0..1_500).map(|_| (sym!(""), symbols([""])));
    let shown = wide
        .show(Value::from(Table::new(columns).unwrap()).as_ref())
        .to_string();
    assert_eq!(shown, format!("{0:999}\n{0:-<999}\n{0:999}\n", ""));
}

#[test]
fn columns_are_those_of_a_terminal() {
    let table = table([("価格", symbols(["日", "a"])), ("b", longs(&[1, 2]))]);
    assert_eq!(show(&table), "価格 b\n------\n日   1\na    2\n");
}

#[test]
fn what_does_not_fit_together_shows_in_short_form() {
    let by_reference = Table::by_reference([sym!("a")], sym!(":./t/")).unwrap();
    let ragged = received(
        b"\x62\0\x63\x0b\0\x02\0\0\0a\0b\0\0\0\x02\0\0\0\x06\0\x01\0\0\0\x07\0\0\0\x06\0\0\0\0\0",
    );
    let atoms = received(b"\x62\0\x63\x0b\0\x01\0\0\0a\0\0\0\x01\0\0\0\xfa\x07\0\0\0");
    let nameless = received(b"\x62\0\x63\x0b\0\0\0\0\0\0\0\0\0\0\0");
    check([
        (by_reference.clone().into(), "+(,`a)!`:./t/\n"),
        (ragged.clone(), "+`a`b!(,7i;`int$())\n"),
        (atoms, "+(,`a)!,7i\n"),
        (nameless, "+(`symbol$())!()\n"),
        (
            Dict::new(symbols(["a"]), longs(&[1, 2])).into(),
            "(,`a)!1 2\n",
        ),
        (Dict::new(sym!("a"), 1_i64).into(), "`a!1\n"),
        (
            Dict::new(longs(&[1]), ragged).into(),
            "(,1)!+`a`b!(,7i;`int$())\n",
        ),
        (
            Dict::new(by_reference, longs(&[1])).into(),
            "(+(,`a)!`:./t/)!,1\n",
        ),
        (
            Dict::new(table([("a", longs(&[1, 2]))]), table([("b", longs(&[1]))])).into(),
            "(+(,`a)!,1 2)!+(,`b)!,,1\n",
        ),
    ]);
}

#[test]
fn attributes_of_lists_do_not_show_in_their_items() {
    let sorted = List::from(vec![longs(&[1]), longs(&[2])]).with_attribute(Attribute::Sorted);
    check([(sorted.into(), "1\n2\n")]);
}

#[test]
fn what_is_nested_any_deeper_shows_in_short_form() {
    let one = b"\xfc\x01";
    for (start, end, most) in [
        (&b"\0\0\x01\0\0\0"[..], &b""[..], 2_000_000),
        (b"\0\0\x02\0\0\0\xfc\x01", b"", 1_000_000),
        (b"\0\0\x02\0\0\0", b"\xfc\x01", 1_000_000),
        (b"\x63", b"\xfc\x01", 1_000_000),
        (b"\x63\x04\0\x01\0\0\0a", b"", 1_000_000),
        (
            b"\x62\0\x63\x0b\0\x01\0\0\0a\0\0\0\x01\0\0\0\0\0\x01\0\0\0",
            b"",
            200_000,
        ),
        (b"\x6b", b"", 1_000_000),
    ] {
        let body = [&start.repeat(most)[..], one, &end.repeat(most)].concat();
        let shown = show(&received(&body));
        assert!(shown.lines().count() <= 3 && shown.len() <= 240, "{shown}");
    }
    // Sixteen lists inside each other are laid out.
    let nested = |levels: usize| {
        received(&[&b"\0\0\x01\0\0\0".repeat(levels)[..], b"\x04\0\x01\0\0\0a"].concat())
    };
    assert_eq!(show(&nested(16)), ",0x61\n");
    assert_eq!(show(&nested(17)), format!("{}0x61\n", ",".repeat(18)));
}

#[test]
fn a_function_of_any_length_ends() {
    let lines = |count: usize| Value::from(Function::lambda("x\n".repeat(count - 1) + "x"));
    assert_eq!(show(&lines(2_000)), "x\n".repeat(2_000));
    assert_eq!(show(&lines(2_001)), "x\n".repeat(2_000) + "..\n");
    let long = Value::from(Function::lambda("x".repeat(2 << 20) + "\ny"));
    assert_eq!(show(&long), "x".repeat(77) + "..\n..\n");
}

#[test]
fn lists_of_lists_of_lists_show_as_far_as_they_have_few_enough_texts() {
    let cube = |rows: usize, columns: usize| {
        let row = || list((0..columns).map(|_| longs(&[1, 2])));
        list((0..rows).map(|_| row()))
    };
    let text = show(&cube(30, 1_000));
    assert_eq!(text.lines().count(), 23);
    assert_eq!(
        text.lines().next(),
        Some(&*format!("{}..", &"1 2 ".repeat(20)[..77]))
    );
    // A thousand rows of a thousand rows of two: more than two million, of which 1998 would show.
    let large = Console::new().with_size(2_000, 2_000);
    let text = large.show(cube(1_500, 1_000).as_ref()).to_string();
    assert!(text.starts_with("((1 2;1 2;") && text.lines().count() == 1);
}

#[track_caller]
fn check<const N: usize>(table: [(Value, &str); N]) {
    for (value, text) in table {
        assert_eq!(show(&value), text, "{value}");
        if value.as_ref().walk().count() < 100 {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let received = hopen_codec::strategy::receive(&value, order);
                assert_eq!(show(&received), text, "{value}");
            }
        }
    }
}

fn show(value: &Value) -> String {
    Console::new().show(value.as_ref()).to_string()
}

fn received(body: &[u8]) -> Value {
    let body = Body::from_bytes(body.to_vec().into(), ByteOrder::Little);
    body.decode(&Limits::client())
        .expect("a value")
        .expect("no error")
}

fn longs(items: &[i64]) -> Value {
    items.to_vec().into()
}

fn symbols<const N: usize>(names: [&str; N]) -> Value {
    Value::from(
        names
            .map(|name| Symbol::new(name).expect("no NUL"))
            .to_vec(),
    )
}

fn list(items: impl IntoIterator<Item = Value>) -> Value {
    Value::List(items.into_iter().collect())
}

fn table<const N: usize>(columns: [(&str, Value); N]) -> Value {
    let columns = columns.map(|(name, column)| (Symbol::new(name).expect("no NUL"), column));
    Table::new(columns).expect("a table").into()
}
