//! Small changes to the worlds of this module.

use palisade::alarm::powers::Powers;
use palisade::alarm::protection::{Ask, Protection, protection};
use palisade::policy::Engine;
use palisade_mocks::World;
use palisade_model::{
    Account, Observed, OrgPolicy, OrgPolicyKind, Organization, PolicyText, Region, Role, Snapshot,
};

pub(super) const MANAGEMENT: &str = "511111111101";
pub(super) const SECURITY: &str = "522222222202";
pub(super) const MEMBER: &str = "533333333303";
pub(super) const HOME: &str = "us-east-1";

pub(super) fn world(name: &str) -> Snapshot {
    let world = World::load(name).expect("the world loads");
    world.snapshot().clone()
}

pub(super) fn account<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Account {
    snapshot.accounts.get_mut(id).expect("the account")
}

pub(super) fn region<'s>(snapshot: &'s mut Snapshot, id: &str) -> &'s mut Region {
    let regions = account(snapshot, id).regions.value_mut().expect("regions");
    regions.get_mut(HOME).expect("the region")
}

pub(super) fn organization(snapshot: &mut Snapshot) -> &mut Organization {
    snapshot.organization.value_mut().expect("an organization")
}

/// Attaches one more SCP to the root, a unit or an account.
pub(super) fn attach(snapshot: &mut Snapshot, target: &str, id: &str, document: &str) {
    let organization = organization(snapshot);
    let policy = OrgPolicy {
        name: id.to_owned(),
        kind: OrgPolicyKind::Scp,
        aws_managed: false,
        document: Observed::Value(PolicyText::new(document)),
    };
    let policies = organization.policies.value_mut().expect("policies");
    policies.insert(id.to_owned(), policy);
    let attached = organization.attachments.value_mut().expect("attachments");
    attached
        .entry(target.to_owned())
        .or_default()
        .push(id.to_owned());
}

/// A dark organization with one SCP at its root.
pub(super) fn under(document: &str) -> Snapshot {
    let mut snapshot = world("security-dark");
    let root = organization(&mut snapshot)
        .root
        .value()
        .expect("a root")
        .clone();
    attach(&mut snapshot, &root, "p-test", document);
    snapshot
}

/// One deny of `action` (JSON) on everything, and what else stands in it.
pub(super) fn deny(action: &str, rest: &str) -> String {
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Deny","Action":{action},"Resource":"*"{rest}}}]}}"#
    )
}

/// What SCPs do about an action in the member, by ways of one step alone.
pub(super) fn answer(snapshot: &Snapshot, action: &str) -> Protection {
    let engine = Engine::new(snapshot);
    let powers = Powers::new(snapshot, &engine);
    protection(&powers, None, MEMBER, &Ask::on(action, "*"))
}

/// A policy of statements.
pub(super) fn policy(statements: &str) -> PolicyText {
    PolicyText::new(format!(
        r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#
    ))
}

/// A role that a service may use, allowed some actions on everything.
pub(super) fn role(arn: &str, service: &str, actions: &str) -> Role {
    let trust = format!(
        r#"{{"Effect":"Allow","Principal":{{"Service":"{service}"}},"Action":"sts:AssumeRole"}}"#
    );
    let allow = format!(r#"{{"Effect":"Allow","Action":{actions},"Resource":"*"}}"#);
    Role {
        arn: arn.into(),
        trust: policy(&trust),
        inline: [("it".to_owned(), policy(&allow))].into(),
        ..Role::default()
    }
}
