//! The server role on smol, without async-std's threads, through the tests of the blocking one.

use hopen_async_std::server::{Handler, Server};

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
#[path = "../serving/desk.rs"]
mod desk;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/encrypted.rs"]
mod encrypted;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/gateway.rs"]
mod gateway;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/logins.rs"]
mod logins;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/others.rs"]
mod others;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/push.rs"]
mod push;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/requests.rs"]
mod requests;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/stop.rs"]
mod stop;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/serving/support.rs"]
mod support;
#[cfg(test)]
#[path = "../../../transport-blocking/tests/tls_peer/mod.rs"]
#[expect(dead_code, reason = "the servers are ours")]
mod tls_peer;

fn run(server: Server<impl Handler + 'static>) -> usize {
    smol::block_on(server.run_with(|task| smol::spawn(task).detach()))
}
