//! A medium over any reader and any writer: pipes, the input and output of a child process.
//!
//! Both may block, and nothing tells beforehand whether they will. So each has a thread of its own,
//! and the medium's calls only look at what lies between:
//!
//! ```text
//! reader -> "hopen reader" -> input:  64 KiB at most -> read, try_read
//! writer <- "hopen writer" <- output: 64 KiB at most <- try_write
//! ```
//!
//! Each thread goes on when its piece was taken, so that no more than one piece is read ahead, and
//! no more than one is written behind the caller's back.

mod shared;

use std::io::{self, Read, Write};
use std::sync::Arc;
use std::thread;

use bytes::BytesMut;
use hopen_codec::outbox::Outbox;
use hopen_transport::Deadline;

use self::shared::Shared;
use super::{Interest, Ready};

/// A reader and a writer, each in a thread of its own.
///
/// A failure of either is kept, and given by every later call of its direction. Dropping the pair
/// closes it.
pub(crate) struct Pair {
    shared: Arc<Shared>,
    /// Makes a read and a write that are under way return, if there is a way to.
    interrupt: Box<dyn Fn() + Send + Sync>,
}

impl Pair {
    /// Starts both threads. When the pair closes, `interrupt` is called once.
    ///
    /// # Errors
    ///
    /// Where the system starts no more threads.
    pub(crate) fn new(
        reader: impl Read + Send + 'static,
        writer: impl Write + Send + 'static,
        interrupt: impl Fn() + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let pair = Self {
            shared: Arc::default(),
            interrupt: Box::new(interrupt),
        };
        // The writer first: if there is no second thread it ends with the pair, as a reader that
        // waits for bytes would not.
        pair.start("hopen writer", move |shared| shared.drain_to(writer))?;
        pair.start("hopen reader", move |shared| shared.fill_from(reader))?;
        Ok(pair)
    }

    /// See [`Medium::read`](super::Medium::read).
    pub(crate) fn read(
        &self,
        input: &mut BytesMut,
        wanted: usize,
        deadline: Deadline,
    ) -> io::Result<usize> {
        let mut state = self.shared.lock();
        loop {
            match self.shared.take(&mut state, input, wanted) {
                Some(taken) => return taken,
                None => state = self.shared.wait(state, deadline)?,
            }
        }
    }

    /// See [`Medium::try_read`](super::Medium::try_read).
    pub(crate) fn try_read(&self, input: &mut BytesMut, wanted: usize) -> io::Result<usize> {
        let taken = self.shared.take(&mut self.shared.lock(), input, wanted);
        taken.unwrap_or_else(|| Err(io::ErrorKind::WouldBlock.into()))
    }

    /// See [`Medium::try_write`](super::Medium::try_write).
    pub(crate) fn try_write(&self, outbox: &mut Outbox) -> io::Result<usize> {
        self.shared.put(outbox)
    }

    /// Writes everything of the outbox as the last that the writer gets, without waiting. Nobody is
    /// told whether it could.
    pub(crate) fn write_last(&self, outbox: &mut Outbox) {
        self.shared.put_last(outbox);
    }

    /// See [`Medium::is_written`](super::Medium::is_written).
    pub(crate) fn is_written(&self) -> bool {
        self.shared.lock().is_written()
    }

    /// See [`Medium::wait`](super::Medium::wait).
    pub(crate) fn wait(&self, interest: Interest, deadline: Deadline) -> io::Result<Ready> {
        let mut state = self.shared.lock();
        loop {
            let ready = state.ready(interest);
            if ready.readable || ready.writable {
                return Ok(ready);
            }
            state = self.shared.wait(state, deadline)?;
        }
    }

    /// See [`Medium::shutdown_write`](super::Medium::shutdown_write).
    pub(crate) fn shutdown_write(&self) {
        self.shared.end_writing();
    }

    /// See [`Medium::shutdown_read`](super::Medium::shutdown_read).
    pub(crate) fn shutdown_read(&self) {
        self.shared.end_reading();
    }

    /// See [`Medium::close`](super::Medium::close).
    pub(crate) fn close(&self) {
        if self.shared.close() {
            (self.interrupt)();
        }
    }

    fn start(&self, name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned());
        thread.spawn(move || run(&shared)).map(drop)
    }
}

impl Drop for Pair {
    fn drop(&mut self) {
        self.close();
    }
}

#[cfg(test)]
mod tests {
    use core::convert::Infallible;
    use core::sync::atomic::{AtomicUsize, Ordering};
    use core::time::Duration;
    use std::sync::mpsc::{self, Receiver, RecvTimeoutError};

    use super::shared::PIECE;
    use super::*;

    #[test]
    fn a_reader_s_error_comes_behind_its_bytes_and_stays() {
        let mut pieces = [Ok(b"ab"), Err(io::Error::from_raw_os_error(5))].into_iter();
        let expected = io::Error::from_raw_os_error(5);
        let pair = pair_of(
            Reading(move |room: &mut [u8]| give(room, pieces.next())),
            io::sink(),
        );
        let mut input = BytesMut::new();
        assert_eq!(pair.read(&mut input, 1, Deadline::NEVER).unwrap(), 1);
        assert_eq!(pair.read(&mut input, 9, Deadline::NEVER).unwrap(), 1);
        for _ in 0..2 {
            let error = pair.read(&mut input, 9, Deadline::NEVER).unwrap_err();
            assert_eq!(error.kind(), expected.kind());
            assert_eq!(error.to_string(), expected.to_string());
            let error = pair.try_read(&mut input, 9).unwrap_err();
            assert_eq!(error.to_string(), expected.to_string());
            assert!(pair.wait(Interest::Read, Deadline::NEVER).unwrap().readable);
        }
        assert_eq!(&input[..], b"ab");
        write(&pair, b"the other direction goes on");
    }

    #[test]
    fn a_writer_s_error_is_given_to_an_empty_outbox_and_stays() {
        fn fails() -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::StorageFull, "no room"))
        }
        let fails_to_write = |bytes: &[u8]| if bytes.is_empty() { Ok(0) } else { fails() };
        let fails_to_flush = |bytes: &[u8]| {
            if bytes.is_empty() {
                fails()
            } else {
                Ok(bytes.len())
            }
        };
        for write in [fails_to_write as fn(&[u8]) -> _, fails_to_flush] {
            let pair = pair_of(io::repeat(7), Writing(write));
            assert_eq!(pair.try_write(&mut outbox(b"lost")).unwrap(), 4);
            for _ in 0..2 {
                assert!(
                    pair.wait(Interest::Write, Deadline::NEVER)
                        .unwrap()
                        .writable
                );
                assert!(!pair.is_written());
                for bytes in ["", "more"] {
                    let error = pair.try_write(&mut outbox(bytes.as_bytes())).unwrap_err();
                    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
                    assert_eq!(error.to_string(), "no room");
                }
            }
            let mut input = BytesMut::new();
            assert_eq!(pair.read(&mut input, 9, Deadline::NEVER).unwrap(), 9);
        }
    }

    #[test]
    fn errors_that_would_ask_to_wait_do_not() {
        for kind in [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut] {
            let pair = pair_of(
                Reading(move |_: &mut [u8]| Err(io::Error::new(kind, "not yet"))),
                Writing(move |_: &[u8]| Err(io::Error::new(kind, "not yet"))),
            );
            let read = pair.read(&mut BytesMut::new(), 9, Deadline::NEVER);
            pair.try_write(&mut outbox(b"lost")).unwrap();
            pair.wait(Interest::Write, Deadline::NEVER).unwrap();
            let written = pair.try_write(&mut outbox(b"more"));
            for error in [read.unwrap_err(), written.unwrap_err()] {
                assert_eq!(error.kind(), io::ErrorKind::Other);
                assert_eq!(error.to_string(), "not yet");
            }
        }
    }

    #[test]
    fn a_panic_is_an_error() {
        let pair = pair_of(
            Reading(|_: &mut [u8]| panic!("a test of a reader that panics")),
            Writing(|_: &[u8]| panic!("a test of a writer that panics")),
        );
        let error = pair
            .read(&mut BytesMut::new(), 9, Deadline::NEVER)
            .unwrap_err();
        assert_eq!(error.to_string(), "the reader has panicked");
        pair.try_write(&mut outbox(b"lost")).unwrap();
        pair.wait(Interest::Write, Deadline::NEVER).unwrap();
        let error = pair.try_write(&mut outbox(b"")).unwrap_err();
        assert_eq!(error.to_string(), "the writer has panicked");
    }

    #[test]
    fn a_reader_cannot_claim_more_than_there_was_room_for() {
        let pair = pair_of(Reading(|room: &mut [u8]| Ok(room.len() + 1)), io::sink());
        let error = pair
            .read(&mut BytesMut::new(), 9, Deadline::NEVER)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the reader says that it read more than was wanted"
        );
    }

    #[test]
    fn what_a_signal_interrupts_is_done_again() {
        let interrupted = || io::Error::from(io::ErrorKind::Interrupted);
        let pieces = [Err(interrupted()), Ok(b"ab"), Err(interrupted()), Ok(b"cd")];
        let mut pieces = pieces.into_iter();
        let mut calls = 0_usize;
        let (output, written) = mpsc::channel();
        let pair = pair_of(
            Reading(move |room: &mut [u8]| give(room, pieces.next())),
            Writing(move |bytes: &[u8]| {
                calls += 1;
                if calls % 2 == 1 {
                    return Err(interrupted());
                }
                output.send(bytes.to_vec()).unwrap();
                Ok(bytes.len())
            }),
        );
        assert_eq!(read_to_end(&pair, 9), b"abcd");
        write(&pair, b"ef");
        // The second is the flush.
        assert_eq!(written.try_iter().collect::<Vec<_>>(), [&b"ef"[..], b""]);
    }

    #[test]
    fn bytes_come_out_as_they_went_in_whatever_the_pieces() {
        let bytes: Vec<u8> = (0..70_000_u32).flat_map(u32::to_le_bytes).collect();
        for at_once in [1000, 65_535, PIECE, PIECE + 1, usize::MAX] {
            for wanted in [777, PIECE - 1, PIECE, 3 * PIECE] {
                let mut source = io::Cursor::new(bytes.clone());
                let (output, written) = mpsc::channel();
                let pair = pair_of(
                    Reading(move |room: &mut [u8]| {
                        let count = room.len().min(at_once);
                        source.read(&mut room[..count])
                    }),
                    Writing(move |bytes: &[u8]| {
                        let count = bytes.len().min(at_once);
                        output.send(bytes[..count].to_vec()).unwrap();
                        Ok(count)
                    }),
                );
                assert!(read_to_end(&pair, wanted) == bytes);
                write(&pair, &bytes);
                assert!(written.try_iter().flatten().eq(bytes.iter().copied()));
            }
        }
    }

    #[test]
    fn no_more_than_one_piece_is_read_ahead() {
        static ASKED_FOR: AtomicUsize = AtomicUsize::new(0);
        let mut given = 0;
        let mut pieces = 0;
        let reader = Reading(move |room: &mut [u8]| {
            // A panic would be an error of the reads below.
            assert!(given <= ASKED_FOR.load(Ordering::SeqCst));
            pieces += 1;
            let count = if pieces > 1000 { 0 } else { room.len() };
            given += count;
            Ok(count)
        });
        let pair = pair_of(reader, io::sink());
        loop {
            let mut input = BytesMut::new();
            // The last byte of a piece is announced before it is taken.
            assert!(pair.wait(Interest::Read, Deadline::NEVER).unwrap().readable);
            let most = pair.read(&mut input, PIECE - 1, Deadline::NEVER).unwrap();
            if most == 0 {
                break;
            }
            ASKED_FOR.fetch_add(PIECE, Ordering::SeqCst);
            assert_eq!(pair.try_read(&mut input, 9).unwrap(), 1);
        }
        assert_eq!(ASKED_FOR.load(Ordering::SeqCst), 1000 * PIECE);
    }

    #[test]
    fn one_piece_is_taken_at_a_time_and_the_next_when_it_is_written() {
        let (go, told) = mpsc::channel();
        let pair = pair_of(io::empty(), told_to_write(told));
        let mut outbox = outbox(&vec![7; PIECE + 9]);
        assert_eq!(pair.try_write(&mut outbox).unwrap(), PIECE);
        assert!(!pair.is_written());
        for timeout in [Duration::ZERO, Duration::from_millis(2)] {
            let error = pair.try_write(&mut outbox).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
            let deadline = Deadline::after(Some(timeout));
            let error = pair.wait(Interest::Write, deadline).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        }
        go.send(()).unwrap();
        assert!(
            pair.wait(Interest::Write, Deadline::NEVER)
                .unwrap()
                .writable
        );
        assert!(pair.is_written());
        assert_eq!(pair.try_write(&mut outbox).unwrap(), 9);
        go.send(()).unwrap();
        pair.wait(Interest::Write, Deadline::NEVER).unwrap();
        assert!(outbox.is_empty() && pair.is_written());
    }

    #[test]
    fn the_last_words_come_behind_what_is_being_written() {
        for is_writing in [false, true] {
            let (go, told) = mpsc::channel();
            let (output, written) = mpsc::channel();
            let pair = pair_of(
                io::empty(),
                Writing(move |bytes: &[u8]| {
                    if !bytes.is_empty() {
                        told.recv().unwrap();
                        output.send(bytes.to_vec()).unwrap();
                    }
                    Ok(bytes.len())
                }),
            );
            let mut expected = Vec::new();
            if is_writing {
                pair.try_write(&mut outbox(b"first")).unwrap();
                expected.push(&b"first"[..]);
            }
            pair.write_last(&mut outbox(b"last"));
            expected.push(b"last");
            // Nothing more is taken.
            pair.write_last(&mut outbox(b"more"));
            pair.close();
            for _ in &expected {
                go.send(()).unwrap();
            }
            assert_eq!(written.iter().collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn a_pair_that_closes_waits_for_nothing_and_ends_its_threads_when_they_can() {
        let (go, told) = mpsc::channel();
        let (bytes, to_read) = mpsc::channel();
        let (reader, reader_dropped) =
            flagged(Reading(move |_: &mut [u8]| Ok(to_read.recv().unwrap())));
        let (writer, writer_dropped) = flagged(told_to_write(told));
        let pair = pair_of(reader, writer);
        pair.try_write(&mut outbox(b"stuck")).unwrap();
        pair.close();
        let ready = pair.wait(Interest::Both, Deadline::NEVER).unwrap();
        assert!(ready.readable && ready.writable);
        assert_eq!(
            pair.read(&mut BytesMut::new(), 9, Deadline::NEVER).unwrap(),
            0
        );
        let error = pair.try_write(&mut outbox(b"more")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        drop(pair);
        for dropped in [&reader_dropped, &writer_dropped] {
            assert_eq!(dropped.try_recv(), Err(mpsc::TryRecvError::Empty));
        }
        bytes.send(4).unwrap();
        expect_drop(&reader_dropped);
        go.send(()).unwrap();
        expect_drop(&writer_dropped);
    }

    #[test]
    fn a_reader_whose_bytes_nobody_takes_is_dropped_with_the_pair() {
        let (reader, dropped) = flagged(io::repeat(7));
        let pair = pair_of(reader, io::sink());
        pair.wait(Interest::Read, Deadline::NEVER).unwrap();
        drop(pair);
        expect_drop(&dropped);
    }

    #[test]
    fn a_reader_at_its_end_and_a_writer_that_was_shut_down_are_dropped_at_once() {
        let (reader, reader_dropped) = flagged(io::empty());
        let (writer, writer_dropped) = flagged(io::sink());
        let pair = pair_of(reader, writer);
        expect_drop(&reader_dropped);
        write(&pair, b"written");
        pair.shutdown_write();
        expect_drop(&writer_dropped);
        drop(pair);
    }

    #[test]
    fn those_that_fail_are_dropped_at_once() {
        let fails = || Err(io::ErrorKind::StorageFull.into());
        let (reader, reader_dropped) = flagged(Reading(move |_: &mut [u8]| fails()));
        let (writer, writer_dropped) = flagged(Writing(move |_: &[u8]| fails()));
        let pair = pair_of(reader, writer);
        expect_drop(&reader_dropped);
        pair.try_write(&mut outbox(b"lost")).unwrap();
        expect_drop(&writer_dropped);
        drop(pair);
    }

    #[test]
    fn closing_interrupts_once() {
        static INTERRUPTED: AtomicUsize = AtomicUsize::new(0);
        let interrupt = || {
            INTERRUPTED.fetch_add(1, Ordering::SeqCst);
        };
        let pair = Pair::new(io::empty(), io::sink(), interrupt).unwrap();
        assert_eq!(INTERRUPTED.load(Ordering::SeqCst), 0);
        pair.close();
        pair.close();
        drop(pair);
        assert_eq!(INTERRUPTED.load(Ordering::SeqCst), 1);
    }

    fn pair_of(reader: impl Read + Send + 'static, writer: impl Write + Send + 'static) -> Pair {
        Pair::new(reader, writer, || {}).unwrap()
    }

    /// Writes and waits until that is done.
    fn write(pair: &Pair, bytes: &[u8]) {
        let mut outbox = outbox(bytes);
        while !outbox.is_empty() || !pair.is_written() {
            pair.wait(Interest::Write, Deadline::NEVER).unwrap();
            pair.try_write(&mut outbox).unwrap();
        }
    }

    fn read_to_end(pair: &Pair, wanted: usize) -> Vec<u8> {
        let mut input = BytesMut::new();
        while pair.read(&mut input, wanted, Deadline::NEVER).unwrap() > 0 {}
        input.into()
    }

    fn outbox(bytes: &[u8]) -> Outbox {
        let mut outbox = Outbox::default();
        outbox.put_slice(bytes);
        outbox
    }

    /// Puts the next piece into the room of a read; where there is none, it is the end.
    fn give(room: &mut [u8], piece: Option<io::Result<&'static [u8; 2]>>) -> io::Result<usize> {
        let Some(piece) = piece else { return Ok(0) };
        room[..2].copy_from_slice(piece?);
        Ok(2)
    }

    /// Returns a writer that takes what it gets each time that it is told to.
    fn told_to_write(told: Receiver<()>) -> impl Write + Send + 'static {
        Writing(move |bytes: &[u8]| {
            if !bytes.is_empty() {
                told.recv().unwrap();
            }
            Ok(bytes.len())
        })
    }

    /// A reader that is a function.
    struct Reading<F>(F);

    impl<F: FnMut(&mut [u8]) -> io::Result<usize>> Read for Reading<F> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            (self.0)(room)
        }
    }

    /// A writer that is a function; to flush is to write nothing.
    struct Writing<F>(F);

    impl<F: FnMut(&[u8]) -> io::Result<usize>> Write for Writing<F> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            (self.0)(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            (self.0)(&[]).map(drop)
        }
    }

    /// A reader or writer of which one learns when it is dropped.
    struct Flagged<T> {
        inner: T,
        _alive: mpsc::Sender<Infallible>,
    }

    impl<T: Read> Read for Flagged<T> {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            self.inner.read(room)
        }
    }

    impl<T: Write> Write for Flagged<T> {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.inner.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            self.inner.flush()
        }
    }

    fn flagged<T>(inner: T) -> (Flagged<T>, Receiver<Infallible>) {
        let (_alive, dropped) = mpsc::channel();
        (Flagged { inner, _alive }, dropped)
    }

    fn expect_drop(dropped: &Receiver<Infallible>) {
        let patience = Duration::from_secs(60);
        assert_eq!(
            dropped.recv_timeout(patience),
            Err(RecvTimeoutError::Disconnected)
        );
    }
}
