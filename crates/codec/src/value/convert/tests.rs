use core::fmt::Debug;
use std::borrow::Cow;

use bytes::Bytes;
use proptest::prelude::*;

use super::error::{ConvertError, Expected};
use crate::byte_order::ByteOrder;
use crate::decode::decode;
use crate::sym;
use crate::value::{
    Atom, Attribute, BasicType, BinaryPrimitive, Byte, Char, Date, Datetime, Dict, DictRef,
    Function, FunctionRef, Guid, Item, Items, IteratorPrimitive, List, ListRef, Minute, Month,
    Nullable, Second, Symbol, SymbolRef, Symbols, Table, TableRef, Time, Timespan, Timestamp,
    UnaryPrimitive, Value, ValueRef, ValueType, Vector,
};

#[test]
fn items_are_atoms_and_vectors_of_their_type_both_ways() {
    fn check<T>(items: &[T])
    where
        for<'a> T: Item + PartialEq + Debug + TryFrom<ValueRef<'a>, Error = ConvertError>,
    {
        for item in items {
            let atom = Value::from(*item);
            assert_eq!(atom.value_type(), ValueType::atom(T::TYPE));
            assert!(same(&[atom.to::<T>().unwrap()], &[*item]));
            let error = Vec::<T>::try_from(atom.as_ref()).unwrap_err();
            assert_eq!(
                error,
                wrong(Expected::Vector(T::TYPE), ValueType::atom(T::TYPE))
            );
        }
        for count in 0..=items.len() {
            let items = &items[..count];
            let owned = items.to_vec();
            for vector in [
                Value::from(owned.clone()),
                Value::from(&owned),
                Value::from(items),
                Value::from(Items::from(items)),
            ] {
                assert_eq!(vector.value_type(), ValueType::vector(T::TYPE));
                assert!(same(&vector.to::<Vec<T>>().unwrap(), items));
                let borrowed: Items<T, &[u8]> = vector.to().unwrap();
                assert!(same(&borrowed.to_slice(), items));
                assert!(same(&vector.to::<Cow<'_, [T]>>().unwrap(), items));
                let copied: Items<T> = vector.to().unwrap();
                assert!(same(&copied.to_slice(), items));
                let error = vector.to::<T>().unwrap_err();
                assert_eq!(
                    error,
                    wrong(Expected::Atom(T::TYPE), ValueType::vector(T::TYPE))
                );
                assert!(same(
                    &Items::<T>::try_from(vector).unwrap().to_slice(),
                    items
                ));
            }
        }
    }

    check(&[true, false]);
    check(&[Guid([7; 16]), Guid::NULL]);
    check(&[Byte(0), Byte(255)]);
    check(&[0_i16, 1, -1, i16::NULL, i16::MAX, -i16::MAX]);
    check(&[0_i32, 1, -1, i32::NULL, i32::MAX, -i32::MAX]);
    check(&[0_i64, 1, -1, i64::NULL, i64::MAX, -i64::MAX]);
    check(&[
        0.0_f32,
        -0.0,
        5.5,
        f32::NULL,
        f32::INFINITY,
        f32::NEG_INFINITY,
    ]);
    check(&[
        0.0_f64,
        -0.0,
        5.5,
        f64::NULL,
        f64::INFINITY,
        f64::NEG_INFINITY,
    ]);
    check(&[Char(b' '), Char(b'a'), Char(0), Char(255)]);
    check(&[
        Timestamp(5),
        Timestamp::NULL,
        Timestamp::INFINITY,
        Timestamp::NEG_INFINITY,
    ]);
    check(&[Month(5), Month::NULL, Month::INFINITY, Month::NEG_INFINITY]);
    check(&[Date(5), Date::NULL, Date::INFINITY, Date::NEG_INFINITY]);
    check(&[
        Datetime(5.5),
        Datetime::NULL,
        Datetime::INFINITY,
        Datetime::NEG_INFINITY,
    ]);
    check(&[
        Timespan(5),
        Timespan::NULL,
        Timespan::INFINITY,
        Timespan::NEG_INFINITY,
    ]);
    check(&[
        Minute(5),
        Minute::NULL,
        Minute::INFINITY,
        Minute::NEG_INFINITY,
    ]);
    check(&[
        Second(5),
        Second::NULL,
        Second::INFINITY,
        Second::NEG_INFINITY,
    ]);
    check(&[Time(5), Time::NULL, Time::INFINITY, Time::NEG_INFINITY]);
}

#[test]
fn none_is_the_null_of_its_type_and_infinities_are_not() {
    fn check<T>(items: &[T])
    where
        for<'a> T: Nullable + PartialEq + Debug + TryFrom<ValueRef<'a>, Error = ConvertError>,
    {
        let null = Value::from(None::<T>);
        assert_eq!(null, Value::from(T::NULL));
        assert_eq!(null.to::<Option<T>>(), Ok(None));
        assert!(null.to::<T>().unwrap().is_null());
        for item in items {
            assert_eq!(Value::from(Some(*item)), Value::from(*item));
            assert_eq!(Value::from(*item).to::<Option<T>>(), Ok(Some(*item)));
        }
        let mut options = vec![None];
        options.extend(items.iter().copied().map(Some));
        let plain: Vec<T> = options.iter().map(|item| item.unwrap_or(T::NULL)).collect();
        let vector = Value::from(plain);
        assert_eq!(vector.to::<Vec<Option<T>>>().as_ref(), Ok(&options));
        assert_eq!(Value::from(options.as_slice()), vector);
        assert_eq!(
            Value::from([options[0], options[1]]),
            Value::from([T::NULL, items[0]])
        );
        assert_eq!(Value::from(options), vector);
    }

    check(&[Guid([7; 16])]);
    check(&[0, 5, i16::MAX, -i16::MAX]);
    check(&[0, 5, i32::MAX, -i32::MAX]);
    check(&[0, 5, i64::MAX, -i64::MAX]);
    check(&[0.0, 5.5, f32::INFINITY, f32::NEG_INFINITY]);
    check(&[0.0, 5.5, f64::INFINITY, f64::NEG_INFINITY]);
    check(&[Timestamp(5), Timestamp::INFINITY, Timestamp::NEG_INFINITY]);
    check(&[Month(5), Month::INFINITY, Month::NEG_INFINITY]);
    check(&[Date(5), Date::INFINITY, Date::NEG_INFINITY]);
    check(&[Datetime(5.5), Datetime::INFINITY, Datetime::NEG_INFINITY]);
    check(&[Timespan(5), Timespan::INFINITY, Timespan::NEG_INFINITY]);
    check(&[Minute(5), Minute::INFINITY, Minute::NEG_INFINITY]);
    check(&[Second(5), Second::INFINITY, Second::NEG_INFINITY]);
    check(&[Time(5), Time::INFINITY, Time::NEG_INFINITY]);
    // Any NaN is null, not only the one that None becomes.
    assert_eq!(Value::from(-f64::NAN).to::<Option<f64>>(), Ok(None));
}

#[test]
fn symbols_are_symbol_atoms_and_vectors() {
    let name = sym!("ibm");
    for atom in [
        Value::from(name.clone()),
        Value::from(&name),
        Value::from(name.as_ref()),
        Value::from(Some(name.clone())),
        Value::from(Some(name.as_ref())),
    ] {
        assert_eq!(atom.value_type(), ValueType::atom(BasicType::Symbol));
        assert_eq!(atom.to::<Symbol>().as_ref(), Ok(&name));
        assert_eq!(atom.to::<SymbolRef<'_>>(), Ok(name.as_ref()));
        assert_eq!(atom.to::<Option<Symbol>>(), Ok(Some(name.clone())));
        assert_eq!(atom.to::<Option<SymbolRef<'_>>>(), Ok(Some(name.as_ref())));
        let found = ValueType::atom(BasicType::Symbol);
        let error = wrong(Expected::Vector(BasicType::Char), found);
        assert_eq!(atom.to::<String>(), Err(error));
    }
    for null in [
        Value::from(Symbol::NULL),
        Value::from(None::<Symbol>),
        Value::from(None::<SymbolRef<'_>>),
    ] {
        assert_eq!(null.to::<Option<Symbol>>(), Ok(None));
        assert_eq!(null.to::<Option<SymbolRef<'_>>>(), Ok(None));
        assert_eq!(null.to::<Symbol>(), Ok(Symbol::NULL));
    }

    let names = vec![
        name,
        Symbol::NULL,
        sym!("a symbol of more than twenty-two bytes"),
    ];
    let refs: Vec<SymbolRef<'_>> = names.iter().map(Symbol::as_ref).collect();
    for vector in [
        Value::from(names.clone()),
        Value::from(names.as_slice()),
        Value::from([names[0].clone(), names[1].clone(), names[2].clone()]),
        Value::from(refs.clone()),
        Value::from(refs.as_slice()),
        Value::from([refs[0], refs[1], refs[2]]),
        Value::from(Symbols::from_iter(&names)),
    ] {
        assert_eq!(vector.value_type(), ValueType::vector(BasicType::Symbol));
        assert_eq!(vector.to::<Vec<Symbol>>().as_ref(), Ok(&names));
        assert_eq!(vector.to::<Vec<SymbolRef<'_>>>().as_ref(), Ok(&refs));
        let borrowed: Symbols<&[u8]> = vector.to().unwrap();
        assert_eq!(borrowed, Symbols::from_iter(&names));
        assert_eq!(vector.to::<Symbols>(), Ok(Symbols::from_iter(&names)));
        assert_eq!(Symbols::try_from(vector), Ok(Symbols::from_iter(&names)));
    }
}

#[test]
fn text_is_a_char_vector_whatever_its_length() {
    for text in ["", "a", "2+3", "αβγ"] {
        for value in [
            Value::from(text),
            Value::from(text.to_owned()),
            Value::from(&text.to_owned()),
            Value::from(text.as_bytes()),
            Value::from(text.as_bytes().to_vec()),
            Value::from(&text.as_bytes().to_vec()),
            Value::from(Items::<Char>::from(text)),
        ] {
            assert_eq!(value.value_type(), ValueType::vector(BasicType::Char));
            assert_eq!(value.to::<&str>(), Ok(text));
            assert_eq!(value.to::<String>().as_deref(), Ok(text));
            assert_eq!(value.to::<&[u8]>(), Ok(text.as_bytes()));
            assert_eq!(value.to::<Vec<u8>>().as_deref(), Ok(text.as_bytes()));
        }
    }
    assert_eq!(Value::from(b"upd"), Value::from("upd"));
}

#[test]
fn text_is_read_from_a_char_atom_too() {
    for byte in 0..=255_u8 {
        let value = Value::from(Char(byte));
        assert_eq!(value.to::<&[u8]>(), Ok(&[byte][..]));
        assert_eq!(value.to::<Vec<u8>>(), Ok(vec![byte]));
        if byte.is_ascii() {
            assert_eq!(value.to::<String>(), Ok(char::from(byte).to_string()));
        } else {
            assert_eq!(
                value.to::<&str>(),
                Err(ConvertError::NotUtf8 { position: 0 })
            );
        }
    }
}

#[test]
fn what_is_not_utf_8_says_where() {
    let value = Value::from(b"ab\xc3(");
    let error = ConvertError::NotUtf8 { position: 2 };
    assert_eq!(value.to::<&str>(), Err(error.clone()));
    assert_eq!(value.to::<String>(), Err(error.clone()));
    let list = Value::from(vec![&b"ok"[..], b"ab\xc3("]);
    assert_eq!(list.to::<Vec<String>>(), Err(error.in_item(1)));
    let error = list.to::<Vec<&str>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "item 1: the text is not UTF-8 from byte 2 on"
    );
}

#[test]
fn bytes_that_are_no_text_are_a_byte_vector() {
    let bytes = [0xca, 0xfe];
    for items in [
        Items::<Byte>::from(bytes.to_vec()),
        Items::from(&bytes[..]),
        Items::from(Bytes::copy_from_slice(&bytes)),
    ] {
        assert_eq!(Value::from(items), Value::from([Byte(0xca), Byte(0xfe)]));
    }
}

#[test]
fn texts_are_a_list() {
    let texts = ["", "a", "bc"];
    let owned: Vec<String> = texts.iter().copied().map(String::from).collect();
    let bytes: Vec<&[u8]> = texts.iter().map(|text| text.as_bytes()).collect();
    let vecs: Vec<Vec<u8>> = bytes.iter().map(|text| text.to_vec()).collect();
    for list in [
        Value::from(texts),
        Value::from(texts.map(str::as_bytes)),
        Value::from(texts.map(String::from)),
        Value::from(&texts[..]),
        Value::from(texts.to_vec()),
        Value::from(owned.clone()),
        Value::from(owned.as_slice()),
        Value::from(bytes.clone()),
        Value::from(bytes.as_slice()),
        Value::from(vecs.as_slice()),
        Value::from(vecs),
        // As q has it: a text of one character that was not made a vector.
        Value::from(("", Char(b'a'), "bc")),
    ] {
        assert_eq!(list.value_type(), ValueType::LIST);
        assert_eq!(list.to::<Vec<String>>().as_ref(), Ok(&owned));
        assert_eq!(list.to::<Vec<&str>>().as_deref(), Ok(&texts[..]));
        assert_eq!(list.to::<Vec<&[u8]>>().as_ref(), Ok(&bytes));
        assert_eq!(list.to::<Vec<Vec<u8>>>().unwrap(), bytes);
    }
    let error = Value::from("abc").to::<Vec<String>>().unwrap_err();
    assert_eq!(error.to_string(), "expected a list, found a char vector");
}

#[test]
fn tuples_are_lists_of_as_many_items() {
    let one = Value::from((1_i64,));
    assert_eq!(one.value_type(), ValueType::LIST);
    assert_eq!(one.to::<(i64,)>(), Ok((1,)));

    let nine = (
        sym!("f"),
        1_i64,
        2_i32,
        3_i16,
        true,
        5.5,
        Char(b'c'),
        Date(8),
        Byte(9),
    );
    type Nine = (Symbol, i64, i32, i16, bool, f64, Char, Date, Byte);
    assert_eq!(Value::from(nine.clone()).to::<Nine>(), Ok(nine));

    let nested = Value::from((sym!("upd"), ("text", vec![1.5, 2.5], ())));
    let (function, (text, numbers, ())) = nested.to::<(Symbol, (&str, Vec<f64>, ()))>().unwrap();
    assert_eq!((function, text), (sym!("upd"), "text"));
    assert_eq!(numbers, [1.5, 2.5]);

    // Values and references stand for themselves.
    let (function, rest) = nested.to::<(Value, ValueRef<'_>)>().unwrap();
    assert_eq!(function, Value::from(sym!("upd")));
    assert_eq!(
        rest.to::<(&str, ValueRef<'_>, Value)>().unwrap().2,
        Value::IDENTITY
    );
}

#[test]
fn tuples_and_lists_are_read_from_vectors_too() {
    assert_eq!(Value::from(vec![1_i64, 2]).to::<(i64, i64)>(), Ok((1, 2)));
    let names = Value::from([sym!("a"), sym!("b")]);
    assert_eq!(names.to::<(Symbol, SymbolRef<'_>)>().unwrap().1, "b");
    let atoms = vec![Value::from(sym!("a")), Value::from(sym!("b"))];
    assert_eq!(names.to::<Vec<Value>>(), Ok(atoms));
    let wide = names.to::<Vec<ValueRef<'_>>>().unwrap();
    assert_eq!(wide[1].to::<SymbolRef<'_>>().unwrap(), "b");
}

#[test]
fn errors_of_tuples_say_which_item() {
    let value = Value::from((1_i64, ("a", 2_i64), sym!("b")));
    for (error, text) in [
        (
            value.to::<(i64, ValueRef<'_>)>().err(),
            "expected 2 items, found 3",
        ),
        (
            value.to::<(i64, ValueRef<'_>, i64)>().err(),
            "item 2: expected a long atom, found a symbol atom",
        ),
        (
            value.to::<(i64, (&str, Option<Date>), Symbol)>().err(),
            "item 1: item 1: expected a date atom, found a long atom",
        ),
        (
            value.to::<(i64, (i64,), Symbol)>().err(),
            "item 1: expected 1 item, found 2",
        ),
        (
            Value::from(1_i64).to::<(i64,)>().err(),
            "expected a list, found a long atom",
        ),
        (
            Value::from(vec![1_i64, 2]).to::<(i64, f64)>().err(),
            "item 1: expected a float atom, found a long atom",
        ),
        (
            Value::IDENTITY.to::<(i64,)>().err(),
            "expected a list, found ::",
        ),
    ] {
        assert_eq!(error.unwrap().to_string(), text);
    }
}

#[test]
fn the_empty_list_is_an_empty_vec_of_anything_but_no_items() {
    let empty = Value::from(List::from(Vec::new()));
    assert_eq!(empty.to::<Vec<f64>>(), Ok(vec![]));
    assert_eq!(empty.to::<Vec<Option<f64>>>(), Ok(vec![]));
    assert_eq!(empty.to::<Cow<'_, [f64]>>(), Ok(Cow::Borrowed(&[][..])));
    assert_eq!(empty.to::<Vec<Symbol>>(), Ok(vec![]));
    assert_eq!(empty.to::<Vec<SymbolRef<'_>>>(), Ok(vec![]));
    assert_eq!(empty.to::<Vec<String>>(), Ok(vec![]));
    assert_eq!(empty.to::<Vec<Value>>(), Ok(vec![]));
    assert_eq!(
        empty.to::<Items<f64>>(),
        Err(wrong(Expected::Vector(BasicType::Float), ValueType::LIST))
    );
    assert!(empty.to::<Symbols>().is_err());
    assert!(empty.to::<String>().is_err());
    assert_eq!(Value::from(Vec::<String>::new()), empty);
}

#[test]
fn nothing_is_widened_or_guessed() {
    assert_eq!(
        Value::from(1_i32).to::<i64>(),
        Err(wrong(
            Expected::Atom(BasicType::Long),
            ValueType::atom(BasicType::Int)
        ))
    );
    assert!(Value::from(Timestamp(1)).to::<i64>().is_err());
    assert!(Value::from(Byte(1)).to::<Char>().is_err());
    assert!(Value::from("ibm").to::<Symbol>().is_err());
    assert!(Value::from([Byte(1)]).to::<Vec<u8>>().is_err());
    assert_eq!(
        Value::IDENTITY.to::<i64>(),
        Err(ConvertError::Nothing {
            expected: Expected::Atom(BasicType::Long)
        })
    );
    // Another unary primitive is no `::`.
    assert!(Value::from(UnaryPrimitive::ELIDED).to::<()>().is_err());
}

#[test]
fn parts_of_values_convert_and_owned_ones_unwrap() {
    let table = Table::new([(sym!("a"), vec![1_i64].into())]).unwrap();
    let dict = Dict::sorted([sym!("a")], [1_i64]);
    let list = List::from(vec![true.into()]);
    let function = Function::lambda("{x}");

    macro_rules! check {
        ($($owner:ident, $borrowed:ty, $part:expr, $expected:ident;)*) => {$(
            let value = Value::from($part);
            let borrowed: $borrowed = value.to().unwrap();
            assert_eq!(ValueRef::$owner(borrowed), value.as_ref());
            let unwrapped = $owner::try_from(value.clone()).unwrap();
            assert_eq!(Value::from(unwrapped), value);
            let other = Value::from(true);
            let error = wrong(Expected::$expected, ValueType::atom(BasicType::Boolean));
            assert_eq!(other.to::<$borrowed>().err(), Some(error.clone()));
            assert_eq!($owner::try_from(other).err(), Some(error));
        )*};
    }
    check! {
        List, ListRef<'_>, list, List;
        Dict, DictRef<'_>, dict, Dict;
        Table, TableRef<'_>, table, Table;
        Function, FunctionRef<'_>, function, Function;
        Vector, Vector<&[u8]>, Vector::Long(vec![1].into()), AnyVector;
    }

    let atom = Value::from(Atom::Symbol(sym!("a")));
    assert_eq!(
        atom.to::<Atom<SymbolRef<'_>>>(),
        Ok(Atom::Symbol(sym!("a").as_ref()))
    );
    assert_eq!(atom.to::<Atom>(), Ok(Atom::Symbol(sym!("a"))));
    assert_eq!(Atom::try_from(atom), Ok(Atom::Symbol(sym!("a"))));
    assert!(Atom::try_from(Value::from("a")).is_err());
    assert!(Items::<i64>::try_from(Value::from([true])).is_err());
    assert!(Items::<i64>::try_from(Value::from(true)).is_err());
    assert!(Symbols::try_from(Value::from(sym!("a"))).is_err());

    for (primitive, code) in [
        (Value::from(UnaryPrimitive::ELIDED), 101),
        (Value::from(BinaryPrimitive::new(1).unwrap()), 102),
        (Value::from(IteratorPrimitive::new(1).unwrap()), 103),
    ] {
        assert_eq!(primitive.value_type().code(), code);
        assert!(primitive.to::<FunctionRef<'_>>().is_ok());
    }
    assert_eq!(Value::from(()), Value::IDENTITY);
    assert_eq!(Value::IDENTITY.to::<()>(), Ok(()));
    assert_eq!(Value::from(&Value::from(1)), Value::from(1));
    assert_eq!(Value::from(Value::from("a").as_ref()), Value::from("a"));
}

#[test]
fn owned_vectors_are_not_copied() {
    let numbers = vec![1.5, 2.5];
    let address = numbers.as_ptr().cast::<u8>();
    let value = Value::from(numbers);
    let borrowed: Items<f64, &[u8]> = value.to().unwrap();
    assert_eq!(borrowed.as_bytes().as_ptr(), address);
    assert_eq!(
        Items::<f64>::try_from(value).unwrap().as_bytes().as_ptr(),
        address
    );

    let text = String::from("some text");
    let address = text.as_ptr();
    let value = Value::from(text);
    assert_eq!(value.to::<&str>().unwrap().as_ptr(), address);

    let value = Value::from(Items::<Byte>::from(vec![1; 100]));
    assert_eq!(value.to::<Vec<Byte>>(), Ok(vec![Byte(1); 100]));
}

#[test]
fn slices_outlive_what_they_were_converted_by() {
    fn prices(answer: &Value) -> Result<Cow<'_, [f64]>, ConvertError> {
        answer.to()
    }
    let answer = Value::from(vec![101.25, 101.5]);
    let prices = prices(&answer).unwrap();
    assert!(matches!(prices, Cow::Borrowed([101.25, 101.5])));
    let error = Value::from(1_i64).to::<Cow<'_, [f64]>>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a float vector, found a long atom"
    );
}

#[test]
fn received_values_convert_like_built_ones() {
    // (42;::;`foo;"a";1 2i) as q sends it, in both byte orders.
    for (order, bytes) in [
        (
            ByteOrder::Little,
            &b"\0\0\x05\0\0\0\xf9\x2a\0\0\0\0\0\0\0\x65\0\xf5foo\0\xf6a\
               \x06\x01\x02\0\0\0\x01\0\0\0\x02\0\0\0"[..],
        ),
        (
            ByteOrder::Big,
            b"\0\0\0\0\0\x05\xf9\0\0\0\0\0\0\0\x2a\x65\0\xf5foo\0\xf6a\
              \x06\x01\0\0\0\x02\0\0\0\x01\0\0\0\x02",
        ),
    ] {
        let value = decode(Bytes::from_static(bytes), order).unwrap().unwrap();
        type Five<'a> = (i64, (), SymbolRef<'a>, &'a str, Vec<i32>);
        let (long, (), symbol, text, ints) = value.to::<Five<'_>>().unwrap();
        assert_eq!((long, text), (42, "a"));
        assert_eq!(symbol, "foo");
        assert_eq!(ints, [1, 2]);
        let parts: Vec<ValueRef<'_>> = value.to().unwrap();
        assert_eq!(parts.len(), 5);
        assert_eq!(
            parts[4].to::<Vec<Option<i32>>>(),
            Ok(vec![Some(1), Some(2)])
        );
        let items: Items<i32> = parts[4].to().unwrap();
        assert_eq!(items.attribute(), Attribute::Sorted);
        assert_eq!(value.to::<Vec<Value>>().unwrap().len(), 5);
    }
}

proptest! {
    #[test]
    fn what_goes_in_comes_out(
        longs in prop::collection::vec(any::<i64>(), 0..50),
        options in prop::collection::vec(prop::option::of(any::<i32>()), 0..50),
        bits in any::<u64>(),
        text in ".{0,20}",
        bytes in prop::collection::vec(any::<u8>(), 0..50),
        names in prop::collection::vec(prop::collection::vec(1_u8.., 0..30), 0..20),
        texts in prop::collection::vec(".{0,5}", 0..20),
    ) {
        fn check<T>(from: &T) -> Result<(), TestCaseError>
        where
            for<'a> T:
                Clone + Debug + PartialEq + Into<Value> + TryFrom<ValueRef<'a>, Error = ConvertError>,
        {
            let value: Value = from.clone().into();
            prop_assert_eq!(&value.to::<T>().unwrap(), from);
            Ok(())
        }

        let number = longs.first().copied().unwrap_or_default();
        let small = number as i32;
        let float = f64::from_bits(bits);
        let real = f32::from_bits(bits as u32);
        let symbols: Vec<Symbol> = names.iter().map(|name| Symbol::new(name).unwrap()).collect();
        let options: Vec<Option<i32>> =
            options.into_iter().map(|item| item.filter(|item| !item.is_null())).collect();
        check(&(number, small, number as i16, number > 0))?;
        check(&(Byte(bits as u8), Char(bits as u8), Guid([bits as u8; 16])))?;
        check(&(Timestamp(number), Timespan(number), Month(small), Date(small)))?;
        check(&(Minute(small), Second(small), Time(small)))?;
        check(&(longs.clone(), options.clone(), symbols.clone(), texts.clone(), text.clone()))?;
        check(&longs)?;
        check(&options)?;
        check(&symbols)?;
        check(&symbols.first().cloned().filter(|symbol| !symbol.is_empty()))?;
        check(&text)?;
        check(&bytes)?;
        check(&vec![bytes.clone(), bytes])?;
        check(&texts)?;
        let floats = Value::from((float, real, Datetime(float), vec![float]));
        let (a, b, c, d) = floats.to::<(f64, f32, Datetime, Vec<f64>)>().unwrap();
        prop_assert!(same(&[a, c.0, d[0]], &[float; 3]));
        prop_assert!(same(&[b], &[real]));
    }
}

/// Whether two slices hold the same bits, NaN or not.
fn same<T: bytemuck::NoUninit>(a: &[T], b: &[T]) -> bool {
    bytemuck::cast_slice::<T, u8>(a) == bytemuck::cast_slice::<T, u8>(b)
}

fn wrong(expected: Expected, found: ValueType) -> ConvertError {
    ConvertError::Type { expected, found }
}
