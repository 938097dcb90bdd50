//! What a subscription decides, without a connection.

use std::io;
use std::time::{Duration, SystemTime};

use hopen_codec::handshake::HandshakeError;
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::tick::Topic;
use hopen_codec::value::{Date, Symbol, Table, Value};
use proptest::prelude::*;

use super::*;

#[test]
fn everything_that_comes_is_told_in_its_order() {
    let requests = [
        Request::from(Topic::table(sym!("trade"))),
        "count trade".into(),
        Topic::all_tables().into(),
    ];
    let mut subscription = Subscription::new(options(requests));
    assert!(matches!(subscription.step(), Step::Connect));
    let all = vec![described("trade", vec![1.5]), described("quote", vec![1.5])];
    let answers = vec![described("trade", vec![1.5]), 7_i64.into(), all.into()];
    subscription.connected(answers, time(0));
    subscription.received(Ok(update(1)));
    subscription.received(Ok((sym!(".u.end"), Date(9824)).into()));
    subscription.received(Ok("something else".into()));
    subscription.received(Err(bad_message()));
    subscription.received(Err(Error::Remote(RemoteError::new("type").unwrap())));
    subscription.received(Ok(update(2)));
    assert_eq!(
        told(&mut subscription),
        [
            "schema trade, first",
            "answer 1: 7",
            "schema trade, first",
            "schema quote, first",
            "update 1",
            "end of 2026.11.24",
            "other \"something else\"",
            "bad badmsg",
            "bad type",
            "update 2",
            "receive",
        ]
    );
}

#[test]
fn a_loss_is_told_then_the_gap_and_what_has_changed() {
    let mut subscription = Subscription::new(options([Topic::all_tables()]));
    let answer = |price: Value| {
        let all = vec![described("trade", price), described("quote", vec![1.5])];
        vec![Value::from(all)]
    };
    subscription.connected(answer(vec![1.5].into()), time(0));
    subscription.caught_up(time(1));
    subscription.received(Ok(update(1)));
    subscription.received(Err(Error::Closed));
    // Nothing comes from a connection that is lost.
    subscription.received(Ok(update(2)));
    subscription.caught_up(time(2));
    subscription.connected_after_failures(2, answer(vec![1_i64].into()), time(9));
    subscription.received(Ok(update(3)));
    assert_eq!(
        told(&mut subscription),
        [
            "schema trade, first",
            "schema quote, first",
            "update 1",
            "lost by close since 1",
            "failed by timeout: 1",
            "failed by timeout: 2",
            "gap from 1 to 9 after 3",
            "schema trade, changed from float vector",
            "schema quote, same",
            "update 3",
            "receive",
        ]
    );
}

#[test]
fn without_a_loss_there_is_no_gap() {
    let mut subscription = Subscription::new(options([Topic::table(sym!("trade"))]));
    subscription.connected_after_failures(3, vec![described("trade", vec![1.5])], time(5));
    let told = told(&mut subscription);
    assert_eq!(told.last().map(String::as_str), Some("receive"));
    assert!(told.iter().all(|what| !what.starts_with("gap")), "{told:?}");
}

#[test]
fn a_loss_before_anything_came_counts_from_the_subscription_on() {
    let mut subscription = Subscription::new(options([Topic::table(sym!("trade"))]));
    subscription.connected(vec![described("trade", vec![1.5])], time(3));
    subscription.received(Err(Error::Closed));
    subscription.connected(vec![described("trade", vec![1.5])], time(5));
    subscription.received(Err(Error::Closed));
    let told = told(&mut subscription);
    let losses = told.iter().filter(|what| !what.starts_with("schema"));
    assert_eq!(
        losses.collect::<Vec<_>>(),
        [
            "lost by close since 3",
            "gap from 3 to 5 after 1",
            "lost by close since 5",
            "wait"
        ]
    );
}

#[test]
fn a_table_that_was_gone_is_new_when_it_comes_back() {
    let mut subscription = Subscription::new(options([Topic::all_tables()]));
    for tables in [&["trade"][..], &["quote"], &["trade", "quote"]] {
        let all: Vec<Value> = tables
            .iter()
            .map(|name| described(name, vec![1.5]))
            .collect();
        subscription.connected(vec![all.into()], time(0));
        subscription.received(Err(Error::Closed));
    }
    let told = told(&mut subscription);
    let schemas = told.iter().filter(|what| what.starts_with("schema"));
    assert_eq!(
        schemas.collect::<Vec<_>>(),
        [
            "schema trade, first",
            "schema quote, first",
            "schema trade, first",
            "schema quote, same",
        ]
    );
}

#[test]
fn what_is_refused_is_tried_a_few_times_and_what_fails_for_ever() {
    let refusals = [
        Error::Access,
        Error::Login(HandshakeError::EndsInControlByte { byte: 1 }),
        Error::Remote(RemoteError::new("nosuch").unwrap()),
        bad_message(),
        Error::tls(hopen_tls::TlsError::NoTrust),
    ];
    for (number, error) in refusals.into_iter().enumerate() {
        assert_eq!(Verdict::of(&error), Verdict::Refused, "{number}: {error}");
    }
    let mut subscription = Subscription::new(options([Topic::all_tables()]));
    for round in 0..100 {
        // A failure of another kind in between begins anew.
        for _ in 0..4 {
            subscription.failed(Error::Access);
        }
        subscription.failed(Error::Timeout(crate::Phase::Connect));
        assert_eq!(told(&mut subscription).len(), 6, "{round}");
    }
    for _ in 0..5 {
        subscription.failed(Error::Access);
    }
    let told = told(&mut subscription);
    assert_eq!(told.len(), 6);
    assert_eq!(told[4..], ["over by access", "over"]);
}

#[test]
fn an_answer_that_is_no_table_is_a_refusal() {
    let mut subscription = Subscription::new(options([Topic::all_tables()]));
    for _ in 0..5 {
        subscription.connected(vec![5_i64.into()], time(0));
    }
    assert_eq!(
        told(&mut subscription)[4..],
        [
            "over by the answer to a subscription is no name and table (long atom)",
            "over"
        ]
    );
}

#[test]
fn what_can_never_succeed_ends_it_at_once() {
    for error in [
        Error::hop(io::ErrorKind::Unsupported.into()),
        Error::Send(hopen_codec::connection::SendError::RequestOutstanding),
    ] {
        let expected = format!("over by {error}");
        let mut subscription = Subscription::new(options([Topic::all_tables()]));
        subscription.failed(error);
        assert_eq!(told(&mut subscription), [expected.as_str(), "over"]);
    }
}

#[test]
fn attempts_may_be_limited() {
    for most in [0, 1, 3] {
        let mut options = options([Topic::all_tables()]);
        options.attempts = Some(most);
        let mut subscription = Subscription::new(options);
        let mut failures = 0;
        while let Step::Connect | Step::Event(_) | Step::Wait(_) = subscription.step() {
            subscription.failed(Error::Timeout(crate::Phase::Connect));
            failures += 1;
            assert!(failures <= most.max(1));
        }
        assert_eq!(failures, most.max(1));
    }
}

#[test]
fn a_wait_doubles_up_to_the_maximum_and_begins_anew_with_a_message() {
    let mut subscription = Subscription::new(options([Topic::table(sym!("trade"))]));
    let waits = |subscription: &mut Subscription| {
        (0..12)
            .map(|_| {
                // What was let in and closed at once counts as well.
                subscription.connected(vec![described("trade", vec![1.5])], time(0));
                subscription.received(Err(Error::Closed));
                told(subscription);
                let Step::Wait(wait) = subscription.step() else {
                    panic!("it waits")
                };
                wait.as_millis()
            })
            .collect::<Vec<_>>()
    };
    for _ in 0..2 {
        for (number, wait) in waits(&mut subscription).into_iter().enumerate() {
            let most = (250 << number).min(30_000);
            assert!((most / 2..=most).contains(&wait), "{number}: {wait}");
        }
        subscription.connected(vec![described("trade", vec![1.5])], time(0));
        subscription.received(Ok(update(1)));
        // The first one after that is short again.
    }
}

#[test]
fn a_back_off_of_any_numbers_stays_between_half_and_all() {
    let mut random = fastrand::Rng::with_seed(7);
    let zero = Duration::ZERO;
    for (minimum, maximum, level, most) in [
        (zero, zero, 0, zero),
        (zero, Duration::MAX, u32::MAX, zero),
        (
            Duration::from_secs(9),
            Duration::from_secs(1),
            3,
            Duration::from_secs(9),
        ),
        (
            Duration::from_secs(1),
            Duration::MAX,
            u32::MAX,
            Duration::from_secs(u32::MAX.into()),
        ),
        (Duration::MAX, Duration::MAX, 1, Duration::MAX),
    ] {
        for _ in 0..100 {
            let wait = Backoff { minimum, maximum }.wait(level, &mut random);
            assert!(wait >= most / 2 && wait <= most, "{wait:?} of {most:?}");
        }
    }
}

#[test]
fn a_silence_that_is_too_long_is_a_loss() {
    let mut options = options([Topic::table(sym!("trade"))]);
    options.silence = Some(Duration::from_secs(7));
    let mut subscription = Subscription::new(options);
    subscription.connected(vec![described("trade", vec![1.5])], time(0));
    told(&mut subscription);
    let Step::Receive(Some(silence)) = subscription.step() else {
        panic!("it waits for a message")
    };
    assert_eq!(silence, Duration::from_secs(7));
    subscription.caught_up(time(1));
    subscription.received(Err(Error::Timeout(crate::Phase::Message)));
    assert_eq!(told(&mut subscription), ["lost by timeout since 1", "wait"]);
}

#[test]
fn a_gap_says_from_when_to_when_and_how_long_it_is() {
    let gap = |from, to, attempts| Gap { from, to, attempts };
    assert_eq!(
        gap(time(946_684_801), time(946_684_803), 1).to_string(),
        "after 1 attempt; something may be missing from 2000.01.01D00:00:01.000000000 to \
         2000.01.01D00:00:03.000000000 (UTC)"
    );
    assert_eq!(
        gap(time(946_684_800), time(1 << 40), 2).to_string(),
        "after 2 attempts; something may be missing from 2000.01.01D00:00:00.000000000 to 0Np (UTC)"
    );
    assert_eq!(gap(time(3), time(5), 1).length(), Duration::from_secs(2));
    // The clock was set back.
    assert_eq!(gap(time(5), time(3), 1).length(), Duration::ZERO);
}

#[test]
fn a_stop_ends_it_wherever_it_is() {
    for steps in 0..6 {
        let mut subscription = Subscription::new(options([Topic::table(sym!("trade"))]));
        for step in 0..steps {
            match step {
                1 => subscription.failed(Error::Access),
                2 => subscription.waited(),
                3 => subscription.connected(vec![described("trade", vec![1.5])], time(0)),
                4 => subscription.received(Ok(update(1))),
                _ => {}
            }
        }
        subscription.stop();
        subscription.waited();
        subscription.received(Ok(update(2)));
        assert_eq!(told(&mut subscription), ["over"], "{steps}");
    }
}

#[test]
fn each_attempt_is_bounded_and_has_the_same_questions() {
    let topic = Topic::table(sym!("trade")).only([sym!("ibm")]);
    let requests = [Request::from(topic), Request::from("count trade")];
    let mut options = options(requests);
    options.connect.timeout = None;
    let mut subscription = Subscription::new(options);
    for _ in 0..2 {
        assert_eq!(
            subscription.connect().timeout,
            Some(SubscriberOptions::TIMEOUT)
        );
        let questions: Vec<_> = subscription.questions();
        assert_eq!(questions[0].to_string(), "(\".u.sub\";`trade;,`ibm)");
        assert_eq!(questions[1], Value::from("count trade"));
        subscription.failed(Error::Access);
    }
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug)]
enum Act {
    Connects,
    Fails,
    Comes,
    CatchesUp,
    Breaks,
    Lost,
}

proptest! {
    /// Nothing of what came is lost or told twice, and each gap is told once, with its bounds.
    #[test]
    fn whatever_happens_is_told_once(
        acts in proptest::collection::vec(
            prop_oneof![
                3 => Just(Act::Connects),
                1 => Just(Act::Fails),
                6 => Just(Act::Comes),
                2 => Just(Act::CatchesUp),
                1 => Just(Act::Breaks),
                2 => Just(Act::Lost),
            ],
            0..200,
        ),
        hands_out in proptest::collection::vec(any::<bool>(), 200),
    ) {
        let mut subscription = Subscription::new(options([Topic::table(sym!("trade"))]));
        let (mut expected, mut seen) = (Vec::new(), Vec::new());
        let (mut is_live, mut caught_up, mut lost, mut failures) = (false, 0, None, 0);
        for (now, act) in (1_u64..).zip(&acts) {
            match (act, is_live) {
                (Act::Connects, false) => {
                    is_live = true;
                    caught_up = now;
                    subscription.waited();
                    subscription.connected(vec![described("trade", vec![1.5])], time(now));
                    if let Some(from) = lost.take() {
                        expected.push(format!("gap from {from} to {now} after {}", failures + 1));
                    }
                    failures = 0;
                    expected.push("schema".to_owned());
                }
                (Act::Fails, false) => {
                    failures += 1;
                    subscription.waited();
                    subscription.failed(Error::Timeout(crate::Phase::Connect));
                    expected.push(format!("failed by timeout: {failures}"));
                }
                (Act::Comes, true) => {
                    subscription.received(Ok(update(now as i64)));
                    expected.push(format!("update {now}"));
                }
                (Act::CatchesUp, true) => {
                    caught_up = now;
                    subscription.caught_up(time(now));
                }
                (Act::Breaks, true) => {
                    subscription.received(Err(bad_message()));
                    expected.push("bad badmsg".to_owned());
                }
                (Act::Lost, true) => {
                    is_live = false;
                    lost = Some(caught_up);
                    subscription.received(Err(Error::Closed));
                    expected.push(format!("lost by close since {caught_up}"));
                }
                _ => {}
            }
            // Whether it is asked now or later makes no difference.
            if hands_out[now as usize % hands_out.len()] {
                seen.extend(told(&mut subscription));
            }
        }
        seen.extend(told(&mut subscription));
        seen.retain(|what| !matches!(what.as_str(), "connect" | "wait" | "receive"));
        for what in &mut seen {
            if what.starts_with("schema") {
                what.truncate("schema".len());
            }
        }
        prop_assert_eq!(seen, expected);
    }
}

impl Subscription {
    /// Goes through some attempts that fail before one succeeds.
    fn connected_after_failures(&mut self, failures: u32, answers: Vec<Value>, now: SystemTime) {
        for _ in 0..failures {
            self.waited();
            self.failed(Error::Timeout(crate::Phase::Connect));
        }
        self.waited();
        self.connected(answers, now);
    }
}

/// Hands out everything that has happened, as texts, the step after that as the last.
fn told(subscription: &mut Subscription) -> Vec<String> {
    let mut told = Vec::new();
    loop {
        let (text, is_last) = match subscription.step() {
            Step::Event(event) => (shown(event), false),
            Step::Failed(error) => (format!("over by {error}"), false),
            Step::Connect => ("connect".to_owned(), true),
            Step::Wait(_) => ("wait".to_owned(), true),
            Step::Receive(_) => ("receive".to_owned(), true),
            Step::Over => ("over".to_owned(), true),
        };
        told.push(text);
        if is_last {
            return told;
        }
    }
}

fn shown(event: Event) -> String {
    let word = |error: Error| match error.to_string() {
        text if text.starts_with("timeout") => "timeout".to_owned(),
        text if text.starts_with("badmsg") => "badmsg".to_owned(),
        text => text,
    };
    match event {
        Event::Schema { schema, change } => {
            let change = match change {
                SchemaChange::First => "first".to_owned(),
                SchemaChange::Same => "same".to_owned(),
                SchemaChange::Changed { before } => {
                    format!("changed from {}", before[0].value_type)
                }
            };
            format!("schema {}, {change}", schema.table)
        }
        Event::Answer { request, answer } => format!("answer {request}: {answer}"),
        Event::Update { table, data } => {
            assert_eq!(table, sym!("trade"));
            let rows = Table::try_from(Value::from(data)).unwrap();
            let numbers: Vec<i64> = rows.as_ref().column("n").unwrap().to().unwrap();
            format!("update {}", numbers[0])
        }
        Event::EndOfDay(day) => format!("end of {day}"),
        Event::Other(value) => format!("other {value}"),
        Event::Bad(error) => format!("bad {}", word(error)),
        Event::Lost { cause, since } => format!("lost by {} since {}", word(cause), seconds(since)),
        Event::Failed {
            cause, attempts, ..
        } => format!("failed by {}: {attempts}", word(cause)),
        Event::Gap(Gap { from, to, attempts }) => {
            let (from, to) = (seconds(from), seconds(to));
            format!("gap from {from} to {to} after {attempts}")
        }
    }
}

fn options<R: Into<Request>>(requests: impl IntoIterator<Item = R>) -> SubscriberOptions {
    SubscriberOptions::new(5010, requests).unwrap()
}

/// The answer for a table of one column.
fn described(table: &str, price: impl Into<Value>) -> Value {
    let table = Symbol::new(table).unwrap();
    let schema = Table::new([(sym!("price"), price.into())]).unwrap();
    (table, schema).into()
}

/// An update with a number.
fn update(number: i64) -> Value {
    let rows = Table::new([(sym!("n"), vec![number].into())]).unwrap();
    (sym!("upd"), sym!("trade"), rows).into()
}

fn bad_message() -> Error {
    use hopen_codec::byte_order::ByteOrder;
    use hopen_codec::config::Limits;
    use hopen_codec::message::Body;
    let nonsense = Body::from_bytes(b"\x03"[..].into(), ByteOrder::Little);
    Error::BadMessage(nonsense.decode(&Limits::client()).unwrap_err())
}

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

fn seconds(time: SystemTime) -> u64 {
    let passed = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    passed.as_secs()
}
