//! Tags of sessions: who may bear some, and who may pass them.

use palisade_model::Arn;

use super::actor::{Actor, Mod};
use super::judge::Judge;
use crate::policy::{Context, Decision};

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

    /// Whether anybody but an administrator may tag the sessions of a role, where tags matter.
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
        let administers =
            |arn: &str| matches!(self.engine.is_administrator(arn), Decision::Allowed(_));
        let takes = !who.outsiders.is_empty()
            || who
                .iter(self.engine)
                .any(|(principal, _)| !administers(&principal.arn));
        self.tagged.borrow_mut().insert(role.clone(), takes);
        takes
    }
}
