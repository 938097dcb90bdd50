//! Messages of many megabytes, and compressed ones.

use hopen_codec::config::Compression;
use hopen_codec::message::MessageKind;

use crate::conversation::scenario::{
    Scenario, client, compressed, expect, flush, get, notice, receive, recv, respond, response,
    send, server, set, sync,
};

pub(crate) fn all() -> Vec<Scenario> {
    let (ours, theirs) = (vec![1_u8; LARGE], vec![2_u8; LARGE]);
    let (zeros, ones) = (vec![0_i64; 2000], vec![1_i64; 20_000]);
    vec![
        client("a large question and a large answer")
            .ours([get(ours.clone()).gives(theirs.clone()), flush()])
            .theirs([expect(sync(ours.clone())), send(response(theirs.clone()))]),
        client("a large message to a server that sends one first")
            .ours([set(ours.clone()), flush(), recv().gives(theirs.clone())])
            .theirs([send(notice(theirs.clone())), expect(notice(ours.clone()))]),
        server("a large question and a large answer, of a client")
            .ours([
                receive().gives_request(theirs.clone()),
                respond(0, ours.clone()).done(),
            ])
            .theirs([send(sync(theirs)), expect(response(ours))]),
        client("compressed messages both ways")
            .configured(|config| config.compression = Compression::Always)
            .ours([set(zeros.clone()), get(zeros.clone()).gives(ones.clone())])
            .ours([
                get("short").gives("not compressed"),
                recv().gives(zeros.clone()),
            ])
            .theirs([expect(compressed(MessageKind::Async, zeros.clone()))])
            .theirs([expect(compressed(MessageKind::Sync, zeros.clone()))])
            .theirs([send(compressed(MessageKind::Response, ones.clone()))])
            .theirs([expect(sync("short")), send(response("not compressed"))])
            .theirs([send(compressed(MessageKind::Async, zeros.clone()))]),
        client("nothing is compressed for a peer on this host")
            .ours([get(zeros.clone()).gives(ones.clone())])
            .theirs([expect(sync(zeros.clone()))])
            .theirs([send(compressed(MessageKind::Response, ones.clone()))]),
        server("compressed answers")
            .configured(|config| config.compression = Compression::Always)
            .ours([
                receive().gives_request(ones.clone()),
                respond(0, zeros.clone()).done(),
            ])
            .theirs([send(compressed(MessageKind::Sync, ones))])
            .theirs([expect(compressed(MessageKind::Response, zeros))]),
    ]
}

/// More than the systems keep on the way.
const LARGE: usize = 20_000_000;
