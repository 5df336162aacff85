//! What kind of file is it, and what is inside? Text goes to the scanner; compressed files, tar
//! and zip are opened as they stream by, under limits; what is left closed is told.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::{MultiGzDecoder, ZlibDecoder};
use flate2::{Decompress, FlushDecompress};
use lzma_rust2::XzReader;

use crate::engine::{Compiled, Limits};
use crate::found::{Match, Outcome, Unread};
use crate::source::{Cut, Guard, Narrow, Peek, wide};
use crate::text::{Map, Scanner};
use crate::zstd::{Frames, MAGIC, is_skippable};
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
    /// Out of a compressed file: a tar in it is not one level deeper.
    Packed,
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
        if let Some(packing) = packing(&head) {
            return self.packed(packing, source, inner, depth);
        }
        if head.starts_with(b"PK\x03\x04") {
            return match self.deeper(inner, depth) {
                Some(depth) => zip::walk(self, source, inner, depth),
                None => Ok(()),
            };
        }
        if tar::is_header(&head) {
            let level = if origin == Origin::Packed {
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
        match wide(&head) {
            Some((wide, mark)) => {
                source.skip(mark as u64)?;
                let map = Map {
                    first: mark as u64,
                    width: wide.width as u64,
                };
                let mut narrow = Narrow {
                    inner: source,
                    wide,
                };
                self.text(&mut narrow, inner, (map, &[]))
            }
            None => self.text(source, inner, (Map::PLAIN, &head)),
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

    fn packed(
        &mut self,
        packing: Packing,
        source: &mut Peek<'_>,
        inner: Option<&str>,
        depth: u32,
    ) -> io::Result<()> {
        let Some(depth) = self.deeper(inner, depth) else {
            return Ok(());
        };
        let taken = Rc::clone(&source.used);
        let decoder: Box<dyn Read + '_> = match packing {
            Packing::Gzip => Box::new(MultiGzDecoder::new(source)),
            Packing::Zlib => Box::new(ZlibDecoder::new(source)),
            Packing::Bzip2 => Box::new(MultiBzDecoder::new(source)),
            Packing::Xz => Box::new(XzReader::new_mem_limit(source, true, MEMORY_KIB)),
            Packing::Zstd => Box::new(Frames::new(source, u64::from(MEMORY_KIB) << 10)),
        };
        self.inflate(Honest(decoder), taken, inner, depth, Origin::Packed)
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

    fn text(
        &mut self,
        reader: &mut dyn Read,
        inner: Option<&str>,
        (map, head): (Map, &[u8]),
    ) -> io::Result<()> {
        let name = match inner {
            Some(inner) => format!("{}!{inner}", self.name),
            None => self.name.to_owned(),
        };
        let context = self.engine.context(&name, head);
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
        let (matches, left) = scanner.finish();
        self.outcome.matches += matches;
        if left {
            self.unread(inner, "compressed base64 text: the rest");
        }
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

/// How a single file is compressed.
#[derive(Clone, Copy)]
enum Packing {
    Gzip,
    Zlib,
    Bzip2,
    Xz,
    Zstd,
}

/// The most memory that a decoder may need for its dictionary or window.
const MEMORY_KIB: u32 = 96 << 10;

fn packing(head: &[u8]) -> Option<Packing> {
    // `BZh` begins words too; the format goes on with a digit and the digits of pi.
    let pi = head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59");
    Some(match head {
        [0x1f, 0x8b, 8, ..] => Packing::Gzip,
        [b'B', b'Z', b'h', ..] if pi => Packing::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Packing::Xz,
        _ if head.starts_with(&MAGIC) || is_skippable(head) => Packing::Zstd,
        [0x78, flags @ (0x01 | 0x5e | 0x9c | 0xda), ..]
            if (0x7800 + u16::from(*flags)).is_multiple_of(31) && inflates(head) =>
        {
            Packing::Zlib
        }
        _ => return None,
    })
}

/// Whether zlib data really begins here: its two letters may begin a word.
fn inflates(head: &[u8]) -> bool {
    let mut out = [0; 64];
    let mut decoder = Decompress::new(true);
    let outcome = decoder.decompress(head, &mut out, FlushDecompress::None);
    outcome.is_ok() && decoder.total_out() > 0
}

/// A decoder whose complaints are about the data it reads, unless the system made them.
struct Honest<R>(R);

impl<R: Read> Read for Honest<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out).map_err(|error| {
            if error.raw_os_error().is_some() || error.kind() == io::ErrorKind::Interrupted {
                error
            } else {
                io::Error::new(io::ErrorKind::InvalidData, error)
            }
        })
    }
}

/// Formats that hold other files and are not opened.
fn closed(head: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 2] = [
        (b"7z\xbc\xaf\x27\x1c", "7z is not opened"),
        (b"Rar!\x1a\x07", "rar is not opened"),
    ];
    let kind = KINDS.iter().find(|(magic, _)| head.starts_with(magic))?;
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
