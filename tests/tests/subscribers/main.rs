//! Subscribers of each transport against a tickerplant that does what a test says: answers, publishes,
//! refuses, breaks off in the middle of a message, goes away and comes back at the same port.

#[cfg(test)] // for clippy, which allows tests what it forbids elsewhere
mod follower;
#[cfg(test)]
mod plant;
#[cfg(test)]
#[path = "../tls/mod.rs"]
mod tls;

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use hopen_blocking::{Backoff, Error, Event, Options, Request, SubscriberOptions};
use hopen_codec::auth::Credentials;
use hopen_codec::sym;
use hopen_codec::tick::Topic;
use hopen_codec::value::{Date, Value};
use hopen_tls::ServerMode;

use follower::{EACH, Follower};
use plant::{PATIENCE, Plant, rows, update};

#[test]
fn updates_come_and_a_loss_is_told_with_its_gap() {
    for way in EACH {
        let plant = Plant::open();
        let topics = [
            Topic::table(sym!("trade")),
            Topic::table(sym!("quote")).only([sym!("ibm")]),
        ];
        let follower = Follower::start(way, options(&plant, topics));
        for round in 0..3_i64 {
            let mut peer = plant.accept();
            peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
            // Who is subscribed to one table may be sent it before the other is answered.
            peer.publish(update(10 * round));
            peer.answer(r#"(".u.sub";`quote;,`ibm)"#, (sym!("quote"), rows([])));
            if round > 0 {
                follower.tells("gap after 1");
            }
            let change = if round == 0 { "First" } else { "Same" };
            follower.tells(&format!("schema trade {change}"));
            follower.tells(&format!("schema quote {change}"));
            follower.tells(&format!("update trade {}", 10 * round));
            peer.publish(update(10 * round + 1));
            peer.publish((sym!(".u.end"), Date(9824)));
            peer.publish("and something else");
            // Half a message: what is whole before it is not lost.
            peer.publish(update(10 * round + 2));
            peer.breaks_off();
            follower.tells(&format!("update trade {}", 10 * round + 1));
            follower.tells("end of 2026.11.24");
            follower.tells("other \"and something else\"");
            follower.tells(&format!("update trade {}", 10 * round + 2));
            follower.tells("lost");
        }
        follower.stops();
    }
}

#[test]
fn a_tickerplant_that_comes_back_is_found_and_what_it_changed_told() {
    for way in EACH {
        let mut plant = Plant::open();
        let follower = Follower::start(way, options(&plant, [Topic::all_tables()]));
        let mut peer = plant.accept();
        peer.answer(
            r#"(".u.sub";`;`)"#,
            vec![Value::from((sym!("trade"), rows([])))],
        );
        follower.tells("schema trade First");
        plant.close();
        drop(peer);
        follower.tells("lost");
        // At least two attempts find nobody.
        follower.tells("failed 1: hop");
        follower.tells("failed 2: hop");
        plant.open_again();
        let mut peer = plant.accept();
        let other = (sym!("trade"), vec![1.5]);
        let other = (other.0, plant::table(other.1));
        peer.answer(r#"(".u.sub";`;`)"#, vec![Value::from(other)]);
        let gap = follower.next_that_is("gap after ");
        let attempts: u32 = gap.trim_start_matches("gap after ").parse().unwrap();
        assert!(attempts >= 3, "{gap}");
        follower.tells("schema trade Changed from long vector");
        peer.publish(update(7));
        follower.tells("update trade 7");
        follower.stops();
    }
}

#[test]
fn a_bad_message_is_told_and_everything_goes_on() {
    for way in EACH {
        let plant = Plant::open();
        let follower = Follower::start(way, options(&plant, [Topic::table(sym!("trade"))]));
        let mut peer = plant.accept();
        peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
        follower.tells("schema trade First");
        peer.publish(update(1));
        peer.publish_bad();
        peer.publish(update(2));
        follower.tells("update trade 1");
        follower.tells("bad badmsg: at byte 8: unknown type 3");
        follower.tells("update trade 2");
        follower.stops();
    }
}

#[test]
fn a_query_of_ones_own_is_asked_of_each_connection_and_its_answer_handed_out() {
    for way in EACH {
        let plant = Plant::open();
        let query = "(.u.sub[`;`];.u `i`L)";
        let requests = [Request::from(query), Topic::table(sym!("trade")).into()];
        let follower = Follower::start(way, options(&plant, requests));
        for round in 0..2_i64 {
            let mut peer = plant.accept();
            peer.answer(&format!("\"{query}\""), vec![round, 7]);
            peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
            if round > 0 {
                follower.tells("gap after 1");
            }
            follower.tells(&format!("answer 0: {round} 7"));
            follower.tells(if round == 0 {
                "schema trade First"
            } else {
                "schema trade Same"
            });
            drop(peer);
            follower.tells("lost");
        }
        follower.stops();
    }
}

#[test]
fn a_table_that_is_unknown_is_asked_for_a_few_times() {
    for way in EACH {
        let plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("nosuch"))]);
        options.refusals = 3;
        let follower = Follower::start(way, options);
        for attempt in 1..=3 {
            plant.accept().signals(r#"(".u.sub";`nosuch;`)"#, "nosuch");
            if attempt < 3 {
                follower.tells(&format!("failed {attempt}: nosuch"));
            }
        }
        follower.tells("over by nosuch");
        follower.ends();
    }
}

#[test]
fn who_is_refused_comes_with_fresh_credentials_and_not_for_ever() {
    static MADE: AtomicUsize = AtomicUsize::new(0);
    for way in EACH {
        let plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.refusals = 3;
        MADE.store(0, Ordering::Relaxed);
        options.connect = options.connect.credentials_from(|| {
            let number = MADE.fetch_add(1, Ordering::Relaxed);
            Ok(Credentials::new("ann", format!("token{number}"))?)
        });
        let follower = Follower::start(way, options);
        plant.refuse("token0");
        follower.tells("failed 1: access");
        plant.refuse("token1");
        follower.tells("failed 2: access");
        let mut peer = plant.accept_with("token2");
        peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
        follower.tells("schema trade First");
        drop(peer);
        follower.tells("lost");
        for number in 3..6 {
            plant.refuse(&format!("token{number}"));
        }
        follower.tells("failed 1: access");
        follower.tells("failed 2: access");
        follower.tells("over by access");
        follower.ends();
    }
}

#[test]
fn a_subscription_goes_over_tls() {
    for way in EACH {
        let plant = Plant::open_with(ServerMode::Tls, Some(tls::server()));
        let address = format!(":tcps://localhost:{}:ann:pw", plant.port());
        let mut connect = Options::try_from(address).unwrap();
        connect.tls = Some(tls::client());
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.connect = connect;
        let follower = Follower::start(way, options);
        for round in 0..2 {
            let mut peer = plant.accept();
            peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
            if round > 0 {
                follower.tells("gap after 1");
            }
            follower.next_that_is("schema trade");
            peer.publish(update(round));
            follower.tells(&format!("update trade {round}"));
            drop(peer);
            follower.tells("lost");
        }
        follower.stops();
    }
}

#[test]
fn a_stop_ends_it_while_it_connects_waits_and_receives() {
    for way in EACH {
        // A login that nobody answers.
        let plant = Plant::open();
        let follower = Follower::start(way, options(&plant, [Topic::table(sym!("trade"))]));
        let silent = plant.connected();
        follower.stops();
        drop(silent);

        // A wait that takes for ever.
        let mut plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.backoff = Backoff {
            minimum: Duration::MAX,
            maximum: Duration::MAX,
        };
        plant.close();
        let follower = Follower::start(way, options);
        follower.tells("failed 1: hop");
        follower.stops();
    }
}

#[test]
fn an_attempt_that_hangs_is_given_up_and_repeated() {
    for way in EACH {
        let plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.connect.timeout = Some(Duration::from_millis(200));
        let follower = Follower::start(way, options);
        let mut held = vec![plant.connected()];
        follower.tells("failed 1: timeout while logging in");
        // Then it is let in, and its question not answered; where that takes too long, once more.
        for attempt in 2.. {
            let mut stream = plant.connected();
            stream.write_all(&[6]).unwrap();
            held.push(stream);
            let told = follower.next_that_is("failed ");
            if told == format!("failed {attempt}: timeout while waiting for the response") {
                break;
            }
            assert_eq!(told, format!("failed {attempt}: timeout while logging in"));
            assert!(attempt < 100, "it is never let in in time");
        }
        follower.stops();
    }
}

#[test]
fn a_tickerplant_that_falls_silent_counts_as_lost_where_that_was_said() {
    for way in EACH {
        let plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.silence = Some(Duration::from_millis(50));
        let follower = Follower::start(way, options);
        for round in 0..2_i64 {
            let mut peer = plant.accept();
            peer.answer(r#"(".u.sub";`trade;`)"#, (sym!("trade"), rows([])));
            if round > 0 {
                follower.tells("gap after 1");
            }
            follower.next_that_is("schema trade");
            follower.tells("lost");
            // It is closed, and not only forgotten.
            peer.expects_end();
        }
        follower.stops();
    }
}

#[test]
fn a_gap_begins_before_the_loss_however_late_the_program_takes_what_had_come() {
    let (since, closed) = loss_that_is_seen_late(|plant| {
        let mut subscriber = hopen_blocking::Subscriber::new(options(plant, [Topic::all_tables()]));
        move |timeout| match timeout {
            Some(timeout) => subscriber.next_timeout(timeout),
            None => subscriber.next(),
        }
    });
    assert!(since <= closed);
    let (since, closed) = loss_that_is_seen_late(|plant| {
        let mut subscriber =
            hopen_async_std::Subscriber::new(options(plant, [Topic::all_tables()]));
        move |timeout| match timeout {
            Some(timeout) => smol::block_on(subscriber.next_timeout(timeout)),
            None => smol::block_on(subscriber.next()),
        }
    });
    assert!(since <= closed);
}

/// Has a tickerplant publish something and close while the subscriber does not look. Returns since when
/// the subscriber says that something may be missing, and when the tickerplant had closed.
fn loss_that_is_seen_late<F>(start: impl FnOnce(&Plant) -> F) -> (SystemTime, SystemTime)
where
    F: FnMut(Option<Duration>) -> Option<Result<Event, Error>>,
{
    let plant = Plant::open();
    let mut next = start(&plant);
    let (closes, is_to_close) = mpsc::channel();
    let plant = thread::spawn(move || {
        let mut peer = plant.accept();
        peer.answer(r#"(".u.sub";`;`)"#, (sym!("trade"), rows([])));
        is_to_close
            .recv_timeout(PATIENCE)
            .expect("the test goes on");
        peer.publish(update(1));
        drop(peer);
        SystemTime::now()
    });
    let schema = next(None);
    assert!(matches!(schema, Some(Ok(Event::Schema { .. }))));
    let nothing = next(Some(Duration::from_millis(1)));
    assert!(matches!(nothing, Some(Err(Error::Timeout(_)))));
    closes.send(()).expect("the tickerplant waits");
    let closed = plant.join().expect("it goes as planned");
    let update = next(None);
    assert!(matches!(update, Some(Ok(Event::Update { .. }))));
    let Some(Ok(Event::Lost { since, .. })) = next(None) else {
        panic!("it was closed")
    };
    (since, closed)
}

#[test]
fn a_gap_begins_before_a_message_that_breaks_off() {
    let (since, begun) = loss_behind_half_a_message(|plant| {
        let mut subscriber = hopen_blocking::Subscriber::new(options(plant, [Topic::all_tables()]));
        move |timeout| match timeout {
            Some(timeout) => subscriber.next_timeout(timeout),
            None => subscriber.next(),
        }
    });
    assert!(since <= begun);
    let (since, begun) = loss_behind_half_a_message(|plant| {
        let mut subscriber =
            hopen_async_std::Subscriber::new(options(plant, [Topic::all_tables()]));
        move |timeout| match timeout {
            Some(timeout) => smol::block_on(subscriber.next_timeout(timeout)),
            None => smol::block_on(subscriber.next()),
        }
    });
    assert!(since <= begun);
}

/// Has a tickerplant send half a message, which the subscriber sees, and close later. Returns since when
/// the subscriber says that something may be missing, and when the half was sent.
fn loss_behind_half_a_message<F>(start: impl FnOnce(&Plant) -> F) -> (SystemTime, SystemTime)
where
    F: FnMut(Option<Duration>) -> Option<Result<Event, Error>>,
{
    let plant = Plant::open();
    let mut next = start(&plant);
    let (tell, told) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel::<()>();
    let plant = thread::spawn(move || {
        let mut peer = plant.accept();
        peer.answer(r#"(".u.sub";`;`)"#, (sym!("trade"), rows([])));
        goes_on.recv_timeout(PATIENCE).expect("the test goes on");
        peer.publish_half();
        tell.send(SystemTime::now()).expect("the test waits");
        goes_on.recv_timeout(PATIENCE).expect("the test goes on");
    });
    let schema = next(None);
    assert!(matches!(schema, Some(Ok(Event::Schema { .. }))));
    // It is up to date then, which is earlier than the half.
    go_on.send(()).expect("the tickerplant waits");
    let begun = told.recv_timeout(PATIENCE).expect("it is sent");
    for _ in 0..3 {
        let nothing = next(Some(Duration::from_millis(1)));
        assert!(matches!(nothing, Some(Err(Error::Timeout(_)))));
    }
    go_on.send(()).expect("the tickerplant waits");
    plant.join().expect("it goes as planned");
    let Some(Ok(Event::Lost { since, .. })) = next(None) else {
        panic!("it was closed")
    };
    (since, begun)
}

#[test]
fn credentials_that_cannot_be_made_are_an_attempt_that_fails() {
    for way in EACH {
        let plant = Plant::open();
        let mut options = options(&plant, [Topic::table(sym!("trade"))]);
        options.attempts = Some(1);
        options.connect = options.connect.credentials_from(|| Err("no token".into()));
        let follower = Follower::start(way, options);
        follower.tells("over by no credentials: no token");
        follower.ends();
    }
}

fn options<R: Into<Request>>(
    plant: &Plant,
    requests: impl IntoIterator<Item = R>,
) -> SubscriberOptions {
    let mut options = SubscriberOptions::new(plant.port(), requests).expect("a port is a handle");
    options.backoff = Backoff {
        minimum: Duration::from_millis(1),
        maximum: Duration::from_millis(20),
    };
    options
}
