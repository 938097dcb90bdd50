//! The clients, each in a file of its own.

use std::env;

use self::python::Python;
use super::client::{Client, Measured};
use crate::subjects::libe::Libe;

mod hopen_async_std;
mod hopen_blocking;
#[cfg(feature = "kdb_codec")]
mod kdb_codec;
#[cfg(feature = "kxkdb")]
mod kxkdb;
mod libe;
mod python;
mod raw_socket;

/// Returns the clients that can run here.
pub fn all() -> Vec<Box<dyn Measured>> {
    let mut all = of_this_process();
    if let Some(python) = env::var_os(python::PYTHON) {
        for (name, module) in python::ALL {
            match Python::start(&python, name, module) {
                Ok(client) => all.push(Box::new(client)),
                Err(why) => eprintln!("{name} skipped: {why}"),
            }
        }
    }
    all
}

/// Returns those that need no other process.
pub fn of_this_process() -> Vec<Box<dyn Measured>> {
    let mut all: Vec<Box<dyn Measured>> = vec![
        Box::new(Client::new(raw_socket::Library::OneByOne)),
        Box::new(Client::new(raw_socket::Library::Batched)),
        Box::new(Client::new(hopen_blocking::Library)),
        Box::new(Client::new(hopen_async_std::Library)),
    ];
    // Who asks for the codec's tables has been told why it is not there.
    if let Ok(libe) = Libe::open() {
        all.push(Box::new(Client::new(libe::Library(libe))));
    }
    #[cfg(feature = "kdb_codec")]
    all.push(Box::new(Client::new(kdb_codec::Library)));
    #[cfg(feature = "kxkdb")]
    all.push(Box::new(Client::new(kxkdb::Library)));
    all
}
