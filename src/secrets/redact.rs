//! The form of a value that may be shown: who made it and how long it is, not what it is.

use crate::rules::{Redact, Rule};
use crate::value::Value;

/// The redacted form.
pub(crate) fn form(rule: &Rule, value: &Value) -> String {
    let bytes = value.bytes();
    let text = |range: &[u8]| String::from_utf8_lossy(range).into_owned();
    match rule.redact {
        Redact::None => text(bytes),
        Redact::Ends if bytes.len() >= 16 => {
            format!(
                "{}********{}",
                text(&bytes[..8]),
                text(&bytes[bytes.len() - 4..])
            )
        }
        Redact::Prefix | Redact::Ends => {
            // A keyword is public by construction; nothing behind it is shown.
            let keyword = rule
                .keywords
                .iter()
                .filter(|k| bytes.starts_with(k))
                .map(Vec::len)
                .max();
            format!(
                "{}…({} bytes)",
                text(&bytes[..keyword.unwrap_or(0)]),
                bytes.len()
            )
        }
        Redact::Whole => format!("({} bytes)", bytes.len()),
        Redact::Header => {
            let line = bytes
                .iter()
                .position(|b| matches!(b, b'\n' | b'\r'))
                .unwrap_or(bytes.len());
            let header = &bytes[..line.min(64)];
            let header = match header.windows(5).rposition(|w| w == b"-----") {
                Some(dashes) => &header[..dashes + 5],
                None => &header[..header.len().min(20)],
            };
            format!("{}…({} bytes)", text(header), bytes.len())
        }
    }
}
