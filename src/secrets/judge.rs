//! Whether what a rule matched is a credential: structure, checksums, dates, stand-ins.

use crate::aws::{self, KeyId};
use crate::encoded::decode_whole;
use crate::found::Severity;
use crate::placeholder::Placeholders;
use crate::rules::{Check, Rule};
use crate::value::{Value, entropy};

/// What the checks add to a match.
pub(crate) struct Verdict {
    pub(crate) severity: Severity,
    pub(crate) account: Option<String>,
    pub(crate) expired: bool,
}

/// A match to be judged: where it stands, and the value.
pub(crate) struct Case<'a> {
    pub(crate) rule: &'a Rule,
    pub(crate) hay: &'a [u8],
    /// Where the keyword or name begins.
    pub(crate) from: usize,
    /// Span of the value.
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) value: &'a Value,
    /// Seconds since 1970 at which dates are judged, where that is known.
    pub(crate) as_of: Option<i64>,
}

impl Case<'_> {
    /// Judges; `None` means that it is no credential.
    pub(crate) fn judge(&self, stand_ins: &Placeholders) -> Option<Verdict> {
        let rule = self.rule;
        let value = self.value.bytes();
        // What logs are full of is told first.
        if rule.check == Check::Named && aws::is_public_id(value) {
            return None;
        }
        if entropy(value) < rule.entropy {
            return None;
        }
        // Random ids do hold runs such as XXXXX; their own check is stricter.
        let random_id = matches!(rule.check, Check::AwsKeyId | Check::AwsPresigned);
        if !random_id && stand_ins.covers(self.value) {
            return None;
        }
        if let Some(near) = &rule.near {
            let low = self.from.saturating_sub(near.within);
            let high = self.hay.len().min(self.end + near.within);
            if !near.any.is_match(&self.hay[low..high]) {
                return None;
            }
        }
        let mut verdict = Verdict {
            severity: rule.severity,
            account: None,
            expired: false,
        };
        let fits = match rule.check {
            Check::None => true,
            Check::AwsKeyId => self.key_id(&mut verdict),
            Check::AwsPresigned => self.presigned(&mut verdict),
            Check::AwsSecret => aws::is_secret(value),
            Check::AwsBedrock => {
                verdict.account = bedrock_account(value);
                true
            }
            Check::GithubChecksum => github_checksum(value),
            Check::BasicAuth => basic_auth(value, stand_ins),
            Check::Jwt => self.jwt(&mut verdict),
            Check::Putty => {
                if !value.ends_with(b"none") {
                    verdict.severity = rule.severity.lower();
                }
                true
            }
            Check::UrlPassword => self.url_password(stand_ins, &mut verdict),
            Check::Password => !stand_ins.is_default_password(value),
            Check::Named => {
                !stand_ins.is_default_password(value)
                    && self.name_allows(&NOT_A_SECRET)
                    && is_opaque(value)
                    && !is_commit(value)
            }
            Check::Opaque => {
                // Hex has four bits a character at most, and short hex is a digest.
                let hex = value.iter().all(u8::is_ascii_hexdigit);
                is_opaque(value) && !is_digest(value) && (hex || entropy(value) >= 3.8)
            }
            Check::NotCommit => self.name_allows(&[b"commit", b"sha", b"rev", b"hash"]),
        };
        fits.then_some(verdict)
    }

    fn key_id(&self, verdict: &mut Verdict) -> bool {
        match aws::key_id(self.value.bytes()) {
            Some(KeyId::Account(account)) => verdict.account = Some(account),
            Some(KeyId::Old) => {}
            None => return false,
        }
        true
    }

    /// A presigned URL works until its date plus its lifetime.
    fn presigned(&self, verdict: &mut Verdict) -> bool {
        if !self.key_id(verdict) {
            return false;
        }
        let low = self.from.saturating_sub(1024);
        let high = self.hay.len().min(self.end + 4096);
        let url = token_around(&self.hay[low..high], self.start - low);
        let made = field(url, b"X-Amz-Date=").and_then(basic_date);
        let lives = field(url, b"X-Amz-Expires=").and_then(number);
        if let (Some(now), Some(made), Some(lives)) = (self.as_of, made, lives)
            && made + lives < now
        {
            verdict.severity = Severity::Info;
            verdict.expired = true;
        }
        true
    }

    fn jwt(&self, verdict: &mut Verdict) -> bool {
        let mut parts = self.value.bytes().split(|&b| b == b'.');
        let mut json = || {
            let bytes = decode_whole(parts.next()?)?;
            serde_json::from_slice::<serde_json::Value>(&bytes).ok()
        };
        let Some(head) = json() else { return false };
        if head.get("alg").is_none() {
            return false;
        }
        // An encrypted payload cannot be read: keep the finding as it is.
        let Some(claims) = json() else { return true };
        match claims.get("exp").and_then(serde_json::Value::as_f64) {
            Some(exp) if self.as_of.is_some_and(|now| (exp as i64) < now) => return false,
            Some(_) => {}
            None => verdict.severity = Severity::Medium,
        }
        if claims.get("role").and_then(serde_json::Value::as_str) == Some("service_role") {
            verdict.severity = Severity::Medium;
        }
        true
    }

    fn url_password(&self, stand_ins: &Placeholders, verdict: &mut Verdict) -> bool {
        let password = self.value.bytes();
        let user = self.hay[..self.start - 1]
            .rsplit(|&b| b == b'/')
            .next()
            .unwrap_or_default();
        if stand_ins.is_default_password(password) || user.eq_ignore_ascii_case(password) {
            return false;
        }
        let rest = &self.hay[self.hay.len().min(self.end + 1)..self.hay.len().min(self.end + 128)];
        let host = rest
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || b".-_".contains(b));
        let host: Vec<u8> = host.map(u8::to_ascii_lowercase).collect();
        if [
            &b"localhost"[..],
            b"127.0.0.1",
            b"0.0.0.0",
            b"db",
            b"postgres",
            b"host.docker.internal",
        ]
        .contains(&&host[..])
        {
            verdict.severity = Severity::Info;
        }
        true
    }

    /// No word of `words` in the name that the value stands under.
    fn name_allows(&self, words: &[&[u8]]) -> bool {
        let mut low = self.from;
        while low > 0
            && self.from - low < 40
            && (self.hay[low - 1].is_ascii_alphanumeric() || b"_-.".contains(&self.hay[low - 1]))
        {
            low -= 1;
        }
        let name = self.hay[low..self.start].to_ascii_lowercase();
        !words
            .iter()
            .any(|word| name.windows(word.len()).any(|w| w == *word))
    }
}

/// Words in the name of a setting that is about a secret, and is none.
const NOT_A_SECRET: [&[u8]; 36] = [
    b"hash",
    b"sha",
    b"md5",
    b"digest",
    b"checksum",
    b"integrity",
    b"public",
    b"fingerprint",
    b"tokenizer",
    b"path",
    b"file",
    b"_url",
    b"uri",
    b"arn",
    b"_name",
    b"_id",
    b"version",
    b"expir",
    b"ttl",
    b"timeout",
    b"length",
    b"policy",
    b"_type",
    b"region",
    b"endpoint",
    b"algorithm",
    b"rotation",
    b"issuer",
    b"provider",
    b"label",
    b"header",
    b"secretname",
    b"secretref",
    b"keyref",
    b"keyname",
    b"existing",
];

/// The user part behind `ABSK` ends in `-at-<account>:`.
fn bedrock_account(value: &[u8]) -> Option<String> {
    let text = decode_whole(&value[4..])?;
    let at = text.windows(4).position(|w| w == b"-at-")? + 4;
    let account = text.get(at..at + 12)?;
    (account.iter().all(u8::is_ascii_digit) && text.get(at + 12) == Some(&b':'))
        .then(|| String::from_utf8_lossy(account).into_owned())
}

/// The last six of 36 characters are the CRC-32 of the thirty before, in base 62.
///
/// Source: "Behind GitHub's new authentication token formats", GitHub blog, April 2021.
fn github_checksum(value: &[u8]) -> bool {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let Some(body) = value.len().checked_sub(36).map(|from| &value[from..]) else {
        return false;
    };
    let mut sum = crc32fast::hash(&body[..30]);
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(sum % 62) as usize];
        sum /= 62;
    }
    body[30..] == digits
}

fn basic_auth(value: &[u8], stand_ins: &Placeholders) -> bool {
    let Some(text) = decode_whole(value) else {
        return false;
    };
    let Some(colon) = text.iter().position(|&b| b == b':') else {
        return false;
    };
    let password = &text[colon + 1..];
    text.iter().all(|b| (0x20..0x7f).contains(b) || *b >= 0x80)
        && !password.is_empty()
        && !stand_ins.is_default_password(password)
        && !stand_ins.covers(&Value::new(password))
}

/// Letters and digits mixed as chance mixes them, not words, paths or model names.
fn is_opaque(value: &[u8]) -> bool {
    let digits = value.iter().filter(|b| b.is_ascii_digit()).count();
    let letters = value.iter().filter(|b| b.is_ascii_alphabetic()).count();
    let words = value
        .split(|b| b"-_./ ".contains(b))
        .filter(|piece| {
            piece.len() >= 3
                && (piece.iter().all(u8::is_ascii_lowercase)
                    || piece.iter().all(u8::is_ascii_uppercase)
                    || (piece[1..].iter().all(u8::is_ascii_lowercase)))
        })
        .map(<[u8]>::len)
        .sum::<usize>();
    let share =
        |class: fn(&u8) -> bool| value.iter().filter(|b| class(b)).count() * 4 >= value.len();
    // Without a digit, only as many capitals as small letters tell chance from camel case.
    let mixed = digits >= 1 || share(u8::is_ascii_uppercase) && share(u8::is_ascii_lowercase);
    mixed && letters >= 4 && words * 2 < value.len() && !aws::is_prose(value)
}

fn is_commit(value: &[u8]) -> bool {
    value.len() == 40 && value.iter().all(u8::is_ascii_hexdigit)
}

fn is_digest(value: &[u8]) -> bool {
    matches!(value.len(), 32 | 40) && value.iter().all(u8::is_ascii_hexdigit)
}

/// The stretch without blanks and quotes around a place.
fn token_around(hay: &[u8], at: usize) -> &[u8] {
    let stop = |b: &u8| b.is_ascii_whitespace() || b"\"'<>`".contains(b);
    let low = hay[..at].iter().rposition(stop).map_or(0, |i| i + 1);
    let high = hay[at..]
        .iter()
        .position(stop)
        .map_or(hay.len(), |i| at + i);
    &hay[low..high]
}

fn field<'a>(url: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = url
        .windows(name.len())
        .position(|w| w.eq_ignore_ascii_case(name))?
        + name.len();
    let rest = &url[at..];
    Some(
        &rest[..rest
            .iter()
            .position(|b| !b.is_ascii_alphanumeric())
            .unwrap_or(rest.len())],
    )
}

fn number(text: &[u8]) -> Option<i64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// `20261101T101010Z` → seconds since 1970.
fn basic_date(text: &[u8]) -> Option<i64> {
    if text.len() != 16 || text[8] != b'T' || text[15] != b'Z' {
        return None;
    }
    let part = |range: std::ops::Range<usize>| number(&text[range]);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    // Days from the civil calendar, March first (Howard Hinnant's algorithm).
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    Some(days * 86_400 + part(9..11)? * 3600 + part(11..13)? * 60 + part(13..15)?)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_signing_date_is_read() {
        assert_eq!(super::basic_date(b"19700101T000000Z"), Some(0));
        assert_eq!(super::basic_date(b"20261101T101010Z"), Some(1_793_527_810));
        assert_eq!(super::basic_date(b"20240229T235959Z"), Some(1_709_251_199));
    }
}
