//! Questions about trust policies: whom they name, and how tightly.
//!
//! Whether one principal can assume one role is a request and goes to the policy engine; these
//! questions are about services, foreign accounts and identity providers, who hold no policy
//! that could be asked.

use std::sync::Arc;

use palisade_checks::technique::{Federated, Predicate, ResourceRef, Selector, Subject, Trusted};
use palisade_model::{Arn, Observed};

use super::super::bind::{Bound, Truth};
use super::{Question, glob, open};
use crate::policy::Effect;
use crate::policy::document::{Condition, Document, PrincipalKind, PrincipalName, Statement};

/// Claims that pin who may come, beside the subject, at providers that issue them.
///
/// Source: "Available keys for AWS OIDC federation", IAM User Guide, 2026-01.
const PINS: [&str; 8] = [
    ":repository",
    ":repository_id",
    ":repository_owner_id",
    ":job_workflow_ref",
    ":environment",
    ":oidc:project-id",
    ":terraform_workspace_id",
    ":organization_id",
];

impl Question<'_, '_> {
    pub(super) fn trust(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        Some(match predicate {
            P::Trusts(role, who, lacking) => {
                self.known(role, |role| self.trusts(role, who, lacking))
            }
            P::TrustsAnyone(role, lacking) => self.known(role, |role| {
                self.each_allow(role, |allow| {
                    names(allow).any(PrincipalName::is_everyone)
                        && assumes(allow, "sts:assumerole")
                        && lacks(allow, lacking)
                })
            }),
            P::TrustsOwnAccount(role) => self.known(role, |role| {
                self.each_allow(role, |allow| {
                    assumes(allow, "sts:assumerole")
                        && names(allow).any(|name| account_of(name) == Some(role.account()))
                })
            }),
            P::LooseSubject(role, cases) => self.known(role, |role| {
                self.each_allow(role, |allow| {
                    let web = assumes(allow, "sts:assumerolewithwebidentity");
                    web && looseness(allow).iter().any(|case| cases.contains(case))
                })
            }),
            P::AssumableIfTrusted(role) => self.assumable(role),
            _ => return None,
        })
    }

    fn assumable(&self, role: &ResourceRef) -> Truth {
        let Some(Bound::Known(who)) = self.bindings.get("self") else {
            return open("who acts");
        };
        match self.bound(role) {
            Some(Bound::Known(role) | Bound::New(role)) => {
                self.asks.assumable_if_trusted(who, &role)
            }
            // A role of the attacker's making, under whatever name.
            _ if matches!(role.selector, Selector::New(_)) => {
                let partition = self.look.snapshot.partition;
                let role = Arn::iam(partition, who.account(), "role", "/", "palisade");
                self.asks.assumable_if_trusted(who, &role)
            }
            _ => open(format!("what `{role}` stands for")),
        }
    }

    /// A role's trust policy; unknown where the role or the document could not be read.
    fn document(&self, role: &Arn) -> Result<Option<Arc<Document>>, Truth> {
        match self.look.role(role) {
            Observed::Value(role) => match self.look.document(&role.trust) {
                Ok(document) => Ok(Some(document)),
                Err(_) => Err(open(format!("the trust policy of {}", role.arn))),
            },
            Observed::Gap(gap) => Err(Truth::gap(&gap)),
            Observed::Absent | Observed::NotApplicable(_) => Ok(None),
        }
    }

    /// Whether some Allow statement passes, with no plain Deny for everybody beside it.
    fn each_allow(&self, role: &Arn, test: impl Fn(&Statement) -> bool) -> Truth {
        match self.document(role) {
            Ok(Some(document)) => {
                let all = &document.statements;
                let shut = all.iter().any(|s| {
                    s.effect == Effect::Deny
                        && s.conditions.is_empty()
                        && names(s).any(PrincipalName::is_everyone)
                });
                let mut allows = all.iter().filter(|s| s.effect == Effect::Allow);
                (!shut && allows.any(test)).into()
            }
            Ok(None) => Truth::No,
            Err(unknown) => unknown,
        }
    }

    /// Whether a role surely trusts no principal of a service, whatever its exact name.
    pub(super) fn never_trusts(&self, role: &Arn, service: &str) -> bool {
        let trusted = self.each_allow(role, |allow| {
            names(allow).any(|name| {
                name.is_everyone()
                    || name.kind == PrincipalKind::Service && name.value.contains(service)
            })
        });
        trusted == Truth::No
    }

    fn trusts(&self, role: &Arn, who: &Trusted, lacking: &[String]) -> Truth {
        let fits: Box<dyn Fn(&Statement) -> bool + '_> = match who {
            Trusted::Service(service) => Box::new(move |allow| {
                assumes(allow, "sts:assumerole")
                    && self.source_fits(allow, role)
                    && names(allow).any(|name| {
                        name.kind == PrincipalKind::Service
                            && (service == "*" || same_service(&name.value, service))
                    })
            }),
            Trusted::Account(account) => {
                let Some(id) = self.account_of(account) else {
                    return open(format!("what `{account}` stands for"));
                };
                Box::new(move |allow| {
                    assumes(allow, "sts:assumerole")
                        && id != role.account()
                        && names(allow).any(|name| account_of_any(name) == Some(id.as_str()))
                })
            }
            Trusted::Federated(Federated::Host(host)) => {
                Box::new(move |allow| federated(allow).any(|name| glob(host, host_of(name))))
            }
            Trusted::Federated(Federated::Provider(provider)) => {
                let Some(Bound::Known(provider) | Bound::Named { arn: provider, .. }) =
                    self.bound(provider)
                else {
                    return open(format!("what `{provider}` stands for"));
                };
                Box::new(move |allow| {
                    federated(allow)
                        .any(|name| name == provider.as_str() || name == host_of(provider.as_str()))
                })
            }
            Trusted::Principal(principal) => {
                let Some(Bound::Known(arn)) = self.bound(principal) else {
                    return open(format!("what `{principal}` stands for"));
                };
                Box::new(move |allow| {
                    assumes(allow, "sts:assumerole")
                        && names(allow).any(|name| {
                            name.value == arn.as_str()
                                || name.is_everyone()
                                || account_of(name) == Some(arn.account())
                        })
                })
            }
        };
        self.each_allow(role, |allow| fits(allow) && lacks(allow, lacking))
    }

    /// Whether conditions on the source leave room for a resource of the role's own account.
    fn source_fits(&self, allow: &Statement, role: &Arn) -> bool {
        let organization = self.look.snapshot.organization.value();
        allow
            .conditions
            .iter()
            .filter(|c| is_positive(c))
            .all(|condition| {
                let fits = |wanted: &str| condition.values.iter().any(|value| glob(value, wanted));
                match condition.key.to_ascii_lowercase().as_str() {
                    "aws:sourceaccount" => fits(role.account()),
                    "aws:sourceorgid" => organization.is_none_or(|o| fits(&o.id)),
                    "aws:sourcearn" => condition.values.iter().any(|value| {
                        let account = value.split(':').nth(4).unwrap_or("*");
                        account.is_empty() || glob(account, role.account())
                    }),
                    _ => true,
                }
            })
    }
}

fn names(statement: &Statement) -> impl Iterator<Item = &PrincipalName> {
    statement.principal.iter().flatten()
}

fn federated(statement: &Statement) -> impl Iterator<Item = &str> {
    let web = assumes(statement, "sts:assumerolewithwebidentity")
        || assumes(statement, "sts:assumerolewithsaml");
    names(statement)
        .filter(move |name| web && name.kind == PrincipalKind::Federated)
        .map(|name| name.value.as_str())
}

/// The issuer's host and path, of a provider's ARN or of a provider that needs none.
fn host_of(provider: &str) -> &str {
    provider
        .split_once("-provider/")
        .map_or(provider, |(_, host)| host)
}

/// Service principals of one service differ by region and partition in their suffix.
fn same_service(own: &str, wanted: &str) -> bool {
    own == wanted || own.strip_suffix(".cn").is_some_and(|own| own == wanted)
}

fn assumes(statement: &Statement, action: &str) -> bool {
    match (&statement.actions, &statement.not_actions) {
        (Some(actions), _) => actions.iter().any(|pattern| glob(pattern, action)),
        (None, Some(but)) => !but.iter().any(|pattern| glob(pattern, action)),
        (None, None) => false,
    }
}

/// The account a name stands for as a whole.
fn account_of(name: &PrincipalName) -> Option<&str> {
    if name.kind != PrincipalKind::Aws {
        return None;
    }
    let value = name.value.as_str();
    match value.strip_suffix(":root") {
        Some(head) => head.rsplit(':').next(),
        None => (value.len() == 12 && value.bytes().all(|b| b.is_ascii_digit())).then_some(value),
    }
}

/// The account a name lies in, as a whole or as one principal of it.
fn account_of_any(name: &PrincipalName) -> Option<&str> {
    account_of(name).or_else(|| match name.kind {
        PrincipalKind::Aws => name.value.split(':').nth(4),
        _ => None,
    })
}

/// Whether a condition narrows: a positive operator that a missing key fails, with a value that
/// not everything fits.
///
/// Source: "IAM JSON policy elements: Condition operators", IAM User Guide: `ForAllValues` and
/// `IfExists` hold for a missing key.
fn is_positive(condition: &Condition) -> bool {
    let operator = condition.operator.to_ascii_lowercase();
    let plain = operator.strip_prefix("foranyvalue:").unwrap_or(&operator);
    let vague = plain.starts_with("forallvalues:") || plain.ends_with("ifexists");
    let negated = plain.contains("not") || plain == "null";
    let everything = condition
        .values
        .iter()
        .any(|value| value.bytes().all(|b| b == b'*'));
    !vague && !negated && !everything
}

/// Whether no narrowing condition of the statement tests one of these keys.
fn lacks(statement: &Statement, keys: &[String]) -> bool {
    !statement.conditions.iter().any(|condition| {
        is_positive(condition)
            && keys
                .iter()
                .any(|key| key.eq_ignore_ascii_case(&condition.key))
    })
}

/// The ways in which the subject of a web identity is left open; none when it is pinned.
fn looseness(allow: &Statement) -> Vec<Subject> {
    let narrowing: Vec<&Condition> = allow.conditions.iter().filter(|c| is_positive(c)).collect();
    let key = |condition: &Condition| condition.key.to_ascii_lowercase();
    let subjects: Vec<&&Condition> = narrowing
        .iter()
        .filter(|c| key(c).ends_with(":sub"))
        .collect();
    let pinned = narrowing
        .iter()
        .any(|c| PINS.iter().any(|pin| key(c).ends_with(pin)));
    if subjects.is_empty() {
        return if pinned {
            Vec::new()
        } else {
            vec![Subject::Missing]
        };
    }
    // Several conditions on the subject must all hold: the tightest decides.
    let mut kept: Option<Vec<Subject>> = None;
    for condition in subjects {
        let like = condition.operator.to_ascii_lowercase().contains("like");
        let loose: Vec<Subject> = condition
            .values
            .iter()
            .flat_map(|value| loose_value(value, like && !pinned))
            .collect();
        kept = Some(match kept {
            Some(before) => before
                .into_iter()
                .filter(|case| loose.contains(case))
                .collect(),
            None => loose,
        });
    }
    kept.unwrap_or_default()
}

/// `repo:octo/app:ref:refs/heads/main`, `system:serviceaccount:prod:app`, `project_path:a/b:…`.
fn loose_value(value: &str, patterns: bool) -> Vec<Subject> {
    let mut found = Vec::new();
    if value.ends_with(":pull_request") {
        found.push(Subject::PullRequest);
    }
    let Some(star) = value.find(['*', '?']).filter(|_| patterns) else {
        return found;
    };
    let before = &value[..star];
    let tenant = match value.split_once(':') {
        Some(("repo", rest)) => rest,
        Some(("project_path" | "organization" | "org", rest)) => rest,
        Some(("system", rest)) => rest.strip_prefix("serviceaccount:").unwrap_or(rest),
        _ => value,
    };
    let fixed = &tenant[..tenant.find(['*', '?']).unwrap_or(tenant.len())];
    if before.is_empty() || fixed.is_empty() || !fixed.contains(['/', ':', '|']) {
        found.push(Subject::Leading);
    } else {
        found.push(Subject::Wildcard);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_loose_in_named_ways() {
        for (value, expected) in [
            ("repo:octo/app:ref:refs/heads/main", vec![]),
            ("repo:octo/app:*", vec![Subject::Wildcard]),
            ("repo:octo/*", vec![Subject::Wildcard]),
            ("repo:octo*", vec![Subject::Leading]),
            ("repo:*", vec![Subject::Leading]),
            ("*:octo/app", vec![Subject::Leading]),
            ("repo:octo/app:pull_request", vec![Subject::PullRequest]),
            ("system:serviceaccount:prod:*", vec![Subject::Wildcard]),
            ("system:serviceaccount:*:app", vec![Subject::Leading]),
        ] {
            assert_eq!(loose_value(value, true), expected, "{value}");
        }
        assert_eq!(loose_value("repo:octo/*", false), vec![]);
    }

    #[test]
    fn vague_operators_narrow_nothing() {
        let condition = |operator: &str, value: &str| Condition {
            operator: operator.to_owned(),
            key: "sts:ExternalId".to_owned(),
            values: vec![value.to_owned()],
        };
        assert!(is_positive(&condition("StringEquals", "x")));
        assert!(is_positive(&condition("ForAnyValue:StringLike", "x*")));
        for (operator, value) in [
            ("ForAllValues:StringEquals", "x"),
            ("StringEqualsIfExists", "x"),
            ("StringNotEquals", "x"),
            ("Null", "false"),
            ("StringLike", "*"),
        ] {
            assert!(!is_positive(&condition(operator, value)), "{operator}");
        }
    }
}
