//! The scripts in `tests/interop`, which try other people's libraries.

use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

/// The environment variable that names a Python with `tests/interop/requirements.txt` installed.
const PYTHON: &str = "HOPEN_INTEROP_PYTHON";

/// Returns the command that runs a script of `tests/interop`.
///
/// `None`, with the reason on standard error, where no Python is named.
pub(crate) fn script(name: &str) -> Option<Command> {
    let Some(python) = std::env::var_os(PYTHON) else {
        // `.ci/run` counts these lines.
        tell(&format!(
            "skipped: {PYTHON} names no Python with {name}'s libraries\n"
        ));
        return None;
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/interop")
        .join(name);
    let mut command = Command::new(python);
    command.arg("-B").arg(path);
    Some(command)
}

/// Says something to whoever runs the tests, also where they pass.
///
/// Not by `eprintln!`, which the test runner would keep to itself; in one write, so that the lines
/// of several tests do not mix.
pub(crate) fn tell(lines: &str) {
    let _ = io::stderr().write_all(lines.as_bytes());
}
