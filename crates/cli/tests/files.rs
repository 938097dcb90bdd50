//! `hopen read` and `hopen append`.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;

use std::fs;

use program::{Outcome, hopen};

#[test]
fn lines_are_appended_each_with_a_newline() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logs/2026/notes.txt");
    let handle = format!(":{}", path.display());
    for arguments in [
        &["a line", "another"][..],
        &["-x", "--raw", ""],
        &["--", "--"],
    ] {
        let outcome = hopen(&[&["append", &handle], arguments].concat(), "not this");
        assert_eq!(outcome, Outcome::success(""), "{arguments:?}");
    }
    let found = fs::read_to_string(&path).unwrap();
    assert_eq!(found, "a line\nanother\n-x\n--raw\n\n--\n");
}

#[test]
fn standard_input_is_appended_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bytes");
    let handle = format!("`:{}", path.display());
    let large = vec![0xff; 200_000];
    for input in [&b"no newline"[..], b"", b"\r\n\0", &large] {
        let outcome = hopen(&["append", "--raw", &handle], input);
        assert_eq!(outcome, Outcome::success(""));
    }
    let expected = [&b"no newline\r\n\0"[..], &large].concat();
    assert!(fs::read(&path).unwrap() == expected);
}

#[test]
fn a_file_that_cannot_be_appended_to_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let handle = format!(":{}", folder.path().display());
    let outcome = hopen(&["append", &handle, "a line"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(74), ""));
    assert!(outcome.stderr.starts_with("error: "), "{outcome:?}");
    assert!(outcome.stderr.contains(&handle), "{outcome:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_takes_nothing_is_an_error() {
    let outcome = hopen(&["append", ":/dev/full", "a line"], "");
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(74), ""));
    assert!(outcome.stderr.contains("/dev/full"), "{outcome:?}");
}

#[cfg(unix)]
mod pipes {
    use std::fs::File;
    use std::io::{BufRead, BufReader, Write};
    use std::path::{Path, PathBuf};
    use std::process::{Command, Stdio};
    use std::thread;

    use tempfile::TempDir;

    use crate::program::{Outcome, command, hopen};

    #[test]
    fn bytes_are_passed_on_as_they_come() {
        assert_eq!(read(&[], b"a\r\nb\0c"), Outcome::success("a\r\nb\0c"));
        assert_eq!(read(&[], b""), Outcome::success(""));
    }

    #[test]
    fn lines_are_printed_without_what_ends_them_elsewhere() {
        let outcome = read(&["--lines"], b"a\r\nb\n\nlast");
        assert_eq!(outcome, Outcome::success("a\nb\n\nlast\n"));
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        for (options, printed) in [
            (&["--gzip"][..], "vod,101.25\n"),
            (&["--gzip", "--lines"], "vod,101.25\n"),
        ] {
            assert_eq!(read(options, PACKED), Outcome::success(printed));
        }
    }

    #[test]
    fn what_cannot_be_unpacked_is_an_error() {
        for bytes in [&PACKED[..PACKED.len() - 3], b"vod,101.25\n"] {
            let outcome = read(&["--gzip"], bytes);
            assert_eq!(outcome.code, Some(1), "{outcome:?}");
            assert!(outcome.stderr.starts_with("error: :fifo://"), "{outcome:?}");
        }
    }

    #[test]
    fn messages_print_as_they_do_elsewhere() {
        let outcome = read(&["--messages"], &[FIVE, TYPE_ERROR, FIVE].concat());
        assert_eq!(outcome, Outcome::success("5\n'type\n5\n"));
    }

    #[test]
    fn a_message_that_is_no_value_keeps_no_other_from_being_printed() {
        let no_value = b"\x01\0\0\0\x0a\0\0\0\xff\x02";
        let outcome = read(&["--messages"], &[FIVE, no_value, FIVE].concat());
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), "5\n5\n"));
        assert!(
            outcome.stderr.starts_with("error: a message is no value"),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_message_that_is_cut_off_and_what_is_none_are_errors() {
        for bytes in [
            &[FIVE, &FIVE[..9]].concat()[..],
            &[FIVE, b"nonsense"].concat(),
        ] {
            let outcome = read(&["--messages"], bytes);
            assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(1), "5\n"));
            assert!(outcome.stderr.contains("byte 17"), "{outcome:?}");
        }
    }

    #[test]
    fn what_is_not_there_cannot_be_read() {
        let outcome = hopen(&["read", ":fifo:///no/such/pipe"], "");
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(66), ""));
        assert!(
            outcome.stderr.contains(":fifo:///no/such/pipe"),
            "{outcome:?}"
        );
    }

    #[test]
    fn a_line_is_printed_before_the_next_comes() {
        let (_folder, path) = pipe();
        let handle = format!(":fifo://{}", path.display());
        for option in [None, Some("--lines")] {
            let arguments: Vec<_> = ["read"]
                .into_iter()
                .chain(option)
                .chain([&*handle])
                .collect();
            let mut reader = command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
            let mut pipe = File::options().write(true).open(&path).unwrap();
            let mut lines = BufReader::new(reader.stdout.take().unwrap()).lines();
            for line in ["first", "second"] {
                writeln!(pipe, "{line}").unwrap();
                assert_eq!(lines.next().unwrap().unwrap(), line);
            }
            drop(pipe);
            assert!(reader.wait().unwrap().success());
            assert!(lines.next().is_none());
        }
    }

    /// Reads what is written to a pipe.
    fn read(options: &[&str], bytes: &[u8]) -> Outcome {
        let (_folder, path) = pipe();
        let handle = format!(":fifo://{}", path.display());
        let bytes = bytes.to_owned();
        let writer = thread::spawn(move || {
            let pipe = File::options().write(true).open(path);
            let mut pipe = pipe.expect("it was made above");
            // A reader that has found an error may have gone.
            let _ = pipe.write_all(&bytes);
        });
        let outcome = hopen(&[&["read"], options, &[&handle]].concat(), "");
        writer.join().expect("it does not panic");
        outcome
    }

    fn pipe() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("pipe");
        make(&path);
        (folder, path)
    }

    fn make(path: &Path) {
        let made = Command::new("mkfifo").arg(path).status();
        assert!(made.expect("a system with pipes has mkfifo").success());
    }

    /// The long 5 as a message.
    const FIVE: &[u8] = b"\x01\0\0\0\x11\0\0\0\xf9\x05\0\0\0\0\0\0\0";

    /// An error as a message.
    const TYPE_ERROR: &[u8] = b"\x01\x02\0\0\x0e\0\0\0\x80type\0";

    /// `vod,101.25` and a newline, packed by gzip.
    const PACKED: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\x02\x03\x2b\xcb\x4f\xd1\x31\x34\x30\xd4\x33\x32\
                            \xe5\x02\0\x36\x2b\x63\x41\x0b\0\0\0";
}
