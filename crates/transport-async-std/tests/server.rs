//! What is particular to the async server role: futures that are dropped or panic halfway, one thread
//! for all, TLS, and our own async client.

use core::cell::Cell;
use core::future::{Future, pending, poll_fn};
use core::pin::pin;
use core::task::Poll;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Duration;

use hopen_async_std::server::{Answer, Client, Handler, Server, ServerOptions, broadcast};
use hopen_async_std::{Error, ListenOptions, Listener, Options, hopen};
use hopen_codec::address::Address;
use hopen_codec::value::Value;
use hopen_tls::{ServerMode, Settings};
use smol::LocalExecutor;
use smol::channel::{Receiver, Sender, unbounded};
use smol::future::yield_now;

#[test]
fn a_server_whose_future_is_dropped_closes_its_port_and_its_clients() {
    let (desk, events) = Desk::new();
    smol::block_on(async {
        let listener = Listener::bind("localhost:0W").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::new(listener, desk, ServerOptions::default());
        let control = server.control();
        let running = smol::spawn(server.run_with(|task| smol::spawn(task).detach()));
        let mut idle = hopen(port).await.unwrap();
        let mut waiting = hopen(port).await.unwrap();
        waiting.set("x").await.unwrap();
        let asked = smol::spawn(async move { waiting.get("never").await });
        assert_eq!(events.recv().await.unwrap(), "notice");
        assert_eq!(events.recv().await.unwrap(), "request");
        assert_eq!(running.cancel().await, None);
        let error = idle.recv().await.unwrap_err();
        assert!(matches!(error, Error::Closed), "{error}");
        // The future of the handler was dropped, and the handler is told of the end of both.
        asked.await.unwrap_err();
        let mut told = [(); 3].map(|()| "");
        for told in &mut told {
            *told = events.recv().await.unwrap();
        }
        told.sort_unstable();
        assert_eq!(told, ["closed", "closed", "dropped"]);
        assert!(control.clients().is_empty());
        hopen((port, PATIENCE)).await.unwrap_err();
    });
}

#[test]
fn a_handler_that_panics_halfway_or_as_it_is_dropped_ends_nothing_else() {
    let (desk, _events) = Desk::new();
    let (port, server) = serve(desk, ServerOptions::default());
    smol::block_on(async {
        let mut other = hopen(port).await.unwrap();
        let mut client = hopen(port).await.unwrap();
        let error = client.get("panic halfway").await.unwrap_err();
        assert!(
            matches!(&error, Error::Remote(error) if error.to_string() == "panic"),
            "{error}"
        );
        assert_eq!(client.get("x").await.unwrap(), "x".into());
        // What it holds panics as it is dropped: its connection is over, and no other.
        client.get("panic at the end").await.unwrap_err();
        assert_eq!(other.get("x").await.unwrap(), "x".into());
        server.stop().await;
    });
}

#[test]
fn on_one_thread_a_flood_keeps_nobody_from_an_answer() {
    let executor: &LocalExecutor<'_> = Box::leak(Box::default());
    let (desk, _events) = Desk::new();
    smol::block_on(executor.run(async {
        let listener = Listener::bind("localhost:0W").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::new(listener, desk, ServerOptions::default());
        let control = server.control();
        let running = executor.spawn(server.run_with(|task| executor.spawn(task).detach()));
        // Of another thread, so that there is always more of it.
        let flood = thread::spawn(move || {
            let mut flooding = hopen_blocking::hopen(port).unwrap();
            while flooding.set("x").is_ok() {}
        });
        let mut client = hopen(port).await.unwrap();
        for n in 0..10_i64 {
            assert_eq!(client.get(n).await.unwrap(), n.into());
        }
        client.close();
        // Who never pauses is not waited for any longer than said.
        control.stop(Duration::ZERO);
        running.await;
        flood.join().unwrap();
    }));
}

#[test]
fn a_flood_of_connections_leaves_others_their_turn() {
    let (desk, _events) = Desk::new();
    let listener = Listener::bind("localhost:0W").unwrap();
    let address = listener.local_addr().unwrap();
    let _clients = [(); 5].map(|()| TcpStream::connect(address).unwrap());
    let server = Server::new(listener, desk, ServerOptions::default());
    let accepted = Cell::new(0);
    let mut serves = pin!(server.run_with(|_| accepted.set(accepted.get() + 1)));
    smol::block_on(poll_fn(|context| {
        let before = accepted.get();
        assert!(serves.as_mut().poll(context).is_pending());
        assert!(accepted.get() <= before + 1, "more than one in a row");
        match accepted.get() {
            5 => Poll::Ready(()),
            _ => Poll::Pending,
        }
    }));
}

#[test]
fn plain_clients_and_such_that_speak_tls_are_served_at_one_port_and_sent_the_same() {
    let mut settings = Settings::default();
    settings.certificate_file = Some(fixture("server.pem"));
    settings.key_file = Some(fixture("server-key.pem"));
    let mut listen = ListenOptions::try_from("localhost:0W").unwrap();
    listen.mode = ServerMode::Both;
    listen.tls = Some(hopen_tls::Server::new(&settings).unwrap());
    let (desk, _events) = Desk::new();
    let (port, server) = serve_at(listen, desk, ServerOptions::default());
    smol::block_on(async {
        let mut plain = hopen(port).await.unwrap();
        let address: Address = format!(":tcps://localhost:{port}:ann").parse().unwrap();
        let mut options = Options::new(address);
        let mut settings = Settings::default();
        settings.ca_file = Some(fixture("ca.pem"));
        // The certificate names nobody.
        settings.verify_server = hopen_tls::VerifyServer::Chain;
        options.tls = Some(hopen_tls::Client::new(&settings).unwrap());
        let mut encrypted = hopen(options).await.unwrap();
        let large = Value::from(vec![7_i64; 1_000_000]);
        for handle in [&mut plain, &mut encrypted] {
            assert_eq!(handle.get(large.clone()).await.unwrap(), large);
        }
        let clients = server.control.clients();
        let is_encrypted: Vec<bool> = clients.iter().map(|one| one.tls().is_some()).collect();
        assert_eq!(is_encrypted, [false, true]);
        assert_eq!(broadcast(&clients, large.clone()).unwrap(), 2);
        for handle in [&mut plain, &mut encrypted] {
            assert_eq!(handle.recv().await.unwrap(), large);
        }
        server.stop().await;
    });
}

#[test]
fn a_task_that_its_executor_drops_closes_its_connection_and_gives_its_place_back() {
    let (desk, _events) = Desk::new();
    smol::block_on(async {
        let listener = Listener::bind("localhost:0W").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut options = ServerOptions::default();
        options.connections = 1;
        let server = Server::new(listener, desk, options);
        let control = server.control();
        let tasks = Mutex::new(Vec::new());
        let tasks = std::sync::Arc::new(tasks);
        let kept = std::sync::Arc::clone(&tasks);
        let running = smol::spawn(server.run_with(move |task| {
            kept.lock().unwrap().push(smol::spawn(task));
        }));
        let mut first = hopen(port).await.unwrap();
        assert_eq!(first.get("x").await.unwrap(), "x".into());
        drop(std::mem::take(&mut *tasks.lock().unwrap()));
        // One that runs at that moment is dropped behind that.
        while first.get("x").await.is_ok() {}
        // The place is given back as the task is dropped, which another thread may do.
        let mut second = loop {
            match hopen(port).await {
                Ok(second) => break second,
                Err(Error::Access | Error::Io { .. }) => yield_now().await,
                Err(error) => panic!("{error}"),
            }
        };
        assert_eq!(second.get("x").await.unwrap(), "x".into());
        control.stop(PATIENCE);
        assert_eq!(running.await, 0);
    });
}

/// Echoes, unless it is told otherwise, and says what it is called for.
struct Desk {
    events: Sender<&'static str>,
}

impl Desk {
    fn new() -> (Self, Receiver<&'static str>) {
        let (events, told) = unbounded();
        (Self { events }, told)
    }

    fn tell(&self, event: &'static str) {
        // A test that has ended wants to know no more.
        let _ = self.events.try_send(event);
    }
}

impl Handler for Desk {
    async fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
        self.tell("request");
        match query.to::<&str>() {
            Ok("never") => {
                let _told = Dropped(|| self.tell("dropped"));
                pending().await
            }
            Ok("panic halfway") => {
                yield_now().await;
                panic!("a secret")
            }
            Ok("panic at the end") => {
                let _panics = Dropped(|| panic!("a secret"));
                yield_now().await;
                Ok(query).into()
            }
            _ => Ok(query).into(),
        }
    }

    async fn notice(&self, _client: &Client, _message: Value) {
        self.tell("notice");
    }

    async fn closed(&self, _client: &Client, _why: &Error) {
        self.tell("closed");
    }
}

/// Does something when it is dropped.
struct Dropped<F: Fn()>(F);

impl<F: Fn()> Drop for Dropped<F> {
    fn drop(&mut self) {
        self.0();
    }
}

struct Running {
    control: hopen_async_std::server::Control,
    server: smol::Task<usize>,
}

impl Running {
    async fn stop(self) {
        self.control.stop(PATIENCE);
        assert_eq!(self.server.await, 0);
    }
}

fn serve(desk: Desk, options: ServerOptions) -> (u16, Running) {
    let listen = ListenOptions::try_from("localhost:0W").expect("an address");
    serve_at(listen, desk, options)
}

fn serve_at(listen: ListenOptions, desk: Desk, options: ServerOptions) -> (u16, Running) {
    let listener = Listener::bind(listen).expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    let server = Server::new(listener, desk, options);
    let control = server.control();
    let server = smol::spawn(server.run_with(|task| smol::spawn(task).detach()));
    (port, Running { control, server })
}

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../tls/tests/fixtures")
        .join(name)
}

/// Longer than anything takes that does not fail.
const PATIENCE: Duration = Duration::from_secs(60);
