//! What a server does on an open connection.

use hopen_codec::config::{Capability, Config};
use hopen_codec::message::MessageKind;
use hopen_codec::value::Guid;

use super::client::{bad_message, no_guid, nonsense};
use crate::conversation::end::{Failure, Opening, Phase};
use crate::conversation::scenario::{
    Line, Scenario, ann, before_login, bytes, error, expect, flush, get, get_briefly, notice, open,
    receive, recv, respond, respond_error, response, send, server, set, sync, tell,
};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        server("questions are answered")
            .ours([receive().gives_request("2+3"), respond(0, 5_i64).done()])
            .ours([
                receive().gives_request("1+`"),
                respond_error(1, "type").done(),
            ])
            .ours([receive().fails(Failure::Closed)])
            .theirs([send(sync("2+3")), expect(response(5_i64))])
            .theirs([send(sync("1+`")), expect(error("type")), Line::Close]),
        server("questions and async messages come in their order")
            .ours([receive().gives_async("one"), receive().gives_request("two")])
            .ours([receive().gives_async("three"), respond(0, 2_i64).done()])
            .ours([receive().gives_async("four")])
            .theirs([send([notice("one"), sync("two"), notice("three")].concat())])
            .theirs([expect(response(2_i64)), send(notice("four"))]),
        server("answers go out in the order of the questions")
            .ours(["a", "b", "c", "d"].map(|text| receive().gives_request(text)))
            .ours([3, 1, 0, 2].map(|n| respond(n, n as i64).done()))
            .theirs([send(["a", "b", "c", "d"].map(sync).concat())])
            .theirs([0_i64, 1, 2, 3].map(|n| expect(response(n)))),
        server("an early answer does not wait for more than those before it")
            .ours(["a", "b", "c"].map(|text| receive().gives_request(text)))
            .ours([respond(1, 1_i64).done(), respond(0, 0_i64).done(), tell()])
            .ours([receive().gives_async("has come"), respond(2, 2_i64).done()])
            .theirs([send(["a", "b", "c"].map(sync).concat())])
            .theirs([expect(response(0_i64)), expect(response(1_i64)), Line::Wait])
            .theirs([send(notice("has come")), expect(response(2_i64))]),
        before_login(
            "an answer that the client does not understand",
            Opening::Accept,
            Config::server(),
        )
        .ours([
            open().logged_in(ann()).opened(1),
            receive().gives_request("x"),
        ])
        .ours([respond(0, Guid([1; 16])).fails(no_guid(Capability::V1))])
        .ours([receive().gives_request("y"), respond(1, 2_i64).done()])
        .theirs([send(b"ann:pw\x01\0"), expect(b"\x01")])
        .theirs([send(sync("x")), expect(error("type"))])
        .theirs([send(sync("y")), expect(response(2_i64))]),
        server("a question that is no value is answered all the same")
            .ours([receive().fails(bad_message()), receive().gives_request("x")])
            .ours([respond(0, 1_i64).done()])
            .theirs([
                send(bytes(MessageKind::Sync, nonsense())),
                expect(error("badmsg")),
            ])
            .theirs([send(sync("x")), expect(response(1_i64))]),
        server("a question that comes during ours is kept and answered")
            .ours([get("ours").gives(1_i64), receive().gives_async("news")])
            .ours([receive().gives_request("theirs"), respond(0, 2_i64).done()])
            .theirs([expect(sync("ours"))])
            .theirs([send(
                [notice("news"), sync("theirs"), response(1_i64)].concat(),
            )])
            .theirs([expect(response(2_i64))]),
        server("a question that comes during ours is answered when ours has been given up")
            .ours([
                get_briefly("ours").fails(Failure::Timeout(Phase::Response)),
                tell(),
            ])
            .ours([receive().gives_request("theirs"), respond(0, 2_i64).done()])
            .ours([get("again").gives(3_i64)])
            .theirs([expect(sync("ours")), Line::Wait, send(sync("theirs"))])
            .theirs([expect(response(2_i64)), send(response("late"))])
            .theirs([expect(sync("again")), send(response(3_i64))]),
        server("a question that was asked before ours is answered when ours is")
            .ours([receive().gives_request("theirs"), get("ours").gives(1_i64)])
            .ours([respond(0, 2_i64).done()])
            .theirs([
                send(sync("theirs")),
                expect(sync("ours")),
                send(response(1_i64)),
            ])
            .theirs([expect(response(2_i64))]),
        server("a server that waits for async messages declines questions")
            .ours([recv().gives("news")])
            .theirs([send([sync("who?"), notice("news")].concat())])
            .theirs([
                expect(error("nyi: this client answers no requests")),
                Line::Ignore,
            ]),
        server("updates are published")
            .ours([receive().gives_async("subscribe")])
            .ours([set("one"), set("two"), flush()])
            .theirs([
                send(notice("subscribe")),
                expect(notice("one")),
                expect(notice("two")),
            ]),
    ]
}
