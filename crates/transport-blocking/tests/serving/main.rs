//! The server role against our own client, and against bytes written by hand.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod desk;
#[cfg(test)]
mod encrypted;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod logins;
#[cfg(test)]
mod others;
#[cfg(test)]
mod push;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod stop;
#[cfg(test)]
mod support;
#[cfg(test)]
#[path = "../tls_peer/mod.rs"]
#[expect(dead_code, reason = "the servers are ours")]
mod tls_peer;
