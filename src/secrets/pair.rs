//! Which key id belongs to which secret.
//!
//! Ids and secrets that stand near each other form a cluster. Inside a cluster they are
//! aligned in order, as columns of a table or fields of objects are, so that the sum of
//! distances is least: the secret before an id on the last line of one record never takes
//! that id from its own record. A secret without a name counts only when it gets an id.

use crate::found::Severity;
use crate::value::Value;

/// Farthest a bare secret may stand from its id.
pub(crate) const BARE: u64 = 1024;
/// Farthest a secret with some name in front may.
pub(crate) const NEAR: u64 = 4096;
/// Farthest a lone named secret and a lone id are joined across.
pub(crate) const FAR: u64 = 64 * 1024;
/// Longest stretch of a cluster that is aligned at once.
pub(crate) const CLUSTER: usize = 384;
/// How much of it is looked at again with what follows.
const OVERLAP: usize = 64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// AKIA, ASIA.
    Id,
    /// A secret with its name in front.
    Named,
    /// A secret's shape near an id; `evident` when a telling word stands before it.
    Bare {
        evident: bool,
    },
    /// A session token.
    Token,
    Other,
}

/// A match on its way out.
pub(crate) struct Found {
    pub(crate) rule: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) value: Value,
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) account: Option<String>,
    pub(crate) key_id: Option<String>,
    pub(crate) paired: bool,
    pub(crate) base64: bool,
    pub(crate) expired: bool,
    /// Where its line begins: equal for two on one line.
    pub(crate) line: u64,
    /// Nothing by itself: dropped unless it gets a partner.
    pub(crate) silent: bool,
}

fn gap(a: &Found, b: &Found) -> u64 {
    if a.start <= b.start {
        b.start.saturating_sub(a.end)
    } else {
        a.start.saturating_sub(b.end)
    }
}

/// One pair more outweighs any sum of distances in a cluster: whole records never shift.
const PAIRED: u64 = 1 << 32;

/// How well an id and a secret fit; `None` when they cannot belong together.
fn fit(id: &Found, secret: &Found) -> Option<u64> {
    let distance = gap(id, secret);
    let reach = match secret.kind {
        Kind::Bare { evident: false } => BARE,
        _ => NEAR,
    };
    if distance > reach {
        return None;
    }
    let same_line = if id.line == secret.line { 400 } else { 0 };
    // Only to settle ties.
    let in_order = u64::from(id.start < secret.start);
    let named = if secret.kind == Kind::Named { 800 } else { 0 };
    Some(PAIRED - distance + same_line + in_order + named)
}

/// Pairs the ids, secrets and tokens of a cluster, which comes sorted by place. A long
/// cluster is aligned in stretches that overlap, so that no record is cut in two. Says how
/// many of its members are settled: all of a `complete` one, not the last few of one that
/// goes on.
pub(crate) fn pair(cluster: &mut [Found], complete: bool) -> usize {
    let mut first = 0;
    while first < cluster.len() {
        let left = cluster.len() - first;
        let last = left <= CLUSTER;
        if last && !complete && first > 0 {
            break;
        }
        let stretch = &mut cluster[first..first + left.min(CLUSTER)];
        first += pair_stretch(stretch, last && complete);
    }
    first
}

/// Pairs a stretch, and says up to where it is settled.
fn pair_stretch(cluster: &mut [Found], last: bool) -> usize {
    let of = |wanted: fn(Kind) -> bool, cluster: &[Found]| -> Vec<usize> {
        (0..cluster.len())
            .filter(|&i| wanted(cluster[i].kind))
            .collect()
    };
    let ids = of(|k| k == Kind::Id, cluster);
    let secrets = of(|k| matches!(k, Kind::Named | Kind::Bare { .. }), cluster);
    let pairs = align(cluster, &ids, &secrets);
    let mut cut = if last {
        cluster.len()
    } else {
        cluster.len().saturating_sub(OVERLAP)
    };
    for &(id, secret) in pairs.iter().rev() {
        if id.min(secret) < cut && cut <= id.max(secret) {
            cut = id.min(secret);
        }
    }
    let cut = cut.max(1);
    for (id, secret) in pairs {
        if id.max(secret) < cut {
            join(cluster, id, secret);
        }
    }
    let cluster = &mut cluster[..cut];
    for token in of(|k| k == Kind::Token, cluster) {
        let nearest = of(|k| k == Kind::Id, cluster)
            .into_iter()
            .filter(|&id| gap(&cluster[id], &cluster[token]) <= NEAR)
            .min_by_key(|&id| (!cluster[id].silent, gap(&cluster[id], &cluster[token])));
        if let Some(id) = nearest {
            mark(cluster, id, token);
        }
    }
    echo(cluster);
    cut
}

/// Order-preserving alignment of the best total fit.
fn align(cluster: &[Found], ids: &[usize], secrets: &[usize]) -> Vec<(usize, usize)> {
    let (rows, columns) = (ids.len(), secrets.len());
    if rows == 0 || columns == 0 {
        return Vec::new();
    }
    let width = columns + 1;
    let mut best = vec![0u64; (rows + 1) * width];
    for i in (0..rows).rev() {
        for j in (0..columns).rev() {
            let joined = fit(&cluster[ids[i]], &cluster[secrets[j]])
                .map_or(0, |fit| fit + best[(i + 1) * width + j + 1]);
            best[i * width + j] = joined
                .max(best[(i + 1) * width + j])
                .max(best[i * width + j + 1]);
        }
    }
    let (mut i, mut j, mut pairs) = (0, 0, Vec::new());
    while i < rows && j < columns {
        let here = best[i * width + j];
        if here == best[(i + 1) * width + j] {
            i += 1;
        } else if here == best[i * width + j + 1] {
            j += 1;
        } else {
            pairs.push((ids[i], secrets[j]));
            i += 1;
            j += 1;
        }
    }
    pairs
}

fn join(cluster: &mut [Found], id: usize, secret: usize) {
    mark(cluster, id, secret);
    let severity = if cluster[id].silent {
        Severity::High
    } else {
        Severity::Critical
    };
    cluster[id].severity = severity;
    cluster[secret].severity = severity;
}

fn mark(cluster: &mut [Found], id: usize, partner: usize) {
    cluster[id].paired = true;
    let (key_id, account) = (cluster[id].key_id.clone(), cluster[id].account.clone());
    let partner = &mut cluster[partner];
    partner.paired = true;
    partner.key_id = key_id;
    partner.account = account;
}

/// The same id or secret again in the same cluster belongs to the same pair.
fn echo(cluster: &mut [Found]) {
    if !cluster.iter().any(|found| found.paired) {
        return;
    }
    for i in 0..cluster.len() {
        if cluster[i].paired || cluster[i].kind == Kind::Other {
            continue;
        }
        let twin = (0..cluster.len())
            .find(|&j| cluster[j].paired && cluster[j].value.bytes() == cluster[i].value.bytes());
        if let Some(twin) = twin {
            let (severity, key_id, account) = (
                cluster[twin].severity,
                cluster[twin].key_id.clone(),
                cluster[twin].account.clone(),
            );
            let found = &mut cluster[i];
            (found.paired, found.severity, found.key_id, found.account) =
                (true, severity, key_id, account);
        }
    }
}

/// The last id and the last named secret that found no partner nearby.
#[derive(Default)]
pub(crate) struct Lone {
    waiting: Option<Found>,
}

impl Lone {
    /// Takes a lone id or named secret; gives back what is settled.
    pub(crate) fn take(&mut self, found: Found) -> Vec<Found> {
        let Some(before) = self.waiting.take() else {
            self.waiting = Some(found);
            return Vec::new();
        };
        let kinds = (before.kind, found.kind);
        let fits = matches!(kinds, (Kind::Id, Kind::Named) | (Kind::Named, Kind::Id));
        if !fits || gap(&before, &found) > FAR {
            self.waiting = Some(found);
            return vec![before];
        }
        let id = usize::from(before.kind != Kind::Id);
        let mut both = [before, found];
        join(&mut both, id, 1 - id);
        both.into()
    }

    /// Gives up waiting once the scan is farther than any partner may be.
    pub(crate) fn release(&mut self, now: u64, at_end: bool) -> Option<Found> {
        let late = self
            .waiting
            .as_ref()
            .is_some_and(|w| at_end || w.end + FAR < now);
        if late { self.waiting.take() } else { None }
    }
}
