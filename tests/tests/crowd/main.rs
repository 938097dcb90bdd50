//! A small crowd, in one process. `cargo run --release -p hopen-tests --example crowd` is a large one in
//! two, with figures.

use std::time::Duration;

use async_std::task;
use hopen_async_std::Listener;
use hopen_async_std::server::Server;
use peak_alloc::PeakAlloc;

mod crowd;

use crowd::{ASYNCS, Crowd, Desk};

#[global_allocator]
static HEAP: PeakAlloc = PeakAlloc;

#[test]
fn a_crowd_is_answered_and_takes_little_memory_while_it_is_idle() {
    const CONNECTIONS: usize = 200;
    const TIMES: usize = 5;
    task::block_on(async {
        let listener = Listener::bind("localhost:0W").unwrap();
        let port = listener.local_addr().unwrap().port();
        // One more, that has started what is started once.
        let server = Server::new(listener, Desk::default(), crowd::options(CONNECTIONS + 1));
        let control = server.control();
        let running = task::spawn(server.run());
        let mut first = Crowd::connect(port, 1).await.unwrap();
        assert_eq!(first.converse(TIMES).await.errors, 0);
        let before = HEAP.current_usage();
        let mut crowd = Crowd::connect(port, CONNECTIONS).await.unwrap();
        assert_eq!(crowd.len(), CONNECTIONS);
        let each = |held: usize| held.saturating_sub(before) / CONNECTIONS;
        let logged_in = each(HEAP.current_usage());
        let report = crowd.converse(TIMES).await;
        assert_eq!(report.errors, 0);
        assert_eq!(report.gets, CONNECTIONS * TIMES);
        assert_eq!(report.asyncs, CONNECTIONS * TIMES * ASYNCS);
        let idle = each(HEAP.current_usage());
        // Of both ends together.
        for held in [logged_in, idle] {
            assert!(held < 2 * 16 * 1024, "{logged_in} and {idle} bytes each");
        }
        println!("{logged_in} and {idle} bytes each, at both ends");
        drop((first, crowd));
        control.stop(Duration::from_secs(60));
        assert_eq!(running.await, 0);
    });
}
