//! Private keys in PEM armour, as they stand in files: with real line ends, or with `\n`
//! escapes inside JSON, YAML and shell strings.

use crate::value::{Value, entropy};

/// Longest block that is followed.
const CAP: usize = 16 * 1024;
/// A header over less body than this is documentation.
const BODY_MIN: usize = 64;

/// A key block.
pub(crate) struct Block {
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// The block with its escapes undone.
    pub(crate) value: Value,
    pub(crate) encrypted: bool,
}

/// Reads the block around the words `PRIVATE KEY` at `at`, if they stand in its header.
pub(crate) fn read(hay: &[u8], at: usize, min_entropy: f64) -> Option<Block> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    let from = at.saturating_sub(60);
    let start = from
        + hay[from..at]
            .windows(BEGIN.len())
            .rposition(|w| w == BEGIN)?;
    let kind = &hay[start + BEGIN.len()..at];
    if !kind
        .iter()
        .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || *b == b' ')
    {
        return None;
    }
    let mut i = at + b"PRIVATE KEY".len();
    if hay[i..].starts_with(b" BLOCK") {
        i += 6;
    }
    if !hay[i..].starts_with(b"-----") {
        return None;
    }
    i += 5;
    let mut text = hay[start..i].to_vec();
    let header = text.len();
    let stop = hay.len().min(start + CAP);
    let mut body = 0usize;
    while i < stop {
        if hay[i..].starts_with(b"-----") {
            break;
        }
        let (byte, width) = unescape(&hay[i..])?;
        let fits = byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'+' | b'/' | b'=' | b':' | b',' | b'-' | b'.' | b'(' | b')' | b'@'
            )
            || byte.is_ascii_whitespace();
        if !fits {
            break;
        }
        body += usize::from(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
        text.push(byte);
        i += width;
    }
    let dense: Vec<u8> = text[header..]
        .iter()
        .copied()
        .filter(|b| !b.is_ascii_whitespace())
        .collect();
    if body < BODY_MIN || entropy(&dense) < min_entropy {
        return None;
    }
    let end = footer(hay, i).unwrap_or(i);
    text.extend_from_slice(&hay[i..end]);
    let encrypted = kind.starts_with(b"ENCRYPTED")
        || dense.windows(9).any(|w| w == b"ENCRYPTED")
        // base64 of `bcrypt`, the only key derivation OpenSSH writes.
        || (kind.starts_with(b"OPENSSH") && [&b"YmNyeXB0"[..], b"JjcnlwdA", b"iY3J5cHQ"]
            .iter().any(|mark| dense.windows(mark.len()).any(|w| w == *mark)));
    Some(Block {
        start,
        end,
        value: Value::from_vec(text),
        encrypted,
    })
}

/// A byte of the body, escapes undone; `None` at the end of a string.
fn unescape(hay: &[u8]) -> Option<(u8, usize)> {
    let slashes = hay.iter().take(4).take_while(|&&b| b == b'\\').count();
    if slashes == 0 {
        return Some((hay[0], 1));
    }
    Some(match hay.get(slashes) {
        Some(b'n') => (b'\n', slashes + 1),
        Some(b'r') => (b'\r', slashes + 1),
        Some(b't') => (b'\t', slashes + 1),
        Some(b'/') => (b'/', slashes + 1),
        Some(b'u')
            if hay[slashes..].starts_with(b"u002b") || hay[slashes..].starts_with(b"u002B") =>
        {
            (b'+', slashes + 5)
        }
        Some(b'\n' | b'\r') => (b'\n', slashes + 1),
        _ => (0, slashes),
    })
}

/// The end of `-----END … PRIVATE KEY-----`, when it stands at `at`.
fn footer(hay: &[u8], at: usize) -> Option<usize> {
    let rest = hay.get(at..hay.len().min(at + 80))?;
    if !rest.starts_with(b"-----END ") {
        return None;
    }
    let dashes = rest[9..].windows(5).position(|w| w == b"-----")?;
    Some(at + 9 + dashes + 5)
}
