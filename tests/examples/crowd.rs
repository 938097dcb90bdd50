//! A crowd of connections to a server in a process of its own, with figures:
//!
//! ```sh
//! cargo run --release -p hopen-tests --example crowd              # 10,000 connections
//! cargo run --release -p hopen-tests --example crowd -- 1000 50   # 1,000, each asks 50 times
//! ```
//!
//! Both processes may have as many files as the system lets them (`ulimit -Hn`), of which each
//! connection takes one in either. From one address to one port there are some 28,000 connections.

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use async_std::task;
use hopen_async_std::Listener;
use hopen_async_std::server::Server;

#[path = "../tests/crowd/crowd.rs"]
mod crowd;

use crowd::{Crowd, Desk};

fn main() -> Result<(), Box<dyn Error>> {
    take_all_files()?;
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [serve, connections] if serve == "serve" => serve_until_told(connections.parse()?),
        [] => come(10_000, 20),
        [connections, times] => come(connections.parse()?, times.parse()?),
        _ => Err("crowd [CONNECTIONS TIMES]".into()),
    }
}

/// The server's process: says its port, serves until its input ends, and says for each line what memory
/// it has.
fn serve_until_told(connections: usize) -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind("localhost:0W")?;
    let port = listener.local_addr()?.port();
    let server = Server::new(listener, Desk::default(), crowd::options(connections));
    let control = server.control();
    let running = task::spawn(server.run());
    writeln!(io::stdout(), "{port}")?;
    for line in io::stdin().lines() {
        line?;
        writeln!(io::stdout(), "{}", memory()?)?;
    }
    control.stop(Duration::from_secs(60));
    match task::block_on(running) {
        0 => Ok(()),
        cut_off => Err(format!("{cut_off} connections had to be cut off").into()),
    }
}

fn come(connections: usize, times: usize) -> Result<(), Box<dyn Error>> {
    let mut server = Command::new(env::current_exe()?)
        .args(["serve", &connections.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("no output")?).lines();
    let mut told = server.stdin.take().ok_or("no input")?;
    let mut line = move || {
        let line = lines.next().ok_or("the server has ended")?;
        line.map_err(Box::<dyn Error>::from)
    };
    let port = line()?.parse()?;
    let mut out = io::stdout().lock();
    let mut before = None;
    let mut look = move |out: &mut dyn Write, when: &str| -> Result<(), Box<dyn Error>> {
        writeln!(told)?;
        let (server, client): (u64, u64) = (line()?.parse()?, memory()?);
        let (server_before, client_before) = *before.get_or_insert((server, client));
        let each = |now: u64, before: u64| {
            let count = i64::try_from(connections)?;
            Ok::<_, Box<dyn Error>>((i64::try_from(now)? - i64::try_from(before)?) / count)
        };
        writeln!(
            out,
            "{when:<24} server {:>6} KiB, {:>6} bytes each; clients {:>6} KiB, {:>6} bytes each",
            server / 1024,
            each(server, server_before)?,
            client / 1024,
            each(client, client_before)?,
        )?;
        Ok(())
    };
    look(&mut out, "before")?;
    let start = Instant::now();
    let mut crowd = task::block_on(Crowd::connect(port, connections))?;
    let connected = start.elapsed();
    look(&mut out, "logged in, idle")?;
    let start = Instant::now();
    let report = task::block_on(crowd.converse(times));
    let took = start.elapsed();
    look(&mut out, "idle again")?;
    writeln!(
        out,
        "{} connections in {:.1} s; {} gets and {} asyncs in {:.1} s; {} errors",
        crowd.len(),
        connected.as_secs_f64(),
        report.gets,
        report.asyncs,
        took.as_secs_f64(),
        report.errors
    )?;
    drop(crowd);
    look(&mut out, "closed")?;
    // The server's process ends as its input does.
    drop(look);
    if !server.wait()?.success() || report.errors > 0 || report.gets != connections * times {
        return Err("not everything was answered".into());
    }
    Ok(())
}

/// Has the system let this process have as many files as it may.
#[cfg(unix)]
fn take_all_files() -> io::Result<()> {
    use rustix::process::{Resource, getrlimit, setrlimit};

    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    Ok(setrlimit(Resource::Nofile, files)?)
}

#[cfg(not(unix))]
fn take_all_files() -> io::Result<()> {
    Ok(())
}

/// Returns how many bytes this process has in memory, as Linux says it.
fn memory() -> Result<u64, Box<dyn Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = resident.ok_or("no VmRSS")?.trim().trim_end_matches(" kB");
    Ok(kibibytes.parse::<u64>()? * 1024)
}
