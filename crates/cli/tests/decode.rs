//! `hopen decode`: messages as text, one line each, or byte by byte.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[cfg(test)]
mod vectors;

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use program::{Outcome, command, hopen};
use vectors::{compressed, lines, public};

const LONG_1: &str = "0100000011000000f90100000000000000";
const TRUE: &str = "010000000a000000ff01";
const NOT_TRUE: &str = "010000000a000000ff02";
const NEITHER: &str = "at byte 9: a boolean is 0x02, neither 0 nor 1";

#[test]
fn a_message_becomes_a_line_in_q_s_short_form() {
    for (message, line) in [
        (LONG_1, "1"),
        (TRUE, "1b"),
        ("010200000e000000807479706500", "'type"),
        ("010000000a0000006500", "::"),
        ("00010000000000 12 0a00 00000004 322b3321", "\"2+3!\""),
    ] {
        let outcome = hopen(&["decode"], message);
        assert_eq!(outcome, Outcome::success(&format!("{line}\n")));
    }
}

#[test]
fn every_message_of_kx_s_is_read() {
    for (rows, field) in [
        (public(), "hex"),
        (compressed(), "raw_hex"),
        (compressed(), "compressed_hex"),
    ] {
        let outcome = hopen(&["decode"], lines(&rows, field));
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert_eq!(outcome.stdout.lines().count(), rows.len());
        for (row, line) in rows.iter().zip(outcome.stdout.lines()) {
            // The argument left out in `f[;1]`, here all by itself, is no text in q.
            let blank = row.text("name") == "unary_255";
            assert_eq!(line.is_empty(), blank, "{}", row.text("name"));
        }
    }
}

#[test]
fn white_space_prefixes_and_blank_lines_do_not_matter() {
    let spaced = "01 00\t0000 0d000000 fa 01000000";
    let input = format!("\n  \n0x{LONG_1}\r\n{spaced}\n\n 0X01 0x00 0x0000 0a000000ff01");
    let outcome = hopen(&["decode"], input);
    assert_eq!(outcome, Outcome::success("1\n1i\n1b\n"));
}

#[test]
fn input_comes_from_files_and_standard_input_in_turn() {
    let folder = tempfile::tempdir().unwrap();
    let [hex, raw] = ["hex", "raw"].map(|name| folder.path().join(name));
    fs::write(&hex, format!("{LONG_1}\n{TRUE}\n")).unwrap();
    fs::write(&raw, bytes(&[LONG_1, TRUE].concat())).unwrap();
    let [hex, raw] = [hex.to_str().unwrap(), raw.to_str().unwrap()];

    let outcome = hopen(&["decode", hex, "-", hex], "0100 0000 0a000000 ff00");
    assert_eq!(outcome, Outcome::success("1\n1b\n0b\n1\n1b\n"));
    let outcome = hopen(&["decode", "--raw", raw, "-"], bytes(TRUE));
    assert_eq!(outcome, Outcome::success("1\n1b\n1b\n"));
    let outcome = hopen(&["decode", "--raw"], bytes(LONG_1));
    assert_eq!(outcome, Outcome::success("1\n"));
    for arguments in [&["decode"][..], &["decode", "--raw"]] {
        assert_eq!(hopen(arguments, ""), Outcome::success(""));
    }
}

#[test]
fn a_message_is_printed_before_more_input_is_there() {
    for (arguments, input) in [
        (&["decode"][..], format!("{LONG_1}\n").into_bytes()),
        (&["decode", "--raw"], bytes(LONG_1)),
    ] {
        let mut program = command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = program.stdin.take().unwrap();
        let mut stdout = BufReader::new(program.stdout.take().unwrap());
        for _ in 0..3 {
            stdin.write_all(&input).unwrap();
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            assert_eq!(line, "1\n");
        }
        drop(stdin);
        assert!(program.wait().unwrap().success());
    }
}

#[test]
fn a_line_that_cannot_be_read_is_named_in_its_place_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages");
    let name = path.to_str().unwrap();
    for (line, fault) in [
        (NOT_TRUE, NEITHER),
        ("01 0g", "at byte 1: 'g' in column 5 is no hex digit"),
        (
            "010",
            "at byte 1: the last byte has one hex digit, in column 3, and needs two",
        ),
        (
            "0x",
            "at byte 0: the input ends after 0 of a header's 8 bytes",
        ),
        (
            "01000000",
            "at byte 4: the input ends after 4 of a header's 8 bytes",
        ),
        (
            "0100000011000000f9",
            "at byte 9: the input ends after 9 of the message's 17 bytes",
        ),
        (
            "010000000a000000ff0100",
            "at byte 10: 1 byte follows the message of 10 bytes",
        ),
        (
            "020000000a000000ff01",
            "at byte 0: header byte 0 is 0x02, which is no byte order",
        ),
        (
            "010300000a000000ff01",
            "at byte 1: header byte 1 is 0x03, which is no kind of message",
        ),
        (
            "010003000a000000ff01",
            "at byte 2: header byte 2 is 0x03, which is no compression",
        ),
        (
            "0100000008000000",
            "at byte 4: the header announces 8 bytes, which leaves no body",
        ),
    ] {
        fs::write(&path, format!("{TRUE}\n\n{line}\n{LONG_1}\n")).unwrap();
        let stdout = format!("1b\nerror: {fault}\n1\n");
        let stderr = format!("{name}:3: {fault}\n");
        let outcome = hopen(&["decode", name], "");
        assert_eq!(outcome, Outcome::new(1, &stdout, &stderr));
    }
}

#[test]
fn a_bad_body_among_plain_bytes_does_not_hide_the_next_message() {
    let input = bytes(&[TRUE, NOT_TRUE, LONG_1].concat());
    let stdout = format!("1b\nerror: {NEITHER}\n1\n");
    let stderr = format!("stdin: byte 10: {NEITHER}\n");
    let outcome = hopen(&["decode", "--raw"], input);
    assert_eq!(outcome, Outcome::new(1, &stdout, &stderr));
}

#[test]
fn behind_a_bad_header_among_plain_bytes_the_next_file_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages");
    let name = path.to_str().unwrap();
    for (rest, fault) in [
        (
            ["01050000", LONG_1].concat(),
            "at byte 1: header byte 1 is 0x05, which is no kind of message; \
             the rest of the input is skipped",
        ),
        (
            "010000001100".to_owned(),
            "at byte 6: the input ends after 6 of a header's 8 bytes",
        ),
        (
            "0100000011000000f901".to_owned(),
            "at byte 10: the input ends after 10 of the message's 17 bytes",
        ),
    ] {
        fs::write(&path, bytes(&[TRUE, &rest].concat())).unwrap();
        let stdout = format!("1b\nerror: {fault}\n1\n");
        let stderr = format!("{name}: byte 10: {fault}\n");
        let outcome = hopen(&["decode", "--raw", name, "-"], bytes(LONG_1));
        assert_eq!(outcome, Outcome::new(1, &stdout, &stderr));
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    for path in [folder.path(), &missing] {
        let name = path.to_str().unwrap();
        let outcome = hopen(&["decode", name, "-"], LONG_1);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(66), "1\n"));
        assert!(outcome.stderr.contains(name), "{outcome:?}");
    }
}

#[test]
fn a_file_is_named_without_what_drives_a_terminal_and_without_a_password() {
    for (name, named) in [
        ("\x1b]0;owned\x07\nx", "\\033]0;owned\\007\\012x"),
        (":h:1:ann:secret", ":h:1:ann"),
    ] {
        for command in ["decode", "recode"] {
            let outcome = hopen(&[command, name], "");
            assert_eq!(outcome.code, Some(66));
            let said = format!("cannot read {named}: ");
            assert!(outcome.stderr.contains(&said), "{outcome:?}");
            assert!(!outcome.stderr.contains("secret"), "{outcome:?}");
            assert_eq!(outcome.stderr.lines().count(), 1, "{outcome:?}");
        }
    }
}

#[test]
fn a_reader_who_has_had_enough_is_no_error() {
    let mut program = command(&["decode"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    let mut line = String::new();
    let mut stdout = BufReader::new(program.stdout.take().unwrap());
    stdin.write_all(format!("{LONG_1}\n").as_bytes()).unwrap();
    stdout.read_line(&mut line).unwrap();
    drop(stdout);
    let _ = stdin.write_all(format!("{LONG_1}\n").repeat(100_000).as_bytes());
    drop(stdin);
    let output = program.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[cfg(target_os = "linux")]
#[test]
fn output_that_cannot_be_written_is_an_error() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = command(&["decode"]);
    let outcome = command
        .stdin(Stdio::piped())
        .stdout(full)
        .stderr(Stdio::piped())
        .spawn();
    let mut program = outcome.unwrap();
    program
        .stdin
        .take()
        .unwrap()
        .write_all(LONG_1.as_bytes())
        .unwrap();
    let output = program.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(74));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("standard output")
    );
}

#[test]
fn bytes_are_explained_field_by_field() {
    // ([]a:,2i;b:`s#1.5 2), as a response, big endian.
    let message = "00 02 00 00 0000003b  62 00 63  0b 00 00000002 6100 6200 \
        00 00 00000002  06 00 00000001 00000002 \
        09 01 00000002 3ff8000000000000 4000000000000000";
    let expected = "\
0x00                                  big endian
0x02                                  response
0x00                                  not compressed
0x00                                  bits 32 to 39 of the message length
0x0000003b                            message length 59
0x62                                  type 98, table
0x00                                  attributes: none
0x63                                  type 99, dictionary
0x0b                                    names: type 11, symbol vector
0x00                                    attributes: none
0x00000002                              count 2
0x6100                                    `a
0x6200                                    `b
0x00                                    columns: type 0, list
0x00                                    attributes: none
0x00000002                              count 2
0x06                                      `a: type 6, int vector
0x00                                      attributes: none
0x00000001                                count 1
0x00000002                                  2i
0x09                                      `b: type 9, float vector
0x01                                      attributes: `s#, sorted
0x00000002                                count 2
0x3ff8000000000000                          1.5
0x4000000000000000                          2f
";
    let outcome = hopen(&["decode", "--explain"], message);
    assert_eq!(outcome, Outcome::success(expected));
}

#[test]
fn every_byte_of_every_message_is_explained() {
    let rows = public();
    let outcome = hopen(&["decode", "--explain"], lines(&rows, "hex"));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert!(!outcome.stdout.contains("not explained"));
    let explained: Vec<&str> = outcome.stdout.split("\n\n").collect();
    assert_eq!(explained.len(), rows.len());
    let mut whole = 0;
    for (row, text) in rows.iter().zip(explained) {
        if text.contains('…') {
            continue; // some of its bytes are only counted
        }
        let fields = text.lines().map(|line| line.split_whitespace().next());
        let shown: String = fields
            .map(|field| field.unwrap().trim_start_matches("0x"))
            .collect();
        assert_eq!(shown, row.text("hex"), "{}", row.text("name"));
        whole += 1;
    }
    assert!(whole > 350, "{whole}");
}

#[test]
fn a_compressed_message_is_explained_with_both_lengths_and_what_is_inside() {
    for row in compressed() {
        let explain = |field| hopen(&["decode", "--explain"], row.text(field)).stdout;
        let (plain, compressed) = (explain("raw_hex"), explain("compressed_hex"));
        if plain == compressed {
            continue; // it was not compressed
        }
        let name = row.text("name");
        let (_, body) = split_lines(&plain, 5);
        let (header, inside) = split_lines(&compressed, 7);
        assert_eq!(inside, body, "{name}");
        for field in ["raw_hex", "compressed_hex"] {
            let length = format!("message length {}", row.text(field).len() / 2);
            assert!(header.contains(&length), "{name}: {header}");
        }
    }
}

#[test]
fn of_a_message_that_is_no_value_the_part_before_is_explained() {
    let message = "0100000018000000 00 00 02000000 ff01 01 00 02000000 0102";
    let outcome = hopen(&["decode", "--explain"], message);
    let (_, explained) = split_lines(&outcome.stdout, 5);
    let expected = "\
0x00                                  type 0, list
0x00                                  attributes: none
0x02000000                            count 2
0xff                                    type -1, boolean atom
0x01                                    1b
0x01                                    type 1, boolean vector
0x00                                    attributes: none
0x02000000                              count 2
0x0102                                not explained: 2 of the body's 16 bytes
error: at byte 23: a boolean is 0x02, neither 0 nor 1
";
    assert_eq!(explained, expected);
    assert_eq!(outcome.code, Some(1));
}

#[test]
fn of_many_items_the_first_are_explained() {
    for (body, rows) in [
        // 100 longs, 1000 bytes, 20 symbols, 10 longs in a list.
        (
            "07 00 64000000".to_owned() + &"0700000000000000".repeat(100),
            "92 more, 736 bytes",
        ),
        (
            "04 00 e8030000".to_owned() + &"07".repeat(1000),
            "872 more, 872 bytes",
        ),
        (
            "0b 00 14000000".to_owned() + &"6100".repeat(20),
            "12 more, 24 bytes",
        ),
        (
            "00 00 0a000000".to_owned() + &"f90700000000000000".repeat(10),
            "2 more, 18 bytes",
        ),
        // Behind eight longs one of each kind that holds others, and symbols.
        (
            "00 00 10000000".to_owned()
                + &"f90700000000000000".repeat(8)
                + "0000020000006500f56100"
                + "630b000100000061000700010000000100000000000000"
                + "6200630b000100000061000000010000000700010000000100000000000000"
                + "64666f6f000a00030000007b787d"
                + "68020000006601f90100000000000000"
                + "6902000000650f650f"
                + "6b6601"
                + "0b000200000061006200",
            "8 more, 117 bytes",
        ),
    ] {
        let length = 8 + bytes(&body).len() as u32;
        let header = format!("01000000{}", hex::encode(length.to_le_bytes()));
        let outcome = hopen(&["decode", "--explain"], header + &body);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        let last = outcome.stdout.lines().last().unwrap();
        assert!(last.starts_with('…') && last.ends_with(rows), "{last}");
        assert!(outcome.stdout.lines().count() < 30);
    }
}

#[test]
fn nesting_without_end_is_no_trouble() {
    let depth = 2_000_000;
    let body = [b"\x6a".repeat(depth), b"\x66\x01".to_vec()].concat();
    let header = [&[1, 0, 0, 0][..], &(body.len() as u32 + 8).to_le_bytes()].concat();
    let message = [header, body].concat();
    let outcome = hopen(&["decode", "--raw"], &message);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let outcome = hopen(&["decode", "--raw", "--explain"], &message);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    let last = outcome.stdout.lines().last().unwrap();
    assert!(
        last.ends_with("derived function, 1999002 bytes, too deep to be shown"),
        "{last}"
    );
    let outcome = hopen(&["recode", "--raw"], &message);
    assert!(outcome.stdout.trim_end() == hex::encode(message));
}

/// Splits a text behind so many lines.
fn split_lines(text: &str, count: usize) -> (&str, &str) {
    let end = text
        .match_indices('\n')
        .nth(count - 1)
        .expect("more lines")
        .0;
    text.split_at(end + 1)
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(' ', "")).expect("hex digits")
}
