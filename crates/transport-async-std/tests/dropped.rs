//! Futures that are dropped: at every poll point of a conversation, which goes on as if they had not
//! been. Both ends are in memory, and their tasks are polled by hand and only when they were woken, so
//! nothing depends on time, and who is not woken fails the test.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_io::block_on;
use futures_core::Stream;
use hopen_async_std::{Driver, Error, Handle, Received, SharedHandle, hopen};
use hopen_codec::config::{Compression, Config, Requests};
use hopen_codec::value::Value;
use memory::{Knife, Rest, Stage, Wire, accept, log_in, poll_while_woken, run, task};

mod memory;

#[test]
fn a_client_s_futures_are_dropped_at_each_poll_and_its_conversation_goes_on() {
    for (stage, room) in [(Stage::Plain, 64), (Stage::Plain, 7), (Stage::Tls, 64)] {
        at_each_poll(stage, room, Sharing::Alone, Victim::Client);
    }
}

#[test]
fn a_shared_handle_s_futures_are_dropped_at_each_poll_and_its_conversation_goes_on() {
    for stage in [Stage::Plain, Stage::Tls] {
        at_each_poll(stage, 64, Sharing::Shared, Victim::Client);
    }
}

#[test]
fn a_server_s_futures_are_dropped_at_each_poll_and_its_conversation_goes_on() {
    for stage in [Stage::Plain, Stage::Tls] {
        for sharing in [Sharing::Alone, Sharing::Shared] {
            at_each_poll(stage, 64, sharing, Victim::Server);
        }
    }
}

#[test]
fn answers_that_are_given_out_of_order_are_dropped_at_each_poll_and_come_in_order() {
    for stage in [Stage::Plain, Stage::Tls] {
        let undisturbed = answer_out_of_order(stage, &Knife::blunt());
        for at in 0.. {
            let knife = Knife::at(at, Rest::UntilWoken);
            let disturbed = answer_out_of_order(stage, &knife);
            if knife.cuts() == 0 {
                assert!(at > 20, "{stage:?}: {at} polls");
                break;
            }
            let is_same = stage == Stage::Tls || disturbed == undisturbed;
            assert!(is_same, "{stage:?}, at {at}");
        }
    }
}

#[test]
fn finishing_that_is_dropped_at_any_poll_closes_the_connection_behind_what_has_gone() {
    for stage in [Stage::Plain, Stage::Tls] {
        let all = finish(stage, &Knife::blunt());
        assert_eq!(all.received, MESSAGES);
        let mut most = 0;
        for at in 0.. {
            let knife = Knife::at(at, Rest::UntilWoken);
            let cut = finish(stage, &knife);
            if knife.cuts() == 0 {
                assert!(at > 20, "{stage:?}: {at} polls");
                // It was also cut when everything had gone.
                assert_eq!(most, MESSAGES);
                break;
            }
            // More is written the later it is cut.
            assert!(cut.received >= most, "{stage:?}, at {at}");
            most = cut.received;
            let is_same = stage == Stage::Tls || all.bytes.starts_with(&cut.bytes);
            assert!(is_same, "{stage:?}, at {at}");
        }
    }
}

#[test]
fn a_login_that_is_dropped_at_any_poll_closes_the_connection() {
    for stage in [Stage::Plain, Stage::Tls] {
        for victim in [Victim::Client, Victim::Server] {
            for at in 0.. {
                let (wire, knife, blunt) = (
                    Wire::new(7),
                    Knife::at(at, Rest::UntilWoken),
                    Knife::blunt(),
                );
                let (client, server) = wire.ends();
                let (ours, theirs) = match victim {
                    Victim::Client => (&knife, &blunt),
                    Victim::Server => (&blunt, &knife),
                };
                let mut tasks = [
                    task(async {
                        let opened = log_in(client, stage, Config::client());
                        drop(ours.unless_cut(opened).await);
                    }),
                    task(async {
                        let accepted = accept(server, stage, Config::server());
                        drop(theirs.unless_cut(accepted).await);
                    }),
                ];
                // Who is polled first has to wait.
                if victim == Victim::Server {
                    tasks.reverse();
                }
                // The one that is not cut comes to an end as well.
                run(tasks);
                assert!(wire.to_client.is_left() && wire.to_server.is_left(), "{at}");
                if knife.cuts() == 0 {
                    assert!(at > 0, "{victim:?} waits");
                    break;
                }
            }
        }
    }
}

#[test]
fn opening_a_handle_that_is_dropped_at_any_poll_closes_the_connection() {
    for at in 0.. {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let server = thread::spawn(move || {
            let mut client = listener.accept().unwrap().0;
            let mut login = [0; 2];
            if client.read_exact(&mut login).is_ok() {
                // The client may have gone.
                let _ = client.write_all(&[6]);
            }
            // Until it closes.
            let _ = client.read_to_end(&mut Vec::new());
        });
        let knife = Knife::at(at, Rest::UntilWoken);
        let opened = block_on(knife.unless_cut(hopen(address.port())));
        assert_eq!(opened.is_none(), knife.cuts() > 0);
        if let Some(opened) = opened {
            opened.unwrap().close();
        }
        // In place of one that was not connected yet.
        drop(TcpStream::connect(address));
        server.join().unwrap();
        if knife.cuts() == 0 {
            assert!(at > 0, "it waits for an answer");
            break;
        }
    }
}

#[test]
fn a_driver_that_is_dropped_at_any_poll_closes_the_connection_for_all() {
    for stage in [Stage::Plain, Stage::Tls] {
        for at in 0.. {
            let (wire, knife) = (Wire::new(64), Knife::at(at, Rest::UntilWoken));
            let (client, server) = wire.handles(stage, configured);
            let (client, driver) = client.into_shared();
            let ended = Mutex::new(Vec::new());
            let waits = async |number: i64| {
                let handle = client.clone();
                let error = loop {
                    let done = match number % 3 {
                        0 => handle.get(vec![number; 40]).await.map(drop),
                        1 => handle.recv().await.map(drop),
                        _ => {
                            async {
                                handle.set(vec![number; 40]).await?;
                                handle.flush().await
                            }
                            .await
                        }
                    };
                    if let Err(error) = done {
                        break error;
                    }
                };
                ended.lock().unwrap().push(error);
            };
            run([
                task(async { drop(knife.unless_cut(driver).await) }),
                task(async { drop(echo(server, 20, &Knife::blunt()).await) }),
                task(waits(0)),
                task(waits(1)),
                task(waits(2)),
                task(waits(3)),
            ]);
            let ended = ended.into_inner().unwrap();
            assert_eq!(ended.len(), 4);
            if knife.cuts() == 0 {
                assert!(at > 20, "{at} polls");
                break;
            }
            for error in ended {
                assert!(matches!(error, Error::Closed), "at {at}: {error:?}");
            }
            // What there was of the connection has gone, though a clone of the handle is there.
            assert!(wire.to_client.is_left() && wire.to_server.is_left(), "{at}");
            drop(client);
        }
    }
}

#[test]
fn one_that_is_dropped_while_it_waits_for_its_turn_leaves_the_others_theirs() {
    let wire = Wire::new(64);
    let (client, mut server) = wire.handles(Stage::Plain, configured);
    let (client, driver) = client.into_shared();
    let answers = Mutex::new(Vec::new());
    let ask = async |number: i64| {
        let answer = client.get(number).await.unwrap();
        answers.lock().unwrap().push(answer);
    };
    let mut second = Box::pin(client.get("never asked"));
    // The first is on its way, the others queue up behind it.
    let tasks = poll_while_woken([task(async { driver.await.unwrap() }), task(ask(1))]);
    assert!(poll(second.as_mut()).is_none());
    let tasks = poll_while_woken(tasks.into_iter().chain([task(ask(3))]));
    drop(second);
    let serve = task(async {
        for number in [1_i64, 3] {
            match server.receive().await.unwrap() {
                Received::Request(ticket, question) => {
                    assert_eq!(question, Value::from(number));
                    server.respond(ticket, Ok(question)).await.unwrap();
                }
                Received::Async(value) => panic!("{value}"),
            }
        }
    });
    let left = poll_while_woken(tasks.into_iter().chain([serve]));
    assert_eq!(left.len(), 1, "the driver goes on");
    assert_eq!(*answers.lock().unwrap(), [1_i64, 3].map(Value::from));
}

#[test]
fn one_that_is_dropped_with_a_message_it_was_woken_for_leaves_it_to_another() {
    let wire = Wire::new(1024);
    let (client, mut server) = wire.handles(Stage::Plain, configured);
    let (client, driver) = client.into_shared();
    let mut first = Box::pin(client.recv());
    assert!(poll(first.as_mut()).is_none());
    let received = Mutex::new(None);
    let second = task(async { *received.lock().unwrap() = Some(client.recv().await.unwrap()) });
    let driver = task(async { driver.await.unwrap() });
    let push = task(async {
        server.set("news").await.unwrap();
        server.flush().await.unwrap();
    });
    // The message wakes the first, who does not look.
    let left = poll_while_woken([driver, second, push]);
    assert_eq!(left.len(), 2);
    assert!(received.lock().unwrap().is_none());
    drop(first);
    let left = poll_while_woken(left);
    assert_eq!(left.len(), 1, "the driver goes on");
    drop(left);
    assert_eq!(received.into_inner().unwrap(), Some(Value::from("news")));
}

#[test]
fn two_ends_that_send_64_megabytes_at_each_other_finish() {
    let wire = Wire::new(64 * 1024);
    let (client, server) = wire.handles(Stage::Plain, |config| config);
    let large = Value::from(vec![7_i64; 8 * 1024 * 1024]);
    let exchange = async |mut handle: Handle| {
        handle.set(large.clone()).await.unwrap();
        handle.flush().await.unwrap();
        assert!(handle.recv().await.unwrap() == large);
    };
    run([task(exchange(client)), task(exchange(server))]);
}

/// Whose futures are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Client,
    Server,
}

/// How the client uses its handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sharing {
    Alone,
    Shared,
}

/// What came of a conversation.
#[derive(Default, PartialEq)]
struct Outcome {
    /// What the client got for each of its questions, without the number of the attempt.
    answers: Vec<Value>,
    /// The async messages that the client got.
    pushed: Vec<Value>,
    /// The async messages that the server got.
    seen: Vec<Value>,
}

/// What was asked, and what that took.
#[derive(Default, PartialEq)]
struct Asked {
    /// The questions that the server got.
    of_server: Vec<Value>,
    /// Those that it called the client back with.
    of_client: Vec<Value>,
}

/// Drops the future that is under way at each poll in turn, and compares what came with what comes
/// where none is dropped.
fn at_each_poll(stage: Stage, room: usize, sharing: Sharing, victim: Victim) {
    // Who is woken only by what it waits for is polled seldom.
    let rest = match (sharing, victim) {
        (Sharing::Shared, Victim::Client) => Rest::UntilPolled,
        _ => Rest::UntilWoken,
    };
    let how = format!("{stage:?}, {room} bytes, {sharing:?}, {victim:?}");
    let undisturbed = converse(stage, room, sharing, victim, &Knife::blunt());
    for at in 0.. {
        let knife = Knife::at(at, rest);
        let disturbed = converse(stage, room, sharing, victim, &knife);
        if knife.cuts() == 0 {
            assert!(at > 100, "{how}: {at} polls are no long conversation");
            break;
        }
        assert!(disturbed.outcome == undisturbed.outcome, "{how}, at {at}");
        // What is dropped is asked once more at most, with what is asked back.
        let more = |of: fn(&Asked) -> &Vec<Value>| {
            of(&disturbed.asked).len() - of(&undisturbed.asked).len()
        };
        assert!(more(|asked| &asked.of_server) <= 1, "{how}, at {at}");
        assert!(more(|asked| &asked.of_client) <= 1, "{how}, at {at}");
        if disturbed.asked == undisturbed.asked && stage == Stage::Plain {
            assert!(disturbed.bytes == undisturbed.bytes, "{how}, at {at}");
        }
    }
}

struct Conversation {
    outcome: Outcome,
    asked: Asked,
    /// Everything that went over the wire, each way.
    bytes: [Vec<u8>; 2],
}

fn converse(
    stage: Stage,
    room: usize,
    sharing: Sharing,
    victim: Victim,
    knife: &Knife,
) -> Conversation {
    let wire = Wire::new(room);
    let (mut client, server) = wire.handles(stage, configured);
    let called = Arc::new(Mutex::new(Vec::new()));
    let asked = Arc::clone(&called);
    client.on_request(move |question| {
        asked.lock().expect("no panic").push(question.clone());
        Ok(question)
    });
    let blunt = Knife::blunt();
    let (ours, theirs) = match victim {
        Victim::Client => (knife, &blunt),
        Victim::Server => (&blunt, knife),
    };
    let (mut outcome, mut served) = (Outcome::default(), (Vec::new(), Vec::new()));
    let serve = task(async { served = echo(server, usize::MAX, theirs).await });
    match sharing {
        Sharing::Alone => run([task(ask(Ours::Alone(client), ours, &mut outcome)), serve]),
        Sharing::Shared => {
            let (client, driver) = client.into_shared();
            let ask = ask(Ours::Shared(client), ours, &mut outcome);
            run([task(ask), task(drive(driver)), serve]);
        }
    }
    let (of_server, seen) = served;
    outcome.seen = seen;
    let of_client = called.lock().expect("no panic").clone();
    Conversation {
        outcome,
        asked: Asked {
            of_server,
            of_client,
        },
        bytes: [wire.to_server.written(), wire.to_client.written()],
    }
}

/// The client's side: it tells and asks, small and large, and receives what comes back.
async fn ask(mut client: Ours, knife: &Knife, outcome: &mut Outcome) {
    for round in 0..3_i64 {
        let told = [Value::from(vec![round; 5]), Value::from(vec![round; 400])];
        for told in &told {
            // More is set than may wait.
            let set = knife.again(async |_| client.set(told.clone()).await);
            set.await.expect("the server reads");
        }
        let flushed = knife.again(async |_| client.flush().await);
        flushed.await.expect("the server reads");
        for kind in [SMALL, LARGE, CALL_BACK] {
            // Each attempt asks something else, so that an answer to an earlier one would show.
            let asked = knife.again(async |attempt| {
                let question = vec![round, attempt, kind];
                (question.clone(), client.get(question).await)
            });
            let (question, answer) = asked.await;
            let answer = answer.expect("the server answers");
            let [answered, payload] =
                <[Value; 2]>::try_from(answer.to::<Vec<Value>>().expect("a pair")).expect("a pair");
            assert_eq!(answered, question.into(), "the answer to another question");
            outcome.answers.push(payload);
        }
        for _ in told {
            let received = knife.again(async |_| client.recv().await);
            outcome.pushed.push(received.await.expect("an echo"));
        }
    }
    client.close();
}

/// The server's side: it echoes what it is told, and answers what it is asked, after asking back where
/// it is asked to. It closes after so many messages. Returns the questions and the async messages.
async fn echo(mut server: Handle, messages: usize, knife: &Knife) -> (Vec<Value>, Vec<Value>) {
    let (mut asked, mut seen) = (Vec::new(), Vec::new());
    while asked.len() + seen.len() < messages {
        match knife.again(async |_| server.receive().await).await {
            Ok(Received::Async(message)) => {
                let echo = knife.again(async |_| server.set(message.clone()).await);
                // A client may have closed.
                let _ = echo.await;
                seen.push(message);
            }
            Ok(Received::Request(ticket, question)) => {
                asked.push(question.clone());
                let number = question.to::<Vec<i64>>().expect("numbers")[2];
                let payload = match number {
                    // Not to be compressed.
                    LARGE => (0..300_u64)
                        .map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15) as i64)
                        .collect(),
                    CALL_BACK => {
                        let called = knife.again(async |attempt| {
                            let question = Value::from(vec![number, attempt]);
                            (question.clone(), server.get(question).await)
                        });
                        let (question, answer) = called.await;
                        let Ok(answer) = answer else {
                            break;
                        };
                        assert_eq!(answer, question);
                        vec![1]
                    }
                    _ => vec![0],
                };
                let answer = Ok((question, payload));
                // It is queued as soon as it is polled, and goes out though it is dropped.
                if let Some(Err(_)) = knife.unless_cut(server.respond(ticket, answer)).await {
                    break;
                }
            }
            Err(_) => break,
        }
    }
    (asked, seen)
}

/// Has several tasks ask at once, and answers none in its turn. Returns what went to the client.
fn answer_out_of_order(stage: Stage, knife: &Knife) -> Vec<u8> {
    let wire = Wire::new(64);
    let (client, server) = wire.handles(stage, |mut config| {
        config.requests = Requests::Pipelined;
        config
    });
    let (client, driver) = client.into_shared();
    let ask = async |number: i64| {
        let question = Value::from(vec![number; 40]);
        let answer = client.get(question.clone()).await;
        assert_eq!(answer.expect("the server answers"), question);
    };
    let serve = async move {
        let (mut server, mut open) = (server, Vec::new());
        while open.len() < 4 {
            let next = knife.again(async |_| server.receive().await).await;
            match next.expect("the clients ask") {
                Received::Request(ticket, question) => open.push((ticket, question)),
                Received::Async(message) => panic!("{message}"),
            }
        }
        for place in [2, 0, 1, 0] {
            let (ticket, answer) = open.remove(place);
            // It is queued as soon as it is polled.
            let answered = knife.unless_cut(server.respond(ticket, Ok(answer)));
            answered.await.unwrap_or(Ok(())).expect("the clients wait");
        }
        let flushed = knife.again(async |_| server.flush().await).await;
        flushed.expect("the clients read");
    };
    run([
        task(drive(driver)),
        task(serve),
        task(ask(0)),
        task(ask(1)),
        task(ask(2)),
        task(ask(3)),
    ]);
    wire.to_client.written()
}

/// What came of a connection that its server finishes.
struct Finished {
    /// How many messages the client has received.
    received: i64,
    /// What went to it.
    bytes: Vec<u8>,
}

fn finish(stage: Stage, knife: &Knife) -> Finished {
    let wire = Wire::new(64);
    let (mut client, mut server) = wire.handles(stage, |config| config);
    let mut received = 0;
    run([
        task(async move {
            for number in 0..MESSAGES {
                let set = server.try_set(vec![number; 40]);
                set.expect("there is room");
            }
            let finished = knife.unless_cut(server.finish(PATIENCE)).await;
            finished.unwrap_or(Ok(())).expect("the client reads");
        }),
        task(async {
            while let Ok(message) = client.recv().await {
                assert_eq!(message, vec![received; 40].into());
                received += 1;
            }
            drop(client);
        }),
    ]);
    assert!(wire.to_client.is_left() && wire.to_server.is_left());
    let bytes = wire.to_client.written();
    Finished { received, bytes }
}

/// A client's handle.
enum Ours {
    Alone(Handle),
    Shared(SharedHandle),
}

impl Ours {
    async fn set(&mut self, message: Value) -> Result<(), Error> {
        match self {
            Self::Alone(handle) => handle.set(message).await,
            Self::Shared(handle) => handle.set(message).await,
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        match self {
            Self::Alone(handle) => handle.flush().await,
            Self::Shared(handle) => handle.flush().await,
        }
    }

    async fn get(&mut self, question: Vec<i64>) -> Result<Value, Error> {
        match self {
            Self::Alone(handle) => handle.get(question).await,
            Self::Shared(handle) => handle.get_timeout(question, PATIENCE).await,
        }
    }

    async fn recv(&mut self) -> Result<Value, Error> {
        match self {
            Self::Alone(handle) => handle.recv_timeout(PATIENCE).await,
            Self::Shared(handle) => {
                let mut asyncs = handle.asyncs();
                let next = poll_fn(|context| pin!(&mut asyncs).poll_next(context));
                next.await.expect("an open connection")
            }
        }
    }

    fn close(self) {
        match self {
            Self::Alone(handle) => handle.close(),
            Self::Shared(handle) => handle.close(),
        };
    }
}

async fn drive(driver: Driver) {
    driver.await.expect("somebody closes");
}

/// Both ends compress what is large, as to another host, and let little wait.
fn configured(mut config: Config) -> Config {
    config.compression = Compression::Always;
    config.limits.queue = 100;
    config
}

fn poll<T>(future: core::pin::Pin<&mut impl Future<Output = T>>) -> Option<T> {
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => Some(result),
        Poll::Pending => None,
    }
}

/// What the client asks for.
const SMALL: i64 = 0;
const LARGE: i64 = 1;
const CALL_BACK: i64 = 2;

/// How many messages a server has set when it finishes.
const MESSAGES: i64 = 5;

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);
