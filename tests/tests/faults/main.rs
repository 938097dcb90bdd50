//! Whole conversations in which something is wrong at each byte, over every transport.
//!
//! A [fault](conversation::fault::Fault) is data: a direction, a place and a kind. Each
//! conversation runs once for each of them, over each transport with the kinds that its layer can
//! do, and what comes of it is [judged](judge): it is what a [reference](reference) without any I/O
//! says that the bytes are, or the documented error.
//!
//! ```text
//!  conversation × fault × transport ──▶ run ──▶ judge ──▶ table
//!                                                 ▲
//!  bytes as the fault leaves them ──▶ reference ──┘
//! ```
//!
//! Not every place is tried every time: as many of each kind as `Places` says, over transports that are
//! like another fewer. With the variable `HOPEN_FAULTS=all` each byte is, over every transport, but for
//! those of the large messages.

use std::io::{self, Write};

use conversation::TRANSPORTS;
use conversation::scenario::Scenario;
use plan::Places;
use table::Table;

#[path = "../conversation/mod.rs"]
#[expect(dead_code, reason = "scenarios do more than what is disturbed here")]
mod conversation;
mod damage;
mod judge;
mod neighbours;
mod plan;
mod reference;
mod run;
mod table;
#[path = "../tls/mod.rs"]
mod tls;
#[path = "../watchdog/mod.rs"]
mod watchdog;

#[test]
fn a_client_comes_to_the_right_result_or_the_documented_error_whatever_happens_at_any_byte() {
    disturb(&conversation::whole::of_a_client(), Places::chosen());
}

#[test]
fn a_server_comes_to_the_right_result_or_the_documented_error_whatever_happens_at_any_byte() {
    disturb(&conversation::whole::of_a_server(), Places::chosen());
}

#[test]
fn large_messages_are_right_or_the_documented_error_whatever_happens_to_their_bytes() {
    disturb(&conversation::whole::large(), Places::chosen_of_large());
}

/// Runs a conversation with each fault over each transport, and prints what has come of it.
fn disturb(scenario: &Scenario, places: Places) {
    let mut table = Table::default();
    for transport in TRANSPORTS {
        let undisturbed = run::run(scenario, *transport, None);
        let judge = judge::Judge::new(scenario, *transport, &undisturbed);
        for fault in plan::faults(*transport, &undisturbed, scenario, places) {
            let run = run::run(scenario, *transport, Some(fault));
            table.add(transport.name(), fault, judge.verdict(fault, &run));
        }
    }
    let text = format!("\n{}\n{table}", scenario.name);
    io::stderr().write_all(text.as_bytes()).expect("stderr");
    table.check();
}
