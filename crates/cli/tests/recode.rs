//! `hopen recode`: messages decoded and encoded again.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod program;
#[cfg(test)]
mod vectors;

use std::fs;

use program::{Outcome, hopen};
use vectors::{Row, compressed, lines, public};

#[test]
fn every_message_comes_back_as_it_was() {
    let rows = public();
    assert_eq!(rows.len(), 397);
    let input = lines(&rows, "hex");
    assert_same(&rows, &hopen(&["recode"], &input), &input);
    assert_same(
        &rows,
        &hopen(&["recode", "--compress", "never"], &input),
        &input,
    );
}

#[test]
fn every_message_comes_back_from_a_file_of_plain_bytes() {
    let rows = public();
    let bytes: Vec<u8> = rows.iter().flat_map(|row| bytes(row.text("hex"))).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("messages");
    fs::write(&path, &bytes).unwrap();
    let path = path.to_str().unwrap();
    let expected = lines(&rows, "hex");
    assert_same(&rows, &hopen(&["recode", "--raw", path], ""), &expected);
    assert_same(&rows, &hopen(&["recode", "--raw"], &bytes), &expected);
}

#[test]
fn with_an_order_the_twins_become_each_other() {
    let rows = public();
    let (mut little, mut big) = (Vec::new(), Vec::new());
    for row in &rows {
        if let Some(twin) = row.get("le_twin") {
            big.push(row);
            little.push(
                rows.iter()
                    .find(|row| row.text("name") == twin)
                    .expect("a twin"),
            );
        }
    }
    assert_eq!(big.len(), 45);
    for (order, from, to) in [
        ("big", &little, &big),
        ("big", &big, &big),
        ("little", &big, &little),
        ("little", &little, &little),
    ] {
        let from = lines(from.iter().copied(), "hex");
        let to = lines(to.iter().copied(), "hex");
        let outcome = hopen(&["recode", "--order", order], &from);
        assert_eq!(outcome, Outcome::success(&to));
    }
}

#[test]
fn with_always_messages_are_compressed_as_kx_s_c_library_compresses_them() {
    let mut rows = compressed();
    rows.retain(|row| {
        let rule = row.text("emit_rule");
        rule == "both" || rule.starts_with("libe:")
    });
    assert_eq!(rows.len(), 67);
    let raw = lines(&rows, "raw_hex");
    let compressed = lines(&rows, "compressed_hex");
    let always = ["recode", "--compress", "always"];
    assert_same(&rows, &hopen(&always, &raw), &compressed);
    assert_same(&rows, &hopen(&always, &compressed), &compressed);
    for row in &rows {
        let outcome = hopen(&always, row.text("raw_hex"));
        assert_same(&[row], &outcome, &lines([row], "compressed_hex"));
    }
}

#[test]
fn what_came_compressed_is_compressed_again_whoever_did_it() {
    let mut rows = compressed();
    rows.retain(|row| row.text("emit_rule") != "decode only");
    let compressed = lines(&rows, "compressed_hex");
    let raw = lines(&rows, "raw_hex");
    assert_same(&rows, &hopen(&["recode"], &compressed), &compressed);
    assert_same(&rows, &hopen(&["recode"], &raw), &raw);
    assert_same(
        &rows,
        &hopen(&["recode", "--compress", "keep"], &compressed),
        &compressed,
    );
    assert_same(
        &rows,
        &hopen(&["recode", "--compress", "never"], &compressed),
        &raw,
    );
}

#[test]
fn the_kind_of_a_message_is_kept_and_an_error_stays_one() {
    for kind in 0..=2 {
        for (little, big) in [
            ("fa01000000", "fa00000001"),
            ("807479706500", "807479706500"),
        ] {
            let length = 8 + little.len() / 2;
            let little = format!("010{kind}0000{length:02x}000000{little}\n");
            let big = format!("000{kind}0000000000{length:02x}{big}\n");
            let outcome = hopen(&["recode", "--order", "big"], &little);
            assert_eq!(outcome, Outcome::success(&big));
            let outcome = hopen(&["recode", "--order", "little"], &big);
            assert_eq!(outcome, Outcome::success(&little));
        }
    }
}

#[test]
fn a_message_that_cannot_be_read_does_not_keep_the_others_from_being_done() {
    let good = "010000000a000000ff01";
    let input = format!("{good}\n010000000a000000ff02\n{good}\n");
    let fault = "at byte 9: a boolean is 0x02, neither 0 nor 1";
    let stdout = format!("{good}\nerror: {fault}\n{good}\n");
    let stderr = format!("stdin:2: {fault}\n");
    assert_eq!(hopen(&["recode"], input), Outcome::new(1, &stdout, &stderr));
}

/// Compares line by line, so that a failure does not print megabytes.
#[track_caller]
fn assert_same<R: std::borrow::Borrow<Row>>(rows: &[R], outcome: &Outcome, expected: &str) {
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
    assert_eq!(outcome.stdout.lines().count(), rows.len());
    let lines = outcome.stdout.lines().zip(expected.lines());
    for (row, (found, expected)) in rows.iter().zip(lines) {
        assert_eq!(found, expected, "{}", row.borrow().text("name"));
    }
}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).expect("hex digits")
}
