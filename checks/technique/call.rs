//! Predicates that are written as calls: each name with the arguments it takes.

use super::parse::{
    Parsed, comparison, conjunction, list, predicate, reference, requirement, split,
};
use super::{
    Counted, DenySource, Federated, Kind, Predicate, Qualifier, ResourceRef, RootWeakness, Subject,
    TemplateVersion, Trusted, Visitor,
};

/// A predicate written as a call.
pub(super) struct Call<'a> {
    pub(super) text: &'a str,
    pub(super) arguments: &'a str,
    pub(super) rest: &'a str,
}

impl Call<'_> {
    pub(super) fn read(&self, name: &str) -> Parsed<Predicate> {
        use Predicate as P;
        if name != "count" && !self.rest.is_empty() {
            return Err(format!("`{}` goes on after its parenthesis", self.text));
        }
        Ok(match name {
            "any" => P::Any(self.parts(';')?),
            "all" => P::All(self.parts(';')?),
            "is_user" => P::IsUser(self.one()?),
            "is_role" => P::IsRole(self.one()?),
            "different" => self.two(P::Different)?,
            "service_linked" => P::ServiceLinked(self.one()?),
            "sso_reserved" => P::SsoReserved(self.one()?),
            "named" => {
                let [of, names] = self.arguments()?;
                P::Named(reference(of)?, list(names)?)
            }
            "member" => self.two(P::Member)?,
            "attached" => self.two(P::Attached)?,
            "boundary_of" => self.two(P::BoundaryOf)?,
            "customer_managed" => P::CustomerManaged(self.one()?),
            "broader_version" => P::BroaderVersion(self.one()?),
            "broader" => self.two(P::Broader)?,
            "broader_boundary" => self.two(P::BroaderBoundary)?,
            "administers" => P::Administers(self.one()?),
            "has_boundary" => P::HasBoundary(self.one()?),
            "boundary_limits" => P::BoundaryLimits(self.one()?),
            "deny_held_by" => self.deny()?,
            "count" => self.count()?,
            "login_profile" => P::LoginProfile(self.one()?),
            "leaked_key" => P::LeakedKey(self.one()?),
            "stale_key" => P::StaleKey(self.one()?),
            "trusts" => self.trusts()?,
            "trusts_anyone" => {
                let (arguments, keys) = self.lacking()?;
                P::TrustsAnyone(reference(arguments)?, keys)
            }
            "trusts_own_account" => P::TrustsOwnAccount(self.one()?),
            "loose_subject" => self.subject()?,
            "lets_in" => {
                let [role, pool, who] = self.arguments()?;
                P::LetsIn(reference(role)?, reference(pool)?, visitor(who)?)
            }
            "assumable_if_trusted" => P::AssumableIfTrusted(self.one()?),
            "enterable" => {
                let [role, call] = self.arguments()?;
                match call {
                    "sts:AssumeRole"
                    | "sts:AssumeRoleWithSAML"
                    | "sts:AssumeRoleWithWebIdentity" => {
                        P::Enterable(reference(role)?, call.to_owned())
                    }
                    other => return Err(format!("`{other}` lets nobody into a role")),
                }
            }
            "gated_by" => {
                let [key, who] = self.arguments()?;
                P::GatedBy(key.to_owned(), reference(who)?)
            }
            "held_by_tag" => {
                let [key, who] = self.arguments()?;
                P::HeldByTag(key.to_owned(), reference(who)?)
            }
            "may" => {
                let [who, what] = self.arguments()?;
                P::May(reference(who)?, Box::new(requirement(what)?))
            }
            "has_instance_profile" => P::HasInstanceProfile(self.one()?),
            "exists" => self.exists()?,
            other => self.resource(other)?,
        })
    }

    /// The predicates about resources of services, and about the organization.
    fn resource(&self, name: &str) -> Parsed<Predicate> {
        use Predicate as P;
        Ok(match name {
            "triggered" => {
                let [function, version] = self.arguments()?;
                P::Triggered(reference(function)?, qualifier(version)?)
            }
            "open_url" => P::OpenUrl(self.one()?),
            "signed_code_only" => P::SignedCodeOnly(self.one()?),
            "public" => {
                let [of, action] = self.arguments()?;
                P::Public(reference(of)?, action.to_owned())
            }
            "open_to" => {
                let [of, whom, action] = self.arguments()?;
                P::OpenTo(reference(of)?, reference(whom)?, action.to_owned())
            }
            "credential_in" => self.two(P::CredentialIn)?,
            "held" => P::Held(self.one()?),
            "code_on" => P::CodeOn(self.one()?),
            "run_by_rule" => P::RunByRule(self.one()?),
            "launchable_with" => P::LaunchableWith(self.one()?),
            "ssm_managed" => P::SsmManaged(self.one()?),
            "internet_facing" => match split(self.arguments, ',').as_slice() {
                [of] => P::InternetFacing(reference(of)?, None),
                [of, port] => {
                    let port = port.parse().map_err(|_| format!("`{port}` is no port"))?;
                    P::InternetFacing(reference(of)?, Some(port))
                }
                _ => return Err(format!("`{}` takes a resource and a port", self.text)),
            },
            "launched_from" => {
                let [of, version] = self.arguments()?;
                P::LaunchedFrom(reference(of)?, template_version(version)?)
            }
            "runs_with" => self.two(P::RunsWith)?,
            "same_vpc" => self.two(P::SameVpc)?,
            "own_account" => P::OwnAccount(self.one()?),
            "sharing_blocked" => P::SharingBlocked(self.one()?),
            "public_policy_blocked" => P::PublicPolicyBlocked(self.one()?),
            "provisioned_from" => self.two(P::ProvisionedFrom)?,
            "vendor" => P::Vendor(self.one()?),
            "in_organization" => P::InOrganization(self.one()?),
            "known_account" => P::KnownAccount(self.one()?),
            "in_management_account" => P::InManagementAccount(self.one()?),
            "administers_organization" => {
                let [who, service] = self.arguments()?;
                P::AdministersOrganization(reference(who)?, service.to_owned())
            }
            "trusted_access" => {
                let [service] = self.arguments()?;
                P::TrustedAccess(service.to_owned())
            }
            "root_sessions" => {
                let [] = self.arguments()?;
                P::RootSessions
            }
            "root_mailbox" => P::RootMailbox(self.one()?),
            "restrained" => P::Restrained(self.one()?),
            "root_weak" => {
                let [weakness, account] = self.arguments()?;
                P::RootWeak(root_weakness(weakness)?, reference(account)?)
            }
            _ => return Err(format!("`{name}` is no predicate")),
        })
    }

    fn arguments<const N: usize>(&self) -> Parsed<[&str; N]> {
        let arguments = split(self.arguments, ',');
        arguments.try_into().map_err(|found: Vec<_>| {
            format!(
                "`{}` takes {N} arguments, and has {}",
                self.text,
                found.len()
            )
        })
    }

    fn one(&self) -> Parsed<ResourceRef> {
        let [only] = self.arguments()?;
        reference(only)
    }

    fn two(&self, make: fn(ResourceRef, ResourceRef) -> Predicate) -> Parsed<Predicate> {
        let [first, second] = self.arguments()?;
        Ok(make(reference(first)?, reference(second)?))
    }

    fn parts(&self, separator: char) -> Parsed<Vec<Predicate>> {
        let parts = split(self.arguments, separator);
        if parts.len() < 2 {
            return Err(format!(
                "`{}` needs two predicates or more, cut by `;`",
                self.text
            ));
        }
        parts.into_iter().map(predicate).collect()
    }

    /// Takes `, lacking [KEY, …]` off the end.
    fn lacking(&self) -> Parsed<(&str, Vec<String>)> {
        match self.arguments.split_once(", lacking ") {
            Some((arguments, keys)) => Ok((arguments, list(keys)?)),
            None => Ok((self.arguments, Vec::new())),
        }
    }

    fn trusts(&self) -> Parsed<Predicate> {
        let (arguments, keys) = self.lacking()?;
        let (role, who) = arguments
            .split_once(',')
            .ok_or_else(|| format!("`{}` must name a role and whom it trusts", self.text))?;
        let who = who.trim();
        let who = match who.split_once(':') {
            Some(("service", name)) => Trusted::Service(name.to_owned()),
            Some(("federated", name)) if !name.contains('$') => {
                Trusted::Federated(Federated::Host(name.to_owned()))
            }
            Some(("federated", name)) => {
                let provider = reference(&format!("oidc-provider:{name}"))?;
                Trusted::Federated(Federated::Provider(provider))
            }
            Some(("saml", name)) => {
                let provider = reference(&format!("saml-provider:{name}"))?;
                Trusted::Federated(Federated::Provider(provider))
            }
            Some(("account", _)) => Trusted::Account(reference(who)?),
            _ => Trusted::Principal(reference(who)?),
        };
        Ok(Predicate::Trusts(reference(role)?, who, keys))
    }

    fn deny(&self) -> Parsed<Predicate> {
        let [source, who] = self.arguments()?;
        let source = match source {
            "inline" => DenySource::Inline,
            "managed" => DenySource::Managed,
            other => {
                let from = reference(other)?;
                match from.kind {
                    Kind::GROUP => DenySource::Group(from),
                    Kind::POLICY => DenySource::Policy(from),
                    _ => return Err(format!("`{other}` cannot hold a deny")),
                }
            }
        };
        Ok(Predicate::DenyHeldBy(source, reference(who)?))
    }

    fn count(&self) -> Parsed<Predicate> {
        let [what, of] = self.arguments()?;
        let counted = Counted::ALL
            .into_iter()
            .find(|(_, word)| *word == what)
            .ok_or_else(|| format!("`{what}` cannot be counted"))?;
        Ok(Predicate::Count(
            counted.0,
            reference(of)?,
            comparison(self.rest)?,
        ))
    }

    fn subject(&self) -> Parsed<Predicate> {
        let [role, cases] = self.arguments()?;
        let cases = list(cases)?
            .iter()
            .map(|case| match case.as_str() {
                "missing" => Ok(Subject::Missing),
                "wildcard" => Ok(Subject::Wildcard),
                "leading" => Ok(Subject::Leading),
                "pull-request" => Ok(Subject::PullRequest),
                "any-assertion" => Ok(Subject::AnyAssertion),
                other => Err(format!("`{other}` is no way a subject can be loose")),
            })
            .collect::<Parsed<Vec<_>>>()?;
        Ok(Predicate::LooseSubject(reference(role)?, cases))
    }

    fn exists(&self) -> Parsed<Predicate> {
        let (what, filter) = match self.arguments.split_once(" where ") {
            Some((what, filter)) => (what, conjunction(filter)?),
            None => (self.arguments, Vec::new()),
        };
        let what = if what.contains(':') {
            reference(what)?
        } else {
            reference(&format!("{what}:*"))?
        };
        Ok(Predicate::Exists(what, filter))
    }
}

fn qualifier(word: &str) -> Parsed<Qualifier> {
    match word {
        "latest" => Ok(Qualifier::Latest),
        "alias" => Ok(Qualifier::Alias),
        other => Err(format!("`{other}` must be `latest` or `alias`")),
    }
}

fn template_version(word: &str) -> Parsed<TemplateVersion> {
    match word {
        "default" => Ok(TemplateVersion::Default),
        "latest" => Ok(TemplateVersion::Latest),
        other => Err(format!("`{other}` must be `default` or `latest`")),
    }
}

fn visitor(word: &str) -> Parsed<Visitor> {
    match word {
        "guests" => Ok(Visitor::Guest),
        "users" => Ok(Visitor::User),
        other => Err(format!("`{other}` must be `guests` or `users`")),
    }
}

fn root_weakness(word: &str) -> Parsed<RootWeakness> {
    match word {
        "access-keys" => Ok(RootWeakness::AccessKeys),
        "no-mfa" => Ok(RootWeakness::NoMfa),
        other => Err(format!("`{other}` is no weakness of the root user")),
    }
}
