//! Puts the views of one bucket together: what is proven, what is possible, which unread facts
//! make the difference, and what holds back more.

use std::collections::BTreeSet;

use palisade_model::{Gap, ObjectEntry, Observed};

use crate::policy::document::Effect;
use crate::policy::{Caller, Context};

use super::audience::{Audience, Barrier, Capability, Opening, Stop, Verdict};
use super::bucket::{Facts, OneObject, Rules, quote};
use super::openings::widest;
use super::outsider::{Kind, Outsider, Place};
use super::search::statements;
use super::states::{States, Target};
use super::view::{Unread, View};

pub(super) fn verdict(
    facts: &Facts<'_>,
    capability: Capability,
    one: Option<OneObject<'_>>,
) -> Verdict {
    if one.is_none() && is_quiet(facts) {
        return Verdict::default();
    }
    let under = |view: &View| facts.openings(capability, view, one);
    let closed_view = View::default();
    let open_view = View {
        open: true,
        ..View::default()
    };
    let closed = under(&closed_view);
    let open = under(&open_view);
    let (at_least, at_most) = (widest(&closed), widest(&open));
    let gaps = if at_least == at_most {
        Vec::new()
    } else {
        decisive(facts, (&at_least, &at_most), &under)
    };
    let stops = stops(facts, &at_least, &under);
    let proven = closed.len();
    let mut openings = closed;
    openings.extend(
        open.into_iter()
            .filter(|opening| !is_known(opening, &openings))
            .collect::<Vec<_>>(),
    );
    Verdict {
        at_least,
        at_most,
        gaps,
        openings,
        proven,
        stops,
    }
}

/// Whether nothing is there that could open the bucket to anybody outside: no policy, and no
/// grant to anybody but its owner. Most buckets are like that, and need no search.
fn is_quiet(facts: &Facts<'_>) -> bool {
    let quiet = |fact: &Observed<palisade_model::Acl>| match fact {
        Observed::Value(acl) => acl.grants.iter().all(|grant| grant.grantee == acl.owner),
        Observed::Absent | Observed::NotApplicable(_) => true,
        Observed::Gap(_) => false,
    };
    let bucket = facts.bucket;
    matches!(facts.policy, Rules::None)
        && quiet(&bucket.acl)
        && bucket.objects.gap().is_none()
        && bucket
            .objects
            .value()
            .is_none_or(|listing| listing.objects.iter().all(|entry| quiet(&entry.acl)))
}

fn is_known(opening: &Opening, proven: &[Opening]) -> bool {
    proven
        .iter()
        .any(|known| known.path == opening.path && known.audience == opening.audience)
}

/// The gaps that make the difference: those that alone, taken the other way, change an end.
fn decisive(
    facts: &Facts<'_>,
    (at_least, at_most): (&Audience, &Audience),
    under: &dyn Fn(&View) -> Vec<Opening>,
) -> Vec<Gap> {
    let mut candidates = facts.gaps.0.clone();
    let strange = strange_keys(facts);
    if !strange.is_empty() {
        let keys = format!("the meaning of condition key {}", strange.join(", "));
        candidates.push((Unread::Keys, Gap::not_collected(keys)));
    }
    let matters = |what: &Unread| {
        let flip = |open| View {
            open,
            flipped: Some(what.clone()),
            ..View::default()
        };
        widest(&under(&flip(true))) != *at_most || widest(&under(&flip(false))) != *at_least
    };
    let mut gaps: Vec<Gap> = candidates
        .iter()
        .filter(|(what, _)| matters(what))
        .map(|(_, gap)| gap.clone())
        .collect();
    if gaps.is_empty() {
        // Only together do they decide.
        gaps = candidates.into_iter().map(|(_, gap)| gap).collect();
    }
    gaps.sort_by(|a, b| a.operation.cmp(&b.operation));
    gaps.dedup();
    gaps
}

/// Condition keys of which nothing is known.
fn strange_keys(facts: &Facts<'_>) -> Vec<String> {
    let target = Target {
        account: facts.account,
        organization: facts.around.organization_id(),
        region: &facts.bucket.region,
        tags: Some(&facts.bucket.tags),
        one_object: true,
        fixed: &[],
        now: facts.around.snapshot.taken_at,
        words: &facts.words,
    };
    let anyone = Outsider {
        kind: Kind::Anyone,
        caller: Caller::new("anonymous", &Context::closed()),
        account: None,
        organization: None,
        userid: None,
        source: None,
    };
    let keys = facts.words.values.keys().chain(&facts.words.variables);
    let mut strange: Vec<String> = keys
        .filter(|key| target.states(key, &anyone, &Place::Internet) == States::Unknown)
        .map(|key| format!("`{key}`"))
        .collect();
    strange.sort();
    strange.dedup();
    strange
}

/// What holds back a wider audience: each barrier alone, or else all switches together.
fn stops(
    facts: &Facts<'_>,
    at_least: &Audience,
    under: &dyn Fn(&View) -> Vec<Opening>,
) -> Vec<Stop> {
    if *at_least == Audience::Public {
        return Vec::new();
    }
    let barriers = barriers(facts);
    let without = |barriers: BTreeSet<Barrier>| -> Option<Stop> {
        let openings = under(&View {
            without: barriers.clone(),
            ..View::default()
        });
        let audience = widest(&openings);
        let path = openings.into_iter().next()?.path;
        (audience.width() > at_least.width()).then_some(Stop {
            barriers,
            audience,
            path,
        })
    };
    let mut stops: Vec<Stop> = barriers
        .iter()
        .filter_map(|barrier| without(BTreeSet::from([barrier.clone()])))
        .collect();
    let latent = stops
        .iter()
        .any(|stop| stop.is_latent() && stop.audience.is_everybody());
    let switches: BTreeSet<Barrier> = barriers
        .iter()
        .filter(|barrier| barrier.is_switch())
        .cloned()
        .collect();
    if !latent && switches.len() > 1 {
        stops.extend(without(switches).map(|stop| fewer(stop, &without)));
    }
    stops
}

/// Leaves out of a group of barriers those that hold back nothing.
fn fewer(stop: Stop, without: &dyn Fn(BTreeSet<Barrier>) -> Option<Stop>) -> Stop {
    let mut least = stop;
    for barrier in least.barriers.clone() {
        let mut rest = least.barriers.clone();
        rest.remove(&barrier);
        if let Some(smaller) = without(rest)
            && smaller.audience.width() >= least.audience.width()
        {
            least = smaller;
        }
    }
    least
}

fn barriers(facts: &Facts<'_>) -> BTreeSet<Barrier> {
    let mut out = BTreeSet::new();
    let on = |fact: &Observed<palisade_model::PublicAccessBlock>| {
        fact.value()
            .is_some_and(|block| block.ignore_public_acls || block.restrict_public_buckets)
    };
    if on(facts.account_block) || facts.points.iter().any(|p| p.account_block.is_some_and(on)) {
        out.insert(Barrier::AccountBlock);
    }
    if on(&facts.bucket.public_access_block) {
        out.insert(Barrier::BucketBlock);
    }
    if facts
        .points
        .iter()
        .any(|point| on(&point.point.public_access_block))
    {
        out.insert(Barrier::AccessPointBlock);
    }
    if facts
        .bucket
        .ownership
        .value()
        .is_some_and(|setting| setting == "BucketOwnerEnforced")
    {
        out.insert(Barrier::OwnerEnforced);
    }
    if facts
        .bucket
        .request_payer
        .value()
        .is_some_and(|payer| payer == "Requester")
    {
        out.insert(Barrier::RequesterPays);
    }
    if let Rules::Read(policy) = &facts.policy {
        for (_, written) in statements(policy).filter(|(c, _)| c.effect == Effect::Deny) {
            let quote = quote(policy, written.index);
            out.insert(Barrier::Deny {
                statement: written.label(),
                quote,
            });
        }
    }
    out.extend(
        facts
            .rcps
            .policies
            .iter()
            .map(|(id, _)| Barrier::Rcp { policy: id.clone() }),
    );
    out.insert(Barrier::Kms);
    out
}

/// Judges one object. An archived one cannot be read before its owner restores it.
pub(super) fn object_verdict(facts: &Facts<'_>, entry: &ObjectEntry, bucket: &Verdict) -> Verdict {
    let closed = bucket.at_most == Audience::Private && bucket.stops.is_empty();
    if closed && entry.acl.value().is_none_or(|acl| acl.grants.len() <= 1) {
        return Verdict::default();
    }
    let mut verdict = verdict(facts, Capability::Read, Some(OneObject { entry }));
    let archived = matches!(entry.storage_class.as_str(), "GLACIER" | "DEEP_ARCHIVE");
    if archived && verdict.at_most != Audience::Private {
        let path = verdict.openings.first().map(|opening| opening.path.clone());
        let stop = path.map(|path| Stop {
            barriers: BTreeSet::from([Barrier::Archived]),
            audience: verdict.at_most.clone(),
            path,
        });
        verdict = Verdict {
            stops: stop.into_iter().collect(),
            ..Verdict::default()
        };
    }
    verdict
}
