//! `hopen demo`: every kind of handle on this machine, in use.

use std::ffi::OsStr;
use std::io::{self, Write};
use std::time::Duration;

use hopen_blocking::{Error, Handle, Options, hopen, one_shot};
use hopen_codec::address::HopenArgument;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::Value;
use hopen_console::Console;
use hopen_tls::{Client, Settings, TlsError};
use tempfile::TempDir;

use crate::status::{Status, report};

mod certificates;
mod files;
mod peer;
mod process;
mod rows;

use certificates::Certificates;
use peer::{CALL_BACK, PUSH, Peer, QUESTION};
use process::Process;
use rows::Rows;

/// Starts processes, talks to them by every kind of handle, and prints what was sent and what came
/// back. An error is one of writing to `out`.
pub(crate) fn run(out: &mut impl Write) -> io::Result<Status> {
    let mut rows = Rows::new(out);
    let talked = Talk::start(&mut rows).and_then(|talk| talk.everything(&mut rows));
    match talked {
        Ok(()) if rows.surprises() == 0 => {
            writeln!(
                out,
                "\nAll is as expected, and the processes have ended. `hopen serve` starts one to try \
                 things on."
            )?;
            return Ok(Status::Success);
        }
        Ok(()) => {
            let count = rows.surprises();
            report(format_args!("error: {count} rows are not as expected"));
            return Ok(Status::Failure);
        }
        Err(Failure::Output(error)) => return Err(error),
        Err(Failure::Process(error)) => {
            report(format_args!(
                "error: cannot make what is to be shown: {error}"
            ));
        }
        Err(Failure::Handle(error)) => report(format_args!("'{error}")),
        Err(Failure::Surprise(what)) => report(format_args!("error: unexpected: {what}")),
    }
    Ok(Status::NotConnected)
}

/// What is talked to.
struct Talk {
    /// A process that asks for a login and takes plain clients and such that speak TLS.
    guarded: Process,
    /// One that lets everybody in.
    open: Process,
    /// What a client has to be told to trust the first.
    tls: Client,
    folder: TempDir,
}

impl Talk {
    fn start<W: Write>(rows: &mut Rows<'_, W>) -> Result<Self, Failure> {
        rows.title("Two processes that speak the kdb+ IPC protocol, and a CA for one of them:")?;
        let folder = tempfile::tempdir().map_err(Failure::Process)?;
        let certificates = Certificates::make(folder.path())?;
        let user = format!("{USER}:{PASSWORD}");
        let start = |arguments: &[&str]| {
            let identity = [
                OsStr::new("--tls-cert"),
                certificates.server.as_os_str(),
                OsStr::new("--tls-key"),
                certificates.server_key.as_os_str(),
            ];
            let mut all: Vec<_> = arguments.iter().map(OsStr::new).collect();
            if !all.is_empty() {
                all.extend(identity);
            }
            Process::start(&all)
        };
        rows.line(&format!(
            "$ hopen serve --user {user} --tls-mode both --tls-cert … --tls-key …"
        ))?;
        let guarded = start(&["--user", &user, "--tls-mode", "both"])?;
        rows.line(&format!("listening on {}", guarded.address()))?;
        rows.line("$ hopen serve")?;
        let open = start(&[])?;
        rows.line(&format!("listening on {}", open.address()))?;

        let mut settings = Settings::default();
        settings.ca_file = Some(certificates.ca);
        Ok(Self {
            guarded,
            open,
            tls: Client::new(&settings)?,
            folder,
        })
    }

    fn everything<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        self.handles(rows)?;
        self.by_tls(rows)?;
        self.refusals(rows)?;
        self.messages(rows)?;
        self.both_ways(rows)?;
        self.files(rows)
    }

    /// The ways to spell a process, each asked one thing.
    fn handles<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.title("Handles to a process: what was sent, and what came back:")?;
        let port = self.guarded.port()?;
        let host = format!(":localhost:{port}:{LOGIN}");
        rows.handle("one-shot", &host, "2+3", "5", |options| {
            one_shot(options, "2+3")
        })?;
        let login = format!("::{port}:{LOGIN}");
        for (what, handle) in [
            ("by TCP", host),
            ("this host", login.clone()),
            ("as a symbol", format!("`{login}")),
            ("with ms", format!("(`{login};30000)")),
            ("a port", self.open.port()?.to_string()),
        ] {
            rows.handle(what, &handle, "til 5", "0 1 2 3 4", ask_til_5)?;
        }
        let unix = format!(":unix://{port}:{LOGIN}");
        if cfg!(unix) {
            rows.handle("Unix socket", &unix, "til 5", "0 1 2 3 4", ask_til_5)
        } else {
            rows.skipped("Unix socket", "this system has none that std knows")
        }
    }

    /// The same by TLS, with all that is verified.
    fn by_tls<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        let port = self.guarded.port()?;
        let ask = |mut options: Options| {
            options.tls = Some(self.tls.clone());
            let mut handle = hopen(options)?;
            let answer = handle.get("til 5")?;
            if handle.tls().is_none() {
                return Ok(Value::from("a plain connection"));
            }
            handle.close();
            Ok(answer)
        };
        let tcps = format!(":tcps://localhost:{port}:{LOGIN}");
        rows.handle("TLS", &tcps, "til 5", "0 1 2 3 4", ask)?;
        let unixs = format!(":unixs://{port}:{LOGIN}");
        if cfg!(unix) {
            rows.handle("TLS, Unix", &unixs, "til 5", "0 1 2 3 4", ask)
        } else {
            rows.skipped(
                "TLS, Unix",
                "this system has no Unix sockets that std knows",
            )
        }
    }

    /// Handles that are not made.
    fn refusals<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.title("Handles that are refused:")?;
        let port = self.guarded.port()?;
        let wrong = format!("::{port}:{USER}:wrong");
        rows.handle("login", &wrong, "", "'access", ask_til_5)?;
        let address = format!(":tcps://127.0.0.1:{port}:{LOGIN}");
        let expected = "'TLS: the certificate of the other side is refused: it is for another name \
                        (DnsName(\"localhost\"))";
        rows.handle("TLS", &address, "", expected, |mut options| {
            options.tls = Some(self.tls.clone());
            hopen(options).map(|_| Value::IDENTITY)
        })?;
        let (_silent, port) = peer::silent()?;
        let late = format!("(`::{port};100)");
        rows.handle(
            "time-out",
            &late,
            "",
            "'timeout while logging in",
            ask_til_5,
        )
    }

    /// The kinds of messages and answers.
    fn messages<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.title("Messages, by one handle:")?;
        let mut handle = hopen(self.open.port()?)?;
        rows.got("sync", "sum 1.5*til 5", "15f", handle.get("sum 1.5*til 5"))?;
        let call = Value::from((sym!("sum"), vec![1_i64, 2, 3]));
        let sent = call.to_string();
        rows.got("function", &sent, "6", handle.get(call))?;
        let set = handle.set("prices:101.25 101.5 102");
        rows.got(
            "async",
            "prices:101.25 101.5 102",
            "",
            set.map(|()| Value::IDENTITY),
        )?;
        rows.got("sync", "count prices", "3", handle.get("count prices"))?;
        rows.got("error", "1+`a", "'type", handle.get("1+`a"))?;
        rows.got("error", "nosuch", "'nosuch", handle.get("nosuch"))?;
        let list = Value::from((sym!("echo"), (1.5, sym!("ibm"), "text")));
        let sent = list.to_string();
        rows.got("echo", &sent, "(1.5;`ibm;\"text\")", handle.get(list))?;
        let table = handle.get("trade")?;
        let shown = Console::new().show(table.as_ref()).to_string();
        rows.block("table", "trade", TRADE, &shown)?;
        handle.close();
        Ok(())
    }

    /// What a process sends of its own accord.
    fn both_ways<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.title("What the other side asks and sends:")?;
        let peer = Peer::start()?;
        let mut handle = hopen(peer.port())?;
        handle.on_request(|question| {
            if question == Value::from(QUESTION) {
                Ok("ann".into())
            } else {
                Err(RemoteError::new("nyi").expect("it has no NUL"))
            }
        });
        rows.got("call-back", CALL_BACK, "\"ann\"", handle.get(CALL_BACK))?;
        let pushed = push(&mut handle);
        rows.got("pushed", PUSH, "\"news\"", pushed)?;
        handle.close();
        peer.end()
    }

    /// What is no process.
    fn files<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.title("Handles to pipes and files:")?;
        let path = self.folder.path().join("notes.txt");
        let handle = format!(":{}", path.display());
        for (line, expected) in [("quick", "quick\n"), ("brown", "quick\nbrown\n")] {
            let found = files::append(&handle, &path, line)?;
            rows.text("file", ":…/notes.txt", line, expected, &found)?;
        }
        self.pipes(rows)
    }

    #[cfg(unix)]
    fn pipes<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        use crate::args::Packing;
        use files::{LINE, PACKED};

        let path = self.folder.path().join("trades");
        files::make_pipe(&path)?;
        let handle = format!(":fifo://{}", path.display());
        for (what, sent, bytes, packing) in [
            ("pipe", LINE, LINE.as_bytes(), Packing::None),
            ("gzip", "the same, packed", PACKED, Packing::Gzip),
        ] {
            let found = files::through_pipe(&handle, &path, bytes, packing)?;
            rows.text(what, ":fifo://…/trades", sent, LINE, &found)?;
        }
        Ok(())
    }

    #[cfg(not(unix))]
    fn pipes<W: Write>(&self, rows: &mut Rows<'_, W>) -> Result<(), Failure> {
        rows.skipped("pipe", "this system has no named pipes of Unix")
    }
}

fn ask_til_5(options: Options) -> Result<Value, Error> {
    let mut handle = hopen(options)?;
    let answer = handle.get("til 5")?;
    handle.close();
    Ok(answer)
}

/// Has the peer send something, and returns it.
fn push(handle: &mut Handle) -> Result<Value, Error> {
    handle.get(PUSH)?;
    handle.recv_timeout(PATIENCE)
}

/// Reads a handle, for whoever is to open it.
fn options(handle: &str) -> Result<Options, Failure> {
    let argument: HopenArgument = handle.parse().map_err(Error::from)?;
    let mut options = Options::try_from(argument).map_err(Error::from)?;
    options.timeout.get_or_insert(PATIENCE);
    Ok(options)
}

/// Why not everything was shown.
enum Failure {
    /// It could not be printed.
    Output(io::Error),
    /// A process, a thread or a file could not be made.
    Process(io::Error),
    /// The process was not understood.
    Handle(Error),
    /// Something came that was not expected.
    Surprise(String),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Handle(error)
    }
}

impl From<TlsError> for Failure {
    fn from(error: TlsError) -> Self {
        Self::Surprise(error.to_string())
    }
}

impl From<rcgen::Error> for Failure {
    fn from(error: rcgen::Error) -> Self {
        Self::Surprise(error.to_string())
    }
}

/// Who logs in.
const USER: &str = "ann";

/// Her password, which is no secret.
const PASSWORD: &str = "secret";

/// Both, as they stand in a handle.
const LOGIN: &str = "ann:secret";

/// How long to wait for a process.
const PATIENCE: Duration = Duration::from_secs(30);

/// What q's console shows of `trade`.
const TRADE: &str = "\
time                 sym  price  size
-------------------------------------
0D09:30:00.000000000 ibm  101.25 300 
0D09:30:00.000000000 msft 52.5   200 
0D09:31:00.000000000 ibm  101.5  100 
0D09:33:00.000000000 amd  33.75  500 
0D09:33:00.000000000 msft 52.25  400 
0D09:35:00.000000000 ibm  101    250 
";
