//! Opening what is no process, or may be one.

use hopen_codec::address::{HopenArgument, Target};

use crate::{Error, FileHandle, Handle, Options, Pipe, hopen};

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

/// Opens a file to append to: `":path"`. The file is made where there is none, and so are the
/// directories that lead to it.
///
/// ```no_run
/// use hopen_blocking::open_file;
/// use hopen_codec::sym;
///
/// let mut log = open_file(":logs/2026.11.24")?;
/// log.append_value((sym!("upd"), sym!("trade"), vec![101.25, 101.5]))?;
/// log.sync()?;
///
/// let mut text = open_file(":notes.txt")?;
/// text.append_line("quick brown fox")?;
/// # Ok::<(), hopen_blocking::Error>(())
/// ```
///
/// # Errors
///
/// Where the handle is none of a file or has a time-out ([`Error::Address`]), or the file cannot be
/// opened ([`Error::File`]).
pub fn open_file<T>(handle: T) -> Result<FileHandle, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    Ok(FileHandle::open(argument(handle)?.into_file()?)?)
}

/// Opens whatever a handle names, as q's `hopen` does.
///
/// # Errors
///
/// As [`hopen`], [`open_pipe`] and [`open_file`].
pub fn open_any<T>(handle: T) -> Result<Opened, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    let argument = argument(handle)?;
    Ok(match argument.target {
        Target::Process(_) => Opened::Process(hopen(Options::try_from(argument)?)?),
        Target::Pipe { .. } => Opened::Pipe(open_pipe(argument)?),
        Target::File { .. } => Opened::File(open_file(argument)?),
    })
}

/// What [`open_any`] has opened.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "who opens any of them has to know every kind"
)]
pub enum Opened {
    /// A process.
    Process(Handle),
    /// A pipe or a device, to read from.
    Pipe(Pipe),
    /// A file, to append to.
    File(FileHandle),
}

fn argument<T>(handle: T) -> Result<HopenArgument, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    handle.try_into().map_err(Into::into)
}
