//! The functions that there are, and how they are applied.

use hopen_codec::value::{Atom, FunctionRef, SymbolRef, UnaryPrimitive, Value, ValueRef};

use super::arithmetic::{Operation, sum};
use super::list;
use super::signal::Signal;
use super::work::Work;

/// Returns the function of a name. `echo` is the identity, which q has no name for.
pub(super) fn named(name: SymbolRef<'_>) -> Option<UnaryPrimitive> {
    let spelt = match name.as_bytes() {
        b"count" => "#:",
        b"echo" => "::",
        b"sum" => "sum",
        b"til" => "!:",
        _ => return None,
    };
    (0..=u8::MAX)
        .filter_map(UnaryPrimitive::new)
        .find(|function| function.name() == spelt)
}

/// Applies a function to its arguments.
pub(super) fn apply(
    function: &Value,
    arguments: &[Value],
    work: &mut Work,
) -> Result<Value, Signal> {
    let ValueRef::Function(function) = function.as_ref() else {
        return Err(Signal::missing("index"));
    };
    match function {
        FunctionRef::Unary(function) => match arguments {
            [argument] => apply_unary(function, argument, work),
            _ => Err(Signal::Rank),
        },
        FunctionRef::Binary(function) => match arguments {
            [x, y] => match function.name() {
                "+" => Operation::Add.apply(x.as_ref(), y.as_ref(), work),
                "-" => Operation::Subtract.apply(x.as_ref(), y.as_ref(), work),
                "*" => Operation::Multiply.apply(x.as_ref(), y.as_ref(), work),
                "%" => Operation::Divide.apply(x.as_ref(), y.as_ref(), work),
                "," => list::join(x, y, work),
                other => Err(Signal::missing(other)),
            },
            [_] => Err(Signal::missing("projection")),
            _ => Err(Signal::Rank),
        },
        FunctionRef::Lambda(_) => Err(Signal::missing("{")),
        FunctionRef::Projection(_) => Err(Signal::missing("projection")),
        FunctionRef::Composition(_) => Err(Signal::missing("composition")),
        FunctionRef::Iterator(_) | FunctionRef::Derived(_) | _ => Err(Signal::missing("iterator")),
    }
}

fn apply_unary(
    function: UnaryPrimitive,
    argument: &Value,
    work: &mut Work,
) -> Result<Value, Signal> {
    match function.name() {
        "::" => Ok(argument.clone()),
        "#:" => count(argument.as_ref()),
        "!:" => til(argument.as_ref(), work),
        "sum" => sum(argument, work),
        // An argument that was left out is no function.
        "" => Err(Signal::Type),
        other => Err(Signal::missing(other)),
    }
}

/// Returns how many items there are: of a table its rows, of a dictionary its keys, of anything
/// else but a vector or list 1. [KX, count](https://code.kx.com/q/ref/count/).
fn count(mut value: ValueRef<'_>) -> Result<Value, Signal> {
    // The keys of a dictionary may be a dictionary, to any depth.
    while let ValueRef::Dict(dict) = value {
        value = dict.keys();
    }
    let count = match value {
        // A table by reference has its columns elsewhere.
        ValueRef::Table(table) => table.rows().map_err(|_| Signal::Type)?,
        ValueRef::Vector(_) | ValueRef::List(_) | ValueRef::Atom(_) | ValueRef::Function(_) | _ => {
            value.elements().map_or(1, |items| items.len())
        }
    };
    Ok(Value::from(count as i64))
}

/// Returns the numbers from 0 up to, but without, the argument.
/// [KX, til](https://code.kx.com/q/ref/til/).
fn til(value: ValueRef<'_>, work: &mut Work) -> Result<Value, Signal> {
    let end = match value {
        ValueRef::Atom(Atom::Long(end)) => end,
        ValueRef::Atom(
            atom @ (Atom::Boolean(_) | Atom::Byte(_) | Atom::Short(_) | Atom::Int(_)),
        ) => return Err(Signal::missing(atom.basic_type().name())),
        ValueRef::Atom(_)
        | ValueRef::Vector(_)
        | ValueRef::List(_)
        | ValueRef::Dict(_)
        | ValueRef::Table(_)
        | ValueRef::Function(_)
        | _ => return Err(Signal::Type),
    };
    let count = usize::try_from(end).map_err(|_| Signal::Domain)?;
    work.spend_items(count, size_of::<i64>())?;
    Ok(Value::from((0..end).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use hopen_codec::sym;

    use super::*;

    #[test]
    fn every_name_has_its_function() {
        for (name, printed) in [
            ("count", "#:"),
            ("echo", "::"),
            ("sum", "sum"),
            ("til", "!:"),
        ] {
            let function = named(SymbolRef::new(name.as_bytes()).unwrap());
            assert_eq!(function.unwrap().to_string(), printed);
        }
        assert_eq!(named(sym!("avg").as_ref()), None);
    }
}
