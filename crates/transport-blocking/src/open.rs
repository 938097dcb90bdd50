//! Opening what is no process, or may be one.

use hopen_codec::address::HopenArgument;

use crate::{Error, Pipe};

/// Opens a pipe or a device to read from: `":fifo://path"`. Opening a named pipe waits until somebody
/// opens it for writing.
///
/// Named pipes are what the system has under that path: those of Unix, and where it has files that
/// behave like them, these. q has them on Unix only.
///
/// ```no_run
/// use hopen_blocking::{Lines, open_pipe};
///
/// // As .Q.fps does it, and without unpacking the file first: cat trades.csv.gz > trades &
/// let mut trades = open_pipe(":fifo://trades")?.gunzip();
/// while let Some(lines) = trades.read_lines(Lines::CHUNK)? {
///     for line in lines.iter() {
///         println!("{}", String::from_utf8_lossy(line));
///     }
/// }
///
/// let random = open_pipe(":fifo:///dev/urandom")?.read1_up_to(8)?;
/// # Ok::<(), hopen_blocking::Error>(())
/// ```
///
/// # Errors
///
/// Where the handle is none of a pipe or has a time-out ([`Error::Address`]), or the pipe cannot be
/// opened ([`Error::Pipe`]).
pub fn open_pipe<T>(handle: T) -> Result<Pipe, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    Ok(Pipe::open(argument(handle)?.into_pipe()?)?)
}

fn argument<T>(handle: T) -> Result<HopenArgument, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    handle.try_into().map_err(Into::into)
}
