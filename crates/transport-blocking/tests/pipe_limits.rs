//! Every limit of a pipe at its default, reached through a named pipe of the system by a writer that
//! means no good: what it costs us, and what comes after. The table is in docs/security.md.
#![cfg(target_os = "linux")]

use std::io::{ErrorKind, Write};

use fifo::Fifo;
use flate2::Compression;
use flate2::write::GzEncoder;
use hopen_blocking::{PipeErrorKind, open_pipe};
use hopen_codec::config::Limits;
use hopen_codec::gzip::{Gunzip, GzipError};
use memory::{MEBIBYTE, measured, turn};

mod fifo;
mod memory;

#[test]
fn a_line_without_an_end_is_read_for_16_mib() {
    let _turn = turn();
    let fifo = Fifo::new();
    let writer = fifo.write(|mut pipe| {
        for _ in 0..100 {
            pipe.write_all(&[b'x'; MEBIBYTE / 2]).expect("a reader");
        }
        pipe.write_all(b"\nnext\n").expect("a reader");
    });
    let mut pipe = open_pipe(fifo.handle()).expect("a pipe");
    let (error, took) = measured(|| pipe.read_line().expect_err("it is too long"));
    assert_eq!(error.offset, 0);
    let limit = 16 * MEBIBYTE;
    let PipeErrorKind::LineTooLong { limit: found } = error.kind else {
        panic!("{error}");
    };
    assert_eq!(found, limit);
    // The buffer doubles, and the one before is there until its bytes are moved.
    assert!(took < 3 * limit + MEBIBYTE, "{took} bytes");
    let (next, took) = measured(|| pipe.read_line().expect("a line"));
    assert_eq!(next.expect("the next"), "next");
    assert!(took < MEBIBYTE, "{took} bytes");
    writer.join().expect("it went as written");
}

#[test]
fn a_message_that_is_only_announced_takes_64_mib() {
    let _turn = turn();
    let fifo = Fifo::new();
    let length = Limits::client().message;
    let writer = fifo.write(|mut pipe| {
        pipe.write_all(b"\x01\0\0\xff\xff\xff\xff\xffabc")
            .expect("a reader");
    });
    let mut pipe = open_pipe(fifo.handle()).expect("a pipe");
    let (error, took) = measured(|| pipe.read_message().expect_err("most of it is missing"));
    let PipeErrorKind::Truncated {
        arrived,
        length: announced,
    } = error.kind
    else {
        panic!("{error}");
    };
    assert_eq!((arrived, announced), (11, Some(length)));
    assert!(took < 65 * MEBIBYTE, "{took} bytes");
    writer.join().expect("it went as written");
}

#[test]
fn a_gzip_header_without_an_end_is_read_for_128_kib() {
    let _turn = turn();
    let fifo = Fifo::new();
    let writer = fifo.write(|mut pipe| {
        pipe.write_all(b"\x1f\x8b\x08\x08\0\0\0\0\0\x03")
            .expect("a reader");
        // The name of a file, as long as somebody reads it.
        loop {
            if let Err(error) = pipe.write_all(&[b'n'; 4096]) {
                return assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            }
        }
    });
    let mut pipe = open_pipe(fifo.handle()).expect("a pipe").gunzip();
    let (error, took) = measured(|| pipe.read1().expect_err("it never ends"));
    let too_long = GzipError::HeaderTooLong {
        offset: 0,
        limit: Gunzip::LONGEST_HEADER,
    };
    assert_eq!(Gunzip::LONGEST_HEADER, 128 * 1024);
    assert!(
        matches!(error.kind, PipeErrorKind::Gzip(found) if found == too_long),
        "{error}"
    );
    assert!(took < MEBIBYTE, "{took} bytes");
    // And again, whoever asks.
    pipe.read_line().expect_err("it is over");
    drop(pipe);
    writer.join().expect("it went as written");
}

#[test]
fn a_gigabyte_that_is_packed_is_unpacked_as_it_is_asked_for() {
    let _turn = turn();
    let member = {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        for _ in 0..16 {
            encoder.write_all(&[0; MEBIBYTE]).expect("memory");
        }
        encoder.finish().expect("memory")
    };
    let fifo = Fifo::new();
    // 64 times 16 MiB of zeros.
    let packed = member.repeat(64);
    assert!(packed.len() < 8 * MEBIBYTE, "{} bytes", packed.len());
    let writer = fifo.write(move |mut pipe| {
        let error = pipe.write_all(&packed).expect_err("nobody reads it all");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    });
    let mut pipe = open_pipe(fifo.handle()).expect("a pipe").gunzip();
    let (read, took) = measured(|| pipe.read1().expect("zeros").len());
    assert_eq!(read, 64 * 1024);
    assert!(took < MEBIBYTE, "{took} bytes");
    let (error, took) = measured(|| pipe.read_line().expect_err("it is too long"));
    assert!(
        matches!(error.kind, PipeErrorKind::LineTooLong { .. }),
        "{error}"
    );
    assert!(took < 49 * MEBIBYTE, "{took} bytes");
    drop(pipe);
    writer.join().expect("it went as written");
}
