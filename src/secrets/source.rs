//! Byte sources: one that can be peeked into, one that stops bombs, one that reads UTF-16.

use std::cell::Cell;
use std::io::{self, BufRead, Read};
use std::rc::Rc;

/// A reader whose next bytes can be looked at.
pub(crate) struct Peek<'a> {
    inner: &'a mut dyn Read,
    buf: Vec<u8>,
    at: usize,
    /// Bytes handed on so far.
    pub(crate) used: Rc<Cell<u64>>,
}

impl<'a> Peek<'a> {
    pub(crate) fn new(inner: &'a mut dyn Read) -> Self {
        Self {
            inner,
            buf: Vec::new(),
            at: 0,
            used: Rc::default(),
        }
    }

    /// The next `count` bytes, fewer at the end of the stream.
    pub(crate) fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.buf.len() - self.at < count {
            if self.at > 0 {
                self.buf.drain(..self.at);
                self.at = 0;
            }
            if self.more(count.max(64 * 1024))? == 0 {
                break;
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
        if self.at == self.buf.len() && out.len() >= 64 * 1024 {
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

/// Byte order of UTF-16 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

/// Is this the beginning of UTF-16 text? With the length of its byte-order mark.
pub(crate) fn utf16(head: &[u8]) -> Option<(Order, usize)> {
    if head.starts_with(&[0xff, 0xfe]) && !head.starts_with(&[0xff, 0xfe, 0, 0]) {
        return Some((Order::Little, 2));
    }
    if head.starts_with(&[0xfe, 0xff]) {
        return Some((Order::Big, 2));
    }
    let pairs: Vec<_> = head.chunks_exact(2).take(512).collect();
    if pairs.len() < 4 {
        return None;
    }
    let share = |plain: usize, zero: usize| {
        let fits = |p: &&&[u8]| {
            p[zero] == 0 && (p[plain].is_ascii_graphic() || p[plain].is_ascii_whitespace())
        };
        pairs.iter().filter(fits).count() * 5 >= pairs.len() * 4
    };
    if share(0, 1) {
        Some((Order::Little, 0))
    } else if share(1, 0) {
        Some((Order::Big, 0))
    } else {
        None
    }
}

/// UTF-16 as one byte per unit, so that places stay countable: ASCII as it is, Latin-1 by
/// its number, everything else as 0xff.
pub(crate) struct Narrow<'a, 'b> {
    pub(crate) inner: &'a mut Peek<'b>,
    pub(crate) order: Order,
}

impl Read for Narrow<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let order = self.order;
        let want = (out.len() * 2).min(64 * 1024);
        let units = self.inner.peek(want)?;
        let mut count = 0;
        for unit in units.chunks_exact(2) {
            let unit = match order {
                Order::Little => u16::from_le_bytes([unit[0], unit[1]]),
                Order::Big => u16::from_be_bytes([unit[0], unit[1]]),
            };
            out[count] = u8::try_from(unit).unwrap_or(0xff);
            count += 1;
        }
        self.inner.skip(count as u64 * 2)?;
        Ok(count)
    }
}
