//! Snapshots as files: gzip over JSON Lines, streamed both ways.
//!
//! The first line is the header, then comes one line per account in order of id, and the last
//! line holds a SHA-256 over all lines before it. One account is in memory at a time on the way
//! out, and a file that was cut, changed or written by a newer version is refused by name.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::{Account, AccountId, Arn, Observed, Organization, Partition, Snapshot, Time};

const FORMAT: &str = "palisade-snapshot";

/// The version this build writes. Version 1 is the first, so there is none to migrate from.
const VERSION: u32 = 1;

/// Why a snapshot could not be read or written.
#[derive(Debug, Error)]
pub enum FileError {
    /// Reading or writing failed: a full disk, a closed pipe.
    #[error("cannot read or write the snapshot")]
    Io(#[from] io::Error),
    /// Not gzip, or no snapshot header.
    #[error("this is not a palisade snapshot")]
    NotASnapshot,
    /// Written by a later version.
    #[error("the snapshot has version {found}, and this palisade reads up to {VERSION}")]
    Newer {
        /// The version in its header.
        found: u32,
    },
    /// The file ends too early.
    #[error("the snapshot is cut off after {offset} bytes of content")]
    Truncated {
        /// How many bytes of content were whole.
        offset: u64,
    },
    /// The content is not what was written.
    #[error("the snapshot was changed or damaged at byte {offset} of its content: {detail}")]
    Damaged {
        /// Where the first unreadable line begins.
        offset: u64,
        /// What is wrong with it.
        detail: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    version: u32,
    taken_at: Time,
    partition: Partition,
    caller: Option<Arn>,
    organization: Observed<Organization>,
}

/// Only what decides whether the rest can be read.
#[derive(Deserialize)]
struct Preamble {
    format: String,
    version: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: AccountId,
    data: Account,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Trailer {
    accounts: u64,
    sha256: String,
}

/// Writes `snapshot` to `out`: the same snapshot gives the same bytes.
pub fn write_snapshot(snapshot: &Snapshot, out: impl Write) -> Result<(), FileError> {
    let gzip = GzBuilder::new()
        .mtime(0)
        .write(BufWriter::new(out), Compression::new(6));
    let mut sink = Hashing {
        inner: gzip,
        hash: Sha256::new(),
    };
    sink.line(&Header {
        format: FORMAT.to_owned(),
        version: VERSION,
        taken_at: snapshot.taken_at,
        partition: snapshot.partition,
        caller: snapshot.caller.clone(),
        organization: snapshot.organization.clone(),
    })?;
    #[derive(Serialize)]
    struct Borrowed<'a> {
        account: &'a str,
        data: &'a Account,
    }
    for (account, data) in &snapshot.accounts {
        sink.line(&Borrowed { account, data })?;
    }
    let sha256 = hex(&sink.hash.clone().finalize());
    sink.line(&Trailer {
        accounts: snapshot.accounts.len() as u64,
        sha256,
    })?;
    sink.inner.finish()?.flush()?;
    Ok(())
}

/// How every snapshot begins: gzip, deflated, without a name, a time or a system.
const GZIP: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

struct Hashing<W> {
    inner: W,
    hash: Sha256,
}

impl<W: Write> Hashing<W> {
    fn line(&mut self, value: &impl Serialize) -> Result<(), FileError> {
        let mut text = serde_json::to_vec(value).map_err(io::Error::from)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.inner.write_all(&text)?;
        Ok(())
    }
}

/// Reads a snapshot and proves it whole.
pub fn read_snapshot(input: impl Read) -> Result<Snapshot, FileError> {
    let mut input = BufReader::new(input);
    let as_written = input.fill_buf()?.starts_with(&GZIP);
    let mut reader = Lines {
        inner: BufReader::new(MultiGzDecoder::new(input)),
        hash: Sha256::new(),
        offset: 0,
    };
    let header = reader.next()?.ok_or(FileError::NotASnapshot)?;
    let preamble: Preamble =
        serde_json::from_slice(&header).map_err(|_| FileError::NotASnapshot)?;
    if preamble.format != FORMAT || preamble.version == 0 {
        return Err(FileError::NotASnapshot);
    }
    if preamble.version > VERSION {
        return Err(FileError::Newer {
            found: preamble.version,
        });
    }
    let header: Header = parse(&header, 0)?;
    let mut snapshot = Snapshot {
        taken_at: header.taken_at,
        partition: header.partition,
        caller: header.caller,
        organization: header.organization,
        accounts: Default::default(),
    };
    loop {
        let start = reader.offset;
        let before = reader.hash.clone();
        let Some(line) = reader.next()? else {
            return Err(FileError::Truncated { offset: start });
        };
        if line.starts_with(br#"{"accounts":"#) {
            let trailer: Trailer = parse(&line, start)?;
            if trailer.sha256 != hex(&before.finalize())
                || trailer.accounts != snapshot.accounts.len() as u64
            {
                let detail = "its digest does not fit its content".to_owned();
                return Err(FileError::Damaged {
                    offset: start,
                    detail,
                });
            }
            let offset = reader.offset;
            let damaged = |offset, detail: &str| FileError::Damaged {
                offset,
                detail: detail.to_owned(),
            };
            return match reader.next() {
                Ok(None) if as_written => Ok(snapshot),
                Ok(None) => Err(damaged(
                    0,
                    "its first bytes are not those that were written",
                )),
                Err(FileError::Damaged { detail, .. }) => Err(damaged(offset, &detail)),
                Ok(Some(_)) | Err(_) => Err(damaged(offset, "something follows its last line")),
            };
        }
        let line: Line = parse(&line, start)?;
        snapshot.accounts.insert(line.account, line.data);
    }
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8], offset: u64) -> Result<T, FileError> {
    serde_json::from_slice(line).map_err(|error| FileError::Damaged {
        offset,
        detail: error.to_string(),
    })
}

struct Lines<R> {
    inner: R,
    hash: Sha256,
    offset: u64,
}

impl<R: BufRead> Lines<R> {
    /// The next whole line; `None` at the end.
    fn next(&mut self) -> Result<Option<Vec<u8>>, FileError> {
        let mut line = Vec::new();
        match self.inner.read_until(b'\n', &mut line) {
            Ok(0) => Ok(None),
            Ok(_) if line.last() == Some(&b'\n') => {
                self.hash.update(&line);
                self.offset += line.len() as u64;
                Ok(Some(line))
            }
            Ok(_) => Err(FileError::Truncated {
                offset: self.offset,
            }),
            Err(error) => Err(self.classify(error)),
        }
    }

    fn classify(&self, error: io::Error) -> FileError {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => FileError::Truncated {
                offset: self.offset,
            },
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData if self.offset == 0 => {
                FileError::NotASnapshot
            }
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => FileError::Damaged {
                offset: self.offset,
                detail: error.to_string(),
            },
            _ => FileError::Io(error),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Snapshot {
        let mut snapshot = Snapshot::default();
        snapshot
            .accounts
            .insert("111122223333".to_owned(), Account::unread());
        snapshot
            .accounts
            .insert("444455556666".to_owned(), Account::default());
        snapshot
    }

    fn bytes(snapshot: &Snapshot) -> Vec<u8> {
        let mut out = Vec::new();
        write_snapshot(snapshot, &mut out).unwrap();
        out
    }

    #[test]
    fn a_snapshot_survives_its_file() {
        let written = bytes(&sample());
        assert_eq!(read_snapshot(written.as_slice()).unwrap(), sample());
        assert_eq!(written, bytes(&sample()));
    }

    #[test]
    fn every_cut_is_noticed() {
        let written = bytes(&sample());
        for length in 0..written.len() {
            assert!(read_snapshot(&written[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn every_changed_byte_is_noticed() {
        let written = bytes(&sample());
        for at in 0..written.len() {
            let mut changed = written.clone();
            changed[at] ^= 1;
            assert!(read_snapshot(changed.as_slice()).is_err(), "byte {at}");
        }
        let longer = [written.as_slice(), b"junk"].concat();
        let result = read_snapshot(longer.as_slice());
        assert!(
            result
                .unwrap_err()
                .to_string()
                .contains("something follows")
        );
    }

    #[test]
    fn changed_content_is_refused() {
        let mut text = Vec::new();
        MultiGzDecoder::new(bytes(&sample()).as_slice())
            .read_to_end(&mut text)
            .unwrap();
        let changed = String::from_utf8(text)
            .unwrap()
            .replace("444455556666", "444455556667");
        let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(changed.as_bytes()).unwrap();
        let result = read_snapshot(out.finish().unwrap().as_slice());
        assert!(
            matches!(result, Err(FileError::Damaged { .. })),
            "{result:?}"
        );
    }

    #[test]
    fn a_newer_version_is_named() {
        let header = r#"{"format":"palisade-snapshot","version":7}"#.to_owned() + "\n";
        let mut out = flate2::write::GzEncoder::new(Vec::new(), Compression::fast());
        out.write_all(header.as_bytes()).unwrap();
        let result = read_snapshot(out.finish().unwrap().as_slice());
        assert!(
            matches!(result, Err(FileError::Newer { found: 7 })),
            "{result:?}"
        );
    }
}
