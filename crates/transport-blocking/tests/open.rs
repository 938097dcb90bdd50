//! Files, and what opens anything.

use std::fs;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::thread;

use hopen_blocking::{Error, FileErrorKind, Opened, open_any, open_file, open_pipe};
use hopen_codec::address::{AddressError, Target};
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::Limits;
use hopen_codec::decode::DecodeErrorKind;
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::sym;
use hopen_codec::value::Value;
use tempfile::TempDir;

mod server;

use server::{Server, message};

#[test]
fn a_file_is_made_with_its_directories_and_appended_to() {
    let directory = TempDir::new().unwrap();
    let path = path_in(&directory, "data/2026/new");
    let handle = format!(":{path}");
    for expected in [
        "now is the time\nfor all\n",
        "now is the time\nfor all\nnow is the time\nfor all\n",
    ] {
        let mut file = open_file(&handle).unwrap();
        file.append("now is ").unwrap();
        file.append_line("the time").unwrap();
        file.append_lines(["for all"]).unwrap();
        file.sync().unwrap();
        file.close();
        assert_eq!(fs::read_to_string(&path).unwrap(), expected);
    }
}

#[test]
fn what_cannot_be_opened_is_named() {
    let directory = TempDir::new().unwrap();
    let file = path_in(&directory, "file");
    fs::write(&file, "").unwrap();
    let below = format!("{file}/below/it");
    let error = open_file(format!(":{below}")).unwrap_err();
    assert!(
        error.to_string().starts_with(&format!(":{below}")),
        "{error}"
    );
    assert!(matches!(error, Error::File(_)));

    let directory = path_in(&directory, "");
    let error = open_file(format!(":{directory}")).unwrap_err();
    let Error::File(error) = error else {
        panic!("{error:?}")
    };
    assert!(matches!(error.kind, FileErrorKind::Open(_)));
    assert_eq!(error.path.as_deref(), Some(&*directory));

    let missing = format!(":fifo://{directory}/missing");
    let error = open_pipe(&missing).unwrap_err();
    let says = format!("{missing} cannot be opened. OS reports: ");
    assert!(error.to_string().starts_with(&says), "{error}");

    let nul = Target::File {
        path: "a\0b".into(),
    };
    let error = open_file(nul).unwrap_err();
    assert!(
        error.to_string().starts_with(":a\\000b cannot be opened"),
        "{error}"
    );
}

#[test]
fn handles_of_another_kind_and_time_outs_are_refused() {
    let text = |error: Error| error.to_string();
    assert_eq!(
        text(open_file(":localhost:5010").unwrap_err()),
        ":localhost:5010 names a process, which hopen opens: for a file write :PATH"
    );
    assert_eq!(
        text(open_pipe(":data/log").unwrap_err()),
        ":data/log names a file, which open_file opens: for a pipe write :fifo://PATH"
    );
    assert!(matches!(
        open_any("(`:data/log;500)").unwrap_err(),
        Error::Address(AddressError::NoTimeout { .. })
    ));
}

#[test]
fn any_handle_opens_what_it_names() {
    let directory = TempDir::new().unwrap();
    let path = path_in(&directory, "any");
    let Opened::File(mut file) = open_any(format!(":{path}")).unwrap() else {
        panic!("it is a file")
    };
    file.append_line("a line").unwrap();
    // A file is a pipe that has an end, as on KX's page of read1.
    let Opened::Pipe(mut pipe) = open_any(format!(":fifo://{path}")).unwrap() else {
        panic!("it is a pipe")
    };
    assert_eq!(pipe.read_line().unwrap().unwrap(), "a line");
    assert_eq!(pipe.read1().unwrap(), "");

    let server = Server::start(|mut peer| {
        peer.log_in(b"\x06\0", 6);
        peer.expect(&message(MessageKind::Sync, "2+3"));
        peer.send(&message(MessageKind::Response, 5_i64));
        peer.expect_end();
    });
    let Opened::Process(mut handle) = open_any(server.port).unwrap() else {
        panic!("it is a process")
    };
    assert_eq!(handle.get("2+3").unwrap(), Value::from(5_i64));
    handle.close();
    server.finish();
}

#[test]
fn a_log_of_values_reads_back() {
    let directory = TempDir::new().unwrap();
    let path = path_in(&directory, "log");
    let mut log = open_file(format!(":{path}")).unwrap();
    // As q begins a log: .[`:log;();:;()]
    log.append(b"\xff\x01\0\0\0\0\0\0").unwrap();
    let records: Vec<Value> = (0..100_i64)
        .map(|n| (sym!("upd"), sym!("trade"), (vec![n; 10], vec![0.5; 10])).into())
        .collect();
    for record in &records {
        log.append_value(record.clone()).unwrap();
    }

    let bytes = fs::read(&path).unwrap();
    let mut rest = &bytes[8..];
    for record in &records {
        let (value, length) = first_value(rest);
        assert_eq!(&value, record);
        rest = &rest[length..];
    }
    assert_eq!(rest, b"");
}

#[test]
fn several_handles_append_without_mixing() {
    const LINES: usize = 500;
    let directory = TempDir::new().unwrap();
    let path = path_in(&directory, "shared");
    let writers: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .map(|letter| {
            let mut file = open_file(format!(":{path}")).unwrap();
            thread::spawn(move || {
                for length in 0..LINES {
                    file.append_lines([letter.repeat(length), letter.repeat(2)])
                        .unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3 * 2 * LINES);
    for pair in lines.chunks(2) {
        let letter = &pair[1][..1];
        assert_eq!(pair[1], letter.repeat(2));
        assert_eq!(pair[0], letter.repeat(pair[0].len()));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_says_so() {
    let mut file = open_file(":/dev/full").unwrap();
    for _ in 0..2 {
        let error = file.append("text").unwrap_err();
        assert_eq!(
            error.to_string(),
            ":/dev/full: 0 of 4 bytes were written. OS reports: No space left on device"
        );
    }
}

/// A process that may write files of so many blocks runs the test below.
#[cfg(target_os = "linux")]
#[test]
fn a_piece_that_the_system_tears_is_told_with_its_place() {
    let directory = TempDir::new().unwrap();
    let path = path_in(&directory, "limited");
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "appends_until_the_limit_of_the_process",
            "--nocapture",
        ])
        .env(LIMITED, &path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    // Cut to where the torn piece begins it is as good as before.
    let left = fs::read(&path).unwrap();
    assert_eq!(left.len(), 3000);
}

/// Does something only in that process.
#[cfg(target_os = "linux")]
#[test]
fn appends_until_the_limit_of_the_process() {
    let Some(path) = std::env::var_os(LIMITED) else {
        return;
    };
    let path = path.into_string().unwrap();
    let mut file = open_file(format!(":{path}")).unwrap();
    file.append([b'a'; 3000]).unwrap();
    let error = file.append([b'b'; 10_000]).unwrap_err();
    let FileErrorKind::Write {
        written,
        length: 10_000,
        begins: Some(3000),
        ..
    } = error.kind
    else {
        panic!("{error:?}")
    };
    // 8 blocks, of 512 bytes or of 1024.
    assert!(written == 8 * 512 - 3000 || written == 8 * 1024 - 3000);
    assert_eq!(fs::metadata(&path).unwrap().len(), 3000 + written);
    assert!(matches!(
        file.append("c").unwrap_err().kind,
        FileErrorKind::Torn { begins: Some(3000) }
    ));
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(3000)
        .unwrap();
}

#[cfg(target_os = "linux")]
const LIMITED: &str = "HOPEN_TEST_LIMITED_FILE";

/// Reads the first of several values: the error about those behind it says where it ends.
fn first_value(bytes: &[u8]) -> (Value, usize) {
    let decode = |bytes: &[u8]| {
        Body::from_bytes(bytes.to_vec().into(), ByteOrder::Little).decode(&Limits::client())
    };
    let length = match decode(bytes) {
        Ok(_) => bytes.len(),
        Err(error) => {
            assert!(matches!(error.kind, DecodeErrorKind::TrailingBytes { .. }));
            error.offset as usize - 8
        }
    };
    let value = decode(&bytes[..length]).expect("it is a value");
    (value.expect("it is no error"), length)
}

fn path_in(directory: &TempDir, name: &str) -> String {
    directory
        .path()
        .join(name)
        .into_os_string()
        .into_string()
        .expect("the path is a text")
}
