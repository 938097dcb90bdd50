//! Answers that come when nobody waits for them any longer.
//!
//! The peer waits to be told that the time has passed, so that every answer is as late as it says.

use hopen_codec::connection::ProtocolError;

use crate::conversation::end::{Failure, Phase};
use crate::conversation::scenario::{
    Line, Scenario, Step, client, declined, error, expect, flush, get, get_briefly, notice, recv,
    response, send, set, sync, tell,
};

pub(crate) fn all() -> Vec<Scenario> {
    vec![
        timed_out("a late answer that comes before the next question")
            .ours([tell(), recv().gives("behind it"), get("two").gives(2_i64)])
            .theirs([
                Line::Wait,
                send([response("late"), notice("behind it")].concat()),
            ])
            .theirs([expect(sync("two")), send(response(2_i64))]),
        timed_out("a late answer that the next question waits for")
            .ours([tell(), get("two").gives(2_i64)])
            .theirs([Line::Wait, send(response("late"))])
            .theirs([expect(sync("two")), send(response(2_i64))]),
        timed_out("a late error is no error of the next question")
            .ours([tell(), get("two").gives(2_i64), get("three").gives(3_i64)])
            .theirs([Line::Wait, send(error("late"))])
            .theirs([expect(sync("two")), send(response(2_i64))])
            .theirs([expect(sync("three")), send(response(3_i64))]),
        timed_out("a late answer that does not come in the next question's time either")
            .ours([get_briefly("never sent").fails(Failure::Timeout(Phase::EarlierResponse))])
            .ours([get_briefly("nor this").fails(Failure::Timeout(Phase::EarlierResponse))])
            .ours([tell(), get("two").gives(2_i64)])
            .theirs([Line::Wait, send(response("late"))])
            .theirs([expect(sync("two")), send(response(2_i64))]),
        timed_out("two late answers")
            .ours([tell(), recv().gives("it has come")])
            .ours([get_briefly("two").fails(Failure::Timeout(Phase::Response))])
            .ours([tell(), get("three").gives(3_i64)])
            .theirs([
                Line::Wait,
                send([response("late"), notice("it has come")].concat()),
            ])
            .theirs([expect(sync("two")), Line::Wait, send(response("late too"))])
            .theirs([expect(sync("three")), send(response(3_i64))]),
        timed_out("the half of an answer in time and the rest late")
            .ours([tell(), get("two").gives(2_i64)])
            .theirs([Line::Wait, send(&response("late")[10..])])
            .theirs([expect(sync("two")), send(response(2_i64))])
            .with_half_an_answer(),
        timed_out("async messages meanwhile")
            .ours([tell(), recv().gives("news"), set("thanks"), flush(), tell()])
            .ours([
                get("two").gives(2_i64),
                recv().gives("more"),
                recv().gives("most"),
            ])
            .theirs([
                Line::Wait,
                send(notice("news")),
                expect(notice("thanks")),
                Line::Wait,
            ])
            .theirs([send(
                [notice("more"), response("late"), notice("most")].concat(),
            )])
            .theirs([expect(sync("two")), send(response(2_i64))]),
        timed_out("a question of the server meanwhile")
            .ours([tell(), get("two").gives(2_i64)])
            .theirs([Line::Wait, send(sync("who?")), expect(declined())])
            .theirs([send(response("late"))])
            .theirs([expect(sync("two")), send(response(2_i64))]),
        timed_out("a close in place of the late answer, while a message is awaited")
            .ours([
                tell(),
                recv().fails(Failure::Closed),
                get("two").fails(Failure::Closed),
            ])
            .theirs([Line::Wait, Line::Close]),
        timed_out("a close in place of the late answer, while the next question waits for it")
            .ours([
                tell(),
                get("two").fails(Failure::Closed),
                set_fails("three"),
            ])
            .theirs([Line::Wait, Line::Close]),
        timed_out("a close in the middle of the late answer")
            .ours([tell(), get("two").fails(Failure::Protocol(cut(12)))])
            .theirs([Line::Wait, send(&response("late")[..12]), Line::Close]),
        timed_out("more answers than questions")
            .ours([
                tell(),
                recv().fails(Failure::Protocol(ProtocolError::UnexpectedResponse)),
            ])
            .theirs([
                Line::Wait,
                send([response("late"), response("none")].concat()),
            ]),
    ]
}

/// Starts with a question whose time passes.
fn timed_out(name: &str) -> Scenario {
    client(name)
        .ours([get_briefly("one").fails(Failure::Timeout(Phase::Response))])
        .theirs([expect(sync("one"))])
}

impl Scenario {
    /// Puts the start of the late answer before the end of the first question's time.
    fn with_half_an_answer(mut self) -> Self {
        let wait = self
            .theirs
            .iter()
            .position(|line| matches!(line, Line::Wait));
        let half = send(&response("late")[..10]);
        self.theirs.insert(wait.expect("it waits"), half);
        self
    }
}

fn set_fails(message: &str) -> Step {
    let mut step = set(message);
    step.outcomes.clear();
    step.fails(Failure::Closed)
}

fn cut(arrived: u64) -> ProtocolError {
    ProtocolError::Truncated {
        arrived,
        announced: Some(response("late").len() as u64),
    }
}
