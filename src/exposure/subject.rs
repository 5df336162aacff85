//! Federated trusts: how much of an identity provider's world a trust lets in.
//!
//! A provider such as GitHub vouches for everybody who has an account there. What tells one
//! customer from the next is the subject claim, and how it is written differs per provider.
//! Source: "Configuring a role for OpenID Connect", IAM User Guide, and the providers' own
//! documentation of their subject claims, 2026-11.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy::document::{Condition, Document, Effect, Statement};

use super::provider::{Provider, looseness, provider};

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

/// Judges a statement that trusts an OIDC provider.
pub(crate) fn federation(name: &str, statement: &Statement, document: &Document) -> Federation {
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
        .filter(|statement| {
            let mut all = statement.conditions.iter();
            statement.effect == Effect::Deny
                && all.all(|condition| key_is(&condition.key, issuer, "sub"))
                && statement.conditions.iter().filter(|c| !is_there(c)).count() == 1
        })
        .flat_map(|statement| &statement.conditions)
        .filter(|condition| {
            matches!(
                plain(&condition.operator).as_str(),
                "stringnotlike" | "stringnotequals"
            ) && !condition.operator.contains(':')
        })
        .map(|condition| condition.values.iter().cloned().collect())
        .collect()
}

/// Whether a condition asks for nothing but that the claim is there, as it always is.
fn is_there(condition: &Condition) -> bool {
    plain(&condition.operator) == "null"
        && condition
            .values
            .iter()
            .all(|value| value.eq_ignore_ascii_case("false"))
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
