//! A policy simulator over lines: one request in, one decision out.
//!
//! Requests are JSON objects, one a line:
//!
//! | field | meaning |
//! | --- | --- |
//! | `id` | echoed |
//! | `principal` | user, role, session, identity provider ARN, service principal, or `anonymous` |
//! | `action`, `resource`, `resourceAccount` | `resource` is `*` for actions that take none |
//! | `context` | object: text, numbers, booleans, or lists of them; a key not there is absent |
//! | `unknownKeys` | keys of which neither presence nor value is known |
//! | `identityPolicies`, `boundary`, `sessionPolicy` | policies; one or a list |
//! | `scps`, `rcps` | one list of policies for each level, root first |
//! | `resourcePolicy`, `vpcEndpointPolicies` | policies; one or a list |
//! | `settings.s3` | `blockPublicAccess` (one flag or the four), `bucketAbacEnabled`, `objectOwnership`, and `acl`: a list of `{grantee, permission}`, the list of the object or of the bucket that is asked for; a grantee is a group's URI, an account or a canonical user id |
//! | `settings.kms` | `grants`: the grants of the key, as `ListGrants` writes them |
//!
//! A policy is an object, or a text that holds one. With `unknownKeys` the answer has a
//! `verdict` and, where conditional, a `residual`; otherwise a `result`.

mod answer;
mod case;

use std::io::{self, BufRead, BufReader, Read, Write};

use serde_json::{Map, Value as Json, json};

pub use answer::{residual, result, term};
pub use case::Case;

/// A longer line is refused instead of read: no request of one principal comes near.
const MAX_LINE: u64 = 256 << 20;

/// Reads requests line by line and writes one line for each; empty lines are passed over.
///
/// A line that is no request becomes an object with `error` and `line`, and the next line is
/// read all the same. Answers are flushed whenever there is nothing left to read at once, so that
/// a script can ask, read the answer, and ask again.
///
/// # Errors
/// Only when reading or writing fails.
pub fn run(reader: impl Read, mut writer: impl Write) -> io::Result<()> {
    let mut reader = BufReader::new(reader);
    let mut bytes = Vec::new();
    let mut line = 0_usize;
    loop {
        if reader.buffer().is_empty() {
            writer.flush()?;
        }
        bytes.clear();
        if reader
            .by_ref()
            .take(MAX_LINE)
            .read_until(b'\n', &mut bytes)?
            == 0
        {
            return writer.flush();
        }
        line += 1;
        let whole = bytes.ends_with(b"\n") || (bytes.len() as u64) < MAX_LINE;
        let answer = if whole {
            answered(&bytes)
        } else {
            skip_line(&mut reader)?;
            Some(Err(Fault {
                id: None,
                message: format!("longer than {MAX_LINE} bytes"),
            }))
        };
        let answer = match answer {
            None => continue,
            Some(Ok(answer)) => answer,
            Some(Err(fault)) => fault.said(line),
        };
        writeln!(writer, "{answer}")?;
    }
}

/// The answer to one line; `None` when there is nothing on it.
fn answered(bytes: &[u8]) -> Option<Result<Json, Fault>> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        let message = "not UTF-8".to_owned();
        return Some(Err(Fault { id: None, message }));
    };
    let trimmed = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
    (!trimmed.is_empty()).then(|| answer::answer(trimmed))
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let (used, done) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        reader.consume(used);
        if done {
            return Ok(());
        }
    }
}

/// Why a line is no request.
struct Fault {
    id: Option<Json>,
    message: String,
}

impl Fault {
    fn said(self, line: usize) -> Json {
        let mut out = Map::new();
        if let Some(id) = self.id {
            out.insert("id".to_owned(), id);
        }
        out.insert("error".to_owned(), json!(self.message));
        out.insert("line".to_owned(), json!(line));
        Json::Object(out)
    }
}
