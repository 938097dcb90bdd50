//! A long siege of a server in a process of its own, with figures:
//!
//! ```sh
//! cargo run --release -p hopen-tests --example siege               # 209 attackers, 8 clients, once
//! cargo run --release -p hopen-tests --example siege -- 150 16 3   # 150 of each kind, three times
//! ```
//!
//! All of it goes over loopback, and each time takes little more than [`TIMEOUT`]. What the server's
//! process holds is looked at before, after each time, and at the end, when it has to have given
//! everything back.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, thread};

use hopen_blocking::Listener;
use hopen_blocking::server::Server;

#[path = "../tests/siege/siege.rs"]
mod siege;

use siege::Target;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match &arguments[..] {
        [serve] if serve == "serve" => serve_until_told(),
        [] => besiege(19, 8, 1),
        [each, good, times] => besiege(each.parse()?, good.parse()?, times.parse()?),
        _ => Err("siege [OF_EACH_KIND GOOD_CLIENTS TIMES]".into()),
    }
}

/// The server's process: says its port, serves until its input ends, and says for each line what it
/// holds.
fn serve_until_told() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind("localhost:0W")?;
    let port = listener.local_addr()?.port();
    let mut options = siege::options(TIMEOUT, TIMEOUT);
    options.connections = 10_000;
    let server = Server::new(listener, Target::new(), options)?;
    let control = server.control();
    let running = thread::spawn(move || server.run());
    writeln!(io::stdout(), "{port}")?;
    for line in io::stdin().lines() {
        line?;
        writeln!(io::stdout(), "{}", held())?;
    }
    control.stop(TIMEOUT);
    let cut_off = running.join().map_err(|_| "the server has panicked")?;
    writeln!(
        io::stdout(),
        "cut off when it stopped: {cut_off}; {}",
        held()
    )?;
    Ok(())
}

fn besiege(each: usize, good: usize, times: usize) -> Result<(), Box<dyn Error>> {
    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("no output")?).lines();
    let mut told = server.stdin.take().ok_or("no input")?;
    let mut line = move || {
        lines
            .next()
            .ok_or("the server has ended")?
            .map_err(Box::<dyn Error>::from)
    };
    let port = line()?.parse()?;
    let mut out = io::stdout().lock();
    writeln!(out, "time-outs of the server: {} s", TIMEOUT.as_secs())?;
    writeln!(told)?;
    writeln!(out, "the server before: {}", line()?)?;
    for time in 1..=times {
        let start = Instant::now();
        let report = siege::attack(port, each, good);
        let took = start.elapsed();
        if time == times {
            writeln!(out, "{:<16}{:>6}  cut off within", "attack", "count")?;
            for (attack, count, longest) in &report.attacks {
                let name = format!("{attack:?}");
                writeln!(out, "{name:<16}{count:>6}  {:.3} s", longest.as_secs_f64())?;
            }
        }
        writeln!(
            out,
            "{good} good clients got {} answers in {:.1} s: half within {:.3} ms, all within {:.3} ms",
            report.answers,
            took.as_secs_f64(),
            report.median.as_secs_f64() * 1e3,
            report.longest.as_secs_f64() * 1e3
        )?;
        writeln!(told)?;
        writeln!(out, "the server after that: {}", line()?)?;
    }
    drop(told);
    writeln!(out, "{}", line()?)?;
    if !server.wait()?.success() {
        return Err("the server has failed".into());
    }
    Ok(())
}

/// Returns what this process holds, as Linux says it: memory now and at most, files and threads.
fn held() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |name: &str| {
        let found = status.lines().find_map(|line| line.strip_prefix(name));
        found.map_or("unknown", str::trim).to_owned()
    };
    let files = std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count);
    format!(
        "{} now, {} at most, {files} files, {} threads",
        of("VmRSS:"),
        of("VmHWM:"),
        of("Threads:")
    )
}

/// How long clients of the server have for a login, and to go on with what they have begun.
const TIMEOUT: Duration = Duration::from_secs(5);
