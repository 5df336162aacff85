//! The scan of one stream of text: a buffer that moves along, keywords by the gate, rules
//! where they stand, pairs, and matches out in order. Memory does not grow with the stream.

use std::collections::VecDeque;

use zeroize::{Zeroize, Zeroizing};

use crate::engine::{Compiled, Context};
use crate::found::Match;
use crate::pair::{self, CLUSTER, Found, Kind, Lone};
use crate::sweep::Sweep;

/// First size of the buffer.
const FIRST: usize = 16 * 1024;
/// Bytes searched at a time.
const CHUNK: usize = 256 * 1024;
/// How far past a keyword a rule may look: a private key of 16 KiB and its surroundings.
const AHEAD: usize = 20 * 1024;
/// How far before a keyword: the pairing window and the block of base64 text.
const BEHIND: usize = 8 * 1024;

/// Bytes that compressed base64 text of one file may inflate to.
const UNPACKED: usize = 16 << 20;

/// Where a byte of the searched text stands in the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Map {
    pub(crate) first: u64,
    pub(crate) width: u64,
}

impl Map {
    pub(crate) const PLAIN: Self = Self { first: 0, width: 1 };
}

/// A scan under way.
pub(crate) struct Scanner<'a> {
    engine: &'a Compiled,
    context: &'a Context,
    inner: Option<&'a str>,
    map: Map,
    sink: &'a mut dyn FnMut(Match),
    buf: Vec<u8>,
    /// How much of `buf` is text.
    used: usize,
    /// Place in the text of `buf[0]`.
    base: u64,
    /// Place in `buf` up to which keywords were looked for.
    done: usize,
    state: State,
}

/// What a scan remembers between keywords.
pub(crate) struct State {
    /// Per rule, where its last match ended.
    pub(crate) resume: Vec<u64>,
    /// Key ids that matter only beside a secret, by rule and place: the last few.
    pub(crate) quiet: VecDeque<(usize, u64)>,
    /// Up to where every key id matters, since a secret stands before it.
    pub(crate) loud: u64,
    /// Up to where the next key id matters to a secret with a name.
    pub(crate) owed: Option<u64>,
    /// Up to where bare secrets were looked for.
    pub(crate) bare: u64,
    /// Per place in a group of four, up to where base64 text was decoded.
    pub(crate) decoded: [u64; 4],
    /// Up to where base64 text of compressed data was inflated.
    pub(crate) unpacked: u64,
    /// Inflated out of base64 text, with the place where that stood.
    pub(crate) packed: Vec<(u64, Zeroizing<Vec<u8>>)>,
    /// Bytes that base64 text may still inflate to.
    pub(crate) room_to_unpack: usize,
    /// Whether some was left as it is.
    pub(crate) left_packed: bool,
    /// Whether this is such text already: one level is enough.
    pub(crate) inside: bool,
    pub(crate) pending: Vec<Found>,
    lone: Lone,
    ready: VecDeque<Found>,
    count: u64,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(
        engine: &'a Compiled,
        context: &'a Context,
        inner: Option<&'a str>,
        map: Map,
        sink: &'a mut dyn FnMut(Match),
    ) -> Self {
        let state = State {
            resume: vec![0; engine.rules.len()],
            quiet: VecDeque::new(),
            loud: 0,
            owed: None,
            bare: 0,
            decoded: [0; 4],
            unpacked: 0,
            packed: Vec::new(),
            room_to_unpack: UNPACKED,
            left_packed: false,
            inside: false,
            pending: Vec::new(),
            lone: Lone::default(),
            ready: VecDeque::new(),
            count: 0,
        };
        Self {
            engine,
            context,
            inner,
            map,
            sink,
            buf: Vec::new(),
            used: 0,
            base: 0,
            done: 0,
            state,
        }
    }

    /// Room for the next bytes; the caller tells how many it wrote by [`Self::filled`].
    pub(crate) fn room(&mut self) -> &mut [u8] {
        if self.used == self.buf.len() {
            // Small files stay small; long ones reach the full size after a few reads.
            let size = (self.buf.len() * 4).clamp(FIRST, CHUNK + AHEAD + BEHIND);
            self.buf.resize(size, 0);
        }
        &mut self.buf[self.used..]
    }

    /// `count` bytes were written.
    pub(crate) fn filled(&mut self, count: usize) {
        self.used += count;
        if self.used == CHUNK + AHEAD + BEHIND {
            self.search(false);
        }
    }

    /// The stream has ended. Tells how many matches went out, and whether compressed text in
    /// base64 was left as it is.
    pub(crate) fn finish(mut self) -> (u64, bool) {
        self.search(true);
        self.buf.zeroize();
        (self.state.count, self.state.left_packed)
    }

    fn search(&mut self, last: bool) {
        let limit = if last { self.used } else { self.used - AHEAD };
        let (engine, base) = (self.engine, self.base);
        let hay = &self.buf[..self.used];
        let mut sweep = Sweep {
            engine,
            context: self.context,
            hay,
            base,
            state: &mut self.state,
        };
        engine
            .gate
            .hits(hay, self.done, limit, |at, means| sweep.hit(at, means));
        self.done = limit;
        self.unpacked();
        self.settle(self.base + limit as u64, last);
        let keep = limit.saturating_sub(BEHIND);
        self.buf.copy_within(keep..self.used, 0);
        self.used -= keep;
        self.base += keep as u64;
        self.done -= keep;
    }

    /// Searches what base64 text inflated to, as files inside this one.
    fn unpacked(&mut self) {
        for (place, text) in std::mem::take(&mut self.state.packed) {
            let place = self.map.first + place * self.map.width;
            let name = crate::unpack::joined(self.inner, &format!("base64@{place}"));
            let (engine, context) = (self.engine, self.context);
            let mut inner = Scanner::new(engine, context, Some(&name), Map::PLAIN, self.sink);
            inner.state.inside = true;
            let mut rest = &text[..];
            while !rest.is_empty() {
                let room = inner.room();
                let count = room.len().min(rest.len());
                room[..count].copy_from_slice(&rest[..count]);
                inner.filled(count);
                rest = &rest[count..];
            }
            self.state.count += inner.finish().0;
        }
    }

    /// Pairs and hands out what later bytes cannot change.
    fn settle(&mut self, now: u64, last: bool) {
        let state = &mut self.state;
        if state.pending.is_empty() && !last {
            if let Some(found) = state.lone.release(now, last) {
                state.ready.push_back(found);
            }
            self.hand_out();
            return;
        }
        state
            .pending
            .sort_by_key(|found| (found.start, found.end, found.rule));
        let (cut, complete) = match last {
            true => (state.pending.len(), true),
            false => settled(&state.pending, now),
        };
        let rest = state.pending.split_off(cut);
        let mut batch = std::mem::replace(&mut state.pending, rest);
        drop_doubles(&mut batch, self.engine);
        let mut first = 0;
        while first < batch.len() {
            let mut end = first + 1;
            while end < batch.len()
                && batch[end].start.saturating_sub(batch[end - 1].end) <= pair::NEAR
            {
                end += 1;
            }
            let whole = complete || end < batch.len();
            let count = pair::pair(&mut batch[first..end], whole);
            first += count;
            if !whole {
                break;
            }
        }
        let later = batch.split_off(first);
        state.pending.splice(..0, later);
        for found in batch {
            let alone = !found.paired;
            match found.kind {
                Kind::Bare { .. } if alone => {}
                Kind::Id | Kind::Named if alone => state.ready.extend(state.lone.take(found)),
                _ if alone && found.silent => {}
                _ => state.ready.push_back(found),
            }
        }
        state.ready.extend(state.lone.release(now, last));
        self.hand_out();
    }

    fn hand_out(&mut self) {
        let mut batch: Vec<Found> = self.state.ready.drain(..).collect();
        batch.retain(|found| found.paired || !found.silent);
        batch.sort_by_key(|found| (found.start, found.end, found.rule));
        let mut kept: Vec<Found> = Vec::new();
        for found in batch {
            let rank = |f: &Found| {
                (
                    self.engine.rules[f.rule].rank()
                        - u8::from(f.base64 && self.engine.rules[f.rule].rank() > 0),
                    f.end - f.start,
                )
            };
            match kept.last() {
                Some(last) if found.start < last.end => {
                    if rank(&found) > rank(last) {
                        kept.pop();
                        kept.push(found);
                    }
                }
                _ => kept.push(found),
            }
        }
        for found in kept {
            self.state.count += 1;
            let shown = self.engine.show(&found, self.inner, self.map);
            (self.sink)(shown);
        }
    }
}

/// How many of the sorted matches no later byte can touch, and whether they end with a whole
/// cluster. A cluster without end is cut before it fills the memory.
fn settled(pending: &[Found], now: u64) -> (usize, bool) {
    let whole = (0..=pending.len()).rev().find(|&cut| {
        let before = cut.checked_sub(1).map(|i| &pending[i]);
        let after = pending.get(cut).map_or(now, |next| next.start);
        before.is_none_or(|last| last.end + pair::NEAR < after.min(now))
    });
    match whole {
        Some(cut) if cut > 0 || pending.len() <= 8 * CLUSTER => (cut, true),
        _ => (
            pending
                .iter()
                .take_while(|f| f.end + pair::NEAR < now)
                .count(),
            false,
        ),
    }
}

/// One secret found by its name and by its place: the named one stays. A secret inside
/// another provider's value (a presigned URL, a token) is no bare secret; one inside what people
/// choose, such as the password of a URL, is.
fn drop_doubles(batch: &mut Vec<Found>, engine: &Compiled) {
    let mut i = 0;
    while i < batch.len() {
        let bare = matches!(batch[i].kind, Kind::Bare { .. });
        let low = i.saturating_sub(8);
        let high = batch.len().min(i + 9);
        let covered = bare
            && batch[low..high].iter().enumerate().any(|(k, other)| {
                low + k != i
                    && other.start < batch[i].end
                    && batch[i].start < other.end
                    && (!matches!(other.kind, Kind::Bare { .. }) || low + k < i)
                    && !other.silent
                    && (other.kind != Kind::Other || engine.rules[other.rule].rank() > 1)
            });
        if covered {
            batch.remove(i);
        } else {
            i += 1;
        }
    }
}
