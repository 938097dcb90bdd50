//! What the server of the library says of its clients: a line on standard error for each record.

use log::{LevelFilter, Log, Metadata, Record};

use crate::status::report;

/// Has everything from `info` on written, for as long as the process runs.
pub(super) fn to_standard_error() {
    // It fails where somebody has done so before, which nobody does.
    if log::set_logger(&Lines).is_ok() {
        log::set_max_level(LevelFilter::Info);
    }
}

struct Lines;

impl Log for Lines {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // Of its own libraries others have more to say than anybody asks for here.
        metadata.level() <= LevelFilter::Info && metadata.target().starts_with("hopen_")
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            report(*record.args());
        }
    }

    fn flush(&self) {}
}
