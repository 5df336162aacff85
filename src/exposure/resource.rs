//! The policy of any resource, against outsiders: who may send one of some actions to it.
//!
//! For buckets there is more to weigh: see `bucket`. Here a grant that no Deny of the same
//! policy and no RCP takes back is all it needs from this side.

use std::collections::BTreeSet;

use palisade_model::{Arn, Gap, Observed, PolicyText};

use crate::policy::Interner;
use crate::policy::document::{Effect, PrincipalKind, Statement};

use super::audience::{Barrier, Path, Verdict};
use super::bucket::{Rules, caller_sets, denials, quote, rules};
use super::openings::{Granted, openings, widest};
use super::outsider::{outsiders, places};
use super::search::{Candidate, Granting, Lens, Search, statements};
use super::states::Target;
use super::surroundings::{Rcps, Surroundings};
use super::view::{Gaps, Unread, View};
use super::words::Words;

/// What is asked of a resource.
pub(super) struct Question<'q> {
    pub(super) arn: &'q Arn,
    pub(super) account: &'q str,
    pub(super) policy: &'q Observed<PolicyText>,
    /// The call that reads the policy, for a policy that is no policy.
    pub(super) read_by: &'q str,
    pub(super) actions: &'q [&'static str],
    /// The service takes signed requests only.
    pub(super) signed_only: bool,
    /// Condition keys that the resource itself fixes, in lower case.
    pub(super) fixed: &'q [(&'q str, &'q str)],
}

/// Who among outsiders may send one of the actions.
pub(super) fn judge(
    question: &Question<'_>,
    around: &Surroundings<'_>,
    compiled: &mut Interner,
) -> Verdict {
    let mut gaps = Gaps::default();
    let policy = rules(
        question.policy,
        Unread::Policy,
        question.read_by,
        &mut gaps,
        compiled,
    );
    let rcps = if question
        .actions
        .iter()
        .any(|action| crate::policy::rcps_act_on(&action.to_ascii_lowercase()))
    {
        around.rcps(question.account)
    } else {
        Rcps::default()
    };
    let policy = match policy {
        Rules::None => return Verdict::default(),
        Rules::Unread => return unread(question, gaps),
        Rules::Read(policy) => policy,
    };
    if !statements(&policy).any(|(_, written)| may_mean_outsiders(written, question.account)) {
        return Verdict::default();
    }
    let mut words = Words::default();
    statements(&policy).for_each(|(_, written)| words.read(written));
    for (_, rcp) in &rcps.policies {
        statements(rcp).for_each(|(_, written)| words.read(written));
    }
    let mut denied = denials(&policy, |statement, quote| Barrier::Deny {
        statement: statement.to_owned(),
        quote: quote.to_owned(),
    });
    for (id, rcp) in &rcps.policies {
        denied.extend(denials(rcp, |_, _| Barrier::Rcp { policy: id.clone() }));
    }
    let target = Target {
        account: question.account,
        organization: around.organization_id(),
        region: question.arn.region(),
        tags: None,
        one_object: false,
        now: around.snapshot.taken_at,
        words: &words,
        fixed: question.fixed,
    };
    let outsiders = outsiders(&words, question.account, around);
    let places = places(&words, question.account, around);
    let under = |view: &View| {
        if rcps.gap.is_some() && !view.open {
            return Vec::new();
        }
        let search = Search {
            target: &target,
            outsiders: &outsiders,
            places: &places,
            denials: &denied,
            lens: Lens {
                open: view.open,
                without: &view.without,
            },
            signed_only: question.signed_only,
        };
        let resource = [Candidate {
            arn: question.arn.to_string(),
            pattern: None,
        }];
        let granted = statements(&policy)
            .filter(|(statement, _)| statement.effect == Effect::Allow)
            .map(|(statement, written)| Granted {
                path: Path::Policy {
                    statement: written.label(),
                    quote: quote(&policy, written.index),
                },
                hits: search.hits(
                    &Granting::Statement(statement, written),
                    question.actions,
                    &resource,
                ),
                caller_sets: caller_sets(written),
            })
            .collect();
        openings(granted, view, around)
    };
    let closed = under(&View::default());
    let open = under(&View {
        open: true,
        ..View::default()
    });
    let (at_least, at_most) = (widest(&closed), widest(&open));
    let mut missing: BTreeSet<String> = BTreeSet::new();
    let mut decisive = Vec::new();
    if at_least != at_most {
        let candidates = rcps.gap.iter().chain(around.membership_gap()).cloned();
        decisive.extend(candidates.filter(|gap| missing.insert(gap.operation.clone())));
        if decisive.is_empty() {
            decisive.push(Gap::not_collected("the meaning of a condition key"));
        }
    }
    let proven = closed.len();
    let mut all = closed;
    all.extend(
        open.into_iter()
            .filter(|opening| !all.contains(opening))
            .collect::<Vec<_>>(),
    );
    Verdict {
        at_least,
        at_most,
        gaps: decisive,
        openings: all,
        proven,
        stops: Vec::new(),
    }
}

fn unread(question: &Question<'_>, gaps: Gaps) -> Verdict {
    use super::audience::Audience;
    Verdict {
        at_most: if question.signed_only {
            Audience::AuthenticatedAws
        } else {
            Audience::Public
        },
        gaps: gaps.0.into_iter().map(|(_, gap)| gap).collect(),
        ..Verdict::default()
    }
}

/// Whether an outsider can be among those a statement grants to, by its names alone: most
/// policies name services and principals of their own account, and need no search.
fn may_mean_outsiders(statement: &Statement, account: &str) -> bool {
    let own = |value: &str| {
        value == account || (value.starts_with("arn:") && value.split(':').nth(4) == Some(account))
    };
    let for_others = statement.conditions.iter().any(|condition| {
        let key = condition.key.to_ascii_lowercase();
        matches!(
            key.as_str(),
            "aws:sourceaccount" | "aws:sourcearn" | "aws:sourceowner"
        )
    });
    statement.effect == Effect::Allow
        && (statement.not_principal.is_some()
            || statement
                .principal
                .iter()
                .flatten()
                .any(|name| match name.kind {
                    PrincipalKind::Service => for_others,
                    PrincipalKind::Aws => !own(&name.value),
                    PrincipalKind::Federated | PrincipalKind::CanonicalUser => true,
                }))
}
