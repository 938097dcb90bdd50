//! A gateway: asks two processes what a client asks, and answers with the list of both answers.
//!
//! ```text
//!  client ── get ──▶ request ──▶ queue ──▶ thread ── get ──▶ process
//!         ◀─ answer ── Reply ◀── the last ─╯
//!                           ╰── queue ──▶ thread ── get ──▶ process
//! ```
//!
//! Each process has one thread that asks it, as a process answers one request after the other anyway.
//! The answer is put off until both have come, so no client keeps another waiting, and the gateway
//! waits for nobody.
//!
//! ```sh
//! cargo run --example gateway -- 5000 :localhost:5010 :localhost:5011
//! ```

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use hopen_blocking::server::{Answer, Client, Handler, Reply, Server, ServerOptions};
use hopen_blocking::{Handle, Listener, Options, hopen};
use hopen_codec::remote_error::RemoteError;
use hopen_codec::value::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [listen, one, other] = &arguments[..] else {
        return Err("gateway PORT HANDLE HANDLE".into());
    };
    let processes = [one.try_into()?, other.try_into()?];
    let listener = Listener::bind(listen.as_str())?;
    writeln!(io::stdout(), "listening on {}", listener.local_addr()?)?;
    let gateway = Gateway::start(processes)?;
    Server::new(listener, gateway, ServerOptions::default())?.run();
    Ok(())
}

/// What answers the clients.
pub(crate) struct Gateway {
    queues: [Sender<Arc<Job>>; 2],
}

impl Gateway {
    /// Starts a thread for each process. It connects when there is something to ask.
    pub(crate) fn start(processes: [Options; 2]) -> io::Result<Self> {
        let [one, other] = processes;
        Ok(Self {
            queues: [start(0, one)?, start(1, other)?],
        })
    }
}

impl Handler for Gateway {
    fn request(&self, _client: &Client, query: Value) -> Answer<'_> {
        Answer::deferred(move |reply| {
            let job = Arc::new(Job {
                query,
                progress: Mutex::new(Progress {
                    answers: [None, None],
                    reply: Some(reply),
                }),
            });
            for queue in &self.queues {
                // Where a thread has ended, the job is dropped unfinished, which answers with an error.
                drop(queue.send(Arc::clone(&job)));
            }
        })
    }
}

/// What a client has asked.
struct Job {
    query: Value,
    progress: Mutex<Progress>,
}

/// What has come of it.
struct Progress {
    answers: [Option<Value>; 2],
    /// Taken with the last answer, or the first error.
    reply: Option<Reply>,
}

impl Job {
    /// Takes the answer of one process.
    fn answered(&self, process: usize, answer: Result<Value, RemoteError>) {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let complete = match answer {
            Ok(answer) => {
                progress.answers[process] = Some(answer);
                let [Some(one), Some(other)] = &progress.answers else {
                    return;
                };
                Ok(Value::from(vec![one.clone(), other.clone()]))
            }
            Err(error) => Err(error),
        };
        if let Some(reply) = progress.reply.take() {
            // A client that has gone waits for nothing; one that does not understand it was told.
            let _ = reply.answer(complete);
        }
    }
}

fn start(process: usize, options: Options) -> io::Result<Sender<Arc<Job>>> {
    let (queue, jobs) = mpsc::channel();
    let thread = thread::Builder::new().name(format!("process {process}"));
    thread.spawn(move || ask(process, &options, &jobs))?;
    Ok(queue)
}

/// Asks one process one thing after the other.
fn ask(process: usize, options: &Options, jobs: &Receiver<Arc<Job>>) {
    let mut open: Option<Handle> = None;
    for job in jobs {
        let answer = connected(&mut open, options).and_then(|handle| handle.get(job.query.clone()));
        let answer = answer.map_err(|error| {
            if let hopen_blocking::Error::Remote(error) = error {
                return error;
            }
            // The next one tries it again.
            open = None;
            RemoteError::new(format!("gateway: {error}")).expect("an error's text has no NUL")
        });
        job.answered(process, answer);
    }
}

fn connected<'a>(
    open: &'a mut Option<Handle>,
    options: &Options,
) -> Result<&'a mut Handle, hopen_blocking::Error> {
    if open.is_none() {
        *open = Some(hopen(options.clone())?);
    }
    Ok(open.as_mut().expect("it is open"))
}
