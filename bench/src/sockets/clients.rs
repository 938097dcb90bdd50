//! The clients, each in a file of its own.

use super::client::{Client, Measured};

mod hopen_async_std;
mod hopen_blocking;
#[cfg(feature = "kdb_codec")]
mod kdb_codec;
#[cfg(feature = "kxkdb")]
mod kxkdb;
mod raw_socket;

/// Returns the clients that can run here.
pub fn all() -> Vec<Box<dyn Measured>> {
    vec![
        Box::new(Client::new(raw_socket::Library::OneByOne)),
        Box::new(Client::new(raw_socket::Library::Batched)),
        Box::new(Client::new(hopen_blocking::Library)),
        Box::new(Client::new(hopen_async_std::Library)),
        #[cfg(feature = "kdb_codec")]
        Box::new(Client::new(kdb_codec::Library)),
        #[cfg(feature = "kxkdb")]
        Box::new(Client::new(kxkdb::Library)),
    ]
}
