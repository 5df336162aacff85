//! Questions about what policies allow: whether one is broader than another, whether one holds its
//! holder back, whether one hangs on a key.

use palisade_checks::technique::{DenySource, Kind, Predicate, ResourceRef};
use palisade_model::{Arn, Gap, Observed, PolicyText};
use serde_json::Value;

use super::super::bind::{Bound, Truth};
use super::super::ground::known_by_heart;
use super::compare::{Policies, freer, hangs_on, meet, more};
use super::{Question, glob, observed, open};
use crate::policy::Effect;
use crate::policy::document::{PrincipalKind, PrincipalName};

impl Question<'_, '_> {
    pub(super) fn grant(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        Some(match predicate {
            P::BroaderVersion(policy) => self.known(policy, |arn| self.broader_version(arn)),
            P::Broader(what, than) => self.both(what, than, |what_arn, than| {
                let own = self.held_by(than);
                let offered = match what.kind {
                    Kind::GROUP => self.of_group(what_arn),
                    _ => self.of_policy(what_arn, than.account()),
                };
                more(&offered, &own)
            }),
            P::BroaderBoundary(policy, of) => self.both(policy, of, |policy, of| {
                let present = self.of_boundary(of);
                let offered = self.of_policy(policy, of.account());
                match present {
                    Some(present) => more(&offered, &present),
                    None => Truth::No,
                }
            }),
            P::BoundaryLimits(of) => self.known(of, |of| match self.of_boundary(of) {
                None => Truth::No,
                Some(boundary) => {
                    let own = self.held_by(of);
                    let denies = boundary.statements(Effect::Deny).next().is_some();
                    Truth::from(denies).or(more(&own, &boundary))
                }
            }),
            P::DenyHeldBy(source, of) => self.known(of, |of| self.deny_held_by(source, of)),
            P::GatedBy(key, of) => self.known(of, |of| self.gated_by(key, of)),
            P::HeldByTag(key, of) => self.known(of, |of| self.held_by_tag(key, of)),
            P::Administers(what) => self.administers_all(what),
            _ => return None,
        })
    }

    fn add(&self, text: &PolicyText, name: &str, into: &mut Policies) {
        match self.look.document(text) {
            Ok(document) => into.read.push(document),
            Err(_) => into
                .gaps
                .push(Gap::not_collected(format!("the policy {name}"))),
        }
    }

    fn add_managed(&self, arn: &Arn, holder: &str, into: &mut Policies) {
        match self.look.policy(arn, holder) {
            Observed::Value(policy) if policy.document().is_some() => {
                if let Some(text) = policy.document() {
                    self.add(text, arn.as_str(), into);
                }
            }
            Observed::Gap(gap) => into.gaps.push(*gap),
            _ if known_by_heart(arn).is_some() => {
                let text = known_by_heart(arn).unwrap_or_default();
                self.add(&PolicyText::new(text), arn.as_str(), into);
            }
            _ => into
                .gaps
                .push(Gap::not_collected(format!("the policy {arn}"))),
        }
    }

    fn of_policy(&self, arn: &Arn, holder: &str) -> Policies {
        let mut found = Policies::default();
        self.add_managed(arn, holder, &mut found);
        found
    }

    fn of_group(&self, arn: &Arn) -> Policies {
        let mut found = Policies::default();
        match self.look.group(arn) {
            Observed::Value(group) => {
                for (name, text) in &group.inline {
                    self.add(text, name, &mut found);
                }
                for policy in &group.attached {
                    self.add_managed(policy, arn.account(), &mut found);
                }
            }
            other => found.gaps.extend(other.gap().cloned()),
        }
        found
    }

    fn of_boundary(&self, of: &Arn) -> Option<Policies> {
        match self.boundary(of) {
            Observed::Value(boundary) => Some(self.of_policy(boundary, of.account())),
            Observed::Gap(gap) => Some(Policies {
                read: Vec::new(),
                gaps: vec![*gap],
            }),
            Observed::Absent | Observed::NotApplicable(_) => None,
        }
    }

    /// The identity-based policies of a user, with those of its groups, or of a role.
    fn held_by(&self, of: &Arn) -> Policies {
        let mut found = Policies::default();
        match of.resource().split('/').next() {
            Some("user") => match self.look.user(of) {
                Observed::Value(user) => {
                    for (name, text) in &user.inline {
                        self.add(text, name, &mut found);
                    }
                    for policy in &user.attached {
                        self.add_managed(policy, of.account(), &mut found);
                    }
                    for group in self.groups_of(of) {
                        let group = self.of_group(&group);
                        found.read.extend(group.read);
                        found.gaps.extend(group.gaps);
                    }
                }
                other => found.gaps.extend(other.gap().cloned()),
            },
            _ => match self.look.role(of) {
                Observed::Value(role) => {
                    for (name, text) in &role.inline {
                        self.add(text, name, &mut found);
                    }
                    for policy in &role.attached {
                        self.add_managed(policy, of.account(), &mut found);
                    }
                }
                other => found.gaps.extend(other.gap().cloned()),
            },
        }
        found
    }

    fn groups_of(&self, user: &Arn) -> Vec<Arn> {
        let Observed::Value(found) = self.look.user(user) else {
            return Vec::new();
        };
        let groups = self
            .look
            .account(user)
            .and_then(|account| account.iam.groups.value());
        let named = found.groups.iter();
        named
            .filter_map(|name| Some(groups?.get(name)?.arn.clone()))
            .collect()
    }

    fn broader_version(&self, arn: &Arn) -> Truth {
        observed(&self.look.policy(arn, self.account), Truth::No, |policy| {
            let mut present = Policies::default();
            match policy.document() {
                Some(text) => self.add(text, arn.as_str(), &mut present),
                None => present
                    .gaps
                    .push(Gap::not_collected("iam:GetPolicyVersion")),
            }
            let others = policy.versions.iter();
            let others = others.filter(|(version, _)| **version != policy.default_version);
            others.fold(Truth::No, |any, (version, text)| {
                let mut stored = Policies::default();
                self.add(text, &format!("{arn} {version}"), &mut stored);
                any.or(more(&stored, &present)).or(freer(&stored, &present))
            })
        })
    }

    fn deny_held_by(&self, source: &DenySource, of: &Arn) -> Truth {
        let mut holder = Policies::default();
        match source {
            DenySource::Inline => {
                let texts: Vec<PolicyText> = match (self.look.user(of), self.look.role(of)) {
                    (Observed::Value(user), _) => user.inline.values().cloned().collect(),
                    (_, Observed::Value(role)) => role.inline.values().cloned().collect(),
                    (Observed::Gap(gap), _) | (_, Observed::Gap(gap)) => return Truth::gap(&gap),
                    _ => Vec::new(),
                };
                texts
                    .iter()
                    .for_each(|text| self.add(text, "an inline policy", &mut holder));
            }
            DenySource::Managed => {
                let attached: Vec<Arn> = match (self.look.user(of), self.look.role(of)) {
                    (Observed::Value(user), _) => user.attached.clone(),
                    (_, Observed::Value(role)) => role.attached.clone(),
                    (Observed::Gap(gap), _) | (_, Observed::Gap(gap)) => return Truth::gap(&gap),
                    _ => Vec::new(),
                };
                attached
                    .iter()
                    .for_each(|policy| self.add_managed(policy, of.account(), &mut holder));
            }
            DenySource::Group(group) => match self.bound(group) {
                Some(Bound::Known(group)) => holder = self.of_group(&group),
                _ => return open(format!("what `{group}` stands for")),
            },
            DenySource::Policy(policy) => match self.bound(policy) {
                Some(Bound::Known(policy)) => self.add_managed(&policy, of.account(), &mut holder),
                _ => return open(format!("what `{policy}` stands for")),
            },
        }
        let own = self.held_by(of);
        let held_back = holder
            .statements(Effect::Deny)
            .any(|deny| own.statements(Effect::Allow).any(|allow| meet(deny, allow)));
        Truth::from(held_back).or(holder.unknown())
    }

    /// An Allow of the principal's own that hangs on the key, or a policy of a resource that names
    /// it and does; or a Deny there, or of the organization, that does.
    fn gated_by(&self, key: &str, of: &Arn) -> Truth {
        let own = self.held_by(of);
        if own
            .statements(Effect::Allow)
            .any(|allow| hangs_on(allow, key))
        {
            return Truth::Yes;
        }
        let root = format!("::{}:root", of.account());
        let session = format!("::{}:assumed-role/{}/", of.account(), of.name());
        let means = |name: &PrincipalName| {
            name.kind == PrincipalKind::Aws
                && (name.value == of.as_str()
                    || name.is_everyone()
                    || name.value == of.account()
                    || name.value.ends_with(&root)
                    || name.value.contains(&session))
        };
        let gated = self.look.gates().iter().any(|document| {
            document.statements.iter().any(|statement| {
                hangs_on(statement, key)
                    && (statement.effect == Effect::Deny
                        || statement.principal.iter().flatten().any(means))
            })
        });
        Truth::from(gated).or(own.unknown())
    }

    /// A Deny that tests the tag and meets an Allow, or an Allow that asks for the tag to be
    /// another or not there: without the tag the principal may do more.
    fn held_by_tag(&self, key: &str, of: &Arn) -> Truth {
        let own = self.held_by(of);
        let denied = own
            .statements(Effect::Deny)
            .filter(|deny| hangs_on(deny, key))
            .any(|deny| own.statements(Effect::Allow).any(|allow| meet(deny, allow)));
        let asked_away = own.statements(Effect::Allow).any(|allow| {
            allow.conditions.iter().any(|condition| {
                let operator = condition.operator.to_ascii_lowercase();
                let absent = operator.contains("null")
                    && condition
                        .values
                        .iter()
                        .any(|v| v.eq_ignore_ascii_case("true"));
                glob(key, &condition.key) && (operator.contains("not") || absent)
            })
        });
        let held = self.look.gates().iter().any(|document| {
            let mut all = document.statements.iter();
            all.any(|deny| deny.effect == Effect::Deny && hangs_on(deny, key))
        });
        Truth::from(denied || asked_away || held).or(own.unknown())
    }

    fn administers_all(&self, what: &ResourceRef) -> Truth {
        self.known(what, |arn| {
            let policies = match what.kind {
                Kind::GROUP => self.of_group(arn),
                Kind::POLICY => self.of_policy(arn, self.account),
                _ => self.of_permission_set(arn),
            };
            let all = policies.statements(Effect::Allow).any(|allow| {
                allow.conditions.is_empty()
                    && allow
                        .actions
                        .iter()
                        .flatten()
                        .any(|a| a == "*" || a == "*:*")
                    && allow.resources.iter().flatten().any(|r| r == "*")
            });
            let shut = policies.statements(Effect::Deny).any(|deny| {
                deny.conditions.is_empty() && deny.actions.iter().flatten().any(|a| a == "*")
            });
            Truth::from(all && !shut).or(policies.unknown())
        })
    }

    /// What a permission set gives, as far as its attributes tell.
    fn of_permission_set(&self, arn: &Arn) -> Policies {
        let mut found = Policies::default();
        let Some(set) = self.look.resource(arn) else {
            found
                .gaps
                .push(Gap::not_collected("sso:DescribePermissionSet"));
            return found;
        };
        match set.attributes.get("managed_policies") {
            Some(Observed::Value(Value::Array(all))) => {
                for policy in all.iter().filter_map(Value::as_str) {
                    let policy = Arn::from(policy);
                    // Of the policies of AWS one alone allows everything, and it is known.
                    let read = self.look.policy(&policy, self.account).value().is_some();
                    let known = read || known_by_heart(&policy).is_some();
                    if policy.account() == "aws" && !known {
                        continue;
                    }
                    self.add_managed(&policy, self.account, &mut found);
                }
            }
            Some(Observed::Gap(gap)) => found.gaps.push((**gap).clone()),
            None => found
                .gaps
                .push(Gap::not_collected("sso:ListManagedPoliciesInPermissionSet")),
            _ => {}
        }
        if let Some(Observed::Value(Value::String(text))) = set.attributes.get("inline_policy") {
            self.add(
                &PolicyText::new(text.as_str()),
                "of the permission set",
                &mut found,
            );
        }
        found
    }
}
