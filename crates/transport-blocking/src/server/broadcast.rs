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
