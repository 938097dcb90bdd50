//! The subjects, each in a file of its own.

pub mod hopen;
#[cfg(feature = "kdb_codec")]
pub(crate) mod kdb_codec;
#[cfg(feature = "kxkdb")]
pub(crate) mod kxkdb;
pub(crate) mod libe;
mod memcpy;

use crate::subject::Measured;

/// Returns the subjects that can run here.
pub fn all() -> Vec<Box<dyn Measured>> {
    let mut all: Vec<Box<dyn Measured>> = vec![
        Box::new(memcpy::Subject::default()),
        Box::new(hopen::Subject::default()),
    ];
    match libe::Subject::open() {
        Ok(libe) => all.push(Box::new(libe)),
        Err(why) => eprintln!("{} skipped: {why}", libe::NAME),
    }
    #[cfg(feature = "kdb_codec")]
    all.push(Box::new(kdb_codec::Subject::default()));
    #[cfg(feature = "kxkdb")]
    all.push(Box::new(kxkdb::Subject::default()));
    all
}
