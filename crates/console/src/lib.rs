//! Values as people read them: kdb+'s console, CSV, JSON.
//!
//! [`Console::show`] is q's `show`: what q prints of a value at its prompt, `.Q.s`. [`write_csv`]
//! and [`write_json`] write tables for other programs. The one-line text of a value, q's `-3!`, is
//! its `Display`.
//!
//! ```
//! use hopen_codec::{sym, value::{Dict, Table, Value}};
//! use hopen_console::Console;
//!
//! let tickers = Table::new([(sym!("ticker"), [sym!("ibm"), sym!("amd")].into())])?;
//! let prices = Table::new([
//!     (sym!("price"), vec![101.25, f64::NAN].into()),
//!     (sym!("bids"), (vec![300_i64, 20], vec![5_i64, 1]).into()),
//! ])?;
//! let keyed = Value::from(Dict::keyed_table(tickers, prices)?);
//! assert_eq!(
//!     Console::new().show(keyed.as_ref()).to_string(),
//!     "ticker| price  bids  \n\
//!      ------| -------------\n\
//!      ibm   | 101.25 300 20\n\
//!      amd   |        5   1 \n"
//! );
//! # Ok::<(), hopen_codec::value::TableError>(())
//! ```
//!
//! # What the console shows
//!
//! ```text
//! atom, vector     on one line, in short form               1 2 3f
//!
//! list             a line for each item, in short form      1
//!                                                           `a
//!                                                           "text"
//!
//! list of lists    in columns, where their counts are       1  20
//! of one count     equal: a matrix                          30 4
//!
//! dictionary       a line for each pair                     a  | 1
//!                                                           bcd| 2
//!
//! table            names, a rule, a line for each row;      ticker price
//!                  nulls are blank                          -------------
//!                                                           ibm    101.25
//!                                                           amd
//!
//! keyed table      the same, keys in front of the bar       ticker| price
//!                                                           ------| ------
//!                                                           ibm   | 101.25
//!
//! function         its text, on the lines that it has       {x+y}
//!
//! ::, ()           nothing
//! ```
//!
//! In columns, items of vectors stand as q's `string` has them
//! ([`Atom::string`](hopen_codec::value::Atom::string)), items of lists in short form. Columns are
//! padded to the widest item that is shown, the last one too: the blanks at the end of a line are
//! q's. Texts, bytes and booleans make no matrix: `("abc";"def")` is two lines of one text each.
//!
//! What is too large is cut, as `\c` of q says. Of 25 lines and 80 columns, a list or dictionary
//! takes 23 lines, and if it has more items, 22 and then `..`; a table or keyed table takes 21
//! rows and its two lines of head, or 20 rows and `..`. A line takes 79 columns; a longer one shows
//! 77 of them and `..`. Where only one side of a dictionary is a table, its head comes on top of
//! the 23 lines. Functions are not cut at lines, as in q, but at 2,000 of them or 1 MiB. Tables and
//! matrices show at most 1,000 columns.
//!
//! What cannot be laid out shows in short form, on one line: a table by reference, one whose columns
//! are of different counts, a dictionary of unequal sides, more than 16 lists, dictionaries and
//! tables inside each other. q does so as well where its own layout fails, but it neither cuts that
//! line nor ends it.
//!
//! # Columns of a terminal
//!
//! q counts bytes, and would cut a character in two. Here a column is one of a terminal, so that
//! what stands below each other does: 価 takes two. What takes none by itself, a combining mark,
//! counts as one, or any number of them would fit into a line. For ASCII both are the same.
//!
//! No control character reaches the terminal: they print as `\ooo`, as in the short form.
//!
//! # What it takes
//!
//! Only what shows is looked at: the first rows, and of a line as much as the console is wide.
//! Memory is that of the lines shown and of one column more, whatever the value. To get behind a
//! column of a received table takes no time if it is of fixed width; if it is of symbols or lists,
//! that is as long as a walk over it.
//!
//! # Where the rules come from
//!
//! From the definition of `.Q.s` in KX's `q.k`, which comes with PyKX, and from outputs of q that KX
//! and others published. No licensed q was at hand. What q shows of empty lists within a list, a
//! blank line for each here, is our reading, and so is what JSON and CSV have of types that KX's
//! pages give no example of: `.j.j` is described by its
//! [namespace page](https://code.kx.com/q/ref/dotj/), CSV by the one on
//! [file text](https://code.kx.com/q/ref/file-text/).

mod console;
mod export;
mod layout;
mod line;
mod precision;

pub use console::{Console, Shown};
pub use export::ExportError;
pub use export::csv::{write_csv, write_csv_rows};
pub use export::json::write_json;
pub use precision::Precision;
