//! What the demonstration prints: a row for each form, checked.

use std::io::Write;

use hopen_blocking::{Error, Options};
use hopen_codec::address::HopenArgument;
use hopen_codec::value::Value;

use super::{Failure, options};

/// Prints rows, and counts those that are not as expected.
pub(super) struct Rows<'a, W> {
    out: &'a mut W,
    surprises: usize,
}

impl<'a, W: Write> Rows<'a, W> {
    pub(super) const fn new(out: &'a mut W) -> Self {
        Self { out, surprises: 0 }
    }

    /// Prints what the rows below it have in common.
    pub(super) fn title(&mut self, title: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "\n{title}\n")?)
    }

    pub(super) fn line(&mut self, line: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "  {line}")?)
    }

    /// Uses a handle, and prints it without its password.
    pub(super) fn handle(
        &mut self,
        what: &str,
        handle: &str,
        sent: &str,
        expected: &str,
        used: impl FnOnce(Options) -> Result<Value, Error>,
    ) -> Result<(), Failure> {
        let shown: HopenArgument = handle.parse().map_err(Error::from)?;
        let shown = spelled_as(handle, &shown);
        let got = text(used(options(handle)?));
        self.check(what, &format!("{shown:<36} {sent:<6}"), expected, &got)
    }

    /// Prints what was sent and what came back.
    pub(super) fn got(
        &mut self,
        what: &str,
        sent: &str,
        expected: &str,
        got: Result<Value, Error>,
    ) -> Result<(), Failure> {
        self.check(what, &format!("{sent:<43}"), expected, &text(got))
    }

    /// Prints what was sent to a pipe or file, and what is there now.
    pub(super) fn text(
        &mut self,
        what: &str,
        handle: &str,
        sent: &str,
        expected: &str,
        got: &str,
    ) -> Result<(), Failure> {
        let [expected, got] = [expected, got].map(|text| text.escape_debug().to_string());
        self.check(what, &format!("{handle:<24} {sent:<18}"), &expected, &got)
    }

    /// Prints what came back on lines of its own.
    pub(super) fn block(
        &mut self,
        what: &str,
        sent: &str,
        expected: &str,
        got: &str,
    ) -> Result<(), Failure> {
        writeln!(self.out, "  {what:<12} {sent}")?;
        for line in got.lines() {
            writeln!(self.out, "               {}", line.trim_end())?;
        }
        self.compare(expected, got)
    }

    /// Says what this system cannot show.
    pub(super) fn skipped(&mut self, what: &str, why: &str) -> Result<(), Failure> {
        Ok(writeln!(self.out, "  {what:<12} skipped: {why}")?)
    }

    /// Returns how many rows are not as expected.
    pub(super) const fn surprises(&self) -> usize {
        self.surprises
    }

    fn check(&mut self, what: &str, sent: &str, expected: &str, got: &str) -> Result<(), Failure> {
        let line = format!("  {what:<12} {sent} {got}");
        writeln!(self.out, "{}", line.trim_end())?;
        self.compare(expected, got)
    }

    fn compare(&mut self, expected: &str, got: &str) -> Result<(), Failure> {
        if got != expected {
            self.surprises += 1;
            writeln!(self.out, "  ^ expected:  {expected}")?;
        }
        self.out.flush()?;
        Ok(())
    }
}

/// Returns an answer as it shows; `::` as nothing.
fn text(got: Result<Value, Error>) -> String {
    match got {
        Ok(value) if value == Value::IDENTITY => String::new(),
        Ok(value) => value.to_string(),
        Err(error) => {
            let text = format!("'{error}");
            // What follows is what to do about it.
            match text.split_once("; ") {
                Some((what, _)) => what.to_owned(),
                None => text,
            }
        }
    }
}

/// Returns a handle as it was spelled, but without its password.
fn spelled_as(handle: &str, argument: &HopenArgument) -> String {
    let shown = argument.to_string();
    match handle.as_bytes() {
        [b'`', ..] => format!("`{shown}"),
        [b'0'..=b'9', ..] => handle.to_owned(),
        _ => shown,
    }
}

#[cfg(test)]
mod tests {
    use hopen_codec::remote_error::RemoteError;

    use super::*;

    #[test]
    fn what_is_not_as_expected_is_counted_and_said() {
        let mut out = Vec::new();
        let mut rows = Rows::new(&mut out);
        let type_error = || Err(Error::Remote(RemoteError::new("type").unwrap()));
        let shown = |shown: Result<(), Failure>| assert!(shown.is_ok());
        shown(rows.got("sync", "2+3", "5", Ok(5_i64.into())));
        shown(rows.got("error", "1+`a", "'type", type_error()));
        shown(rows.got("async", "a:1", "", Ok(Value::IDENTITY)));
        assert_eq!(rows.surprises(), 0);
        shown(rows.got("sync", "2+3", "5", Ok(6_i64.into())));
        shown(rows.got("sync", "2+3", "5", type_error()));
        shown(rows.block("table", "t", "a\n", "b\n"));
        shown(rows.text("file", ":f", "a", "a\n", "a"));
        shown(rows.skipped("pipe", "there is none"));
        assert_eq!(rows.surprises(), 4);
        let out = String::from_utf8(out).unwrap();
        assert_eq!(out.matches("^ expected:  ").count(), 4, "{out}");
    }

    #[test]
    fn a_handle_shows_without_its_password() {
        let mut out = Vec::new();
        for (handle, shown) in [
            ("::5010:ann:secret", "::5010:ann"),
            ("`:h:5010:ann:secret", "`:h:5010:ann"),
            ("(`:unix://5010:ann:secret;5)", "(`:unix://5010:ann;5)"),
            ("5010", "5010"),
        ] {
            let mut rows = Rows::new(&mut out);
            let used = rows.handle("h", handle, "x", "1", |_| Ok(1_i64.into()));
            assert!(used.is_ok());
            let argument: HopenArgument = handle.parse().unwrap();
            assert_eq!(spelled_as(handle, &argument), shown);
        }
        assert!(!String::from_utf8(out).unwrap().contains("secret"));
    }
}
