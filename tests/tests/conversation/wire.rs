//! The peer's end of a connection, and its two halves.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use socket2::SockRef;

use super::end::{Opening, Wire};
use super::fault::{Faults, Heard};
use super::tls_peer;

impl Wire {
    pub(crate) fn over(socket: impl Socket) -> io::Result<Self> {
        Ok(Self {
            reader: Box::new(socket.try_clone()?),
            writer: Box::new(WritingHalf(socket)),
        })
    }

    pub(crate) fn pipes<R, W>(pipes: Pipes<R, W>) -> Self
    where
        R: Read + Send + 'static,
        W: Write + Send + 'static,
    {
        Self {
            reader: Box::new(pipes.reader),
            writer: pipes.writer.map_or_else(
                || Box::new(io::sink()) as Box<dyn Write + Send>,
                |writer| Box::new(writer),
            ),
        }
    }
}

/// What is read from and written to, and whose writing can be ended by itself.
pub(crate) trait Stream: Read + Write + Send + 'static {
    /// Says that nothing more comes.
    fn end_writing(&mut self) -> io::Result<()>;
}

/// A stream that can be cloned, and reset.
pub(crate) trait Socket: Stream + Sized {
    fn try_clone(&self) -> io::Result<Self>;

    /// Has writes sent at once.
    fn send_at_once(&self) -> io::Result<()>;

    /// Has the connection reset instead of ended when the last clone is dropped, where this kind of
    /// socket knows that.
    fn reset_on_drop(&self) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

impl Socket for TcpStream {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn send_at_once(&self) -> io::Result<()> {
        self.set_nodelay(true)
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        SockRef::from(self).set_linger(Some(Duration::ZERO))
    }
}

#[cfg(unix)]
impl Stream for UnixStream {
    fn end_writing(&mut self) -> io::Result<()> {
        self.shutdown(Shutdown::Write)
    }
}

#[cfg(unix)]
impl Socket for UnixStream {
    fn try_clone(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn send_at_once(&self) -> io::Result<()> {
        Ok(())
    }

    fn reset_on_drop(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Two pipes, each for one direction.
pub(crate) struct Pipes<R, W> {
    reader: Heard<R>,
    /// None when nothing more comes.
    writer: Option<W>,
}

impl<R, W> Pipes<R, W>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
    pub(crate) const fn new(reader: R, writer: W, faults: Arc<Faults>) -> Self {
        Self {
            reader: Heard::new(reader, faults),
            writer: Some(writer),
        }
    }

    /// Returns what connects the peer, which is the server where our end logs in.
    pub(crate) fn connect(
        self,
        stage: PipeStage,
        opening: &Opening,
    ) -> Box<dyn FnOnce() -> io::Result<Wire> + Send> {
        let logs_in = matches!(opening, Opening::LogIn(_));
        Box::new(move || match (stage, logs_in) {
            (PipeStage::Plain, _) => Ok(Wire::pipes(self)),
            (PipeStage::Tls, true) => tls_peer::serve(self),
            (PipeStage::Tls, false) => tls_peer::connect(self),
        })
    }
}

/// What goes through pipes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PipeStage {
    Plain,
    Tls,
}

impl<R: Read, W> Read for Pipes<R, W> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.reader.read(room)
    }
}

impl<R, W: Write> Write for Pipes<R, W> {
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

impl<R, W> Stream for Pipes<R, W>
where
    R: Read + Send + 'static,
    W: Write + Send + 'static,
{
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
