//! The peer's end of a connection, and its two halves.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;

use crate::end::Wire;

impl Wire {
    /// A TCP connection, whose writes are sent at once.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: Box::new(stream.try_clone()?),
            writer: Box::new(WritingHalf(stream)),
        })
    }

    pub(crate) fn pipes(pipes: Pipes) -> Self {
        Self {
            reader: Box::new(pipes.reader),
            writer: pipes.writer.map_or_else(
                || Box::new(io::sink()) as Box<dyn Write + Send>,
                |writer| Box::new(writer),
            ),
        }
    }

    #[cfg(unix)]
    pub(crate) fn unix(stream: UnixStream) -> io::Result<Self> {
        Ok(Self {
            reader: Box::new(stream.try_clone()?),
            writer: Box::new(WritingHalf(stream)),
        })
    }
}

/// A socket that is read from and written to, and whose writing can be ended by itself.
pub(crate) trait Stream: Read + Write + Send + 'static {
    /// Says that nothing more comes.
    fn end_writing(&mut self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(unix)]
impl Stream for UnixStream {
    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

/// Two pipes, each for one direction.
pub(crate) struct Pipes {
    pub(crate) reader: PipeReader,
    /// None when nothing more comes.
    pub(crate) writer: Option<PipeWriter>,
}

impl Read for Pipes {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reader.read(room)
    }
}

impl Write for Pipes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.writer {
            Some(writer) => writer.write(bytes),
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pipes {
    fn end_writing(&mut self) -> io::Result<()> {
        self.writer = None;
        Ok(())
    }
}

/// A stream whose clone reads: dropping it tells our end that nothing more comes.
struct WritingHalf<S: Stream>(S);

impl<S: Stream> Write for WritingHalf<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl<S: Stream> Drop for WritingHalf<S> {
    fn drop(&mut self) {
        // It fails where our end has gone, which needs to be told nothing.
        let _ = self.0.end_writing();
    }
}
