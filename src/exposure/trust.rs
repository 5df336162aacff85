//! Roles whose trust policy lets outsiders in: anybody, foreign accounts, identity providers.
//!
//! Source: "How to use trust policies with IAM roles", AWS Security Blog, and "IAM roles", IAM
//! User Guide. `sts:AssumeRole` is always signed, so a trust in everybody is a trust in every
//! AWS account; the federated calls are not signed and rest on the trust policy alone.

use std::collections::BTreeSet;

use palisade_model::{Arn, Observed, Role};
use serde::{Deserialize, Serialize};

use crate::policy::Interner;
use crate::policy::document::{Document, Effect, PrincipalKind, Statement};

use super::audience::{Audience, Verdict};
use super::resource::{Question, judge};
use super::subject::{Federation, federation};
use super::surroundings::Surroundings;

/// What is known of the outsiders a role trusts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrustExposure {
    /// The role.
    pub role: Arn,
    /// Who may assume it with an AWS identity from outside.
    pub assume: Verdict,
    /// Statements of `assume` that ask for an external ID: the caller must know it, though it
    /// is no secret. Source: "The confused deputy problem", IAM User Guide.
    pub external_id: BTreeSet<String>,
    /// Who may come by way of an identity provider, by statement.
    pub federations: Vec<FederatedDoor>,
}

/// A statement that trusts an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FederatedDoor {
    /// How people refer to the statement.
    pub statement: String,
    /// As written.
    pub quote: String,
    /// The provider speaks SAML: its own rules say who comes in, and nothing here does.
    pub saml: bool,
    /// Whom it lets in.
    pub federation: Federation,
    /// Whether the door is surely open; otherwise something unread decides.
    pub proven: bool,
}

impl TrustExposure {
    /// Whether anybody in the world can get in, with an AWS account or an account at a shared
    /// identity provider. `None`: what was not read decides.
    pub fn is_open_to_strangers(&self) -> Option<bool> {
        let everybody = self.assume.is(Audience::is_everybody);
        let strange = self
            .federations
            .iter()
            .filter(|door| door.federation.strangers);
        let federated: Vec<bool> = strange.map(|door| door.proven).collect();
        if everybody == Some(true) || federated.contains(&true) {
            Some(true)
        } else if everybody.is_none() || !federated.is_empty() {
            None
        } else {
            Some(false)
        }
    }
}

/// Judges the trust policy of one role.
pub(super) fn trust(
    account: &str,
    role: &Role,
    around: &Surroundings<'_>,
    compiled: &mut Interner,
) -> TrustExposure {
    let policy = Observed::Value(role.trust.clone());
    let mut ask = |actions: &[&'static str], signed_only| {
        let question = Question {
            arn: &role.arn,
            account,
            policy: &policy,
            read_by: "iam:GetRole",
            actions,
            signed_only,
            fixed: &[],
        };
        judge(&question, around, compiled)
    };
    let assume = ask(&["sts:AssumeRole"], true);
    let federated = ask(
        &["sts:AssumeRoleWithWebIdentity", "sts:AssumeRoleWithSAML"],
        false,
    );
    let document = Document::parse(role.trust.as_str()).ok();
    let statements = document.iter().flat_map(|document| &document.statements);
    let external_id = statements
        .clone()
        .filter(|statement| asks_for_external_id(statement))
        .map(Statement::label)
        .collect();
    let mut federations = Vec::new();
    if let Some(document) = &document {
        for statement in statements {
            federations.extend(doors(statement, document, &federated));
        }
    }
    TrustExposure {
        role: role.arn.clone(),
        assume,
        external_id,
        federations,
    }
}

fn asks_for_external_id(statement: &Statement) -> bool {
    statement.effect == Effect::Allow
        && statement.conditions.iter().any(|condition| {
            let operator = condition.operator.to_ascii_lowercase();
            condition.key.eq_ignore_ascii_case("sts:ExternalId")
                && matches!(
                    operator.as_str(),
                    "stringequals" | "stringlike" | "stringequalsignorecase"
                )
                && condition
                    .values
                    .iter()
                    .all(|value| !value.trim_matches(['*', '?']).is_empty())
        })
}

/// The identity providers a statement lets in, as far as nothing else refuses them.
fn doors(statement: &Statement, document: &Document, verdict: &Verdict) -> Vec<FederatedDoor> {
    use super::audience::Path;
    let by = |openings: &[super::audience::Opening]| {
        openings.iter().any(|opening| {
            matches!(&opening.path, Path::Policy { statement: label, .. } if *label == statement.label())
        })
    };
    let proven = by(verdict.proven());
    if statement.effect != Effect::Allow || !(proven || by(&verdict.openings)) {
        return Vec::new();
    }
    let named = statement.principal.iter().flatten();
    named
        .filter(|name| name.kind == PrincipalKind::Federated)
        .map(|name| {
            let saml = name.value.contains(":saml-provider/");
            let federation = if saml {
                Federation {
                    provider: name.value.clone(),
                    ..Federation::default()
                }
            } else {
                federation(&name.value, statement, document)
            };
            FederatedDoor {
                statement: statement.label(),
                quote: document.quote(statement).to_owned(),
                saml,
                federation,
                proven,
            }
        })
        .collect()
}
