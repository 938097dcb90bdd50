//! The kdb+ IPC protocol without I/O.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod auth;
pub mod byte_order;
pub mod compress;
pub mod config;
pub mod connection;
pub mod decode;
pub mod encode;
pub mod frame;
pub mod handshake;
pub mod message;
mod nul;
pub mod outbox;
pub mod remote_error;
#[cfg(any(test, feature = "proptest"))]
#[cfg_attr(docsrs, doc(cfg(feature = "proptest")))]
pub mod strategy;
pub mod value;
