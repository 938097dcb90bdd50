//! Work of the codec to count the instructions of, which is the same number on every run and
//! every machine of a kind: what `bench/instructions.sh` runs under callgrind.
//!
//! ```text
//! instructions                 lists the cases
//! instructions CASE            works once, within `counted`
//! ```

use std::hint::black_box;
use std::process::ExitCode;

use hopen_bench::subject::Subject as _;
use hopen_bench::subjects::hopen::Subject;
use hopen_bench::workloads;

fn main() -> ExitCode {
    let Some(name) = std::env::args().nth(1) else {
        CASES.iter().for_each(|(name, ..)| println!("{name}"));
        return ExitCode::SUCCESS;
    };
    let Some((_, workload, scale, case)) = CASES.iter().find(|case| case.0 == name) else {
        eprintln!("{name}: no such case");
        return ExitCode::FAILURE;
    };
    let workload = workloads::build(workload, *scale);
    let mut subject = Subject::default();
    subject.load(&workload);
    match case {
        Case::Decode => drop(counted(|| subject.decode())),
        Case::Visit => {
            let value = subject.decode().expect("a value");
            let sum = counted(|| subject.visit(&value));
            assert_eq!(sum, Some(workload.checksum));
        }
        Case::Encode => {
            let own = subject.own().expect("a value");
            // Once before, so that the outbox has its memory as in a connection under way.
            subject.send(&own).expect("it can be sent");
            counted(|| subject.send(&own)).expect("it can be sent");
        }
        Case::EncodeSymbols => drop(counted(|| subject.encode_symbols())),
        Case::Compress => {
            let message = workload.message;
            drop(counted(|| subject.compress(message)));
        }
        Case::Decompress => {
            let message = workload.compressed.expect("it shrinks");
            drop(counted(|| subject.decompress(message)));
        }
    }
    ExitCode::SUCCESS
}

/// What is collected: callgrind is told the name.
#[inline(never)]
fn counted<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

enum Case {
    Decode,
    Visit,
    Encode,
    EncodeSymbols,
    Compress,
    Decompress,
}

/// Name, workload, its size of the real one, what is done.
const CASES: [(&str, &str, f64, Case); 23] = [
    ("decode-W1", "W1", 0.01, Case::Decode),
    ("decode-W2", "W2", 0.01, Case::Decode),
    ("decode-W3", "W3", 0.01, Case::Decode),
    ("decode-W4", "W4", 0.01, Case::Decode),
    ("decode-W5", "W5", 1.0, Case::Decode),
    ("decode-W5t", "W5t", 1.0, Case::Decode),
    ("decode-W8", "W8", 0.01, Case::Decode),
    ("decode-W9", "W9", 0.01, Case::Decode),
    ("visit-W1", "W1", 0.01, Case::Visit),
    ("visit-W3", "W3", 0.01, Case::Visit),
    ("visit-W4", "W4", 0.01, Case::Visit),
    ("visit-W5", "W5", 1.0, Case::Visit),
    ("visit-W5t", "W5t", 1.0, Case::Visit),
    ("visit-W9", "W9", 0.01, Case::Visit),
    ("encode-W1", "W1", 0.01, Case::Encode),
    ("encode-W4", "W4", 0.01, Case::Encode),
    ("encode-W5", "W5", 1.0, Case::Encode),
    ("encode-W5t", "W5t", 1.0, Case::Encode),
    ("encode-W9", "W9", 0.01, Case::Encode),
    ("encode-symbols-W3", "W3", 0.01, Case::EncodeSymbols),
    ("compress-W6", "W6", 0.01, Case::Compress),
    ("compress-W6x", "W6x", 0.01, Case::Compress),
    ("decompress-W6", "W6", 0.01, Case::Decompress),
];
