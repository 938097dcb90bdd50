//! The async handles: both ends send at each other, and many share one. Pipes can be polled on Unix
//! alone.

use std::io::pipe;
use std::thread::{self, JoinHandle};

use async_io::{Async, block_on};
use hopen_async_std::{Channel, Error, Handle, ListenOptions, Listener, Options, Received, hopen};
use hopen_codec::address::{Address, Endpoint};
use hopen_codec::auth::Credentials;
use hopen_codec::config::Config;
use hopen_codec::value::Value;
use hopen_tls::ServerMode;

use crate::ends::Between;
use crate::tls;

#[test]
fn both_async_ends_send_large_messages_and_flush() {
    for (count, length) in [(1_u8, 64_000_000), (64, 1024 * 1024)] {
        Between::each("async messages", move |between| {
            let (client, server) = handles(between);
            let exchange = move |mut handle: Handle| {
                thread::spawn(move || {
                    block_on(async {
                        for number in 0..count {
                            let message = Value::from(vec![number; length]);
                            handle.set(message).await.expect("the other end reads");
                        }
                        handle.flush().await.expect("the other end reads");
                        for number in 0..count {
                            let received = handle.recv().await.expect("a message");
                            assert!(received == Value::from(vec![number; length]));
                        }
                        handle
                    })
                })
            };
            let ends = [client, server].map(exchange);
            // Neither closes before the other has everything.
            drop(ends.map(|end| end.join().expect("it receives everything")));
        });
    }
}

#[test]
fn each_async_task_gets_its_own_answers_and_what_it_sets_arrives_in_its_order() {
    Between::each("async tasks", |between| {
        let (client, server) = handles(between);
        let server = thread::spawn(move || block_on(echo(server)));
        let (client, driver) = client.into_shared();
        let driver = thread::spawn(move || block_on(driver));
        let tasks: Vec<JoinHandle<()>> = (0..TASKS)
            .map(|task| {
                let handle = client.clone();
                let work = async move {
                    for number in 0..EACH {
                        let message = vec![task, number];
                        handle.set(message.clone()).await.expect("a server");
                        let answer = handle.get(message.clone()).await.expect("an answer");
                        assert_eq!(answer, message.into());
                    }
                };
                thread::spawn(move || block_on(work))
            })
            .collect();
        for task in tasks {
            task.join().expect("its own answers");
        }
        drop(client);
        let driven = driver.join().expect("no panic");
        driven.expect("the handle is closed on this side");
        let mut next = [0; TASKS as usize];
        for message in server.join().expect("no panic") {
            let message: Vec<i64> = message.to().expect("two longs");
            let next = &mut next[message[0] as usize];
            assert_eq!(message[1], *next);
            *next += 1;
        }
        assert_eq!(next, [EACH; TASKS as usize]);
    });
}

/// Answers every question with itself until the client closes. Returns what else has come.
async fn echo(mut handle: Handle) -> Vec<Value> {
    let mut asyncs = Vec::new();
    loop {
        match handle.receive().await {
            Ok(Received::Request(ticket, question)) => {
                let answered = handle.respond(ticket, Ok(question)).await;
                answered.expect("a client");
            }
            Ok(Received::Async(value)) => asyncs.push(value),
            Err(Error::Closed) => return asyncs,
            Err(error) => panic!("{error:?}"),
        }
    }
}

/// Returns a client's handle and a server's.
fn handles(between: Between) -> (Handle, Handle) {
    let host = String::from("127.0.0.1");
    match between {
        Between::Tcp => over_sockets(|port| Endpoint::Tcp { host, port }),
        Between::Tls => over_sockets(|port| Endpoint::Tcps { host, port }),
        Between::Unix => over_sockets(|port| Endpoint::Unix { port }),
        Between::Pipes => over_pipes(),
    }
}

fn over_sockets(endpoint: impl FnOnce(u16) -> Endpoint) -> (Handle, Handle) {
    let mut options = ListenOptions::try_from("127.0.0.1:0").expect("an address");
    options.mode = ServerMode::Both;
    options.tls = Some(tls::server());
    let listener = Listener::bind(options).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let accepted = thread::spawn(move || {
        block_on(async { accept(listener.accept().await.expect("a client")).await })
    });
    let mut options = Options::new(Address::new(endpoint(port)));
    options.tls = Some(tls::client());
    let handle = block_on(hopen(options)).expect("a server");
    (handle, accepted.join().expect("it accepts"))
}

fn over_pipes() -> (Handle, Handle) {
    let (from_client, to_server) = pipe().expect("a pipe");
    let (from_server, to_client) = pipe().expect("a pipe");
    let polled = "a pipe that can be polled";
    let theirs = Channel::of_pair(
        Async::new(from_client).expect(polled),
        Async::new(to_client).expect(polled),
    );
    let accepted = thread::spawn(move || block_on(accept(theirs)));
    let ours = Channel::of_pair(
        Async::new(from_server).expect(polled),
        Async::new(to_server).expect(polled),
    );
    let nobody = Credentials::anonymous();
    let handle = block_on(ours.log_in(&nobody, local(Config::client()), None));
    (
        handle.expect("a server"),
        accepted.join().expect("it accepts"),
    )
}

async fn accept(channel: Channel) -> Handle {
    let config = local(Config::server());
    let login = channel.receive_login(config, None).await;
    login.expect("a login").accept().await.expect("a client")
}

/// Nothing is compressed, as over TCP on one host.
fn local(mut config: Config) -> Config {
    config.peer_is_local = true;
    config
}

const TASKS: i64 = 8;

/// How often each task asks.
const EACH: i64 = 200;
