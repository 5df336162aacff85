//! Byte sources: one that can be peeked into, one that stops bombs, one that reads wide characters.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// A reader whose next bytes can be looked at.
pub(crate) struct Peek<'a> {
    inner: &'a mut dyn Read,
    buf: Vec<u8>,
    at: usize,
    /// An error that came behind bytes which were looked at: it is told after them.
    failed: Option<io::Error>,
    /// Bytes handed on so far.
    pub(crate) used: Rc<Cell<u64>>,
}

impl<'a> Peek<'a> {
    pub(crate) fn new(inner: &'a mut dyn Read) -> Self {
        Self {
            inner,
            buf: Vec::new(),
            at: 0,
            failed: None,
            used: Rc::default(),
        }
    }

    /// The next `count` bytes, fewer at the end of the stream or before an error.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buf.len() - self.at < count {
            if self.at > 0 {
                self.buf.drain(..self.at);
                self.at = 0;
            }
            match self.more(count.max(64 * 1024)) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if self.at < self.buf.len() => {
                    self.failed = Some(error);
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        let end = self.buf.len().min(self.at + count);
        Ok(&self.buf[self.at..end])
    }

    /// Drops `count` bytes; `false` when the stream ends before.
    pub(crate) fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let ready = self.fill_buf()?.len() as u64;
            if ready == 0 {
                return Ok(false);
            }
            let step = ready.min(count);
            self.consume(step as usize);
            count -= step;
        }
        Ok(true)
    }

    fn more(&mut self, room: usize) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let old = self.buf.len();
        self.buf.resize(old + room, 0);
        let read = loop {
            match self.inner.read(&mut self.buf[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buf.truncate(old + *read.as_ref().unwrap_or(&0));
        read
    }
}

impl Read for Peek<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.at == self.buf.len() && out.len() >= 64 * 1024 && self.failed.is_none() {
            let count = self.inner.read(out)?;
            self.used.set(self.used.get() + count as u64);
            return Ok(count);
        }
        let ready = self.fill_buf()?;
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Peek<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.at == self.buf.len() {
            self.buf.clear();
            self.at = 0;
            self.more(64 * 1024)?;
        }
        Ok(&self.buf[self.at..])
    }

    fn consume(&mut self, count: usize) {
        self.at += count;
        self.used.set(self.used.get() + count as u64);
    }
}

/// Why an inflating stream was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Out of the budget of the whole file.
    Budget,
    /// More out per byte in than honest data gives.
    Ratio,
}

/// Passes inflated bytes on until they cost too much, then ends.
pub(crate) struct Guard<R> {
    pub(crate) inner: R,
    /// Inflated bytes the whole file may still give.
    pub(crate) budget: Rc<Cell<u64>>,
    /// Compressed bytes read so far, by the source beneath.
    pub(crate) taken: Rc<Cell<u64>>,
    pub(crate) taken_before: u64,
    pub(crate) given: u64,
    pub(crate) ratio: u64,
    pub(crate) cut: Rc<Cell<Option<Cut>>>,
}

/// Ratios mean nothing on the first few bytes.
const RATIO_FROM: u64 = 16 << 20;

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let left = self.budget.get();
        if left == 0 {
            // Exactly used up is fine when nothing follows.
            if self.cut.get().is_none() && self.inner.read(&mut [0])? > 0 {
                self.cut.set(Some(Cut::Budget));
            }
            return Ok(0);
        }
        let taken = self.taken.get() - self.taken_before;
        if self.given > RATIO_FROM && self.given / self.ratio > taken {
            self.cut.set(Some(Cut::Ratio));
            return Ok(0);
        }
        let room = out.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let count = self.inner.read(&mut out[..room])?;
        self.given += count as u64;
        self.budget.set(left - count as u64);
        Ok(count)
    }
}

/// How wide characters stand in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wide {
    order: Order,
    /// Bytes of a unit: 2 for UTF-16, 4 for UTF-32.
    pub(crate) width: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

/// Is this the beginning of UTF-16 or UTF-32 text? With the length of its byte-order mark.
pub(crate) fn wide(head: &[u8]) -> Option<(Wide, usize)> {
    let marks: [(&[u8], Order, usize); 4] = [
        (&[0xff, 0xfe, 0, 0], Order::Little, 4),
        (&[0, 0, 0xfe, 0xff], Order::Big, 4),
        (&[0xff, 0xfe], Order::Little, 2),
        (&[0xfe, 0xff], Order::Big, 2),
    ];
    for (mark, order, width) in marks {
        if head.starts_with(mark) {
            return Some((Wide { order, width }, width));
        }
    }
    for width in [2, 4] {
        for order in [Order::Little, Order::Big] {
            if mostly_plain(head, order, width) {
                return Some((Wide { order, width }, 0));
            }
        }
    }
    None
}

/// Whether four in five units are ASCII text with zeros around it.
fn mostly_plain(head: &[u8], order: Order, width: usize) -> bool {
    let at = if order == Order::Little { 0 } else { width - 1 };
    let units = head.chunks_exact(width).take(512);
    let (mut all, mut plain) = (0, 0);
    for unit in units {
        let byte = unit[at];
        let alone = unit.iter().filter(|b| **b == 0).count() == width - 1;
        all += 1;
        let text = byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        plain += usize::from(alone && text);
    }
    all >= 4 && plain * 5 >= all * 4
}

/// Wide text as one byte per unit, so that places stay countable: ASCII as it is, Latin-1 by
/// its number, everything else as 0xff.
pub(crate) struct Narrow<'a, 'b> {
    pub(crate) inner: &'a mut Peek<'b>,
    pub(crate) wide: Wide,
}

impl Read for Narrow<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let Wide { order, width } = self.wide;
        let want = (out.len() * width).min(64 * 1024);
        let units = self.inner.peek(want)?;
        let mut count = 0;
        for unit in units.chunks_exact(width) {
            let unit = unit.iter().enumerate().fold(0u32, |unit, (at, byte)| {
                let place = if order == Order::Little {
                    at
                } else {
                    width - 1 - at
                };
                unit | u32::from(*byte) << (8 * place)
            });
            out[count] = u8::try_from(unit).unwrap_or(0xff);
            count += 1;
        }
        self.inner.skip((count * width) as u64)?;
        Ok(count)
    }
}
