//! Many threads at one end.

use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use hopen_blocking::{Error, Phase, SharedHandle};
use hopen_codec::config::Requests;
use hopen_codec::connection::ProtocolError;
use hopen_codec::value::Value;

use crate::ends::{BRIEF, Between, drive, echo, request};

#[test]
fn each_thread_gets_its_own_answers_and_what_it_sets_arrives_in_its_order() {
    for requests in [Requests::OneAtATime, Requests::Pipelined] {
        Between::each("8 threads", move |between| {
            let (client, server) = between.configured(|config| config.requests = requests);
            let (client, driver) = drive(client.into_shared());
            let server = thread::spawn(move || echo(server));
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let handle = client.clone();
                    thread::spawn(move || {
                        for number in 0..EACH {
                            let message = vec![thread, number];
                            handle.set(message.clone()).unwrap();
                            assert_eq!(handle.get(message.clone()).unwrap(), message.into());
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().unwrap();
            }
            drop(client);
            driver.join().unwrap().unwrap();
            check_each_once_in_order(server.join().unwrap());
        });
    }
}

#[test]
fn each_async_message_goes_to_one_of_those_who_wait() {
    Between::each("8 receivers", |between| {
        let (client, mut server) = between.handles();
        let (client, driver) = drive(client.into_shared());
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                let handle = client.clone();
                thread::spawn(move || {
                    let mut received = Vec::new();
                    loop {
                        match handle.recv() {
                            Ok(value) => received.push(value.to::<i64>().unwrap()),
                            Err(Error::Closed) => return received,
                            Err(error) => panic!("{error:?}"),
                        }
                    }
                })
            })
            .collect();
        for number in 0..THREADS * EACH {
            server.set(number).unwrap();
        }
        server.flush().unwrap();
        drop(server);
        let mut all = Vec::new();
        for thread in threads {
            let received = thread.join().unwrap();
            assert!(received.is_sorted());
            all.extend(received);
        }
        all.sort_unstable();
        assert!(all.into_iter().eq(0..THREADS * EACH));
        driver.join().unwrap().unwrap();
    });
}

#[test]
fn a_handle_that_is_closed_is_closed_for_all_who_wait() {
    Between::each("closed", |between| {
        let (client, mut server) = between.handles();
        let (client, driver) = drive(client.into_shared());
        let waiting = wait_in_every_way(&client);
        // One of those who ask waits for its answer, the others for their turn.
        let (_ticket, question) = request(&mut server);
        assert_eq!(question, Value::from("never answered"));
        client.close();
        for thread in waiting {
            let error = thread.join().unwrap();
            assert!(matches!(error, Error::BadHandle), "{error:?}");
        }
        driver.join().unwrap().unwrap();
        for ended in [client.get("x").map(drop), client.set("x"), client.flush()] {
            assert!(matches!(ended, Err(Error::BadHandle)), "{ended:?}");
        }
        assert!(matches!(server.receive(), Err(Error::Closed)));
    });
}

#[test]
fn without_a_driver_nobody_waits_any_longer() {
    Between::each("the driver is dropped", |between| {
        let (client, mut server) = between.handles();
        let (client, driver) = client.into_shared();
        let waiting = wait_in_every_way(&client);
        let (_ticket, _question) = request(&mut server);
        drop(driver);
        for thread in waiting {
            let error = thread.join().unwrap();
            assert!(matches!(error, Error::Closed), "{error:?}");
        }
        assert!(matches!(client.set("x"), Err(Error::Closed)));
    });
}

#[test]
fn a_server_that_closes_ends_the_wait_of_all() {
    Between::each("the server closes", |between| {
        let (client, mut server) = between.handles();
        let (client, driver) = drive(client.into_shared());
        let waiting = wait_in_every_way(&client);
        let (_ticket, _question) = request(&mut server);
        drop(server);
        for thread in waiting {
            let error = thread.join().unwrap();
            let unanswered = Error::Protocol(ProtocolError::ClosedBeforeResponse);
            assert_eq!(error.to_string(), unanswered.to_string());
        }
        assert!(driver.join().unwrap().is_err());
    });
}

#[test]
fn one_who_gives_up_leaves_the_others_their_turn_and_their_answers() {
    Between::each("one gives up", |between| {
        let (client, mut server) = between.handles();
        let (client, driver) = drive(client.into_shared());
        let (given_up, is_given_up) = mpsc::channel();
        let first = client.clone();
        let first = thread::spawn(move || {
            let error = first.get_timeout("first", BRIEF).unwrap_err();
            assert!(
                matches!(error, Error::Timeout(Phase::Response)),
                "{error:?}"
            );
            given_up.send(()).unwrap();
        });
        let (late, question) = request(&mut server);
        assert_eq!(question, Value::from("first"));
        let others: Vec<_> = (0..THREADS)
            .map(|number| {
                let handle = client.clone();
                thread::spawn(move || assert_eq!(handle.get(number).unwrap(), number.into()))
            })
            .collect();
        // One that waits for its turn may give up as well.
        let error = client.get_timeout("never sent", BRIEF).unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Phase::EarlierResponse)),
            "{error:?}"
        );
        is_given_up.recv().unwrap();
        first.join().unwrap();
        server.respond(late, Ok("late")).unwrap();
        let server = thread::spawn(move || echo(server));
        for other in others {
            other.join().unwrap();
        }
        drop(client);
        driver.join().unwrap().unwrap();
        server.join().unwrap();
    });
}

#[test]
fn one_who_gives_up_among_pipelined_requests_ends_them_all() {
    Between::each("one of many gives up", |between| {
        let pipelined = |config: &mut hopen_codec::config::Config| {
            config.requests = Requests::Pipelined;
        };
        let (client, mut server) = between.configured(pipelined);
        let (client, _driver) = drive(client.into_shared());
        let others: Vec<_> = (0..THREADS)
            .map(|number| {
                let handle = client.clone();
                thread::spawn(move || handle.get(number).unwrap_err())
            })
            .collect();
        // They are all on their way.
        for _ in 0..THREADS {
            let (_ticket, _question) = request(&mut server);
        }
        let error = client.get_timeout("x", BRIEF).unwrap_err();
        assert!(
            matches!(error, Error::Timeout(Phase::Response)),
            "{error:?}"
        );
        for other in others {
            let error = other.join().unwrap();
            assert!(
                matches!(error, Error::Protocol(ProtocolError::GivenUp)),
                "{error:?}"
            );
        }
    });
}

/// Starts threads that wait for answers, for their turn, and for messages. Returns when each has
/// begun, with what they will say.
fn wait_in_every_way(handle: &SharedHandle) -> Vec<thread::JoinHandle<Error>> {
    let begun = Arc::new(Barrier::new(THREADS as usize + 1));
    let waiting = (0..THREADS)
        .map(|number| {
            let (handle, begun) = (handle.clone(), Arc::clone(&begun));
            thread::spawn(move || {
                begun.wait();
                let ended = match number % 4 {
                    0 => handle.recv().map(drop),
                    1 => handle.receive().map(drop),
                    _ => handle.get("never answered").map(drop),
                };
                ended.expect_err("nothing comes")
            })
        })
        .collect();
    begun.wait();
    waiting
}

/// Checks that each thread's messages are all there, in its order.
fn check_each_once_in_order(messages: Vec<Value>) {
    assert_eq!(messages.len() as i64, THREADS * EACH);
    let mut next = [0; THREADS as usize];
    for message in messages {
        let message: Vec<i64> = message.to().expect("two longs");
        let next = &mut next[message[0] as usize];
        assert_eq!(message[1], *next);
        *next += 1;
    }
}

const THREADS: i64 = 8;

/// How often each thread asks.
const EACH: i64 = 1000;
