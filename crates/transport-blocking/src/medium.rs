//! What carries the bytes: a socket, or any reader and any writer.
//!
//! ```text
//!            Medium
//! read   <-  Socket: one socket that can be polled      <-  peer
//! write  ->  Pair:   a reader and a writer that cannot  ->
//! ```
//!
//! The two directions do not exclude each other: a medium is used by one thread that reads and
//! writes, or by several at once. Nothing here waits while it writes: [`try_write`] takes what goes
//! at once, and [`wait`] tells when more goes or something has come, whichever is first. So no two
//! sides can wait for each other's reading.
//!
//! What a signal interrupts is done again, with the time that is left.
//!
//! [`try_write`]: Medium::try_write
//! [`wait`]: Medium::wait

mod pair;
#[cfg(unix)]
mod socket;

use std::io::{self, Read, Write};
#[cfg(any(not(unix), test))]
use std::net::Shutdown;
use std::net::TcpStream;

use bytes::{Buf, BytesMut};
use hopen_codec::outbox::Outbox;

pub(crate) use self::pair::Pair;
#[cfg(unix)]
pub(crate) use self::socket::Socket;
use hopen_transport::{Deadline, Intake, Stage};

/// Moves bytes both ways.
///
/// Dropping it closes it, after taking what the other side has sent and nobody has read.
pub(crate) enum Medium {
    /// One socket, which the system can wait for.
    #[cfg(unix)]
    Socket(Socket),
    /// A reader and a writer, which threads wait for.
    Pair(Pair),
}

impl Medium {
    /// Takes a connected TCP stream in blocking mode, without time-outs of its own.
    ///
    /// On Unix this is a [`Socket`](Self::Socket). Elsewhere it is a [`Pair`](Self::Pair) of two
    /// clones of the stream: [`shutdown_write`](Self::shutdown_write) shuts down its writing half
    /// when what was taken is written, and [`close`](Self::close) both halves, which ends both
    /// threads, also where a write is stuck; what was not written by then is lost.
    ///
    /// # Errors
    ///
    /// Where the stream cannot be cloned or a thread not be started. Never on Unix.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        #[cfg(unix)]
        return Ok(Self::Socket(Socket::new(stream)));
        #[cfg(not(unix))]
        return Self::tcp_pair(stream);
    }

    /// Takes a reader and a writer. Each gets a thread, which owns and finally drops it.
    ///
    /// Any error of theirs is kept and given again by every later call of that direction, with its
    /// kind and text, but [`WouldBlock`](io::ErrorKind::WouldBlock) and
    /// [`TimedOut`](io::ErrorKind::TimedOut) as [`Other`](io::ErrorKind::Other): they have to
    /// block. A panic of theirs is such an error too.
    ///
    /// # Errors
    ///
    /// Where the system starts no more threads.
    pub(crate) fn pair(
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        Pair::new(reader, writer, || {}).map(Self::Pair)
    }

    /// Reads up to `wanted` bytes, at least 1, behind what `input` holds, and waits until there is
    /// one. Returns how many came: none where the peer has closed, or this medium was.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut) when the deadline passes. One that has passed already
    /// still takes what is there. A system that gives a connection up says `TimedOut` too: it was
    /// the deadline if that [has passed](Deadline::has_passed).
    ///
    /// Else what the system says. `input` is as before then.
    pub(crate) fn read(
        &self,
        input: &mut BytesMut,
        wanted: usize,
        deadline: Deadline,
    ) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.read(input, wanted, deadline),
            Self::Pair(pair) => pair.read(input, wanted, deadline),
        }
    }

    /// Reads as [`read`](Self::read) does, without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where there is nothing. Else what the system says.
    pub(crate) fn try_read(&self, input: &mut BytesMut, wanted: usize) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.try_read(input, wanted),
            Self::Pair(pair) => pair.try_read(input, wanted),
        }
    }

    /// Writes some of what waits in the outbox without waiting, and takes it out. Returns how many
    /// bytes that were: none only of an empty outbox.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where nothing goes,
    /// [`BrokenPipe`](io::ErrorKind::BrokenPipe) where writing has ended. Else what the system says;
    /// a [`Pair`](Self::Pair) says it also to an empty outbox, since what failed was taken before.
    pub(crate) fn try_write(&self, outbox: &mut Outbox) -> io::Result<usize> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.try_write(outbox),
            Self::Pair(pair) => pair.try_write(outbox),
        }
    }

    /// Returns whether everything that [`try_write`](Self::try_write) took has been handed to the
    /// system: always for a [`Socket`](Self::Socket), and never again for a [`Pair`](Self::Pair)
    /// whose writer has failed.
    pub(crate) fn is_written(&self) -> bool {
        match self {
            #[cfg(unix)]
            Self::Socket(_) => true,
            Self::Pair(pair) => pair.is_written(),
        }
    }

    /// Waits until reading or writing is possible, as asked, or would fail at once. Returns which;
    /// what was not asked for is `false`. Writing to a [`Pair`](Self::Pair) is possible when
    /// everything that was taken is written.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut) when the deadline passes. One that has passed already
    /// still finds what is possible.
    pub(crate) fn wait(&self, interest: Interest, deadline: Deadline) -> io::Result<Ready> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.wait(interest, deadline),
            Self::Pair(pair) => pair.wait(interest, deadline),
        }
    }

    /// Says to the peer that nothing more comes, after what was taken. Does not wait: the thread of
    /// a [`Pair`](Self::Pair) drops the writer when it is done.
    pub(crate) fn shutdown_write(&self) {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.shutdown_write(),
            Self::Pair(pair) => pair.shutdown_write(),
        }
    }

    /// Reads nothing more, which wakes whoever waits to read: what had arrived is given, and then the
    /// end. What comes later may be given as well where the system goes on receiving, as Linux does.
    /// Writing goes on.
    pub(crate) fn shutdown_read(&self) {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => socket.shutdown_read(),
            Self::Pair(pair) => pair.shutdown_read(),
        }
    }

    /// Has the stage say to the peer that nothing more comes, where it has a way to. Nobody waits for
    /// it: a socket that takes nothing at once is not told, and a peer that is gone needs it no more.
    /// Nothing can be written after that.
    pub(crate) fn say_goodbye(&self, stage: &mut Stage) {
        stage.end();
        let mut nothing = Outbox::default();
        let words = stage.outgoing(&mut nothing);
        if !words.has_remaining() {
            return;
        }
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => drop(socket.try_write(words)),
            Self::Pair(pair) => pair.write_last(words),
        }
    }

    /// Ends both directions: whoever waits returns, reading comes to its end, and writing fails. What
    /// had arrived at a [`Socket`](Self::Socket) is gone; a [`Pair`](Self::Pair) still gives it.
    ///
    /// A peer that sends on finds the connection reset. So a socket is emptied before its reading is
    /// shut down: after that Linux tells nobody that there is room again, and a peer that waits for
    /// room would wait until it asks by itself (108 s, seen over loopback).
    ///
    /// A read or a write of somebody else's cannot be interrupted. The writer of a
    /// [`Pair`](Self::Pair) is dropped after what it was given, unless that is stuck; the reader
    /// when its read returns.
    pub(crate) fn close(&self) {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => {
                socket.shutdown_write();
                if self.drop_unread() == Unread::More {
                    socket.reset_when_dropped();
                }
                socket.close();
            }
            Self::Pair(pair) => pair.close(),
        }
    }

    /// Takes without waiting what is unread, and drops it. Says what is left.
    fn drop_unread(&self) -> Unread {
        // It may be the rest of a login, and is wiped.
        let mut unread = Intake::default();
        let mut left = DROPPED;
        while left > 0 {
            unread.input.clear();
            match self.try_read(&mut unread.input, DROPPED_AT_ONCE) {
                Ok(count @ 1..) => left = left.saturating_sub(count),
                // Failures mean that there is nothing more to save.
                Ok(0) | Err(_) => return Unread::Nothing,
            }
        }
        Unread::More
    }

    /// Takes a TCP stream where it cannot be polled.
    #[cfg(any(not(unix), test))]
    fn tcp_pair(stream: TcpStream) -> io::Result<Self> {
        let reader = stream.try_clone()?;
        let writer = WritingHalf(stream.try_clone()?);
        // It fails where the connection is gone, and so does whatever is under way then.
        let interrupt = move || drop(stream.shutdown(Shutdown::Both));
        Pair::new(reader, writer, interrupt).map(Self::Pair)
    }
}

impl Drop for Medium {
    /// Says that nothing more comes, and takes without waiting what is unread. A socket that is
    /// closed over unread bytes is reset, and what it has still to send is lost: messages that
    /// [`flush`](crate::Handle::flush) has handed to the system. What comes after that has the same
    /// effect; [`finish`](crate::Handle::finish) waits for it.
    fn drop(&mut self) {
        self.shutdown_write();
        self.drop_unread();
    }
}

/// How many unread bytes are dropped at most when a medium is closed: more than the system keeps,
/// unless the other side sends on and on.
const DROPPED: usize = 16 * 1024 * 1024;

/// How many of them at once.
const DROPPED_AT_ONCE: usize = 16 * 1024;

/// What is left of what was unread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unread {
    /// Nothing.
    Nothing,
    /// There may be more: it comes as fast as it is taken.
    More,
}

/// What a caller wants to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// To read.
    Read,
    /// To write.
    Write,
    /// Either.
    Both,
}

impl Interest {
    const fn reads(self) -> bool {
        matches!(self, Self::Read | Self::Both)
    }

    const fn writes(self) -> bool {
        matches!(self, Self::Write | Self::Both)
    }
}

/// What can be done without waiting, if only to get an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    /// Whether [`Medium::try_read`] has something to give.
    pub(crate) readable: bool,
    /// Whether [`Medium::try_write`] would take something.
    pub(crate) writable: bool,
}

/// A clone of a stream whose other clones live on: dropping it tells the peer that nothing more
/// comes.
#[cfg(any(not(unix), test))]
struct WritingHalf(TcpStream);

#[cfg(any(not(unix), test))]
impl Write for WritingHalf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(any(not(unix), test))]
impl Drop for WritingHalf {
    fn drop(&mut self) {
        // It fails where the connection is gone already, and then there is nobody to tell.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;
    use std::net::{Ipv4Addr, TcpListener};
    use std::sync::LazyLock;
    use std::thread;

    use bytes::Bytes;

    use super::*;

    /// Media are shared by threads.
    const _: () = shared::<Medium>();

    #[test]
    fn bytes_go_both_ways() {
        on_each_kind(|medium, mut end| {
            let mut outbox = outbox(b"there");
            assert_eq!(medium.try_write(&mut outbox).unwrap(), 5);
            assert_eq!(end.read(5), b"there");
            assert_eq!(medium.try_write(&mut outbox).unwrap(), 0);
            end.write(b"back");
            let mut input = BytesMut::from(&b"and "[..]);
            while input.len() < 8 {
                medium.read(&mut input, 64, Deadline::NEVER).unwrap();
            }
            assert_eq!(&input[..], b"and back");
        });
    }

    #[test]
    fn no_more_is_read_than_wanted_and_the_rest_stays() {
        on_each_kind(|medium, mut end| {
            end.write(b"abcde");
            let mut input = BytesMut::new();
            assert_eq!(medium.read(&mut input, 2, patience()).unwrap(), 2);
            // The rest came with it.
            assert_eq!(medium.try_read(&mut input, 1).unwrap(), 1);
            let passed = Deadline::after(Some(Duration::ZERO));
            assert_eq!(medium.read(&mut input, 64, passed).unwrap(), 2);
            assert_eq!(&input[..], b"abcde");
        });
    }

    #[test]
    fn where_nothing_comes_the_deadline_passes() {
        on_each_kind(|medium, _end| {
            let mut input = BytesMut::from(&b"kept"[..]);
            let nothing = medium.try_read(&mut input, 64).unwrap_err();
            assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
            for timeout in [Duration::ZERO, Duration::from_millis(2)] {
                let deadline = Deadline::after(Some(timeout));
                let error = medium.read(&mut input, 64, deadline).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                let deadline = Deadline::after(Some(timeout));
                let error = medium.wait(Interest::Read, deadline).unwrap_err();
                assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                assert!(deadline.has_passed());
            }
            assert_eq!(&input[..], b"kept");
        });
    }

    #[test]
    fn what_is_possible_is_found_after_the_deadline_too() {
        on_each_kind(|medium, mut end| {
            let passed = Deadline::after(Some(Duration::ZERO));
            let ready = medium.wait(Interest::Both, passed).unwrap();
            assert_eq!(ready, ready_to(false, true));
            end.write(b"x");
            let ready = medium.wait(Interest::Read, patience()).unwrap();
            assert_eq!(ready, ready_to(true, false));
            assert_eq!(
                medium.wait(Interest::Both, passed).unwrap(),
                ready_to(true, true)
            );
            assert_eq!(
                medium.wait(Interest::Write, passed).unwrap(),
                ready_to(false, true)
            );
        });
    }

    #[test]
    fn the_end_of_the_peer_comes_behind_its_bytes_and_stays() {
        on_each_kind(|medium, mut end| {
            end.write(b"last");
            end.writer = None;
            assert_eq!(read_to_end(&medium), b"last");
            let mut input = BytesMut::new();
            assert_eq!(medium.read(&mut input, 9, Deadline::NEVER).unwrap(), 0);
            assert_eq!(medium.try_read(&mut input, 9).unwrap(), 0);
            let ready = medium.wait(Interest::Read, patience()).unwrap();
            assert_eq!(ready, ready_to(true, false));
            // The other direction goes on.
            assert_eq!(medium.try_write(&mut outbox(b"thanks")).unwrap(), 6);
            assert_eq!(end.read(6), b"thanks");
        });
    }

    #[test]
    fn who_stops_reading_is_given_what_had_arrived_and_still_writes() {
        on_each_kind(|medium, mut end| {
            end.write(b"last");
            medium.wait(Interest::Read, patience()).unwrap();
            medium.shutdown_read();
            assert_eq!(read_to_end(&medium), b"last");
            assert_eq!(medium.try_write(&mut outbox(b"answer")).unwrap(), 6);
            assert_eq!(end.read(6), b"answer");
        });
    }

    #[test]
    fn who_waits_to_read_is_woken_by_the_end_of_reading() {
        on_each_kind(|medium, _end| {
            thread::scope(|scope| {
                let reader = scope.spawn(|| medium.read(&mut BytesMut::new(), 9, patience()));
                medium.shutdown_read();
                assert_eq!(reader.join().unwrap().unwrap(), 0);
            });
        });
    }

    #[test]
    fn writing_stalls_until_the_peer_reads() {
        on_each_kind(|medium, mut end| {
            let taken = stall(&medium);
            let written = end.read(taken);
            assert!(written == pattern()[..taken]);
            let ready = medium.wait(Interest::Write, patience()).unwrap();
            assert_eq!(ready, ready_to(false, true));
            assert!(medium.is_written());
            assert_eq!(medium.try_write(&mut outbox(b"more")).unwrap(), 4);
            assert_eq!(end.read(4), b"more");
        });
    }

    #[test]
    fn what_comes_while_writing_stalls_is_noticed() {
        on_each_kind(|medium, mut end| {
            stall(&medium);
            end.write(b"x");
            let mut outbox = outbox(pattern());
            loop {
                let ready = medium.wait(Interest::Both, patience()).unwrap();
                if ready.readable {
                    break;
                }
                // The system has found some more room. The peer reads nothing, so that ends.
                medium.try_write(&mut outbox).unwrap();
            }
            assert_eq!(medium.try_read(&mut BytesMut::new(), 9).unwrap(), 1);
        });
    }

    #[test]
    fn one_thread_can_send_more_to_an_echo_than_the_systems_hold() {
        on_each_kind(|medium, end| {
            let echo = end.echo();
            let mut outbox = outbox(pattern());
            let mut input = BytesMut::new();
            while input.len() < pattern().len() {
                let interest = if outbox.is_empty() {
                    Interest::Read
                } else {
                    Interest::Both
                };
                let ready = medium.wait(interest, patience()).unwrap();
                if ready.writable {
                    medium.try_write(&mut outbox).unwrap();
                }
                if ready.readable {
                    medium.try_read(&mut input, 64 * 1024).unwrap();
                }
            }
            assert!(input == pattern());
            medium.shutdown_write();
            echo.join().unwrap();
        });
    }

    #[test]
    fn two_threads_can_do_the_same() {
        on_each_kind(|medium, end| {
            let echo = end.echo();
            thread::scope(|scope| {
                scope.spawn(|| {
                    write_all(&medium, pattern());
                    medium.shutdown_write();
                });
                assert!(read_to_end(&medium) == pattern());
            });
            echo.join().unwrap();
        });
    }

    #[test]
    fn what_was_taken_before_the_shutdown_arrives_and_nothing_after_it() {
        on_each_kind(|medium, mut end| {
            let taken = stall(&medium);
            medium.shutdown_write();
            let written = end.read_to_end().unwrap();
            assert!(written == pattern()[..taken]);
            medium.wait(Interest::Write, patience()).unwrap();
            assert!(medium.is_written());
            let error = medium.try_write(&mut outbox(b"more")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            end.write(b"answer");
            end.writer = None;
            assert_eq!(read_to_end(&medium), b"answer");
        });
    }

    #[test]
    fn closing_ends_whoever_reads_or_waits() {
        on_each_kind(|medium, _end| {
            stall(&medium);
            thread::scope(|scope| {
                let read = |deadline| {
                    let medium = &medium;
                    scope.spawn(move || medium.read(&mut BytesMut::new(), 9, deadline))
                };
                let reads = [read(Deadline::NEVER), read(patience())];
                let wait = scope.spawn(|| medium.wait(Interest::Read, Deadline::NEVER));
                medium.close();
                for read in reads {
                    assert_eq!(read.join().unwrap().unwrap(), 0);
                }
                assert_eq!(wait.join().unwrap().unwrap(), ready_to(true, false));
            });
        });
    }

    #[test]
    fn a_closed_medium_takes_and_gives_nothing() {
        on_each_kind(|medium, mut end| {
            end.write(b"late");
            medium.wait(Interest::Read, patience()).unwrap();
            medium.close();
            medium.close();
            let error = medium.try_write(&mut outbox(b"more")).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
            let ready = medium.wait(Interest::Both, patience()).unwrap();
            assert_eq!(ready, ready_to(true, true));
            let expected: &[u8] = match &medium {
                #[cfg(unix)]
                Medium::Socket(_) => b"",
                Medium::Pair(_) => b"late",
            };
            assert_eq!(read_to_end(&medium), expected);
        });
    }

    #[test]
    fn the_peer_of_a_dropped_medium_comes_to_an_end() {
        on_each_kind(|medium, mut end| {
            assert_eq!(medium.try_write(&mut outbox(b"bye")).unwrap(), 3);
            medium.wait(Interest::Write, patience()).unwrap();
            while !medium.is_written() {
                medium.wait(Interest::Write, patience()).unwrap();
            }
            drop(medium);
            assert_eq!(end.read_to_end().unwrap(), b"bye");
        });
    }

    #[test]
    fn the_peer_of_a_medium_that_is_dropped_while_writing_stalls_comes_to_an_end() {
        on_each_kind(|medium, mut end| {
            let taken = stall(&medium);
            drop(medium);
            assert!(end.read_to_end().unwrap().len() <= taken);
        });
    }

    #[test]
    fn writing_to_a_peer_that_is_gone_fails() {
        on_each_kind(|medium, end| {
            drop(end);
            let mut outbox = outbox(pattern());
            let error = loop {
                medium.wait(Interest::Write, patience()).unwrap();
                match medium.try_write(&mut outbox) {
                    Ok(0) => panic!("nothing has failed"),
                    Ok(_) => {}
                    Err(error) => break error.kind(),
                }
            };
            let expected = [io::ErrorKind::BrokenPipe, io::ErrorKind::ConnectionReset];
            assert!(expected.contains(&error), "{error}");
            medium.wait(Interest::Write, patience()).unwrap();
            let again = medium.try_write(&mut outbox).unwrap_err();
            assert!(expected.contains(&again.kind()), "{again}");
        });
    }

    /// The other end of a medium.
    struct End {
        reader: Box<dyn Read + Send>,
        writer: Option<Box<dyn Write + Send>>,
    }

    impl End {
        fn read(&mut self, count: usize) -> Vec<u8> {
            let mut bytes = vec![0; count];
            self.reader.read_exact(&mut bytes).unwrap();
            bytes
        }

        fn read_to_end(&mut self) -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            self.reader.read_to_end(&mut bytes).map(|_| bytes)
        }

        fn write(&mut self, bytes: &[u8]) {
            self.writer.as_mut().unwrap().write_all(bytes).unwrap();
        }

        /// Sends back what comes, until the end.
        fn echo(mut self) -> thread::JoinHandle<()> {
            thread::spawn(move || {
                let mut writer = self.writer.take().unwrap();
                io::copy(&mut self.reader, &mut writer).unwrap();
            })
        }
    }

    fn on_each_kind(scenario: impl Fn(Medium, End)) {
        println!("TCP");
        let (stream, end) = tcp();
        scenario(Medium::tcp(stream).unwrap(), end);
        println!("TCP where it cannot be polled");
        let (stream, end) = tcp();
        scenario(Medium::tcp_pair(stream).unwrap(), end);
        println!("pipes");
        let (reader, writer) = io::pipe().unwrap();
        let (end_reader, end_writer) = io::pipe().unwrap();
        let end = End {
            reader: Box::new(end_reader),
            writer: Some(Box::new(writer)),
        };
        scenario(Medium::pair(reader, end_writer).unwrap(), end);
    }

    fn tcp() -> (TcpStream, End) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (peer, _) = listener.accept().unwrap();
        let end = End {
            reader: Box::new(peer.try_clone().unwrap()),
            writer: Some(Box::new(WritingHalf(peer))),
        };
        (stream, end)
    }

    /// Writes of the pattern until nothing goes for a while. Returns how many bytes were taken.
    fn stall(medium: &Medium) -> usize {
        let mut outbox = outbox(pattern());
        loop {
            match medium.try_write(&mut outbox) {
                Ok(_) => assert!(outbox.has_remaining(), "all of the pattern was taken"),
                Err(error) => {
                    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
                    let soon = Deadline::after(Some(Duration::from_millis(10)));
                    if let Err(error) = medium.wait(Interest::Write, soon) {
                        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
                        return pattern().len() - outbox.len();
                    }
                }
            }
        }
    }

    fn write_all(medium: &Medium, bytes: &[u8]) {
        let mut outbox = outbox(bytes);
        while outbox.has_remaining() || !medium.is_written() {
            medium.wait(Interest::Write, patience()).unwrap();
            medium.try_write(&mut outbox).unwrap();
        }
    }

    fn read_to_end(medium: &Medium) -> Vec<u8> {
        let mut input = BytesMut::new();
        while medium.read(&mut input, 50_000, Deadline::NEVER).unwrap() > 0 {}
        input.into()
    }

    fn outbox(bytes: &[u8]) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.put_bytes(Bytes::copy_from_slice(bytes));
        outbox
    }

    /// More than two systems and a medium hold, and no four bytes like others.
    fn pattern() -> &'static [u8] {
        static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
            (0..4 * 1024 * 1024_u32)
                .flat_map(u32::to_le_bytes)
                .collect()
        });
        &PATTERN
    }

    const fn ready_to(readable: bool, writable: bool) -> Ready {
        Ready { readable, writable }
    }

    /// Longer than anything takes that does not fail.
    fn patience() -> Deadline {
        Deadline::after(Some(Duration::from_secs(60)))
    }

    const fn shared<T: Send + Sync>() {}
}
