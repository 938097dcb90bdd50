//! The codec beside other kdb+ libraries, the same messages in one run.
//!
//! ```text
//! cargo run --release                     everything, as a table
//! cargo run --release -- W4 W5            some workloads
//!   --rounds N      rounds, in which each subject works once (15)
//!   --scale X       the sizes of the workloads, of the real ones (1.0)
//!   --sample MS     how long a subject works in a round, at least (20)
//!   --only A,B      some subjects; those that are no library take part anyway
//!   --memory        growth of the resident memory for one decode, each in a process of its own
//!   --json FILE     all samples
//!   --svg DIR       charts
//! KX_LIBE=path/to/libe.so                 with KX's C library
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

use hopen_bench::measure::{self, Plan};
use hopen_bench::{chart, memory, report, subjects, workloads};

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
    if let Some(subject) = &options.memory_of {
        println!("{}", memory::measure_one(subject)?);
        return Ok(ExitCode::SUCCESS);
    }
    if env::var_os(TUNABLES).is_none() && !options.memory {
        let again = Command::new(env::current_exe()?)
            .args(env::args_os().skip(1))
            .env(TUNABLES, KEEP_FREED_MEMORY)
            .status()?;
        return Ok(if again.success() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        });
    }
    let machine = machine();
    println!("{machine}\n");
    let mut all = subjects::all();
    all.retain(|subject| options.plan.takes(subject.as_ref()));
    let workloads = workloads::all(options.scale, &options.workloads);
    if options.memory {
        print!("{}", memory::table(&all, &workloads)?);
        return Ok(ExitCode::SUCCESS);
    }
    let tables = measure::tables(&options.plan, &mut all, &workloads)?;
    println!("{}", report::markdown(&tables));
    print!("{}", report::summary(&tables));
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
    plan: Plan,
    scale: f64,
    workloads: Vec<String>,
    memory: bool,
    /// Set where the process was started to measure the memory of one subject.
    memory_of: Option<String>,
    json: Option<PathBuf>,
    svg: Option<PathBuf>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, Box<dyn Error>> {
        let mut options = Self {
            plan: Plan {
                rounds: 15,
                sample: Duration::from_millis(20),
                subjects: Vec::new(),
            },
            scale: 1.0,
            workloads: Vec::new(),
            memory: false,
            memory_of: None,
            json: None,
            svg: None,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .ok_or_else(|| format!("{argument} takes a value"))
            };
            match argument.as_str() {
                "--rounds" => options.plan.rounds = value()?.parse::<usize>()?.max(1),
                "--scale" => options.scale = value()?.parse()?,
                "--sample" => options.plan.sample = Duration::from_millis(value()?.parse()?),
                "--only" => options
                    .plan
                    .subjects
                    .extend(value()?.split(',').map(Into::into)),
                "--memory" => options.memory = true,
                memory::ONE => options.memory_of = Some(value()?),
                "--json" => options.json = Some(value()?.into()),
                "--svg" => options.svg = Some(value()?.into()),
                id if workloads::IDS.contains(&id) => options.workloads.push(argument),
                _ => return Err(format!("{argument}: no such option or workload").into()),
            }
        }
        Ok(options)
    }
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
