//! tar, member by member as it streams by: old, ustar, GNU and pax names.

use std::io::{self, Read};

use crate::source::Peek;
use crate::unpack::{Origin, Walk, joined};

const BLOCK: usize = 512;
/// Longest name record that is believed.
const NAME_CAP: u64 = 64 * 1024;

/// Is this a tar header? Its checksum decides.
pub(crate) fn is_header(head: &[u8]) -> bool {
    let Some(header) = head.get(..BLOCK) else {
        return false;
    };
    let Some(told) = number(&header[148..156]) else {
        return false;
    };
    let sum: u64 = header
        .iter()
        .enumerate()
        .map(|(i, &b)| {
            if (148..156).contains(&i) {
                32
            } else {
                u64::from(b)
            }
        })
        .sum();
    header[0] != 0 && sum == told && number(&header[124..136]).is_some()
}

/// Scans every member.
pub(crate) fn walk(
    walk: &mut Walk<'_>,
    source: &mut Peek<'_>,
    outer: Option<&str>,
    depth: u32,
) -> io::Result<()> {
    let mut long_name: Option<String> = None;
    loop {
        let header = source.peek(BLOCK)?.to_vec();
        if header.len() < BLOCK || header.iter().all(|&b| b == 0) {
            if header.len() == BLOCK || header.is_empty() {
                return Ok(());
            }
            walk.unread(outer, "damaged: the rest");
            return Ok(());
        }
        if !is_header(&header) {
            walk.unread(outer, "damaged: the rest");
            return Ok(());
        }
        source.skip(BLOCK as u64)?;
        let size = number(&header[124..136]).unwrap_or(0);
        let padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        match header[156] {
            b'L' | b'x' => {
                let mut record = Vec::new();
                source
                    .by_ref()
                    .take(size.min(NAME_CAP))
                    .read_to_end(&mut record)?;
                source.skip(size.saturating_sub(NAME_CAP))?;
                let name = if header[156] == b'L' {
                    Some(text(&record))
                } else {
                    pax_path(&record)
                };
                long_name = name.or(long_name);
            }
            b'0' | 0 | b'7' => {
                let name = joined(
                    outer,
                    &long_name.take().unwrap_or_else(|| short_name(&header)),
                );
                if !walk.member(outer) {
                    return Ok(());
                }
                let before = source.used.get();
                let mut member = source.by_ref().take(size);
                let mut inner = Peek::new(&mut member);
                if let Err(error) = walk.file(&mut inner, Some(&name), depth, Origin::Member) {
                    walk.damaged(Some(&name), error)?;
                }
                let read = source.used.get() - before;
                if !source.skip(size - read)? {
                    walk.unread(Some(&name), "damaged: the rest");
                    return Ok(());
                }
            }
            _ => {
                long_name = None;
                if !source.skip(size)? {
                    return Ok(());
                }
            }
        }
        source.skip(padding)?;
        if walk.exhausted() {
            return Ok(());
        }
    }
}

/// An octal field, or a GNU binary one.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let mut value = u64::from(field[0] & 0x7f);
        for &byte in &field[1..] {
            value = value.checked_mul(256)? | u64::from(byte);
        }
        return Some(value);
    }
    let digits = field.trim_ascii();
    let end = digits
        .iter()
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(digits.len());
    if end == 0 && !digits.iter().all(|&b| b == 0) {
        return None;
    }
    digits[..end].iter().try_fold(0u64, |value, &b| {
        let digit = u64::from(b - b'0');
        (digit < 8)
            .then(|| value.checked_mul(8))
            .flatten()
            .map(|v| v + digit)
    })
}

fn text(field: &[u8]) -> String {
    let end = field.iter().position(|&b| b == 0).unwrap_or(field.len());
    String::from_utf8_lossy(&field[..end]).into_owned()
}

fn short_name(header: &[u8]) -> String {
    let name = text(&header[..100]);
    let prefix = text(&header[345..500]);
    if header[257..262] == *b"ustar" && !prefix.is_empty() && header[263] == b'0' {
        format!("{prefix}/{name}")
    } else {
        name
    }
}

/// The `path` of a pax record: lines of `length key=value`.
fn pax_path(record: &[u8]) -> Option<String> {
    let mut rest = record;
    let mut path = None;
    while !rest.is_empty() {
        let space = rest.iter().position(|&b| b == b' ')?;
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let line = rest.get(space + 1..length)?;
        if let Some(value) = line.strip_prefix(b"path=") {
            path = Some(text(value.strip_suffix(b"\n").unwrap_or(value)));
        }
        rest = &rest[length..];
    }
    path
}
