//! The table of contents at the end of a zip: which member lies where, so that a few can be
//! read out of an archive that is too large to be read whole.
//!
//! Source: APPNOTE.TXT of the .ZIP file format, sections 4.3.12 to 4.3.16.

use crate::names::{self, Class};

/// Bytes at the end of a zip that hold the end record, whatever comment follows it.
pub const TAIL: u64 = 22 + 65_535 + 20;
/// The largest table of contents that is looked at.
pub const LARGEST: u64 = 4 << 20;

/// Which bytes of a file, the last exclusive.
pub type Stretch = (u64, u64);

/// A member whose name speaks of credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name in the archive.
    pub name: String,
    /// From its own header up to the next member's.
    pub at: Stretch,
}

/// Members worth reading, most telling first, and how many there are in all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contents {
    /// Those whose names speak of credentials or settings.
    pub telling: Vec<Member>,
    /// All members that the table names.
    pub all: usize,
}

/// Where the table of contents lies, from the last bytes of a file. `None` when these are not
/// the end of a zip. Zip64 is told by a record of its own, whose place `tail` has to hold.
pub fn directory(tail: &[u8], size: u64) -> Option<Stretch> {
    let from = size.checked_sub(tail.len() as u64)?;
    let end = tail
        .windows(22)
        .rposition(|w| w.starts_with(b"PK\x05\x06"))?;
    let (length, start) = (long(tail, end + 12)?, long(tail, end + 16)?);
    let at = if start == u32::MAX || length == u32::MAX {
        let locator = end
            .checked_sub(20)
            .filter(|at| tail[*at..].starts_with(b"PK\x06\x07"))?;
        let record = usize::try_from(wide(tail, locator + 8)?.checked_sub(from)?).ok()?;
        let record = tail
            .get(record..)
            .filter(|rest| rest.starts_with(b"PK\x06\x06"))?;
        (wide(record, 48)?, wide(record, 40)?)
    } else {
        (u64::from(start), u64::from(length))
    };
    let until = at.0.checked_add(at.1)?;
    (at.1 > 0 && until <= size).then_some((at.0, until))
}

/// Reads a table of contents that lies at `at`.
pub fn contents(table: &[u8], at: Stretch) -> Contents {
    let mut starts = vec![at.0];
    let mut found: Vec<(Class, String, u64)> = Vec::new();
    let mut all = 0;
    let mut rest = table;
    while rest.starts_with(b"PK\x01\x02") && rest.len() >= 46 {
        let size = |at: usize| usize::from(short(rest, at).unwrap_or_default());
        let (name, extra, comment) = (size(28), size(30), size(32));
        let Some(record) = rest.get(..46 + name + extra + comment) else {
            break;
        };
        all += 1;
        let start = match long(record, 42) {
            Some(u32::MAX) => wide_start(record, &record[46 + name..46 + name + extra]),
            start => start.map(u64::from),
        };
        if let Some(start) = start {
            starts.push(start);
            let name = String::from_utf8_lossy(&record[46..46 + name]).into_owned();
            if let Some(class) = names::classify(&name)
                && matches!(class.class, Class::A | Class::B)
            {
                found.push((class.class, name, start));
            }
        }
        rest = &rest[46 + name + extra + comment..];
    }
    starts.sort_unstable();
    found.sort();
    let telling = found.into_iter().filter_map(|(_, name, from)| {
        let next = starts.partition_point(|start| *start <= from);
        let at = (from, *starts.get(next)?);
        Some(Member { name, at })
    });
    Contents {
        telling: telling.collect(),
        all,
    }
}

/// The place of a member in its zip64 field: after the sizes that are told there too.
fn wide_start(record: &[u8], mut extra: &[u8]) -> Option<u64> {
    let before = [24, 20]
        .into_iter()
        .filter(|at| long(record, *at) == Some(u32::MAX))
        .count();
    while extra.len() >= 4 {
        let size = usize::from(short(extra, 2)?);
        if short(extra, 0) == Some(1) {
            return wide(extra.get(4..4 + size)?, 8 * before);
        }
        extra = extra.get(4 + size..)?;
    }
    None
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn wide(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}
