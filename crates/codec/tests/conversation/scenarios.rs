//! Conversations written by hand.

use hopen_codec::config::{Capability, Config};
use hopen_codec::connection::{ProtocolError, SendError};
use hopen_codec::frame::FrameError;
use hopen_codec::outbox::Outbox;

use crate::script::Script;
use crate::script::Step::{
    self, Answer, AnswerError, AnswerUnsendable, Ask, Comes, Ends, EndsIn, GiveUp, Late, Refused,
    Tell, Writes,
};
use crate::wire::Said::{self, Async, Response, Sync};
use crate::wire::connected;

#[test]
fn an_answer_that_was_given_up_comes_before_the_next_is_wanted() {
    Script::new([
        Ask(1),
        GiveUp,
        Late(Response(1)),
        Ask(2),
        Comes(Response(2)),
    ])
    .go();
}

#[test]
fn an_answer_that_was_given_up_comes_after_the_next_is_wanted() {
    Script::new([
        Ask(1),
        GiveUp,
        Refused(SendError::LateResponseOutstanding),
        Comes(Async(2)),
        Refused(SendError::LateResponseOutstanding),
        Late(Said::error("stop")),
        Ask(3),
        Comes(Response(3)),
    ])
    .go();
}

#[test]
fn one_answer_is_dropped_however_often_it_is_given_up() {
    Script::new([
        GiveUp,
        Ask(1),
        GiveUp,
        GiveUp,
        Late(Response(1)),
        GiveUp,
        Ask(2),
        GiveUp,
        Late(Response(2)),
        Ask(3),
        Comes(Response(3)),
    ])
    .go();
}

#[test]
fn a_peer_that_closes_instead_of_a_late_answer_closes_cleanly() {
    Script::new([Ask(1), Comes(Async(2)), GiveUp, Comes(Async(3))]).go();
}

#[test]
fn a_late_answer_is_one_answer() {
    Script::new([
        Ask(1),
        GiveUp,
        Late(Response(1)),
        Ends(Response(1), ProtocolError::UnexpectedResponse),
    ])
    .go();
}

#[test]
fn a_server_calls_back() {
    Script::new([
        Ask(1),
        Comes(Sync(7)),
        Refused(SendError::Reentrant),
        Answer(7),
        Writes(Response(7)),
        Refused(SendError::RequestOutstanding),
        Comes(Response(1)),
    ])
    .go();
}

#[test]
fn a_server_calls_back_twice_in_a_row() {
    Script::new([
        Ask(1),
        Comes(Sync(7)),
        Answer(7),
        Writes(Response(7)),
        Comes(Sync(8)),
        AnswerError(8, "rank"),
        Writes(Said::error("rank")),
        Comes(Response(1)),
        Ask(2),
        Comes(Response(2)),
    ])
    .go();
}

#[test]
fn a_server_that_waits_for_us_is_asked_and_calls_back() {
    Script::new([
        Comes(Sync(7)),
        Ask(1),
        Comes(Sync(8)),
        Answer(7),
        Answer(8),
        Writes(Response(8)),
        Comes(Sync(9)),
        Answer(9),
        Writes(Response(9)),
        Comes(Response(1)),
        Writes(Response(7)),
    ])
    .go();
}

#[test]
fn a_server_that_waits_for_us_is_asked_again_and_again() {
    Script::new([
        Comes(Sync(7)),
        Ask(1),
        Comes(Response(1)),
        Ask(2),
        Answer(7),
        Comes(Sync(8)),
        Answer(8),
        Writes(Response(8)),
        Comes(Response(2)),
        Writes(Response(7)),
        Ask(3),
        Comes(Response(3)),
    ])
    .go();
}

#[test]
fn a_call_back_is_answered_late_and_after_asyncs() {
    Script::new([
        Ask(1),
        Comes(Async(2)),
        Comes(Sync(7)),
        Tell(3),
        Comes(Async(4)),
        Tell(5),
        Answer(7),
        Writes(Response(7)),
        Comes(Async(6)),
        Comes(Response(1)),
    ])
    .go();
}

#[test]
fn a_call_back_outlives_the_wait_for_it() {
    Script::new([
        Ask(1),
        Comes(Sync(7)),
        GiveUp,
        Refused(SendError::Reentrant),
        Answer(7),
        Writes(Response(7)),
        Refused(SendError::LateResponseOutstanding),
        Comes(Sync(8)),
        Refused(SendError::Reentrant),
        Late(Response(1)),
        Ask(2),
        Answer(8),
        Comes(Response(2)),
        Writes(Response(8)),
    ])
    .go();
}

#[test]
fn asyncs_keep_their_place() {
    Script::new([
        Comes(Async(1)),
        Ask(1),
        Comes(Async(2)),
        Comes(Async(3)),
        Comes(Response(1)),
        Comes(Async(4)),
        Ask(2),
        Comes(Response(2)),
        Comes(Async(5)),
    ])
    .go();
}

#[test]
fn pipelined_requests_are_answered_between_asyncs() {
    Script::new([
        Ask(1),
        Ask(2),
        Comes(Async(1)),
        Comes(Response(1)),
        Ask(3),
        Comes(Said::error("length")),
        Comes(Async(2)),
        Comes(Response(3)),
        Ask(4),
        Comes(Response(4)),
    ])
    .pipelined()
    .go();
}

#[test]
fn a_call_back_amid_pipelined_requests_is_the_end_before_any_answer() {
    Script::new([
        Ask(1),
        Ask(2),
        Ask(3),
        Comes(Async(1)),
        Ends(Sync(7), ProtocolError::CalledBack),
    ])
    .pipelined()
    .go();
    Script::new([
        Ask(1),
        Ask(2),
        Ask(3),
        Comes(Response(1)),
        Ends(Sync(7), ProtocolError::CalledBack),
    ])
    .pipelined()
    .go();
}

#[test]
fn a_call_back_after_the_last_but_one_answer_stops_the_pipeline_and_no_more() {
    Script::new([
        Ask(1),
        Ask(2),
        Comes(Response(1)),
        Comes(Sync(7)),
        Refused(SendError::Reentrant),
        Answer(7),
        Writes(Response(7)),
        Ask(3),
        Comes(Response(2)),
        Comes(Response(3)),
    ])
    .pipelined()
    .go();
}

// waits, takes the pipelined requests for call-backs inside each other and answers the last first.
#[test]
fn a_pipeline_is_one_request_at_a_time_while_the_peer_waits_for_an_answer() {
    Script::new([
        Comes(Sync(7)),
        Ask(1),
        Refused(SendError::RequestOutstanding),
        Answer(7),
        Refused(SendError::RequestOutstanding),
        Comes(Response(1)),
        Writes(Response(7)),
        Ask(2),
        Ask(3),
        Comes(Response(2)),
        Comes(Response(3)),
    ])
    .pipelined()
    .go();
}

#[test]
fn giving_up_ends_a_pipeline() {
    Script::new([GiveUp, Ask(1), Comes(Sync(7)), GiveUp])
        .pipelined()
        .go();
    Script::new([Ask(1), Ask(2), Comes(Response(1)), GiveUp])
        .pipelined()
        .go();
}

#[test]
fn early_answers_are_held_until_their_turn() {
    for order in permutations(&[1, 2, 3, 4]) {
        let asked = [1, 2, 3, 4];
        let mut steps: Vec<_> = asked.map(|number| Comes(Sync(number))).into();
        steps.extend(answers(&order, &asked));
        Script::new(steps).go();
    }
}

#[test]
fn what_is_asked_while_we_ask_is_answered_the_other_way_round() {
    for order in permutations(&[1, 2, 3, 4]) {
        let mut steps = vec![Ask(9), Tell(1)];
        steps.extend([1, 2, 3, 4].map(|number| Comes(Sync(number))));
        steps.extend(answers(&order, &[4, 3, 2, 1]));
        steps.push(Comes(Response(9)));
        Script::new(steps).go();
    }
}

#[test]
fn what_was_asked_before_is_answered_behind_our_own_answer() {
    for order in permutations(&[1, 2, 3, 4]) {
        let mut steps = vec![Comes(Sync(1)), Comes(Sync(2)), Ask(9), Tell(1)];
        steps.extend([Comes(Sync(3)), Comes(Sync(4))]);
        let (meanwhile, before): (Vec<_>, Vec<_>) = order.iter().partition(|&&number| number > 2);
        steps.extend(before.iter().map(|&&number| Answer(number)));
        let meanwhile: Vec<_> = meanwhile.into_iter().copied().collect();
        steps.extend(answers(&meanwhile, &[4, 3]));
        steps.extend([Comes(Response(9)), Writes(Response(1)), Writes(Response(2))]);
        Script::new(steps).go();
    }
}

#[test]
fn a_peer_that_answers_us_first_takes_its_answers_in_the_order_of_asking() {
    for order in permutations(&[1, 2, 3]) {
        let mut steps = vec![Comes(Sync(1)), Ask(9), Tell(1)];
        steps.extend([Comes(Sync(2)), Comes(Sync(3)), Comes(Response(9))]);
        steps.extend(answers(&order, &[1, 2, 3]));
        Script::new(steps).go();
    }
}

#[test]
fn an_answer_that_cannot_be_encoded_keeps_its_place() {
    for order in permutations(&[1, 2, 3]) {
        let mut steps: Vec<_> = [1, 2, 3].map(|number| Comes(Sync(number))).into();
        for step in answers(&order, &[1, 2, 3]) {
            steps.push(if matches!(step, Answer(2)) {
                AnswerUnsendable(2)
            } else if matches!(step, Writes(Response(2))) {
                Writes(Said::error("type"))
            } else {
                step
            });
        }
        Script::new(steps).capability(Capability::V0).go();
    }
}

#[test]
fn errors_are_answers() {
    Script::new([
        Ask(1),
        Comes(Said::error("type")),
        Comes(Sync(7)),
        Comes(Sync(8)),
        AnswerError(8, "length"),
        Answer(7),
        Writes(Response(7)),
        Writes(Said::error("length")),
        Ask(2),
        Comes(Response(2)),
    ])
    .go();
}

#[test]
fn a_response_to_nothing_is_the_end() {
    let error = ProtocolError::UnexpectedResponse;
    Script::new([Ends(Response(1), error)]).go();
    Script::new([Ends(Said::error("type"), error)]).go();
    Script::new([
        Comes(Async(1)),
        Comes(Sync(7)),
        Comes(Sync(8)),
        Answer(8),
        Ends(Response(1), error),
    ])
    .go();
    let more = [Ask(1), Comes(Response(1)), Ends(Response(2), error)];
    Script::new(more.clone()).go();
    Script::new(more).pipelined().go();
}

#[test]
fn more_requests_than_may_be_open_are_the_end() {
    let error = ProtocolError::TooManyRequests { limit: 2 };
    Script::new([Comes(Sync(1)), Comes(Sync(2)), Ends(Sync(3), error)])
        .open(2)
        .go();
    // A held answer leaves its request open, whether it waits for another answer or for ours.
    Script::new([
        Comes(Sync(1)),
        Ask(9),
        Answer(1),
        Comes(Sync(2)),
        Ends(Sync(3), error),
    ])
    .open(2)
    .go();
    Script::new([
        Comes(Sync(1)),
        Comes(Sync(2)),
        Answer(1),
        Writes(Response(1)),
        Comes(Sync(3)),
        Answer(3),
        Ends(Sync(4), error),
    ])
    .open(2)
    .go();
}

#[test]
fn what_is_no_message_is_the_end() {
    let unknown = FrameError::UnknownByteOrder { byte: b'H' };
    let error = ProtocolError::Frame(unknown);
    Script::new([EndsIn(b"HTTP/1.1", error)]).go();
    Script::new([
        Comes(Sync(7)),
        Ask(1),
        Comes(Async(1)),
        Answer(7),
        EndsIn(b"HTTP/1.1", error),
    ])
    .go();
}

#[test]
fn nothing_more_is_read_when_it_is_over() {
    let mut connection = connected(Config::client(), Capability::MAX);
    let mut input = Response(1).bytes();
    let received = connection.receive(&mut input, &mut Outbox::default());
    let error = received.expect_err("nothing was asked");
    assert_eq!(error, ProtocolError::UnexpectedResponse);
    assert_eq!(connection.make_room(&mut input), 0);
}

#[test]
fn a_client_and_its_server_talk_for_a_while() {
    Script::new([
        Tell(1),
        Ask(1),
        Comes(Async(1)),
        Comes(Sync(7)),
        Answer(7),
        Writes(Response(7)),
        Comes(Response(1)),
        Ask(2),
        GiveUp,
        Comes(Async(2)),
        Late(Response(2)),
        Ask(3),
        Comes(Said::error("nyi")),
    ])
    .go();
    // The same from the other end.
    Script::new([
        Comes(Async(1)),
        Comes(Sync(1)),
        Tell(1),
        Ask(7),
        Comes(Response(7)),
        Answer(1),
        Writes(Response(1)),
        Comes(Sync(2)),
        Tell(2),
        Answer(2),
        Writes(Response(2)),
        Comes(Sync(3)),
        AnswerError(3, "nyi"),
        Writes(Said::error("nyi")),
    ])
    .go();
}

/// Answers in the order `given`, and writes each as soon as all before it in `taken` are given.
fn answers(given: &[i64], taken: &[i64]) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut written = 0;
    for (count, &number) in given.iter().enumerate() {
        steps.push(Answer(number));
        while written < taken.len() && given[..=count].contains(&taken[written]) {
            steps.push(Writes(Response(taken[written])));
            written += 1;
        }
    }
    steps
}

fn permutations(numbers: &[i64]) -> Vec<Vec<i64>> {
    if numbers.is_empty() {
        return vec![Vec::new()];
    }
    let mut found = Vec::new();
    for (place, &first) in numbers.iter().enumerate() {
        let rest = [&numbers[..place], &numbers[place + 1..]].concat();
        for mut permutation in permutations(&rest) {
            permutation.insert(0, first);
            found.push(permutation);
        }
    }
    found
}
