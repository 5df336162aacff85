//! Which resources a role lets its service act for: the conditions of its trust policy on the
//! source, against a resource whose name the attacker chooses.

use std::collections::BTreeSet;

use palisade_checks::technique::Requirement;
use palisade_model::Arn;

use super::bind::{Bindings, Bound};
use super::judge::Judge;
use super::name::witness;
use crate::policy::document::{Document, PrincipalKind, Statement};
use crate::policy::{Effect, Glob, Term};

impl Judge<'_> {
    /// Patterns of which a resource that is yet to be made must fit one, so that its service can
    /// assume the roles that are passed to it; none where nothing narrows the source.
    ///
    /// Source: "The confused deputy problem", IAM User Guide, 2026-10: the service that assumes a
    /// role sends the resource it acts for as `aws:SourceArn`.
    pub(super) fn sources_of(
        &self,
        requirements: &[&Requirement],
        template: &str,
        bindings: &Bindings,
    ) -> BTreeSet<String> {
        let kind = requirements.first().and_then(|r| r.on.kind.resource_type());
        let Some((service, _)) = kind.filter(|(service, _)| *service != "iam") else {
            return BTreeSet::new();
        };
        let mut all = BTreeSet::new();
        // Who acts is not who is passed.
        let own = bindings.get("self");
        let others = bindings.values().filter(|bound| Some(*bound) != own);
        for role in others.filter_map(|bound| match bound {
            Bound::Known(arn) => self.facts.role(arn),
            _ => None,
        }) {
            if let Ok(trust) = self.look.document(&role.trust) {
                all.extend(narrowed(&trust, service));
            }
        }
        // What speaks of another sort of resource says nothing of this one.
        all.retain(|pattern| !matches!(witness(&[pattern.as_str(), template], &[]), Ok(None)));
        all
    }
}

/// Whether a name is a source that roles let in.
pub(super) fn is_source(name: &Arn, sources: &BTreeSet<String>) -> bool {
    let name = name.as_str();
    sources.is_empty()
        || sources
            .iter()
            .any(|pattern| Glob::new(pattern).matches(name))
}

/// The source patterns of the statements that let a service in; none where one asks for none.
fn narrowed(trust: &Document, service: &str) -> Vec<String> {
    let lets_in = |statement: &&Statement| {
        let mut names = statement.principal.iter().flatten();
        statement.effect == Effect::Allow
            && names.any(|name| {
                name.kind == PrincipalKind::Service
                    && name.value.split(['.', '-']).next() == Some(service)
            })
    };
    let mut all = Vec::new();
    for statement in trust.statements.iter().filter(lets_in) {
        let asked = statement.conditions.iter().filter(|condition| {
            let operator = condition.operator.to_ascii_lowercase();
            condition.key.eq_ignore_ascii_case("aws:SourceArn")
                && !operator.contains("not")
                && !operator.contains("null")
        });
        let values: Vec<String> = asked
            .flat_map(|condition| condition.values.clone())
            .collect();
        if values.is_empty() {
            return Vec::new();
        }
        all.extend(values);
    }
    all
}

/// Whether no request of this kind meets a condition: a role that is passed to one service is
/// associated with a resource of that service.
///
/// Source: "Available keys for IAM", IAM User Guide, 2026-10: `iam:AssociatedResourceArn`.
pub(super) fn out_of_reach(context: &[(String, String)], term: &Term) -> bool {
    let passed = context
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case("iam:PassedToService"));
    let Some((_, service)) = passed.filter(|_| term.key == "iam:associatedresourcearn") else {
        return false;
    };
    let own = service.split(['.', '-']).next().unwrap_or_default();
    let speaks = |value: &String| {
        let of = value.split(':').nth(2).unwrap_or("*");
        Glob::new(&of.to_ascii_lowercase()).matches(own)
    };
    !term.operator.negated && !term.operator.if_exists && !term.values.iter().any(speaks)
}
