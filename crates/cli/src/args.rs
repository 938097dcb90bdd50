//! The command line.

use core::time::Duration;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue};
use clap::{Args, Parser, Subcommand, ValueEnum};
use hopen_codec::address::{Address, HopenArgument, Target};
use hopen_codec::byte_order::ByteOrder;
use hopen_console::Precision;

use crate::status::{Status, report};

mod files;
mod notes;
mod serve;
mod subscribe;

pub(crate) use files::{AppendOptions, Content, Packing, Pieces, ReadOptions};
pub(crate) use serve::{ServeFeed, ServeOptions, ServeTls};
pub(crate) use subscribe::SubscribeOptions;

use files::{AppendArguments, ReadArguments};
use notes::{APPEND_USAGE, INPUT_NOTES, NOTES, QUERY_USAGE, SHORT_NOTES};
use serve::{ServeArguments, USER};
use subscribe::SubscribeArguments;

/// What the command line asks for.
pub(crate) enum Task {
    /// Ask a process.
    Query(QueryOptions),
    /// Watch what a tickerplant publishes.
    Subscribe(SubscribeOptions),
    /// Read a pipe.
    Read(ReadOptions),
    /// Append to a file.
    Append(AppendOptions),
    /// Show messages.
    Decode(DecodeOptions),
    /// Write messages anew.
    Recode(RecodeOptions),
    /// Be a process to talk to.
    Serve(ServeOptions),
    /// Show every kind of handle.
    Demo,
}

/// `hopen HANDLE [QUERY…]`.
pub(crate) struct QueryOptions {
    /// Where to connect, and as whom.
    pub(crate) address: Address,
    /// What to ask; nothing where it is to be read from standard input, or typed.
    pub(crate) queries: Vec<OsString>,
    /// How long connecting and logging in may take.
    pub(crate) timeout: Option<Duration>,
    /// Whether to wait for answers.
    pub(crate) mode: Mode,
    /// Where the password is, if it is not in the handle.
    pub(crate) password_file: Option<PathBuf>,
    /// How the answers are printed.
    pub(crate) output: OutputOptions,
}

/// How values are printed.
#[derive(Clone, Copy)]
pub(crate) struct OutputOptions {
    /// In which form.
    pub(crate) format: Format,
    /// With how many digits of a float.
    pub(crate) precision: Precision,
}

/// The forms that a value has in print.
#[derive(Clone, Copy)]
pub(crate) enum Format {
    /// On a terminal as q's console has it, elsewhere the short form.
    Usual,
    /// One line, as q's `-3!` has it.
    ShortForm,
    /// Tables as CSV.
    Csv,
    /// JSON.
    Json,
}

/// Whether answers are waited for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Each query is answered before the next is asked.
    Sync,
    /// Nothing is answered.
    Async,
}

/// Where messages come from.
pub(crate) struct InputOptions {
    /// The files, `-` for standard input; none is standard input too.
    pub(crate) files: Vec<PathBuf>,
    /// How they stand there.
    pub(crate) layout: Layout,
}

/// How messages stand in the input.
#[derive(Clone, Copy)]
pub(crate) enum Layout {
    /// As hex digits, one message a line.
    HexLines,
    /// As bytes one behind the other.
    Raw,
}

/// `hopen decode`.
pub(crate) struct DecodeOptions {
    /// Where messages come from.
    pub(crate) input: InputOptions,
    /// How they are shown.
    pub(crate) detail: Detail,
}

/// How a message is shown.
#[derive(Clone, Copy)]
pub(crate) enum Detail {
    /// The value on one line.
    ShortForm,
    /// The bytes beside their meaning.
    EveryByte,
}

/// `hopen recode`.
pub(crate) struct RecodeOptions {
    /// Where messages come from.
    pub(crate) input: InputOptions,
    /// The byte order to write; nothing for the one that a message came in.
    pub(crate) order: Option<ByteOrder>,
    /// Which messages to compress.
    pub(crate) compress: Recompress,
}

/// Which messages are compressed when they are written again.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Recompress {
    /// What KX's C library compresses toward another host: bodies of more than 2000 bytes that
    /// become less than half as long
    Always,
    /// Nothing
    Never,
    /// What came compressed
    Keep,
}

/// Reads the command line. Where that fails, or nothing is left to do, what there is to say has
/// been said.
pub(crate) fn read() -> Result<Task, Status> {
    let arguments = Arguments::try_parse().map_err(|mut error| {
        // A handle in the wrong place may hold a password; our own name for one does not.
        for kind in [ContextKind::InvalidValue, ContextKind::InvalidArg] {
            if let Some(ContextValue::String(value)) = error.get(kind)
                && value.replace(USER, "").contains(':')
            {
                error.insert(kind, ContextValue::String("…".to_owned()));
                error.remove(ContextKind::Suggested);
            }
        }
        let printed = error.print();
        match printed {
            _ if error.use_stderr() => Status::Usage,
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Status::CannotWrite,
            _ => Status::Success,
        }
    })?;
    match arguments.command {
        None => arguments.query.into_options().map(Task::Query),
        Some(Command::Subscribe(arguments)) => arguments.into_options().map(Task::Subscribe),
        Some(Command::Read(arguments)) => arguments.into_options().map(Task::Read),
        Some(Command::Append(arguments)) => arguments.into_options().map(Task::Append),
        Some(Command::Decode(arguments)) => Ok(Task::Decode(DecodeOptions {
            input: arguments.input.into_options(),
            detail: if arguments.explain {
                Detail::EveryByte
            } else {
                Detail::ShortForm
            },
        })),
        Some(Command::Recode(arguments)) => Ok(Task::Recode(RecodeOptions {
            input: arguments.input.into_options(),
            order: arguments.order.map(|order| match order {
                Order::Little => ByteOrder::Little,
                Order::Big => ByteOrder::Big,
            }),
            compress: arguments.compress,
        })),
        Some(Command::Serve(arguments)) => arguments.into_options().map(Task::Serve),
        Some(Command::Demo) => Ok(Task::Demo),
    }
}

/// Asks a kdb+ process, or shows what the bytes of its messages mean
///
/// Connects to a kdb+ process, asks each QUERY in turn over the one connection, and prints each
/// value: on a terminal as q's console does, cut to its size, elsewhere on a line in the short form
/// of q's `-3!`. `::`, which is what q returns where there is nothing to return, prints nothing.
///
/// Without a QUERY, all of standard input is one query. Where standard input and output are a
/// terminal, each line is one, until `\\`, which leaves.
#[derive(Parser)]
#[command(
    name = "hopen",
    version,
    override_usage = QUERY_USAGE,
    after_help = SHORT_NOTES,
    after_long_help = NOTES,
    max_term_width = 100,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    query: QueryArguments,
}

#[derive(Args)]
struct QueryArguments {
    /// Where to connect, then what to ask; options come before
    ///
    /// HANDLE is what q's hopen takes for a process: `:HOST:PORT`, `::PORT` or `PORT` for this
    /// host, `:unix://PORT` for its Unix domain socket, `:tcps://HOST:PORT` and `:unixs://PORT` for
    /// TLS; each with `:USER` or `:USER:PASSWORD` behind it, with a backtick before it, or with a
    /// time-out: '(`:HOST:PORT;MS)'. The password is all that follows the colon behind the user.
    ///
    /// Each QUERY is a text that the process evaluates. Options come before HANDLE: whatever
    /// follows it is a query, also if it begins with `-` as `-2+3` does. Without a QUERY, all of
    /// standard input is one query, but for the newline at its end.
    #[arg(value_names = ["HANDLE", "QUERY"], num_args = 1.., required = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,

    /// Give up connecting and logging in after MS milliseconds
    ///
    /// As in q this does not bound the answers. A process that is busy answers the login when it
    /// comes round to it, so the wait for that is included.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,

    /// Send the queries without waiting for answers, as q's `neg h` does
    ///
    /// Ends when everything has been written. Whether the process evaluates it, and to what, is
    /// not known then.
    #[arg(long = "async", conflicts_with_all = ["short", "csv", "json", "precision"])]
    asynchronous: bool,

    #[command(flatten)]
    output: OutputArguments,

    /// Take the password from the first line of FILE
    ///
    /// Used where HANDLE has no password, with its user or without one. Before
    /// HOPEN_PASSWORD from the environment, which is used likewise. Other users of a machine can
    /// see a command line, and with it a password in HANDLE.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl QueryArguments {
    fn into_options(self) -> Result<QueryOptions, Status> {
        let output = self.output.to_options();
        let mut arguments = self.arguments.into_iter();
        let handle = arguments.next().unwrap_or_default();
        let mut queries: Vec<_> = arguments.collect();
        // Those who expect to need it write `hopen HANDLE -- -2+3`.
        if queries.first().is_some_and(|first| first == "--") {
            queries.remove(0);
        }
        let HopenArgument {
            target, timeout, ..
        } = read_handle(&handle)?;
        let address = match target {
            Target::Process(address) => address,
            Target::Pipe { .. } => {
                return Err(wrong_usage(format_args!(
                    "the handle names a pipe, which `hopen read` reads: for a process write \
                     :HOST:PORT"
                )));
            }
            Target::File { .. } => {
                return Err(wrong_usage(format_args!(
                    "the handle names a file, which `hopen append` appends to: for a process write \
                     :HOST:PORT"
                )));
            }
        };
        let option = self.timeout.map(|ms| Duration::from_millis(ms.into()));
        if timeout.is_some() && option.is_some() {
            return Err(wrong_usage(format_args!(
                "the handle has a time-out: write no --timeout"
            )));
        }
        let timeout = timeout.or(option);
        Ok(QueryOptions {
            address,
            queries,
            timeout,
            output,
            mode: if self.asynchronous {
                Mode::Async
            } else {
                Mode::Sync
            },
            password_file: self.password_file,
        })
    }
}

#[derive(Args)]
struct OutputArguments {
    /// Print values in the short form, on a terminal too
    #[arg(long, conflicts_with_all = ["csv", "json"])]
    short: bool,

    /// Print tables as CSV: a line of names, and one for each row
    ///
    /// What is no table is an error.
    #[arg(long, conflicts_with = "json")]
    csv: bool,

    /// Print values as JSON, about as q's `.j.j` has it: a table is an array of objects
    #[arg(long)]
    json: bool,

    /// Print N digits of a float, as q's `\P` says; 0 is all of them [default: 7]
    ///
    /// With all of them, 17, every float that is printed reads back as it was.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=17))]
    precision: Option<u8>,
}

impl OutputArguments {
    fn to_options(&self) -> OutputOptions {
        OutputOptions {
            format: match (self.short, self.csv, self.json) {
                (true, _, _) => Format::ShortForm,
                (_, true, _) => Format::Csv,
                (_, _, true) => Format::Json,
                (false, false, false) => Format::Usual,
            },
            precision: match self.precision {
                Some(digits) => Precision::new(digits.into()),
                None => Precision::DEFAULT,
            },
        }
    }
}

/// Reads a handle. It may hold a password and is not printed.
fn read_handle(handle: &OsStr) -> Result<HopenArgument, Status> {
    match handle.to_str().map(str::parse) {
        Some(Ok(argument)) => Ok(argument),
        Some(Err(error)) => Err(wrong_usage(format_args!("{error}"))),
        None => Err(wrong_usage(format_args!("the handle is not UTF-8"))),
    }
}

#[derive(Subcommand)]
enum Command {
    /// Watch what a tickerplant publishes
    ///
    /// Subscribes to a table as kdb+tick has it, by (".u.sub";`TABLE;`SYM…), and prints each update: on
    /// a terminal as q's console shows its table, elsewhere the message on a line. Where the connection
    /// is lost it connects and subscribes again, and standard error says from when to when something
    /// may be missing. Ctrl-C ends it, with a line of what has come.
    Subscribe(SubscribeArguments),
    /// Read a named pipe or a device: bytes, lines or messages
    ///
    /// Opening a named pipe waits until somebody opens it for writing. What comes is printed as it
    /// comes, until the last writer has closed.
    Read(ReadArguments),
    /// Append lines, or all of standard input, to a file
    ///
    /// Makes the file where there is none, and the folders in front of it.
    #[command(override_usage = APPEND_USAGE)]
    Append(AppendArguments),
    /// Show messages as text, or byte by byte
    ///
    /// Reads whole messages, header included, and prints one line for each: the value in the short
    /// form of q's `-3!`, an error as `'text`.
    #[command(after_help = INPUT_NOTES)]
    Decode(DecodeArguments),
    /// Decode messages and encode them again, as hex lines
    ///
    /// Reads whole messages, header included, and prints each as a line of hex digits: the same
    /// value and kind, written anew.
    #[command(after_help = INPUT_NOTES)]
    Recode(RecodeArguments),
    /// Be a scratch process to try things on
    ///
    /// Listens, prints `listening on HOST:PORT`, and answers clients until SIGINT or SIGTERM. One
    /// query is evaluated at a time, over one state, as in q.
    ///
    /// This is no q. It knows numbers, strings, symbols, lists of them, `+ - * %`, `,`, `til`,
    /// `count`, `sum`, names and `name:expression`, and lists of a function and its arguments; `echo`
    /// returns its argument as it came, and `trade` is a table. To the rest it says `nyi`.
    Serve(ServeArguments),
    /// Show every kind of handle in use
    ///
    /// Starts processes like `hopen serve`, talks to them by every kind of handle, and prints what
    /// was sent and what came back. A row that is not as expected says so, and ends it with 1.
    Demo,
}

#[derive(Args)]
struct DecodeArguments {
    #[command(flatten)]
    input: InputArguments,

    /// Print the bytes of each message beside their meaning, field by field
    #[arg(long)]
    explain: bool,
}

#[derive(Args)]
struct RecodeArguments {
    #[command(flatten)]
    input: InputArguments,

    /// The byte order to write [default: the one that the message came in]
    #[arg(long)]
    order: Option<Order>,

    /// What to compress
    #[arg(long, default_value = "keep")]
    compress: Recompress,
}

#[derive(Args)]
struct InputArguments {
    /// Files with messages; `-` or none is standard input
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// The input is the messages themselves, one behind the other, not hex lines
    #[arg(long)]
    raw: bool,
}

impl InputArguments {
    fn into_options(self) -> InputOptions {
        let layout = if self.raw {
            Layout::Raw
        } else {
            Layout::HexLines
        };
        InputOptions {
            files: self.files,
            layout,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Order {
    /// Least significant byte first
    Little,
    /// Most significant byte first
    Big,
}

/// Says what is wrong with the command line, and where to read more.
fn wrong_usage(what: core::fmt::Arguments<'_>) -> Status {
    report(format_args!(
        "error: {what}\n\nFor more information, try '--help'."
    ));
    Status::Usage
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn whatever_follows_the_handle_is_a_query() {
        let parse = |arguments: &[&str]| {
            let arguments = Arguments::try_parse_from([&["hopen"], arguments].concat()).unwrap();
            assert!(arguments.command.is_none());
            let options = arguments
                .query
                .into_options()
                .unwrap_or_else(|_| panic!("no handle"));
            (options.timeout.is_some(), options.queries)
        };
        for (arguments, timeout, queries) in [
            (&["::1", "-2+3"][..], false, &["-2+3"][..]),
            (&["::1", "--", "-2+3"], false, &["-2+3"]),
            (&["::1", "--timeout", "5"], false, &["--timeout", "5"]),
            (
                &["--timeout", "5", "::1", "-h", "decode"],
                true,
                &["-h", "decode"],
            ),
            (&["--", "::1", "--"], false, &[]),
            (&["::1", "", "--"], false, &["", "--"]),
        ] {
            let (found, asked) = parse(arguments);
            assert_eq!(found, timeout, "{arguments:?}");
            assert_eq!(asked, queries, "{arguments:?}");
        }
    }
}
