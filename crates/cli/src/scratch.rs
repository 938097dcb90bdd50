//! A scratch process: evaluates what a client sends, for trying things and for tests.
//!
//! It is no q. It understands a corner of q, enough to see each kind of message and each kind of
//! answer, and says `nyi` to the rest:
//!
//! | text | what it is |
//! | --- | --- |
//! | `1`, `-3`, `2.5`, `1e3`, `3f`, `0N`, `0n`, `0W`, `0w`, `1 2 3` | longs and floats |
//! | `"abc"`, `"a"`, `` `a ``, `` `a`b `` | strings with q's escapes, a char, symbols |
//! | `(1;2;"x")`, `()`, `(x)` | a list, which is a vector where it can be one; `x` |
//! | `x+y`, `x-y`, `x*y`, `x%y`, `x,y`, `+[x;y]` | arithmetic of longs and floats; join |
//! | `til x`, `count x`, `sum x`, `til[x]` | as in q |
//! | `echo x` | `x`: the identity `::` by a name |
//! | `trade` | a table of 6 rows |
//! | `a:x`, `a` | a name |
//!
//! As in q everything is evaluated from right to left and no verb is before another
//! ([KX, Syntax](https://code.kx.com/q/basics/syntax/)). A text that gives a name a value is
//! answered by `::`, as PyKX shows it for the q inside it
//! ([KX, PyKX, Evaluating](https://code.kx.com/pykx/user-guide/fundamentals/evaluating.html)); a q
//! server was not at hand, and KX's page on `value` shows the value itself where q evaluates the
//! text. In the middle of a text an assignment is its value.
//!
//! A list is a function and its arguments, as q's `value` has it
//! ([KX, value](https://code.kx.com/q/ref/value/)): `` (`sum;1 2 3) ``, `("+";1;2)`, `(+;1;2)`. A
//! symbol or a text in the first place is evaluated, the rest is taken as it is. q makes a vector
//! of a list of symbols, so `` `echo`a `` is a call too. A symbol by itself is the value of a name.
//!
//! # Limits
//!
//! | what | how much | else |
//! | --- | --- | --- |
//! | a text | 1 MiB | `limit` |
//! | brackets within brackets, and arithmetic in lists within lists | 100 | `limit` |
//! | items of a vector or list that is made | 10,000,000 | `limit` |
//! | names | 1000 | `limit` |
//! | memory of all names, by encoded length | 256 MiB | `wsfull` |
//! | bytes that one query reads and makes | 1 GiB | `wsfull` |

mod arithmetic;
mod functions;
mod list;
mod literals;
mod names;
mod program;
mod signal;
#[cfg(test)]
mod tests;
mod tokens;
mod work;

use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::{FunctionRef, SymbolRef, Value, ValueRef};

use names::Names;
use program::Program;
use signal::Signal;
use work::Work;

/// A scratch process: the names that were defined, `trade` from the start.
pub(crate) struct Scratch {
    names: Names,
}

impl Scratch {
    /// Starts a process.
    pub(crate) fn new() -> Self {
        Self {
            names: Names::new(),
        }
    }

    /// Evaluates what a client sent: a text (a char vector or a char), a list of a function and
    /// its arguments, or a name as a symbol.
    ///
    /// # Errors
    ///
    /// What q signals, by q's word: see the module.
    pub(crate) fn evaluate(&mut self, query: &Value) -> Result<Value, RemoteError> {
        let mut work = Work::of_one_query();
        Ok(self.answer(query, &mut work)?)
    }

    fn answer(&mut self, query: &Value, work: &mut Work) -> Result<Value, Signal> {
        if let Some(value) = self.resolve(query.as_ref(), work)? {
            return Ok(value);
        }
        let mut items = query.as_ref().elements().ok_or(Signal::Type)?;
        let first = items.next().ok_or(Signal::Type)?;
        let function = match self.resolve(first, work)? {
            Some(function) => function,
            None if first.to::<FunctionRef<'_>>().is_ok() => query.share(first),
            None => return Err(Signal::Type),
        };
        if items.len() > MOST_ARGUMENTS {
            return Err(Signal::Rank);
        }
        let arguments: Vec<Value> = items.map(|item| query.share(item)).collect();
        functions::apply(&function, &arguments, work)
    }

    /// Returns what a text or a symbol stands for, or `None` for anything else.
    fn resolve(&mut self, value: ValueRef<'_>, work: &mut Work) -> Result<Option<Value>, Signal> {
        if let Ok(text) = value.to::<&[u8]>() {
            Program::parse(text)?.run(&mut self.names, work).map(Some)
        } else if let Ok(name) = value.to::<SymbolRef<'_>>() {
            self.names.get(name).map(Some)
        } else {
            Ok(None)
        }
    }
}

/// How many arguments any function of q takes at most.
const MOST_ARGUMENTS: usize = 8;
