//! The scenarios.

pub(crate) mod broken;
pub(crate) mod client;
pub(crate) mod cut;
pub(crate) mod large;
pub(crate) mod late;
pub(crate) mod login;
pub(crate) mod server;
