//! The kdb+ IPC protocol without I/O.
//!
//! kdb+ processes talk to each other over [KX's IPC protocol](https://code.kx.com/q/basics/ipc/).
//! This crate is that protocol as state machines: bytes go in, messages and bytes to be written come
//! out. It opens no socket and no file, starts no thread, reads no clock and no environment
//! variable, so it fits every runtime and can be tested and fuzzed by itself. For handles over
//! sockets see the transports, `hopen-blocking` among them.
//!
//! A client from the login to the first answer, with the server's bytes written by hand:
//!
//! ```
//! use bytes::{Buf, BytesMut};
//! use hopen_codec::auth::Credentials;
//! use hopen_codec::config::Config;
//! use hopen_codec::connection::Incoming;
//! use hopen_codec::handshake::{ClientHandshake, Progress};
//! use hopen_codec::outbox::Outbox;
//! use hopen_codec::value::Value;
//!
//! // The login goes out …
//! let mut outbox = Outbox::default();
//! let ann = Credentials::new("ann", "secret")?;
//! let handshake = ClientHandshake::start(&ann, Config::client(), &mut outbox)?;
//! assert_eq!(outbox.copy_to_bytes(outbox.remaining())[..], *b"ann:secret\x06\0");
//!
//! // … and is answered by one byte: the capability of the server.
//! let mut input = BytesMut::from(&b"\x03"[..]);
//! let Progress::Done(mut connection) = handshake.receive(&mut input)? else {
//!     panic!("more than a byte is not needed")
//! };
//!
//! // A question goes out …
//! connection.request(&Value::from("2+3"), &mut outbox)?;
//! assert_eq!(outbox.copy_to_bytes(outbox.remaining())[..], *b"\x01\x01\0\0\x11\0\0\0\x0a\0\x03\0\0\x002+3");
//!
//! // … and its answer comes in, in pieces of any size.
//! input.extend_from_slice(b"\x01\x02\0\0\x11\0\0\0");
//! assert!(connection.receive(&mut input, &mut outbox)?.is_none());
//! input.extend_from_slice(b"\xf9\x05\0\0\0\0\0\0\0");
//! let Some(Incoming::Response(body)) = connection.receive(&mut input, &mut outbox)? else {
//!     panic!("the response is complete")
//! };
//! let five: i64 = body.decode(&connection.config().limits)??.to()?;
//! assert_eq!(five, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The modules, from the bottom up
//!
//! | module | what |
//! | --- | --- |
//! | [`config`] | what a connection is told: capability, compression, limits |
//! | [`value`] | q objects in Rust |
//! | [`decode`], [`encode`] | from bytes to values and back: what can go wrong |
//! | [`compress`] | KX's own compression |
//! | [`message`] | a kind and a body, which stays as bytes until it is decoded |
//! | [`frame`], [`outbox`] | where messages start and end; what waits to be written |
//! | [`backlog`] | messages that came before they were asked for |
//! | [`auth`], [`handshake`] | who logs in and who may, and how |
//! | [`connection`] | who owes whom an answer |
//! | [`session`] | what a handle decides, whoever moves its bytes |
//! | [`tick`] | subscribing as to kdb+tick's tickerplant |
//! | [`address`] | handles and what to listen on, as q spells them |
//! | [`gzip`] | unpacking, in front of pipes and files |
//!
//! # What is promised
//!
//! - **Nothing a peer sends** makes this crate panic, recurse or spin, and decoding it allocates no
//!   more than 64 KiB and 8 times the bytes that arrived; a compressed message counts as the smaller
//!   of what it claims and 128 times its bytes. The buffer for one announced message is taken whole
//!   up to 64 MiB and grows with what arrives beyond that. What a program converts a value to takes
//!   what that takes: a `Vec` of 48-byte [`Value`](value::Value)s for a byte each, if it asks for it.
//! - **Lossless**: what KX's own code emits decodes and encodes to the same bytes.
//! - **An error says** what is wrong and where, and whether the connection goes on.
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod address;
pub mod auth;
pub mod backlog;
pub mod byte_order;
pub mod compress;
pub mod config;
pub mod connection;
pub mod decode;
pub mod encode;
pub mod frame;
pub mod gzip;
pub mod handshake;
mod header;
pub mod message;
mod nul;
pub mod outbox;
pub mod remote_error;
pub mod session;
#[cfg(any(test, feature = "proptest"))]
pub mod strategy;
pub mod tick;
pub mod value;
