//! Both ends of a connection at once, and many threads at one end.
//!
//! All of it is our own code, over sockets and over a pair of pipes, so that what one end leaves out the
//! other can miss: messages carry their number. Nothing is measured; what hangs fails.

mod ends;
#[cfg(unix)]
mod polled;
mod shared;
mod stalled;
#[path = "../tls/mod.rs"]
mod tls;
mod traffic;
#[path = "../watchdog/mod.rs"]
mod watchdog;
