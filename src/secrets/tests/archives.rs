//! Archives, encodings and bombs: what is inside is found, and costs no more than allowed.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use palisade_secrets::{Limits, Match};

use crate::corpus::{engine, sha256};
use crate::draw::{Draw, encode};

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        if name.len() > 100 {
            header(&mut out, "././@LongLink", name.len() + 1, b'L');
            out.extend_from_slice(name.as_bytes());
            out.push(0);
            pad(&mut out);
        }
        header(&mut out, &name[..name.len().min(100)], bytes.len(), b'0');
        out.extend_from_slice(bytes);
        pad(&mut out);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn header(out: &mut Vec<u8>, name: &str, size: usize, kind: u8) {
    let mut block = [0u8; 512];
    block[..name.len()].copy_from_slice(name.as_bytes());
    block[100..107].copy_from_slice(b"0000644");
    block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
    block[136..147].copy_from_slice(b"14000000000");
    block[148..156].copy_from_slice(b"        ");
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|&b| u32::from(b)).sum();
    block[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    out.extend_from_slice(&block);
}

fn pad(out: &mut Vec<u8>) {
    out.resize(out.len().div_ceil(512) * 512, 0);
}

/// How the members of a zip are written.
#[derive(Clone, Copy)]
pub(crate) enum Packed {
    Stored,
    Deflated,
    /// Sizes behind the data, as streaming writers do.
    Streamed,
}

pub(crate) fn zip(members: &[(&str, &[u8])], packed: Packed) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, bytes) in members {
        let at = out.len() as u32;
        let (method, data) = match packed {
            Packed::Stored => (0u16, bytes.to_vec()),
            Packed::Deflated | Packed::Streamed => {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                (8, encoder.finish().unwrap())
            }
        };
        let streamed = matches!(packed, Packed::Streamed);
        let sizes: Vec<u8> = [
            crc32fast::hash(bytes),
            data.len() as u32,
            bytes.len() as u32,
        ]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect();
        let flags: u16 = if streamed { 8 } else { 0 };
        let mut fixed = Vec::new();
        fixed.extend_from_slice(&20u16.to_le_bytes());
        fixed.extend_from_slice(&flags.to_le_bytes());
        fixed.extend_from_slice(&method.to_le_bytes());
        fixed.extend_from_slice(&[0; 4]);
        let told = if streamed { vec![0; 12] } else { sizes.clone() };
        out.extend_from_slice(b"PK\x03\x04");
        out.extend_from_slice(&fixed);
        out.extend_from_slice(&told);
        out.extend_from_slice(&(name.len() as u16).to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(&data);
        if streamed {
            out.extend_from_slice(b"PK\x07\x08");
            out.extend_from_slice(&sizes);
        }
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&fixed);
        directory.extend_from_slice(&sizes);
        directory.extend_from_slice(&(name.len() as u16).to_le_bytes());
        directory.extend_from_slice(&[0; 12]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let at = out.len() as u32;
    out.extend_from_slice(&directory);
    out.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    out.extend_from_slice(&(members.len() as u16).to_le_bytes());
    out.extend_from_slice(&(members.len() as u16).to_le_bytes());
    out.extend_from_slice(&(directory.len() as u32).to_le_bytes());
    out.extend_from_slice(&at.to_le_bytes());
    out.extend_from_slice(&[0; 2]);
    out
}

pub(crate) fn utf16(text: &str, big: bool, mark: bool) -> Vec<u8> {
    let units = mark
        .then_some(0xfeff)
        .into_iter()
        .chain(text.encode_utf16());
    units
        .flat_map(|unit| {
            if big {
                unit.to_be_bytes()
            } else {
                unit.to_le_bytes()
            }
        })
        .collect()
}

/// A file with a pair in it.
fn sample(draw: &mut Draw) -> (String, String, String) {
    let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
    let text = format!(
        "# settings\n[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
    );
    (text, id, secret)
}

fn found<'a>(matches: &'a [Match], secret: &str) -> Option<&'a Match> {
    let sum = sha256(secret);
    matches
        .iter()
        .find(|m| m.sha256.as_ref() == Some(&sum) && m.paired)
}

#[test]
fn what_is_packed_is_found_by_its_inner_name_and_place() {
    let mut draw = Draw(20);
    let (text, _, secret) = sample(&mut draw);
    let bytes = text.as_bytes();
    let at = text.find(&secret).unwrap() as u64;
    let long = format!("{}/.env", "folder/".repeat(20));
    let many: Vec<(&str, &[u8])> = vec![
        ("a.txt", b"nothing"),
        ("deep/.env", bytes),
        ("z.txt", b"more"),
    ];
    let cases: Vec<(&str, Vec<u8>, Option<&str>)> = vec![
        ("x.gz", gzip(bytes), None),
        ("x.tar", tar(&many), Some("deep/.env")),
        ("x.tar", tar(&[(&long, bytes)]), Some(&long)),
        ("x.tgz", gzip(&tar(&many)), Some("deep/.env")),
        ("x.zip", zip(&many, Packed::Stored), Some("deep/.env")),
        ("x.zip", zip(&many, Packed::Deflated), Some("deep/.env")),
        ("x.zip", zip(&many, Packed::Streamed), Some("deep/.env")),
        (
            "x.zip",
            zip(&[("in.zip", &zip(&many, Packed::Deflated))], Packed::Stored),
            Some("in.zip!deep/.env"),
        ),
        (
            "x.zip",
            zip(&[("in.tgz", &gzip(&tar(&many)))], Packed::Deflated),
            Some("in.tgz!deep/.env"),
        ),
        (
            "x.tgz",
            gzip(&tar(&[("in.zip", &zip(&many, Packed::Streamed))])),
            Some("in.zip!deep/.env"),
        ),
        (
            "x.tgz",
            gzip(&tar(&[("log.gz", &gzip(bytes))])),
            Some("log.gz"),
        ),
        ("x.gz.gz", gzip(&gzip(bytes)), None),
    ];
    for (name, packed, inner) in cases {
        let (matches, outcome) = engine().scan_bytes(&packed, name, &Limits::default());
        let hit = found(&matches, &secret)
            .unwrap_or_else(|| panic!("{name} {inner:?}: {matches:?} {outcome:?}"));
        assert_eq!(hit.inner.as_deref(), inner, "{name}");
        assert_eq!((hit.start, hit.end), (at, at + 40), "{name}");
        assert!(outcome.unread.is_empty(), "{name}: {outcome:?}");
    }
}

#[test]
fn utf16_is_read_with_and_without_its_mark() {
    let mut draw = Draw(21);
    let (text, id, secret) = sample(&mut draw);
    for (big, mark) in [(false, true), (true, true), (false, false), (true, false)] {
        let bytes = utf16(&text, big, mark);
        for (packed, inner) in [
            (bytes.clone(), None),
            (zip(&[("u.txt", &bytes)], Packed::Deflated), Some("u.txt")),
        ] {
            let (matches, _) = engine().scan_bytes(&packed, "export.txt", &Limits::default());
            let hit =
                found(&matches, &secret).unwrap_or_else(|| panic!("{big} {mark}: {matches:?}"));
            let start = 2 * (text.find(&secret).unwrap() as u64 + u64::from(mark));
            assert_eq!((hit.start, hit.end), (start, start + 80));
            assert_eq!(
                (hit.key_id.as_deref(), hit.inner.as_deref()),
                (Some(&id[..]), inner)
            );
        }
    }
}

#[test]
fn archives_nest_two_deep_and_the_rest_is_told() {
    let mut draw = Draw(22);
    let (text, _, secret) = sample(&mut draw);
    let mut packed = text.into_bytes();
    for level in 1..=4 {
        packed = zip(&[("in", &packed)], Packed::Deflated);
        let (matches, outcome) = engine().scan_bytes(&packed, "x.zip", &Limits::default());
        assert_eq!(
            found(&matches, &secret).is_some(),
            level <= 2,
            "level {level}"
        );
        assert_eq!(
            outcome.unread.is_empty(),
            level <= 2,
            "level {level}: {outcome:?}"
        );
    }
}

/// Endless zeros, compressed as they are asked for.
struct Bomb {
    encoder: GzEncoder<Vec<u8>>,
    zeros: Vec<u8>,
    given: usize,
}

impl Read for Bomb {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        while self.encoder.get_ref().len() == self.given {
            self.encoder.write_all(&self.zeros)?;
        }
        let ready = &self.encoder.get_ref()[self.given..];
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.given += count;
        Ok(count)
    }
}

#[test]
fn a_bomb_is_left_where_it_lies() {
    let bomb = Bomb {
        encoder: GzEncoder::new(Vec::new(), Compression::fast()),
        zeros: vec![0; 1 << 20],
        given: 0,
    };
    let limits = Limits {
        inflated_bytes: 1 << 40,
        ..Limits::default()
    };
    let (_, outcome) = engine().scan_stream(bomb, "x.gz", &limits).unwrap();
    assert!(outcome.bytes < 64 << 20, "{} bytes", outcome.bytes);
    assert_eq!(
        outcome.unread[0].why,
        "inflates more than 200 times: the rest"
    );
}

#[test]
fn the_budget_holds_across_members_to_the_byte() {
    let mut draw = Draw(23);
    let noise: Vec<u8> = draw.base64(40_000).into_bytes();
    let members: Vec<(&str, &[u8])> = (0..10).map(|_| ("m", &noise[..])).collect();
    for packed in [
        zip(&members, Packed::Deflated),
        zip(&members, Packed::Streamed),
    ] {
        let limits = Limits {
            inflated_bytes: 100_000,
            ..Limits::default()
        };
        let (_, outcome) = engine().scan_bytes(&packed, "x.zip", &limits);
        assert_eq!(outcome.bytes, 100_000);
        assert!(!outcome.unread.is_empty());
    }
}

#[test]
fn too_many_members_are_told() {
    let members: Vec<(&str, &[u8])> = (0..50).map(|_| ("m", &b"x"[..])).collect();
    let limits = Limits {
        members: 20,
        ..Limits::default()
    };
    for packed in [zip(&members, Packed::Stored), tar(&members)] {
        let (_, outcome) = engine().scan_bytes(&packed, "x", &limits);
        assert_eq!(outcome.unread[0].why, "more than 20 members: the rest");
    }
}

#[test]
fn damage_is_told_and_what_came_before_it_is_found() {
    let mut draw = Draw(24);
    let (text, _, secret) = sample(&mut draw);
    let noise = draw.base64(200_000);
    let whole = text + &noise;
    for (name, packed) in [
        ("x.gz", gzip(whole.as_bytes())),
        ("x.zip", zip(&[("m", whole.as_bytes())], Packed::Deflated)),
        ("x.tar", tar(&[("m", whole.as_bytes())])),
    ] {
        let cut = &packed[..packed.len() / 2];
        let (matches, outcome) = engine().scan_bytes(cut, name, &Limits::default());
        assert!(found(&matches, &secret).is_some(), "{name}");
        assert!(
            outcome.unread.iter().any(|u| u.why.starts_with("damaged")),
            "{name}: {outcome:?}"
        );
    }
}

#[test]
fn formats_that_are_not_opened_are_told() {
    for (magic, why) in [
        (&b"7z\xbc\xaf\x27\x1crest"[..], "7z is not opened"),
        (b"Rar!\x1a\x07rest", "rar is not opened"),
        (b"\xfd7zXZ\0rest of it", "damaged: the rest"),
        (b"\x28\xb5\x2f\xfdrest", "damaged: the rest"),
        (b"BZh91AY&SYrest of it", "damaged: the rest"),
    ] {
        let (_, outcome) = engine().scan_bytes(magic, "x", &Limits::default());
        assert_eq!(outcome.unread[0].why, why);
    }
    let (_, outcome) = engine().scan_bytes(b"BZh is how the word begins", "x", &Limits::default());
    assert!(outcome.unread.is_empty());
}

#[test]
fn a_whole_script_in_base64_is_read() {
    let mut draw = Draw(25);
    let (id, secret) = (draw.key_id("AKIA", 111_122_223_333), draw.secret());
    let script = format!(
        "#!/bin/bash\nset -e\ncat > rootkey.csv <<EOF\nAccess key ID,Secret access key\n{id},{secret}\nEOF\n{}",
        "echo more of it\n".repeat(200)
    );
    for text in [
        format!("{{\"user_data_base64\":\"{}\"}}", encode(script.as_bytes())),
        format!("UserData: |\n{}", fold(&encode(script.as_bytes()), "  ")),
        format!(
            "Content-Transfer-Encoding: base64\r\n\r\n{}",
            fold(&encode(script.as_bytes()), "")
        ),
    ] {
        let (matches, _) = engine().scan_bytes(text.as_bytes(), "x.txt", &Limits::default());
        let hit = found(&matches, &secret).unwrap_or_else(|| panic!("{matches:?} in {text}"));
        assert_eq!(hit.key_id.as_deref(), Some(&id[..]));
        assert_eq!(hit.encoding.as_deref(), Some("base64"));
    }
}

fn fold(text: &str, indent: &str) -> String {
    text.as_bytes()
        .chunks(76)
        .map(|line| format!("{indent}{}\r\n", String::from_utf8_lossy(line)))
        .collect()
}

/// A token of a forge, put together here so that this file holds no whole one.
fn token() -> String {
    ["glp", "at-", "rGnZJb", "_BDzL8", "STYsAKKs"].concat()
}

#[test]
fn every_usual_compression_is_opened() {
    let text = format!("key = \"{}\"\n", token());
    let mut bzip2 = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    bzip2.write_all(text.as_bytes()).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(text.as_bytes()).unwrap();
    // The same line, as `xz -1` packs it.
    let xz = concat!(
        "fd377a585a000004e6d6b4460200210110000000a8708e860100226b6579203d2022676c7061742d72476e5a",
        "4a625f42447a4c3853545973414b4b73220a0000045feb8e2b03d59d00013b23612b53be1fb6f37d01000000",
        "0004595a"
    );
    let xz: Vec<u8> = (0..xz.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&xz[at..at + 2], 16).unwrap())
        .collect();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let zstd = ruzstd::encoding::compress_to_vec(text.as_bytes(), level);
    for (name, packed) in [
        ("bzip2", bzip2.finish().unwrap()),
        ("zlib", zlib.finish().unwrap()),
        ("xz", xz),
        ("zstd", zstd),
    ] {
        let (matches, outcome) = engine().scan_bytes(&packed, "x", &Limits::default());
        let spans: Vec<(u64, u64)> = matches.iter().map(|m| (m.start, m.end)).collect();
        assert_eq!(spans, [(7, 33)], "{name}: {outcome:?}");
        assert!(outcome.unread.is_empty(), "{name}: {outcome:?}");
    }
}

#[test]
fn four_bytes_a_character_are_read() {
    let text = format!("a line\nkey = \"{}\"\n", token());
    for (mark, order) in [
        (vec![0xff, 0xfe, 0, 0], true),
        (vec![0, 0, 0xfe, 0xff], false),
        (vec![], true),
    ] {
        let mut bytes: Vec<u8> = mark;
        let first = bytes.len() as u64;
        for letter in text.chars() {
            let unit = u32::from(letter);
            bytes.extend(if order {
                unit.to_le_bytes()
            } else {
                unit.to_be_bytes()
            });
        }
        let (matches, _) = engine().scan_bytes(&bytes, "x.txt", &Limits::default());
        assert_eq!((matches.len(), matches[0].start), (1, first + 14 * 4));
        assert_eq!(matches[0].end, matches[0].start + 26 * 4);
    }
}

#[test]
fn compressed_data_in_base64_is_a_file_inside() {
    let packed = gzip(format!("key = \"{}\"\n", token()).as_bytes());
    let text = format!("user_data: {}\n", encode(&packed));
    let (matches, _) = engine().scan_bytes(text.as_bytes(), "x.yaml", &Limits::default());
    assert_eq!(matches.len(), 1, "{matches:?}");
    assert_eq!(matches[0].inner.as_deref(), Some("base64@11"));
    assert_eq!((matches[0].start, matches[0].end), (7, 33));
}

#[test]
fn every_frame_of_a_zstd_file_is_read() {
    let text = ["key=", "AKIA", "RTX3GSDSQERUKZ4J", "\n"].concat();
    let level = ruzstd::encoding::CompressionLevel::Fastest;
    let frame = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, level);
    let note = b"\x50\x2a\x4d\x18\x04\0\0\0note".to_vec();
    let filler = frame(&b"nothing to see\n".repeat(20_000));
    let last = frame(text.as_bytes());
    let whole = [&note, &filler, &note, &last, &filler].map(Vec::as_slice);
    let (matches, outcome) = engine().scan_bytes(&whole.concat(), "x.zst", &Limits::default());
    let start = 15 * 20_000 + 4;
    let spans: Vec<(u64, u64)> = matches.iter().map(|m| (m.start, m.end)).collect();
    assert_eq!(spans, [(start, start + 20)], "{outcome:?}");
    assert!(outcome.unread.is_empty(), "{outcome:?}");
    // What follows a frame and is none is said, and so is an end that is missing.
    for rest in [&b"\0\0\0\0\0\0\0\0"[..], &note[..6], &filler[..9]] {
        let cut = [&frame(text.as_bytes()), rest].concat();
        let (matches, outcome) = engine().scan_bytes(&cut, "x.zst", &Limits::default());
        assert_eq!(matches.len(), 1, "{rest:?}");
        assert_eq!(outcome.unread.len(), 1, "{rest:?}: {outcome:?}");
    }
}

#[test]
fn the_table_of_contents_says_where_telling_members_lie() {
    use palisade_secrets::zip_directory::{contents, directory};
    let members = [
        ("a.bin", &[7u8; 900][..]),
        ("x/.env", b"k=v"),
        ("rootkey.csv", b"a,b"),
    ];
    for packed in [Packed::Stored, Packed::Deflated, Packed::Streamed] {
        let bytes = zip(&members, packed);
        let size = bytes.len() as u64;
        let at = directory(&bytes, size).unwrap();
        assert_eq!(directory(&bytes[size as usize - 40..], size), Some(at));
        let found = contents(&bytes[at.0 as usize..at.1 as usize], at);
        assert_eq!(found.all, 3);
        let names: Vec<&str> = found.telling.iter().map(|m| &m.name[..]).collect();
        assert_eq!(names, ["rootkey.csv", "x/.env"]);
        for member in &found.telling {
            let slice = &bytes[member.at.0 as usize..member.at.1 as usize];
            assert!(slice.starts_with(b"PK\x03\x04"));
            let named = slice
                .windows(member.name.len())
                .any(|w| w == member.name.as_bytes());
            assert!(named && slice[4..].windows(4).all(|w| w != b"PK\x03\x04"));
        }
    }
    // Not the end of a zip, or one that lies about its place.
    assert_eq!(
        directory(b"no zip at all, but long enough for one", 38),
        None
    );
    let mut lying = zip(&members, Packed::Stored);
    let end = lying.len() - 6;
    lying[end..end + 4].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    assert_eq!(directory(&lying, lying.len() as u64), None);
}

#[test]
fn a_large_archive_tells_its_places_in_wide_numbers() {
    use palisade_secrets::zip_directory::{contents, directory};
    let wide = |n: u64| n.to_le_bytes();
    let (far, name) = (5u64 << 32, b".env");
    let mut table = b"PK\x01\x02".to_vec();
    table.extend([0; 16]);
    table.extend([0xff; 8]);
    table.extend([4, 0, 28, 0, 0, 0]);
    table.extend([0; 8]);
    table.extend([0xff; 4]);
    table.extend(name);
    table.extend([1, 0, 24, 0]);
    table.extend([wide(3), wide(3), wide(far)].concat());
    let start = far + 100;
    let mut tail = table.clone();
    tail.extend(b"PK\x06\x06");
    tail.extend([0; 36]);
    tail.extend([wide(table.len() as u64), wide(start)].concat());
    tail.extend(b"PK\x06\x07\0\0\0\0");
    tail.extend(wide(start + table.len() as u64));
    tail.extend([1, 0, 0, 0]);
    tail.extend(b"PK\x05\x06\0\0\0\0");
    tail.extend([0xff; 12]);
    tail.extend([0; 2]);
    let at = directory(&tail, start + tail.len() as u64).unwrap();
    assert_eq!(at, (start, start + table.len() as u64));
    assert_eq!(contents(&table, at).telling[0].at, (far, start));
}
