//! The policies that bear on a request, by type, and what each type says.
//!
//! Source: "Policy evaluation logic", IAM User Guide. Each layer gives an opinion of its own;
//! [`super::decide`] settles them.

use std::fmt;
use std::num::NonZeroU32;

use super::compile::{Attached, CompiledStatement};
use super::document::Effect;
use super::principal::Naming;
use super::request::Request;
use super::tri::Tri;

/// The policies that bear on one request.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layers<'a> {
    /// Identity-based policies: the user's and its groups', or the role's.
    pub identity: &'a [Attached],
    /// The permissions boundary; `None` when there is none.
    pub boundary: Option<&'a [Attached]>,
    /// The session policies; `None` when there are none.
    pub session: Option<&'a [Attached]>,
    /// SCPs of the caller's account, one list for each level, root first. `None` outside an
    /// organization and in its management account.
    pub scps: Option<&'a [Vec<Attached>]>,
    /// RCPs of the resource's account, one list for each level. The default RCP, which allows
    /// everything and cannot be detached, need not be there.
    pub rcps: &'a [Vec<Attached>],
    /// The resource's own policy, or the role's trust policy; `None` when it has none.
    pub resource: Option<&'a [Attached]>,
    /// The access control lists of the bucket and the object, as policies; `None` where there
    /// are none or they do not count.
    pub acl: Option<&'a [Attached]>,
    /// Grants of the KMS key, as policies; `None` where they are not known.
    pub grants: Option<&'a [Attached]>,
    /// Policies of the VPC endpoint the request goes through; `None` when it goes through none.
    pub endpoint: Option<&'a [Attached]>,
    /// S3 block public access (`RestrictPublicBuckets`) for the bucket.
    pub restrict_public_buckets: Switch,
}

/// A setting that limits what policies grant. In order: of several that apply the last counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Switch {
    /// It limits nothing.
    #[default]
    Off,
    /// It was not read.
    Unread,
    /// It is on.
    On,
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// A type of policy, as a place in [`Layers`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// Identity-based policies.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Session policies.
    Session,
    /// The SCPs of one level, root first.
    Scp(usize),
    /// The RCPs of one level, root first.
    Rcp(usize),
    /// The resource-based policy or trust policy.
    Resource,
    /// The access control list.
    Acl,
    /// The grants of a KMS key.
    Grant,
    /// The VPC endpoint policy.
    Endpoint,
}

impl Layer {
    /// The word for it in machine-readable output.
    pub fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Boundary => "boundary",
            Self::Session => "session",
            Self::Scp(_) => "scp",
            Self::Rcp(_) => "rcp",
            Self::Resource => "resource",
            Self::Acl => "acl",
            Self::Grant => "grant",
            Self::Endpoint => "endpoint",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identity => f.write_str("identity-based policy"),
            Self::Boundary => f.write_str("permissions boundary"),
            Self::Session => f.write_str("session policy"),
            Self::Scp(level) => write!(f, "SCP at level {level}"),
            Self::Rcp(level) => write!(f, "RCP at level {level}"),
            Self::Resource => f.write_str("resource-based policy"),
            Self::Acl => f.write_str("access control list"),
            Self::Grant => f.write_str("grants of the key"),
            Self::Endpoint => f.write_str("VPC endpoint policy"),
        }
    }
}

/// A statement, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cite {
    /// The layer it is in.
    pub layer: Layer,
    /// The policy's place in the layer, from 0.
    pub policy: usize,
    /// The statement's place in the policy, from 0.
    pub statement: usize,
}

/// A citation, packed: every decision carries dozens of places for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Of the layer and its level, from 1.
    layer: NonZeroU32,
    policy: u32,
    statement: u32,
}

impl Mark {
    #[inline]
    fn new(layer: Layer, policy: usize, statement: usize) -> Self {
        let (kind, level) = match layer {
            Layer::Identity => (1, 0),
            Layer::Boundary => (2, 0),
            Layer::Session => (3, 0),
            Layer::Scp(level) => (4, level),
            Layer::Rcp(level) => (5, level),
            Layer::Resource => (6, 0),
            Layer::Acl => (7, 0),
            Layer::Grant => (8, 0),
            Layer::Endpoint => (9, 0),
        };
        // No organization is so deep, and no document so long.
        let short = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let layer = short(level).saturating_mul(16) | kind;
        Self {
            layer: NonZeroU32::new(layer).unwrap_or(NonZeroU32::MIN),
            policy: short(policy),
            statement: short(statement),
        }
    }

    /// The citation.
    pub(crate) fn cite(self) -> Cite {
        let level = (self.layer.get() / 16) as usize;
        let layer = match self.layer.get() % 16 {
            1 => Layer::Identity,
            2 => Layer::Boundary,
            3 => Layer::Session,
            4 => Layer::Scp(level),
            5 => Layer::Rcp(level),
            6 => Layer::Resource,
            7 => Layer::Acl,
            8 => Layer::Grant,
            _ => Layer::Endpoint,
        };
        Cite {
            layer,
            policy: self.policy as usize,
            statement: self.statement as usize,
        }
    }
}

impl<'a> Layers<'a> {
    /// The policies of one layer.
    pub fn policies(&self, layer: Layer) -> &'a [Attached] {
        match layer {
            Layer::Identity => self.identity,
            Layer::Boundary => self.boundary.unwrap_or_default(),
            Layer::Session => self.session.unwrap_or_default(),
            Layer::Scp(level) => self
                .scps
                .and_then(|levels| levels.get(level))
                .map_or(&[], Vec::as_slice),
            Layer::Rcp(level) => self.rcps.get(level).map_or(&[], Vec::as_slice),
            Layer::Resource => self.resource.unwrap_or_default(),
            Layer::Acl => self.acl.unwrap_or_default(),
            Layer::Grant => self.grants.unwrap_or_default(),
            Layer::Endpoint => self.endpoint.unwrap_or_default(),
        }
    }

    /// The policy a citation points into.
    pub fn cited(&self, cite: Cite) -> Option<&'a Attached> {
        self.policies(cite.layer).get(cite.policy)
    }

    /// Every layer that is there, in a fixed order.
    pub fn present(&self) -> Vec<Layer> {
        let mut out = vec![Layer::Identity];
        out.extend(self.boundary.map(|_| Layer::Boundary));
        out.extend(self.session.map(|_| Layer::Session));
        out.extend((0..self.scps.map_or(0, <[_]>::len)).map(Layer::Scp));
        out.extend((0..self.rcps.len()).map(Layer::Rcp));
        out.extend(self.resource.map(|_| Layer::Resource));
        out.extend(self.acl.map(|_| Layer::Acl));
        out.extend(self.grants.map(|_| Layer::Grant));
        out.extend(self.endpoint.map(|_| Layer::Endpoint));
        out
    }
}

/// What one layer says of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opinion {
    pub(crate) allow: Tri,
    pub(crate) deny: Tri,
    /// The statement behind `allow`; `None` when nothing allows or only a gap does.
    pub(crate) allow_by: Option<Mark>,
    pub(crate) deny_by: Option<Mark>,
    /// Something in it could not be read.
    pub(crate) gap: bool,
}

impl Opinion {
    pub(crate) const SILENT: Self = Self {
        allow: Tri::No,
        deny: Tri::No,
        allow_by: None,
        deny_by: None,
        gap: false,
    };
    pub(crate) const CONTENT: Self = Self {
        allow: Tri::Yes,
        ..Self::SILENT
    };
}

/// What a resource-based policy says: its grants by how they name the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ResourceOpinion {
    pub(crate) allow: [Tri; Naming::COUNT],
    pub(crate) allow_by: [Option<Mark>; Naming::COUNT],
    pub(crate) deny: Tri,
    pub(crate) deny_by: Option<Mark>,
    pub(crate) gap: bool,
}

impl ResourceOpinion {
    pub(crate) const SILENT: Self = Self {
        allow: [Tri::No; Naming::COUNT],
        allow_by: [None; Naming::COUNT],
        deny: Tri::No,
        deny_by: None,
        gap: false,
    };

    /// Adds what a list grants; a list never denies.
    pub(crate) fn join(&mut self, list: &Self) {
        for slot in 0..Naming::COUNT {
            if list.allow[slot] > self.allow[slot] {
                self.allow[slot] = list.allow[slot];
                self.allow_by[slot] = list.allow_by[slot];
            }
        }
        self.gap |= list.gap;
    }
}

/// How to look at the layers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lens {
    /// What was not read allows everything and denies nothing; otherwise the reverse.
    pub(crate) optimist: bool,
    /// What was not read grants nothing, whatever else it is taken to do.
    pub(crate) read_only: bool,
    /// The one unread policy seen the other way.
    pub(crate) except: Option<(Layer, usize)>,
    /// A statement to pass over, for "what if it were not there".
    pub(crate) skip: Option<Cite>,
    /// A layer taken to allow, for "what if something in it did": an identity-based policy, or a
    /// resource's own policy that names the caller's account.
    pub(crate) grant: Option<Layer>,
}

impl Lens {
    fn optimist_about(&self, layer: Layer, policy: usize) -> bool {
        self.optimist != (self.except == Some((layer, policy)))
    }

    /// Whether a statement that cannot be read is taken to apply.
    fn unreadable(&self, layer: Layer, policy: usize, denies: bool, grants: bool) -> Tri {
        let applies = self.optimist_about(layer, policy) != denies;
        (applies && !(grants && self.read_only)).into()
    }
}

/// Who a layer's statements are meant for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Whoever holds the policy: the `Principal` element does not count.
    Holder,
    /// Those the `Principal` element means, if there is one.
    Named,
}

/// The opinion of a layer that only allows or denies.
pub(crate) fn opinion(
    policies: &[Attached],
    layer: Layer,
    audience: Audience,
    request: &Request,
    lens: &Lens,
) -> Opinion {
    let mut out = Opinion::SILENT;
    if lens.grant == Some(layer) {
        out.allow = Tri::Yes;
    }
    for (policy, attached) in policies.iter().enumerate() {
        if attached.policy.unread_reason().is_some() {
            out.gap = true;
            if !lens.optimist_about(layer, policy) {
                out.deny = Tri::Yes;
            } else if !lens.read_only || layer != Layer::Identity {
                out.allow = Tri::Yes;
            }
            continue;
        }
        for (index, statement) in attached.policy.about(request.service) {
            let denies = statement.effect == Effect::Deny;
            if !denies && out.allow == Tri::Yes {
                continue;
            }
            if audience == Audience::Named && !is_meant(statement, denies, request) {
                continue;
            }
            let mut applies = statement.applies(request);
            if applies == Tri::No {
                continue;
            }
            let mark = Mark::new(layer, policy, index);
            if lens.skip.is_some_and(|skip| skip == mark.cite()) {
                continue;
            }
            if statement.unreadable {
                out.gap = true;
                let grants = !denies && layer == Layer::Identity;
                applies = lens.unreadable(layer, policy, denies, grants);
            }
            if denies && applies > out.deny {
                (out.deny, out.deny_by) = (applies, Some(mark));
                if applies == Tri::Yes {
                    return out;
                }
            } else if !denies && applies > out.allow {
                (out.allow, out.allow_by) = (applies, Some(mark));
            }
        }
    }
    out
}

fn is_meant(statement: &CompiledStatement, denies: bool, request: &Request) -> bool {
    if statement.principal == super::principal::PrincipalMatcher::Holder {
        return true;
    }
    if denies {
        statement.principal.refuses(&request.caller, false)
    } else {
        statement.grants(&request.caller).is_some()
    }
}

/// The opinion of the resource's own policy, or of its access control list.
pub(crate) fn resource_opinion(
    policies: &[Attached],
    layer: Layer,
    bounded: bool,
    request: &Request,
    lens: &Lens,
) -> ResourceOpinion {
    let mut out = ResourceOpinion::SILENT;
    if lens.grant == Some(layer) {
        out.allow[Naming::Account as usize] = Tri::Yes;
    }
    for (policy, attached) in policies.iter().enumerate() {
        if attached.policy.unread_reason().is_some() {
            out.gap = true;
            if !lens.optimist_about(layer, policy) {
                out.deny = Tri::Yes;
            } else if !lens.read_only {
                out.allow = [Tri::Yes; Naming::COUNT];
            }
            continue;
        }
        for (index, statement) in attached.policy.about(request.service) {
            let denies = statement.effect == Effect::Deny;
            let slot = if denies {
                if !statement.principal.refuses(&request.caller, bounded) {
                    continue;
                }
                None
            } else {
                let Some(naming) = statement.grants(&request.caller) else {
                    continue;
                };
                let slot = naming as usize;
                if out.allow[slot] == Tri::Yes {
                    continue;
                }
                Some(slot)
            };
            let mut applies = statement.applies(request);
            if applies == Tri::No {
                continue;
            }
            let mark = Mark::new(layer, policy, index);
            if lens.skip.is_some_and(|skip| skip == mark.cite()) {
                continue;
            }
            if statement.unreadable {
                out.gap = true;
                applies = lens.unreadable(layer, policy, denies, !denies);
            }
            match slot {
                None if applies > out.deny => {
                    (out.deny, out.deny_by) = (applies, Some(mark));
                    if applies == Tri::Yes {
                        return out;
                    }
                }
                Some(slot) if applies > out.allow[slot] => {
                    (out.allow[slot], out.allow_by[slot]) = (applies, Some(mark));
                }
                _ => {}
            }
        }
    }
    out
}
