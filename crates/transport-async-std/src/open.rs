//! Opening what is no process, or may be one.

use hopen_codec::address::{HopenArgument, Target};

use crate::{Error, FileHandle, Handle, Options, Pipe, hopen};

/// Opens a pipe or a device to read from: `":fifo://path"`.
///
/// On Linux a named pipe is opened at once, also before its writer has come, and the first to read
/// waits for that, and a future that is dropped leaves nothing behind. On other systems opening waits
/// for a writer, as q's `hopen` does, and a thread of the pool waits with it: when the future is
/// dropped it stays until a writer comes. Devices, and pipes of other systems, are read by a thread,
/// ahead by up to 64 KiB.
///
/// ```no_run
/// use hopen_async_std::{Lines, open_pipe};
///
/// # async fn run() -> Result<(), hopen_async_std::Error> {
/// // As .Q.fps does it, and without unpacking the file first: cat trades.csv.gz > trades &
/// let mut trades = open_pipe(":fifo://trades").await?.gunzip();
/// while let Some(lines) = trades.read_lines(Lines::CHUNK).await? {
///     for line in lines.iter() {
///         println!("{}", String::from_utf8_lossy(line));
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where the handle is none of a pipe or has a time-out ([`Error::Address`]), or the pipe cannot be
/// opened ([`Error::Pipe`]).
pub async fn open_pipe<T>(handle: T) -> Result<Pipe, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    let path = argument(handle)?.into_pipe()?;
    Ok(Pipe::open(path).await?)
}

/// Opens a file to append to: `":path"`. The file is made where there is none, and so are the
/// directories that lead to it, also where the future is dropped meanwhile.
///
/// ```no_run
/// use hopen_async_std::open_file;
/// use hopen_codec::sym;
///
/// # async fn run() -> Result<(), hopen_async_std::Error> {
/// let mut log = open_file(":logs/2026.11.24").await?;
/// log.append_value((sym!("upd"), sym!("trade"), vec![101.25, 101.5])).await?;
/// log.sync().await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where the handle is none of a file or has a time-out ([`Error::Address`]), or the file cannot be
/// opened ([`Error::File`]).
pub async fn open_file<T>(handle: T) -> Result<FileHandle, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    let path = argument(handle)?.into_file()?;
    Ok(FileHandle::open(path).await?)
}

/// Opens whatever a handle names, as q's `hopen` does.
///
/// # Errors
///
/// As [`hopen`], [`open_pipe`] and [`open_file`].
pub async fn open_any<T>(handle: T) -> Result<Opened, Error>
where
    T: TryInto<HopenArgument>,
    T::Error: Into<Error>,
{
    let argument = argument(handle)?;
    Ok(match argument.target {
        Target::Process(_) => Opened::Process(hopen(Options::try_from(argument)?).await?),
        Target::Pipe { .. } => Opened::Pipe(open_pipe(argument).await?),
        Target::File { .. } => Opened::File(open_file(argument).await?),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_goes_to_other_threads() {
        fn goes<T: Send>(_: &T) {}
        const fn is_shared<T: Send + Sync>() {}
        const { is_shared::<FileHandle>() };
        const { is_shared::<Pipe>() };
        goes(&open_any(":x"));
        goes(&async {
            if let Ok(Opened::Pipe(mut pipe)) = open_any(":fifo://x").await {
                goes(&pipe.read_line());
                goes(&pipe.read_message());
            }
            if let Ok(mut file) = open_file(":x").await {
                goes(&file.append("x"));
                goes(&file.sync());
            }
        });
    }
}
