//! A medium over a Unix socket, with as few system calls as there can be:
//!
//! ```text
//! read without a deadline    recv
//! read with a deadline       poll, recv
//! try_read                   recv
//! try_write                  send, or sendmsg for several pieces
//! wait                       poll
//! ```
//!
//! The socket stays in blocking mode; calls that must not wait say so each time.

use core::slice;
use std::io::{self, IoSlice};
use std::os::fd::OwnedFd;
use std::time::Duration;

use bytes::{Buf, BytesMut};
use hopen_codec::outbox::Outbox;
use hopen_transport::Deadline;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{Errno, retry_on_intr};
use rustix::net::sockopt::set_socket_linger;
use rustix::net::{
    RecvFlags, SendAncillaryBuffer, SendFlags, Shutdown, recv, send, sendmsg, shutdown,
};

use super::{Interest, Ready};

/// A connected stream socket in blocking mode.
pub(crate) struct Socket(OwnedFd);

impl Socket {
    /// Takes a stream, which has to be in blocking mode, without a time-out of its own.
    pub(crate) fn new(stream: impl Into<OwnedFd>) -> Self {
        Self(stream.into())
    }

    /// See [`Medium::read`](super::Medium::read).
    pub(crate) fn read(
        &self,
        input: &mut BytesMut,
        wanted: usize,
        deadline: Deadline,
    ) -> io::Result<usize> {
        if deadline.left().is_none() {
            return self.receive(input, wanted, RecvFlags::empty());
        }
        loop {
            self.wait(Interest::Read, deadline)?;
            match self.try_read(input, wanted) {
                // Another thread has taken what there was.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                read => return read,
            }
        }
    }

    /// See [`Medium::try_read`](super::Medium::try_read).
    pub(crate) fn try_read(&self, input: &mut BytesMut, wanted: usize) -> io::Result<usize> {
        self.receive(input, wanted, RecvFlags::DONTWAIT)
    }

    /// See [`Medium::try_write`](super::Medium::try_write).
    pub(crate) fn try_write(&self, outbox: &mut Outbox) -> io::Result<usize> {
        let written = match outbox.remaining() - outbox.chunk().len() {
            0 if outbox.chunk().is_empty() => return Ok(0),
            // One piece, as most messages are, costs the system less when it is no list of one.
            0 => retry_on_intr(|| send(&self.0, outbox.chunk(), SEND_FLAGS))?,
            _ => self.send_pieces(outbox)?,
        };
        outbox.advance(written);
        Ok(written)
    }

    fn send_pieces(&self, outbox: &Outbox) -> io::Result<usize> {
        let mut slices = [IoSlice::new(&[]); SLICES];
        let count = outbox.chunks_vectored(&mut slices);
        let slices = slices.get(..count).unwrap_or_default();
        let mut control = SendAncillaryBuffer::default();
        let written = retry_on_intr(|| sendmsg(&self.0, slices, &mut control, SEND_FLAGS))?;
        Ok(written)
    }

    /// See [`Medium::wait`](super::Medium::wait).
    pub(crate) fn wait(&self, interest: Interest, deadline: Deadline) -> io::Result<Ready> {
        let mut polled = PollFd::new(&self.0, events(interest));
        loop {
            let timeout = deadline.left().map(timespec);
            match poll(slice::from_mut(&mut polled), timeout.as_ref()) {
                Ok(0) if deadline.has_passed() => return Err(io::ErrorKind::TimedOut.into()),
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => return Ok(ready(interest, polled.revents())),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// See [`Medium::shutdown_write`](super::Medium::shutdown_write).
    pub(crate) fn shutdown_write(&self) {
        // It fails where the connection is gone already, and then there is nobody to tell.
        let _ = shutdown(&self.0, Shutdown::Write);
    }

    /// See [`Medium::shutdown_read`](super::Medium::shutdown_read).
    pub(crate) fn shutdown_read(&self) {
        // As above.
        let _ = shutdown(&self.0, Shutdown::Read);
    }

    /// See [`Medium::close`](super::Medium::close).
    pub(crate) fn close(&self) {
        // As above. Unlike closing the descriptor this wakes whoever waits.
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    /// Has the connection reset when this is dropped: what is unread is not missed, and what the
    /// system has still to send is lost.
    pub(crate) fn reset_when_dropped(&self) {
        // It fails where the connection is gone already, and then there is nobody to tell.
        let _ = set_socket_linger(&self.0, Some(Duration::ZERO));
    }

    /// Receives up to `wanted` bytes behind what `input` holds.
    fn receive(&self, input: &mut BytesMut, wanted: usize, flags: RecvFlags) -> io::Result<usize> {
        let start = input.len();
        input.resize(start + wanted, 0);
        let room = input.get_mut(start..).unwrap_or_default();
        let received = retry_on_intr(|| recv(&self.0, &mut *room, flags));
        input.truncate(start + received.map_or(0, |(count, _)| count));
        Ok(received?.0)
    }
}

/// Returns what poll has to look for.
fn events(interest: Interest) -> PollFlags {
    match interest {
        Interest::Read => PollFlags::IN,
        Interest::Write => PollFlags::OUT,
        Interest::Both => PollFlags::IN | PollFlags::OUT,
    }
}

/// Returns what poll has found. What ends a connection comes unasked, and makes possible whatever
/// was asked for: the next call gives the error.
fn ready(interest: Interest, mut found: PollFlags) -> Ready {
    if found.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL) {
        found |= events(interest);
    }
    Ready {
        readable: found.contains(PollFlags::IN),
        writable: found.contains(PollFlags::OUT),
    }
}

/// Returns how long to poll where so much time is left.
fn timespec(left: Duration) -> Timespec {
    Timespec::try_from(left.min(LONGEST_POLL)).expect("seconds of a day fit into any timespec")
}

/// The longest single poll: systems without `ppoll` count milliseconds in 31 bits.
const LONGEST_POLL: Duration = Duration::from_secs(24 * 60 * 60);

/// How many pieces of the outbox are written at once. Of 2000 pieces of 16 KiB, over a Unix socket:
/// 6 to 7 GB/s by 16 of them, 9 by 64, 9 by 256; over TCP all the same.
const SLICES: usize = 64;

/// Sends without waiting, and without a signal where the connection is gone.
#[cfg(not(target_vendor = "apple"))]
const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT.union(SendFlags::NOSIGNAL);

/// Sends without waiting. Apple's systems know no flag against the signal; `std` sets the option of
/// the socket that they have instead.
#[cfg(target_vendor = "apple")]
const SEND_FLAGS: SendFlags = SendFlags::DONTWAIT;

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::os::unix::net::UnixStream;
    use std::thread;

    use bytes::Bytes;
    use socket2::SockRef;

    use super::*;

    #[test]
    fn a_reset_makes_everything_possible_and_the_next_call_gives_the_error() {
        let (socket, peer) = tcp();
        SockRef::from(&peer)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(peer);
        let ready = |interest| {
            let ready = socket.wait(interest, Deadline::NEVER).unwrap();
            (ready.readable, ready.writable)
        };
        assert_eq!(ready(Interest::Read), (true, false));
        assert_eq!(ready(Interest::Write), (false, true));
        assert_eq!(ready(Interest::Both), (true, true));
        let error = socket.try_read(&mut BytesMut::new(), 9).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
        let error = socket.try_write(&mut outbox(1, 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    #[test]
    fn the_pieces_of_an_outbox_go_together() {
        let (socket, mut peer) = tcp();
        let reader = thread::spawn(move || {
            let mut read = Vec::new();
            peer.read_to_end(&mut read).map(|_| read)
        });
        let mut outbox = outbox(3 * SLICES, Outbox::SHARE);
        assert!(socket.try_write(&mut outbox).unwrap() > Outbox::SHARE);
        while !outbox.is_empty() {
            socket.wait(Interest::Write, Deadline::NEVER).unwrap();
            socket.try_write(&mut outbox).unwrap();
        }
        drop(socket);
        let read = reader.join().unwrap().unwrap();
        let expected = (0..).take(3 * SLICES).flat_map(|n| [n; Outbox::SHARE]);
        assert!(read.into_iter().eq(expected));
    }

    #[test]
    fn what_ends_a_connection_makes_possible_what_was_asked_for() {
        for end in [PollFlags::ERR, PollFlags::HUP, PollFlags::NVAL] {
            for interest in [Interest::Read, Interest::Write, Interest::Both] {
                let ready = ready(interest, end);
                assert_eq!(ready.readable, interest.reads());
                assert_eq!(ready.writable, interest.writes());
            }
        }
    }

    #[test]
    fn a_time_out_beyond_what_systems_count_is_one() {
        let (socket, mut peer) = tcp();
        peer.write_all(b"x").unwrap();
        let far = Deadline::after(Some(Duration::from_secs(1 << 40)));
        assert!(far.left().is_some());
        assert_eq!(socket.read(&mut BytesMut::new(), 9, far).unwrap(), 1);
        assert!(timespec(Duration::MAX) == timespec(LONGEST_POLL));
    }

    #[test]
    fn a_socket_of_the_file_system_is_one_too() {
        let (ours, mut peer) = UnixStream::pair().unwrap();
        let socket = Socket::new(ours);
        assert_eq!(socket.try_write(&mut outbox(1, 5)).unwrap(), 5);
        let mut read = [1; 5];
        peer.read_exact(&mut read).unwrap();
        assert_eq!(read, [0; 5]);
        peer.write_all(b"back").unwrap();
        let mut input = BytesMut::new();
        assert_eq!(socket.read(&mut input, 9, Deadline::NEVER).unwrap(), 4);
        assert_eq!(&input[..], b"back");
        drop(peer);
        assert_eq!(socket.read(&mut input, 9, Deadline::NEVER).unwrap(), 0);
        let error = socket.try_write(&mut outbox(1, 5)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }

    fn tcp() -> (Socket, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, _) = listener.accept().unwrap();
        (Socket::new(stream), peer)
    }

    /// Returns an outbox with so many pieces of so many zeros, ones, twos, …
    fn outbox(pieces: usize, length: usize) -> Outbox {
        let mut outbox = Outbox::default();
        for piece in (0..).take(pieces) {
            outbox.put_bytes(Bytes::from(vec![piece; length]));
        }
        outbox
    }
}
