//! What kind of file is it, and what is inside? Text goes to the scanner; gzip, tar and zip
//! are opened as they stream by, under limits; what is left closed is told.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;

use crate::engine::{Compiled, Limits};
use crate::found::{Match, Outcome, Unread};
use crate::source::{Cut, Guard, Narrow, Peek, utf16};
use crate::text::{Map, Scanner};
use crate::{tar, zip};

/// Enough to know a file by: a tar header.
const HEAD: usize = 1024;

/// Scans one file.
pub(crate) fn scan(
    engine: &Compiled,
    stream: &mut dyn Read,
    name: &str,
    limits: &Limits,
    sink: &mut dyn FnMut(Match),
) -> io::Result<Outcome> {
    let mut walk = Walk {
        engine,
        limits,
        name,
        sink,
        outcome: Outcome::default(),
        budget: Rc::new(Cell::new(limits.inflated_bytes)),
        members: 0,
        failed: None,
    };
    let mut source = Peek::new(stream);
    walk.file(&mut source, None, 0, Origin::Plain)?;
    match walk.failed {
        Some(error) => Err(error),
        None => Ok(walk.outcome),
    }
}

/// Where a stream comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The file itself: an error in reading it is an error of the scan.
    Plain,
    /// Out of gzip: a tar in it is not one level deeper.
    Gzip,
    Member,
}

/// One file on its way through its archives.
pub(crate) struct Walk<'a> {
    engine: &'a Compiled,
    pub(crate) limits: &'a Limits,
    name: &'a str,
    sink: &'a mut dyn FnMut(Match),
    outcome: Outcome,
    pub(crate) budget: Rc<Cell<u64>>,
    members: u64,
    failed: Option<io::Error>,
}

impl Walk<'_> {
    /// Scans a file or a member by what its first bytes say.
    pub(crate) fn file(
        &mut self,
        source: &mut Peek<'_>,
        inner: Option<&str>,
        depth: u32,
        origin: Origin,
    ) -> io::Result<()> {
        let head = source.peek(HEAD)?.to_vec();
        if head.starts_with(&[0x1f, 0x8b, 8]) {
            return self.gzip(source, inner, depth);
        }
        if head.starts_with(b"PK\x03\x04") {
            return match self.deeper(inner, depth) {
                Some(depth) => zip::walk(self, source, inner, depth),
                None => Ok(()),
            };
        }
        if tar::is_header(&head) {
            let level = if origin == Origin::Gzip {
                Some(depth)
            } else {
                self.deeper(inner, depth)
            };
            return match level {
                Some(depth) => tar::walk(self, source, inner, depth),
                None => Ok(()),
            };
        }
        if let Some(kind) = closed(&head) {
            self.unread(inner, kind);
            return Ok(());
        }
        match utf16(&head) {
            Some((order, mark)) => {
                source.skip(mark as u64)?;
                let map = Map {
                    first: mark as u64,
                    width: 2,
                };
                self.text(
                    &mut Narrow {
                        inner: source,
                        order,
                    },
                    inner,
                    map,
                )
            }
            None => self.text(source, inner, Map::PLAIN),
        }
    }

    /// One level down, or `None` when that is too deep.
    fn deeper(&mut self, inner: Option<&str>, depth: u32) -> Option<u32> {
        if depth >= self.limits.depth {
            self.unread(
                inner,
                &format!("archives nest deeper than {}", self.limits.depth),
            );
            return None;
        }
        Some(depth + 1)
    }

    fn gzip(&mut self, source: &mut Peek<'_>, inner: Option<&str>, depth: u32) -> io::Result<()> {
        let Some(depth) = self.deeper(inner, depth) else {
            return Ok(());
        };
        let taken = Rc::clone(&source.used);
        self.inflate(
            MultiGzDecoder::new(source),
            taken,
            inner,
            depth,
            Origin::Gzip,
        )
    }

    /// Scans what a decoder gives, under the limits.
    pub(crate) fn inflate(
        &mut self,
        decoder: impl Read,
        taken: Rc<Cell<u64>>,
        inner: Option<&str>,
        depth: u32,
        origin: Origin,
    ) -> io::Result<()> {
        let cut = Rc::new(Cell::new(None));
        let mut guard = Guard {
            inner: decoder,
            budget: Rc::clone(&self.budget),
            taken_before: taken.get(),
            taken,
            given: 0,
            ratio: self.limits.ratio,
            cut: Rc::clone(&cut),
        };
        let mut source = Peek::new(&mut guard);
        if let Err(error) = self.file(&mut source, inner, depth, origin) {
            self.damaged(inner, error)?;
        }
        match cut.get() {
            Some(Cut::Budget) => {
                let most = self.limits.inflated_bytes;
                self.unread(
                    inner,
                    &format!("inflates to more than {most} bytes: the rest"),
                );
            }
            Some(Cut::Ratio) => {
                let most = self.limits.ratio;
                self.unread(inner, &format!("inflates more than {most} times: the rest"));
            }
            None => {}
        }
        Ok(())
    }

    /// An error inside an archive is the archive's, one of the disk is ours.
    pub(crate) fn damaged(&mut self, inner: Option<&str>, error: io::Error) -> io::Result<()> {
        use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) {
            self.unread(inner, "damaged: the rest");
            return Ok(());
        }
        Err(error)
    }

    fn text(&mut self, reader: &mut dyn Read, inner: Option<&str>, map: Map) -> io::Result<()> {
        let name = match inner {
            Some(inner) => format!("{}!{inner}", self.name),
            None => self.name.to_owned(),
        };
        let context = self.engine.context(&name);
        let mut scanner = Scanner::new(self.engine, &context, inner, map, self.sink);
        let ended = loop {
            match reader.read(scanner.room()) {
                Ok(count) => {
                    scanner.filled(count);
                    self.outcome.bytes += count as u64;
                    if count == 0 {
                        break Ok(());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => break Err(error),
            }
        };
        // What came before an error was searched all the same.
        self.outcome.matches += scanner.finish();
        ended
    }

    /// Counts a member; `false` when there are too many.
    pub(crate) fn member(&mut self, inner: Option<&str>) -> bool {
        self.members += 1;
        if self.members > self.limits.members {
            self.unread(
                inner,
                &format!("more than {} members: the rest", self.limits.members),
            );
            return false;
        }
        true
    }

    /// Nothing more may be inflated out of this file.
    pub(crate) fn exhausted(&self) -> bool {
        self.budget.get() == 0
    }

    pub(crate) fn unread(&mut self, inner: Option<&str>, why: &str) {
        let unread = Unread {
            inner: inner.map(str::to_owned),
            why: why.to_owned(),
        };
        if !self.outcome.unread.contains(&unread) && self.outcome.unread.len() < 1000 {
            self.outcome.unread.push(unread);
        }
    }
}

/// The name of a member of a nested archive.
pub(crate) fn joined(outer: Option<&str>, name: &str) -> String {
    match outer {
        Some(outer) => format!("{outer}!{name}"),
        None => name.to_owned(),
    }
}

/// Formats that hold other files and are not opened.
fn closed(head: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 5] = [
        (b"BZh", "bzip2 is not opened"),
        (b"\xfd7zXZ\0", "xz is not opened"),
        (b"\x28\xb5\x2f\xfd", "zstd is not opened"),
        (b"7z\xbc\xaf\x27\x1c", "7z is not opened"),
        (b"Rar!\x1a\x07", "rar is not opened"),
    ];
    let kind = KINDS.iter().find(|(magic, _)| head.starts_with(magic))?;
    // `BZh` begins words too; the format goes on with a digit and the digits of pi.
    let pi = head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59");
    if kind.0 == b"BZh" && !pi {
        return None;
    }
    Some(kind.1)
}

/// Reads what is left, so that the next member can be found.
pub(crate) fn drain(reader: &mut dyn BufRead) -> io::Result<()> {
    loop {
        let count = reader.fill_buf()?.len();
        if count == 0 {
            return Ok(());
        }
        reader.consume(count);
    }
}
