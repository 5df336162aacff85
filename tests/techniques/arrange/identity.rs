//! What principals hold: policies, boundaries, keys, and what their conditions ask.

use palisade_checks::technique::{Comparison, Counted, DenySource, Kind, ResourceRef, Selector};
use palisade_model::{AccessKey, Arn, KeyStatus, Observed, PolicyText, Time};
use serde_json::json;

use super::name_of;
use crate::techniques::stage::{Stage, allow};

pub(super) fn gated(stage: &mut Stage<'_>, key: &str, of: &ResourceRef, wanted: bool) -> bool {
    let (key, value) = match key.strip_suffix('*') {
        Some(family) => (format!("{family}team"), "blue"),
        None => (key.to_owned(), "true"),
    };
    let mut statement = json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"});
    if wanted {
        statement["Condition"] = json!({"StringEquals": {key: value}});
    }
    let policy: PolicyText = json!({"Version": "2012-10-17", "Statement": [statement]}).into();
    let name = name_of(of);
    let inline = match stage.arns[&name].resource().starts_with("role/") {
        true => &mut stage.role(&name).inline,
        false => &mut stage.user(&name).inline,
    };
    inline.insert("gated".to_owned(), policy);
    true
}

/// A Deny that the tag brings about.
pub(super) fn held_by_tag(
    stage: &mut Stage<'_>,
    key: &str,
    of: &ResourceRef,
    wanted: bool,
) -> bool {
    let key = key.replace('*', "team");
    let deny = json!({"Effect": if wanted { "Deny" } else { "Allow" }, "Action": "dynamodb:*",
        "Resource": "*", "Condition": {"StringEquals": {key: "blue"}}});
    let allow = json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"});
    let policy: PolicyText = json!({"Version": "2012-10-17", "Statement": [allow, deny]}).into();
    inline(stage, of).insert("held".to_owned(), policy);
    true
}

/// The inline policies of a principal.
fn inline<'s>(
    stage: &'s mut Stage<'_>,
    of: &ResourceRef,
) -> &'s mut std::collections::BTreeMap<String, PolicyText> {
    let name = name_of(of);
    match stage.arns[&name].resource().starts_with("role/") {
        true => &mut stage.role(&name).inline,
        false => &mut stage.user(&name).inline,
    }
}

pub(super) fn attached(
    stage: &mut Stage<'_>,
    policy: &ResourceRef,
    to: &ResourceRef,
    wanted: bool,
) -> bool {
    let arn = match &policy.selector {
        Selector::Named(arn) => Arn::from(arn.as_str()),
        _ => stage.arns[&name_of(policy)].clone(),
    };
    let name = name_of(to);
    let role = stage.arns[&name].resource().starts_with("role/");
    let list = if role {
        &mut stage.role(&name).attached
    } else {
        &mut stage.user(&name).attached
    };
    list.retain(|own| *own != arn);
    list.extend(wanted.then_some(arn));
    true
}

pub(super) fn boundary(stage: &mut Stage<'_>, of: &ResourceRef, arn: Option<Arn>) -> bool {
    let name = name_of(of);
    let seen = arn.map_or(Observed::Absent, Observed::Value);
    if stage.arns[&name].resource().starts_with("role/") {
        stage.role(&name).boundary = seen;
    } else {
        stage.user(&name).boundary = seen;
    }
    true
}

/// The boundary allows what the technique needs, and the identity policies allow more.
pub(super) fn boundary_limits(stage: &mut Stage<'_>, of: &ResourceRef, wanted: bool) -> bool {
    let name = name_of(of);
    let role = stage.arns[&name].resource().starts_with("role/");
    let set = if role {
        stage.role(&name).boundary.clone()
    } else {
        stage.user(&name).boundary.clone()
    };
    let Observed::Value(boundary) = set else {
        return false;
    };
    let actions: Vec<&str> = stage
        .requires
        .iter()
        .map(|required| required.action.as_str())
        .collect();
    let narrow: PolicyText = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": "*"}]})
    .into();
    let policies = stage.account().iam.policies.value_mut().expect("read");
    let policy = policies
        .get_mut(&boundary)
        .expect("the boundary is on stage");
    policy
        .versions
        .insert("v1".to_owned(), if wanted { narrow } else { allow("*") });
    let extra = [("extra".to_owned(), allow("dynamodb:*"))];
    if role {
        stage.role(&name).inline.extend(extra);
    } else {
        stage.user(&name).inline.extend(extra);
    }
    true
}

pub(super) fn keys(stage: &mut Stage<'_>, user: &str, count: usize, status: KeyStatus) {
    let key = |n: usize| AccessKey {
        id: format!("{}{user}{n}", ["AK", "IA"].concat()),
        status,
        created: Some(Time(1_793_400_000)),
    };
    stage.user(user).access_keys = Observed::Value((0..count).map(key).collect());
}

pub(super) fn count(
    stage: &mut Stage<'_>,
    what: Counted,
    of: &ResourceRef,
    test: Comparison,
    wanted: bool,
) -> bool {
    let number = match (test, wanted) {
        (Comparison::Less(n), true) | (Comparison::Equal(n) | Comparison::AtLeast(n), true) => {
            if matches!(test, Comparison::Less(_)) {
                n - 1
            } else {
                n
            }
        }
        (Comparison::More(n), true) => n + 1,
        (Comparison::Less(n) | Comparison::More(n), false) => n,
        (Comparison::AtLeast(n), false) => n - 1,
        (Comparison::Equal(n), false) => n + 1,
    };
    let number = number.max(0) as usize;
    let name = name_of(of);
    match what {
        Counted::AccessKeys | Counted::ActiveKeys => keys(stage, &name, number, KeyStatus::Active),
        Counted::InactiveKeys => keys(stage, &name, number, KeyStatus::Inactive),
        Counted::MfaDevices => {
            let devices = (0..number).map(|n| format!("device-{n}")).collect();
            stage.user(&name).mfa_devices = Observed::Value(devices);
        }
        Counted::ServiceCredentials => {
            stage.user(&name).service_credentials = Observed::Value(number as u64);
        }
        Counted::SshKeys => stage.user(&name).ssh_keys = Observed::Value(number as u64),
        Counted::Versions => {
            let arn = stage.arns[&name].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let versions = &mut policies.get_mut(&arn).expect("on stage").versions;
            for n in 2..=number {
                versions
                    .entry(format!("v{n}"))
                    .or_insert_with(|| allow("dynamodb:Get*"));
            }
        }
        Counted::Groups | Counted::AttachedPolicies => return wanted,
    }
    true
}

pub(super) fn broader(stage: &mut Stage<'_>, what: &ResourceRef, wanted: bool) -> bool {
    let name = name_of(what);
    let text = if wanted {
        allow("*")
    } else {
        PolicyText::default()
    };
    match what.kind {
        Kind::GROUP => {
            let groups = stage.account().iam.groups.value_mut().expect("read");
            let group = groups.get_mut(&name).expect("on stage");
            group.inline.insert("gives".to_owned(), text);
        }
        Kind::POLICY => {
            let arn = stage.arns[&name].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            let policy = policies.get_mut(&arn).expect("on stage");
            policy.versions.insert("v1".to_owned(), text);
        }
        _ => {
            let found = stage
                .listing(what.kind.name())
                .get_mut(&name)
                .expect("on stage");
            let policy = Observed::Value(text.as_str().into());
            found.attributes.insert("inline_policy".to_owned(), policy);
            found
                .attributes
                .insert("managed_policies".to_owned(), Observed::Absent);
        }
    }
    true
}

pub(super) fn deny(
    stage: &mut Stage<'_>,
    source: &DenySource,
    of: &ResourceRef,
    wanted: bool,
) -> bool {
    let text: PolicyText = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": if wanted { "Deny" } else { "Allow" }, "Action": "dynamodb:*", "Resource": "*"}]})
    .into();
    let name = name_of(of);
    let role = stage.arns[&name].resource().starts_with("role/");
    let extra = [("extra".to_owned(), allow("dynamodb:*"))];
    let inline = if role {
        &mut stage.role(&name).inline
    } else {
        &mut stage.user(&name).inline
    };
    inline.extend(extra);
    match source {
        DenySource::Inline => drop(inline.insert("denies".to_owned(), text)),
        DenySource::Group(group) => {
            let groups = stage.account().iam.groups.value_mut().expect("read");
            let group = groups.get_mut(&name_of(group)).expect("on stage");
            group.inline.insert("denies".to_owned(), text);
        }
        DenySource::Policy(policy) => {
            let arn = stage.arns[&name_of(policy)].clone();
            let policies = stage.account().iam.policies.value_mut().expect("read");
            policies
                .get_mut(&arn)
                .expect("on stage")
                .versions
                .insert("v1".to_owned(), text);
        }
        DenySource::Managed => return false,
    }
    true
}
