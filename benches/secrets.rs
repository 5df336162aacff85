//! How fast the content engine reads text, all default rules on, beside SHA-256 on the same
//! core. The goal is a quarter of its speed on text. The last lines give the ratio of the best of
//! several alternating runs, which a busy machine cannot tilt, also for what the engine likes
//! least: logs of AWS in one line, key ids in every line, and pairs in every line, each of which
//! is a match. Beside it stands how a byte of four times the text compares: 1 is linear.
#![allow(clippy::print_stdout)]

use std::hint::black_box;
use std::time::Instant;

use criterion::{Criterion, Throughput, criterion_group};
use palisade_secrets::{Engine, Limits, Options};
use sha2::{Digest, Sha256};

/// Letters from a set, drawn from a fixed seed.
fn drawing() -> impl FnMut(&[u8], usize) -> String {
    let mut state = 1u64;
    move |set: &[u8], count: usize| -> String {
        (0..count)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                char::from(set[(state >> 33) as usize % set.len()])
            })
            .collect()
    }
}

/// Text of a kind that costs more than others: lines of a template in which `@I` is a key id's
/// body and `@S` a secret.
fn dense(bytes: usize, line: &str) -> String {
    let mut draw = drawing();
    let base32 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes + 1024);
    while out.len() < bytes {
        out += &line
            .replace("@I", &draw(base32, 16))
            .replace("@S", &draw(base64, 40));
    }
    out
}

/// Text as buckets hold it: logs with key ids, source code, JSON and prose, from a fixed seed.
fn text(bytes: usize) -> String {
    let mut draw = drawing();
    let (hex, base32) = (
        &b"0123456789abcdef"[..],
        &b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[..],
    );
    let mut out = String::with_capacity(bytes + 1024);
    let mut line = 0u32;
    while out.len() < bytes {
        line += 1;
        out += &match line % 8 {
            0 => format!(
                "{{\"eventName\":\"GetObject\",\"userIdentity\":{{\"accessKeyId\":\"ASIA{}\"}},\"requestID\":\"{}\"}}\n",
                draw(base32, 16),
                draw(hex, 16)
            ),
            1 => format!("10.0.0.7 - - [01/Nov/2026:10:10:10 +0000] \"GET /api/v1/items/{line}?page=2 HTTP/1.1\" 200 512 \"https://www.corp.test/\"\n"),
            2 => format!("commit {} by the build of branch main\n", draw(hex, 40)),
            3 => "    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> { self.inner.read(out) }\n".to_owned(),
            4 => format!("{{\"id\":{line},\"name\":\"item {line}\",\"tags\":[\"a\",\"b\"],\"digest\":\"{}\"}}\n", draw(hex, 64)),
            5 => "The quick brown fox reads the manual, then jumps over the lazy dog and its password prompt.\n".to_owned(),
            6 => format!("2026-11-01T10:10:10Z INFO worker-3 request {} finished in 12 ms\n", draw(hex, 32)),
            _ => "  resources:\n    limits: { cpu: 500m, memory: 256Mi }\n    secretKeyRef: { name: app, key: token }\n".to_owned(),
        };
    }
    out
}

fn engine() -> Engine {
    Engine::new(Options::default()).expect("the built-in rules compile")
}

fn scan(engine: &Engine, text: &str) -> usize {
    engine
        .scan_bytes(text.as_bytes(), "notes.txt", &Limits::default())
        .0
        .len()
}

fn speed(criterion: &mut Criterion) {
    let (engine, text) = (engine(), text(16 << 20));
    let mut group = criterion.benchmark_group("text");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("engine", |b| b.iter(|| black_box(scan(&engine, &text))));
    group.bench_function("sha256", |b| {
        b.iter(|| black_box(Sha256::digest(text.as_bytes())))
    });
    group.finish();
    // Twice the text, twice the time: the engine is linear.
    let mut group = criterion.benchmark_group("length");
    for length in [1usize << 20, 4 << 20, 16 << 20] {
        group
            .sample_size(10)
            .throughput(Throughput::Bytes(length as u64));
        let part = &text[..length];
        group.bench_function(format!("{} MiB", length >> 20), |b| {
            b.iter(|| black_box(scan(&engine, part)))
        });
    }
    group.finish();
}

fn ratio(kind: &str, text: &str) {
    let engine = engine();
    let (mut best_engine, mut best_sha) = (f64::MAX, f64::MAX);
    let mut best_quarter = f64::MAX;
    let quarter = &text[..text.len() / 4];
    for _ in 0..8 {
        let begun = Instant::now();
        black_box(scan(&engine, text));
        best_engine = best_engine.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        black_box(Sha256::digest(text.as_bytes()));
        best_sha = best_sha.min(begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        black_box(scan(&engine, quarter));
        best_quarter = best_quarter.min(begun.elapsed().as_secs_f64());
    }
    let rate = |seconds: f64| text.len() as f64 / 1e6 / seconds;
    println!(
        "{kind}: engine {:.0} MB/s, SHA-256 {:.0} MB/s: ratio {:.2}; four times the text, {:.2} \
         of the time a byte",
        rate(best_engine),
        rate(best_sha),
        best_sha / best_engine,
        best_engine / best_quarter / 4.0
    );
}

criterion_group!(benches, speed);

fn main() {
    benches();
    Criterion::default().configure_from_args().final_summary();
    let size = 16 << 20;
    ratio("text", &text(size));
    let trail = "{\"eventVersion\":\"1.09\",\"userIdentity\":{\"accountId\":\"111122223333\",\
                 \"accessKeyId\":\"ASIA@I\"},\"eventTime\":\"2026-11-01T10:10:10Z\",\
                 \"eventSource\":\"s3.amazonaws.com\",\"eventName\":\"GetObject\"},";
    ratio("records of AWS in one line", &dense(size, trail));
    ratio(
        "a key id in every line",
        &dense(size, "t=12:34:56 key=ASIA@I ok=1 n=000001\n"),
    );
    ratio("a pair in every line", &dense(size / 4, "ASIA@I,@S\n"));
}
