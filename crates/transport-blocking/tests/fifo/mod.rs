//! Named pipes of the system.

use std::fs::OpenOptions;
use std::thread::{self, JoinHandle};

use rustix::fs::{CWD, Mode, mkfifoat};
use tempfile::TempDir;

/// A named pipe in a directory of its own.
pub(crate) struct Fifo {
    path: String,
    _directory: TempDir,
}

impl Fifo {
    pub(crate) fn new() -> Self {
        let directory = TempDir::new().expect("a directory can be made");
        let path = directory.path().join("fifo");
        mkfifoat(CWD, &path, Mode::RUSR | Mode::WUSR).expect("a pipe can be made");
        Self {
            path: path
                .into_os_string()
                .into_string()
                .expect("its path is a text"),
            _directory: directory,
        }
    }

    pub(crate) fn handle(&self) -> String {
        format!(":fifo://{}", self.path)
    }

    /// Opens the pipe in a thread, which waits for a reader, and writes.
    pub(crate) fn write(
        &self,
        write: impl FnOnce(std::fs::File) + Send + 'static,
    ) -> JoinHandle<()> {
        let path = self.path.clone();
        thread::spawn(move || {
            write(
                OpenOptions::new()
                    .write(true)
                    .open(path)
                    .expect("it is a pipe"),
            )
        })
    }
}
