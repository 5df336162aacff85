//! One sweep over a buffer: keywords to matches, key ids to what stands around them, base64 text
//! to what it hides.

use crate::encoded;
use crate::engine::{Compiled, Context};
use crate::found::Role;
use crate::gate::Means;
use crate::pair::{self, Kind};
use crate::reading::{Hit, bare_secrets, is_id, try_rule};
use crate::rules::{Only, Reader};
use crate::runs;
use crate::text::State;

/// One sweep over the buffer.
pub(crate) struct Sweep<'a> {
    pub(crate) engine: &'a Compiled,
    pub(crate) context: &'a Context,
    pub(crate) hay: &'a [u8],
    pub(crate) base: u64,
    pub(crate) state: &'a mut State,
}

impl Sweep<'_> {
    pub(crate) fn hit(&mut self, at: usize, means: Means) {
        match means {
            Means::Rule(index) => {
                if self.base + (at as u64) < self.state.resume[index] || !self.wanted(index) {
                    return;
                }
                if self.is_quiet(index) {
                    return self.quiet(index, at);
                }
                let Some(hit) = try_rule(self.engine, self.context, index, self.hay, at) else {
                    return;
                };
                self.state.resume[index] = self.base + hit.end as u64;
                let is_id = hit.found.kind == Kind::Id;
                self.keep(hit);
                if is_id {
                    self.bare_around(at);
                }
            }
            Means::Base64 { phase } => self.encoded(at, phase),
            Means::Packed => self.packed(at),
        }
    }

    /// Is the rule for files of this name?
    fn wanted(&self, index: usize) -> bool {
        let rule = &self.engine.rules[index];
        (rule.only != Some(Only::CredentialFiles) || self.context.credential_file)
            && (rule.files.is_empty() || rule.files.iter().any(|f| self.context.name.ends_with(f)))
    }

    /// Is it for key ids that are nothing by themselves?
    fn is_quiet(&self, index: usize) -> bool {
        let rule = &self.engine.rules[index];
        rule.reader == Reader::AwsKeyId && (!rule.alone || self.context.ids_off)
    }

    /// Notes a key id that matters only beside a secret: logs are full of them, so it is read in
    /// full once a secret turns up.
    fn quiet(&mut self, index: usize, at: usize) {
        if !is_id(&self.engine.rules[index], self.hay, at) {
            return;
        }
        let place = self.base + at as u64;
        self.state.resume[index] = place + 20;
        let owed = self.state.owed.take_if(|until| place <= *until).is_some();
        if owed || place <= self.state.loud {
            self.wake_one(index, place);
        } else {
            let quiet = &mut self.state.quiet;
            while quiet.len() > 1 && quiet[0].1 + 2 * pair::NEAR < place {
                quiet.pop_front();
            }
            quiet.push_back((index, place));
        }
        self.bare_around(at);
    }

    /// Reads a noted key id in full, where it is still at hand.
    fn wake_one(&mut self, index: usize, place: u64) {
        let Some(at) = place.checked_sub(self.base) else {
            return;
        };
        if let Some(hit) = try_rule(self.engine, self.context, index, self.hay, at as usize) {
            self.push(hit);
        }
    }

    /// A secret turned up: the key ids around it matter. One with a name is joined across some
    /// distance, to the nearest id on either side.
    fn wake(&mut self, start: u64, end: u64, named: bool) {
        let near = |place: u64| place + 20 + pair::NEAR >= start;
        while let Some((index, place)) = self.state.quiet.pop_front() {
            let last = self.state.quiet.is_empty();
            if near(place) || (named && last) {
                self.wake_one(index, place);
            }
        }
        self.state.loud = self.state.loud.max(end + pair::NEAR);
        if named {
            self.state.owed = Some(end + pair::FAR);
        }
    }

    fn keep(&mut self, hit: Hit) {
        let secret = match hit.found.kind {
            Kind::Named => Some(true),
            Kind::Bare { .. } | Kind::Token => Some(false),
            Kind::Id | Kind::Other => None,
        };
        if let Some(named) = secret {
            let (start, end) = (self.base + hit.start as u64, self.base + hit.end as u64);
            self.wake(start, end, named);
        }
        self.push(hit);
    }

    fn push(&mut self, hit: Hit) {
        let mut found = hit.found;
        found.start = self.base + hit.start as u64;
        found.end = self.base + hit.end as u64;
        let back = &self.hay[hit.start.saturating_sub(4096)..hit.start];
        let line = memchr::memrchr(b'\n', back).map_or(0, |i| back.len() - i);
        found.line = if line == 0 {
            0
        } else {
            found.start - line as u64 + 1
        };
        let rule = &self.engine.rules[found.rule];
        found.silent = rule.role != Role::Secret && (!rule.alone || self.context.ids_off);
        self.state.pending.push(found);
    }

    /// Looks for secrets without a name around a key id.
    fn bare_around(&mut self, at: usize) {
        let low = at.saturating_sub(pair::NEAR as usize);
        let from = low.max(self.state.bare.saturating_sub(self.base) as usize);
        let to = self.hay.len().min(at + 20 + pair::NEAR as usize);
        for hit in bare_secrets(self.engine, self.hay, from.min(to), to) {
            self.keep(hit);
        }
        self.state.bare = self.base + to as u64;
    }

    /// Decodes the base64 text around `at` and searches it once.
    fn encoded(&mut self, at: usize, phase: u8) {
        let place = self.base + at as u64;
        let lane = (place + 4 - u64::from(phase)) as usize % 4;
        if place < self.state.decoded[lane] {
            return;
        }
        let Some(block) = encoded::decode(self.hay, at, phase) else {
            return;
        };
        self.state.decoded[lane] = self.base + block.end as u64;
        let mut hits: Vec<Hit> = Vec::new();
        let mut near_id = false;
        self.engine
            .gate
            .hits(&block.text, 0, block.text.len(), |inner, means| {
                if let Means::Rule(index) = means
                    && self.engine.rules[index].only.is_none()
                    && self.wanted(index)
                    && let Some(hit) =
                        try_rule(self.engine, self.context, index, &block.text, inner)
                {
                    near_id |= hit.found.kind == Kind::Id;
                    hits.push(hit);
                }
            });
        if near_id {
            hits.extend(bare_secrets(self.engine, &block.text, 0, block.text.len()));
        }
        let mut ids = false;
        for mut hit in hits {
            (hit.start, hit.end) = block.span(hit.start, hit.end);
            hit.found.base64 = true;
            ids |= hit.found.kind == Kind::Id;
            self.keep(hit);
        }
        if ids {
            self.bare_around(at);
        }
    }

    /// Decodes and inflates base64 text of compressed data, to be searched as a file of its own.
    fn packed(&mut self, at: usize) {
        let place = self.base + at as u64;
        let state = &mut *self.state;
        if state.inside || place < state.unpacked || !runs::begins(self.hay, at, &BASE64) {
            return;
        }
        if state.room_to_unpack == 0 {
            state.left_packed = true;
            return;
        }
        let Some((text, end)) = encoded::unpack(self.hay, at) else {
            return;
        };
        state.unpacked = self.base + end as u64;
        state.room_to_unpack = state.room_to_unpack.saturating_sub(text.len());
        state.packed.push((place, text));
    }
}

/// Bytes that base64 text goes on with: compressed data begins where it begins.
static BASE64: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        table[byte] = b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+' | b'_' | b'-');
        byte += 1;
    }
    table
};
