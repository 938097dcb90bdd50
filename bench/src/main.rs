//! hopen beside other kdb+ libraries, the same messages in one run.
//!
//! ```text
//! cargo run --release                     everything, as tables
//! cargo run --release -- W4 W5            some workloads
//! cargo run --release -- round-trip tcp   some works, named as in the tables; a kind of socket
//!   --rounds N      rounds, in which each subject works once (15)
//!   --scale X       the sizes of the workloads, of the real ones (1.0)
//!   --sample MS     how long a subject works in a round, at least (20)
//!   --only A,B      some subjects, by the first words of their names; those that are no library
//!                   take part anyway
//!   --memory        growth of the resident memory for one decode, by itself and over a socket,
//!                   each in a process of its own
//!   --json FILE     all samples
//!   --svg DIR       charts
//! KX_LIBE=path/to/libe.so                 with KX's C library
//! HOPEN_INTEROP_PYTHON=path/to/python     with kola, PyKX and qPython, those that it has
//! ```
//!
//! glibc gives large blocks back to the system as soon as they are freed, and then a decoder
//! that allocates mostly pays for page faults. A process that runs on keeps them, so this one
//! starts itself again with glibc told to.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::Duration;

use hopen_bench::measure::{self, Plan, slug};
use hopen_bench::sockets::{Address, Medium};
use hopen_bench::subject::Work;
use hopen_bench::{chart, memory, report, sockets, subjects, workloads};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn Error>> {
    let options = Options::parse(env::args().skip(1))?;
    match &options.task {
        Task::Serve => return sockets::serve(options.scale).map(|()| ExitCode::SUCCESS),
        Task::MemoryDecoding(subject) => {
            println!("{}", memory::measure_decoding(subject)?);
            return Ok(ExitCode::SUCCESS);
        }
        Task::MemoryReceiving { client, to, id } => {
            println!("{}", memory::measure_receiving(client, *to, id)?);
            return Ok(ExitCode::SUCCESS);
        }
        Task::Memory => {}
        Task::Compare if env::var_os(TUNABLES).is_some() => {}
        Task::Compare => {
            let again = Command::new(env::current_exe()?)
                .args(env::args_os().skip(1))
                .env(TUNABLES, KEEP_FREED_MEMORY)
                // The server's Unix domain socket is where it is without this.
                .env_remove("QUDSPATH")
                .status()?;
            return Ok(if again.success() {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
    let plan = &options.plan;
    let machine = machine();
    println!("{machine}\n");
    let mut all = subjects::all();
    all.retain(|subject| plan.takes(subject.title(), subject.standing()));
    if matches!(options.task, Task::Memory) {
        let workloads = workloads::all(options.scale, |id| plan.takes_workload(id));
        print!("{}", memory::table(&all, &workloads, plan, options.scale)?);
        return Ok(ExitCode::SUCCESS);
    }
    let workloads = match options.has_codec() {
        true => workloads::all(options.scale, |id| plan.takes_workload(id)),
        false => Vec::new(),
    };
    let mut tables = measure::tables(plan, &mut all, &workloads)?;
    let over_sockets = sockets::tables(plan, options.scale)?;
    for tables in [&tables, &over_sockets] {
        if !tables.is_empty() {
            println!("{}", report::markdown(tables));
            println!("{}", report::summary(tables));
        }
    }
    tables.extend(over_sockets);
    if let Some(file) = &options.json {
        std::fs::write(file, report::json(&machine, &tables))?;
    }
    if let Some(folder) = &options.svg {
        std::fs::create_dir_all(folder)?;
        chart::draw(folder, &tables)?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Options {
    task: Task,
    plan: Plan,
    scale: f64,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
}

enum Task {
    Compare,
    Memory,
    /// For [`Memory`](Self::Memory), in a process of its own.
    MemoryDecoding(String),
    /// The same.
    MemoryReceiving {
        client: String,
        to: Address,
        id: &'static str,
    },
    /// For what goes over sockets, in a process of its own.
    Serve,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            task: Task::Compare,
            plan: Plan {
                rounds: 15,
                sample: Duration::from_millis(20),
                subjects: Vec::new(),
                workloads: Vec::new(),
                works: Vec::new(),
                mediums: Vec::new(),
            },
            scale: 1.0,
            json: None,
            svg: None,
        };
        let plan = &mut options.plan;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} takes a value"))
            };
            match argument.as_str() {
                "--rounds" => plan.rounds = value()?.parse::<usize>()?.max(1),
                "--scale" => options.scale = value()?.parse()?,
                "--sample" => plan.sample = Duration::from_millis(value()?.parse()?),
                "--only" => plan.subjects.extend(value()?.split(',').map(Into::into)),
                "--memory" => options.task = Task::Memory,
                memory::DECODING => options.task = Task::MemoryDecoding(value()?),
                memory::RECEIVING => {
                    options.task = Task::MemoryReceiving {
                        client: value()?,
                        to: Address {
                            medium: Medium::named(&value()?).ok_or("no such kind of socket")?,
                            port: value()?.parse()?,
                        },
                        id: named(&value()?).ok_or("no such workload")?,
                    };
                }
                sockets::SERVE => options.task = Task::Serve,
                "--json" => options.json = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                id if named(id).is_some() => plan.workloads.push(argument),
                name if is_work(name) => plan.works.push(argument),
                name => match Medium::named(name) {
                    Some(medium) => plan.mediums.push(medium),
                    None => {
                        return Err(format!("{name}: no such option, workload or work").into());
                    }
                },
            }
        }
        Ok(options)
    }

    /// Returns whether something without a socket is to be measured.
    fn has_codec(&self) -> bool {
        let mut works = Work::ALL.into_iter();
        self.plan.mediums.is_empty() && works.any(|work| self.plan.takes_work(work.title()))
    }
}

/// Returns a workload's name.
fn named(id: &str) -> Option<&'static str> {
    let mut ids = workloads::IDS.iter().chain(&sockets::IDS);
    ids.find(|known| **known == id).copied()
}

fn is_work(name: &str) -> bool {
    let works = Work::ALL.map(Work::title);
    let over_sockets = sockets::Work::ALL.map(sockets::Work::title);
    works
        .into_iter()
        .chain(over_sockets)
        .any(|title| slug(title) == name)
}

fn machine() -> String {
    let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(':'))
        .map_or("unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{model}, {cores} cores, {} {}",
        env::consts::OS,
        env::consts::ARCH
    )
}

const TUNABLES: &str = "GLIBC_TUNABLES";
const KEEP_FREED_MEMORY: &str =
    "glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=2000000000:glibc.malloc.top_pad=67108864";
