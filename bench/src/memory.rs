//! Resident memory of one decode: the growth of the peak over the moment before it, each in a
//! process of its own, so that libraries with an allocator of their own are seen too.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read, Write, stdin};
use std::process::{Command, Stdio};

use crate::subject::{Measured, Work};
use crate::subjects;
use crate::workloads::{Purpose, Workload};

/// The option that starts such a process, with a subject; the message comes to its input.
pub const ONE: &str = "--memory-of";

/// Measures every subject on every workload that is not small, and returns a markdown table.
///
/// # Errors
///
/// Where such a process cannot be started, or fails.
pub fn table(
    subjects: &[Box<dyn Measured>],
    workloads: &[Workload],
) -> Result<String, Box<dyn Error>> {
    let mut table = String::from(
        "| workload | subject | message | growth | growth / message |\n|---|---|--:|--:|--:|\n",
    );
    for workload in workloads
        .iter()
        .filter(|workload| workload.purpose == Purpose::Values)
    {
        for subject in subjects {
            let mut child = Command::new(std::env::current_exe()?)
                .args([ONE, subject.title()])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            child
                .stdin
                .take()
                .ok_or("a pipe")?
                .write_all(&workload.message)?;
            let output = child.wait_with_output()?;
            let growth: u64 = String::from_utf8(output.stdout)?.trim().parse()?;
            let length = workload.message.len() as f64;
            let _ = writeln!(
                table,
                "| {} {} | {} | {:.1} MB | {:.1} MB | {:.2} |",
                workload.id,
                workload.title,
                subject.title(),
                length / 1e6,
                growth as f64 / 1e6,
                growth as f64 / length,
            );
        }
    }
    Ok(table)
}

/// Decodes the message that comes to this process and returns by how many bytes its memory grew.
///
/// # Errors
///
/// Where there is no such subject, or the system does not tell.
pub fn measure_one(name: &str) -> Result<u64, Box<dyn Error>> {
    let mut message = Vec::new();
    stdin().read_to_end(&mut message)?;
    let workload = Workload {
        id: "",
        title: "",
        purpose: Purpose::Values,
        message,
        compressed: None,
        checksum: 0,
    };
    let mut all = subjects::all();
    let subject = all
        .iter_mut()
        .find(|subject| subject.title() == name)
        .ok_or("no such subject")?;
    subject.take(&workload);
    // Makes the system forget the peak so far.
    fs::write("/proc/self/clear_refs", "5")?;
    let before = resident("VmRSS:")?;
    subject.run(&workload, Work::Decode, 1);
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
