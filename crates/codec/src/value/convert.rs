//! Conversions between values and what a program has in hand.
use super::{Dict, List, Table, Value, ValueType};
use core::fmt;

/// A value is of another type than the one it was to be converted to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConvertError {
    /// What was there.
    pub found: ValueType,
}
impl fmt::Display for ConvertError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "found {}", self.found)
    }
}
impl core::error::Error for ConvertError {}
impl From<Table> for Value {
    fn from(t: Table) -> Self {
        Self::Table(t)
    }
}
impl From<List> for Value {
    fn from(t: List) -> Self {
        Self::List(t)
    }
}
impl From<Dict> for Value {
    fn from(t: Dict) -> Self {
        Self::Dict(t)
    }
}
