//! Resident memory of one decode, or of receiving and decoding one message: the growth of the peak
//! over the moment before it, each in a process of its own, so that libraries with an allocator of
//! their own are seen too.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write, stdin};
use std::process::{Command, Stdio};

use crate::measure::Plan;
use crate::sockets::{self, Address, Medium, Server};
use crate::subject::{Measured, Work};
use crate::subjects;
use crate::workloads::{self, Purpose, Workload};

/// The option that starts such a process, with a subject; the message comes to its input.
pub const DECODING: &str = "--memory-decoding";

/// The same with a client, a port and a workload, which it asks for.
pub const RECEIVING: &str = "--memory-receiving";

/// Measures every subject on every workload that is not small, and every client on those that go
/// over sockets, and returns a markdown table.
///
/// # Errors
///
/// Where such a process cannot be started, or fails.
pub fn table(
    subjects: &[Box<dyn Measured>],
    workloads: &[Workload],
    plan: &Plan,
    scale: f64,
) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| workload | work | subject | message | growth | growth / message |\n\
         |---|---|---|--:|--:|--:|\n",
    );
    let server = Server::start(scale)?;
    let mut clients = sockets::of_this_process();
    clients.retain(|client| plan.takes(client.name(), client.rank()));
    clients.retain(|client| client.does(sockets::Work::Receive));
    for workload in workloads
        .iter()
        .filter(|workload| workload.purpose == Purpose::Values)
    {
        for subject in subjects {
            let growth = growth(&[DECODING, subject.title()], &workload.message)?;
            line(&mut table, workload, "decode", subject.title(), growth);
        }
        if !sockets::IDS.contains(&workload.id) {
            continue;
        }
        for medium in Medium::ALL
            .into_iter()
            .filter(|medium| plan.takes_medium(*medium))
        {
            let Address { port, .. } = server.address(medium);
            let port = port.to_string();
            let work = format!("receive by {}, decode", medium.title());
            for client in &clients {
                let (name, medium) = (client.name(), medium.name());
                let arguments = [RECEIVING, name, medium, &port, workload.id];
                line(&mut table, workload, &work, name, growth(&arguments, b"")?);
            }
        }
    }
    Ok(table)
}

/// Starts a process that measures, and returns what it found.
fn growth(arguments: &[&str], input: &[u8]) -> Result<u64, Box<dyn Error>> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(arguments)
        .env_remove("QUDSPATH")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    child.stdin.take().ok_or("a pipe")?.write_all(input)?;
    let output = String::from_utf8(child.wait_with_output()?.stdout)?;
    let growth = output.lines().last().and_then(|line| line.parse().ok());
    Ok(growth.ok_or_else(|| format!("{arguments:?}: failed"))?)
}

fn line(table: &mut String, workload: &Workload, work: &str, subject: &str, growth: u64) {
    let length = workload.message.len() as f64;
    let _ = writeln!(
        table,
        "| {} {} | {work} | {subject} | {:.1} MB | {:.1} MB | {:.2} |",
        workload.id,
        workload.title,
        length / 1e6,
        growth as f64 / 1e6,
        growth as f64 / length,
    );
}

/// Decodes the message that comes to this process and returns by how many bytes its memory grew.
///
/// # Errors
///
/// Where there is no such subject, or the system does not tell.
pub fn measure_decoding(name: &str) -> Result<u64, Box<dyn Error>> {
    let mut message = Vec::new();
    stdin().read_to_end(&mut message)?;
    let workload = unknown("", message);
    let mut all = subjects::all();
    let subject = all
        .iter_mut()
        .find(|subject| subject.title() == name)
        .ok_or("no such subject")?;
    subject.take(&workload);
    grown(|| {
        subject.run(&workload, Work::Decode, 1);
        Ok(())
    })
}

/// Receives and decodes a message in this process and returns by how many bytes its memory grew.
///
/// # Errors
///
/// Where there is no such client, the connection fails, or the system does not tell.
pub fn measure_receiving(name: &str, to: Address, id: &'static str) -> Result<u64, Box<dyn Error>> {
    let mut all = sockets::of_this_process();
    let client = all
        .iter_mut()
        .find(|client| client.name() == name)
        .ok_or("no such client")?;
    // Small answers come first, as they do in most programs.
    client.prepare(to, sockets::Work::RoundTrip, &workloads::build("W0", 1.0))?;
    let workload = unknown(id, Vec::new());
    grown(|| client.run(sockets::Work::Receive, &workload, 1).map(|_| ()))
}

/// Makes a workload of which nothing else is used: building it would take memory.
const fn unknown(id: &'static str, message: Vec<u8>) -> Workload {
    Workload {
        id,
        title: "",
        purpose: Purpose::Values,
        message,
        compressed: None,
        checksum: 0,
    }
}

/// Returns by how many bytes the memory of this process grows.
fn grown(work: impl FnOnce() -> Result<(), Box<dyn Error>>) -> Result<u64, Box<dyn Error>> {
    // Makes the system forget the peak so far.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = resident("VmRSS:")?;
    work()?;
    Ok(resident("VmHWM:")?.saturating_sub(before))
}

/// Returns a line of this process's status in bytes.
fn resident(key: &str) -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .ok_or("no such line")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse()?;
    Ok(kibibytes * 1024)
}
