//! AWS key ids and secrets: what their characters say.
//!
//! A secret is 40 characters of base64 text, a key id four letters of kind and 16
//! characters of base32. How files spell them is for [`crate::runs`].

use crate::runs::is_run;
use crate::value::entropy;

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
}
