//! What every layer says of a request, and what that comes to: the ruling through one lens.
//!
//! Source: "Policy evaluation logic" and "Cross-account policy evaluation logic", IAM User
//! Guide; "Key policies in AWS KMS", KMS Developer Guide, for keys.

use super::compile::Attached;
use super::decide::{Grant, Refusal};
use super::facts;
use super::layers::{
    Audience, Layer, Layers, Lens, Mark, Opinion, ResourceOpinion, Switch, opinion,
    resource_opinion,
};
use super::principal::{Caller, Naming};
use super::request::Request;
use super::resource::Resource;
use super::tri::Tri;

/// Every layer's opinion and what they come to.
#[derive(Debug, Clone)]
pub(crate) struct Ruling {
    pub(crate) allowed: Tri,
    pub(crate) gap: bool,
    /// What the layers say one by one. After an explicit deny the rest is not asked.
    pub(crate) opinions: Opinions,
    by_resource: Option<Mark>,
    by_identity: Option<Mark>,
}

#[derive(Debug, Clone)]
pub(crate) struct Opinions {
    pub(crate) identity: Opinion,
    pub(crate) boundary: Option<Opinion>,
    pub(crate) session: Option<Opinion>,
    /// All levels together, and the first that does not allow for certain.
    pub(crate) scp: Opinion,
    pub(crate) scp_gap_level: usize,
    pub(crate) rcp: Opinion,
    pub(crate) resource: ResourceOpinion,
    /// Grants of the key.
    pub(crate) grants: ResourceOpinion,
    pub(crate) endpoint: Option<Opinion>,
}

impl Ruling {
    pub(crate) fn grant(&self) -> Grant {
        Grant {
            identity: self.by_identity.map(Mark::cite),
            resource: self.by_resource.map(Mark::cite),
        }
    }

    /// What stands in the way: an explicit deny, or the first layer that fails to allow.
    pub(crate) fn refusal(&self) -> Refusal {
        let all = &self.opinions;
        let denies = [
            (Layer::Identity, all.identity.deny, all.identity.deny_by),
            (Layer::Resource, all.resource.deny, all.resource.deny_by),
            (Layer::Scp(0), all.scp.deny, all.scp.deny_by),
            (Layer::Rcp(0), all.rcp.deny, all.rcp.deny_by),
        ];
        let more = [
            (Layer::Boundary, all.boundary),
            (Layer::Session, all.session),
            (Layer::Endpoint, all.endpoint),
        ];
        let more = more
            .into_iter()
            .filter_map(|(l, o)| o.map(|o| (l, o.deny, o.deny_by)));
        let strongest = denies
            .into_iter()
            .chain(more)
            .max_by_key(|(_, deny, _)| *deny);
        let (layer, deny, by) = strongest.unwrap_or((Layer::Identity, Tri::No, None));
        let by = by.map(Mark::cite);
        if deny == Tri::Yes || (deny == Tri::Maybe && self.allowed == Tri::Maybe) {
            return Refusal {
                layer: by.map_or(layer, |cite| cite.layer),
                statement: by,
            };
        }
        Refusal {
            layer: self.silent_layer(),
            statement: None,
        }
    }

    fn silent_layer(&self) -> Layer {
        let all = &self.opinions;
        let lacks = |opinion: Option<Opinion>| opinion.is_some_and(|o| o.allow != Tri::Yes);
        if all.scp.allow != Tri::Yes {
            Layer::Scp(all.scp_gap_level)
        } else if lacks(all.endpoint) {
            Layer::Endpoint
        } else if all.identity.allow != Tri::Yes {
            Layer::Identity
        } else if lacks(all.boundary) {
            Layer::Boundary
        } else if lacks(all.session) {
            Layer::Session
        } else {
            Layer::Resource
        }
    }
}

/// Whether the resource's own policy must have its say even inside one account.
pub(crate) fn needs_resource_policy(service: &str, resource: &Resource) -> bool {
    match service {
        // "No AWS principal, including the account root user or key creator, has any permissions
        // to a KMS key unless they are explicitly allowed". Aliases follow the common rule.
        "kms" => resource
            .part(5)
            .is_some_and(|rest| rest.starts_with("key/")),
        "sts" => resource
            .part(5)
            .is_some_and(|rest| rest.starts_with("role/")),
        _ => false,
    }
}

/// Asks every layer and puts the answers together.
pub(crate) fn rule(request: &Request, layers: &Layers<'_>, lens: &Lens) -> Ruling {
    let opinions = ask(request, layers, lens);
    let (grant, by_identity, by_resource) = granted(request, &opinions);
    let both = |a: Tri, o: &Opinion| a.and(o.allow);
    let mut allowed = both(grant, &opinions.scp);
    let mut deny = opinions.identity.deny.or(opinions.scp.deny);
    deny = deny.or(opinions.rcp.deny).or(opinions.resource.deny);
    for limit in [&opinions.boundary, &opinions.session, &opinions.endpoint]
        .into_iter()
        .flatten()
    {
        deny = deny.or(limit.deny);
    }
    if let Some(endpoint) = &opinions.endpoint {
        allowed = both(allowed, endpoint);
    }
    allowed = allowed.and(deny.flip_if(true));
    let gaps = [&opinions.boundary, &opinions.session, &opinions.endpoint];
    let mut gap = opinions.identity.gap
        || opinions.scp.gap
        || opinions.rcp.gap
        || opinions.resource.gap
        || opinions.grants.gap
        || gaps.into_iter().flatten().any(|o| o.gap);
    if &*request.action == "sts:getcalleridentity" {
        // "No permissions are required … even if an administrator … explicitly denies access"
        // (GetCallerIdentity, STS API Reference).
        (allowed, gap) = (Tri::Yes, false);
    }
    Ruling {
        allowed,
        gap,
        opinions,
        by_resource,
        by_identity,
    }
}

fn ask(request: &Request, layers: &Layers<'_>, lens: &Lens) -> Opinions {
    let holder = |policies, layer| opinion(policies, layer, Audience::Holder, request, lens);
    let caller = &request.caller;
    let free = request.linked;
    let has_identity = caller.has_identity();
    let mut out = Opinions {
        identity: Opinion::SILENT,
        boundary: None,
        session: None,
        scp: Opinion::CONTENT,
        scp_gap_level: 0,
        rcp: Opinion::CONTENT,
        resource: ResourceOpinion::SILENT,
        grants: ResourceOpinion::SILENT,
        endpoint: None,
    };
    if has_identity {
        out.identity = match caller {
            // "full, unrestricted access … by default"; the root user holds no policies.
            Caller::Root { .. } => Opinion::CONTENT,
            _ => holder(layers.identity, Layer::Identity),
        };
        if !free && !matches!(caller, Caller::Root { .. }) {
            out.boundary = layers.boundary.map(|p| holder(p, Layer::Boundary));
        }
        out.session = layers.session.map(|p| holder(p, Layer::Session));
        if let Some(levels) = layers.scps.filter(|_| !free) {
            (out.scp, out.scp_gap_level) = scps(levels, request, lens);
        }
    }
    if !free && !layers.rcps.is_empty() && facts::rcps_act_on(&request.action) {
        out.rcp = rcps(layers.rcps, request, lens);
    }
    let own = layers.resource;
    if let Some(policies) = own.or((lens.grant == Some(Layer::Resource)).then_some(&[])) {
        let bounded = layers.boundary.is_some() && !free;
        out.resource = resource_opinion(policies, Layer::Resource, bounded, request, lens);
        if layers.restrict_public_buckets != Switch::Off && is_restricted(policies, request) {
            restrict_public(&mut out.resource, layers.restrict_public_buckets, lens);
        }
    }
    if let Some(lists) = layers.acl {
        let list = resource_opinion(lists, Layer::Acl, false, request, lens);
        out.resource.join(&list);
    }
    if let Some(grants) = layers.grants {
        out.grants = resource_opinion(grants, Layer::Grant, false, request, lens);
    }
    let endpoint = |policies| opinion(policies, Layer::Endpoint, Audience::Named, request, lens);
    out.endpoint = layers.endpoint.map(endpoint);
    out
}

/// Every level must allow; any may deny.
fn scps(levels: &[Vec<Attached>], request: &Request, lens: &Lens) -> (Opinion, usize) {
    let mut all = Opinion::CONTENT;
    let mut silent = 0;
    for (level, policies) in levels.iter().enumerate() {
        let one = opinion(policies, Layer::Scp(level), Audience::Holder, request, lens);
        if one.allow < all.allow {
            (all.allow, silent) = (one.allow, level);
        }
        if one.deny > all.deny {
            (all.deny, all.deny_by) = (one.deny, one.deny_by);
        }
        all.gap |= one.gap;
    }
    (all, silent)
}

/// Any level may deny; the default RCP allows.
fn rcps(levels: &[Vec<Attached>], request: &Request, lens: &Lens) -> Opinion {
    let mut all = Opinion::CONTENT;
    for (level, policies) in levels.iter().enumerate() {
        let one = opinion(policies, Layer::Rcp(level), Audience::Named, request, lens);
        if one.deny > all.deny {
            (all.deny, all.deny_by) = (one.deny, one.deny_by);
        }
        all.gap |= one.gap;
    }
    all
}

/// Whether `RestrictPublicBuckets` would bear on the request: with it a public policy serves
/// nobody outside the account but services.
///
/// Source: "Blocking public access to your Amazon S3 storage", S3 User Guide.
pub(crate) fn is_restricted(policies: &[Attached], request: &Request) -> bool {
    matches!(request.service(), "s3" | "s3-object-lambda")
        && !request.is_same_account()
        && !matches!(request.caller, Caller::Service(_))
        && policies
            .iter()
            .any(|p| super::public::is_public(&p.policy, false))
}

fn restrict_public(opinion: &mut ResourceOpinion, switch: Switch, lens: &Lens) {
    opinion.gap |= switch == Switch::Unread;
    if switch == Switch::On || switch == Switch::Unread && !lens.optimist {
        opinion.allow = [Tri::No; Naming::COUNT];
        opinion.allow_by = [None; Naming::COUNT];
    }
}

/// Whether the policies or a grant of the key grant the request, before ceilings and denies; and
/// by which statements.
///
/// A grant is worth what a key policy is that names its grantee, also to a principal of another
/// account, whose own policies need not allow it.
///
/// Source: "Grants in AWS KMS", KMS Developer Guide; "Required AWS KMS key policy for use with
/// encrypted volumes", EC2 Auto Scaling User Guide, where a service-linked role of another account
/// works by a grant alone.
fn granted(request: &Request, all: &Opinions) -> (Tri, Option<Mark>, Option<Mark>) {
    let by_policies = granted_by_policies(request, all);
    if all.grants.allow == [Tri::No; Naming::COUNT] {
        return by_policies;
    }
    let limit = |limit: &Option<Opinion>| limit.map_or(Tri::Yes, |o| o.allow);
    let limits = limit(&all.boundary).and(limit(&all.session));
    let grants = &all.grants;
    let mut best = by_policies;
    for (naming, by) in grants.allow_by.iter().enumerate() {
        let worth = match naming {
            _ if naming == Naming::Account as usize => all.identity.allow.and(limits),
            _ if naming == Naming::Role as usize => limits,
            _ => Tri::Yes,
        };
        let grant = grants.allow[naming].and(worth);
        if grant > best.0 {
            best = (grant, None, *by);
        }
    }
    best
}

fn granted_by_policies(request: &Request, all: &Opinions) -> (Tri, Option<Mark>, Option<Mark>) {
    let resource = &all.resource;
    let named = |naming: Naming| resource.allow[naming as usize];
    let boundary = all.boundary.map_or(Tri::Yes, |o| o.allow);
    let session = all.session.map_or(Tri::Yes, |o| o.allow);
    let limits = boundary.and(session);
    let by_identity = all.identity.allow_by;
    let cite = |naming: Naming| resource.allow_by[naming as usize];
    let strongest = || resource.allow_by.iter().rev().find_map(|cite| *cite);
    let any_named = resource.allow.iter().fold(Tri::No, |a, b| a.or(*b));
    match &request.caller {
        Caller::Service(_) | Caller::Federated(_) | Caller::Anonymous => (
            named(Naming::Direct).or(named(Naming::Everyone)),
            None,
            strongest(),
        ),
        _ if !request.is_same_account() => {
            let works = Tri::from(facts::crosses_accounts(&request.action));
            let grant = any_named.and(all.identity.allow).and(limits);
            (grant.and(works), by_identity, strongest())
        }
        _ => {
            // The caller's own ARN or everyone: no implicit deny of boundary or session counts.
            let alone = named(Naming::Direct)
                .or(named(Naming::Session))
                .or(named(Naming::Everyone));
            let by_role = named(Naming::Role).and(limits);
            let mut by_account = all.identity.allow.and(limits);
            let strict = request.strict;
            if strict {
                by_account = by_account.and(named(Naming::Account));
            }
            let grant = alone.or(by_role).or(by_account);
            let resource_cite = [
                Naming::Everyone,
                Naming::Session,
                Naming::Direct,
                Naming::Role,
            ]
            .into_iter()
            .find_map(|naming| cite(naming).filter(|_| named(naming) == grant));
            if by_account == grant && (resource_cite.is_none() || by_account == Tri::Yes) {
                let account = cite(Naming::Account).filter(|_| strict);
                return (grant, by_identity, account);
            }
            (grant, None, resource_cite)
        }
    }
}
