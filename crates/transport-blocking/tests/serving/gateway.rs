//! The gateway of `examples/`, in front of two processes of which one is slow.

use std::io::Write;
use std::thread;

use hopen_blocking::server::ServerOptions;
use hopen_blocking::{Error, Handle, Options, hopen};
use hopen_codec::address::Address;
use hopen_codec::message::MessageKind;
use hopen_codec::value::Value;

use crate::desk::gateway;
use crate::support::{PATIENCE, Running, expect, message};

#[test]
fn clients_get_their_answers_in_step_though_one_process_is_slow() {
    let (fast, slow) = (process(), process());
    let (port, control, gateway) = gateway([fast.options(), slow.options()]);
    // The slow one is at it for long, so what is asked after that has to wait.
    let mut first = open(port);
    let first = thread::spawn(move || first.get("slowly").unwrap());
    let [quick, late] = [fast.evaluates(), slow.evaluates()];
    drop(quick);
    let clients: Vec<_> = (0..8_i64)
        .map(|client| {
            let mut handle = open(port);
            thread::spawn(move || {
                for n in 0..50 {
                    let asked = Value::from(vec![client, n]);
                    let expected = Value::from(vec![asked.clone(), asked.clone()]);
                    let answer = handle.get_timeout(asked, PATIENCE).unwrap();
                    assert_eq!(answer, expected);
                }
            })
        })
        .collect();
    // Others are served meanwhile by whom they ask themselves.
    assert_eq!(fast.client().get("x").unwrap(), "x".into());
    drop(late);
    let both = Value::from(vec![Value::from("slowly"), "slowly".into()]);
    assert_eq!(first.join().unwrap(), both);
    for client in clients {
        client.join().unwrap();
    }
    control.stop(PATIENCE);
    assert_eq!(gateway.join().unwrap(), 0);
    assert_eq!((fast.stop(), slow.stop()), (0, 0));
}

#[test]
fn what_one_client_waits_for_keeps_no_other_from_asking() {
    let (fast, slow) = (process(), process());
    let (port, control, gateway) = gateway([fast.options(), slow.options()]);
    let mut one = raw(port);
    for query in ["slowly", "x", "y"] {
        one.write_all(&message(MessageKind::Sync, query)).unwrap();
    }
    // Both processes are at it. The fast one goes on with what is behind it.
    let gates = [fast.evaluates(), slow.evaluates()];
    let [quick, late] = gates;
    drop(quick);
    let mut other = raw(port);
    other.write_all(&message(MessageKind::Sync, "z")).unwrap();
    drop(late);
    for query in ["slowly", "x", "y"] {
        let both = Value::from(vec![Value::from(query), query.into()]);
        expect(&mut one, &message(MessageKind::Response, both));
    }
    let both = Value::from(vec![Value::from("z"), "z".into()]);
    expect(&mut other, &message(MessageKind::Response, both));
    control.stop(PATIENCE);
    assert_eq!(gateway.join().unwrap(), 0);
    assert_eq!((fast.stop(), slow.stop()), (0, 0));
}

#[test]
fn what_a_process_signals_is_passed_on_and_one_that_is_gone_is_opened_again() {
    let (fast, slow) = (process(), process());
    let (port, control, gateway) = gateway([fast.options(), slow.options()]);
    let mut client = open(port);
    assert_eq!(remote(&mut client, "error"), "wrong");
    let both = Value::from(vec![Value::from("x"), "x".into()]);
    assert_eq!(client.get("x").unwrap(), both);
    assert_eq!(slow.control.clients()[0].close(), 0);
    let told = remote(&mut client, "x");
    assert!(told.starts_with("gateway: "), "{told}");
    assert_eq!(client.get("x").unwrap(), both);
    control.stop(PATIENCE);
    assert_eq!(gateway.join().unwrap(), 0);
    assert_eq!((fast.stop(), slow.stop()), (0, 0));
}

fn process() -> Running {
    Running::start(ServerOptions::default())
}

fn open(port: u16) -> Handle {
    let mut options = Options::new(Address::from(port));
    options.timeout = Some(PATIENCE);
    hopen(options).unwrap()
}

fn raw(port: u16) -> std::net::TcpStream {
    use std::io::Read;
    let mut stream = std::net::TcpStream::connect(("localhost", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"raw\x06\0").unwrap();
    stream.read_exact(&mut [0]).unwrap();
    stream
}

fn remote(client: &mut Handle, query: &str) -> String {
    match client.get_timeout(query, PATIENCE) {
        Err(Error::Remote(error)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}
