//! What each identity provider lets its customers write into a subject, and how loose a pattern
//! for it is.
//!
//! Source: the providers' own documentation of their subject claims, 2026-11.

use std::collections::BTreeSet;

use super::subject::LooseSubject;

/// What is known of an identity provider by the host of its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Provider {
    GitHub,
    GitLab,
    TerraformCloud,
    /// One issuer for each tenant: strangers cannot fit, whatever the subject.
    OneTenant,
    Eks,
    Cognito,
    Google,
    /// Many tenants, whose name stands in this part of the subject.
    Other {
        prefix: &'static str,
    },
    /// Not known: whoever runs it says whom it vouches for.
    Unknown,
}

pub(super) fn provider(issuer: &str) -> Provider {
    let host = issuer
        .split('/')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let path = issuer.split_once('/').map_or("", |(_, path)| path);
    match host.as_str() {
        "token.actions.githubusercontent.com" => Provider::GitHub,
        "gitlab.com" => Provider::GitLab,
        "app.terraform.io" | "app.eu.terraform.io" => Provider::TerraformCloud,
        "cognito-identity.amazonaws.com" => Provider::Cognito,
        "accounts.google.com" => Provider::Google,
        "agent.buildkite.com" => Provider::Other {
            prefix: "organization:",
        },
        "oidc.vercel.com" if path.is_empty() => Provider::Other { prefix: "owner:" },
        "graph.facebook.com" | "www.amazon.com" => Provider::Other { prefix: "" },
        "oidc.vercel.com" | "oidc.circleci.com" | "api.bitbucket.org" => Provider::OneTenant,
        host if host.starts_with("oidc.eks.") || host.starts_with("oidc-eks.") => Provider::Eks,
        host if host.ends_with(".app.spacelift.io") => Provider::OneTenant,
        host if host.starts_with("gitlab.") => Provider::GitLab,
        _ => Provider::Unknown,
    }
}

/// How one subject pattern is loose.
pub(super) fn looseness(kind: Provider, subject: &str) -> BTreeSet<LooseSubject> {
    let wild = |text: &str| text.contains(['*', '?']);
    let one = |loose| BTreeSet::from([loose]);
    if subject.trim_matches('*').is_empty() {
        return one(LooseSubject::Leading);
    }
    // `tenant` is what strangers must not be able to have, `rest` what is left to the tenant.
    let cut: Option<(&str, &str)> = match kind {
        Provider::GitHub => subject
            .strip_prefix("repo:")
            .map(|rest| match rest.split_once('/') {
                Some((owner, rest)) => (owner, rest),
                None => (rest, "*"),
            }),
        Provider::GitLab => {
            subject
                .strip_prefix("project_path:")
                .map(|rest| match rest.split_once('/') {
                    Some((group, rest)) => (group, rest),
                    None => (rest, "*"),
                })
        }
        Provider::TerraformCloud => {
            subject
                .strip_prefix("organization:")
                .map(|rest| match rest.split_once(':') {
                    Some((organization, rest)) => (organization, rest),
                    None => (rest, "*"),
                })
        }
        Provider::Other { prefix } => {
            subject
                .strip_prefix(prefix)
                .map(|rest| match rest.split_once(':') {
                    Some((tenant, rest)) => (tenant, rest),
                    None => (rest, ""),
                })
        }
        Provider::Eks => {
            return match subject.strip_prefix("system:serviceaccount:") {
                Some(account) if !wild(account) => BTreeSet::new(),
                Some(_) => one(LooseSubject::Wildcard),
                None if wild(subject) => one(LooseSubject::Leading),
                None => BTreeSet::new(),
            };
        }
        Provider::OneTenant | Provider::Unknown | Provider::Google | Provider::Cognito => {
            return match (subject.starts_with(['*', '?']), wild(subject)) {
                (true, _) => one(LooseSubject::Leading),
                (false, true) if kind != Provider::OneTenant || few_parts(subject) => {
                    one(LooseSubject::Wildcard)
                }
                _ => BTreeSet::new(),
            };
        }
    };
    let Some((tenant, rest)) = cut else {
        // Customised subjects begin otherwise; a wildcard before anything fixed lets anybody in.
        return match (subject.starts_with(['*', '?']), wild(subject)) {
            (true, _) => one(LooseSubject::Leading),
            (false, true) => one(LooseSubject::Wildcard),
            _ => BTreeSet::new(),
        };
    };
    if wild(tenant) {
        return one(LooseSubject::Leading);
    }
    let mut out = BTreeSet::new();
    if is_loose_rest(kind, rest) {
        out.insert(LooseSubject::Wildcard);
    }
    if kind == Provider::GitHub && pull_request_fits(rest) {
        out.insert(LooseSubject::PullRequest);
    }
    out
}

/// Whether a pattern of a one-tenant issuer leaves out which repository or project is meant.
fn few_parts(subject: &str) -> bool {
    let fixed = subject.split(['*', '?']).next().unwrap_or_default();
    !fixed.contains([':', '/', '}'])
}

/// Whether what follows the tenant lets in more than one place: for repositories both the name
/// and the ref or environment must be fixed.
fn is_loose_rest(kind: Provider, rest: &str) -> bool {
    let wild = |text: &str| text.contains(['*', '?']);
    match kind {
        Provider::GitHub => match rest.split_once(':') {
            Some((repository, place)) => {
                wild(repository) || place.trim_matches(['*', '?']).is_empty() || is_open_ref(place)
            }
            None => wild(rest),
        },
        Provider::GitLab => {
            let project = rest.split(":ref_type:").next().unwrap_or_default();
            let reference = rest.split_once(":ref:").map(|(_, reference)| reference);
            wild(project) || reference.is_none_or(|r| r.trim_matches(['*', '?']).is_empty())
        }
        // Project and workspace must be named; the phase of a run may be any.
        Provider::TerraformCloud => {
            let place = rest.split(":run_phase:").next().unwrap_or_default();
            let workspace = place.split_once("workspace:").map(|(_, name)| name);
            workspace.is_none_or(wild)
        }
        _ => wild(rest),
    }
}

/// `ref:refs/heads/*` is any branch, and whoever may push one is in.
fn is_open_ref(place: &str) -> bool {
    matches!(
        place,
        "ref:*" | "ref:refs/*" | "ref:refs/heads/*" | "environment:*"
    )
}

fn pull_request_fits(rest: &str) -> bool {
    let place = rest.split_once(':').map_or(rest, |(_, place)| place);
    place == "pull_request"
        || place.trim_matches('*').is_empty()
        || place
            .strip_suffix('*')
            .is_some_and(|head| "pull_request".starts_with(head))
        || (!rest.contains(':') && rest.ends_with('*'))
}
