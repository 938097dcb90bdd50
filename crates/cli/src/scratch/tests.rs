//! What is answered to texts, to lists, and to everything else.

use std::thread;

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::message::Body;
use hopen_codec::value::{
    BinaryPrimitive, Char, Dict, Function, IteratorPrimitive, List, Symbol, Table, Timespan,
    UnaryPrimitive,
};
use hopen_codec::{strategy, sym};
use proptest::prelude::*;

use super::*;

#[test]
fn texts_are_evaluated_from_right_to_left() {
    check(&[
        ("2+3*4", "14"),
        ("2*3+4", "14"),
        ("(2*3)+4", "10"),
        ("10-3-2", "9"),
        ("2-1", "1"),
        ("2 -1", "2 -1"),
        ("2--1", "3"),
        ("1 2 3+10", "11 12 13"),
        ("1 2 3+10 20 30", "11 22 33"),
        ("+[1;2]", "3"),
        ("-[1 2;1]", "0 1"),
        ("%[1;4]", "0.25"),
        ("3*+[1;2]", "9"),
        ("(+)[1;2]", "3"),
        ("+", "+"),
        ("til", "!:"),
        ("til 5", "0 1 2 3 4"),
        ("til[5]", "0 1 2 3 4"),
        ("til 2+count 1 2 3", "0 1 2 3 4"),
        ("til -1", "'domain"),
        ("count trade", "6"),
        ("sum 1 2 3", "6"),
        ("sum[1 2 3]%2", "3f"),
        ("echo 1 2", "1 2"),
        ("::", "::"),
        ("::[5]", "5"),
        (":: 5", "5"),
        ("", "::"),
        (" \n", "::"),
        ("echo[]", "::"),
        ("count[]", "1"),
        ("til[]", "'type"),
    ]);
}

#[test]
fn lists_are_vectors_where_they_can_be() {
    check(&[
        ("(1;2)", "1 2"),
        ("(1;2;\"x\")", "(1;2;\"x\")"),
        ("(\"a\";\"b\")", "\"ab\""),
        ("(`a;`b)", "`a`b"),
        ("(1;2.5)", "(1;2.5)"),
        ("((1;2);(3;4))", "(1 2;3 4)"),
        ("()", "()"),
        ("((1))", "1"),
        ("(+;1;2)", "(+;1;2)"),
        ("(1;)", "'nyi: projection"),
        ("(;1)", "'nyi: projection"),
        ("(;)", "'nyi: projection"),
        ("(1;;2)", "'nyi: projection"),
        ("+[;1]", "'nyi: projection"),
        ("1 2,3", "1 2 3"),
        ("1,\"a\",`b", "(1;\"a\";`b)"),
        ("\"ab\",\"c\"", "\"abc\""),
        ("(),1", ",1"),
        ("trade,trade", "'nyi: table"),
    ]);
}

#[test]
fn arithmetic_is_that_of_q() {
    check(&[
        ("0N+1", "0N"),
        ("1 0N 3*2", "2 0N 6"),
        ("0n+1", "0n"),
        ("0N+1.5", "0n"),
        ("0N%0N", "0n"),
        ("9223372036854775806+3", "-0W"),
        ("0W+1", "0N"),
        ("10+0W", "-9223372036854775799"),
        ("0w-0w", "0n"),
        ("0w+1", "0w"),
        ("0W+0.0", "9.223372e+18"),
        ("0%0", "0n"),
        ("1%0", "0w"),
        ("-1%0", "-0w"),
        ("6%2", "3f"),
        ("1+2.5", "3.5"),
        ("1 2+0.5 1", "1.5 3"),
        ("(1;2 3)+(10;20 30)", "(11;22 33)"),
        ("1+(1;2 3)", "(2;3 4)"),
        ("1 2+(1;2 3)", "(2;4 5)"),
        ("(1;2.5)+1 0.5", "2 3f"),
        ("()+1", "()"),
        ("()+til 1", "'length"),
        ("1 2+1 2 3", "'length"),
        ("(1;2 3)+1 2 3", "'length"),
        ("(1 2;3)+(1 2 3;4)", "'length"),
        ("1+`a", "'type"),
        ("\"a\"+1", "'type"),
        ("1+(1;`a)", "'type"),
        ("(+)+1", "'type"),
        ("trade+1", "'nyi: table"),
    ]);
    for one in [
        Value::from(1_i32),
        true.into(),
        vec![1_f32].into(),
        Timespan(1).into(),
    ] {
        let name = one.value_type().basic_type().unwrap().name();
        let expected = format!("'nyi: {name}");
        assert_eq!(answer((sym!("sum"), &one)), expected);
        let plus = BinaryPrimitive::new(1).unwrap();
        assert_eq!(answer((plus, 1_i64, one)), expected);
    }
}

#[test]
fn sums_leave_nulls_out_of_vectors_only() {
    check(&[
        ("sum 7", "7"),
        ("sum 0N", "0N"),
        ("sum 2 3 0N 7", "12"),
        ("sum 0n 8", "8f"),
        ("sum 0N 0N", "0"),
        ("sum ()", "0"),
        ("sum til 0", "0"),
        ("sum (1 2 3 4;2 3 5 7)", "3 5 8 11"),
        ("sum (1 2;0N 4)", "0N 6"),
        ("sum (0n 8;8 0n)", "0n 0n"),
        ("sum (1;2 3)", "3 4"),
        ("sum 0W 1", "0N"),
        ("sum (1 2 3 4;2 3)", "'length"),
        ("sum \"abc\"", "'type"),
        ("sum `a", "'type"),
    ]);
}

#[test]
fn counts_are_those_of_items_rows_and_keys() {
    let table = Value::from(Table::new([(sym!("a"), vec![1_i64, 2].into())]).unwrap());
    for (value, count) in [
        (Value::from(5_i64), 1),
        ("zero".into(), 4),
        (Value::from((1_i64, "ab", 2.5)), 3),
        (Vec::<Value>::new().into(), 0),
        (
            Dict::new(vec![sym!("a"), sym!("b")], vec![1_i64, 2]).into(),
            2,
        ),
        (Dict::new(&table, &table).into(), 2),
        (Dict::new(Dict::new("abc", "abc"), "abc").into(), 3),
        (table, 2),
        (Value::IDENTITY, 1),
    ] {
        assert_eq!(answer((sym!("count"), value)), count.to_string());
    }
    let elsewhere = Table::by_reference([sym!("a")], sym!(":t/")).unwrap();
    assert_eq!(answer((sym!("count"), elsewhere)), "'type");
}

#[test]
fn names_keep_their_values_from_query_to_query() {
    let mut scratch = Scratch::new();
    for (text, printed) in [
        ("a", "'a"),
        ("a:2+3", "::"),
        ("a", "5"),
        ("1+a:7", "8"),
        ("(a;a:1 2)", "(1 2;1 2)"),
        ("(a:3)", "3"),
        ("b:a:4", "::"),
        ("a+b", "8"),
        ("a-1", "3"),
        ("a -1", "'nyi: index"),
        ("f:til", "::"),
        ("f 3", "0 1 2"),
        ("trade:1", "::"),
        ("trade", "1"),
        ("til:1", "'assign"),
        ("echo:1", "'assign"),
        ("c:nosuch", "'nosuch"),
        ("c", "'c"),
        ("c:1+c", "'c"),
        // A text that cannot be parsed is not evaluated in part.
        ("1+;c:5", "'nyi: ;"),
        ("(+ 1;c:5)", "'nyi: +"),
        ("c", "'c"),
    ] {
        assert_eq!(shown(scratch.evaluate(&text.into())), printed, "{text}");
    }
}

#[test]
fn what_cannot_be_read_is_an_error() {
    check(&[
        ("(1;2", "'("),
        ("til[5", "'["),
        ("1)", "')"),
        ("]", "']"),
        ("(1]", "']"),
        ("\"abc", "'\""),
        ("1+", "'nyi: projection"),
        ("- 1", "'nyi: -"),
        ("2+-til 3", "'nyi: -"),
        (",1", "'nyi: ,"),
        (":1", "'parse: at 0"),
        ("a:", "'parse: at 1"),
        ("2 a :", "'parse: at 4"),
        ("2:3", "'nyi: 2:3"),
        ("`a :3", "'parse: at 3"),
        ("trade[0]", "'nyi: index"),
        ("trade[0]:1", "'nyi: :"),
        ("1 2 (0)", "'nyi: index"),
        ("1;2", "'nyi: ;"),
        ("1;", "'nyi: ;"),
        (";", "'nyi: ;"),
        ("{x}", "'nyi: {"),
        ("select from trade", "'nyi: select"),
        ("+/1 2", "'nyi: /"),
        ("([]a:1 2)", "'nyi: ["),
        ("1i", "'nyi: 1i"),
        ("max 1 2", "'max"),
        (".z.p", "'.z.p"),
        ("caf\u{e9}", "'char"),
        ("til[1;2]", "'rank"),
        ("+[1;2;3]", "'rank"),
        ("+[1]", "'nyi: projection"),
        ("+[]", "'nyi: projection"),
        ("til 2.5", "'type"),
        ("til 1 2", "'type"),
        ("til 0N", "'domain"),
    ]);
}

#[test]
fn a_list_is_a_function_and_its_arguments() {
    let unary = |code| UnaryPrimitive::new(code).unwrap();
    let plus = || BinaryPrimitive::new(1).unwrap();
    for (query, printed) in [
        (Value::from((sym!("til"), 3_i64)), "0 1 2"),
        (("til", 3_i64).into(), "0 1 2"),
        (("+", 1_i64, 2_i64).into(), "3"),
        ((Char(b'+'), 1_i64, 2_i64).into(), "3"),
        ((plus(), 1_i64, 2_i64).into(), "3"),
        (
            (BinaryPrimitive::new(2).unwrap(), 1_i64, 2_i64).into(),
            "-1",
        ),
        ((BinaryPrimitive::new(3).unwrap(), 3_i64, 2_i64).into(), "6"),
        (
            (BinaryPrimitive::new(4).unwrap(), 3_i64, 2_i64).into(),
            "1.5",
        ),
        (
            (BinaryPrimitive::new(12).unwrap(), 3_i64, "a").into(),
            "(3;\"a\")",
        ),
        ((unary(16), 2_i64).into(), "0 1"),
        ((unary(13), "abc").into(), "3"),
        ((unary(25), vec![1_i64, 2]).into(), "3"),
        ((unary(0), "abc").into(), "\"abc\""),
        ((sym!("count"), ()).into(), "1"),
        ((sym!("echo"), ()).into(), "::"),
        ((sym!("til"), ()).into(), "'type"),
        // Lists that q keeps as vectors.
        ([sym!("echo"), sym!("a")].into(), "`a"),
        ([sym!("nosuch"), sym!("a")].into(), "'nosuch"),
        ([sym!("til")].into(), "'rank"),
        ((sym!("til"),).into(), "'rank"),
        ((sym!("echo"), 1_i64, 2_i64).into(), "'rank"),
        ((plus(), 1_i64).into(), "'nyi: projection"),
        ((plus(), 1_i64, 2_i64, 3_i64).into(), "'rank"),
        (vec![Value::from(plus()); 20].into(), "'rank"),
        ((sym!("nosuch"), 1_i64).into(), "'nosuch"),
        (("nosuch", 1_i64).into(), "'nosuch"),
        (("{x+y}", 1_i64, 2_i64).into(), "'nyi: {"),
        ((Function::lambda("{x}"), 1_i64).into(), "'nyi: {"),
        ((unary(28), 1_i64).into(), "'nyi: max"),
        ((UnaryPrimitive::ELIDED, 1_i64).into(), "'type"),
        (
            (BinaryPrimitive::new(16).unwrap(), 1_i64, 2_i64).into(),
            "'nyi: !",
        ),
        (
            (
                Function::derived(IteratorPrimitive::new(1).unwrap(), plus()),
                1_i64,
            )
                .into(),
            "'nyi: iterator",
        ),
        (
            (Function::projection(plus(), [1_i64.into()]), 1_i64).into(),
            "'nyi: projection",
        ),
        (
            (Function::composition([plus().into()]), 1_i64).into(),
            "'nyi: composition",
        ),
        ((sym!("trade"), 1_i64).into(), "'nyi: index"),
        ((1_i64, 2.5).into(), "'type"),
        (((plus(), 1_i64), 2_i64).into(), "'type"),
        (Vec::<Value>::new().into(), "'type"),
        (vec![1_i64, 2].into(), "'type"),
        (1_i64.into(), "'type"),
        (Value::IDENTITY, "'type"),
        (Dict::new(1_i64, 2_i64).into(), "'type"),
        (sym!("nosuch").into(), "'nosuch"),
        (Char(b'5').into(), "5"),
    ] {
        assert_eq!(shown(Scratch::new().evaluate(&query)), printed, "{query}");
        let received = strategy::receive(&query, ByteOrder::Big);
        assert_eq!(
            shown(Scratch::new().evaluate(&received)),
            printed,
            "{query}"
        );
    }
}

#[test]
fn the_table_is_there_from_the_start() {
    let trade = Scratch::new().evaluate(&"trade".into()).unwrap();
    assert_eq!(
        Scratch::new().evaluate(&sym!("trade").into()),
        Ok(trade.clone())
    );
    let ValueRef::Table(table) = trade.as_ref() else {
        panic!("{trade} is a table")
    };
    assert_eq!(table.rows(), Ok(6));
    let names: Vec<Symbol> = table.names().iter().map(|name| name.to_symbol()).collect();
    assert_eq!(names, ["time", "sym", "price", "size"]);
}

#[test]
fn a_text_has_a_length_and_a_depth() {
    let nested = |levels: usize| ["(".repeat(levels), ")".repeat(levels)].join("1");
    let applied = |levels: usize| format!("echo{}", "[1]".repeat(levels));
    let mib = 1024 * 1024;
    for (text, printed) in [
        (nested(100), "1"),
        (nested(101), "'limit"),
        (nested(mib / 2 - 1), "'limit"),
        ("(".repeat(mib), "'("),
        ("[".repeat(mib), "'["),
        (applied(101), "'limit"),
        ("echo ".repeat(mib / 5), "!:"),
        (format!("1{}", "+1".repeat(mib / 2 - 1)), "524288"),
        (" ".repeat(mib), "::"),
        (" ".repeat(mib + 1), "'limit"),
        ("`".repeat(mib), ""),
    ] {
        let answer = on_a_server_s_stack(move || Scratch::new().evaluate(&text.into()));
        match printed {
            "" => assert_eq!(answer.unwrap().as_ref().elements().unwrap().len(), mib),
            "!:" => assert_eq!(shown(answer), "::"),
            printed => assert_eq!(shown(answer), printed),
        }
    }
}

#[test]
fn lists_within_lists_are_gone_into_so_deep() {
    for (levels, answered) in [(100, true), (101, false), (1_000_000, false)] {
        let mut body = b"\0\0\x01\0\0\0".repeat(levels);
        body.extend_from_slice(b"\xf9\x01\0\0\0\0\0\0\0");
        let nested = Body::from_bytes(body.into(), ByteOrder::Little);
        let nested = nested.decode(&hopen_codec::config::Limits::server());
        let nested = nested.unwrap().unwrap();
        let plus = BinaryPrimitive::new(1).unwrap();
        let query = Value::from((plus, &nested, 1_i64));
        let answer = on_a_server_s_stack(move || Scratch::new().evaluate(&query));
        assert_eq!(answer.is_ok(), answered);
        if let Err(error) = answer {
            assert_eq!(error.to_string(), "limit");
        }
        let query = Value::from((sym!("sum"), &nested));
        let answer = on_a_server_s_stack(move || Scratch::new().evaluate(&query));
        assert_eq!(
            answer.unwrap().as_ref(),
            nested.as_ref().elements().unwrap().next().unwrap()
        );
    }
}

#[test]
fn a_name_that_grows_into_itself_takes_no_stack() {
    on_a_stack_of(256 * 1024, || {
        let mut scratch = Scratch::new();
        scratch.evaluate(&"a:()".into()).unwrap();
        for _ in 0..2_000 {
            scratch.evaluate(&"a:(a;1)".into()).unwrap();
        }
        assert_eq!(shown(scratch.evaluate(&"count a".into())), "2");
    });
}

#[test]
fn one_query_makes_and_reads_no_more_than_it_may() {
    let mut scratch = Scratch::new();
    for (text, printed) in [
        ("a:til 10000001", "'limit"),
        ("a:til 0W", "'limit"),
        ("count a:til 10000000", "10000000"),
        ("count a,1", "'limit"),
        ("b:a", "::"),
        ("c:a", "::"),
        ("d:a", "'wsfull"),
    ] {
        assert_eq!(shown(scratch.evaluate(&text.into())), printed, "{text}");
    }
    for text in [
        format!("count ({}a)", "a;".repeat(20)),
        format!("1{}", "+count a:b".repeat(20)),
    ] {
        let answer = shown(scratch.evaluate(&text.as_str().into()));
        assert_eq!(answer, "'wsfull", "{text}");
    }
}

#[test]
fn a_name_keeps_nothing_of_the_message_that_it_came_in() {
    let mut scratch = Scratch::new();
    let text = Value::from("a:\"some text\"");
    scratch.evaluate(&text).unwrap();
    let first = scratch.evaluate(&"a".into()).unwrap();
    let second = scratch.evaluate(&"a".into()).unwrap();
    let bytes = |value: &Value| value.to::<&[u8]>().unwrap().as_ptr();
    assert_eq!(
        bytes(&first),
        bytes(&second),
        "reading a name copies nothing"
    );
    scratch.evaluate(&"b:a".into()).unwrap();
    let copy = scratch.evaluate(&"b".into()).unwrap();
    assert_eq!(copy, first);
    assert_ne!(bytes(&copy), bytes(&first));
}

proptest! {
    #[test]
    fn echo_returns_what_it_was_given_byte_for_byte(
        value in strategy::value(3, 5),
        order in strategy::byte_order(),
    ) {
        let expected = bytes(&value, order);
        let query = Value::from((sym!("echo"), &value));
        for query in [&query, &strategy::receive(&query, order)] {
            let answer = Scratch::new().evaluate(query).unwrap();
            prop_assert_eq!(&bytes(&answer, order), &expected);
        }
    }

    #[test]
    fn no_value_is_a_query_that_panics(query in strategy::received(3, 5)) {
        let _ = shown(Scratch::new().evaluate(&query));
    }

    #[test]
    fn no_arguments_make_a_function_panic(
        name in function(),
        arguments in prop::collection::vec(strategy::value(3, 4), 0..4),
    ) {
        let mut call = vec![Value::from(name)];
        call.extend(arguments);
        let _ = shown(Scratch::new().evaluate(&List::from(call).into()));
    }

    #[test]
    fn no_text_panics(text in text()) {
        let answer = Scratch::new().evaluate(&Value::from(text));
        let encoded = match &answer {
            Ok(value) => Body::encode(value).unwrap(),
            Err(error) => Body::error(error),
        };
        prop_assert!(!encoded.is_empty());
    }

    #[test]
    fn arithmetic_of_longs_is_rust_s_with_a_null(
        x in prop::collection::vec(any::<i64>(), 1..5),
        y in any::<i64>(),
    ) {
        let long = |f: fn(i64, i64) -> i64, x: i64| {
            if x == i64::MIN || y == i64::MIN { i64::MIN } else { f(x, y) }
        };
        for (name, f) in [
            ("+", i64::wrapping_add as fn(i64, i64) -> i64),
            ("-", i64::wrapping_sub),
            ("*", i64::wrapping_mul),
        ] {
            let expected: Vec<i64> = x.iter().map(|x| long(f, *x)).collect();
            let answer = Scratch::new().evaluate(&(name, &x, y).into()).unwrap();
            prop_assert_eq!(answer, Value::from(expected));
        }
    }
}

/// Checks what is answered to texts.
fn check(cases: &[(&str, &str)]) {
    for (text, printed) in cases {
        assert_eq!(answer(*text), *printed, "{text}");
    }
}

fn answer(query: impl Into<Value>) -> String {
    shown(Scratch::new().evaluate(&query.into()))
}

/// Returns an answer as q shows it, an error behind its quote.
fn shown(answer: Result<Value, RemoteError>) -> String {
    match answer {
        Ok(value) => value.to_string(),
        Err(error) => format!("'{error}"),
    }
}

fn bytes(value: &Value, order: ByteOrder) -> Vec<u8> {
    Body::encode_in(value, order).unwrap().chunks().concat()
}

/// Runs on as much stack as a thread has by default.
fn on_a_server_s_stack<T: Send + 'static>(run: impl FnOnce() -> T + Send + 'static) -> T {
    on_a_stack_of(2 * 1024 * 1024, run)
}

fn on_a_stack_of<T: Send + 'static>(bytes: usize, run: impl FnOnce() -> T + Send + 'static) -> T {
    let thread = thread::Builder::new().stack_size(bytes);
    thread.spawn(run).unwrap().join().unwrap()
}

fn function() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["+", "-", "*", "%", ",", "til", "count", "sum", "echo"])
}

/// Texts of q's words in any order, the same with a few bytes wrong, and any bytes.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let words = vec![
        "1", "2.5", "-1", "0N", "1 2 3", "\"a\"", "\"ab\"", "`a", "`a`b", "(", ")", "[", "]", ";",
        "+", "-", "*", "%", ",", "til ", "count ", "sum ", "echo ", "trade", "a", ":", "::", " ",
        "()", "(1;`a)", "a:",
    ];
    let words = prop::collection::vec(prop::sample::select(words), 0..20);
    let words = words.prop_map(|words| words.concat().into_bytes());
    prop_oneof![
        3 => words.clone(),
        2 => words.prop_flat_map(strategy::mutated),
        1 => prop::collection::vec(any::<u8>(), 0..50),
    ]
}
