//! What a client does on an open connection.

use hopen_codec::byte_order::ByteOrder;
use hopen_codec::config::{Capability, Config, Limits};
use hopen_codec::connection::SendError;
use hopen_codec::encode::{EncodeError, Feature};
use hopen_codec::message::{Body, MessageKind};
use hopen_codec::sym;
use hopen_codec::value::Guid;

use crate::conversation::end::{Failure, Opening, Phase};
use crate::conversation::scenario::{
    Line, Scenario, ann, answer_requests, before_login, bytes, client, close, declined, error,
    expect, flush, get, notice, open, recv, recv_briefly, remote, response, send, set, sync, tell,
    try_set,
};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        client("a question is answered")
            .ours([
                get("2+3").gives(5_i64),
                get((sym!("f"), 1_i64)).gives("one"),
            ])
            .theirs([expect(sync("2+3")), send(response(5_i64))])
            .theirs([expect(sync((sym!("f"), 1_i64))), send(response("one"))]),
        client("an error is the answer to its question only")
            .ours([get("1+`").fails(remote("type")), get("1+1").gives(2_i64)])
            .theirs([expect(sync("1+`")), send(error("type"))])
            .theirs([expect(sync("1+1")), send(response(2_i64))]),
        client("what is no value is told, and the handle goes on")
            .ours([get("x").fails(bad_message()), get("y").gives(1_i64)])
            .ours([recv().fails(bad_message()), recv().gives("good")])
            .theirs([
                expect(sync("x")),
                send(bytes(MessageKind::Response, nonsense())),
            ])
            .theirs([expect(sync("y")), send(response(1_i64))])
            .theirs([
                send(bytes(MessageKind::Async, nonsense())),
                send(notice("good")),
            ]),
        client("what is set goes out before the next question, in order")
            .ours([set("one"), try_set("two").done(), set("three")])
            .ours([get("x").gives(1_i64)])
            .theirs([
                expect(notice("one")),
                expect(notice("two")),
                expect(notice("three")),
            ])
            .theirs([expect(sync("x")), send(response(1_i64))]),
        client("what is set goes out with a flush")
            .ours([
                flush(),
                set("one"),
                set("two"),
                flush(),
                flush(),
                close().drops(0),
            ])
            .theirs([expect(notice("one")), expect(notice("two"))]),
        client("what is set goes out before a message is waited for")
            .ours([set("subscribe"), recv().gives("update")])
            .theirs([expect(notice("subscribe")), send(notice("update"))]),
        client("what is set and not written is dropped by a close").ours([
            set("lost"),
            try_set("lost").done(),
            close().drops(36),
        ]),
        client("async messages come before, between and behind the answers")
            .ours([recv().gives("before"), get("one").gives(1_i64)])
            .ours([
                get("two").gives(2_i64),
                recv().gives("first"),
                recv().gives("second"),
            ])
            .ours([recv().gives("third"), recv().gives("behind")])
            .ours([recv().fails(Failure::Closed)])
            .theirs([send(notice("before")), expect(sync("one"))])
            .theirs([send(
                [notice("first"), notice("second"), response(1_i64)].concat(),
            )])
            .theirs([
                expect(sync("two")),
                send([notice("third"), response(2_i64)].concat()),
            ])
            .theirs([send(notice("behind")), Line::Close]),
        client("nothing comes in time")
            .ours([
                recv_briefly().fails(Failure::Timeout(Phase::Message)),
                tell(),
            ])
            .ours([recv().gives("news")])
            .theirs([Line::Wait, send(notice("news"))]),
        client("a server that calls back during a question is told no")
            .ours([get("x").gives(1_i64), get("y").gives(2_i64)])
            .theirs([expect(sync("x")), send(sync("who?")), expect(declined())])
            .theirs([
                send(sync("and who?")),
                expect(declined()),
                send(response(1_i64)),
            ])
            .theirs([expect(sync("y")), send(response(2_i64))]),
        client("a server that calls back during a question is answered")
            .ours([answer_requests("me"), get("x").gives(1_i64)])
            .theirs([
                expect(sync("x")),
                send(sync("who?")),
                expect(response("me")),
            ])
            .theirs([send(response(1_i64))]),
        client("a server that calls back while a message is awaited is told no")
            .ours([recv().gives("news")])
            .theirs([send(sync("who?")), expect(declined()), send(notice("news"))]),
        client("a server that calls back during a flush is told no")
            .ours([set(vec![7_u8; LARGE]), flush(), recv().gives("news")])
            .theirs([send(sync("who?")), expect(notice(vec![7_u8; LARGE]))])
            .theirs([expect(declined()), send(notice("news"))]),
        client("an answer in big endian")
            .ours([get("x").gives(258_i64)])
            .theirs([expect(sync("x")), send(BIG_ENDIAN)]),
        before_login(
            "what the server does not understand",
            Opening::LogIn(ann()),
            Config::client(),
        )
        .ours([
            open().opened(1),
            get(Guid([1; 16])).fails(no_guid(Capability::V1)),
        ])
        .ours([get("x").gives(1_i64)])
        .theirs([expect(b"ann:pw\x06\0"), send(b"\x01")])
        .theirs([expect(sync("x")), send(response(1_i64))]),
        client("a full queue")
            .configured(|config| config.limits.queue = 20)
            .ours([set("just enough"), try_set("too much").done()])
            .theirs([expect(notice("just enough")), expect(notice("too much"))])
            .ours([flush()]),
    ]
}

/// Bytes that are no value: a type and nothing behind it.
pub(super) fn nonsense() -> Body {
    Body::from_bytes(b"\xf9\0"[..].into(), ByteOrder::Little)
}

pub(super) fn bad_message() -> Failure {
    let decoded = nonsense().decode(&Limits::client());
    Failure::BadMessage(decoded.expect_err("it is no value"))
}

pub(super) const fn no_guid(capability: Capability) -> Failure {
    Failure::Send(SendError::Encode(EncodeError::NotUnderstood {
        feature: Feature::Guid,
        capability,
    }))
}

/// More than the systems keep on the way.
const LARGE: usize = 20_000_000;

/// A response: 258 as a long.
const BIG_ENDIAN: &[u8] = b"\0\x02\0\0\0\0\0\x11\xf9\0\0\0\0\0\0\x01\x02";
