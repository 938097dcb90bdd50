//! `hopen serve --feed`: a made-up stream of trades and quotes, for subscribers to have something to
//! talk to.
//!
//! It speaks as [kdb+tick](https://github.com/KxSystems/kdb-tick)'s tickerplant does (`tick/u.q`):
//!
//! | who | what | message |
//! | --- | --- | --- |
//! | subscriber, sync | subscribes to a table | ``(`.u.sub;`trade;`ibm`amd)``; `` ` `` for all symbols |
//! | | to all tables | ``(`.u.sub;`;`)`` |
//! | answer | a name and an empty table, or a list of such pairs | ``(`trade;+`time`sym…)`` |
//! | feed, async | rows of a table, its symbols only | ``(`upd;`trade;+`time`sym…)`` |
//! | anybody | ends the day | ``(`.u.end;2026.11.24)`` |
//! | feed, async | the day has ended, also at midnight (UTC) | ``(`.u.end;2026.11.24)`` |
//!
//! Who subscribes again replaces what it had of that table. A name may also be a text, as in
//! `(".u.sub";…)`. The error of a table that there is not is its name.

use core::mem;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use hopen_blocking::server::{Client, broadcast};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::sym;
use hopen_codec::value::{Date, Symbol, SymbolRef, Timestamp, Value, ValueRef};

mod market;

use market::{Market, TABLES, Tables};

/// Who has subscribed to what.
pub(super) struct Feed {
    state: Mutex<State>,
}

struct State {
    market: Market,
    subscriptions: BTreeMap<&'static str, BTreeMap<u64, (Client, Symbols)>>,
    day: Date,
}

/// What somebody asks of a tickerplant.
pub(super) enum Asked {
    /// To subscribe to one table.
    Table(&'static str, Symbols),
    /// To subscribe to all.
    AllTables(Symbols),
    /// To end the day.
    End(Date),
}

impl Asked {
    fn subscription(table: ValueRef<'_>, symbols: ValueRef<'_>) -> Result<Self, RemoteError> {
        let wanted = name(table).ok_or_else(|| signal("type"))?;
        let symbols = Symbols::of(symbols).ok_or_else(|| signal("type"))?;
        if wanted.is_empty() {
            return Ok(Self::AllTables(symbols));
        }
        match TABLES.into_iter().find(|table| table.as_bytes() == wanted) {
            Some(table) => Ok(Self::Table(table, symbols)),
            None => Err(RemoteError::new(wanted.to_vec()).unwrap_or_else(|_| signal("type"))),
        }
    }
}

/// Which symbols somebody wants.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Symbols {
    All,
    Some(BTreeSet<Vec<u8>>),
}

/// The thread that publishes, which ends when this is dropped.
pub(super) struct Publishing {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Feed {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                market: Market::new(),
                subscriptions: BTreeMap::new(),
                day: market::date(now()),
            }),
        }
    }

    /// Starts publishing, ten times a second.
    pub(super) fn publish(feed: Arc<Self>) -> io::Result<Publishing> {
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = thread::Builder::new().name("feed".into());
        let thread = thread.spawn(move || {
            while stopped.recv_timeout(PERIOD) == Err(RecvTimeoutError::Timeout) {
                feed.tick();
            }
        })?;
        Ok(Publishing {
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Reads what a message asks for, if it is one for a tickerplant.
    pub(super) fn read(query: &Value) -> Option<Result<Asked, RemoteError>> {
        let mut items = query.as_ref().elements()?;
        let function = name(items.next()?)?;
        let arguments: Vec<ValueRef<'_>> = items.collect();
        match (function, &arguments[..]) {
            (b".u.sub", [table, symbols]) => Some(Asked::subscription(*table, *symbols)),
            (b".u.end", [day]) => {
                let day = day.to::<Date>().map_err(|_| signal("type"));
                Some(day.map(Asked::End))
            }
            (b".u.sub" | b".u.end", _) => Some(Err(signal("rank"))),
            _ => None,
        }
    }

    /// Does what somebody asks for. The answer goes out before anything that comes of it.
    pub(super) fn act(&self, client: &Client, asked: Asked, answer: impl FnOnce(Value)) {
        let mut state = self.lock();
        match asked {
            Asked::End(day) => {
                answer(Value::IDENTITY);
                state.end(day);
            }
            Asked::Table(table, symbols) => {
                answer(described(table));
                state.subscribe(client, table, symbols);
            }
            Asked::AllTables(symbols) => {
                answer(Value::from(TABLES.map(described).to_vec()));
                for table in TABLES {
                    state.subscribe(client, table, symbols.clone());
                }
            }
        }
    }

    /// Sends nothing more to a client that has gone.
    pub(super) fn forget(&self, client: &Client) {
        for subscribers in self.lock().subscriptions.values_mut() {
            subscribers.remove(&client.handle());
        }
    }

    fn tick(&self) {
        let mut state = self.lock();
        let now = now();
        let today = market::date(now);
        if state.day != today {
            let over = mem::replace(&mut state.day, today);
            state.end(over);
        }
        let rows = state.market.tick(now);
        state.send(&rows);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn subscribe(&mut self, client: &Client, table: &'static str, symbols: Symbols) {
        let subscribers = self.subscriptions.entry(table).or_default();
        subscribers.insert(client.handle(), (client.clone(), symbols));
    }

    /// Sends rows to whoever wants them: once encoded for all who want the same.
    fn send(&self, rows: &Tables) {
        for (table, subscribers) in &self.subscriptions {
            let mut groups: BTreeMap<&Symbols, Vec<&Client>> = BTreeMap::new();
            for (client, symbols) in subscribers.values() {
                groups.entry(symbols).or_default().push(client);
            }
            for (symbols, clients) in groups {
                if let Some(wanted) = rows.of(table, |name| symbols.hold(name)) {
                    send(clients, (sym!("upd"), symbol(table), Value::from(wanted)));
                }
            }
        }
    }

    /// Tells every subscriber, once, that a day has ended.
    fn end(&self, day: Date) {
        let subscribers = self.subscriptions.values().flat_map(BTreeMap::iter);
        let clients: BTreeMap<_, _> = subscribers
            .map(|(handle, (client, _))| (handle, client))
            .collect();
        send(clients.into_values(), (sym!(".u.end"), day));
    }
}

impl Symbols {
    fn of(value: ValueRef<'_>) -> Option<Self> {
        if let Ok(symbol) = value.to::<SymbolRef<'_>>() {
            let name = symbol.as_bytes();
            return Some(if name.is_empty() {
                Self::All
            } else {
                Self::Some(BTreeSet::from([name.to_vec()]))
            });
        }
        let names = value.elements()?.map(|item| {
            let symbol = item.to::<SymbolRef<'_>>().ok()?;
            Some(symbol.as_bytes().to_vec())
        });
        names.collect::<Option<_>>().map(Self::Some)
    }

    fn hold(&self, name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Some(names) => names.contains(name.as_bytes()),
        }
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It has panicked otherwise, which has been said.
            let _ = thread.join();
        }
    }
}

/// Sends one message to many. Slow readers are cut off by the server, which says so.
fn send<'a>(clients: impl IntoIterator<Item = &'a Client>, message: impl Into<Value>) {
    if let Err(error) = broadcast(clients, message) {
        log::warn!(target: "hopen_feed", "{error}");
    }
}

/// Returns what a symbol or a text says.
fn name(value: ValueRef<'_>) -> Option<&[u8]> {
    let symbol = value.to::<SymbolRef<'_>>().map(SymbolRef::as_bytes);
    symbol.ok().or_else(|| value.to::<&[u8]>().ok())
}

/// Returns what a subscriber is told of a table: its name and how it looks.
fn described(table: &'static str) -> Value {
    (symbol(table), Value::from(market::schema(table))).into()
}

fn symbol(name: &'static str) -> Symbol {
    Symbol::new(name).expect("a literal without a NUL")
}

fn signal(text: &'static str) -> RemoteError {
    RemoteError::new(text).expect("a literal without a NUL")
}

fn now() -> Timestamp {
    // It fails for clocks that are centuries off.
    Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp(0))
}

/// How often something is published.
const PERIOD: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_a_tickerplant_reads_them() {
        let read = |query: Value| match Feed::read(&query)? {
            Ok(Asked::Table(table, Symbols::All)) => Some(format!("{table}, all")),
            Ok(Asked::Table(table, Symbols::Some(some))) => {
                Some(format!("{table}, {}", some.len()))
            }
            Ok(Asked::AllTables(_)) => Some("all tables".to_owned()),
            Ok(Asked::End(day)) => Some(format!("end {day}")),
            Err(error) => Some(format!("'{error}")),
        };
        let some = vec![sym!("ibm"), sym!("amd"), sym!("ibm")];
        for (query, expected) in [
            (
                (sym!(".u.sub"), sym!("trade"), sym!("")).into(),
                Some("trade, all"),
            ),
            (
                (".u.sub", sym!("trade"), sym!("ibm")).into(),
                Some("trade, 1"),
            ),
            ((".u.sub", "quote", some).into(), Some("quote, 2")),
            // A vector of symbols, as q makes it of three of them.
            (
                vec![sym!(".u.sub"), sym!(""), sym!("")].into(),
                Some("all tables"),
            ),
            (
                (sym!(".u.sub"), sym!("nosuch"), sym!("")).into(),
                Some("'nosuch"),
            ),
            ((sym!(".u.sub"), sym!("trade")).into(), Some("'rank")),
            ((sym!(".u.sub"), sym!("trade"), 1_i64).into(), Some("'type")),
            ((sym!(".u.end"), Date(0)).into(), Some("end 2000.01.01")),
            ((sym!(".u.end"), 1_i64).into(), Some("'type")),
            ((sym!("til"), 5_i64).into(), None),
            ("trade".into(), None),
            (5_i64.into(), None),
        ] {
            let query: Value = query;
            assert_eq!(read(query.clone()).as_deref(), expected, "{query}");
        }
    }
}
