//! The scan of one stream of text: a buffer that moves along, keywords by the gate, rules
//! where they stand, pairs, and matches out in order. Memory does not grow with the stream.

use std::collections::VecDeque;

use zeroize::Zeroize;

use crate::aws;
use crate::encoded;
use crate::engine::{Compiled, Context};
use crate::found::{Match, Role};
use crate::gate::Means;
use crate::judge::Case;
use crate::pair::{self, CLUSTER, Found, Kind, Lone};
use crate::pem;
use crate::rules::{Check, Only, Reader, Rule};
use crate::value::Value;

/// First size of the buffer.
const FIRST: usize = 16 * 1024;
/// Bytes searched at a time.
const CHUNK: usize = 256 * 1024;
/// How far past a keyword a rule may look: a private key of 16 KiB and its surroundings.
const AHEAD: usize = 20 * 1024;
/// How far before a keyword: the pairing window and the block of base64 text.
const BEHIND: usize = 8 * 1024;

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
struct State {
    /// Per rule, where its last match ended.
    resume: Vec<u64>,
    /// Up to where bare secrets were looked for.
    bare: u64,
    /// Per place in a group of four, up to where base64 text was decoded.
    decoded: [u64; 4],
    pending: Vec<Found>,
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
            bare: 0,
            decoded: [0; 4],
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

    /// The stream has ended. Tells how many matches went out.
    pub(crate) fn finish(mut self) -> u64 {
        self.search(true);
        self.buf.zeroize();
        self.state.count
    }

    fn search(&mut self, last: bool) {
        let limit = if last { self.used } else { self.used - AHEAD };
        let (engine, base) = (self.engine, self.base);
        let hay = &self.buf[..self.used];
        let mut pass = Pass {
            engine,
            context: self.context,
            hay,
            base,
            state: &mut self.state,
        };
        engine
            .gate
            .hits(hay, self.done, limit, |at, means| pass.hit(at, means));
        self.done = limit;
        self.settle(self.base + limit as u64, last);
        let keep = limit.saturating_sub(BEHIND);
        self.buf.copy_within(keep..self.used, 0);
        self.used -= keep;
        self.base += keep as u64;
        self.done -= keep;
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
        drop_doubles(&mut batch);
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
/// another kind of value (a presigned URL, a token) is no bare secret.
fn drop_doubles(batch: &mut Vec<Found>) {
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
            });
        if covered {
            batch.remove(i);
        } else {
            i += 1;
        }
    }
}

/// One sweep over the buffer.
struct Pass<'a> {
    engine: &'a Compiled,
    context: &'a Context,
    hay: &'a [u8],
    base: u64,
    state: &'a mut State,
}

/// A value inside a buffer.
struct Hit {
    start: usize,
    end: usize,
    found: Found,
}

impl Pass<'_> {
    fn hit(&mut self, at: usize, means: Means) {
        match means {
            Means::Rule(index) => {
                if self.base + (at as u64) < self.state.resume[index] || !self.wanted(index) {
                    return;
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
        }
    }

    /// Is the rule for files of this name?
    fn wanted(&self, index: usize) -> bool {
        let rule = &self.engine.rules[index];
        (rule.only != Some(Only::CredentialFiles) || self.context.credential_file)
            && (rule.files.is_empty() || rule.files.iter().any(|f| self.context.name.ends_with(f)))
    }

    fn keep(&mut self, hit: Hit) {
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
}

/// Tries one rule where one of its keywords stands.
fn try_rule(
    engine: &Compiled,
    context: &Context,
    index: usize,
    hay: &[u8],
    at: usize,
) -> Option<Hit> {
    let rule = &engine.rules[index];
    let read = match rule.reader {
        Reader::Pem => by_armour(rule, hay, at)?,
        _ => by_regex(rule, hay, at)?,
    };
    let Reading {
        from,
        start,
        end,
        value,
        ..
    } = read;
    let case = Case {
        rule,
        hay,
        from,
        start,
        end,
        value: &value,
        as_of: context.as_of,
    };
    let mut verdict = case.judge(&engine.stand_ins)?;
    if read.encrypted {
        verdict.severity = verdict.severity.lower();
    }
    let kind = match (rule.reader, rule.check) {
        (Reader::AwsSecret, _) => Kind::Named,
        (_, Check::AwsKeyId) if rule.role == Role::Identifier => Kind::Id,
        _ if rule.id == "aws-session-token" => Kind::Token,
        _ => Kind::Other,
    };
    let names_id = matches!(rule.check, Check::AwsKeyId | Check::AwsPresigned);
    let key_id = names_id.then(|| String::from_utf8_lossy(value.bytes()).into_owned());
    let mut found = plain(index, value, kind, verdict.severity);
    (found.account, found.key_id, found.expired) = (verdict.account, key_id, verdict.expired);
    found.base64 = read.base64;
    Some(Hit { start, end, found })
}

fn plain(rule: usize, value: Value, kind: Kind, severity: crate::Severity) -> Found {
    Found {
        rule,
        start: 0,
        end: 0,
        value,
        kind,
        severity,
        account: None,
        key_id: None,
        paired: false,
        base64: false,
        expired: false,
        line: 0,
        silent: false,
    }
}

/// What a rule read: where the name begins, the span of the value, and the value.
struct Reading {
    from: usize,
    start: usize,
    end: usize,
    value: Value,
    base64: bool,
    encrypted: bool,
}

fn by_armour(rule: &Rule, hay: &[u8], at: usize) -> Option<Reading> {
    let pem::Block {
        start,
        end,
        value,
        encrypted,
    } = pem::read(hay, at, rule.entropy)?;
    Some(Reading {
        from: start,
        start,
        end,
        value,
        base64: false,
        encrypted,
    })
}

fn by_regex(rule: &Rule, hay: &[u8], at: usize) -> Option<Reading> {
    let mut from = at;
    if let Some((class, max)) = &rule.behind {
        while from > 0 && at - from < *max && class[usize::from(hay[from - 1])] {
            from -= 1;
        }
    }
    // What seems to belong to the value may be the end of an escape, such as `\n`.
    let tail = aws::escape_tail(hay, from).min(at - from);
    by_regex_from(rule, hay, at, from).or_else(|| {
        (tail > 0)
            .then(|| by_regex_from(rule, hay, at, from + tail))
            .flatten()
    })
}

fn by_regex_from(rule: &Rule, hay: &[u8], at: usize, from: usize) -> Option<Reading> {
    if rule
        .edge
        .as_ref()
        .is_some_and(|edge| !aws::begins(hay, from, edge))
    {
        return None;
    }
    if rule.userinfo && !has_userinfo(hay, at) {
        return None;
    }
    if rule.reader == Reader::AwsKeyId {
        let end = aws::read_key_id(hay, at)?;
        let value = Value::new(&hay[at..end]);
        return Some(Reading {
            from,
            start: at,
            end,
            value,
            base64: false,
            encrypted: false,
        });
    }
    let regex = rule.regex.as_ref()?;
    let window = &hay[from..hay.len().min(at + rule.span)];
    if rule.reader == Reader::AwsSecret {
        let name = regex.find(window)?;
        let secret = aws::read_named(hay, from + name.end())?;
        let (start, end, base64) = (secret.start, secret.end, secret.base64);
        let value = Value::from_vec(secret.text);
        return Some(Reading {
            from,
            start,
            end,
            value,
            base64,
            encrypted: false,
        });
    }
    if !regex.is_match(window) {
        return None;
    }
    let captures = regex.captures(window)?;
    let group = captures.get(1)?;
    if group.len() < rule.least {
        return None;
    }
    let (start, end) = (from + group.start(), from + group.end());
    let value = Value::new(group.as_bytes());
    Some(Reading {
        from,
        start,
        end,
        value,
        base64: false,
        encrypted: false,
    })
}

/// Is there an `@` before the host ends? Nearly every URL answers no after a few bytes.
fn has_userinfo(hay: &[u8], at: usize) -> bool {
    hay[at + 3..]
        .iter()
        .take(330)
        .find(|b| b"@/ \"'<>\n\r\t".contains(b))
        .is_some_and(|&b| b == b'@')
}

/// Secrets by their shape alone, between two places.
fn bare_secrets(engine: &Compiled, hay: &[u8], from: usize, to: usize) -> Vec<Hit> {
    let rule = &engine.rules[engine.bare_rule];
    aws::bare_runs(hay, from, to)
        .into_iter()
        .filter_map(|run| {
            let value = Value::from_vec(run.text);
            let case = Case {
                rule,
                hay,
                from: run.start,
                start: run.start,
                end: run.end,
                value: &value,
                as_of: None,
            };
            let verdict = case.judge(&engine.stand_ins)?;
            let kind = Kind::Bare {
                evident: run.evident,
            };
            let mut found = plain(engine.bare_rule, value, kind, verdict.severity);
            found.base64 = run.base64;
            Some(Hit {
                start: run.start,
                end: run.end,
                found,
            })
        })
        .collect()
}
