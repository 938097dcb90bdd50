//! The subjects, each in a file of its own.

mod eager;
mod hopen;
mod libe;
pub mod view;

use crate::subject::Measured;

/// Returns the subjects that can run here.
pub fn all() -> Vec<Box<dyn Measured>> {
    let mut all: Vec<Box<dyn Measured>> = vec![
        Box::<hopen::Subject>::default(),
        Box::<view::Subject>::default(),
        Box::<eager::Subject>::default(),
    ];
    match libe::Subject::open() {
        Ok(libe) => all.push(Box::new(libe)),
        Err(why) => println!("{} skipped: {why}\n", crate::measure::REFERENCE),
    }
    all
}
