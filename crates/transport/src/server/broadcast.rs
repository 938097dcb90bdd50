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
/// # use hopen_codec::sym;
/// # use hopen_transport::server::{BroadcastError, Client, broadcast};
/// # fn publish(subscribers: &[Client]) -> Result<(), BroadcastError> {
/// broadcast(subscribers, (sym!("upd"), sym!("trade"), vec![101.25, 101.5]))?;
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
    use std::sync::{Arc, Mutex, Weak};

    use bytes::{Buf, BytesMut};
    use hopen_codec::compress;
    use hopen_codec::config::{Compression, Config};
    use hopen_codec::connection::Ticket;
    use hopen_codec::handshake::{Progress, ServerHandshake};
    use hopen_codec::outbox::Outbox;
    use hopen_codec::remote_error::RemoteError;
    use hopen_codec::session::{Cause, Role};

    use super::*;
    use crate::server::Line;
    use crate::{Broken, Error, Peer, Stage, State};

    #[test]
    fn what_is_sent_to_a_hundred_clients_is_encoded_once() {
        // Built of many texts, so that whoever encodes it copies it.
        let texts = (0..50_000_i64).map(|n| Value::from(format!("{n:0200}")));
        let built = Value::from(texts.collect::<Vec<Value>>());
        // Pieces of it are shared as they are.
        check(Compression::Never, &built, |waiting, length| {
            waiting > length
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

    #[test]
    fn nothing_is_sent_to_anybody_where_one_does_not_understand_it() {
        let lines = [Silent::logged_in(b"\x06\0"), Silent::logged_in(b"\x00\0")];
        let clients = lines.each_ref().map(|line| line.client());
        let guid = Value::from(hopen_codec::value::Guid([1; 16]));
        let error = broadcast(&clients, guid).unwrap_err();
        assert_eq!(error.handle, 7);
        assert!(lines.iter().all(|line| line.waiting() == 0));
        assert_eq!(broadcast(&clients, 1_i64).unwrap(), 2);
    }

    /// Broadcasts something to clients that read nothing, and checks that the same bytes wait for all of
    /// them, so many as are said.
    fn check(compression: Compression, value: &Value, is_right: impl Fn(usize, usize) -> bool) {
        let lines = [(); 100].map(|()| Silent::with(b"\x06\0", compression));
        let clients = lines.each_ref().map(|line| line.client());
        assert_eq!(broadcast(&clients, value.clone()).unwrap(), lines.len());
        let body = Body::encode(value).unwrap();
        assert!(body.len() > compress::THRESHOLD as u64);
        let length = usize::try_from(body.len()).unwrap();
        let mut ends = Vec::new();
        for line in &lines {
            let waiting = line.waiting();
            assert!(waiting > 0 && is_right(waiting, length), "{waiting}");
            ends.push(line.last_shared());
        }
        ends.dedup();
        assert_eq!(ends.len(), 1, "each has bytes of its own");
    }

    /// A connection to somebody who reads nothing.
    struct Silent(Mutex<State>);

    impl Silent {
        fn logged_in(login: &[u8]) -> Arc<Self> {
            Self::with(login, Compression::Never)
        }

        fn with(login: &[u8], compression: Compression) -> Arc<Self> {
            let mut config = Config::server();
            config.compression = compression;
            let handshake = ServerHandshake::start(config);
            let Progress::Done(login) = handshake.receive(&mut BytesMut::from(login)).unwrap()
            else {
                panic!("a whole login")
            };
            let connection = login.accept(&mut Outbox::default());
            let state = State::new(connection, Stage::Plain, Role::Server);
            Arc::new(Self(Mutex::new(state)))
        }

        fn client(self: &Arc<Self>) -> Client {
            let line: Weak<Self> = Arc::downgrade(self);
            Client::new(7, b"ann", Peer::default(), line, &self.0.lock().unwrap())
        }

        fn waiting(&self) -> usize {
            self.0.lock().unwrap().session.unsent()
        }

        /// Returns where the last of the large pieces is that wait to go out.
        fn last_shared(&self) -> *const u8 {
            let mut state = self.0.lock().unwrap();
            let outbox = state.session.outbox();
            let mut slices = [std::io::IoSlice::new(&[]); 1024];
            let count = outbox.chunks_vectored(&mut slices);
            let large = |slice: &&std::io::IoSlice<'_>| slice.len() >= Outbox::SHARE;
            let last = slices[..count].iter().rfind(large);
            last.expect("one waits").last().expect("it is large")
        }
    }

    impl Line for Silent {
        fn push(self: Arc<Self>, body: &Body) -> Result<(), Error> {
            Ok(self.0.lock().unwrap().session.notify_body(body)?)
        }

        fn push_response(
            self: Arc<Self>,
            _: Ticket,
            _: Result<&Value, RemoteError>,
        ) -> Result<(), Error> {
            unreachable!("nobody asks")
        }

        fn close(&self) -> usize {
            unreachable!("nobody closes it")
        }

        fn queued(&self) -> usize {
            self.waiting()
        }

        fn stop_reading(&self) {}

        fn cut_off(&self, _: Cause<Broken>) {}
    }
}
