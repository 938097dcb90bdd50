//! Parts of the codec by themselves, for daily work: what one change does to one part.
//!
//! ```text
//! cargo bench --manifest-path bench/Cargo.toml                       all, beside the last run
//! cargo bench --manifest-path bench/Cargo.toml -- symbols            those with this in their name
//! cargo bench --manifest-path bench/Cargo.toml -- --save-baseline x  kept under a name
//! cargo bench --manifest-path bench/Cargo.toml -- --baseline x       beside that
//! ```

use std::hint::black_box;

use bytes::{Buf, Bytes, BytesMut};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use hopen_bench::subject::Subject as _;
use hopen_bench::subjects::hopen::Subject;
use hopen_bench::workloads::{self, Workload};
use hopen_codec::address::Address;
use hopen_codec::auth::Credentials;
use hopen_codec::byte_order::ByteOrder;
use hopen_codec::compress::{self, Form};
use hopen_codec::config::{Config, Limits};
use hopen_codec::frame::FrameDecoder;
use hopen_codec::handshake::{ClientHandshake, Progress, ServerHandshake};
use hopen_codec::outbox::Outbox;
use hopen_codec::value::{Symbol, Symbols, Value};

criterion_group!(
    parts,
    address,
    login,
    frames,
    decode,
    visit,
    symbols,
    encode,
    text,
    compression
);
criterion_main!(parts);

fn address(criterion: &mut Criterion) {
    let text = ":unixs://5010:ann:se:cret";
    criterion.bench_function("address", |bench| {
        bench.iter(|| black_box(text).parse::<Address>().expect("a handle"));
    });
}

/// Both sides of a login.
fn login(criterion: &mut Criterion) {
    let credentials = Credentials::parse(b"ann:se:cret").expect("a login");
    criterion.bench_function("login", |bench| {
        bench.iter(|| {
            let (mut there, mut back) = (Outbox::default(), Outbox::default());
            let client = ClientHandshake::start(&credentials, Config::client(), &mut there)
                .expect("a login");
            let server = ServerHandshake::start(Config::server());
            let Ok(Progress::Done(login)) = server.receive(&mut input(&mut there)) else {
                panic!("a whole login");
            };
            let server = login.accept(&mut back);
            let Ok(Progress::Done(client)) = client.receive(&mut input(&mut back)) else {
                panic!("a whole answer");
            };
            (client, server)
        });
    });
}

/// Small messages out of one buffer.
fn frames(criterion: &mut Criterion) {
    let wire = workloads::build("W5t", 1.0).message.repeat(1000);
    let mut group = criterion.benchmark_group("frames");
    group.throughput(Throughput::Elements(1000));
    group.bench_function("1000 small messages", |bench| {
        bench.iter_batched_ref(
            || BytesMut::from(&wire[..]),
            |input| {
                let mut frames = FrameDecoder::new(Limits::LARGEST_MESSAGE);
                let mut bytes = 0;
                while let Some(message) = frames.decode(input).expect("messages") {
                    bytes += message.body.len();
                }
                bytes
            },
            BatchSize::SmallInput,
        );
    });
}

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode");
    for workload in some() {
        let mut subject = Subject::default();
        subject.load(&workload);
        group.throughput(Throughput::Bytes(workload.message.len() as u64));
        group.bench_function(workload.id, |bench| {
            bench.iter(|| subject.decode().expect("a value"));
        });
    }
}

fn visit(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("visit");
    for workload in some() {
        let mut subject = Subject::default();
        subject.load(&workload);
        let value = subject.decode().expect("a value");
        group.throughput(Throughput::Bytes(workload.message.len() as u64));
        group.bench_function(workload.id, |bench| bench.iter(|| subject.visit(&value)));
    }
}

fn symbols(criterion: &mut Criterion) {
    let mut subject = Subject::default();
    subject.load(&workloads::build("W3", SCALE));
    let value = subject.decode().expect("a value");
    let symbols = value.to::<Vec<Symbol>>().expect("symbols");
    let mut group = criterion.benchmark_group("symbols");
    group.throughput(Throughput::Elements(symbols.len() as u64));
    group.bench_function("to a vector of symbols", |bench| {
        bench.iter(|| value.to::<Vec<Symbol>>().expect("symbols"));
    });
    group.bench_function("from a vector of symbols", |bench| {
        bench.iter(|| Symbols::from_iter(&symbols));
    });
    group.bench_function("from texts", |bench| {
        let texts: Vec<_> = symbols.iter().map(ToString::to_string).collect();
        bench.iter(|| {
            let symbols = texts.iter().map(|text| Symbol::new(text).expect("no NUL"));
            symbols.collect::<Symbols>()
        });
    });
}

fn encode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("encode");
    for workload in some() {
        let mut subject = Subject::default();
        subject.load(&workload);
        let own = subject.own().expect("a value");
        group.throughput(Throughput::Bytes(workload.message.len() as u64));
        group.bench_function(workload.id, |bench| {
            bench.iter(|| subject.send(&own).expect("it can be sent"));
        });
    }
}

/// The short text form.
fn text(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("text");
    for id in ["W5", "W4"] {
        let mut subject = Subject::default();
        subject.load(&workloads::build(id, SCALE));
        let value: Value = subject.decode().expect("a value");
        group.bench_function(id, |bench| bench.iter(|| value.to_string()));
    }
}

fn compression(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("compression");
    for id in ["W6", "W6x"] {
        let workload = workloads::build(id, SCALE);
        group.throughput(Throughput::Bytes(workload.message.len() as u64));
        group.bench_function(format!("compress {id}"), |bench| {
            bench.iter(|| compress::compress(&workload.message[8..], ByteOrder::Little));
        });
        let Some(compressed) = &workload.compressed else {
            continue;
        };
        group.bench_function(format!("decompress {id}"), |bench| {
            bench.iter(|| {
                let limit = Limits::LARGEST_MESSAGE;
                compress::decompress(Form::Short, &compressed[8..], ByteOrder::Little, limit)
                    .expect("it was compressed")
            });
        });
    }
}

/// The workloads of values, at a size that stays in the cache.
fn some() -> impl Iterator<Item = Workload> {
    ["W1", "W3", "W4", "W5", "W5t", "W8", "W9"]
        .into_iter()
        .map(|id| workloads::build(id, SCALE))
}

fn input(outbox: &mut Outbox) -> BytesMut {
    let bytes: Bytes = outbox.copy_to_bytes(outbox.remaining());
    BytesMut::from(bytes)
}

const SCALE: f64 = 0.01;
