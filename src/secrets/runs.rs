//! Runs of secret characters as they stand in files: through escapes, behind names, near ids.
//!
//! Files escape secrets: JSON writes `/` as `\/` and `+` as `\u002b`, URLs write `%2F`, mail
//! wraps them. [`read_run`] undoes that while it reads.

use crate::aws::{is_public_id, is_secret};

/// Longest decoded run that is of interest, plus one.
const RUN_CAP: usize = 72;

/// A byte of a secret.
pub(crate) fn is_run(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'/' || byte == b'+'
}

/// A run of secret characters as it stands in a file.
pub(crate) struct Run {
    /// One past its last byte, escapes included.
    pub(crate) end: usize,
    /// Undone escapes; cut after [`RUN_CAP`] bytes.
    pub(crate) text: Vec<u8>,
}

/// Reads the run that begins at `start`.
pub(crate) fn read_run(hay: &[u8], start: usize) -> Run {
    let mut run = Run {
        end: start,
        text: Vec::with_capacity(48),
    };
    while run.text.len() < RUN_CAP {
        let Some(&byte) = hay.get(run.end) else { break };
        let (byte, width) = if is_run(byte) {
            (byte, 1)
        } else if let Some(escaped) = escape(&hay[run.end..]) {
            escaped
        } else {
            break;
        };
        run.text.push(byte);
        run.end += width;
    }
    run
}

/// `/` or `+` written another way, and how many bytes that takes.
fn escape(hay: &[u8]) -> Option<(u8, usize)> {
    const SPELLINGS: [(&[u8], u8); 15] = [
        (b"\\/", b'/'),
        (b"\\\\/", b'/'),
        (b"%2f", b'/'),
        (b"%2b", b'+'),
        (b"%252f", b'/'),
        (b"%252b", b'+'),
        (b"\\u002f", b'/'),
        (b"\\u002b", b'+'),
        (b"\\\\u002f", b'/'),
        (b"\\\\u002b", b'+'),
        (b"&#47;", b'/'),
        (b"&#43;", b'+'),
        (b"&#x2f;", b'/'),
        (b"&#x2b;", b'+'),
        (b"&sol;", b'/'),
    ];
    if !matches!(hay.first(), Some(b'\\' | b'%' | b'&')) {
        return None;
    }
    SPELLINGS
        .iter()
        .find(|(text, _)| {
            hay.get(..text.len())
                .is_some_and(|h| h.eq_ignore_ascii_case(text))
        })
        .map(|&(text, byte)| (byte, text.len()))
}

/// How many bytes at `start` belong to an escape that begins before it: the `n` of `\n`, the
/// `3D` of `%3D`, the `u0022` of `\u0022`, the `32m` of a terminal colour.
pub(crate) fn escape_tail(hay: &[u8], start: usize) -> usize {
    let Some(&before) = start.checked_sub(1).and_then(|i| hay.get(i)) else {
        return 0;
    };
    let rest = &hay[start..];
    let hex = |range: std::ops::Range<usize>| {
        rest.get(range)
            .is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit))
    };
    match before {
        b'\\' => match rest.first() {
            Some(b'u') if hex(1..5) => 5,
            Some(b'x') if hex(1..3) => 3,
            Some(b'n' | b'r' | b't') => 1,
            _ => 0,
        },
        b'%' if rest.starts_with(b"25") && hex(2..4) => 4,
        b'%' | b'=' if hex(0..2) => 2,
        b'[' if start >= 2 && matches!(hay[start - 2], 0x1b | b'b' | b'3' | b'B') => {
            let digits = rest
                .iter()
                .take_while(|b| b.is_ascii_digit() || **b == b';')
                .count();
            if rest.get(digits) == Some(&b'm') {
                digits + 1
            } else {
                0
            }
        }
        _ => 0,
    }
}

/// Does a value begin at `start`, or only the middle of a word? `edge` holds the bytes that
/// make it the middle; an escape that ends just there does not count as a word.
pub(crate) fn begins(hay: &[u8], start: usize, edge: &[bool; 256]) -> bool {
    let Some(before) = start.checked_sub(1) else {
        return true;
    };
    if !edge[usize::from(hay[before])] {
        return true;
    }
    (1..=6.min(start)).any(|back| escape_tail(hay, start - back) == back)
}

/// Reads the secret that stands under a name which ends at `from`: past quotes, `=`, tags,
/// the word `value` and the like, up to six short words and 120 bytes away.
pub(crate) fn read_named(hay: &[u8], from: usize) -> Option<Bare> {
    let limit = hay.len().min(from + 120);
    let (mut i, mut words, mut lines) = (from, 0, 0);
    while i < limit {
        if !is_run(hay[i]) && escape(&hay[i..]).is_none() {
            lines += usize::from(hay[i] == b'\n');
            if lines > 3 {
                return None;
            }
            i += 1;
            continue;
        }
        if let Some(secret) = secret_at(hay, i) {
            return Some(secret);
        }
        let run = read_run(hay, i);
        words += 1;
        if run.text.len() > 16 || words > 6 {
            return None;
        }
        i = run.end;
    }
    None
}

/// A run that has the length of a secret, or of the base64 text of one.
pub(crate) struct Bare {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) text: Vec<u8>,
    pub(crate) base64: bool,
    /// A telling word stands before it.
    pub(crate) evident: bool,
}

/// The secret that begins with the run at `i`, which is the run's first byte.
fn secret_at(hay: &[u8], i: usize) -> Option<Bare> {
    let mut run = read_run(hay, i);
    let mut start = i;
    if run.text.len() > 40 {
        let tail = escape_tail(hay, i);
        if tail > 0 && run.text.len() == 40 + tail {
            run.text.drain(..tail);
            start += tail;
        }
    }
    // `id/secret`: the separator is a character of both.
    if run.text.len() == 61 && run.text[20] == b'/' && is_public_id(&run.text[..20]) {
        run.text.drain(..21);
        start = run.end - 40;
    }
    let padding = hay[run.end..]
        .iter()
        .take(3)
        .take_while(|&&b| b == b'=')
        .count();
    if run.text.len() == 40 && (padding == 0 || soft_break(&hay[run.end..])) {
        return Some(Bare {
            start,
            end: run.end,
            text: run.text,
            base64: false,
            evident: false,
        });
    }
    // 40 characters in base64 are 54 and `==`; with a line end 55 and `=`, or 56.
    if matches!(
        (run.text.len(), padding),
        (54, 0 | 2) | (55, 0 | 1) | (56, 0)
    ) {
        let mut text = crate::encoded::decode_whole(&run.text)?;
        while text.last().is_some_and(u8::is_ascii_whitespace) {
            text.pop();
        }
        if is_secret(&text) {
            let end = run.end + padding;
            return Some(Bare {
                start,
                end,
                text,
                base64: true,
                evident: false,
            });
        }
    }
    None
}

/// `=` at the end of a line, as mail folds it.
fn soft_break(hay: &[u8]) -> bool {
    hay.starts_with(b"=\n") || hay.starts_with(b"=\r\n")
}

/// Every run that begins between two places and could be a secret without a name.
///
/// A run of 40 covers one of every 40 places, so most bytes are never looked at.
pub(crate) fn bare_runs(hay: &[u8], from: usize, to: usize) -> Vec<Bare> {
    let mut out = Vec::new();
    let mut i = from;
    if i > 0 && in_run(hay[i - 1]) {
        i += hay[i..to].iter().take_while(|&&b| in_run(b)).count();
    }
    while i < to && i + 39 < hay.len() {
        if !in_run(hay[i + 39]) {
            i += 40;
            continue;
        }
        let start = hay[i..i + 39]
            .iter()
            .rposition(|&b| !in_run(b))
            .map_or(i, |k| i + k + 1);
        if start >= to {
            break;
        }
        let width = hay[start..]
            .iter()
            .take(64 * 1024)
            .take_while(|&&b| in_run(b))
            .count();
        let text = &hay[start..start + width];
        if width >= 40 && text.iter().any(u8::is_ascii_uppercase) {
            runs_in(hay, start, start + width, &mut out);
        }
        i = start + width + 1;
    }
    out
}

/// A byte of a secret, or of one of its escapes.
fn in_run(byte: u8) -> bool {
    IN_RUN[usize::from(byte)]
}

static IN_RUN: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric()
            || matches!(b, b'/' | b'+' | b'\\' | b'%' | b'&' | b'#' | b';');
        byte += 1;
    }
    table
};

fn runs_in(hay: &[u8], from: usize, to: usize, out: &mut Vec<Bare>) {
    let mut i = from;
    while i < to {
        if !is_run(hay[i]) && escape(&hay[i..]).is_none() {
            i += 1;
            continue;
        }
        if let Some(mut secret) = secret_at(hay, i)
            && is_secret(&secret.text)
            && !in_block(hay, secret.start, secret.end)
        {
            let name = before(hay, secret.start);
            let has = |words: &[&[u8]]| {
                words
                    .iter()
                    .any(|word| name.windows(word.len()).any(|w| w == *word))
            };
            i = secret.end;
            if !has(&NOT_A_SECRET) {
                secret.evident = has(&TELLING);
                out.push(secret);
            }
            continue;
        }
        i += hay[i..to].iter().take_while(|&&b| is_run(b)).count().max(1);
    }
}

/// Words that name digests, ids of requests and the like.
const NOT_A_SECRET: [&[u8]; 15] = [
    b"sha",
    b"md5",
    b"digest",
    b"etag",
    b"integrity",
    b"checksum",
    b"hash",
    b"commit",
    b"signature",
    b"nonce",
    b"requestid",
    b"request-id",
    b"x-amz-id",
    b"hostid",
    b"fingerprint",
];

const TELLING: [&[u8]; 7] = [
    b"secret", b"key", b"aws", b"cred", b"value", b"sk", b"private",
];

/// The last few bytes before a place on its line, in lower case.
fn before(hay: &[u8], at: usize) -> Vec<u8> {
    let line = &hay[at.saturating_sub(32)..at];
    let from = line
        .iter()
        .rposition(|b| b"\n,;{".contains(b))
        .map_or(0, |i| i + 1);
    // The letters of a key id spell no words.
    let id = |w: &[u8]| {
        w.iter()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
    };
    let behind = line.windows(16).rposition(id).map_or(0, |i| i + 16);
    line[from.max(behind)..].to_ascii_lowercase()
}

/// Is this the last line of a block of base64 text, or its first?
fn in_block(hay: &[u8], start: usize, end: usize) -> bool {
    let line_end = |b: &u8| matches!(b, b'\n' | b'\r' | b' ' | b'\t');
    let behind = &hay[start.saturating_sub(120)..start];
    let gap = behind.iter().rev().take_while(|b| line_end(b)).count();
    let left = behind.len() - gap;
    let above = gap > 0
        && behind[left..].contains(&b'\n')
        && behind[..left]
            .iter()
            .rev()
            .take_while(|&&b| is_run(b))
            .count()
            >= 56;
    let ahead = &hay[end..hay.len().min(end + 120)];
    let gap = ahead.iter().take_while(|b| line_end(b)).count();
    let below = gap > 0
        && ahead[..gap].contains(&b'\n')
        && ahead[gap..].iter().take_while(|&&b| is_run(b)).count() >= 56;
    above || below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_read_through_its_escapes() {
        let run = read_run(br#"ab\/cd%2Bef\u002Fgh&#43;i" rest"#, 0);
        assert_eq!(run.text, b"ab/cd+ef/gh+i");
        assert_eq!(run.end, 25);
    }

    #[test]
    fn the_letters_of_a_key_id_are_no_words() {
        let secret = ["HjoE9YRUBjT8dnQJ0OSS18jI", "O3mAd3uyvLcLFxJD"].concat();
        for (before, found) in [
            (["AK", "IAZNZIDMD5OS3WAO4T "], 1),
            (["Content", "-MD5 "], 0),
            (["", "sha "], 0),
            (["AK", "IAZNZIDMD5OS3WAO4T md5 "], 0),
        ] {
            let before = before.concat();
            let text = format!("{before}{secret}");
            let runs = super::bare_runs(text.as_bytes(), 0, text.len());
            assert_eq!(runs.len(), found, "{before}");
        }
    }

    #[test]
    fn a_value_may_follow_an_escape() {
        let edge: [bool; 256] =
            std::array::from_fn(|b| (b as u8).is_ascii_alphanumeric() || b == usize::from(b'_'));
        for (text, yes) in [
            ("\\nKEY", true),
            ("%3DKEY", true),
            ("%253DKEY", true),
            ("\\u0022KEY", true),
            ("\x1b[0;32mKEY", true),
            ("=3DKEY", true),
            ("nKEY", false),
            ("_KEY", false),
            ("-KEY", true),
        ] {
            let at = text.find("KEY").unwrap();
            assert_eq!(begins(text.as_bytes(), at, &edge), yes, "{text}");
        }
    }
}
