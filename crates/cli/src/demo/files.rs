//! What is no process: a pipe and a file.

use std::fs;
use std::path::Path;

use hopen_blocking::open_file;

use super::Failure;
#[cfg(unix)]
use crate::args::Packing;

/// Appends a line and returns what is in the file then, a handle of which is given.
pub(super) fn append(handle: &str, path: &Path, line: &str) -> Result<String, Failure> {
    let mut file = open_file(handle)?;
    file.append_line(line)
        .map_err(hopen_blocking::Error::from)?;
    file.close();
    fs::read_to_string(path).map_err(Failure::Process)
}

/// Makes a named pipe.
#[cfg(unix)]
pub(super) fn make_pipe(path: &Path) -> Result<(), Failure> {
    let made = std::process::Command::new("mkfifo")
        .arg("--")
        .arg(path)
        .status();
    match made {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Surprise(format!("mkfifo: {status}"))),
        Err(error) => Err(Failure::Process(error)),
    }
}

/// Writes to a named pipe, in a thread, and reads from it by its handle a line, which may be packed.
#[cfg(unix)]
pub(super) fn through_pipe(
    handle: &str,
    path: &Path,
    bytes: &'static [u8],
    packing: Packing,
) -> Result<String, Failure> {
    use std::io::Write;

    let path = path.to_owned();
    let thread = std::thread::Builder::new().name("writer".into());
    let writer = thread
        .spawn(move || {
            // Waits until it is opened for reading.
            let mut pipe = fs::File::options().write(true).open(path)?;
            pipe.write_all(bytes)
        })
        .map_err(Failure::Process)?;
    let mut pipe = hopen_blocking::open_pipe(handle)?;
    if let Packing::Gzip = packing {
        pipe = pipe.gunzip();
    }
    let line = pipe.read_line().map_err(hopen_blocking::Error::from)?;
    drop(pipe);
    match writer.join() {
        Ok(written) => written.map_err(Failure::Process)?,
        Err(_) => return Err(Failure::Surprise("the writer has panicked".to_owned())),
    }
    Ok(String::from_utf8_lossy(&line.unwrap_or_default()).into_owned())
}

/// What goes through a pipe.
#[cfg(unix)]
pub(super) const LINE: &str = "vod,101.25";

/// The same with a newline, packed by gzip.
#[cfg(unix)]
pub(super) const PACKED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x2b, 0xcb, 0x4f, 0xd1, 0x31, 0x34,
    0x30, 0xd4, 0x33, 0x32, 0xe5, 0x02, 0x00, 0x36, 0x2b, 0x63, 0x41, 0x0b, 0x00, 0x00, 0x00,
];
