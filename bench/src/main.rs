//! The codec beside KX's C library, the same messages in one run:
//!
//! ```text
//! KX_LIBE=path/to/libe.so cargo run --release
//! cargo run --release -- W4 W5           some workloads
//! ```
//!
//! glibc gives large blocks back to the system as soon as they are freed, and then a decoder
//! that allocates mostly pays for page faults. A process that runs on keeps them:
//! `GLIBC_TUNABLES=glibc.malloc.mmap_max=0:glibc.malloc.trim_threshold=2000000000`.

mod measure;
mod subject;
mod subjects;
mod workloads;

fn main() {
    println!("{}\n", machine());
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let mut workloads = workloads::all();
    workloads.retain(|workload| wanted.is_empty() || wanted.iter().any(|id| id == workload.id));
    print!("{}", measure::table(&mut subjects::all(), &workloads));
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
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}
