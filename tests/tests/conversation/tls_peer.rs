//! A peer that speaks TLS, by rustls's own stream.

use std::io::{self, Read, Write};
use std::ops::DerefMut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustls::{ConnectionCommon, SideData, StreamOwned};

use super::end::Wire;
use super::wire::Stream;
use crate::tls::{client, server};

/// The peer's end of a connection at which it is the server.
pub(crate) fn serve(stream: impl Stream) -> io::Result<Wire> {
    wire(server().accept().map_err(io::Error::other)?, stream)
}

/// The peer's end of a connection at which it is the client.
pub(crate) fn connect(stream: impl Stream) -> io::Result<Wire> {
    wire(
        client().connect("localhost").map_err(io::Error::other)?,
        stream,
    )
}

fn wire<C, D, S>(connection: C, stream: S) -> io::Result<Wire>
where
    C: DerefMut<Target = ConnectionCommon<D>> + Send + 'static,
    D: SideData + 'static,
    S: Stream,
{
    let mut both = StreamOwned::new(connection, stream);
    while both.conn.is_handshaking() {
        both.conn.complete_io(&mut both.sock)?;
    }
    let both: Arc<Mutex<dyn Both>> = Arc::new(Mutex::new(Peer {
        both,
        has_ended: false,
    }));
    Ok(Wire {
        reader: Box::new(Half(Arc::clone(&both))),
        writer: Box::new(WritingHalf(Half(both))),
    })
}

/// Both halves of a connection.
trait Both: Read + Write + Send {
    /// Says that nothing more comes.
    fn end_writing(&mut self) -> io::Result<()>;
}

/// A connection of which something is written until that has ended.
struct Peer<T> {
    both: T,
    has_ended: bool,
}

impl<C, D, S> Both for Peer<StreamOwned<C, S>>
where
    C: DerefMut<Target = ConnectionCommon<D>> + Send,
    D: SideData,
    S: Stream,
{
    fn end_writing(&mut self) -> io::Result<()> {
        self.has_ended = true;
        self.both.conn.send_close_notify();
        self.both.flush()?;
        self.both.sock.end_writing()
    }
}

impl<C, D, S> Read for Peer<StreamOwned<C, S>>
where
    C: DerefMut<Target = ConnectionCommon<D>> + Send,
    D: SideData,
    S: Stream,
{
    /// Behind its own end it waits for the other's, and looks at nothing: rustls asserts that it
    /// sends no second alert, and would send one for a record that is damaged (its issue 959).
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if !self.has_ended {
            return self.both.read(room);
        }
        io::copy(&mut self.both.sock, &mut io::sink()).map(|_| 0)
    }
}

impl<T: Write> Write for Peer<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.both.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.both.flush()
    }
}

/// One who reads or writes: the peer does one after the other.
struct Half(Arc<Mutex<dyn Both>>);

impl Half {
    fn both(&self) -> MutexGuard<'_, dyn Both + 'static> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Half {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.both().read(room)
    }
}

/// Dropping it tells our end that nothing more comes.
struct WritingHalf(Half);

impl Write for WritingHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.both().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.both().flush()
    }
}

impl Drop for WritingHalf {
    fn drop(&mut self) {
        // What fails is that our end has gone, which needs to be told nothing.
        let _ = self.0.both().end_writing();
    }
}
