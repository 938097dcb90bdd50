//! What ends a connection.

use hopen_codec::connection::ProtocolError;
use hopen_codec::frame::FrameError;

use crate::conversation::end::Failure;
use crate::conversation::scenario::{
    Line, Scenario, Step, client, expect, flush, get, notice, receive, recv, response, send,
    server, set, sync,
};

pub(crate) fn all() -> Vec<Scenario> {
    let mut all = vec![
        over("a response to nothing", ProtocolError::UnexpectedResponse)
            .theirs([send(response(1_i64))]),
        client("a close instead of the answer")
            .ours([get("x").fails(protocol(ProtocolError::ClosedBeforeResponse))])
            .ours(every_call(&protocol(ProtocolError::ClosedBeforeResponse)))
            .theirs([expect(sync("x")), Line::Close]),
        client("a close")
            .ours([recv().fails(Failure::Closed)])
            .ours(every_call(&Failure::Closed))
            .theirs([Line::Close]),
        client("more async messages than are kept, of which the kept ones come out")
            .configured(|config| config.limits.kept_asyncs = 0)
            .ours([get("x").fails(Failure::KeptAsyncs), recv().gives("kept")])
            .ours(every_call(&Failure::KeptAsyncs))
            .theirs([
                expect(sync("x")),
                send([notice("kept"), notice("not kept")].concat()),
            ]),
        server("more questions than may be open")
            .configured(|config| config.limits.requests = 1)
            .ours([receive().gives_request("one")])
            .ours([receive().fails(protocol(ProtocolError::TooManyRequests { limit: 1 }))])
            .theirs([send([sync("one"), sync("two")].concat())]),
        client("what had come before the fault comes out")
            .ours([get("x").fails(frame(FrameError::UnknownByteOrder { byte: b'H' }))])
            .ours([recv().gives("one"), recv().gives("two")])
            .ours(every_call(&frame(FrameError::UnknownByteOrder {
                byte: b'H',
            })))
            .theirs([expect(sync("x"))])
            .theirs([send(
                [&notice("one")[..], &notice("two"), b"HTTP/1.1 400"].concat(),
            )]),
    ];
    let headers: [(&[u8; 8], FrameError); 6] = [
        (b"HTTP/1.1", FrameError::UnknownByteOrder { byte: b'H' }),
        (
            b"\x01\x03\0\0\x09\0\0\0",
            FrameError::UnknownKind { byte: 3 },
        ),
        (
            b"\x01\0\x03\0\x09\0\0\0",
            FrameError::UnknownCompression { byte: 3 },
        ),
        (
            b"\x01\0\0\0\x08\0\0\0",
            FrameError::WithoutBody { length: 8 },
        ),
        (b"\0\0\0\0\0\0\0\0", FrameError::WithoutBody { length: 0 }),
        (
            b"\x01\0\0\x01\0\0\0\0",
            FrameError::AboveLimit {
                length: 1 << 32,
                limit: 1000,
            },
        ),
    ];
    all.extend(headers.map(|(header, error)| {
        over(
            format!("a header that is none: {header:02x?}"),
            ProtocolError::Frame(error),
        )
        .configured(|config| config.limits.message = 1000)
        .theirs([send(header)])
    }));
    all
}

/// Starts a scenario in which nothing more than an error comes of what the peer sends.
fn over(name: impl Into<String>, error: ProtocolError) -> Scenario {
    client(name)
        .ours([recv().fails(protocol(error))])
        .ours(every_call(&protocol(error)))
}

/// Every call, each of which fails in this way.
fn every_call(failure: &Failure) -> Vec<Step> {
    [get("x"), set("x"), flush(), recv(), receive()]
        .map(|mut step| {
            step.outcomes.clear();
            step.fails(failure.clone())
        })
        .into()
}

const fn frame(error: FrameError) -> Failure {
    protocol(ProtocolError::Frame(error))
}

const fn protocol(error: ProtocolError) -> Failure {
    Failure::Protocol(error)
}
