//! Base64 inside a file, one level deep.
//!
//! Text in base64 can begin at any of three offsets, so every keyword has three spellings;
//! the gate knows them all. Where one stands, the block around it is decoded and searched as
//! text. Line breaks and indentation inside a block are skipped, as mail and YAML fold it.
//! Compressed data in base64 is known by its first letters, and inflated.

use zeroize::Zeroizing;

/// How far around a keyword a block is decoded.
const BEFORE: usize = 4 * 1024;
const AFTER: usize = 12 * 1024;
/// A shorter line is a value of its own, not part of a folded block.
const FOLDED_LINE: usize = 48;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The base64 spellings of a keyword that do not depend on what stands around it, each with
/// the place of its first character in its group of four. A folded keyword is spelled in
/// lower case, in capitals and with a capital first letter.
pub(crate) fn spellings(keyword: &[u8], fold: bool) -> Vec<(Vec<u8>, u8)> {
    let mut texts = vec![keyword.to_vec()];
    if fold {
        texts.push(keyword.to_ascii_uppercase());
        let mut title = keyword.to_vec();
        title[..1].make_ascii_uppercase();
        texts.push(title);
    }
    let mut out = Vec::new();
    for text in texts {
        for offset in 0..3usize {
            let mut padded = vec![0; offset];
            padded.extend_from_slice(&text);
            let first = (8 * offset).div_ceil(6);
            let last = 8 * padded.len() / 6;
            padded.extend_from_slice(&[0, 0, 0]);
            let spelled = (first..last).map(|i| sextet(&padded, i)).collect();
            out.push((spelled, (first % 4) as u8));
        }
    }
    out
}

fn sextet(bytes: &[u8], index: usize) -> u8 {
    let bit = index * 6;
    let pair = u16::from(bytes[bit / 8]) << 8 | u16::from(bytes[bit / 8 + 1]);
    ALPHABET[usize::from(pair >> (10 - bit % 8) & 63)]
}

/// A decoded block, and where its bytes came from.
pub(crate) struct Block {
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// Place in the file of every base64 character.
    places: Vec<usize>,
    /// One past the last base64 character.
    pub(crate) end: usize,
}

impl Block {
    /// The span in the file of a span of decoded text.
    pub(crate) fn span(&self, start: usize, end: usize) -> (usize, usize) {
        let first = self.places[start * 8 / 6];
        let last = (end * 8).div_ceil(6).min(self.places.len());
        (first, self.places[last - 1] + 1)
    }
}

/// How much base64 text of compressed data is decoded, and how far it may inflate.
const PACKED: usize = 20 * 1024;
const INFLATED: u64 = 256 * 1024;

/// Decodes and inflates the base64 text of gzip or zlib data that begins at `at`: what it holds,
/// as far as it goes, and where its text ends.
pub(crate) fn unpack(hay: &[u8], at: usize) -> Option<(Zeroizing<Vec<u8>>, usize)> {
    use std::io::Read;
    let block = decode_within(hay, at, 0, 0, PACKED)?;
    let packed = &block.text[..];
    let mut text = Zeroizing::new(Vec::new());
    // Data that is cut off gives what comes before the cut.
    let _ = match packed.starts_with(&[0x1f, 0x8b]) {
        true => flate2::read::GzDecoder::new(packed)
            .take(INFLATED)
            .read_to_end(&mut text),
        false => flate2::read::ZlibDecoder::new(packed)
            .take(INFLATED)
            .read_to_end(&mut text),
    };
    (text.len() >= 16).then_some((text, block.end))
}

/// Decodes the block around `at`, whose byte there is character `phase` of its group.
pub(crate) fn decode(hay: &[u8], at: usize, phase: u8) -> Option<Block> {
    // Random base64 text holds a spelling now and then: look at a few bytes first.
    let taste = decode_within(hay, at, phase, 16, 48)?;
    let plain = taste
        .text
        .iter()
        .filter(|b| b.is_ascii_graphic() || b.is_ascii_whitespace());
    if plain.count() * 10 < taste.text.len() * 9 {
        return None;
    }
    decode_within(hay, at, phase, BEFORE, AFTER)
}

fn decode_within(hay: &[u8], at: usize, phase: u8, before: usize, after: usize) -> Option<Block> {
    let (start, count) = begin(hay, at, before);
    // Begin at a whole group: the phase of the keyword says how many characters to drop.
    let mut skip = (count + 4 - usize::from(phase)) % 4;
    let mut places = Vec::new();
    let mut digits: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::new());
    let highest = hay.len().min(at + after);
    let (mut i, mut line) = (start, 0usize);
    while i < highest {
        if hay[i] == b'\\' && hay.get(i + 1) == Some(&b'n') {
            i += 2;
        } else if let Some(value) = digit(hay[i]) {
            if skip > 0 {
                skip -= 1;
            } else {
                digits.push(value);
                places.push(i);
            }
            i += 1;
            line += 1;
        } else if line >= FOLDED_LINE
            && let Some(width) = fold_width(hay, i)
        {
            i += width;
            line = 0;
        } else {
            break;
        }
    }
    let end = places.last()? + 1;
    let mut text = Zeroizing::new(Vec::with_capacity(digits.len() * 3 / 4));
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, &d| bits << 6 | u32::from(d));
        match group.len() {
            4 => text.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 => text.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
            2 => text.push((bits >> 4) as u8),
            _ => {}
        }
    }
    Some(Block { text, places, end })
}

/// Where the block that holds `at` begins, and how many characters lie between.
fn begin(hay: &[u8], at: usize, before: usize) -> (usize, usize) {
    let (mut start, mut count, mut i) = (at, 0, at);
    let lowest = at.saturating_sub(before);
    while i > lowest {
        if hay[i - 1] == b'n' && i >= 2 && hay[i - 2] == b'\\' {
            i -= 2;
        } else if digit(hay[i - 1]).is_some() {
            i -= 1;
            start = i;
            count += 1;
        } else if let Some(width) = fold_width_back(hay, i) {
            i -= width;
        } else {
            break;
        }
    }
    (start, count)
}

/// A line break with its indentation that has base64 text on both sides.
fn fold_width(hay: &[u8], at: usize) -> Option<usize> {
    let blank = hay[at..]
        .iter()
        .take(48)
        .take_while(|b| b.is_ascii_whitespace())
        .count();
    let folded = hay[at..at + blank].contains(&b'\n');
    (folded && hay.get(at + blank).is_some_and(|&b| digit(b).is_some())).then_some(blank)
}

fn fold_width_back(hay: &[u8], end: usize) -> Option<usize> {
    let from = end.saturating_sub(48);
    let blank = hay[from..end]
        .iter()
        .rev()
        .take_while(|b| b.is_ascii_whitespace())
        .count();
    let folded = hay[end - blank..end].contains(&b'\n');
    // Only whole lines continue: a short line before is another value.
    let line = hay[..end - blank]
        .iter()
        .rev()
        .take(128)
        .take_while(|&&b| digit(b).is_some())
        .count();
    (folded && line >= FOLDED_LINE).then_some(blank)
}

fn digit(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

/// Decodes a whole standard base64 text, padding optional.
pub(crate) fn decode_whole(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    let end = text.iter().rposition(|&b| b != b'=').map_or(0, |i| i + 1);
    for group in text[..end].chunks(4) {
        let mut bits = 0u32;
        for &byte in group {
            bits = bits << 6 | u32::from(digit(byte)?);
        }
        match group.len() {
            4 => out.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 => out.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
            2 => out.push((bits >> 4) as u8),
            _ => return None,
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &[u8]) -> Vec<u8> {
        let mut padded = text.to_vec();
        padded.extend_from_slice(&[0, 0, 0]);
        (0..(text.len() * 8).div_ceil(6))
            .map(|i| sextet(&padded, i))
            .collect()
    }

    #[test]
    fn a_keyword_is_spelled_right_at_every_offset() {
        for lead in ["", "a", "bc", "def"] {
            let text = format!("{lead}glpat-rest of it");
            let coded = encode(text.as_bytes());
            let found = spellings(b"glpat-", false)
                .into_iter()
                .find_map(|(spelled, phase)| {
                    let at = coded
                        .windows(spelled.len())
                        .position(|w| w == &spelled[..])?;
                    (at % 4 == usize::from(phase)).then_some((at, phase))
                });
            let (at, phase) = found.expect(lead);
            let block = decode(&coded, at, phase).unwrap();
            assert_eq!(&block.text[..], text.as_bytes());
        }
    }

    #[test]
    fn a_folded_block_is_decoded_across_its_lines() {
        let text = "first line of a script\nexport TOKEN=glpat-something and so on and on and on";
        let coded = encode(text.as_bytes());
        let mut folded = b"user_data: |\n  ".to_vec();
        for line in coded.chunks(60) {
            folded.extend_from_slice(line);
            folded.extend_from_slice(b"\n  ");
        }
        let (at, phase) = spellings(b"glpat-", false)
            .into_iter()
            .find_map(|(s, phase)| {
                Some((folded.windows(s.len()).position(|w| w == &s[..])?, phase))
            })
            .unwrap();
        let block = decode(&folded, at, phase).unwrap();
        assert_eq!(&block.text[..], text.as_bytes());
    }
}
