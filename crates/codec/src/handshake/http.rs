//! HTTP at a port that speaks none.
//!
//! ```text
//! GET /trade HTTP/1.1 …                  what a browser or a scanner sends: no NUL, so no login
//! HTTP/1.1 501 Not Implemented …         the answer; then the connection is closed
//! ```
//!
//! q tells both apart by the first bytes too, and since 3.6 refuses an upgrade to WebSockets with the
//! same status where nothing handles it ([KX, WebSockets](https://code.kx.com/q/kb/websockets/)). A
//! user whose name starts with a method and a space cannot log in to either.

/// Returns whether a connection that starts with these bytes is an HTTP request.
pub(super) fn is_request(start: &[u8]) -> bool {
    METHODS.iter().any(|method| start.starts_with(method))
}

/// What an HTTP request is answered with. It has no body: that of a HEAD must have none.
pub(super) const NOT_IMPLEMENTED: &[u8] =
    b"HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

/// The methods of RFC 9110 and RFC 5789, each with the space behind it.
const METHODS: [&[u8]; 9] = [
    b"GET ",
    b"HEAD ",
    b"POST ",
    b"PUT ",
    b"DELETE ",
    b"CONNECT ",
    b"OPTIONS ",
    b"TRACE ",
    b"PATCH ",
];

#[cfg(test)]
mod tests {
    use bytes::BytesMut;

    use crate::config::Config;
    use crate::handshake::{HandshakeError, Progress, ServerHandshake};

    #[test]
    fn a_request_is_known_as_soon_as_its_method_is_there() {
        for request in [
            "GET / HTTP/1.1\r\n",
            "OPTIONS * HTTP/1.1\r\n",
            "PATCH /x HTTP/1.1\r\n",
        ] {
            let known = request.find(' ').unwrap() + 1;
            for length in 0..request.len() {
                let mut input = BytesMut::from(&request.as_bytes()[..length]);
                match ServerHandshake::start(Config::server()).receive(&mut input) {
                    Ok(Progress::NeedsInput(_)) => assert!(length < known),
                    other => {
                        assert_eq!(other.unwrap_err(), HandshakeError::Http);
                        assert!(length >= known && input.is_empty());
                    }
                }
            }
        }
        assert!(HandshakeError::Http.answer().starts_with(b"HTTP/1.1 501 "));
        assert!(HandshakeError::Access.answer().is_empty());
    }

    #[test]
    fn a_user_who_is_called_like_a_method_is_none() {
        for login in [&b"GET:pw\x06\0"[..], b"get x:pw\x06\0", b"POSTGRES \x06\0"] {
            let done = ServerHandshake::start(Config::server()).receive(&mut login.into());
            assert!(matches!(done, Ok(Progress::Done(_))), "{done:?}");
        }
    }
}
