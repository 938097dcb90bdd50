//! Files that are appended to, and futures of theirs that are dropped. A writer that waits to be let
//! stands for a slow disk, so that nothing depends on time.

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Waker};
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::{Arc, Mutex, mpsc};

use async_io::block_on;
use hopen_async_std::{FileErrorKind, FileHandle, open_file};

#[test]
fn a_file_is_made_with_its_directories_and_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/2026/new");
    block_on(async {
        for times in 1..3 {
            let mut file = open_file(format!(":{}", path.display())).await.unwrap();
            file.append("now is ").await.unwrap();
            file.append_line("the time").await.unwrap();
            file.append_lines(["for", "all"]).await.unwrap();
            file.append_value(1_i32).await.unwrap();
            file.sync().await.unwrap();
            file.close().await.unwrap();
            let expected = b"now is the time\nfor\nall\n\xfa\x01\0\0\0".repeat(times);
            assert_eq!(std::fs::read(&path).unwrap(), expected);
        }
    });
}

#[test]
fn a_piece_whose_future_is_dropped_is_appended_whole_and_in_order_or_not_begun() {
    let (disk, desk) = Disk::new();
    let mut file = FileHandle::new(disk);
    // Never polled, it is not begun.
    drop(file.append("never"));
    assert!(is_pending(file.append_lines(["a", "b"])));
    // The disk has not taken what was begun: these have not begun.
    assert!(is_pending(file.append("never")));
    assert!(is_pending(file.append_value(1_i32)));
    assert!(desk.pieces().is_empty());
    desk.lets(Ok(()));
    desk.lets(Ok(()));
    block_on(file.append("c")).unwrap();
    assert_eq!(desk.pieces(), [&b"a\nb\n"[..], b"c"]);
    block_on(file.close()).unwrap();
    desk.is_closed();
}

#[test]
fn a_handle_that_is_dropped_appends_what_it_has_begun() {
    let (disk, desk) = Disk::new();
    let mut file = FileHandle::new(disk);
    assert!(is_pending(file.append("a")));
    drop(file);
    desk.lets(Ok(()));
    desk.is_closed();
    assert_eq!(desk.pieces(), [b"a"]);
}

#[test]
fn what_went_wrong_with_a_piece_that_nobody_waited_for_is_told_by_the_next_call() {
    let (disk, desk) = Disk::new();
    let mut file = FileHandle::new(disk);
    assert!(is_pending(file.append("text")));
    desk.lets(Err(io::ErrorKind::StorageFull));
    let error = block_on(file.append("next")).unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::Write {
            written: 0,
            length: 4,
            ..
        }
    ));
    desk.lets(Ok(()));
    block_on(file.append("next")).unwrap();
    assert_eq!(desk.pieces(), [b"next"]);

    assert!(is_pending(file.append("at the end")));
    desk.lets(Err(io::ErrorKind::StorageFull));
    let error = block_on(file.close()).unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::Write { length: 10, .. }
    ));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_so() {
    block_on(async {
        let mut file = open_file(":/dev/full").await.unwrap();
        for _ in 0..2 {
            let error = file.append("text").await.unwrap_err();
            assert_eq!(
                error.to_string(),
                ":/dev/full: 0 of 4 bytes were written. OS reports: No space left on device"
            );
        }
        let error = open_file(":/dev/null/below").await.unwrap_err();
        let says = ":/dev/null/below";
        assert!(error.to_string().starts_with(says), "{error}");
    });
}

/// Polls a future once and drops it.
fn is_pending(future: impl Future) -> bool {
    let mut context = Context::from_waker(Waker::noop());
    pin!(future).poll(&mut context).is_pending()
}

/// A disk that waits for each write to be let.
struct Disk {
    pieces: Arc<Mutex<Vec<Vec<u8>>>>,
    lets: mpsc::Receiver<Result<(), io::ErrorKind>>,
    _open: mpsc::Sender<()>,
}

/// Who lets it.
struct Desk {
    pieces: Arc<Mutex<Vec<Vec<u8>>>>,
    lets: mpsc::Sender<Result<(), io::ErrorKind>>,
    open: mpsc::Receiver<()>,
}

impl Disk {
    fn new() -> (Self, Desk) {
        let pieces = Arc::default();
        let (lets, let_by) = mpsc::channel();
        let (is_open, open) = mpsc::channel();
        let disk = Self {
            pieces: Arc::clone(&pieces),
            lets: let_by,
            _open: is_open,
        };
        (disk, Desk { pieces, lets, open })
    }
}

impl Desk {
    /// Lets the next write come to something.
    fn lets(&self, outcome: Result<(), io::ErrorKind>) {
        self.lets.send(outcome).expect("the disk is there");
    }

    fn pieces(&self) -> Vec<Vec<u8>> {
        self.pieces.lock().expect("nobody has panicked").clone()
    }

    /// Waits until the disk is dropped.
    fn is_closed(&self) {
        self.open.recv().expect_err("nothing is ever sent");
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lets.recv().expect("somebody lets it")?;
        let mut pieces = self.pieces.lock().expect("nobody has panicked");
        pieces.push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, _: SeekFrom) -> io::Result<u64> {
        Err(io::ErrorKind::NotSeekable.into())
    }
}
