//! x
mod console;
mod layout;
mod line;
mod precision;

pub use console::{Console, Shown};
pub use precision::Precision;
