//! Questions about users, roles, groups and policies as IAM lists them.

use palisade_checks::technique::{Comparison, Counted, Predicate, ResourceRef};
use palisade_model::{Arn, KeyStatus, Observed, ReportRow, User};

use super::super::bind::{Bound, Truth};
use super::{Question, glob, observed, open};

/// Keys older than this are long-lived.
///
/// Source: CIS AWS Foundations Benchmark 3.0, 1.14.
const MAX_KEY_AGE_DAYS: i64 = 90;

impl<'a> Question<'_, 'a> {
    pub(super) fn identity(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        let starts = |who: &ResourceRef, prefix: &str| {
            self.known(who, |arn| arn.resource().starts_with(prefix).into())
        };
        Some(match predicate {
            P::IsUser(who) => starts(who, "user/"),
            P::IsRole(who) => starts(who, "role/"),
            P::ServiceLinked(role) => starts(role, "role/aws-service-role/"),
            P::SsoReserved(role) => starts(role, "role/aws-reserved/sso.amazonaws.com/"),
            P::Different(a, b) => self.different(a, b),
            P::OwnAccount(of) => self.known(of, |arn| {
                let own = self.bindings.get("self").and_then(Bound::arn);
                let owner = self.look.owner(arn);
                (owner.is_some() && owner == own.map(Arn::account)).into()
            }),
            P::Named(of, names) => self.named(of, names),
            P::Member(user, group) => self.both(user, group, |user, group| {
                observed(&self.look.user(user), Truth::No, |user| {
                    user.groups.iter().any(|name| name == group.name()).into()
                })
            }),
            P::Attached(policy, to) => {
                self.both(policy, to, |policy, to| self.attached(policy, to))
            }
            P::BoundaryOf(policy, of) => self.both(policy, of, |policy, of| {
                observed(&self.boundary(of), Truth::No, |boundary| {
                    (*boundary == policy).into()
                })
            }),
            P::HasBoundary(of) => self.known(of, |of| {
                observed(&self.boundary(of), Truth::No, |_| Truth::Yes)
            }),
            P::CustomerManaged(policy) => self.known(policy, |arn| (arn.account() != "aws").into()),
            P::HasInstanceProfile(role) => self.known(role, |role| {
                observed(&self.look.role(role), Truth::No, |role| {
                    (!role.instance_profiles.is_empty()).into()
                })
            }),
            P::Count(what, of, comparison) => {
                self.known(of, |of| self.count(*what, of, *comparison))
            }
            P::LoginProfile(user) => self.of_user(user, |user| self.login_profile(user)),
            P::StaleKey(user) => self.of_user(user, |user| self.stale_key(user)),
            P::ProvisionedFrom(role, set) => self.both(role, set, |role, set| {
                let name = self
                    .look
                    .resource(set)
                    .map(|set| set.attributes.get("permission_set_name"));
                let Some(Some(Observed::Value(name))) = name else {
                    return open("sso:DescribePermissionSet");
                };
                let prefix = format!("AWSReservedSSO_{}_", name.as_str().unwrap_or_default());
                role.name().starts_with(&prefix).into()
            }),
            _ => return None,
        })
    }

    fn different(&self, a: &ResourceRef, b: &ResourceRef) -> Truth {
        match (self.bound(a), self.bound(b)) {
            (Some(Bound::New(_)), Some(Bound::Known(_)))
            | (Some(Bound::Known(_)), Some(Bound::New(_))) => Truth::Yes,
            (Some(a), Some(b)) => (a != b).into(),
            _ => open(format!("whether `{a}` is `{b}`")),
        }
    }

    fn named(&self, of: &ResourceRef, names: &[String]) -> Truth {
        self.known(of, |arn| {
            let own = match arn.service() {
                "logs" => arn
                    .resource()
                    .strip_prefix("log-group:")
                    .unwrap_or_default(),
                _ => arn.name(),
            };
            let own = own.strip_suffix(":*").unwrap_or(own);
            let quoted = |name: &String| name.trim_matches('\'').to_owned();
            names.iter().any(|name| glob(&quoted(name), own)).into()
        })
    }

    fn attached(&self, policy: &Arn, to: &Arn) -> Truth {
        match to.resource().split('/').next() {
            Some("user") => observed(&self.look.user(to), Truth::No, |user| {
                let direct = user.attached.contains(policy);
                user.groups.iter().fold(direct.into(), |any: Truth, name| {
                    any.or(self.group_holds(name, policy, to))
                })
            }),
            Some("role") => observed(&self.look.role(to), Truth::No, |role| {
                role.attached.contains(policy).into()
            }),
            _ => Truth::No,
        }
    }

    fn group_holds(&self, name: &str, policy: &Arn, member: &Arn) -> Truth {
        match self.look.account(member).map(|account| &account.iam.groups) {
            Some(Observed::Value(groups)) => groups
                .get(name)
                .is_some_and(|group| group.attached.contains(policy))
                .into(),
            Some(Observed::Gap(gap)) => Truth::gap(gap),
            _ => Truth::No,
        }
    }

    /// The permissions boundary of a user or role.
    pub(super) fn boundary(&self, of: &Arn) -> Observed<&'a Arn> {
        let inner = |boundary: &'a Observed<Arn>| boundary.as_ref();
        match of.resource().split('/').next() {
            Some("user") => flatten(self.look.user(of).map(|user| inner(&user.boundary))),
            Some("role") => flatten(self.look.role(of).map(|role| inner(&role.boundary))),
            _ => Observed::Absent,
        }
    }

    fn of_user(&self, user: &ResourceRef, ask: impl FnOnce(&'a User) -> Truth) -> Truth {
        self.known(user, |arn| {
            observed(&self.look.user(arn), Truth::No, |user| ask(user))
        })
    }

    /// The user's row in the credential report, where there is a report.
    fn report(&self, user: &User) -> Option<&'a ReportRow> {
        let report = self
            .look
            .account(&user.arn)?
            .iam
            .credential_report
            .value()?;
        report.rows.get(user.arn.name())
    }

    fn login_profile(&self, user: &'a User) -> Truth {
        match (
            &user.login_profile,
            self.report(user).and_then(|row| row.password),
        ) {
            (Observed::Gap(_), Some(password)) => password.into(),
            (fact, _) => observed(fact, Truth::No, |_| Truth::Yes),
        }
    }

    fn stale_key(&self, user: &'a User) -> Truth {
        let now = self.look.snapshot.taken_at;
        let is_old = |made: palisade_model::Time| made.days_until(now) > MAX_KEY_AGE_DAYS;
        match (&user.access_keys, self.report(user)) {
            (Observed::Gap(_), Some(row)) => {
                let first = row.key_1_active && row.key_1_rotated.is_some_and(is_old);
                let second = row.key_2_active && row.key_2_rotated.is_some_and(is_old);
                (first || second).into()
            }
            (keys, _) => observed(keys, Truth::No, |keys| {
                let active = keys.iter().filter(|key| key.status == KeyStatus::Active);
                active.fold(Truth::No, |any, key| {
                    any.or(key
                        .created
                        .map_or_else(|| open("iam:ListAccessKeys"), |made| is_old(made).into()))
                })
            }),
        }
    }

    fn count(&self, what: Counted, of: &Arn, comparison: Comparison) -> Truth {
        let holds = |count: usize| compare(count as i64, comparison);
        let user = |ask: &dyn Fn(&'a User) -> Truth| {
            observed(&self.look.user(of), Truth::No, |user| ask(user))
        };
        let keys = |status: Option<KeyStatus>| {
            user(&|user| {
                observed(&user.access_keys, holds(0), |keys| {
                    let fits = |key: &&palisade_model::AccessKey| {
                        status.is_none_or(|status| key.status == status)
                    };
                    holds(keys.iter().filter(fits).count())
                })
            })
        };
        match what {
            Counted::AccessKeys => keys(None),
            Counted::ActiveKeys => keys(Some(KeyStatus::Active)),
            Counted::InactiveKeys => keys(Some(KeyStatus::Inactive)),
            Counted::MfaDevices => user(&|user| match (&user.mfa_devices, self.report(user)) {
                (Observed::Gap(_), Some(row)) if !row.mfa => holds(0),
                (devices, _) => observed(devices, holds(0), |devices| holds(devices.len())),
            }),
            Counted::ServiceCredentials => {
                user(&|user| observed(&user.service_credentials, holds(0), |n| holds(*n as usize)))
            }
            Counted::SshKeys => {
                user(&|user| observed(&user.ssh_keys, holds(0), |n| holds(*n as usize)))
            }
            Counted::Groups => user(&|user| holds(user.groups.len())),
            Counted::AttachedPolicies => match of.resource().split('/').next() {
                Some("role") => observed(&self.look.role(of), Truth::No, |role| {
                    holds(role.attached.len())
                }),
                _ => user(&|user| holds(user.attached.len())),
            },
            Counted::Versions => {
                observed(&self.look.policy(of, self.account), Truth::No, |policy| {
                    holds(policy.versions.len())
                })
            }
        }
    }
}

fn flatten<T>(nested: Observed<Observed<T>>) -> Observed<T> {
    match nested {
        Observed::Value(inner) => inner,
        Observed::Absent => Observed::Absent,
        Observed::NotApplicable(why) => Observed::NotApplicable(why),
        Observed::Gap(gap) => Observed::Gap(gap),
    }
}

pub(super) fn compare(value: i64, comparison: Comparison) -> Truth {
    match comparison {
        Comparison::Less(n) => value < n,
        Comparison::More(n) => value > n,
        Comparison::AtLeast(n) => value >= n,
        Comparison::Equal(n) => value == n,
    }
    .into()
}
