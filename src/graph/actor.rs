//! Principals that act, as they are and as they may make themselves; and which of them are the
//! same to every question.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_checks::technique::Requirement;
use palisade_model::Arn;

use super::Node;
use super::ground::Ground;
use crate::policy::document::Statement;
use crate::policy::{Attached, CompiledPolicy, Effect, Engine};

/// A change a principal has made to what it may do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Mod {
    /// It holds an Allow of everything.
    Anything,
    /// It holds this managed policy.
    Policy(Arn),
    /// A managed policy it holds is at this version.
    Version(Arn, String),
    /// It is in this group.
    Group(Arn),
    /// Its boundary is gone.
    NoBoundary,
    /// This managed policy is its boundary.
    Boundary(Arn),
    /// This version of a managed policy is its boundary.
    BoundaryVersion(Arn, String),
    /// Its own explicit denies are gone.
    NoDenies,
    /// Its account has left the organization: no SCP and no RCP bears on what it does there.
    NoGuardrails,
    /// Its own tags are what it wants them to be.
    OwnTags,
    /// A second factor of its own making vouches for it.
    Mfa,
    /// The tags of this resource are what it wants them to be.
    TagsOn(Arn),
    /// A service stands between: only these actions come through.
    Only(&'static [String]),
}

/// A principal that acts.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    pub(crate) arn: Arn,
    pub(crate) mods: BTreeSet<Mod>,
    /// How reports name the change.
    pub(crate) by: String,
    pub(crate) identity: Arc<[Attached]>,
    pub(crate) boundary: Option<Arc<[Attached]>>,
    pub(crate) tags: Vec<(String, String)>,
    /// Whether its own policies may let it assume roles.
    pub(crate) assumes: bool,
    /// Equal for actors whom no question tells apart.
    pub(crate) class: u64,
}

/// One principal, or two in the same hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crew<'c> {
    /// Who acts, and receives.
    pub(crate) first: &'c Actor,
    /// Who may do for the first what is shared.
    pub(crate) second: Option<&'c Actor>,
    /// Actions either may send, in lower case.
    pub(crate) shared: &'c BTreeSet<String>,
}

impl<'c> Crew<'c> {
    /// A principal that nobody helps.
    pub(crate) fn alone(first: &'c Actor) -> Self {
        static NOTHING: BTreeSet<String> = BTreeSet::new();
        Crew {
            first,
            second: None,
            shared: &NOTHING,
        }
    }

    /// Whether either may send it.
    pub(crate) fn shares(&self, requirement: &Requirement) -> bool {
        self.shared
            .contains(requirement.action.to_ascii_lowercase().as_str())
    }
}

impl Actor {
    /// A principal of the snapshot, with changes; also one that does not exist yet, which has
    /// nothing but its changes.
    pub(crate) fn new(
        ground: &Ground<'_>,
        engine: &Engine,
        arn: &Arn,
        mods: BTreeSet<Mod>,
        by: &str,
    ) -> Self {
        let known = engine.principal(arn.as_str());
        let standing = engine.standing(arn.as_str());
        let tags = known.into_iter().flat_map(|known| known.tags.iter());
        let mut actor = Actor {
            arn: arn.clone(),
            by: by.to_owned(),
            identity: Arc::from(if known.is_some() {
                standing.identity
            } else {
                &[]
            }),
            boundary: known.and(standing.boundary).map(Arc::from),
            tags: tags
                .map(|(key, value)| (key.to_string(), value.to_string()))
                .collect(),
            assumes: true,
            class: 0,
            mods,
        };
        if !actor.mods.is_empty() {
            actor.apply_mods(ground);
        }
        actor
    }

    fn apply_mods(&mut self, ground: &Ground<'_>) {
        let mut policies = self.identity.to_vec();
        let account = self.arn.account().to_owned();
        for change in &self.mods {
            match change {
                Mod::Anything => policies.push(ground.anything()),
                Mod::Policy(arn) => policies.push(ground.managed(arn, &account)),
                Mod::Group(group) => policies.extend(ground.group(group)),
                Mod::NoBoundary => self.boundary = None,
                Mod::Boundary(arn) => {
                    self.boundary = Some(Arc::from([ground.managed(arn, &account)]));
                }
                Mod::BoundaryVersion(arn, version) => {
                    let switched = ground.version(arn, &account, version);
                    self.boundary = switched.map(|boundary| Arc::from([boundary]));
                }
                Mod::NoDenies => {
                    policies = policies.iter().map(without_denies).collect();
                }
                Mod::Version(arn, version) => {
                    let switched = ground.version(arn, &account, version);
                    let held = policies.iter_mut().find(|held| &*held.name == arn.as_str());
                    if let (Some(held), Some(switched)) = (held, switched) {
                        *held = switched;
                    }
                }
                Mod::Only(actions) => policies.push(ground.nothing_but(actions)),
                Mod::OwnTags | Mod::Mfa | Mod::TagsOn(_) | Mod::NoGuardrails => {}
            }
        }
        self.identity = policies.into();
    }

    /// Its node in the graph.
    pub(crate) fn node(&self) -> Node {
        if self.mods.is_empty() {
            Node::principal(self.arn.clone())
        } else {
            Node::Elevated {
                arn: self.arn.clone(),
                by: self.by.clone(),
            }
        }
    }

    /// Whether it is a user.
    pub(crate) fn is_user(&self) -> bool {
        self.arn.resource().starts_with("user/")
    }
}

/// The policy with its Allow statements alone. The others stay in their places and say nothing,
/// so that what is cited is cited as it is written.
fn without_denies(policy: &Attached) -> Attached {
    let Some(document) = policy.policy.document() else {
        return policy.clone();
    };
    let denies = |statement: &&mut Statement| statement.effect == Effect::Deny;
    let mut document = document.clone();
    let mut found = false;
    for statement in document.statements.iter_mut().filter(denies) {
        (statement.actions, statement.not_actions) = (Some(Vec::new()), None);
        found = true;
    }
    match found {
        false => policy.clone(),
        true => Attached::new(
            policy.name.clone(),
            Arc::new(CompiledPolicy::compile(document)),
        ),
    }
}
