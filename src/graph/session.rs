//! Tags of sessions: who may bear some, and who may pass them.

use palisade_model::Arn;

use super::actor::{Actor, Mod};
use super::entry::is_workload;
use super::judge::Judge;
use crate::policy::Context;

const OWN: &str = "aws:principaltag/";
const PASSED: &str = "aws:requesttag/";

impl Judge<'_> {
    /// As whom an actor asks: a role that asks for another one takes the session name that the
    /// other's trust policy asks for, which is free to choose.
    pub(super) fn caller(&self, actor: &Actor, (action, resource): (&str, &str)) -> Arn {
        let own = || actor.arn.clone();
        if actor.is_user() || !action.eq_ignore_ascii_case("sts:AssumeRole") {
            return own();
        }
        let Some(role) = self.facts.role(&Arn::from(resource)) else {
            return own();
        };
        // A service names its sessions itself.
        if self.serves(actor) {
            return own();
        }
        let trust = role.trust.as_str();
        let sessions = format!(
            "arn:{}:sts::{}:assumed-role/{}/",
            self.scene.snapshot.partition,
            actor.arn.account(),
            actor.arn.name()
        );
        let named = trust
            .find(&sessions)
            .and_then(|at| trust[at..].split('"').next());
        named.map_or_else(own, Arn::from)
    }

    /// Notes a second factor that vouches for an actor, and that none does for what a service signs
    /// as.
    ///
    /// Source: "AWS global condition context keys", IAM User Guide, 2026-10:
    /// `aws:MultiFactorAuthPresent` is in every request that is signed with temporary credentials,
    /// and false where no second factor was used to get them.
    pub(super) fn second_factor_of(&self, actor: &Actor, known: &mut Context) {
        if actor.mods.contains(&Mod::Mfa) {
            known.set("aws:MultiFactorAuthPresent", "true");
        } else if self.serves(actor) {
            known.set("aws:MultiFactorAuthPresent", "false");
            known.set_absent("aws:MultiFactorAuthAge");
        }
    }

    /// Whether nobody but services assumes the actor.
    pub(super) fn serves(&self, actor: &Actor) -> bool {
        !actor.is_user() && self.facts.role(&actor.arn).is_some_and(is_workload)
    }

    /// Notes tags that cannot be there: of a session that nobody may tag, and in a request to
    /// assume a role by somebody who may not tag its sessions.
    ///
    /// Source: "Pass session tags in AWS STS", IAM User Guide, 2026-10: tags in the request need
    /// `sts:TagSession` besides.
    pub(super) fn session_tags_of(
        &self,
        actor: &Actor,
        (action, resource): (&str, &str),
        known: &mut Context,
    ) {
        let untagged = !actor.is_user()
            && !actor.mods.contains(&Mod::OwnTags)
            && !self.takes_session_tags(&actor.arn);
        if untagged {
            let own = |key: &str| {
                let name = &key[OWN.len()..];
                actor
                    .tags
                    .iter()
                    .any(|(tag, _)| tag.eq_ignore_ascii_case(name))
            };
            for key in self
                .tag_keys
                .iter()
                .filter(|key| key.starts_with(OWN) && !own(key))
            {
                known.set_absent(key);
            }
        }
        self.source_identity_of(actor, (action, resource), known);
        let mut passed = self
            .tag_keys
            .iter()
            .filter(|key| key.starts_with(PASSED))
            .peekable();
        if action.eq_ignore_ascii_case("sts:AssumeRole")
            && passed.peek().is_some()
            && self
                .ask(
                    actor,
                    self.call("sts:TagSession", Vec::new()),
                    Arn::from(resource),
                    false,
                )
                .is_none()
        {
            for key in passed {
                known.set_absent(key);
            }
            known.set_absent("aws:TagKeys");
        }
    }

    /// Notes that a request bears no source identity: users have none of their own, and setting one
    /// needs a permission that both sides must give.
    ///
    /// Source: "Monitor and control actions taken with assumed roles", IAM User Guide, 2026-10:
    /// `sts:SetSourceIdentity` in the policies of the caller and in the trust policy of the role.
    fn source_identity_of(
        &self,
        actor: &Actor,
        (action, resource): (&str, &str),
        known: &mut Context,
    ) {
        if actor.is_user() {
            known.set_absent("aws:SourceIdentity");
        }
        let spoken = || {
            let role = self.facts.role(&Arn::from(resource));
            role.is_some_and(|role| {
                let trust = role.trust.as_str().to_ascii_lowercase();
                trust.contains("sts:sourceidentity")
            })
        };
        if action.eq_ignore_ascii_case("sts:AssumeRole") && spoken() {
            let sets = self.call("sts:SetSourceIdentity", Vec::new());
            if self.ask(actor, sets, Arn::from(resource), false).is_none() {
                known.set_absent("sts:SourceIdentity");
            }
        }
    }

    /// Whether somebody who is not followed may tag the sessions of a role, where tags matter: an
    /// identity provider or a foreign account. What principals of the estate tag is a step of its
    /// own.
    pub(super) fn takes_session_tags(&self, role: &Arn) -> bool {
        if !self.tag_keys.iter().any(|key| key.starts_with(OWN)) {
            return true;
        }
        let known = self.engine.principal(role.as_str());
        if known.is_some_and(|role| !role.session_tags) {
            return false;
        }
        if let Some(known) = self.tagged.borrow().get(role) {
            return *known;
        }
        let who = self
            .engine
            .who_can("sts:TagSession", role.as_str(), &Context::open());
        let takes = !who.outsiders.is_empty();
        self.tagged.borrow_mut().insert(role.clone(), takes);
        takes
    }
}
