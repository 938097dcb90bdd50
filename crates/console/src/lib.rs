//! x
mod console;
mod export;
mod layout;
mod line;
mod precision;

pub use console::{Console, Shown};
pub use export::ExportError;
pub use export::csv::write_csv;
pub use export::json::write_json;
pub use precision::Precision;
