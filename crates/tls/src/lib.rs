//! TLS for kdb+ connections: [rustls](https://docs.rs/rustls) configurations from the settings that
//! KX's processes know ([KX, SSL/TLS](https://code.kx.com/q/kb/ssl/)).
//!
//! ```text
//! KX_SSL_* ─ Settings ┬ Client ┬ connect(host) ─ rustls::ClientConnection ─ session ─ Session
//!                     │        └ config ──────── Arc<rustls::ClientConfig>
//!                     └ Server ┬ accept ──────── rustls::ServerConnection ─ session ─ Session
//!                              └ config ──────── Arc<rustls::ServerConfig>
//! ```
//!
//! No socket is opened here: a transport moves the bytes. The environment is not read, but for what
//! finding the system's store takes ([`Client::new`]): a program says where variables are looked up.
//! Certificate files are read, when a [`Client`] or a [`Server`] is made.
//!
//! # On the wire
//!
//! ```text
//! 16 03 01 ..    the client's hello is the first thing on the socket, TCP or Unix
//! ..             the handshake of TLS
//! 17 03 03 ..    records: inside is the protocol, from its login on
//! ```
//!
//! # What is verified
//!
//! | of a server | [`Full`](VerifyServer::Full), the default | [`Chain`](VerifyServer::Chain), q's default | [`Off`](VerifyServer::Off) |
//! | --- | --- | --- | --- |
//! | signed by a CA that is listed | yes | yes | no |
//! | dates of it and of its CA, purposes, all that the normal verifier looks at | yes | yes | no |
//! | its subject alternative names hold the host | yes | no | no |
//! | it has the key: the handshake is signed with it | yes | yes | yes |
//!
//! "Listed" is in the CA file or the CA folder, or in the system's store where `Full` is told of
//! neither. Three kinds of certificates are known:
//!
//! | kind | `Full` | `Chain` |
//! | --- | --- | --- |
//! | X.509 v3, signed by a listed CA, with or without others in between | if a name fits | yes |
//! | X.509 v1, signed by a listed CA itself, as KX's script `makeCerts.sh` makes them with OpenSSL 3.0 | no: it has no name | yes |
//! | self-signed, and listed itself, byte for byte | if a name fits | yes |
//!
//! A CA has to say that it is one (`CA:TRUE`). With OpenSSL's usual configuration the one that KX's
//! script makes says the contrary, and OpenSSL itself refuses what it signs: make it with
//! `-extensions v3_ca`. A common name (CN) is no name; q compares it under `HOSTIP`, rustls and
//! browsers do not. Client certificates are treated alike, without names. Each check has a test in
//! `tests/ends/certificates.rs`, with a certificate that fails this one only.
//!
//! Sessions are not resumed: every connection is verified.
//!
//! # Two ends
//!
//! ```no_run
//! use hopen_tls::{Client, Server, Settings};
//!
//! let settings = Settings::from_variables(|name| std::env::var_os(name))?;
//! let client = Client::new(&settings)?;
//! let mut connection = client.connect("prices.example.com")?;
//! let mut hello = Vec::new();
//! connection.write_tls(&mut hello).expect("a Vec takes everything");
//! assert_eq!(hello[0], 0x16);
//!
//! let server = Server::new(&settings)?;
//! let mut other = server.accept()?;
//! other.read_tls(&mut hello.as_slice()).expect("it is in memory");
//! other.process_new_packets().map_err(hopen_tls::TlsError::from)?;
//! # Ok::<(), hopen_tls::TlsError>(())
//! ```

#![forbid(unsafe_code)]

mod client;
mod config;
mod error;
mod files;
mod server;
mod session;
mod settings;
mod text;
mod trust;
mod verifier;

pub use client::{Client, server_name};
pub use error::{CertificateFault, TlsError, Unsupported};
pub use server::{Encryption, Mismatch, Server, ServerMode};
pub use session::{PeerCertificate, Session};
pub use settings::{Protocol, Settings, VerifyClient, VerifyServer};
