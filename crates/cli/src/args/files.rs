//! The command lines of `hopen read` and `hopen append`.

use std::ffi::OsString;

use clap::Args;
use hopen_codec::address::{HopenArgument, Target};

use super::{read_handle, wrong_usage};
use crate::status::Status;

/// `hopen read`.
pub(crate) struct ReadOptions {
    /// The pipe.
    pub(crate) pipe: Target,
    /// Whether what comes is packed.
    pub(crate) packing: Packing,
    /// What it is.
    pub(crate) content: Content,
}

/// How the bytes of a pipe are packed.
#[derive(Clone, Copy)]
pub(crate) enum Packing {
    /// Not at all.
    None,
    /// By gzip.
    Gzip,
}

/// What a pipe brings.
#[derive(Clone, Copy)]
pub(crate) enum Content {
    /// Bytes, passed on as they come.
    Bytes,
    /// Lines of text.
    Lines,
    /// Serialised messages, header included.
    Messages,
}

/// `hopen append`.
pub(crate) struct AppendOptions {
    /// The file.
    pub(crate) file: Target,
    /// What to append.
    pub(crate) pieces: Pieces,
}

/// What is appended to a file.
pub(crate) enum Pieces {
    /// These, each with a newline behind it.
    Lines(Vec<OsString>),
    /// Standard input as it is.
    Input,
}

#[derive(Args)]
pub(super) struct ReadArguments {
    /// What to read: `:fifo://PATH`
    #[arg(value_name = "HANDLE")]
    handle: OsString,

    /// What comes is packed by gzip; unpack it
    #[arg(long)]
    gzip: bool,

    /// Print lines, each when it is complete, without the \r of a \r\n
    ///
    /// A line of more than 16 MiB is left out, and said to be on standard error.
    #[arg(long, conflicts_with = "messages")]
    lines: bool,

    /// Print messages, header included, in the short form of q's `-3!`, an error as `'text`
    #[arg(long)]
    messages: bool,
}

impl ReadArguments {
    pub(super) fn into_options(self) -> Result<ReadOptions, Status> {
        let HopenArgument {
            target, timeout, ..
        } = read_handle(&self.handle)?;
        match &target {
            // A pipe that cannot be read is named, and this may be a process with its password.
            Target::Pipe { path } if looks_like_process(path) => {
                return Err(wrong_usage(format_args!(
                    "a colon stands in the path: write :HOST:PORT for a process, :fifo://./PATH for a \
                     pipe"
                )));
            }
            Target::Pipe { .. } if timeout.is_none() => {}
            Target::Pipe { .. } => {
                return Err(wrong_usage(format_args!(
                    "opening a pipe has no time-out: write :fifo://PATH"
                )));
            }
            Target::Process(_) => {
                return Err(wrong_usage(format_args!(
                    "the handle names a process, which `hopen HANDLE` asks: for a pipe write \
                     :fifo://PATH"
                )));
            }
            Target::File { .. } => {
                return Err(wrong_usage(format_args!(
                    "the handle names a file, which `hopen append` appends to: for a pipe write \
                     :fifo://PATH"
                )));
            }
        }
        Ok(ReadOptions {
            pipe: target,
            packing: if self.gzip {
                Packing::Gzip
            } else {
                Packing::None
            },
            content: match (self.lines, self.messages) {
                (true, _) => Content::Lines,
                (_, true) => Content::Messages,
                (false, false) => Content::Bytes,
            },
        })
    }
}

/// Returns whether a colon stands before the first slash, as in `host:5010:user:password`.
fn looks_like_process(path: &str) -> bool {
    path.split('/')
        .next()
        .is_some_and(|name| name.contains(':'))
}

#[derive(Args)]
pub(super) struct AppendArguments {
    /// What to append to, `:PATH`, then the lines
    ///
    /// All of them are one piece: what others append to the same file comes before or behind it.
    /// Whatever follows HANDLE is a line, also if it begins with `-`.
    #[arg(value_names = ["HANDLE", "LINE"], num_args = 1.., required = true, trailing_var_arg = true)]
    arguments: Vec<OsString>,

    /// Append all of standard input as it is
    #[arg(long)]
    raw: bool,
}

impl AppendArguments {
    pub(super) fn into_options(self) -> Result<AppendOptions, Status> {
        let mut arguments = self.arguments.into_iter();
        let handle = arguments.next().unwrap_or_default();
        let mut lines: Vec<_> = arguments.collect();
        if lines.first().is_some_and(|first| first == "--") {
            lines.remove(0);
        }
        let HopenArgument {
            target, timeout, ..
        } = read_handle(&handle)?;
        match target {
            Target::File { .. } if timeout.is_none() => {}
            Target::File { .. } => {
                return Err(wrong_usage(format_args!(
                    "opening a file has no time-out: write :PATH"
                )));
            }
            Target::Process(_) => {
                return Err(wrong_usage(format_args!(
                    "the handle names a process, which `hopen HANDLE` asks: for a file write :PATH"
                )));
            }
            Target::Pipe { .. } => {
                return Err(wrong_usage(format_args!(
                    "the handle names a pipe, which `hopen read` reads: for a file write :PATH"
                )));
            }
        }
        let pieces = match (self.raw, lines.is_empty()) {
            (true, true) => Pieces::Input,
            (false, false) => Pieces::Lines(lines),
            (true, false) => {
                return Err(wrong_usage(format_args!(
                    "with --raw standard input is appended: write no LINE"
                )));
            }
            (false, true) => {
                return Err(wrong_usage(format_args!(
                    "there is nothing to append: write a LINE, or --raw for standard input"
                )));
            }
        };
        Ok(AppendOptions {
            file: target,
            pieces,
        })
    }
}
