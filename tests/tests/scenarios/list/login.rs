//! Logging in, and being logged in to.

use std::time::Duration;

use hopen_codec::auth::Credentials;
use hopen_codec::config::{Capability, Config};
use hopen_codec::handshake::HandshakeError;

use crate::conversation::end::{Failure, Opening, Phase};
use crate::conversation::scenario::{
    Line, Scenario, ann, before_login, client, expect, get, notice, open, open_within, receive,
    recv, respond, response, send, server, sync,
};

pub(crate) fn all() -> Vec<Scenario> {
    let mut all = vec![
        client("a server accepts"),
        as_client("a server refuses", ann())
            .ours([open().fails(Failure::Access)])
            .theirs([expect(b"ann:pw\x06\0"), Line::Close]),
        as_client("a server says nothing", ann())
            .ours([open_within(SHORT).fails(Failure::Timeout(Phase::Login))])
            .theirs([expect(b"ann:pw\x06\0")]),
        as_client("a server answers in time", ann())
            .ours([open_within(LONG).opened(6), get("x").gives(1_i64)])
            .theirs([expect(b"ann:pw\x06\0"), send(b"\x06")])
            .theirs([expect(sync("x")), send(response(1_i64))]),
        as_client("a password with colons", colons())
            .ours([open().opened(6)])
            .theirs([expect(b"ann:se:cr:et\x06\0"), send(b"\x06")]),
        as_client("a login of ours that is too long", ann())
            .configured(|config| config.limits.login = 7)
            .ours([open().fails(too_long(8, 7))]),
        as_client("a login of ours that is just short enough", ann())
            .configured(|config| config.limits.login = 8)
            .ours([open().opened(6)])
            .theirs([expect(b"ann:pw\x06\0"), send(b"\x06")]),
        as_client("messages behind the answer to the login", ann())
            .ours([
                open().opened(6),
                recv().gives("first"),
                recv().gives("second"),
            ])
            .theirs([
                expect(b"ann:pw\x06\0"),
                send([b"\x06".to_vec(), notice("first"), notice("second")].concat()),
            ]),
        server("a client is accepted"),
        before_login("a client is refused", Opening::Refuse, Config::server())
            .ours([open().logged_in(ann())])
            .theirs([send(b"ann:pw\x06\0")]),
        as_server("a client closes before its login ends")
            .ours([open().fails(Failure::Login(HandshakeError::LoginCutOff { received: 5 }))])
            .theirs([send(b"ann:p"), Line::Close]),
        as_server("a client only looks whether the port is open")
            .ours([open().fails(Failure::Login(HandshakeError::LoginCutOff { received: 0 }))])
            .theirs([Line::Close]),
        as_server("a client says nothing")
            .ours([open_within(SHORT).fails(Failure::Timeout(Phase::Login))]),
        as_server("a client does not end its login")
            .ours([open_within(SHORT).fails(Failure::Timeout(Phase::Login))])
            .theirs([send(b"ann:p")]),
        as_server("a client's login is too long")
            .configured(|config| config.limits.login = 7)
            .ours([open().fails(too_long(8, 7))])
            .theirs([send(b"ann:pw\x06\0")]),
        as_server("a client's login is just short enough")
            .configured(|config| config.limits.login = 8)
            .ours([open_within(LONG).logged_in(ann()).opened(6)])
            .theirs([send(b"ann:pw\x06\0"), expect(b"\x06")]),
        as_server("a client's password has colons")
            .ours([open().logged_in(colons()).opened(6)])
            .theirs([send(b"ann:se:cr:et\x06\0"), expect(b"\x06")]),
        as_server("a client of kdb+ 2.5")
            .ours([open().logged_in(ann()).opened(0)])
            .theirs([send(b"ann:pw\0"), expect(b"\0")]),
        as_server("a client asks before it is let in")
            .ours([open().logged_in(ann()).opened(6)])
            .ours([receive().gives_request("x"), respond(0, 1_i64).done()])
            .theirs([send([b"ann:pw\x06\0".to_vec(), sync("x")].concat())])
            .theirs([expect(b"\x06"), expect(response(1_i64))]),
    ];
    for number in 0..=6 {
        let capability = Capability::new(number).expect("there are seven");
        let login = [b"ann:pw".to_vec(), offered(number), b"\0".to_vec()].concat();
        all.extend([
            as_client(format!("a server of capability {number}"), ann())
                .ours([open().opened(number), get("x").gives(1_i64)])
                .theirs([expect(b"ann:pw\x06\0"), send([number])])
                .theirs([expect(sync("x")), send(response(1_i64))]),
            as_client(format!("ours is capability {number}"), ann())
                .configured(|config| config.capability = capability)
                .ours([open().opened(number)])
                .theirs([expect(&login), send([number])]),
            as_server(format!("a client of capability {number}"))
                .ours([open().logged_in(ann()).opened(number)])
                .theirs([send(&login), expect([number])]),
            as_server(format!(
                "ours is capability {number}, and the client's higher"
            ))
            .configured(|config| config.capability = capability)
            .ours([open().logged_in(ann()).opened(number)])
            .theirs([send(b"ann:pw\x06\0"), expect([number])]),
        ]);
    }
    all
}

fn as_client(name: impl Into<String>, credentials: Credentials) -> Scenario {
    before_login(name, Opening::LogIn(credentials), Config::client())
}

fn as_server(name: impl Into<String>) -> Scenario {
    before_login(name, Opening::Accept, Config::server())
}

fn colons() -> Credentials {
    Credentials::new("ann", "se:cr:et").expect("no NUL")
}

const fn too_long(length: usize, limit: usize) -> Failure {
    Failure::Login(HandshakeError::LoginTooLong { length, limit })
}

/// What stands for a capability in a login: nothing where there is none.
fn offered(number: u8) -> Vec<u8> {
    Vec::from_iter((number > 0).then_some(number))
}

/// Enough to connect within, on a machine that is busy, and not long to wait for nothing.
const SHORT: Duration = Duration::from_millis(200);

const LONG: Duration = Duration::from_secs(60);
