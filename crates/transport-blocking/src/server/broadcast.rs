//! One message to many clients.

use core::{error, fmt};

use hopen_codec::encode::EncodeError;
use hopen_codec::message::Body;
use hopen_codec::value::Value;

use super::Client;

/// Sends an async message to many clients and encodes it once: `-25!(handles; x)`. What is large is
/// shared by their queues and not copied. Where clients on other hosts are sent it compressed, it is
/// compressed once. Returns to how many it was sent: clients whose connection is over are passed over,
/// and one that lets more than [`Limits::queue`](hopen_codec::config::Limits::queue) bytes wait is cut
/// off without an effect on the others.
///
/// ```
/// # use hopen_blocking::server::{BroadcastError, Control, broadcast};
/// # use hopen_codec::sym;
/// # fn publish(control: &Control) -> Result<(), BroadcastError> {
/// let clients = control.clients();
/// broadcast(&clients, (sym!("upd"), sym!("trade"), vec![101.25, 101.5]))?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where one of the clients does not understand the value: nothing is sent then, to none of them.
pub fn broadcast<'a>(
    clients: impl IntoIterator<Item = &'a Client>,
    message: impl Into<Value>,
) -> Result<usize, BroadcastError> {
    let clients: Vec<&Client> = clients.into_iter().collect();
    let Some(first) = clients.first() else {
        return Ok(0);
    };
    let fails = |client: &Client, error| BroadcastError {
        handle: client.handle(),
        error,
    };
    let body = Body::encode(&message.into()).map_err(|error| fails(first, error))?;
    for client in &clients {
        let checked = body.check_for(client.capability(), &client.config().limits);
        checked.map_err(|error| fails(client, error))?;
    }
    let compressed = clients.iter().any(|client| is_compressed_for(client));
    let compressed = compressed.then(|| body.compress());
    let send = |client: &&&Client| {
        let compressed = compressed.as_ref().filter(|_| is_compressed_for(client));
        let sent = client.set_body(compressed.unwrap_or(&body));
        if let Err(error) = &sent {
            log::debug!("{client}: {error}");
        }
        sent.is_ok()
    };
    Ok(clients.iter().filter(send).count())
}

fn is_compressed_for(client: &Client) -> bool {
    client.config().compresses(client.capability())
}

/// A message that was not sent, to any client, as one of them does not understand it. Prints as q
/// says it: `type error serializing for handle 7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BroadcastError {
    /// The [number](Client::handle) of the first client that does not.
    pub handle: u64,
    /// Why it does not.
    pub error: EncodeError,
}

impl fmt::Display for BroadcastError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, handle) = (self.error.q_text(), self.handle);
        write!(f, "{text} error serializing for handle {handle}")
    }
}

impl error::Error for BroadcastError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        Some(&self.error)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::thread;

    use hopen_codec::compress;
    use hopen_codec::config::Compression;

    use super::*;
    use crate::Listener;
    use crate::server::{Answer, Handler, Server, ServerOptions};

    struct Nothing;

    impl Handler for Nothing {
        fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
            Ok(query).into()
        }
    }

    #[test]
    fn what_is_sent_to_a_hundred_clients_is_encoded_once() {
        // Built of many texts, so that whoever encodes it copies it.
        let texts = (0..50_000_i64).map(|n| Value::from(format!("{n:0200}")));
        let built = Value::from(texts.collect::<Vec<Value>>());
        check(Compression::Never, &built, |waiting, length| {
            // Pieces of it are shared as they are.
            waiting < length
        });
    }

    #[test]
    fn what_is_compressed_for_a_hundred_clients_is_compressed_once() {
        let mut state = 1_u64;
        let mut noise = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as i32
        };
        // Of each long the half repeats.
        let values: Vec<i64> = (0..4_000_000).map(|n| i64::from(noise(n) % 1000)).collect();
        check(Compression::Always, &values.into(), |waiting, length| {
            waiting < length / 2
        });
    }

    /// Broadcasts something to clients that read nothing, and checks that the same bytes wait for all of
    /// them, so many as are said.
    fn check(compression: Compression, value: &Value, is_right: impl Fn(usize, usize) -> bool) {
        const CLIENTS: usize = 100;
        let mut options = ServerOptions::default();
        options.config.compression = compression;
        let listener = Listener::bind("localhost:0W").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Server::new(listener, Nothing, options).unwrap();
        let control = server.control();
        let running = thread::spawn(move || server.run());
        let clients = [(); CLIENTS].map(|()| {
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"\x06\0").unwrap();
            stream.read_exact(&mut [0]).unwrap();
            stream
        });
        let logged_in = loop {
            let logged_in = control.clients();
            if logged_in.len() == CLIENTS {
                break logged_in;
            }
            thread::yield_now();
        };
        assert_eq!(broadcast(&logged_in, value.clone()).unwrap(), CLIENTS);
        let body = Body::encode(value).unwrap();
        assert!(body.len() > compress::THRESHOLD as u64);
        let length = usize::try_from(body.len()).unwrap();
        let mut ends = Vec::new();
        for client in &logged_in {
            let link = client.link().unwrap();
            let mut state = link.lock();
            let waiting = state.core.session.unsent();
            assert!(waiting > 0 && is_right(waiting, length), "{waiting}");
            ends.push(state.last_shared());
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "each has bytes of its own");
        control.stop(core::time::Duration::ZERO);
        running.join().unwrap();
        drop(clients);
    }
}
