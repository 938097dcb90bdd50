//! Arithmetic: longs and floats, item by item.
//!
//! What is not written at each operation is the same for all: two vectors have to be of one count,
//! an atom goes with every item, lists are gone into, and a null gives a null. Other types of
//! numbers q knows how to mix; rather than an answer of another type than q's they get `nyi`.

use std::borrow::Cow;
use std::iter;

use hopen_codec::value::{Atom, BasicType, Item, Nullable, Value, ValueRef, Vector};

use super::list;
use super::signal::Signal;
use super::work::Work;

/// An operation on two numbers.
#[derive(Clone, Copy)]
pub(super) enum Operation {
    /// [KX, Add](https://code.kx.com/q/ref/add/).
    Add,
    /// [KX, Subtract](https://code.kx.com/q/ref/subtract/).
    Subtract,
    /// [KX, Multiply](https://code.kx.com/q/ref/multiply/).
    Multiply,
    /// Of two longs a float as well: [KX, Divide](https://code.kx.com/q/ref/divide/).
    Divide,
}

impl Operation {
    /// Applies the operation.
    ///
    /// Integers wrap around and know no infinity, only the null:
    /// [KX, Datatypes, Infinities](https://code.kx.com/q/basics/datatypes/#infinities).
    pub(super) fn apply(
        self,
        x: ValueRef<'_>,
        y: ValueRef<'_>,
        work: &mut Work,
    ) -> Result<Value, Signal> {
        self.apply_at(0, x, y, work)
    }

    fn apply_at(
        self,
        depth: usize,
        x: ValueRef<'_>,
        y: ValueRef<'_>,
        work: &mut Work,
    ) -> Result<Value, Signal> {
        let numbers = (Numbers::of(x)?, Numbers::of(y)?);
        let count = match (x.elements(), y.elements()) {
            (Some(x), Some(y)) if x.len() != y.len() => return Err(Signal::Length),
            (Some(items), _) | (_, Some(items)) => items.len(),
            (None, None) => 1,
        };
        if let (Some(x), Some(y)) = numbers {
            work.spend_items(count, size_of::<i64>())?;
            return Ok(self.apply_to_numbers(x, y));
        }
        if depth == DEEPEST {
            return Err(Signal::Limit);
        }
        work.spend_items(count, size_of::<Value>())?;
        let mut items = Vec::new();
        for (x, y) in each(x).zip(each(y)) {
            items.push(self.apply_at(depth + 1, x, y, work)?);
        }
        list::of(&items, work)
    }

    fn apply_to_numbers(self, x: Numbers<'_>, y: Numbers<'_>) -> Value {
        let longs: Option<fn(i64, i64) -> i64> = match self {
            Self::Add => Some(i64::wrapping_add),
            Self::Subtract => Some(i64::wrapping_sub),
            Self::Multiply => Some(i64::wrapping_mul),
            Self::Divide => None,
        };
        match (longs, x, y) {
            (Some(longs), Numbers::Longs(x), Numbers::Longs(y)) => zip(&x, &y, |x, y| {
                if x.is_null() || y.is_null() {
                    i64::NULL
                } else {
                    longs(x, y)
                }
            }),
            (_, x, y) => {
                let floats: fn(f64, f64) -> f64 = match self {
                    Self::Add => |x, y| x + y,
                    Self::Subtract => |x, y| x - y,
                    Self::Multiply => |x, y| x * y,
                    Self::Divide => |x, y| x / y,
                };
                zip(&x.into_floats(), &y.into_floats(), |x, y| {
                    let float = floats(x, y);
                    // Of the many NaNs the one that is written as null.
                    if float.is_null() { f64::NULL } else { float }
                })
            }
        }
    }
}

/// Adds all items up: of a vector without its nulls, of a list with `+`, which keeps them; an atom
/// is its own sum. [KX, sum](https://code.kx.com/q/ref/sum/).
pub(super) fn sum(value: &Value, work: &mut Work) -> Result<Value, Signal> {
    let numbers = Numbers::of(value.as_ref())?;
    let items = value.as_ref().elements();
    work.spend(items.map_or(1, |items| items.len()) as u64 * size_of::<i64>() as u64)?;
    Ok(match numbers {
        Some(Numbers::Longs(Operand::Vector(longs))) => {
            let longs = longs.iter().filter(|long| !long.is_null());
            Value::from(longs.fold(0, |sum: i64, long| sum.wrapping_add(*long)))
        }
        Some(Numbers::Floats(Operand::Vector(floats))) => {
            let floats = floats.iter().filter(|float| !float.is_null());
            Value::from(floats.fold(0.0, |sum, float| sum + float))
        }
        Some(Numbers::Longs(Operand::Atom(_)) | Numbers::Floats(Operand::Atom(_))) => value.clone(),
        None => {
            let mut items = value.as_ref().elements().into_iter().flatten();
            let Some(first) = items.next() else {
                return Ok(Value::from(0_i64));
            };
            items.try_fold(value.share(first), |sum, item| {
                Operation::Add.apply(sum.as_ref(), item, work)
            })?
        }
    })
}

/// Longs or floats: an atom or a vector of them.
enum Numbers<'a> {
    Longs(Operand<'a, i64>),
    Floats(Operand<'a, f64>),
}

impl<'a> Numbers<'a> {
    /// Returns the numbers that a value is, or `None` where it is a list, whose items may be
    /// numbers.
    fn of(value: ValueRef<'a>) -> Result<Option<Self>, Signal> {
        Ok(Some(match value {
            ValueRef::List(_) => return Ok(None),
            ValueRef::Atom(Atom::Long(long)) => Self::Longs(Operand::Atom(long)),
            ValueRef::Atom(Atom::Float(float)) => Self::Floats(Operand::Atom(float)),
            ValueRef::Vector(Vector::Long(longs)) => {
                Self::Longs(Operand::Vector(longs.into_slice()))
            }
            ValueRef::Vector(Vector::Float(floats)) => {
                Self::Floats(Operand::Vector(floats.into_slice()))
            }
            ValueRef::Atom(atom) => return Err(refusal(atom.basic_type())),
            ValueRef::Vector(vector) => return Err(refusal(vector.basic_type())),
            ValueRef::Dict(_) => return Err(Signal::missing("dictionary")),
            ValueRef::Table(_) => return Err(Signal::missing("table")),
            ValueRef::Function(_) | _ => return Err(Signal::Type),
        }))
    }

    /// Makes floats of the numbers. A null stays one; an infinite long becomes the number that it
    /// is kept as, as in q.
    fn into_floats(self) -> Operand<'a, f64> {
        let float = |long: i64| {
            if long.is_null() {
                f64::NULL
            } else {
                long as f64
            }
        };
        match self {
            Self::Floats(floats) => floats,
            Self::Longs(Operand::Atom(long)) => Operand::Atom(float(long)),
            Self::Longs(Operand::Vector(longs)) => {
                Operand::Vector(longs.iter().map(|long| float(*long)).collect())
            }
        }
    }
}

/// One side of an operation.
enum Operand<'a, T: Clone> {
    Atom(T),
    Vector(Cow<'a, [T]>),
}

/// Applies a function to the items of two sides of one count.
fn zip<T: Item>(x: &Operand<'_, T>, y: &Operand<'_, T>, apply: impl Fn(T, T) -> T) -> Value {
    let items: Vec<T> = match (x, y) {
        (Operand::Atom(x), Operand::Atom(y)) => return Value::from(apply(*x, *y)),
        (Operand::Atom(x), Operand::Vector(y)) => y.iter().map(|y| apply(*x, *y)).collect(),
        (Operand::Vector(x), Operand::Atom(y)) => x.iter().map(|x| apply(*x, *y)).collect(),
        (Operand::Vector(x), Operand::Vector(y)) => {
            x.iter().zip(&**y).map(|(x, y)| apply(*x, *y)).collect()
        }
    };
    Value::from(items)
}

/// Iterates over the items of a vector or list, or repeats an atom without end.
fn each(value: ValueRef<'_>) -> impl Iterator<Item = ValueRef<'_>> {
    let items = value.elements();
    let atom = items.is_none().then(|| iter::repeat(value));
    items
        .into_iter()
        .flatten()
        .chain(atom.into_iter().flatten())
}

/// Says why there is no arithmetic with a type.
fn refusal(basic: BasicType) -> Signal {
    match basic {
        BasicType::Guid | BasicType::Char | BasicType::Symbol => Signal::Type,
        BasicType::Boolean
        | BasicType::Byte
        | BasicType::Short
        | BasicType::Int
        | BasicType::Long
        | BasicType::Real
        | BasicType::Float
        | BasicType::Timestamp
        | BasicType::Month
        | BasicType::Date
        | BasicType::Datetime
        | BasicType::Timespan
        | BasicType::Minute
        | BasicType::Second
        | BasicType::Time => Signal::missing(basic.name()),
    }
}

/// How deep lists within lists are gone into.
const DEEPEST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_that_is_read_or_made_is_paid_for() {
        let longs = Value::from(vec![1_i64; 10]);
        let one = Value::from(1_i64);
        let nested = Value::from((&longs, 1_i64));
        for operation in [
            Operation::Add,
            Operation::Subtract,
            Operation::Multiply,
            Operation::Divide,
        ] {
            let cost =
                |x: &Value, y: &Value| cost(|work| operation.apply(x.as_ref(), y.as_ref(), work));
            assert_eq!(cost(&longs, &longs), 80);
            assert_eq!(cost(&longs, &one), 80);
            assert_eq!(cost(&one, &one), 8);
            assert!(cost(&nested, &one) > 88);
        }
        assert_eq!(cost(|work| sum(&longs, work)), 80);
        assert!(cost(|work| sum(&nested, work)) > 80);
    }

    #[test]
    fn null_is_one_nan_and_no_other() {
        for (x, y) in [(0.0, 0.0), (f64::from_bits(u64::MAX), 1.0)] {
            let (x, y) = (Value::from(x), Value::from(y));
            let quotient = Operation::Divide.apply(x.as_ref(), y.as_ref(), &mut Work::of(8));
            let float: f64 = quotient.unwrap().to().unwrap();
            assert_eq!(float.to_bits(), f64::NULL.to_bits());
        }
    }

    /// Returns the least work that is enough.
    fn cost(evaluate: impl Fn(&mut Work) -> Result<Value, Signal>) -> u64 {
        let enough = |bytes| match evaluate(&mut Work::of(bytes)) {
            Ok(_) => true,
            Err(Signal::WorkspaceFull) => false,
            Err(signal) => panic!("{signal:?}"),
        };
        (0..1000).find(|bytes| enough(*bytes)).unwrap()
    }
}
