//! A long siege of a server in a process of its own, with figures:
//!
//! ```sh
//! cargo run --release -p hopen-tests --example siege            # 203 attackers, 8 clients
//! cargo run --release -p hopen-tests --example siege -- 50 8    # 50 of each kind
//! ```
//!
//! All of it goes over loopback, and takes little more than [`TIMEOUT`].

use std::error::Error;
use std::io::{self, BufRead, BufReader, Read, Write};
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
        [] => besiege(29, 8),
        [each, good] => besiege(each.parse()?, good.parse()?),
        _ => Err("siege [OF_EACH_KIND GOOD_CLIENTS]".into()),
    }
}

/// The server's process: says its port, serves until its input ends, and says what memory it took.
fn serve_until_told() -> Result<(), Box<dyn Error>> {
    let listener = Listener::bind("localhost:0W")?;
    let port = listener.local_addr()?.port();
    let options = siege::options(TIMEOUT, TIMEOUT);
    let server = Server::new(listener, Target::new(), options)?;
    let control = server.control();
    let running = thread::spawn(move || server.run());
    writeln!(io::stdout(), "{port} {}", memory())?;
    io::stdin().read_to_end(&mut Vec::new())?;
    control.stop(TIMEOUT);
    let cut_off = running.join().map_err(|_| "the server has panicked")?;
    writeln!(io::stdout(), "{cut_off} {}", memory())?;
    Ok(())
}

fn besiege(each: usize, good: usize) -> Result<(), Box<dyn Error>> {
    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(server.stdout.take().ok_or("no output")?).lines();
    let line = lines.next().ok_or("the server says nothing")??;
    let (port, before) = line.split_once(' ').ok_or("the server says no port")?;

    let start = Instant::now();
    let report = siege::attack(port.parse()?, each, good);
    let took = start.elapsed();

    drop(server.stdin.take());
    let line = lines.next().ok_or("the server has ended")??;
    let (cut_off, after) = line.split_once(' ').ok_or("the server says no memory")?;
    if !server.wait()?.success() {
        return Err("the server has failed".into());
    }

    let mut out = io::stdout().lock();
    writeln!(out, "time-outs of the server: {} s", TIMEOUT.as_secs())?;
    writeln!(out, "{:<16}{:>6}  cut off within", "attack", "count")?;
    for (attack, count, longest) in &report.attacks {
        let name = format!("{attack:?}");
        writeln!(out, "{name:<16}{count:>6}  {:.3} s", longest.as_secs_f64())?;
    }
    writeln!(
        out,
        "{good} good clients got {} answers in {:.1} s: half within {:.3} ms, all within {:.3} ms",
        report.answers,
        took.as_secs_f64(),
        report.median.as_secs_f64() * 1e3,
        report.longest.as_secs_f64() * 1e3
    )?;
    writeln!(
        out,
        "most memory of the server: {before} before, {after} after"
    )?;
    writeln!(out, "cut off when it stopped: {cut_off}")?;
    Ok(())
}

/// Returns the most memory that this process has had, as Linux says it.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.map_or_else(|| "unknown".into(), |most| most.trim().to_owned())
}

/// How long clients of the server have for a login, and to go on with what they have begun.
const TIMEOUT: Duration = Duration::from_secs(5);
