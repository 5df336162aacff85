//! The gate: where in a buffer does any keyword stand?
//!
//! Every position is asked in turn: are these four bytes, letter case folded away, the
//! beginning of a keyword? One multiply and one bit of a 64 KiB table say no to nearly all,
//! eight positions to a branch. What passes is compared in full. Unlike a leftmost search
//! it misses no keyword that begins inside another, and it does not slow with their number.

use std::collections::HashMap;

use crate::encoded;
use crate::found::Role;
use crate::rules::{Check, Rule};

const TABLE_BITS: u32 = 19;
const FOLD: u32 = 0x2020_2020;

/// What a keyword stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Means {
    /// Try this rule here.
    Rule(usize),
    /// Compressed data in base64 may begin here.
    Packed,
    /// A keyword in base64: the byte here is character number `phase` of its group of four.
    Base64 { phase: u8 },
}

/// How gzip and zlib data (at its usual settings) begins in base64.
const PACKED: [&[u8]; 9] = [
    b"H4sI", b"eJw", b"eJx", b"eJy", b"eJz", b"eNo", b"eNp", b"eNq", b"eNr",
];

struct Keyword {
    text: Vec<u8>,
    fold: bool,
    means: Means,
}

/// The compiled gate.
pub(crate) struct Gate {
    bits: Box<[u64; 1 << (TABLE_BITS - 6)]>,
    /// Folded first four bytes → keywords.
    begins: HashMap<u32, Vec<u32>, Mix>,
    keywords: Vec<Keyword>,
}

/// The grams are spread already; one multiply suits the map.
#[derive(Clone, Default)]
struct Mix;
struct Mixer(u64);
impl std::hash::BuildHasher for Mix {
    type Hasher = Mixer;
    fn build_hasher(&self) -> Mixer {
        Mixer(0)
    }
}
impl std::hash::Hasher for Mixer {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    fn write_u32(&mut self, gram: u32) {
        self.0 = u64::from(gram)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }
}

fn slot(gram: u32) -> u32 {
    gram.wrapping_mul(0x9e37_79b1) >> (32 - TABLE_BITS)
}

impl Gate {
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut keywords = Vec::new();
        let mut spelled = std::collections::BTreeSet::new();
        for (index, rule) in rules.iter().enumerate() {
            // Context is for whoever reads around a match; it is no reason to stop at one.
            if rule.role == Role::Context {
                continue;
            }
            for text in &rule.keywords {
                let means = Means::Rule(index);
                keywords.push(Keyword {
                    text: text.clone(),
                    fold: rule.fold,
                    means,
                });
                let worth = rule.role == Role::Secret || rule.check == Check::AwsKeyId;
                // Three bytes say little; where longer words are known, those are looked for.
                let long = text.len() >= 4 || rule.hints.is_empty();
                if worth && rule.only.is_none() && long {
                    spelled.extend(encoded::spellings(text, rule.fold));
                }
            }
        }
        for hint in rules.iter().flat_map(|rule| &rule.hints) {
            spelled.extend(encoded::spellings(hint, false));
        }
        for (text, phase) in spelled {
            keywords.push(Keyword {
                text,
                fold: false,
                means: Means::Base64 { phase },
            });
        }
        for text in PACKED {
            keywords.push(Keyword {
                text: text.to_vec(),
                fold: false,
                means: Means::Packed,
            });
        }
        let mut gate = Self {
            bits: Box::new([0; 1 << (TABLE_BITS - 6)]),
            begins: HashMap::default(),
            keywords,
        };
        for index in 0..gate.keywords.len() {
            for gram in grams(&gate.keywords[index].text) {
                let at = slot(gram);
                gate.bits[(at >> 6) as usize] |= 1 << (at & 63);
                gate.begins.entry(gram).or_default().push(index as u32);
            }
        }
        gate
    }

    /// Calls `hit` with the place and meaning of every keyword that begins in `from..to`.
    pub(crate) fn hits(
        &self,
        hay: &[u8],
        from: usize,
        to: usize,
        mut hit: impl FnMut(usize, Means),
    ) {
        let mut at = from;
        // Eleven bytes hold eight overlapping groups of four.
        while at + 8 <= to && at + 12 <= hay.len() {
            let block: &[u8; 12] = hay[at..at + 12]
                .try_into()
                .expect("twelve bytes were asked");
            let low = u64::from_le_bytes(block[..8].try_into().expect("eight of twelve"));
            let high = u64::from_le_bytes(block[4..].try_into().expect("eight of twelve"));
            let any = self.bit(low as u32)
                | self.bit((low >> 8) as u32)
                | self.bit((low >> 16) as u32)
                | self.bit((low >> 24) as u32)
                | self.bit(high as u32)
                | self.bit((high >> 8) as u32)
                | self.bit((high >> 16) as u32)
                | self.bit((high >> 24) as u32);
            if any & 1 != 0 {
                self.block(hay, at, low, high, &mut hit);
            }
            at += 8;
        }
        while at < to && at + 4 <= hay.len() {
            self.look(hay, at, &mut hit);
            at += 1;
        }
    }

    /// The slow path: which of the eight is it?
    #[inline(never)]
    fn block(
        &self,
        hay: &[u8],
        at: usize,
        low: u64,
        high: u64,
        hit: &mut impl FnMut(usize, Means),
    ) {
        for k in 0..8 {
            let gram = if k < 4 {
                low >> (8 * k)
            } else {
                high >> (8 * (k - 4))
            } as u32;
            if self.bit(gram) & 1 != 0 {
                self.look(hay, at + k, hit);
            }
        }
    }

    #[inline(always)]
    fn bit(&self, gram: u32) -> u64 {
        let at = slot(gram | FOLD);
        self.bits[(at >> 6) as usize] >> (at & 63)
    }

    fn look(&self, hay: &[u8], at: usize, hit: &mut impl FnMut(usize, Means)) {
        let four: [u8; 4] = hay[at..at + 4].try_into().expect("four bytes were asked");
        let gram = u32::from_le_bytes(four);
        if self.bit(gram) & 1 == 0 {
            return;
        }
        let Some(indexes) = self.begins.get(&(gram | FOLD)) else {
            return;
        };
        for &index in indexes {
            let keyword = &self.keywords[index as usize];
            let end = at + keyword.text.len();
            let Some(text) = hay.get(at..end) else {
                continue;
            };
            let same = if keyword.fold {
                text.eq_ignore_ascii_case(&keyword.text)
            } else {
                text == &keyword.text[..]
            };
            if same {
                hit(at, keyword.means);
            }
        }
    }
}

/// The folded beginnings of a keyword; one of three bytes is followed by any ASCII.
fn grams(text: &[u8]) -> Vec<u32> {
    let head = |fourth: u8| u32::from_le_bytes([text[0], text[1], text[2], fourth]) | FOLD;
    match text.get(3) {
        Some(&fourth) => vec![head(fourth)],
        None => (0x20..0x80)
            .filter(|byte| byte & 0x20 != 0)
            .map(head)
            .collect(),
    }
}
