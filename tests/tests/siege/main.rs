//! A short siege. `cargo run --release -p hopen-tests --example siege` is a long one, with figures.

use std::thread;
use std::time::Duration;

use hopen_blocking::Listener;
use hopen_blocking::server::Server;

mod siege;

use siege::{Attack, Target};

#[test]
fn good_clients_get_every_answer_and_all_others_are_cut_off() {
    const EACH: usize = 3;
    let listener = Listener::bind("localhost:0W").unwrap();
    let port = listener.local_addr().unwrap().port();
    // Good clients have to log in within it too, on a machine that is busy.
    let times = Duration::from_secs(2);
    let server = Server::new(listener, Target::new(), siege::options(times, times)).unwrap();
    let control = server.control();
    let running = thread::spawn(move || server.run());
    let report = siege::attack(port, EACH, 4);
    assert!(report.answers >= 4, "{report:?}");
    let attacks: Vec<(Attack, usize)> = report.attacks.iter().map(|(a, n, _)| (*a, *n)).collect();
    assert_eq!(attacks, Attack::ALL.map(|attack| (attack, EACH)));
    assert!(report.median <= report.longest);
    control.stop(Duration::from_secs(60));
    assert_eq!(running.join().unwrap(), 0);
}
