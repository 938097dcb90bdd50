//! What a library implements to be measured over sockets, and the timing loops.
//!
//! All of it is async functions, so that the loops are the same for all. Those of a blocking library
//! never wait; its [`Runtime`] polls once.

use std::error::Error;
use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::server::{COUNT, EXPECT};
use super::{Address, Work};
use crate::subject::Rank;
use crate::workloads::Workload;

/// A library that can connect, or a limit beside which they are seen.
pub trait Library {
    type Runtime: Runtime;
    type Connection: Connection;

    fn name(&self) -> &'static str;

    fn rank(&self) -> Rank {
        Rank::Peer
    }

    fn does(&self, _work: Work) -> bool {
        true
    }

    /// Returns what its connections run in.
    fn runtime(&self) -> Result<Self::Runtime, Box<dyn Error>>;

    async fn connect(&self, to: Address) -> Result<Self::Connection, Box<dyn Error>>;
}

/// An open connection.
pub trait Connection {
    type Value;

    /// Makes the value of the message that will be sent, as a program would have made it.
    fn load(&mut self, workload: &Workload) -> Result<(), Box<dyn Error>>;

    /// Asks and waits for the answer.
    async fn get(&mut self, question: &str) -> Result<Self::Value, Box<dyn Error>>;

    /// Sends the message, or has it sent with what comes after it.
    async fn set(&mut self) -> Result<(), Box<dyn Error>>;

    /// Writes what was not written yet.
    async fn flush(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(())
    }

    /// Reads every element and adds them up as `workloads` does. A limit only knows longs.
    fn visit(&self, value: &Self::Value) -> Option<u64>;
}

/// Runs futures to their end.
pub trait Runtime {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T;
}

/// Of a library that blocks.
pub struct NoRuntime;

impl Runtime for NoRuntime {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it blocks, so it is ready when it returns"),
        }
    }
}

#[cfg(any(feature = "kdb_codec", feature = "kxkdb"))]
impl Runtime for tokio::runtime::Runtime {
    fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        Self::block_on(self, future)
    }
}

/// A library of any types, or a program that measures one by itself.
pub trait Measured {
    fn name(&self) -> &'static str;
    fn rank(&self) -> Rank;
    fn does(&self, work: Work) -> bool;
    /// Connects, and checks that what is sent and received is right; `Ok(false)` where the client
    /// cannot do this.
    fn prepare(
        &mut self,
        to: Address,
        work: Work,
        workload: &Workload,
    ) -> Result<bool, Box<dyn Error>>;
    /// Does the work so many times and returns the nanoseconds of one time.
    fn run(&mut self, work: Work, workload: &Workload, times: u32) -> Result<f64, Box<dyn Error>>;
    fn close(&mut self);
}

/// A library and its connection, if that is open.
pub(super) struct Client<L: Library> {
    library: L,
    open: Option<(L::Runtime, L::Connection)>,
}

impl<L: Library> Client<L> {
    pub(super) const fn new(library: L) -> Self {
        Self {
            library,
            open: None,
        }
    }
}

impl<L: Library> Measured for Client<L> {
    fn name(&self) -> &'static str {
        self.library.name()
    }

    fn rank(&self) -> Rank {
        self.library.rank()
    }

    fn does(&self, work: Work) -> bool {
        self.library.does(work)
    }

    fn prepare(
        &mut self,
        to: Address,
        work: Work,
        workload: &Workload,
    ) -> Result<bool, Box<dyn Error>> {
        let runtime = self.library.runtime()?;
        let mut connection = runtime.block_on(self.library.connect(to))?;
        connection.load(workload)?;
        runtime.block_on(async {
            let expect = format!("{EXPECT}{}", workload.id);
            ask(&mut connection, &expect, 0).await?;
            if work.sends() {
                // One by one and together.
                publish(&mut connection, 3, true).await?;
                return publish(&mut connection, 3, false).await.map(|_| ());
            }
            let value = connection.get(workload.id).await?;
            match connection.visit(&value) {
                Some(sum) => same(sum, workload.checksum),
                None if self.library.rank() == Rank::Limit => Ok(()),
                None => Err("a value that cannot be read".into()),
            }
        })?;
        self.open = Some((runtime, connection));
        Ok(true)
    }

    fn run(&mut self, work: Work, workload: &Workload, times: u32) -> Result<f64, Box<dyn Error>> {
        let (runtime, connection) = self.open.as_mut().ok_or("it is not connected")?;
        let spent = runtime.block_on(async {
            match work {
                Work::RoundTrip => round_trips(connection, workload, times).await,
                Work::InTurn => in_turn(connection, times).await,
                Work::Publish => publish(connection, times, true).await,
                Work::PublishBatched => publish(connection, times, false).await,
                Work::Receive => receive(connection, workload, times).await,
                Work::ReceiveVisitDrop => receive_visit_drop(connection, workload, times).await,
            }
        })?;
        Ok(spent.as_nanos() as f64 / f64::from(times))
    }

    fn close(&mut self) {
        if let Some((runtime, connection)) = self.open.take() {
            // It may need its runtime for that.
            runtime.block_on(async { drop(connection) });
        }
    }
}

async fn round_trips(
    connection: &mut impl Connection,
    workload: &Workload,
    times: u32,
) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..times {
        ask(connection, workload.id, workload.checksum).await?;
    }
    Ok(start.elapsed())
}

async fn in_turn(connection: &mut impl Connection, times: u32) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..times {
        connection.set().await?;
        ask(connection, COUNT, 1).await?;
    }
    Ok(start.elapsed())
}

async fn publish(
    connection: &mut impl Connection,
    times: u32,
    one_by_one: bool,
) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..times {
        connection.set().await?;
        if one_by_one {
            connection.flush().await?;
        }
    }
    connection.flush().await?;
    ask(connection, COUNT, times.into()).await?;
    Ok(start.elapsed())
}

/// Times each answer alone, and drops it off the clock.
async fn receive(
    connection: &mut impl Connection,
    workload: &Workload,
    times: u32,
) -> Result<Duration, Box<dyn Error>> {
    let mut spent = Duration::ZERO;
    for _ in 0..times {
        let start = Instant::now();
        let value = black_box(connection.get(workload.id).await?);
        spent += start.elapsed();
        drop(value);
    }
    Ok(spent)
}

async fn receive_visit_drop(
    connection: &mut impl Connection,
    workload: &Workload,
    times: u32,
) -> Result<Duration, Box<dyn Error>> {
    let start = Instant::now();
    for _ in 0..times {
        let value = connection.get(workload.id).await?;
        if let Some(sum) = connection.visit(&value) {
            same(sum, workload.checksum)?;
        }
    }
    Ok(start.elapsed())
}

async fn ask(
    connection: &mut impl Connection,
    question: &str,
    expected: u64,
) -> Result<(), Box<dyn Error>> {
    let answer = connection.get(question).await?;
    same(
        connection
            .visit(&answer)
            .ok_or("an answer that is no long")?,
        expected,
    )
}

fn same(found: u64, expected: u64) -> Result<(), Box<dyn Error>> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{found} where {expected} is right").into())
    }
}
