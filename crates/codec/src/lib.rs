//! The kdb+ IPC protocol without I/O.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod byte_order;
pub mod compress;
pub mod config;
pub mod message;
mod nul;
pub mod value;
