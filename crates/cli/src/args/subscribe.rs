//! The command line of `hopen subscribe`.

use core::time::Duration;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::Args;
use hopen_codec::address::{Address, HopenArgument, Target};
use hopen_codec::tick::Topic;
use hopen_codec::value::{Symbol, SymbolError};

use super::{OutputArguments, OutputOptions, read_handle, wrong_usage};
use crate::status::Status;

/// `hopen subscribe`.
pub(crate) struct SubscribeOptions {
    /// Where to connect, and as whom.
    pub(crate) address: Address,
    /// What to subscribe to.
    pub(crate) topic: Topic,
    /// How long an attempt may take.
    pub(crate) timeout: Option<Duration>,
    /// How many attempts may fail in a row.
    pub(crate) attempts: Option<u32>,
    /// Where the password is, if it is not in the handle.
    pub(crate) password_file: Option<PathBuf>,
    /// How updates are printed.
    pub(crate) output: OutputOptions,
}

#[derive(Args)]
pub(super) struct SubscribeArguments {
    /// Where to connect: a handle of a process, as `hopen HANDLE` takes it
    #[arg(value_name = "HANDLE")]
    handle: OsString,

    /// The table; `all`, or a backtick alone, is all of them
    ///
    /// A backtick may stand before the name, as before one that is called all.
    #[arg(value_name = "TABLE")]
    table: OsString,

    /// Symbols with commas between, to see their rows only; a backtick alone is all [default: all]
    #[arg(value_name = "SYMS")]
    symbols: Option<OsString>,

    /// Give up an attempt to connect, log in and subscribe after MS milliseconds [default: 30000]
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..))]
    timeout: Option<u32>,

    /// End when N attempts in a row have failed [default: never]
    ///
    /// What the process refuses, a login or the subscription, is tried 5 times in a row at most.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempts: Option<u32>,

    #[command(flatten)]
    output: OutputArguments,

    /// Take the password from the first line of FILE; see `hopen --help`
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl SubscribeArguments {
    pub(super) fn into_options(self) -> Result<SubscribeOptions, Status> {
        let HopenArgument {
            target, timeout, ..
        } = read_handle(&self.handle)?;
        let Target::Process(address) = target else {
            return Err(wrong_usage(format_args!(
                "only a process is subscribed to: write :HOST:PORT"
            )));
        };
        if timeout.is_some() && self.timeout.is_some() {
            return Err(wrong_usage(format_args!(
                "the handle has a time-out: write no --timeout"
            )));
        }
        let option = self.timeout.map(|ms| Duration::from_millis(ms.into()));
        let timeout = timeout.or(option);
        let topic = topic(&self.table, self.symbols.as_deref())
            .map_err(|error| wrong_usage(format_args!("{error}")))?;
        if self.output.csv && topic.is_all_tables() {
            return Err(wrong_usage(format_args!(
                "CSV is of one table: write its name instead of `all`"
            )));
        }
        Ok(SubscribeOptions {
            address,
            topic,
            timeout,
            attempts: self.attempts,
            password_file: self.password_file,
            output: self.output.to_options(),
        })
    }
}

fn topic(table: &OsStr, symbols: Option<&OsStr>) -> Result<Topic, SymbolError> {
    let topic = match table.as_encoded_bytes() {
        b"all" => Topic::all_tables(),
        name => Topic::table(symbol(name)?),
    };
    match symbols.map(OsStr::as_encoded_bytes) {
        None | Some(b"" | b"`") => Ok(topic),
        Some(symbols) => {
            let names = symbols.split(|byte| *byte == b',').map(symbol);
            let names: Result<Vec<_>, _> = names.collect();
            Ok(topic.only(names?))
        }
    }
}

/// Reads a name, with a backtick before it or without.
fn symbol(name: &[u8]) -> Result<Symbol, SymbolError> {
    Symbol::new(name.strip_prefix(b"`").unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use hopen_codec::value::Value;

    use super::*;

    #[test]
    fn tables_and_symbols_are_read_with_and_without_backticks() {
        for (table, symbols, question) in [
            ("trade", None, r#"(".u.sub";`trade;`)"#),
            ("`trade", Some("ibm"), r#"(".u.sub";`trade;,`ibm)"#),
            ("trade", Some("`ibm,amd"), r#"(".u.sub";`trade;`ibm`amd)"#),
            ("trade", Some("`"), r#"(".u.sub";`trade;`)"#),
            ("trade", Some(""), r#"(".u.sub";`trade;`)"#),
            ("all", None, r#"(".u.sub";`;`)"#),
            ("`", None, r#"(".u.sub";`;`)"#),
            ("`all", None, r#"(".u.sub";`all;`)"#),
        ] {
            let topic = topic(table.as_ref(), symbols.map(OsStr::new)).unwrap();
            assert_eq!(Value::from(topic).to_string(), question, "{table}");
        }
    }
}
