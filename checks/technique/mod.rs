//! A technique as a file: one way a principal gains another, typed and validated.
//!
//! The graph knows these types and no technique by name. What each key means is explained in
//! `checks/SCHEMA.md`; kinds are in `kind.rs`, the grammar in `parse.rs`, the questions in
//! `predicate.rs`, and what a file may not say in `validate.rs`.

mod call;
mod display;
mod handover;
mod kind;
mod parse;
mod predicate;
mod read;
mod validate;

use std::collections::BTreeMap;

use palisade_model::actions;
use serde::{Deserialize, Serialize};

pub use handover::{handover, through};
pub use kind::Kind;
pub use predicate::{
    Comparison, Counted, DenySource, Federated, Predicate, Qualifier, ResourceRef, RootWeakness,
    Selector, Subject, TemplateVersion, Test, Trusted, Visitor,
};
pub use read::{
    Catalogue, Chain, Vendor, catalogues, chains, is_vendor, load_techniques, technique_of,
    techniques, vendors,
};

use crate::Proof;

/// One way a principal gains another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Technique {
    /// `<service>.<technique>`: the path of its file.
    pub id: String,
    /// What is done, in a few words.
    pub name: String,
    /// The part of the id before the dot.
    pub service: String,
    /// What sort of step it is.
    pub category: Category,
    /// Whether it works today.
    pub status: Status,
    /// Where it was first written down.
    pub origin: Origin,
    /// What `$self` must be allowed, all of it.
    pub requires: Vec<Requirement>,
    /// Of each group, one option must be satisfied.
    pub any_of: Vec<Group>,
    /// What must be true of the estate, all of it.
    pub preconditions: Vec<Predicate>,
    /// Who gains what.
    pub yields: Yield,
    /// How long it takes.
    pub speed: Speed,
    /// How much of it shows.
    pub stealth: Stealth,
    /// MITRE ATT&CK (v19) and ATLAS technique ids.
    pub mitre: Vec<String>,
    /// Ids of the same technique elsewhere, by source id of `techniques/sources.yaml`.
    pub refs: BTreeMap<String, Vec<String>>,
    /// The API operations whose answers decide it, groups written out.
    pub collect: Vec<String>,
    /// What stops it.
    pub breaks: Breaks,
    /// The action whose loss hurts the attacker most and the owner least.
    pub cut_first: Option<String>,
    /// What a reader should know.
    pub notes: Vec<String>,
    /// The worlds that prove it.
    pub proof: Proof,
    /// Why its preconditions cannot be read yet: then it answers *possible* at best.
    pub unread: Option<String>,
}

/// A permission the acting principal must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The IAM action, in the documented case.
    pub action: String,
    /// The resource the action is asked on. An action without resource types is asked on `*`
    /// whatever stands here; the reference then only binds a variable.
    pub on: ResourceRef,
    /// What the resource must be like.
    pub filter: Vec<Predicate>,
    /// Request context the technique implies, such as `iam:PassedToService`.
    pub context: Vec<(String, ContextValue)>,
}

impl Requirement {
    /// Whether the action is checked against the resource, and not against `*`.
    pub fn takes_resource(&self) -> bool {
        actions()
            .find(&self.action)
            .is_some_and(|action| action.takes_resource())
    }
}

/// A value of the request context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContextValue {
    /// This text.
    Text(String),
    /// The ARN of what is bound.
    Ref(ResourceRef),
    /// Text around where what is bound answers: `kms:ViaService=ssm.{endpoint of KIND:$p}`.
    Endpoint {
        /// What stands before.
        before: String,
        /// What answers there.
        of: ResourceRef,
    },
}

/// A choice the attacker has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the choice is about.
    pub name: String,
    /// The ways, the easiest first.
    pub options: Vec<Opt>,
}

/// One way within a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    /// Unique within the group.
    pub id: String,
    /// What `$self` must be allowed besides.
    pub requires: Vec<Requirement>,
    /// What must be true besides.
    pub preconditions: Vec<Predicate>,
    /// Who acts, where it is not who acts otherwise.
    pub from: Option<Source>,
    /// What is gained, where it is not what is gained otherwise.
    pub to: Option<Goal>,
    /// What this way gives, where it is not what the technique yields.
    pub gain: Option<Gain>,
    /// What makes this way less likely than an ordinary call.
    pub weight: Option<WeightHint>,
    /// Ids of this option elsewhere.
    pub refs: BTreeMap<String, Vec<String>>,
}

/// What makes a way less likely than an ordinary call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WeightHint {
    /// A name must be guessed.
    Guess,
    /// A second factor of somebody else is asked for: the way is conditional at best.
    SecondFactor,
}

/// The edge a technique draws.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yield {
    /// Who acts.
    pub from: Source,
    /// What is gained.
    pub to: Goal,
    /// In which sense.
    pub kind: YieldKind,
    /// What the source can do afterwards.
    pub gain: Gain,
    /// The same in words.
    pub reach: String,
}

/// Where an edge begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `$self`: a principal that is already in hand.
    SelfRef,
    /// `internet`: anybody, without an AWS identity.
    Internet,
    /// `any-account`: anybody with an AWS account.
    AnyAccount,
    /// `account:$ext`: one foreign account.
    Account(ResourceRef),
    /// `tenants`: anybody who can sign in at a shared identity provider.
    Tenants,
    /// `outside`: the attacker's own account or identity provider.
    Outside,
    /// `leak`: whoever finds a credential outside AWS.
    Leak,
    /// `role:$host`, `eks.cluster:$c`: a foothold that is itself a node.
    Held(ResourceRef),
}

/// Where an edge ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Goal {
    /// `$self`: the same principal, with more.
    SelfRef,
    /// `role:$target`, `user:$new`, `bucket:$b`: a principal or resource.
    Resource(ResourceRef),
    /// `root(account:$member)`: the root user of an account.
    Root(ResourceRef),
    /// `administrator(account:$acct)`: administrator of an account.
    Administrator(ResourceRef),
    /// `organization`: every member account.
    Organization,
    /// `guardrails(account:$account)`: the organization's policies over an account.
    Guardrails(ResourceRef),
    /// `data(kms.key:$k)`: what is stored in or under a resource.
    Data(ResourceRef),
    /// `capacity`: compute or models somebody else pays for.
    Capacity,
    /// `knowledge`: a map of the account.
    Knowledge,
    /// `outside`: a platform beyond AWS.
    Outside,
}

/// The sense in which something is gained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum YieldKind {
    /// The source gains permissions.
    Permissions,
    /// The source holds a session or credential of the target.
    Principal,
    /// The source's code runs as the target, so that its credentials are in hand.
    CodeExec,
    /// The source controls a resource or capacity.
    ResourceControl,
    /// The source reads data.
    Data,
    /// A limit on the source is gone.
    GuardrailRemoval,
    /// An outsider reaches the target.
    Entry,
    /// Access that survives a clean-up.
    DurableAccess,
}

/// What the source can do once the edge is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gain {
    /// `target`: what the target may do.
    Target,
    /// `anything`: an Allow of `*` on `*`, under the boundary of who receives it.
    Anything,
    /// `policy:$p`: what this policy allows.
    Policy(ResourceRef),
    /// `version:$p`: what a stored version of this policy allows.
    Version(ResourceRef),
    /// `group:$g`: what this group allows.
    Group(ResourceRef),
    /// `without-boundary`: the identity policies without their cap.
    WithoutBoundary,
    /// `under policy:$p`: the identity policies under this boundary in place of the present one.
    Under(ResourceRef),
    /// `under version:$p`: likewise a stored version of the boundary.
    UnderVersion(ResourceRef),
    /// `anything under policy:$p`: an Allow of `*` on `*` under this boundary.
    AnythingUnder(ResourceRef),
    /// `without-denies`: the identity policies without their denies.
    WithoutDenies,
    /// `gated`: what waits behind a condition.
    Gated,
    /// `through SERVICE`: what the service lets the target do for the source.
    Through(String),
    /// `nothing`: no permission of a principal.
    Nothing,
}

/// What sort of step a technique is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// The source changes what itself may do, or removes a guardrail that holds it.
    SelfEscalation,
    /// The source becomes another principal through IAM, STS or an identity service.
    PrincipalAccess,
    /// The source passes a role to a resource it creates or points elsewhere.
    NewPassrole,
    /// The source drives a resource that already carries a role.
    ExistingPassrole,
    /// The source reads stored credentials, or data that leads to them.
    CredentialAccess,
    /// A resource policy, ACL or share grants the access.
    ResourcePolicy,
    /// Entry from outside, between accounts or between workloads.
    LateralCrossAccount,
    /// Keeps access after the first credential is revoked.
    Persistence,
}

/// Whether a technique works today.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// It works.
    Active,
    /// The service is closed to new customers.
    Restricted,
    /// The service was shut down: kept so that old ids can be traced, never applied.
    Retired,
}

/// Where a technique was first written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// In a published catalogue.
    Catalogue,
    /// In a published incident report.
    Incident,
    /// Here.
    New,
}

/// How long a technique takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// Seconds.
    Immediate,
    /// Provisioning or propagation.
    Minutes,
    /// Somebody or something else must run it.
    WaitForTrigger,
}

/// How much of a technique shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stealth {
    /// A visible side effect, or an interruption.
    Low,
    /// An ordinary management event.
    Medium,
    /// Reads only, blends in, or leaves no event in the account.
    High,
}

/// What stops a technique. Advice for people and hints for the fix planner, never a verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Breaks {
    /// Actions whose denial by an SCP stops it.
    pub scp_deny: Vec<String>,
    /// Conditions that narrow the grants.
    pub conditions: Vec<String>,
    /// What a boundary does.
    pub boundary: Option<String>,
    /// What the trust policy can do.
    pub trust_policy: Option<String>,
    /// What an RCP can do.
    pub rcp: Option<String>,
    /// Actions whose denial keeps the hole from being opened in the first place.
    pub prevents_opening: Vec<String>,
    /// Settings that stop it.
    pub config: Vec<String>,
}

impl Technique {
    /// Every requirement, of the technique and of its options.
    pub fn all_requirements(&self) -> impl Iterator<Item = &Requirement> {
        let options = self.any_of.iter().flat_map(|group| &group.options);
        self.requires
            .iter()
            .chain(options.flat_map(|option| &option.requires))
    }

    /// Every predicate at top level, of the technique, its options and its filters.
    pub fn all_predicates(&self) -> impl Iterator<Item = &Predicate> {
        let options = self.any_of.iter().flat_map(|group| &group.options);
        self.preconditions
            .iter()
            .chain(options.flat_map(|option| &option.preconditions))
            .chain(
                self.all_requirements()
                    .flat_map(|required| &required.filter),
            )
    }
}

#[cfg(test)]
mod tests;
