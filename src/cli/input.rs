//! Text files on their way in, in whatever encoding the shell that made them writes.

use std::io;
use std::path::Path;

/// The text of a file. A byte order mark is taken off, and UTF-16 is read as what it is: that is
/// how PowerShell writes what a command prints.
pub(crate) fn text(path: &Path) -> io::Result<String> {
    decoded(std::fs::read(path)?)
}

fn decoded(bytes: Vec<u8>) -> io::Result<String> {
    let invalid = |text: &str| io::Error::new(io::ErrorKind::InvalidData, text.to_owned());
    let wide = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes
            .chunks_exact(2)
            .map(|two| read([two[0], two[1]]))
            .collect();
        let whole = bytes.len().is_multiple_of(2).then_some(units);
        whole
            .and_then(|units| String::from_utf16(&units).ok())
            .ok_or_else(|| invalid("it begins as UTF-16 and is not"))
    };
    match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            String::from_utf8(rest.to_vec()).map_err(|_| invalid("it is not UTF-8"))
        }
        [first, 0, _, 0, ..] if *first != 0 => wide(&bytes, u16::from_le_bytes),
        _ => String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8")),
    }
}

/// The number of the line in which the byte at `offset` stands.
pub(crate) fn line_at(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn what_shells_write_is_read() {
        let text = "{\"a\": \"\u{e9}\"}";
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            [&b"\xef\xbb\xbf"[..], text.as_bytes()].concat(),
            [&b"\xff\xfe"[..], &le].concat(),
            [&b"\xfe\xff"[..], &be].concat(),
            le,
        ] {
            assert_eq!(decoded(bytes).unwrap(), text);
        }
        assert!(decoded(vec![0xff, 0xfe, 0x41]).is_err());
        assert!(decoded(vec![0xc3, 0x28]).is_err());
    }
}
