//! Whom roles trust.

use palisade_checks::technique::{Federated, ResourceRef, Subject, Trusted};
use palisade_model::PolicyText;
use serde_json::{Value, json};

use super::name_of;
use crate::techniques::stage::{HOME, STRANGER, Stage};

pub(super) fn trusts(
    stage: &mut Stage<'_>,
    role: &ResourceRef,
    who: &Trusted,
    wanted: bool,
) -> bool {
    if let Trusted::Federated(Federated::Host(host)) = who
        && !wanted
        && !stage
            .role(&name_of(role))
            .trust
            .as_str()
            .contains(host.trim_matches('*'))
    {
        return true;
    }
    let (principal, action) = match who {
        Trusted::Service(name) if name == "*" => (
            json!({"Service": "cloudtrail.amazonaws.com"}),
            "sts:AssumeRole",
        ),
        Trusted::Service(name) => (json!({"Service": name}), "sts:AssumeRole"),
        Trusted::Account(_) => (json!({"AWS": STRANGER}), "sts:AssumeRole"),
        Trusted::Federated(Federated::Host(host)) => {
            let mut name = host.replace('*', "x");
            // Cognito needs no provider in the account.
            if name != "cognito-identity.amazonaws.com" {
                name = format!("arn:aws:iam::{HOME}:oidc-provider/{name}");
            }
            (json!({"Federated": name}), "sts:AssumeRoleWithWebIdentity")
        }
        Trusted::Federated(Federated::Provider(provider)) => {
            let arn = stage.arns[&name_of(provider)].to_string();
            let saml = provider.kind.name() == "saml-provider";
            let action = if saml {
                "sts:AssumeRoleWithSAML"
            } else {
                "sts:AssumeRoleWithWebIdentity"
            };
            (json!({"Federated": arn}), action)
        }
        Trusted::Principal(_) => return false,
    };
    trust_of(stage, role, principal, action, wanted)
}

pub(super) fn trust_of(
    stage: &mut Stage<'_>,
    role: &ResourceRef,
    principal: Value,
    action: &str,
    wanted: bool,
) -> bool {
    let name = name_of(role);
    if wanted {
        stage.trust(
            &name,
            json!({"Effect": "Allow", "Principal": principal, "Action": action}),
        );
    } else {
        stage.role(&name).trust = PolicyText::default();
    }
    true
}

pub(super) fn loose(
    stage: &mut Stage<'_>,
    role: &ResourceRef,
    cases: &[Subject],
    wanted: bool,
) -> bool {
    let name = name_of(role);
    if cases.contains(&Subject::AnyAssertion) {
        if wanted {
            return true;
        }
        let role = stage.role(&name);
        let mut document: Value = serde_json::from_str(role.trust.as_str()).expect("JSON");
        let aud = json!({"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}});
        for statement in document["Statement"].as_array_mut().expect("a list") {
            statement["Condition"] = aud.clone();
        }
        role.trust = document.into();
        return true;
    }
    let subject = match (wanted, cases.contains(&Subject::Missing)) {
        (true, true) => return true,
        (true, false) => "repo:octo/*",
        (false, _) => "repo:octo/app:ref:refs/heads/main",
    };
    let role = stage.role(&name);
    let mut document: Value = serde_json::from_str(role.trust.as_str()).expect("JSON");
    for statement in document["Statement"].as_array_mut().expect("a list") {
        let provider = statement["Principal"]["Federated"]
            .as_str()
            .unwrap_or_default();
        let host = provider
            .split_once("-provider/")
            .map_or(provider, |(_, host)| host);
        let subject = match host.starts_with("oidc.eks.") {
            true => subject.replace("repo:octo/", "system:serviceaccount:octo:"),
            false => subject.to_owned(),
        };
        let key = format!("{host}:sub");
        statement["Condition"] = json!({"StringLike": {key: subject}});
    }
    role.trust = document.into();
    true
}

/// The trust policy is there already; it shuts a pool out by naming another.
pub(super) fn pool_trust(stage: &mut Stage<'_>, role: &ResourceRef, wanted: bool) -> bool {
    if wanted {
        return true;
    }
    let role = stage.role(&name_of(role));
    let mut document: Value = serde_json::from_str(role.trust.as_str()).expect("JSON");
    for statement in document["Statement"].as_array_mut().expect("a list") {
        statement["Condition"] =
            json!({"StringEquals": {"cognito-identity.amazonaws.com:aud": "us-east-1:other"}});
    }
    role.trust = document.into();
    true
}
