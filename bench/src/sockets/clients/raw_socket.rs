//! The limits: bytes that are there beforehand, plain reads and writes, and nothing decoded.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixStream};

use crate::sockets::client::{self, NoRuntime};
use crate::sockets::{Address, Medium, Work};
use crate::subject::Rank;
use crate::workloads::{self, Workload};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// A write for each message.
    OneByOne,
    /// A write for 64 KiB of them, and one for an async message and the question after it.
    Batched,
}

impl client::Library for Library {
    type Runtime = NoRuntime;
    type Connection = Connection;

    fn name(&self) -> &'static str {
        match self {
            Self::OneByOne => "raw socket",
            Self::Batched => "raw socket batched",
        }
    }

    fn rank(&self) -> Rank {
        Rank::Limit
    }

    fn does(&self, work: Work) -> bool {
        *self == Self::OneByOne || matches!(work, Work::InTurn | Work::PublishBatched)
    }

    fn runtime(&self) -> Result<NoRuntime, Box<dyn Error>> {
        Ok(NoRuntime)
    }

    async fn connect(&self, to: Address) -> Result<Connection, Box<dyn Error>> {
        let mut stream: Box<dyn Stream> = match to.medium {
            Medium::Tcp => {
                let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, to.port))?;
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Medium::Unix => {
                let name = SocketAddr::from_abstract_name(format!("/tmp/kx.{}", to.port))?;
                Box::new(UnixStream::connect_addr(&name)?)
            }
        };
        stream.write_all(b"\x03\0")?;
        stream.read_exact(&mut [0])?;
        Ok(Connection {
            stream,
            message: Vec::new(),
            unwritten: Vec::with_capacity(WRITTEN_AT),
            written_at: match self {
                Self::OneByOne => 0,
                Self::Batched => WRITTEN_AT,
            },
            answer: vec![0; READ_AT_LEAST],
        })
    }
}

pub struct Connection {
    stream: Box<dyn Stream>,
    message: Vec<u8>,
    unwritten: Vec<u8>,
    written_at: usize,
    /// As long as the longest answer so far.
    answer: Vec<u8>,
}

trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

impl Connection {
    fn write(&mut self) -> io::Result<()> {
        self.stream.write_all(&self.unwritten)?;
        self.unwritten.clear();
        Ok(())
    }
}

impl client::Connection for Connection {
    /// The length of the answer, which is in the buffer.
    type Value = usize;

    fn load(&mut self, workload: &Workload) -> Result<(), Box<dyn Error>> {
        self.message = workload.as_async();
        Ok(())
    }

    async fn get(&mut self, question: &str) -> Result<usize, Box<dyn Error>> {
        self.unwritten.extend(workloads::question(question));
        self.write()?;
        let mut arrived = 0;
        while arrived < HEADER {
            match self.stream.read(&mut self.answer[arrived..])? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                count => arrived += count,
            }
        }
        let length = u32::from_le_bytes(self.answer[4..HEADER].try_into()?) as usize;
        if self.answer.len() < length {
            self.answer.resize(length, 0);
        }
        self.stream.read_exact(&mut self.answer[arrived..length])?;
        Ok(length)
    }

    async fn set(&mut self) -> Result<(), Box<dyn Error>> {
        self.unwritten.extend(&self.message);
        if self.unwritten.len() >= self.written_at {
            self.write()?;
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Box<dyn Error>> {
        Ok(self.write()?)
    }

    fn visit(&self, length: &usize) -> Option<u64> {
        let long = self.answer[..*length].get(HEADER + 1..)?;
        Some(u64::from_le_bytes(long.try_into().ok()?))
    }
}

const HEADER: usize = 8;

const READ_AT_LEAST: usize = 64 * 1024;

const WRITTEN_AT: usize = 64 * 1024;
