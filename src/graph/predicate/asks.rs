//! Questions that are requests, put to the policy engine.

use std::collections::BTreeSet;
use std::sync::Arc;

use palisade_checks::technique::{Requirement, Selector};
use palisade_model::{Arn, Gap, GapKind};

use super::super::Status;
use super::super::actor::{Actor, Crew};
use super::super::bind::{Bindings, Truth};
use super::super::judge::Judge;
use super::Asks;
use crate::exposure::{Capability, Exposure};
use crate::policy::document::Statement;
use crate::policy::{
    Attached, CompiledPolicy, Context, Control, Decision, Effect, Layer, Layers, Residual, Unknown,
    decide,
};

/// An account nobody has: whatever it may do, any account may.
pub(super) const STRANGER: &str = "arn:aws:iam::999999999999:user/stranger";

impl Asks for Judge<'_> {
    fn may(&self, who: &Arn, what: &Requirement, bindings: &Bindings) -> Truth {
        let actor = Actor::new(&self.ground, self.engine, who, BTreeSet::new(), "");
        // What another principal picks for itself is any resource of the kind.
        let mut bindings = bindings.clone();
        if let Selector::SelfRef = what.on.selector {
            return Truth::No;
        }
        bindings.insert("self", super::Bound::Known(who.clone()));
        let home = super::Bound::Account(who.account().to_owned());
        bindings.insert("account", home);
        let actor = Actor {
            class: own_class(who),
            ..actor
        };
        match self.require(&Crew::alone(&actor), what, &bindings) {
            None => Truth::No,
            Some(asked) if asked.status == Status::Possible => Truth::Unknown(asked.gaps.to_vec()),
            Some(_) => Truth::Yes,
        }
    }

    fn assumable_if_trusted(&self, who: &Arn, role: &Arn) -> Truth {
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{who}"}},"Action":"sts:AssumeRole"}}]}}"#
        );
        let trust = [Attached::new(
            "a trust policy that names the caller",
            Arc::new(CompiledPolicy::read(&trust)),
        )];
        let own = self.engine.standing(who.as_str());
        let asked = ("sts:AssumeRole", role.as_str());
        let decision = self.engine.suppose(
            who.as_str(),
            (own.identity, own.boundary),
            asked,
            &Context::open(),
            |request, layers| {
                let layers = Layers {
                    resource: Some(&trust),
                    ..*layers
                };
                decide(request, &layers)
            },
        );
        match decision {
            Decision::Allowed(_) | Decision::Conditional(_) => Truth::Yes,
            Decision::Denied(_) => Truth::No,
            Decision::Unknown(unknown) => Truth::Unknown(gaps(&unknown)),
        }
    }

    fn enterable(&self, call: &str, role: &Arn) -> Truth {
        let (partition, account) = (self.scene.snapshot.partition, role.account());
        let provider = |kind: &str| format!("arn:{partition}:iam::{account}:{kind}/palisade");
        let (who, named) = match call {
            "sts:AssumeRoleWithSAML" => (provider("saml-provider"), "Federated"),
            "sts:AssumeRoleWithWebIdentity" => (provider("oidc-provider"), "Federated"),
            _ => (STRANGER.to_owned(), "AWS"),
        };
        let trust = format!(
            r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"{named}":"{who}"}},"Action":"{call}"}}]}}"#
        );
        let trust = [Attached::new(
            "a trust policy that names somebody outside",
            Arc::new(CompiledPolicy::read(&trust)),
        )];
        // Whoever is of an organization is of one of his own.
        let mut context = Context::open();
        if named == "AWS" {
            context
                .set("aws:PrincipalOrgID", "o-another000")
                .set("aws:PrincipalOrgPaths", "o-another000/r-0000/");
        }
        let own = [self.ground.anything()];
        let asked = (call, role.as_str());
        let decision =
            self.engine
                .suppose(&who, (&own, None), asked, &context, |request, layers| {
                    let layers = Layers {
                        resource: Some(&trust),
                        ..*layers
                    };
                    decide(request, &layers)
                });
        match decision {
            Decision::Allowed(_) | Decision::Conditional(_) => Truth::Yes,
            Decision::Denied(_) => Truth::No,
            Decision::Unknown(unknown) => Truth::Unknown(gaps(&unknown)),
        }
    }

    /// Asked only where some policy tests the profile; what the launch asks besides is asked where
    /// a technique says so.
    ///
    /// Source: "Actions, resources, and condition keys for Amazon EC2" (`ec2:InstanceProfile`),
    /// Service Authorization Reference, 2026-10.
    fn launchable_with(&self, who: &Arn, role: &Arn) -> Truth {
        const KEY: &str = "ec2:InstanceProfile";
        let profiles = self.facts.role(role).map(|role| &role.instance_profiles);
        let profiles = profiles.filter(|all| !all.is_empty());
        let Some(profiles) = profiles.filter(|_| self.tests_profiles()) else {
            return Truth::Yes;
        };
        let actor = Actor::new(&self.ground, self.engine, who, BTreeSet::new(), "");
        let account = who.account();
        let partition = self.scene.snapshot.partition;
        let regions = self.regions_for(&Crew::alone(&actor), account);
        let denied = |context: &[(String, String)]| {
            regions.iter().all(|region| {
                let instance = format!("arn:{partition}:ec2:{region}:{account}:instance/palisade");
                let asked = ("ec2:RunInstances", instance.as_str(), true);
                self.with_layers(&actor, asked, context, decide).is_denied()
            })
        };
        let with = |profile: &Arn| [(KEY.to_owned(), profile.to_string())];
        let all = profiles.iter().all(|one| denied(&with(&one.arn)));
        // Whoever may launch nothing as it is gets the right on the way, if at all.
        (!all || denied(&[])).into()
    }

    fn keeps_out(&self, outsider: &str, action: &str, role: &Arn) -> bool {
        let mut context = Context::open();
        // Who is not of the organization is of another one, or of none.
        let organization = self.scene.snapshot.organization.value();
        let members = organization.and_then(|organization| organization.accounts.value());
        let account = Arn::from(outsider).account().to_owned();
        if members.is_some_and(|all| !all.contains_key(&account)) {
            context
                .set("aws:PrincipalOrgID", "o-another000")
                .set("aws:PrincipalOrgPaths", "o-another000/r-0000/");
        }
        let decision = self
            .engine
            .decide(outsider, action, role.as_str(), &context);
        decision.is_denied()
    }

    fn refusals(&self, action: &str, role: &Arn) -> Vec<Statement> {
        let asked = (action, role.as_str());
        let action = action.to_ascii_lowercase();
        let context = Context::open();
        let nothing: (&[Attached], Option<&[Attached]>) = (&[], None);
        self.engine
            .suppose(STRANGER, nothing, asked, &context, |_, layers| {
                let mut found = Vec::new();
                for attached in layers.rcps.iter().flatten() {
                    let Some(document) = attached.policy.document() else {
                        continue;
                    };
                    let both = attached.policy.statements.iter().zip(&document.statements);
                    let bears = both.filter(|(compiled, statement)| {
                        let everywhere = statement.resources.iter().flatten().any(|r| r == "*");
                        compiled.effect == Effect::Deny
                            && compiled.covers_action(&action)
                            && everywhere
                    });
                    found.extend(bears.map(|(_, statement)| statement.clone()));
                }
                found
            })
    }

    fn is_known_account(&self, account: &str) -> bool {
        self.interests.known_accounts.contains(account) || self.scene.accounts.contains_key(account)
    }

    fn public(&self, resource: &Arn, action: &str) -> Truth {
        if resource.service() == "s3" {
            return self.bucket_is_open(resource, action);
        }
        self.outsider("anonymous", resource, action)
            .or(self.outsider(STRANGER, resource, action))
    }

    fn open_to(&self, resource: &Arn, account: &str, action: &str) -> Truth {
        let somebody = format!("arn:aws:iam::{account}:user/somebody");
        let named = self.facts.names_in_policy(resource, account);
        named
            .iter()
            .filter(|name| !name.ends_with(":root"))
            .fold(self.outsider(&somebody, resource, action), |any, name| {
                any.or(self.outsider(name, resource, action))
            })
    }
}

impl Judge<'_> {
    /// Whether somebody outside may do it, whatever his own account lets him do.
    fn outsider(&self, who: &str, resource: &Arn, action: &str) -> Truth {
        let decision = self
            .engine
            .decide(who, action, resource.as_str(), &Context::open());
        match decision {
            Decision::Allowed(_) => Truth::Yes,
            Decision::Conditional(conditional) => can_bring_about(&conditional.residual).into(),
            Decision::Denied(_) => Truth::No,
            Decision::Unknown(unknown) => {
                let theirs = unknown.gaps.iter().all(|gap| gap.layer == Layer::Identity);
                match (theirs, &unknown.residual) {
                    (true, None) => Truth::Yes,
                    (true, Some(residual)) => can_bring_about(residual).into(),
                    (false, _) => Truth::Unknown(gaps(&unknown)),
                }
            }
        }
    }

    fn bucket_is_open(&self, resource: &Arn, action: &str) -> Truth {
        let exposure = self
            .exposure
            .get_or_init(|| Exposure::of(self.scene.snapshot));
        let (bucket, key) = resource
            .resource()
            .split_once('/')
            .unwrap_or((resource.resource(), ""));
        let found = exposure
            .buckets
            .iter()
            .find(|((_, name), _)| name == bucket);
        let Some((_, found)) = found else {
            return Truth::gap(&Gap::not_collected("s3:GetBucketPolicy"));
        };
        let capability = match action {
            "s3:ListBucket" => Capability::List,
            "s3:GetObject" => Capability::Read,
            _ => Capability::Write,
        };
        let own = found.objects.iter().find(|((own, _), _)| own == key);
        let verdict = match own {
            Some((_, verdict)) if capability == Capability::Read => verdict,
            _ => found.verdict(capability),
        };
        match verdict.is(crate::exposure::Audience::is_everybody) {
            Some(known) => known.into(),
            None => Truth::Unknown(verdict.gaps.clone()),
        }
    }
}

/// Whether some way of meeting the conditions needs nothing but the caller.
fn can_bring_about(residual: &Residual) -> bool {
    !residual.imprecise
        && residual.clauses.iter().any(|clause| {
            clause
                .terms
                .iter()
                .all(|term| term.control == Control::Caller)
        })
}

fn gaps(unknown: &Unknown) -> Vec<Gap> {
    let gaps = unknown.gaps.iter().map(|unread| {
        let mut gap = Gap::new(unread.name.clone(), GapKind::NotCollected);
        gap.message.clone_from(&unread.reason);
        gap
    });
    gaps.collect()
}

/// A class that no actor of the graph shares: answers are remembered by class.
fn own_class(who: &Arn) -> u64 {
    use std::hash::{Hash, Hasher};
    let mut hasher = rustc_hash::FxHasher::default();
    who.as_str().hash(&mut hasher);
    hasher.finish() | 1 << 63
}
