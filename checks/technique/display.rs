//! Predicates and requirements as techniques write them: what is read here reads back the same.

use std::fmt::{self, Display, Formatter, Write as _};

use super::{
    Comparison, ContextValue, DenySource, Federated, Predicate, Qualifier, Requirement,
    RootWeakness, Subject, TemplateVersion, Test, Trusted, Visitor,
};

impl Display for Predicate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use Predicate as P;
        match self {
            P::Not(inner) => write!(f, "not {inner}"),
            P::Any(parts) => write!(f, "any({})", joined(parts, "; ")),
            P::All(parts) => write!(f, "all({})", joined(parts, "; ")),
            P::IsUser(a) => write!(f, "is_user({a})"),
            P::IsRole(a) => write!(f, "is_role({a})"),
            P::Different(a, b) => write!(f, "different({a}, {b})"),
            P::ServiceLinked(a) => write!(f, "service_linked({a})"),
            P::SsoReserved(a) => write!(f, "sso_reserved({a})"),
            P::Named(a, names) => write!(f, "named({a}, [{}])", names.join(", ")),
            P::Member(a, b) => write!(f, "member({a}, {b})"),
            P::Attached(a, b) => write!(f, "attached({a}, {b})"),
            P::BoundaryOf(a, b) => write!(f, "boundary_of({a}, {b})"),
            P::CustomerManaged(a) => write!(f, "customer_managed({a})"),
            P::BroaderVersion(a) => write!(f, "broader_version({a})"),
            P::Broader(a, b) => write!(f, "broader({a}, {b})"),
            P::BroaderBoundary(a, b) => write!(f, "broader_boundary({a}, {b})"),
            P::Administers(a) => write!(f, "administers({a})"),
            P::HasBoundary(a) => write!(f, "has_boundary({a})"),
            P::BoundaryLimits(a) => write!(f, "boundary_limits({a})"),
            P::DenyHeldBy(source, a) => write!(f, "deny_held_by({source}, {a})"),
            P::Count(what, a, test) => write!(f, "count({}, {a}) {test}", what.word()),
            P::LoginProfile(a) => write!(f, "login_profile({a})"),
            P::LeakedKey(a) => write!(f, "leaked_key({a})"),
            P::StaleKey(a) => write!(f, "stale_key({a})"),
            P::Trusts(a, who, keys) => write!(f, "trusts({a}, {who}{})", lacking(keys)),
            P::TrustsAnyone(a, keys) => write!(f, "trusts_anyone({a}{})", lacking(keys)),
            P::TrustsOwnAccount(a) => write!(f, "trusts_own_account({a})"),
            P::LooseSubject(a, cases) => {
                write!(f, "loose_subject({a}, [{}])", joined(cases, ", "))
            }
            P::LetsIn(a, pool, who) => {
                let who = match who {
                    Visitor::Guest => "guests",
                    Visitor::User => "users",
                };
                write!(f, "lets_in({a}, {pool}, {who})")
            }
            P::RootMailbox(a) => write!(f, "root_mailbox({a})"),
            P::AssumableIfTrusted(a) => write!(f, "assumable_if_trusted({a})"),
            P::Enterable(a, call) => write!(f, "enterable({a}, {call})"),
            P::GatedBy(key, a) => write!(f, "gated_by({key}, {a})"),
            P::HeldByTag(key, a) => write!(f, "held_by_tag({key}, {a})"),
            P::May(a, what) => write!(f, "may({a}, {what})"),
            P::HasInstanceProfile(a) => write!(f, "has_instance_profile({a})"),
            P::Attribute(a, path, test) => write!(f, "{a}.{path} {test}"),
            P::Exists(a, filter) if filter.is_empty() => write!(f, "exists({a})"),
            P::Exists(a, filter) => write!(f, "exists({a} where {})", joined(filter, " and ")),
            _ => self.write_workload(f),
        }
    }
}

impl Predicate {
    fn write_workload(&self, f: &mut Formatter<'_>) -> fmt::Result {
        use Predicate as P;
        match self {
            P::Triggered(a, Qualifier::Latest) => write!(f, "triggered({a}, latest)"),
            P::Triggered(a, Qualifier::Alias) => write!(f, "triggered({a}, alias)"),
            P::OpenUrl(a) => write!(f, "open_url({a})"),
            P::SignedCodeOnly(a) => write!(f, "signed_code_only({a})"),
            P::Public(a, action) => write!(f, "public({a}, {action})"),
            P::OpenTo(a, b, action) => write!(f, "open_to({a}, {b}, {action})"),
            P::CredentialIn(a, b) => write!(f, "credential_in({a}, {b})"),
            P::Held(a) => write!(f, "held({a})"),
            P::CodeOn(a) => write!(f, "code_on({a})"),
            P::RunByRule(a) => write!(f, "run_by_rule({a})"),
            P::LaunchableWith(a) => write!(f, "launchable_with({a})"),
            P::SsmManaged(a) => write!(f, "ssm_managed({a})"),
            P::InternetFacing(a, None) => write!(f, "internet_facing({a})"),
            P::InternetFacing(a, Some(port)) => write!(f, "internet_facing({a}, {port})"),
            P::LaunchedFrom(a, TemplateVersion::Default) => {
                write!(f, "launched_from({a}, default)")
            }
            P::LaunchedFrom(a, TemplateVersion::Latest) => write!(f, "launched_from({a}, latest)"),
            P::RunsWith(a, b) => write!(f, "runs_with({a}, {b})"),
            P::SameVpc(a, b) => write!(f, "same_vpc({a}, {b})"),
            P::PublicPolicyBlocked(a) => write!(f, "public_policy_blocked({a})"),
            P::OwnAccount(a) => write!(f, "own_account({a})"),
            P::SharingBlocked(a) => write!(f, "sharing_blocked({a})"),
            P::ProvisionedFrom(a, b) => write!(f, "provisioned_from({a}, {b})"),
            P::Vendor(a) => write!(f, "vendor({a})"),
            P::InOrganization(a) => write!(f, "in_organization({a})"),
            P::KnownAccount(a) => write!(f, "known_account({a})"),
            P::InManagementAccount(a) => write!(f, "in_management_account({a})"),
            P::AdministersOrganization(a, service) => {
                write!(f, "administers_organization({a}, {service})")
            }
            P::TrustedAccess(service) => write!(f, "trusted_access({service})"),
            P::RootSessions => f.write_str("root_sessions()"),
            P::Restrained(a) => write!(f, "restrained({a})"),
            P::RootWeak(RootWeakness::AccessKeys, a) => write!(f, "root_weak(access-keys, {a})"),
            P::RootWeak(RootWeakness::NoMfa, a) => write!(f, "root_weak(no-mfa, {a})"),
            _ => Ok(()),
        }
    }
}

impl Display for Requirement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.action, self.on)?;
        if !self.filter.is_empty() {
            write!(f, " where {}", joined(&self.filter, " and "))?;
        }
        for (at, (key, value)) in self.context.iter().enumerate() {
            f.write_str(if at == 0 { " with " } else { ", " })?;
            match value {
                ContextValue::Text(text) => write!(f, "{key}={text}")?,
                ContextValue::Ref(reference) => write!(f, "{key}={reference}")?,
                ContextValue::Endpoint { before, of } => {
                    write!(f, "{key}={before}{{endpoint of {of}}}")?;
                }
            }
        }
        Ok(())
    }
}

impl Display for Comparison {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Comparison::Less(n) => write!(f, "< {n}"),
            Comparison::More(n) => write!(f, "> {n}"),
            Comparison::AtLeast(n) => write!(f, ">= {n}"),
            Comparison::Equal(n) => write!(f, "= {n}"),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Names(to) => write!(f, "= {to}"),
            Test::Includes(to) => write!(f, "includes {to}"),
            Test::Is(text) => write!(f, "is {text}"),
            Test::Like(texts) => write!(f, "like [{}]", texts.join(", ")),
            Test::In(texts) => write!(f, "in [{}]", texts.join(", ")),
            Test::Number(comparison) => comparison.fmt(f),
            Test::Missing => f.write_str("is missing"),
        }
    }
}

impl Display for Trusted {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Trusted::Service(name) => write!(f, "service:{name}"),
            Trusted::Federated(Federated::Host(host)) => write!(f, "federated:{host}"),
            Trusted::Federated(Federated::Provider(provider)) => {
                let text = provider.to_string();
                let saml = text.strip_prefix("saml-provider:");
                match (saml, text.strip_prefix("oidc-provider:")) {
                    (Some(name), _) => write!(f, "saml:{name}"),
                    (_, name) => write!(f, "federated:{}", name.unwrap_or(&text)),
                }
            }
            Trusted::Account(who) | Trusted::Principal(who) => who.fmt(f),
        }
    }
}

impl Display for DenySource {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            DenySource::Inline => f.write_str("inline"),
            DenySource::Managed => f.write_str("managed"),
            DenySource::Group(from) | DenySource::Policy(from) => from.fmt(f),
        }
    }
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Subject::Missing => "missing",
            Subject::Wildcard => "wildcard",
            Subject::Leading => "leading",
            Subject::PullRequest => "pull-request",
            Subject::AnyAssertion => "any-assertion",
        })
    }
}

fn joined<T: Display>(parts: &[T], separator: &str) -> String {
    let mut out = String::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        let _ = write!(out, "{part}");
    }
    out
}

fn lacking(keys: &[String]) -> String {
    match keys.is_empty() {
        true => String::new(),
        false => format!(", lacking [{}]", keys.join(", ")),
    }
}
