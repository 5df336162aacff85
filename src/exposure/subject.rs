//! Federated trusts: how much of an identity provider's world a trust lets in.
//!
//! A provider such as GitHub vouches for everybody who has an account there. What tells one
//! customer from the next is the subject claim, and how it is written differs per provider.
//! Source: "Configuring a role for OpenID Connect", IAM User Guide, and the providers' own
//! documentation of their subject claims, 2026-11.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy::document::{Document, Effect, Statement};

/// How a subject condition is too loose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LooseSubject {
    /// There is none, or one that is true when the claim is missing.
    Missing,
    /// A wildcard stands before or inside the tenant's name, so that strangers fit.
    Leading,
    /// The tenant is fixed, but any of its repositories, branches, namespaces or accounts fits.
    Wildcard,
    /// Pull requests fit, which outsiders may open.
    PullRequest,
}

/// What is known of an identity provider by the host of its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provider {
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

/// Who may come in by a federated statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Federation {
    /// The provider as the trust names it.
    pub provider: String,
    /// Whether customers who have nothing to do with one another share the issuer.
    pub shared_issuer: bool,
    /// Whether a stranger can fit.
    pub strangers: bool,
    /// How the subject is loose; empty: it names one.
    pub loose: BTreeSet<LooseSubject>,
    /// The subject patterns that let somebody in.
    pub subjects: BTreeSet<String>,
}

/// The issuer without `https://`, from a provider's ARN or name.
pub(super) fn issuer(provider: &str) -> &str {
    let name = provider
        .split_once(":oidc-provider/")
        .map_or(provider, |(_, name)| name);
    name.trim_start_matches("https://")
}

fn provider(issuer: &str) -> Provider {
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

/// Judges a statement that trusts an OIDC provider.
pub(super) fn federation(name: &str, statement: &Statement, document: &Document) -> Federation {
    let issuer = issuer(name);
    let kind = provider(issuer);
    let shared = match kind {
        Provider::GitHub => !issuer.contains('/'),
        Provider::GitLab => issuer.starts_with("gitlab.com"),
        Provider::TerraformCloud
        | Provider::Google
        | Provider::Other { .. }
        | Provider::Cognito => true,
        Provider::OneTenant | Provider::Eks | Provider::Unknown => false,
    };
    let mut found = Federation {
        provider: name.to_owned(),
        shared_issuer: shared,
        ..Federation::default()
    };
    if kind == Provider::Cognito {
        return cognito(issuer, statement, found);
    }
    // Any one of the bound subjects lets in; several conditions must all hold.
    let mut bounds: Vec<BTreeSet<String>> = subject_bounds(issuer, statement);
    bounds.extend(refused_others(issuer, document));
    if bounds.is_empty() {
        other_claims(kind, issuer, statement, &mut found);
        return found;
    }
    // The tightest of them decides.
    let judged = bounds.into_iter().map(|subjects| {
        let mut loose = BTreeSet::new();
        for subject in &subjects {
            loose.extend(looseness(kind, subject));
        }
        (loose, subjects)
    });
    let rank = |loose: &BTreeSet<LooseSubject>| {
        loose.iter().next().copied().map_or(9, |worst| worst as u8)
    };
    if let Some((loose, subjects)) = judged.max_by_key(|(loose, _)| rank(loose)) {
        let open = loose.contains(&LooseSubject::Leading) || loose.contains(&LooseSubject::Missing);
        found.strangers = shared && open;
        found.loose = loose;
        found.subjects = subjects;
        if found.loose.contains(&LooseSubject::Leading)
            || found.loose.contains(&LooseSubject::Wildcard)
        {
            other_claims(kind, issuer, statement, &mut found);
        }
    }
    found
}

fn key_is(key: &str, issuer: &str, claim: &str) -> bool {
    let key = key.to_ascii_lowercase();
    let Some((host, name)) = key.rsplit_once(':') else {
        return false;
    };
    name == claim && host == issuer.to_ascii_lowercase()
}

/// The operator without set prefix and `IfExists`: a claim that is always there needs neither.
fn plain(operator: &str) -> String {
    let lower = operator.to_ascii_lowercase();
    let rest = lower
        .strip_prefix("foranyvalue:")
        .or_else(|| lower.strip_prefix("forallvalues:"));
    let rest = rest.unwrap_or(&lower);
    rest.strip_suffix("ifexists").unwrap_or(rest).to_owned()
}

fn bound_values(issuer: &str, claim: &str, statement: &Statement) -> Vec<BTreeSet<String>> {
    statement
        .conditions
        .iter()
        .filter(|condition| key_is(&condition.key, issuer, claim))
        .filter_map(|condition| {
            let values = condition.values.iter();
            match plain(&condition.operator).as_str() {
                // Wildcards are plain letters here, and nobody has such a name.
                "stringequals" | "stringequalsignorecase" => Some(
                    values
                        .filter(|v| !v.contains(['*', '?']))
                        .cloned()
                        .collect(),
                ),
                "stringlike" | "arnlike" => Some(values.cloned().collect()),
                _ => None,
            }
        })
        .collect()
}

fn subject_bounds(issuer: &str, statement: &Statement) -> Vec<BTreeSet<String>> {
    bound_values(issuer, "sub", statement)
}

/// A Deny for every subject but some bounds like an Allow for those.
fn refused_others(issuer: &str, document: &Document) -> Vec<BTreeSet<String>> {
    document
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Deny && statement.conditions.len() == 1)
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| key_is(&condition.key, issuer, "sub"))
        .filter(|condition| {
            matches!(
                plain(&condition.operator).as_str(),
                "stringnotlike" | "stringnotequals"
            ) && !condition.operator.contains(':')
        })
        .map(|condition| condition.values.iter().cloned().collect())
        .collect()
}

/// Where the subject says nothing, claims of the provider's own may still name the tenant.
fn other_claims(kind: Provider, issuer: &str, statement: &Statement, found: &mut Federation) {
    let fixed = |claim: &str| {
        bound_values(issuer, claim, statement)
            .iter()
            .any(|values| values.iter().all(|value| !value.contains(['*', '?'])))
    };
    let tenant: &[&str] = match kind {
        Provider::GitHub => &[
            "repository_owner",
            "repository_owner_id",
            "enterprise_id",
            "enterprise",
            "repository",
            "repository_id",
        ],
        Provider::GitLab => &[
            "namespace_id",
            "namespace_path",
            "project_id",
            "project_path",
        ],
        Provider::TerraformCloud => &[
            "terraform_organization_id",
            "terraform_organization_name",
            "terraform_workspace_id",
        ],
        Provider::Google => &["aud", "email", "azp"],
        Provider::Other { .. } => &["aud", "app_id", "organization_id", "organization_slug"],
        _ => &[],
    };
    let exact: &[&str] = match kind {
        Provider::GitHub => &["job_workflow_ref", "actor_id"],
        Provider::Google => &["email"],
        _ => &[],
    };
    let place: &[&str] = match kind {
        Provider::GitHub => &["ref", "environment"],
        _ => &[],
    };
    let repository = fixed("repository") || fixed("repository_id");
    if exact.iter().any(|claim| fixed(claim))
        || (repository && place.iter().any(|claim| fixed(claim)))
    {
        found.loose.clear();
        found.strangers = false;
    } else if tenant.iter().any(|claim| fixed(claim)) {
        found.loose = BTreeSet::from([LooseSubject::Wildcard]);
        found.strangers = false;
    } else if found.loose.is_empty() {
        found.loose.insert(LooseSubject::Missing);
        found.strangers = found.shared_issuer;
    }
}

/// How one subject pattern is loose.
fn looseness(kind: Provider, subject: &str) -> BTreeSet<LooseSubject> {
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

/// Cognito vouches for the users of every pool of every account; the audience names the pool,
/// `amr` tells guests from users. Source: "Role trust and permissions", Amazon Cognito Developer
/// Guide.
fn cognito(issuer: &str, statement: &Statement, mut found: Federation) -> Federation {
    let pools = bound_values(issuer, "aud", statement);
    let fixed = pools
        .iter()
        .find(|values| values.iter().all(|value| !value.contains(['*', '?'])));
    match fixed {
        Some(pools) => found.subjects.extend(pools.iter().cloned()),
        None => {
            found.loose.insert(LooseSubject::Missing);
            found.strangers = true;
        }
    }
    let signed_in = bound_values(issuer, "amr", statement)
        .iter()
        .any(|values| !values.is_empty() && values.iter().all(|value| value == "authenticated"));
    if !signed_in {
        found.loose.insert(LooseSubject::Wildcard);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(issuer: &str, condition: &str) -> (bool, Vec<LooseSubject>) {
        let text = format!(
            r#"{{"Statement":[{{"Effect":"Allow","Principal":{{"Federated":"arn:aws:iam::111122223333:oidc-provider/{issuer}"}},"Action":"sts:AssumeRoleWithWebIdentity","Condition":{condition}}}]}}"#
        );
        let document = Document::parse(&text).unwrap();
        let provider = format!("arn:aws:iam::111122223333:oidc-provider/{issuer}");
        let found = federation(&provider, &document.statements[0], &document);
        (found.strangers, found.loose.into_iter().collect())
    }

    fn like(issuer: &str, subject: &str) -> (bool, Vec<LooseSubject>) {
        judge(
            issuer,
            &format!(r#"{{"StringLike":{{"{issuer}:sub":"{subject}"}}}}"#),
        )
    }

    const GITHUB: &str = "token.actions.githubusercontent.com";

    #[test]
    fn github_subjects_are_judged_by_owner_repository_and_ref() {
        use LooseSubject::*;
        for (subject, strangers, loose) in [
            ("*", true, vec![Leading]),
            ("repo:*", true, vec![Leading]),
            ("repo:acme*", true, vec![Leading]),
            ("repo:acme*/app:ref:refs/heads/main", true, vec![Leading]),
            ("*acme/app*", true, vec![Leading]),
            ("repo:acme/*", false, vec![Wildcard, PullRequest]),
            ("repo:acme/app*", false, vec![Wildcard, PullRequest]),
            ("repo:acme/app:*", false, vec![Wildcard, PullRequest]),
            ("repo:acme/app:pull_request", false, vec![PullRequest]),
            ("repo:acme/app:ref:refs/heads/*", false, vec![Wildcard]),
            ("repo:acme/app:ref:refs/heads/main", false, vec![]),
            ("repo:acme/app:ref:refs/heads/release-*", false, vec![]),
            ("repo:acme/app:environment:prod", false, vec![]),
        ] {
            assert_eq!(like(GITHUB, subject), (strangers, loose), "{subject}");
        }
    }

    #[test]
    fn no_subject_is_everybody_the_issuer_knows() {
        let aud =
            r#"{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com"}}"#;
        assert_eq!(judge(GITHUB, aud), (true, vec![LooseSubject::Missing]));
        assert_eq!(
            judge("oidc.eks.eu-central-1.amazonaws.com/id/ABC", "{}"),
            (false, vec![LooseSubject::Missing])
        );
        assert_eq!(
            judge("idp.acme.example", "{}"),
            (false, vec![LooseSubject::Missing])
        );
    }

    #[test]
    fn negated_and_literal_wildcards_bind_nobody_or_nothing() {
        let not = format!(r#"{{"StringNotLike":{{"{GITHUB}:sub":"repo:evil/*"}}}}"#);
        assert_eq!(judge(GITHUB, &not), (true, vec![LooseSubject::Missing]));
        let literal = format!(r#"{{"StringEquals":{{"{GITHUB}:sub":"repo:*"}}}}"#);
        assert_eq!(judge(GITHUB, &literal), (false, vec![]));
    }

    #[test]
    fn other_claims_may_name_the_tenant() {
        let id = format!(r#"{{"StringEquals":{{"{GITHUB}:repository_id":"123456"}}}}"#);
        assert_eq!(judge(GITHUB, &id), (false, vec![LooseSubject::Wildcard]));
        let exact = format!(
            r#"{{"StringEquals":{{"{GITHUB}:repository_id":"123456","{GITHUB}:ref":"refs/heads/main"}}}}"#
        );
        assert_eq!(judge(GITHUB, &exact), (false, vec![]));
    }

    #[test]
    fn other_providers_have_subjects_of_their_own() {
        use LooseSubject::*;
        for (issuer, subject, strangers, loose) in [
            ("gitlab.com", "project_path:acme/*", false, vec![Wildcard]),
            ("gitlab.com", "project_path:*", true, vec![Leading]),
            (
                "gitlab.com",
                "project_path:acme/app:ref_type:branch:ref:main",
                false,
                vec![],
            ),
            (
                "app.terraform.io",
                "organization:acme:*",
                false,
                vec![Wildcard],
            ),
            (
                "app.terraform.io",
                "organization:*:project:p:workspace:w:run_phase:*",
                true,
                vec![Leading],
            ),
            (
                "app.terraform.io",
                "organization:acme:project:p:workspace:w:run_phase:*",
                false,
                vec![],
            ),
            (
                "oidc.eks.eu-central-1.amazonaws.com/id/A",
                "system:serviceaccount:*:app",
                false,
                vec![Wildcard],
            ),
            (
                "oidc.eks.eu-central-1.amazonaws.com/id/A",
                "system:serviceaccount:ns:*",
                false,
                vec![Wildcard],
            ),
            (
                "oidc.eks.eu-central-1.amazonaws.com/id/A",
                "system:serviceaccount:ns:app",
                false,
                vec![],
            ),
            (
                "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
                "{1b2c}:*",
                false,
                vec![],
            ),
            (
                "api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
                "*",
                false,
                vec![Leading],
            ),
        ] {
            assert_eq!(
                like(issuer, subject),
                (strangers, loose),
                "{issuer} {subject}"
            );
        }
    }
}
