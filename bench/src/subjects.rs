//! The subjects, each in a file of its own.

mod hopen;
mod libe;

use crate::subject::Measured;

/// Returns the subjects that can run here.
pub fn all() -> Vec<Box<dyn Measured>> {
    let mut all: Vec<Box<dyn Measured>> = vec![Box::<hopen::Subject>::default()];
    match libe::Subject::open() {
        Ok(libe) => all.push(Box::new(libe)),
        Err(why) => println!("{} skipped: {why}\n", crate::measure::REFERENCE),
    }
    all
}
