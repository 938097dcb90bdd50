//! Whole conversations in memory: who is answered by whose answer, whatever comes when.
//!
//! ```text
//! scenarios   written by hand in the language of `script`, each in many ways of arrival
//! pair        two connections and a random program, beside a model of what must come, which is
//!             that of the fuzz target `conversation`
//! nesting     a connection and the model of `q`, which waits inside what it evaluates
//! ```

mod nesting;
mod pair;
mod q;
mod scenarios;
mod script;

use hopen_fuzz::conversation::wire;
