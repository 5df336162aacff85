//! zip, member by member as it streams by. Local headers are enough: deflated data ends by
//! itself, so no seeking is needed and memory does not grow with the archive.

use std::io::{self, Read};
use std::rc::Rc;

use flate2::bufread::DeflateDecoder;

use crate::source::Peek;
use crate::unpack::{Origin, Walk, drain, joined};

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const DESCRIPTOR: &[u8; 4] = b"PK\x07\x08";

struct Header {
    flags: u16,
    method: u16,
    /// Compressed size; 0 when a descriptor behind the data tells it.
    size: u64,
    name: String,
}

impl Header {
    fn encrypted(&self) -> bool {
        self.flags & 1 != 0
    }

    /// The sizes stand behind the data.
    fn open_ended(&self) -> bool {
        self.flags & 8 != 0
    }
}

/// Scans every member.
pub(crate) fn walk(
    walk: &mut Walk<'_>,
    source: &mut Peek<'_>,
    outer: Option<&str>,
    depth: u32,
) -> io::Result<()> {
    while source.peek(4)? == LOCAL {
        let Some(header) = header(source)? else {
            walk.unread(outer, "damaged: the rest");
            return Ok(());
        };
        let name = joined(outer, &header.name);
        if !walk.member(outer) {
            return Ok(());
        }
        let known_end = member(walk, source, &header, &name, depth)?;
        if !known_end || walk.exhausted() {
            return Ok(());
        }
        if header.open_ended() && !header.encrypted() {
            descriptor(source)?;
        }
    }
    // Whatever follows has to be the directory; anything else means that members are hidden.
    let next = source.peek(4)?;
    if !(next.starts_with(b"PK\x01\x02")
        || next.starts_with(b"PK\x05\x06")
        || next == b"PK\x06\x06"
        || next == b"PK\x06\x08")
    {
        walk.unread(outer, "damaged: the rest");
    }
    Ok(())
}

/// Scans one member; `false` when its end cannot be found.
fn member(
    walk: &mut Walk<'_>,
    source: &mut Peek<'_>,
    header: &Header,
    name: &str,
    depth: u32,
) -> io::Result<bool> {
    let sized = !header.open_ended() || header.size > 0;
    if header.encrypted() || !matches!(header.method, 0 | 8) {
        let why = if header.encrypted() {
            "encrypted"
        } else {
            "packed in a way not opened"
        };
        walk.unread(Some(name), why);
        return Ok(sized && source.skip(header.size)?);
    }
    let before = source.used.get();
    let taken = Rc::clone(&source.used);
    match (header.method, sized) {
        (0, true) => {
            let mut data = source.by_ref().take(header.size);
            walk.inflate(&mut data, taken, Some(name), depth, Origin::Member)?;
        }
        (0, false) => {
            // Stored without a size: everything up to the end is searched as this member.
            walk.inflate(&mut *source, taken, Some(name), depth, Origin::Member)?;
            return Ok(false);
        }
        (_, true) => {
            let data = io::BufReader::new(source.by_ref().take(header.size));
            walk.inflate(
                DeflateDecoder::new(data),
                taken,
                Some(name),
                depth,
                Origin::Member,
            )?;
        }
        (_, false) => {
            let mut decoder = DeflateDecoder::new(&mut *source);
            walk.inflate(&mut decoder, taken, Some(name), depth, Origin::Member)?;
            // What was cut off has to be inflated all the same to find the next member; a
            // bomb is left where it lies.
            if walk.exhausted() {
                return Ok(false);
            }
            let mut rest = io::BufReader::new((&mut decoder).take(walk.limits.inflated_bytes));
            return match drain(&mut rest) {
                Ok(()) => Ok(true),
                Err(error) => walk.damaged(Some(name), error).map(|()| false),
            };
        }
    }
    let read = source.used.get() - before;
    source.skip(header.size.saturating_sub(read))
}

fn header(source: &mut Peek<'_>) -> io::Result<Option<Header>> {
    let fixed = source.peek(30)?.to_vec();
    if fixed.len() < 30 {
        return Ok(None);
    }
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long =
        |at: usize| u32::from_le_bytes([fixed[at], fixed[at + 1], fixed[at + 2], fixed[at + 3]]);
    let (name_size, extra_size) = (usize::from(short(26)), usize::from(short(28)));
    let whole = source.peek(30 + name_size + extra_size)?.to_vec();
    if whole.len() < 30 + name_size + extra_size {
        return Ok(None);
    }
    let name = String::from_utf8_lossy(&whole[30..30 + name_size]).into_owned();
    let mut size = u64::from(long(18));
    if size == u64::from(u32::MAX) {
        let both = long(22) == u32::MAX;
        size = zip64(&whole[30 + name_size..], both).unwrap_or(size);
    }
    source.skip((30 + name_size + extra_size) as u64)?;
    Ok(Some(Header {
        flags: short(6),
        method: short(8),
        size,
        name,
    }))
}

/// The compressed size in the zip64 extra field.
fn zip64(mut extra: &[u8], both: bool) -> Option<u64> {
    while extra.len() >= 4 {
        let id = u16::from_le_bytes([extra[0], extra[1]]);
        let size = usize::from(u16::from_le_bytes([extra[2], extra[3]]));
        let body = extra.get(4..4 + size)?;
        if id == 1 {
            let at = if both { 8 } else { 0 };
            return Some(u64::from_le_bytes(body.get(at..at + 8)?.try_into().ok()?));
        }
        extra = &extra[4 + size..];
    }
    None
}

/// Steps over the sizes behind the data: with or without a signature, 32 or 64 bits wide.
fn descriptor(source: &mut Peek<'_>) -> io::Result<()> {
    let next = source.peek(28)?.to_vec();
    let signed = next.starts_with(DESCRIPTOR);
    let widths: &[usize] = if signed { &[16, 24] } else { &[12, 20] };
    let width = widths
        .iter()
        .copied()
        .find(|&w| next.get(w..w + 2) == Some(b"PK"));
    source.skip(width.unwrap_or(widths[0]) as u64)?;
    Ok(())
}
