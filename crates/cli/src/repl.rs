//! `hopen HANDLE` by hand: questions are typed, one a line.
//!
//! ```text
//!  the thread of the prompt            line: a thread for each connection
//!  edits, prints, waits      ──Job──►  hopen, then get after get
//!        ▲        ▲                         │
//!        │        └──── Event::Done ────────┘
//!        └───────────── Event::Interrupted ──── signals
//! ```
//!
//! What Ctrl-C gives up is the answer. The connection waits on for it and drops it, and asks the
//! next question then: they would be answered in the wrong order otherwise.

use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, RecvError, Sender};

use hopen_blocking::{Error, Options};
use hopen_codec::value::Value;
use rustyline::DefaultEditor;
use rustyline::config::Config;
use rustyline::error::ReadlineError;

use crate::output::Printer;
use crate::progress::Progress;
use crate::query::tell_error;
use crate::status::{Status, report};

mod history;
mod line;

use history::History;
use line::{Done, Line};

/// Connects, and asks what is typed until `\\` or the end of the input. An error is one of writing
/// to `out`.
pub(crate) fn run(options: Options, printer: Printer, out: &mut impl Write) -> io::Result<Status> {
    let (events, coming) = mpsc::channel();
    let mut talk = Talk {
        history: History::of(&options.address),
        line: None,
        asked: 0,
        progress: Progress::new(),
        events,
        coming,
        printer,
        options,
    };
    if let Some(Err(error)) = talk.connect(out)? {
        return Ok(tell_error(&error, &talk.options.address));
    }
    // From here on Ctrl-C is no end. Before, there is nothing to give up but the connection.
    if let Err(error) = line::forward_interrupts(&talk.events) {
        report(format_args!("error: cannot watch for signals: {error}"));
        return Ok(Status::Failure);
    }
    writeln!(
        out,
        "\\\\ leaves, {RECONNECT} connects again, Ctrl-C gives up an answer"
    )?;
    talk.prompts(out)
}

/// A conversation with a process.
struct Talk {
    options: Options,
    printer: Printer,
    history: History,
    progress: Progress,
    /// The connection, if there is one.
    line: Option<Line>,
    /// How much was asked of all connections.
    asked: u64,
    events: Sender<Event>,
    coming: Receiver<Event>,
}

/// What a conversation waits for.
enum Event {
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// A question was answered, or a connection was made.
    Done(Done),
}

/// What to do with a line that was typed.
#[derive(Debug, PartialEq, Eq)]
enum Typed<'a> {
    Nothing,
    Leave,
    Reconnect,
    /// For the process, as it stands there.
    Query(&'a str),
}

impl Typed<'_> {
    /// Reads a line. What is for this program could not be for q: there `\\` leaves as well, and
    /// `\reconnect` is no command.
    fn read(line: &str) -> Typed<'_> {
        match line.trim() {
            "" => Typed::Nothing,
            LEAVE => Typed::Leave,
            RECONNECT => Typed::Reconnect,
            _ => Typed::Query(line),
        }
    }
}

impl Talk {
    /// Reads lines and does what they say.
    fn prompts(&mut self, out: &mut impl Write) -> io::Result<Status> {
        let mut editor = match self.editor() {
            Ok(editor) => editor,
            Err(error) => return Ok(cannot_read(&error)),
        };
        let prompt = format!("{}>", self.options.address.endpoint);
        loop {
            out.flush()?;
            let line = match editor.readline(&prompt) {
                Ok(line) => line,
                Err(ReadlineError::Interrupted | ReadlineError::Signal(_)) => continue,
                Err(ReadlineError::Eof) => return Ok(Status::Success),
                Err(error) => return Ok(cannot_read(&error)),
            };
            let typed = Typed::read(&line);
            if typed != Typed::Nothing {
                self.history.keep(&mut editor, &line);
            }
            match typed {
                Typed::Nothing => {}
                Typed::Leave => return Ok(Status::Success),
                Typed::Reconnect => self.reconnect(out)?,
                Typed::Query(query) => self.ask(query, out)?,
            }
        }
    }

    fn editor(&mut self) -> rustyline::Result<DefaultEditor> {
        let config = Config::builder()
            .max_history_size(MOST_HISTORY)?
            .history_ignore_space(true)
            .build();
        let mut editor = DefaultEditor::with_config(config)?;
        self.history.load(&mut editor);
        Ok(editor)
    }

    /// Asks, and prints what comes.
    fn ask(&mut self, query: &str, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        self.asked += 1;
        let Some(line) = &mut self.line else {
            report(format_args!(
                "error: not connected; {RECONNECT} connects again"
            ));
            return Ok(());
        };
        line.ask(self.asked, query);
        match self.wait(out)? {
            Some(Ok(answer)) => {
                if let Err(error) = self.printer.print(&answer, out)? {
                    report(format_args!("error: {error}"));
                }
            }
            Some(Err(error)) => {
                tell_error(&error, &self.options.address);
                if line::is_over(&error) {
                    self.line = None;
                    report(format_args!(
                        "the connection is lost; {RECONNECT} connects again"
                    ));
                }
            }
            None => {
                if let Some(line) = &self.line {
                    line.give_up();
                }
                report(format_args!(
                    "the answer is given up; the next question waits for it"
                ));
            }
        }
        Ok(())
    }

    fn reconnect(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.settle(out)?;
        match self.connect(out)? {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tell_error(&error, &self.options.address);
            }
            None => report(format_args!("not connected; {RECONNECT} connects again")),
        }
        Ok(())
    }

    /// Connects in place of what was connected; `None` where somebody did not want to wait for it.
    fn connect(&mut self, out: &mut impl Write) -> io::Result<Option<Result<(), Error>>> {
        self.asked += 1;
        self.line = None;
        let options = self.options.clone();
        let opened = Line::open(options, self.asked, &self.progress, &self.events);
        let line = match opened {
            Ok(line) => line,
            Err(error) => return Ok(Some(Err(error))),
        };
        let connected = self.wait(out)?;
        if let Some(Ok(_)) = connected {
            self.line = Some(line);
        }
        Ok(connected.map(|connected| connected.map(|_| ())))
    }

    /// Takes what has come since the last question: Ctrl-C means none of those that follow.
    fn settle(&self, out: &mut impl Write) -> io::Result<()> {
        while let Ok(event) = self.coming.try_recv() {
            match event {
                Event::Done(done) => self.print_pushed(&done.pushed, out)?,
                Event::Interrupted => {}
            }
        }
        Ok(())
    }

    /// Waits for what was asked last, and prints what the process has sent before it. `None` where
    /// somebody did not want to wait.
    fn wait(&self, out: &mut impl Write) -> io::Result<Option<Result<Value, Error>>> {
        let mut pushed = Vec::new();
        let outcome = self.progress.during(|| {
            loop {
                match self.coming.recv() {
                    Ok(Event::Done(mut done)) => {
                        pushed.append(&mut done.pushed);
                        // Others were given up.
                        if done.number == self.asked {
                            break Some(done.outcome);
                        }
                    }
                    Ok(Event::Interrupted) | Err(RecvError) => break None,
                }
            }
        });
        self.print_pushed(&pushed, out)?;
        Ok(outcome)
    }

    fn print_pushed(
        &self,
        pushed: &[Result<Value, Error>],
        out: &mut impl Write,
    ) -> io::Result<()> {
        for message in pushed {
            match message {
                Ok(message) => {
                    writeln!(out, "async message:")?;
                    self.printer.print_for_people(message, out)?;
                }
                Err(error) => {
                    out.flush()?;
                    report(format_args!("async message: '{error}"));
                }
            }
        }
        Ok(())
    }
}

fn cannot_read(error: &ReadlineError) -> Status {
    report(format_args!("error: cannot read the terminal: {error}"));
    Status::NoInput
}

/// What leaves the program, as it leaves q.
const LEAVE: &str = "\\\\";

/// What connects again.
const RECONNECT: &str = "\\reconnect";

/// How many lines are kept for the next time: 1000, a few screens of each day of some weeks.
const MOST_HISTORY: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_are_for_this_program_and_all_others_for_the_process() {
        for (line, typed) in [
            ("", Typed::Nothing),
            ("  ", Typed::Nothing),
            ("\\\\", Typed::Leave),
            (" \\\\ ", Typed::Leave),
            ("\\reconnect", Typed::Reconnect),
            ("\\t 1+1", Typed::Query("\\t 1+1")),
            ("\\", Typed::Query("\\")),
            ("\\r", Typed::Query("\\r")),
            ("\\reconnect 5", Typed::Query("\\reconnect 5")),
            ("exit", Typed::Query("exit")),
            (" 1+1 ", Typed::Query(" 1+1 ")),
        ] {
            assert_eq!(Typed::read(line), typed);
        }
    }
}
