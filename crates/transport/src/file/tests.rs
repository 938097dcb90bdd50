use std::io::{Cursor, SeekFrom};

use hopen_codec::config::Limits;
use hopen_codec::sym;

use super::*;

#[test]
fn each_piece_is_one_write() {
    let mut disk = Disk::default();
    let mut file = FileHandle::new(&mut disk);
    file.append("quick brown fox").unwrap();
    file.append([0x23, 0x24]).unwrap();
    file.append("").unwrap();
    file.append_line("quick").unwrap();
    file.append_lines(["quick", "brown", "fox"]).unwrap();
    file.append_lines([b""; 0]).unwrap();
    file.append_value("ab").unwrap();
    let columns = (vec![1_i64; 10_000], vec![2_i64; 10_000]);
    let body = Body::encode(&columns.clone().into()).unwrap();
    assert!(body.chunks().len() > 1);
    file.append_value(columns).unwrap();
    let writes = [
        &b"quick brown fox"[..],
        b"#$",
        b"quick\n",
        b"quick\nbrown\nfox\n",
        b"\x0a\0\x02\0\0\0ab",
        &body.chunks().concat(),
    ];
    assert_eq!(disk.writes, writes);
}

#[test]
fn a_record_of_a_log_is_a_body_without_header() {
    let mut log = Cursor::new(Vec::new());
    let record = (sym!("upd"), sym!("t"), 1_i64);
    let mut file = FileHandle::new(&mut log);
    file.append_value(record.clone()).unwrap();
    let expected = b"\0\0\x03\0\0\0\xf5upd\0\xf5t\0\xf9\x01\0\0\0\0\0\0\0";
    assert_eq!(log.get_ref(), expected);
    let body = Body::from_bytes(
        log.into_inner().into(),
        hopen_codec::byte_order::ByteOrder::Little,
    );
    assert_eq!(body.decode(&Limits::client()), Ok(Ok(record.into())));
}

#[test]
fn a_piece_of_which_nothing_was_written_leaves_the_handle_as_it_was() {
    let mut disk = Disk {
        room: 3,
        ..Disk::default()
    };
    let mut file = FileHandle::new(&mut disk);
    file.append("abc").unwrap();
    for _ in 0..2 {
        let error = file.append("defg").unwrap_err();
        assert!(matches!(
            error.kind,
            FileErrorKind::Write {
                written: 0,
                length: 4,
                begins: None,
                ..
            }
        ));
        let says = "a writer: 0 of 4 bytes were written. OS reports: ";
        assert!(error.to_string().starts_with(says), "{error}");
    }
    file.writer.room = 100;
    file.append("defg").unwrap();
    assert_eq!(disk.bytes(), b"abcdefg");
}

#[test]
fn a_torn_piece_ends_the_handle_and_its_place_is_told() {
    let mut disk = Disk {
        room: 8,
        ..Disk::default()
    };
    let mut file = FileHandle::new(&mut disk);
    file.append_value(1_i32).unwrap();
    let error = file.append_value(2_i32).unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::Write {
            written: 3,
            length: 5,
            begins: Some(5),
            ..
        }
    ));
    let says = "a writer: 3 of 5 bytes were written, from byte 5 on. OS reports: ";
    assert!(error.to_string().starts_with(says), "{error}");

    file.writer.room = 100;
    for _ in 0..2 {
        let error = file.append("x").unwrap_err();
        let says = "a writer: it ends in a part of what was to be written before, from byte 5 on";
        assert_eq!(error.to_string(), says);
    }
    assert_eq!(disk.bytes(), b"\xfa\x01\0\0\0\xfa\x02\0");
}

#[test]
fn signals_and_short_writes_do_not_tear_a_piece() {
    let mut disk = Disk {
        most: 2,
        signals: 3,
        ..Disk::default()
    };
    FileHandle::new(&mut disk).append("abcde").unwrap();
    assert_eq!(disk.writes, [&b"ab"[..], b"cd", b"e"]);

    let mut disk = Disk {
        most: 0,
        ..Disk::default()
    };
    let error = FileHandle::new(&mut disk).append("abcde").unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::Write { error, .. } if error.kind() == io::ErrorKind::WriteZero
    ));
}

#[test]
fn a_writer_without_a_position_still_says_how_much_is_there() {
    let mut disk = Disk {
        room: 1,
        lost: true,
        ..Disk::default()
    };
    let mut file = FileHandle::new(&mut disk);
    let error = file.append("ab").unwrap_err();
    assert!(matches!(
        error.kind,
        FileErrorKind::Write {
            written: 1,
            begins: None,
            ..
        }
    ));
    let error = file.append("ab").unwrap_err();
    let says = "a writer: it ends in a part of what was to be written before";
    assert_eq!(error.to_string(), says);
}

/// A disk that is full at some point, and can do worse.
struct Disk {
    writes: Vec<Vec<u8>>,
    /// How many more bytes fit.
    room: usize,
    /// How many it takes at once.
    most: usize,
    /// How many signals come first.
    signals: usize,
    /// Whether it does not know where it is.
    lost: bool,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            writes: Vec::new(),
            room: usize::MAX,
            most: usize::MAX,
            signals: 0,
            lost: false,
        }
    }
}

impl Disk {
    fn bytes(&self) -> Vec<u8> {
        self.writes.concat()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.signals > 0 {
            self.signals -= 1;
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.room == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let count = bytes.len().min(self.room).min(self.most);
        if count > 0 {
            self.room -= count;
            self.writes.push(bytes[..count].to_vec());
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Disk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        assert_eq!(to, SeekFrom::Current(0));
        if self.lost {
            return Err(io::ErrorKind::NotSeekable.into());
        }
        Ok(self.bytes().len() as u64)
    }
}
