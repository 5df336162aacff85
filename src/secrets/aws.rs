//! AWS key ids and secrets: what their characters say, and how files spell them.
//!
//! A secret is 40 characters of base64 text, a key id four letters of kind and 16
//! characters of base32. Files escape them: JSON writes `/` as `\/` and `+` as `\u002b`,
//! URLs write `%2F`, mail wraps them. [`read_run`] undoes that while it reads.

use crate::value::entropy;

/// Longest decoded run that is of interest, plus one.
const RUN_CAP: usize = 72;

/// What a key id gives away without a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum KeyId {
    /// Made since about March 2019: the account stands in it.
    Account(String),
    /// Older: no account in it.
    Old,
}

/// Decodes an access key id of 20 characters; `None` when no such id can exist.
///
/// The 16 characters after the kind are 80 bits of base32. The top bit marks the newer
/// format; the 40 bits after it are the account. Source: "IAM identifiers" (unique ids), IAM
/// User Guide, for the kinds; the layout is public research, checked on known pairs.
pub(crate) fn key_id(id: &[u8]) -> Option<KeyId> {
    let body = id.get(4..20)?;
    if id.len() != 20 || id.ends_with(b"EXAMPLE") {
        return None;
    }
    let mut bits: u128 = 0;
    for &byte in body {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u128::from(digit);
    }
    if bits >> 79 == 0 {
        return Some(KeyId::Old);
    }
    let account = bits >> 39 & ((1 << 40) - 1);
    (account <= 999_999_999_999).then(|| KeyId::Account(format!("{account:012}")))
}

/// The end of the key id whose kind stands at `at`.
pub(crate) fn read_key_id(hay: &[u8], at: usize) -> Option<usize> {
    let body = hay.get(at + 4..at + 20)?;
    let after = hay.get(at + 20).copied().unwrap_or(b' ');
    let fits = body.iter().all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'));
    (fits && !after.is_ascii_alphanumeric() && after != b'_').then_some(at + 20)
}

/// A key id or another unique id of IAM.
pub(crate) fn is_public_id(value: &[u8]) -> bool {
    matches!(value.len(), 20 | 21)
        && value[0] == b'A'
        && value[1..4].iter().all(u8::is_ascii_uppercase)
        && value[4..]
            .iter()
            .all(|b| matches!(b, b'A'..=b'Z' | b'2'..=b'7'))
}

/// Could these 40 bytes be a secret access key?
pub(crate) fn is_secret(run: &[u8]) -> bool {
    let count = |class: fn(&u8) -> bool| run.iter().filter(|b| class(b)).count();
    let lower = count(u8::is_ascii_lowercase);
    let upper = count(u8::is_ascii_uppercase);
    run.len() == 40
        && run.iter().all(|&b| is_run(b))
        && lower > 0
        && upper > 0
        && (lower + upper < 40 || is_mixed(run))
        && !run.iter().all(u8::is_ascii_hexdigit)
        && entropy(run) >= 4.1
        && !is_path(run)
        && !is_prose(run)
}

/// Three or more `/`, and every piece between them lower-case words.
fn is_path(run: &[u8]) -> bool {
    run.iter().filter(|&&b| b == b'/').count() >= 3
        && run
            .split(|&b| b == b'/')
            .all(|piece| piece.iter().all(u8::is_ascii_lowercase))
}

/// Words run together: over half of all neighbours are two lower-case letters, and three in
/// ten of those letters are vowels. Of random base64 text one neighbour in six is, and one
/// letter in five.
pub(crate) fn is_prose(run: &[u8]) -> bool {
    let soft = run
        .windows(2)
        .filter(|p| p.iter().all(u8::is_ascii_lowercase))
        .count();
    let letters = run.iter().filter(|b| b.is_ascii_lowercase()).count();
    let vowels = run.iter().filter(|b| b"aeiou".contains(b)).count();
    soft * 2 > run.len() && vowels * 10 >= letters * 3
}

/// Letters alone, and yet no words: hardly any neighbours share their case. One secret in
/// four thousand is like that.
fn is_mixed(run: &[u8]) -> bool {
    let same = |class: fn(&u8) -> bool| run.windows(2).filter(|p| p.iter().all(class)).count();
    same(u8::is_ascii_lowercase) <= 14 && same(u8::is_ascii_uppercase) <= 14
}

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
const NOT_A_SECRET: [&[u8]; 13] = [
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
    line[from..].to_ascii_lowercase()
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
    fn the_account_stands_in_the_key_id() {
        let rows = [
            (
                "AKIA",
                "RTX3GSDSQERUKZ4J",
                Some(KeyId::Account("111122223333".into())),
            ),
            (
                "ASIA",
                "6RU73QDQ77777777",
                Some(KeyId::Account("999988887777".into())),
            ),
            (
                "AKIA",
                "QAAAAGA4QAAAAAAA",
                Some(KeyId::Account("000000012345".into())),
            ),
            (
                "AKIA",
                "RZPUZDIKFKVKVKVK",
                Some(KeyId::Account("123456789012".into())),
            ),
            ("AKIA", "IOSFODNN7EXAMPLE", None),
            ("AKIA", "IOSFODNN7ABCDEFG", Some(KeyId::Old)),
            ("AKIA", "6RVFFCAAQAAAAAAF", None),
            ("AKIA", "6RVFFCAAQAAAAA0F", None),
        ];
        for (kind, body, expected) in rows {
            assert_eq!(
                key_id(format!("{kind}{body}").as_bytes()),
                expected,
                "{kind}+{body}"
            );
        }
    }

    #[test]
    fn a_run_is_read_through_its_escapes() {
        let run = read_run(br#"ab\/cd%2Bef\u002Fgh&#43;i" rest"#, 0);
        assert_eq!(run.text, b"ab/cd+ef/gh+i");
        assert_eq!(run.end, 25);
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
