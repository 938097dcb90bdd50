//! Whole conversations of both roles, with something of everything, to be disturbed anywhere.

use hopen_codec::message::MessageKind;

use super::end::Failure;
use super::scenario::{
    Line, Scenario, answer_requests, client, compressed, error, expect, flush, get, notice,
    receive, recv, remote, respond, respond_error, response, send, server, set, sync,
};

pub(crate) fn all() -> Vec<Scenario> {
    vec![of_a_client(), of_a_server(), large()]
}

/// A client logs in, asks, is told, is called back, and reads on until the server closes.
pub(crate) fn of_a_client() -> Scenario {
    let (zeros, longs) = (vec![0_i64; 300], vec![1_i64, 2, 3, 4, 5]);
    client("a client's whole conversation")
        .ours([
            answer_requests("me"),
            set("hello"),
            get("one").gives(1_i64),
            get("two").fails(remote("type")),
            get("zeros").gives(zeros.clone()),
            get("who").gives("you"),
            recv().gives("first"),
            set(longs.clone()),
            recv().gives("second"),
            recv().gives(longs.clone()),
            set("bye"),
            flush(),
            recv().fails(Failure::Closed),
        ])
        .theirs([expect([notice("hello"), sync("one")].concat())])
        .theirs([send([notice("first"), response(1_i64)].concat())])
        .theirs([expect(sync("two")), send(error("type"))])
        .theirs([expect(sync("zeros"))])
        .theirs([send(compressed(MessageKind::Response, zeros))])
        .theirs([expect(sync("who")), send(sync("who?"))])
        .theirs([expect(response("me")), send(response("you"))])
        .theirs([expect(notice(longs.clone()))])
        .theirs([send([notice("second"), notice(longs)].concat())])
        .theirs([expect(notice("bye")), Line::Close])
}

/// A server lets somebody in, is told and asked, answers early and late, pushes, and reads on until
/// the client closes.
pub(crate) fn of_a_server() -> Scenario {
    let zeros = vec![0_i64; 300];
    server("a server's whole conversation")
        .ours([
            receive().gives_async("subscribe"),
            receive().gives_request("one"),
            receive().gives_request("two"),
            respond(1, "early").done(),
            respond_error(0, "type").done(),
            set("push"),
            flush(),
            receive().gives_request(zeros.clone()),
            set("before"),
            respond(2, vec![1_i64, 2, 3]).done(),
            receive().gives_async("last"),
            receive().fails(Failure::Closed),
        ])
        .theirs([send(
            [notice("subscribe"), sync("one"), sync("two")].concat(),
        )])
        .theirs([expect([error("type"), response("early")].concat())])
        .theirs([expect(notice("push"))])
        .theirs([send(compressed(MessageKind::Sync, zeros))])
        .theirs([
            expect(notice("before")),
            expect(response(vec![1_i64, 2, 3])),
        ])
        .theirs([send(notice("last")), Line::Close])
}

/// A question and an answer of more than a pipe or a piece holds, and one more of each.
pub(crate) fn large() -> Scenario {
    let (ours, theirs) = (vec![1_u8; LARGE], vec![2_u8; LARGE]);
    client("a conversation of large messages")
        .ours([get(ours.clone()).gives(theirs.clone())])
        .ours([get("more").gives("enough"), recv().fails(Failure::Closed)])
        .theirs([expect(sync(ours)), send(response(theirs))])
        .theirs([expect(sync("more")), send(response("enough")), Line::Close])
}

/// More than a pipe of Linux holds, and than is read at once.
const LARGE: usize = 200_000;
