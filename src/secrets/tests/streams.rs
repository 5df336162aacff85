//! Streams of any length: nothing is lost at a seam, nothing is told twice, memory stays.

use std::collections::BTreeSet;
use std::io::Read;

use palisade_secrets::{Limits, Match};

use crate::corpus::{engine, sha256};
use crate::draw::Draw;

/// Hands out a few bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.0.len().min(self.1).min(out.len());
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn key(found: &Match) -> (u64, u64, String, Option<String>) {
    (
        found.start,
        found.end,
        found.rule.clone(),
        found.key_id.clone(),
    )
}

#[test]
fn a_pair_is_found_wherever_a_seam_falls() {
    let mut draw = Draw(30);
    let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
    let sum = sha256(&secret);
    let filler = "nothing of note on this line\n".repeat(16_000);
    // Every place around the first two seams of the buffer, in steps that meet every phase.
    for seam in [256 * 1024, 264 * 1024, 284 * 1024, 304 * 1024] {
        for before in (0..140).step_by(7) {
            let at = seam - before;
            let text = format!(
                "{}\n{id},{secret}\n{}",
                &filler[..at - 1],
                &filler[..50_000]
            );
            let (matches, _) = engine().scan_bytes(text.as_bytes(), "x.csv", &Limits::default());
            assert_eq!(matches.len(), 2, "{at}: {matches:?}");
            assert_eq!(matches[1].sha256.as_ref(), Some(&sum));
            assert_eq!(matches[1].start, at as u64 + 21);
        }
    }
}

#[test]
fn a_private_key_is_whole_across_a_seam() {
    let mut draw = Draw(31);
    let pem = draw.pem("RSA PRIVATE KEY");
    let filler = "nothing of note on this line\n".repeat(16_000);
    for at in (255 * 1024..286 * 1024).step_by(997) {
        let text = format!("{}\n{pem}\n{}", &filler[..at], &filler[..50_000]);
        let (matches, _) = engine().scan_bytes(text.as_bytes(), "x.txt", &Limits::default());
        assert_eq!(matches.len(), 1, "{at}");
        assert_eq!(matches[0].sha256, Some(sha256(&pem)), "{at}");
    }
}

#[test]
fn the_answer_does_not_depend_on_how_bytes_arrive() {
    let mut draw = Draw(32);
    let (mut text, mut planted) = (String::new(), Vec::new());
    for i in 0..3000 {
        match i % 5 {
            0 => {
                planted.push(draw.secret());
                text += &format!(
                    "{},{}\n",
                    draw.key_id("AKIA", 5),
                    planted[planted.len() - 1]
                );
            }
            1 => {
                planted.push(draw.github("ghp_"));
                text += &format!("token={}\n", planted[planted.len() - 1]);
            }
            2 => text += &format!("{{\"accessKeyId\":\"{}\"}}\n", draw.key_id("ASIA", 7)),
            3 => text += &format!("commit {}\n", draw.hex(40)),
            _ => text += "a line of nothing in particular, a little longer than the others\n",
        }
    }
    let (whole, _) = engine().scan_bytes(text.as_bytes(), "x.txt", &Limits::default());
    let sums: BTreeSet<_> = whole.iter().filter_map(|m| m.sha256.clone()).collect();
    let missing: Vec<_> = planted
        .iter()
        .filter(|v| !sums.contains(&sha256(v)))
        .collect();
    assert!(
        missing.is_empty() && whole.len() == 1800,
        "{} {missing:?}",
        whole.len()
    );
    for step in [1013, 65_536] {
        let trickle = Trickle(text.as_bytes(), step);
        let (matches, _) = engine()
            .scan_stream(trickle, "x.txt", &Limits::default())
            .unwrap();
        assert!(
            matches.iter().map(key).eq(whole.iter().map(key)),
            "step {step}"
        );
    }
}

#[test]
fn a_log_full_of_ids_tells_none_of_them_and_loses_no_secret() {
    let mut draw = Draw(33);
    let mut text = String::new();
    for _ in 0..4000 {
        let id = draw.key_id("ASIA", 111_122_223_333);
        text += &format!(
            "{{\"eventName\":\"GetObject\",\"accessKeyId\":\"{id}\",\"requestID\":\"{}\"}}\n",
            draw.hex(16)
        );
    }
    let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
    text += &format!(
        "{{\"env\":{{\"AWS_ACCESS_KEY_ID\":\"{id}\",\"AWS_SECRET_ACCESS_KEY\":\"{secret}\"}}}}\n"
    );
    let (matches, _) = engine().scan_bytes(text.as_bytes(), "app.log", &Limits::default());
    assert_eq!(matches.len(), 2, "{matches:?}");
    assert!(matches.iter().all(|m| m.key_id.as_deref() == Some(&id[..])));
}
