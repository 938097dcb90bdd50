//! `hopen subscribe`: what a tickerplant publishes.
//!
//! ```text
//! standard output    updates, in the form that was asked for
//! standard error     '… losses, attempts, gaps: a line for each
//!                    ⠹ 12 updates/s, 340 rows/s, 12.31 KiB/s; 1204 updates    on a terminal
//! ```

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hopen_blocking::{
    Error, Event, Options, Phase, SchemaChange, Stopper, Subscriber, SubscriberOptions,
};
use hopen_codec::address::Address;
use hopen_codec::sym;
use hopen_codec::tick::{Column, ColumnKind, Data, Schema};
use hopen_codec::value::{Date, Dict, Symbol, Value};
use hopen_console::ExportError;

use crate::args::SubscribeOptions;
use crate::output::{Form, Printer};
use crate::query::{find_password, tell_error};
use crate::status::{Status, report};

mod rate;

use rate::Rate;

/// Prints what is published until a signal ends it. An error is one of writing to `out`.
pub(crate) fn run(options: SubscribeOptions, out: &mut impl Write) -> io::Result<Status> {
    let mut address = options.address;
    if let Err(status) = find_password(&mut address, options.password_file.as_deref()) {
        return Ok(status);
    }
    let mut connect = Options::new(address.clone());
    connect.timeout = options.timeout;
    let mut told = match SubscriberOptions::new(connect, [options.topic]) {
        Ok(told) => told,
        Err(error) => return Ok(tell_error(&error, &address)),
    };
    told.attempts = options.attempts;
    let mut subscriber = Subscriber::new(told);
    if let Err(error) = follow_signals(subscriber.stopper()) {
        report(format_args!("error: cannot watch for signals: {error}"));
        return Ok(Status::Failure);
    }
    let mut watch = Watch {
        address,
        printer: Printer::new(options.output),
        head: Vec::new(),
        rate: Rate::new(),
        losses: 0,
        missing: Duration::ZERO,
        lost: None,
        status: Status::Success,
    };
    let watched = watch.follow(&mut subscriber, out);
    watch.sum_up();
    watched?;
    Ok(watch.status)
}

struct Watch {
    address: Address,
    printer: Printer,
    /// The names that CSV was begun with.
    head: Vec<Symbol>,
    rate: Rate,
    losses: u64,
    /// How long something may have been missing, up to the last connection.
    missing: Duration,
    /// Since when something is missing, where there is no connection.
    lost: Option<SystemTime>,
    status: Status,
}

impl Watch {
    fn follow(&mut self, subscriber: &mut Subscriber, out: &mut impl Write) -> io::Result<()> {
        loop {
            let next = match self.rate.next_look() {
                Some(time) => subscriber.next_timeout(time),
                None => subscriber.next(),
            };
            match next {
                None => return Ok(()),
                Some(Ok(event)) => self.tell(event, out)?,
                Some(Err(Error::Timeout(Phase::Message))) => {}
                Some(Err(error)) => {
                    let address = &self.address;
                    let status = self.rate.suspend(|| tell_error(&error, address));
                    self.status = self.status.max(status);
                    return Ok(());
                }
            }
            self.rate.look();
        }
    }

    fn tell(&mut self, event: Event, out: &mut impl Write) -> io::Result<()> {
        match event {
            Event::Update { table, data } => {
                let message =
                    || Value::from((sym!("upd"), table.clone(), Value::from(data.clone())));
                self.rate.count(data.rows().unwrap_or(0), message);
                return self.print_update(table, data, out);
            }
            Event::EndOfDay(date) => return self.print_end(date, out),
            Event::Other(message) => return self.print_other(message, out),
            Event::Schema {
                schema,
                change: SchemaChange::Changed { .. },
            } => self.say(format_args!(
                "{} has changed: {}",
                schema.table,
                columns(&schema)
            )),
            Event::Schema { .. } | Event::Answer { .. } => {}
            Event::Bad(error) => {
                self.status = self.status.max(Status::Failure);
                self.say(format_args!("error: a message: {error}"));
            }
            Event::Lost { cause, since } => {
                self.losses += 1;
                self.lost = Some(since);
                self.say(format_args!(
                    "'{cause} ({}); connecting again",
                    self.address
                ));
            }
            Event::Failed {
                cause,
                attempts,
                wait,
            } => self.say(format_args!(
                "'{cause} ({}); attempt {attempts}, the next in {:.1} s",
                self.address,
                wait.as_secs_f64()
            )),
            Event::Gap(gap) => {
                self.missing += gap.length();
                self.lost = None;
                self.say(format_args!("connected again {gap}"));
            }
        }
        Ok(())
    }

    fn print_update(&mut self, table: Symbol, data: Data, out: &mut impl Write) -> io::Result<()> {
        let rows = Value::from(data);
        let printer = self.printer;
        let printed = match printer.form() {
            Form::Console => self.rate.suspend(|| {
                writeln!(out, "{table}")?;
                printer.print(&rows, out)
            }),
            Form::Short => {
                let message = (sym!("upd"), table, rows).into();
                self.rate.suspend(|| printer.print(&message, out))
            }
            Form::Json => {
                let object = Dict::new(vec![sym!("table"), sym!("data")], (table, rows));
                self.rate.suspend(|| printer.print(&object.into(), out))
            }
            Form::Csv => {
                // What is no table has none, and the printer says so.
                let mut names = Vec::new();
                if let Value::Table(table) = &rows {
                    let found = table.as_ref().names();
                    names.extend(found.into_iter().map(|name| name.to_symbol()));
                }
                let is_begun = names == self.head;
                let printed = self.rate.suspend(|| match is_begun {
                    true => printer.print_more(&rows, out),
                    false => printer.print(&rows, out),
                });
                if let Ok(Ok(())) = printed {
                    self.head = names;
                }
                printed
            }
        }?;
        self.formed(printed);
        Ok(())
    }

    fn print_end(&mut self, date: Date, out: &mut impl Write) -> io::Result<()> {
        let value = match self.printer.form() {
            Form::Csv => {
                self.say(format_args!("{date} has ended"));
                return Ok(());
            }
            Form::Json => Dict::new(vec![sym!("end")], vec![date]).into(),
            Form::Console | Form::Short => (sym!(".u.end"), date).into(),
        };
        self.print(&value, out)
    }

    fn print_other(&mut self, message: Value, out: &mut impl Write) -> io::Result<()> {
        let value = match self.printer.form() {
            Form::Csv => {
                self.say(format_args!("a message that is no update: {message}"));
                return Ok(());
            }
            Form::Json => Dict::new(vec![sym!("message")], (message,)).into(),
            Form::Console | Form::Short => message,
        };
        self.print(&value, out)
    }

    fn print(&mut self, value: &Value, out: &mut impl Write) -> io::Result<()> {
        let printer = self.printer;
        let printed = self.rate.suspend(|| printer.print(value, out))?;
        self.formed(printed);
        Ok(())
    }

    /// Says that something could not be printed in the form that was asked for.
    fn formed(&mut self, printed: Result<(), ExportError>) {
        if let Err(error) = printed {
            self.status = self.status.max(Status::Failure);
            self.say(format_args!("error: {error}"));
        }
    }

    fn say(&self, line: core::fmt::Arguments<'_>) {
        self.rate.suspend(|| report(line));
    }

    fn sum_up(&mut self) {
        let seen = self.rate.finish();
        let lost = self.lost.map(|since| since.elapsed().unwrap_or_default());
        let missing = self.missing + lost.unwrap_or_default();
        let losses = match self.losses {
            0 => String::new(),
            losses => format!(
                "; {losses} {}, {:.1} s of gaps",
                if losses == 1 { "loss" } else { "losses" },
                missing.as_secs_f64()
            ),
        };
        report(format_args!("{seen}{losses}"));
    }
}

/// Names the columns of a table and their types.
fn columns(schema: &Schema) -> String {
    let columns = schema.columns().map(|column| {
        let Column {
            kind,
            name,
            value_type,
        } = column;
        let key = match kind {
            ColumnKind::Key => "key ",
            ColumnKind::Value => "",
        };
        format!("{key}{name} {value_type}")
    });
    columns.collect::<Vec<_>>().join(", ")
}

/// Stops at SIGINT and SIGTERM; a second one ends the process at once.
#[cfg(unix)]
fn follow_signals(stopper: Stopper) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let thread = std::thread::Builder::new().name("signals".into());
    thread.spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() {
            stopper.stop();
        }
        for signal in signals {
            if let Err(error) = emulate_default_handler(signal) {
                report(format_args!("error: cannot end the process: {error}"));
            }
        }
    })?;
    Ok(())
}

/// Elsewhere the system ends the process by itself.
#[cfg(not(unix))]
fn follow_signals(_stopper: Stopper) -> io::Result<()> {
    Ok(())
}
