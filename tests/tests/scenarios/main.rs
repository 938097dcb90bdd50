//! One list of conversations for every transport.
//!
//! A [scenario](conversation::scenario::Scenario) says what a program does at our end, step by step with what
//! comes of it, and which bytes a scripted peer expects and sends. Each runs over each
//! [transport](conversation::end::Transport), and the peer's bytes arrive in each [way](peer::Way): as the script
//! says, one by one, all at once before anything is asked, and cut anywhere. None of that may make
//! a difference: what comes of each step, and every byte that our end writes, is compared with that
//! of the first run.
//!
//! ```text
//!  list ──▶ Scenario ──┬── ours: steps ─────▶ End ══ transport ══ Wire ◀── theirs: lines ──┐
//!                      └──────────────────────────────────────────────────────────────────┘
//! ```
//!
//! Another transport is one more implementation of [`Transport`](conversation::end::Transport) and
//! [`End`](conversation::end::End), and one more line in [`TRANSPORTS`](conversation::TRANSPORTS).

use std::sync::Mutex;
use std::thread;

use conversation::TRANSPORTS;
use conversation::end::Transport;
use conversation::scenario::Scenario;
use peer::Way;
use run::Record;

#[path = "../conversation/mod.rs"]
#[expect(dead_code, reason = "nothing is damaged here")]
mod conversation;
mod list;
mod peer;
mod run;
#[path = "../tls/mod.rs"]
mod tls;
#[path = "../watchdog/mod.rs"]
mod watchdog;

#[test]
fn logins_go_the_same_way_everywhere() {
    go_the_same_way(list::login::all());
}

#[test]
fn conversations_of_a_client_go_the_same_way_everywhere() {
    go_the_same_way(list::client::all());
}

#[test]
fn conversations_of_a_server_go_the_same_way_everywhere() {
    go_the_same_way(list::server::all());
}

#[test]
fn late_answers_go_the_same_way_everywhere() {
    go_the_same_way(list::late::all());
}

#[test]
fn large_messages_go_the_same_way_everywhere() {
    go_the_same_way(list::large::all());
}

#[test]
fn whole_conversations_go_the_same_way_everywhere() {
    go_the_same_way(conversation::whole::all());
}

#[test]
fn what_ends_a_connection_ends_it_the_same_way_everywhere() {
    go_the_same_way(list::broken::all());
}

#[test]
fn a_client_s_conversation_that_breaks_off_at_any_byte_is_right_up_to_there() {
    go_the_same_way(list::cut::of_a_client());
}

#[test]
fn a_server_s_conversation_that_breaks_off_at_any_byte_is_right_up_to_there() {
    go_the_same_way(list::cut::of_a_server());
}

/// Runs each scenario over each transport in each way that it allows: over several transports at the
/// same time, as some of it is waiting.
fn go_the_same_way(scenarios: Vec<Scenario>) {
    for scenario in &scenarios {
        let first = Mutex::new(None);
        let transports = Mutex::new(TRANSPORTS.iter());
        thread::scope(|scope| {
            for _ in 0..AT_ONCE {
                scope.spawn(|| {
                    while let Some(transport) = next(&transports) {
                        go_over(scenario, *transport, &first);
                    }
                });
            }
        });
    }
}

fn go_over(scenario: &Scenario, transport: &dyn Transport, first: &Mutex<Option<Record>>) {
    for way in Way::all_of(scenario) {
        let name = format!("{}, over {}, {way:?}", scenario.name, transport.name());
        let record = run::run(&name, scenario, transport, way);
        record.check(&name, scenario);
        let mut first = first.lock().expect("it goes the same way");
        let first = first.get_or_insert_with(|| record.clone());
        assert!(record == *first, "{name}: not as it went first");
    }
}

fn next<T>(all: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    all.lock().expect("no iterator panics").next()
}

/// Over how many transports a scenario runs at the same time: some hold 20 MB several times.
const AT_ONCE: usize = 4;
