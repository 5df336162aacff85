//! Makes one predicate true or false on stage.

mod attribute;
mod identity;
mod trust;
mod workload;

use palisade_checks::technique::{Predicate, ResourceRef};
use palisade_model::KeyStatus;
use palisade_model::{Arn, LoginProfile, Observed, Organization, Time};
use serde_json::json;

use super::stage::{HOME, Stage, allow};
use attribute::{attribute, exists};
use identity::{
    attached, boundary, boundary_limits, broader, count, deny, gated, held_by_tag, keys,
};
use trust::{loose, pool_trust, trust_of, trusts};
use workload::{leaked, workload};

/// Arranges it; `false` where the stage has no way to.
pub(super) fn arrange(stage: &mut Stage<'_>, predicate: &Predicate, wanted: bool) -> bool {
    use Predicate as P;
    match predicate {
        // Whoever is in the group already has what it gives.
        P::Not(inner) if matches!(**inner, P::Member(..)) => wanted,
        P::Not(inner) => arrange(stage, inner, !wanted),
        P::GatedBy(key, of) => gated(stage, key, of, wanted),
        P::HeldByTag(key, of) => held_by_tag(stage, key, of, wanted),
        P::LeakedKey(of) => leaked(stage, of, wanted),
        P::Any(parts) if wanted => arrange(stage, &parts[0], true),
        P::All(parts) if !wanted => arrange(stage, &parts[0], false),
        P::Any(parts) | P::All(parts) => parts
            .iter()
            .fold(true, |all, part| arrange(stage, part, wanted) && all),
        P::Attribute(of, path, test) => attribute(stage, of, path, test, wanted),
        P::Exists(what, filter) => exists(stage, what, filter, wanted),
        P::Trusts(role, who, _) => trusts(stage, role, who, wanted),
        P::TrustsAnyone(role, _) => trust_of(stage, role, json!("*"), "sts:AssumeRole", wanted),
        P::TrustsOwnAccount(role) => {
            trust_of(stage, role, json!({"AWS": HOME}), "sts:AssumeRole", wanted)
        }
        P::LooseSubject(role, cases) => loose(stage, role, cases, wanted),
        P::LetsIn(role, ..) => pool_trust(stage, role, wanted),
        P::HasInstanceProfile(role) => {
            let name = name_of(role);
            let profile = palisade_model::InstanceProfile {
                name: name.clone(),
                arn: Arn::new(format!("arn:aws:iam::{HOME}:instance-profile/{name}")),
            };
            stage.role(&name).instance_profiles = if wanted { vec![profile] } else { vec![] };
            true
        }
        P::Member(user, group) => {
            let group = name_of(group);
            let groups = &mut stage.user(&name_of(user)).groups;
            groups.retain(|own| *own != group);
            groups.extend(wanted.then_some(group));
            true
        }
        P::Attached(policy, to) => attached(stage, policy, to, wanted),
        P::BoundaryOf(policy, of) => {
            let arn = stage.arns[&name_of(policy)].clone();
            boundary(stage, of, wanted.then_some(arn))
        }
        P::HasBoundary(of) => {
            let arn = Arn::new(format!("arn:aws:iam::{HOME}:policy/limit"));
            let limit = palisade_model::ManagedPolicy {
                name: "limit".to_owned(),
                default_version: "v1".to_owned(),
                versions: [("v1".to_owned(), allow("*"))].into(),
            };
            let policies = stage.account().iam.policies.value_mut().expect("read");
            policies.insert(arn.clone(), limit);
            boundary(stage, of, wanted.then_some(arn))
        }
        P::BoundaryLimits(of) => boundary_limits(stage, of, wanted),
        P::Count(what, of, test) => count(stage, *what, of, *test, wanted),
        P::LoginProfile(user) => {
            let profile = Observed::Value(LoginProfile::default());
            let slot = &mut stage.user(&name_of(user)).login_profile;
            *slot = if wanted { profile } else { Observed::Absent };
            true
        }
        P::StaleKey(user) => {
            let made = if wanted { 1_700_000_000 } else { 1_793_400_000 };
            keys(stage, &name_of(user), 1, KeyStatus::Active);
            let keys = stage
                .user(&name_of(user))
                .access_keys
                .value_mut()
                .expect("just set");
            keys[0].created = Some(Time(made));
            true
        }
        P::BroaderVersion(policy) => {
            let arn = stage.arns[&name_of(policy)].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let versions = &mut policies.get_mut(&arn).expect("on stage").versions;
            let present = versions["v1"].clone();
            versions.insert("v2".to_owned(), if wanted { allow("*") } else { present });
            true
        }
        P::Broader(what, _) | P::Administers(what) => broader(stage, what, wanted),
        P::BroaderBoundary(policy, _) => broader(stage, policy, wanted),
        P::DenyHeldBy(source, of) => deny(stage, source, of, wanted),
        _ => workload(stage, predicate, wanted),
    }
}

fn name_of(reference: &ResourceRef) -> String {
    reference.variable().unwrap_or_default().to_owned()
}

fn organization(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
    if of.variable() != Some("ext") || wanted {
        return false;
    }
    stage.snapshot.organization = Observed::Value(Organization {
        id: "o-palisade00".to_owned(),
        management_account: HOME.to_owned(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value("r-root".to_owned()),
        accounts: Observed::Value([(HOME.to_owned(), Default::default())].into()),
        ..Organization::default()
    });
    true
}
