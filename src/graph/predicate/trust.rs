//! Questions about trust policies: whom they name, and how tightly.
//!
//! Whether one principal can assume one role is a request and goes to the policy engine; these
//! questions are about services, foreign accounts and identity providers, who hold no policy
//! that could be asked.

use std::sync::Arc;

use palisade_checks::technique::{
    Federated, Predicate, ResourceRef, Selector, Subject, Trusted, Visitor,
};
use palisade_model::{Arn, Observed};

use super::super::bind::{Bound, Truth};
use super::super::name::witness;
use super::asks::STRANGER;
use super::{Question, glob, open};
use crate::exposure::{LooseSubject, federation};
use crate::policy::Effect;
use crate::policy::document::{Condition, Document, PrincipalKind, PrincipalName, Statement};

impl Question<'_, '_> {
    pub(super) fn trust(&self, predicate: &Predicate) -> Option<Truth> {
        use Predicate as P;
        Some(match predicate {
            P::Trusts(role, who, lacking) => {
                self.known(role, |role| self.trusts(role, who, lacking))
            }
            P::TrustsAnyone(role, lacking) => self.known(role, |role| {
                self.each_allow(role, |allow| {
                    let but_some = allow.not_principal.is_some();
                    (but_some || names(allow).any(PrincipalName::is_everyone))
                        && assumes(allow, "sts:assumerole")
                        && lacks(allow, lacking)
                        && !self.asks.keeps_out(STRANGER, "sts:AssumeRole", role)
                })
            }),
            P::TrustsOwnAccount(role) => self.known(role, |role| {
                self.each_allow(role, |allow| {
                    assumes(allow, "sts:assumerole")
                        && names(allow).any(|name| account_of(name) == Some(role.account()))
                })
            }),
            P::LooseSubject(role, cases) => self.known(role, |role| {
                let document = self.document(role).ok().flatten();
                // An RCP that refuses every subject but some binds like the trust policy itself.
                let document = document.map(|document| {
                    let mut all = (*document).clone();
                    let refused = self.asks.refusals("sts:AssumeRoleWithWebIdentity", role);
                    all.statements.extend(refused);
                    all
                });
                self.each_allow(role, |allow| {
                    if cases.contains(&Subject::AnyAssertion) && takes_any_assertion(allow) {
                        return true;
                    }
                    let web = assumes(allow, "sts:assumerolewithwebidentity");
                    let loose = || document.iter().flat_map(|all| looseness(allow, all));
                    web && loose().any(|case| cases.contains(&case))
                })
            }),
            P::LetsIn(role, pool, who) => self.both(role, pool, |role, pool| {
                self.each_allow(role, |allow| {
                    let id = pool.resource().rsplit('/').next().unwrap_or_default();
                    federated(allow).any(|name| name == COGNITO) && lets_in(allow, id, *who)
                })
            }),
            P::AssumableIfTrusted(role) => self.assumable(role),
            P::Enterable(role, call) => match self.role_or_new(role) {
                Some(role) => self.asks.enterable(call, &role),
                None => open(format!("what `{role}` stands for")),
            },
            _ => return None,
        })
    }

    fn assumable(&self, role: &ResourceRef) -> Truth {
        let Some(Bound::Known(who)) = self.bindings.get("self") else {
            return open("who acts");
        };
        match self.role_or_new(role) {
            Some(role) => self.asks.assumable_if_trusted(who, &role),
            None => open(format!("what `{role}` stands for")),
        }
    }

    /// What a role stands for; one of the attacker's making bears whatever name.
    fn role_or_new(&self, role: &ResourceRef) -> Option<Arn> {
        match self.bound(role) {
            Some(Bound::Known(role) | Bound::New(role)) => Some(role),
            _ if matches!(role.selector, Selector::New(_)) => {
                let partition = self.look.snapshot.partition;
                Some(Arn::iam(partition, self.account, "role", "/", "palisade"))
            }
            _ => None,
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
                        && names(allow)
                            .filter(|name| account_of_any(name) == Some(id.as_str()))
                            .any(|name| self.lets_outsider(name, role))
                })
            }
            Trusted::Federated(Federated::Host(host)) => Box::new(move |allow| {
                federated(allow)
                    .filter(|name| glob(host, host_of(name)))
                    .any(|name| self.lets_federated(allow, name, role))
            }),
            Trusted::Federated(Federated::Provider(provider)) => {
                let Some(Bound::Known(provider) | Bound::Named { arn: provider, .. }) =
                    self.bound(provider)
                else {
                    return open(format!("what `{provider}` stands for"));
                };
                Box::new(move |allow| {
                    federated(allow)
                        .filter(|name| {
                            *name == provider.as_str() || *name == host_of(provider.as_str())
                        })
                        .any(|name| self.lets_federated(allow, name, role))
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

    /// Whether somebody of a foreign account that the trust names is let through to the role.
    fn lets_outsider(&self, name: &PrincipalName, role: &Arn) -> bool {
        let whole = account_of(name).map(|id| Arn::root(self.look.snapshot.partition, id));
        let caller = whole.as_ref().map_or(name.value.as_str(), Arn::as_str);
        !self.asks.keeps_out(caller, "sts:AssumeRole", role)
    }

    /// Likewise somebody whom an identity provider vouches for.
    fn lets_federated(&self, allow: &Statement, provider: &str, role: &Arn) -> bool {
        let action = match assumes(allow, "sts:assumerolewithwebidentity") {
            true => "sts:AssumeRoleWithWebIdentity",
            false => "sts:AssumeRoleWithSAML",
        };
        !self.asks.keeps_out(provider, action, role)
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
pub(in crate::graph) fn same_service(own: &str, wanted: &str) -> bool {
    let own = own.strip_suffix(".cn").unwrap_or(own);
    let regional = || {
        let (service, rest) = own.split_once('.')?;
        let (region, suffix) = rest.split_once('.')?;
        let is_region = region.contains('-') && region.ends_with(|c: char| c.is_ascii_digit());
        Some(is_region && wanted.strip_prefix(service)?.strip_prefix('.') == Some(suffix))
    };
    own == wanted || regional().unwrap_or(false)
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
    let vague = is_vague(condition);
    let negated = plain.contains("not") || plain == "null";
    let everything = condition
        .values
        .iter()
        .any(|value| value.bytes().all(|b| b == b'*'));
    !vague && !negated && !everything
}

/// Whether a missing key passes the condition.
fn is_vague(condition: &Condition) -> bool {
    let operator = condition.operator.to_ascii_lowercase();
    operator.starts_with("forallvalues:") || operator.ends_with("ifexists")
}

/// Whether no narrowing condition of the statement tests one of these keys.
fn lacks(statement: &Statement, keys: &[String]) -> bool {
    !statement.conditions.iter().any(|condition| {
        is_positive(condition)
            && !fits_a_stranger(condition)
            && keys
                .iter()
                .any(|key| key.eq_ignore_ascii_case(&condition.key))
    })
}

/// Whether a condition on who asks, or from where, is met by somebody of any account: he names his
/// principals as he likes, and may be in an organization of his own.
fn fits_a_stranger(condition: &Condition) -> bool {
    let may_be = match condition.key.to_ascii_lowercase().as_str() {
        "aws:principalaccount" => "999999999999".to_owned(),
        "aws:principalorgid" => "o-strangers0".to_owned(),
        "aws:principalorgpaths" => "o-strangers0/r-9999/ou-9999-strangers/".to_owned(),
        "aws:sourceip" => {
            let whole = |value: &String| matches!(value.as_str(), "0.0.0.0/0" | "::/0");
            return condition.values.iter().any(whole);
        }
        "aws:principalarn" => {
            // A pattern for ARNs stays within the parts of an ARN, one for texts does not.
            let free = |value: &&String| {
                let account = value.split(':').nth(4);
                account.is_none_or(|account| glob(account, "999999999999"))
                    && witness(&[value.as_str(), "arn:aws*:iam::999999999999:*"], &[]) != Ok(None)
            };
            return condition.values.iter().any(|value| free(&value));
        }
        _ => return false,
    };
    condition.values.iter().any(|value| glob(value, &may_be))
}

/// The ways in which the subject of a web identity is left open; none when it is pinned.
///
/// Every token has a subject, so that an operator which a missing one would pass narrows as much
/// as the plain one.
///
/// Source: OpenID Connect Core 1.0, section 2: `sub` is required; "AssumeRoleWithWebIdentity", AWS
/// STS API Reference, 2026-11: `SubjectFromWebIdentityToken` is the token's subject claim.
fn looseness(allow: &Statement, document: &Document) -> Vec<Subject> {
    let providers = names(allow).filter(|name| name.kind == PrincipalKind::Federated);
    let judged = providers.map(|name| federation(&name.value, allow, document));
    judged
        .flat_map(|federation| federation.loose)
        .map(|loose| match loose {
            LooseSubject::Missing => Subject::Missing,
            LooseSubject::Leading => Subject::Leading,
            LooseSubject::Wildcard => Subject::Wildcard,
            LooseSubject::PullRequest => Subject::PullRequest,
        })
        .collect()
}

/// Whether a SAML trust narrows neither the audience nor any other part of the assertion: then one
/// made for another application of the same provider will do.
///
/// Source: "Available keys for SAML-based AWS STS federation", IAM User Guide.
fn takes_any_assertion(allow: &Statement) -> bool {
    let saml = |name: &PrincipalName| {
        name.kind == PrincipalKind::Federated && name.value.contains(":saml-provider/")
    };
    let narrows = |condition: &Condition| {
        is_positive(condition) && condition.key.to_ascii_lowercase().starts_with("saml:")
    };
    assumes(allow, "sts:assumerolewithsaml")
        && names(allow).any(saml)
        && !allow.conditions.iter().any(narrows)
}

/// The provider of every identity pool.
const COGNITO: &str = "cognito-identity.amazonaws.com";

/// Whether guests, or users, of an identity pool meet the conditions on the audience and on how
/// they signed in.
///
/// Source: "Role trust and permissions", Amazon Cognito Developer Guide: `aud` is the pool's id,
/// `amr` is `unauthenticated` for guests, and `authenticated` with the name of the login provider
/// for users.
fn lets_in(allow: &Statement, pool: &str, who: Visitor) -> bool {
    allow.conditions.iter().all(|condition| {
        let key = condition.key.to_ascii_lowercase();
        let Some(claim) = key.strip_prefix("cognito-identity.amazonaws.com:") else {
            return true;
        };
        let claims: &[&str] = match (claim, who) {
            ("aud", _) => &[pool],
            ("amr", Visitor::Guest) => &["unauthenticated"],
            ("amr", Visitor::User) => &["authenticated"],
            _ => return true,
        };
        let operator = condition.operator.to_ascii_lowercase();
        let fits = |value: &String| {
            let own = claims.iter().any(|claim| glob(value, claim));
            // Users carry the name of whoever signed them in besides.
            let login = value.to_ascii_lowercase();
            own || claim == "amr" && who == Visitor::User && !login.contains("authenticated")
        };
        let any = condition.values.iter().any(fits);
        match operator.contains("not") {
            true => !any,
            false => any || operator.contains("null"),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guests_come_in_by_the_audience_and_how_they_signed_in() {
        let trust = |aud: &str, amr: &str| {
            let text = serde_json::json!({"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": {"Federated": COGNITO},
                "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {
                    "StringEquals": {"cognito-identity.amazonaws.com:aud": aud},
                    "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": amr}}}]});
            Document::parse(&text.to_string()).expect("a document")
        };
        for (aud, amr, guest, user) in [
            ("us-east-1:p", "unauthenticated", true, false),
            ("us-east-1:p", "authenticated", false, true),
            ("us-east-1:p", "*auth*", true, true),
            ("us-east-1:p", "graph.facebook.com", false, true),
            ("us-east-1:other", "unauthenticated", false, false),
        ] {
            let document = trust(aud, amr);
            let allow = &document.statements[0];
            assert_eq!(
                lets_in(allow, "us-east-1:p", Visitor::Guest),
                guest,
                "{aud} {amr}"
            );
            assert_eq!(
                lets_in(allow, "us-east-1:p", Visitor::User),
                user,
                "{aud} {amr}"
            );
        }
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
