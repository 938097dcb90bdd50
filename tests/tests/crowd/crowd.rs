//! Many connections to one server: each of them logs in, is idle, sends asyncs and asks, and is idle again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_std::task;
use hopen_async_std::server::{Answer, Client, Handler, ServerOptions};
use hopen_async_std::{Error, Handle, hopen};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

/// Adds up what each client sends, and answers with the sum. So every answer tells whether all asyncs
/// before it have come, once.
#[derive(Default)]
pub(crate) struct Desk {
    sums: Mutex<BTreeMap<u64, i64>>,
}

impl Desk {
    fn add(&self, client: &Client, number: i64) -> i64 {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = sums.entry(client.handle()).or_default();
        *sum += number;
        *sum
    }
}

impl Handler for Desk {
    async fn request(&self, client: &Client, query: Value) -> Answer<'_> {
        match query.to::<i64>() {
            Ok(number) => Ok(self.add(client, number).into()).into(),
            Err(_) => Err(RemoteError::new("type").expect("no NUL")).into(),
        }
    }

    async fn notice(&self, client: &Client, message: Value) {
        if let Ok(number) = message.to::<i64>() {
            self.add(client, number);
        }
    }

    async fn closed(&self, client: &Client, _why: &Error) {
        let mut sums = self.sums.lock().unwrap_or_else(PoisonError::into_inner);
        sums.remove(&client.handle());
    }
}

/// Returns what the server is told.
pub(crate) fn options(connections: usize) -> ServerOptions {
    let mut options = ServerOptions::default();
    options.connections = connections;
    options
}

/// Those who are connected.
pub(crate) struct Crowd(Vec<Handle>);

/// What they have done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    pub(crate) gets: usize,
    pub(crate) asyncs: usize,
    /// Connections that broke, and answers that were wrong.
    pub(crate) errors: usize,
}

impl Crowd {
    /// Opens so many connections, some at a time: a system keeps no more than its backlog waiting.
    pub(crate) async fn connect(port: u16, connections: usize) -> Result<Self, Error> {
        let tasks: Vec<_> = (0..AT_A_TIME)
            .map(|first| {
                task::spawn(async move {
                    let mut handles = Vec::new();
                    for _ in (first..connections).step_by(AT_A_TIME) {
                        handles.push(hopen(port).await?);
                    }
                    Ok::<_, Error>(handles)
                })
            })
            .collect();
        let mut all = Vec::new();
        for task in tasks {
            all.extend(task.await?);
        }
        Ok(Self(all))
    }

    /// Has each of them, all at the same time, send some asyncs and ask, so many times.
    pub(crate) async fn converse(&mut self, times: usize) -> Report {
        let tasks: Vec<_> = self
            .0
            .drain(..)
            .map(|handle| task::spawn(converse(handle, times)))
            .collect();
        let mut total = Report::default();
        for task in tasks {
            let (handle, report) = task.await;
            self.0.push(handle);
            total.gets += report.gets;
            total.asyncs += report.asyncs;
            total.errors += report.errors;
        }
        total
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

async fn converse(mut handle: Handle, times: usize) -> (Handle, Report) {
    let (mut report, mut sum) = (Report::default(), 0);
    for time in 1..=times {
        let number = i64::try_from(time).unwrap_or(1);
        for _ in 0..ASYNCS {
            if handle.set(number).await.is_err() {
                report.errors += 1;
                return (handle, report);
            }
            report.asyncs += 1;
            sum += number;
        }
        sum += number;
        match handle.get(number).await {
            Ok(answer) if answer == sum.into() => report.gets += 1,
            Ok(_) => report.errors += 1,
            Err(_) => {
                report.errors += 1;
                return (handle, report);
            }
        }
    }
    (handle, report)
}

/// How many connections are being opened at a time.
const AT_A_TIME: usize = 64;

/// How many asyncs go before each get.
pub(crate) const ASYNCS: usize = 4;
