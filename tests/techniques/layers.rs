//! The layers of a decision: where one applies, it stops a technique; where it does not, the
//! technique goes on.

use std::collections::BTreeSet;

use palisade_checks::technique::{Kind, Selector, Source};
use palisade_model::{
    Arn, ManagedPolicy, Observed, OrgPolicy, OrgPolicyKind, Organization, PolicyText, Snapshot,
};
use serde_json::{Value, json};

use super::stage::{HOME, Stage};
use super::{each, label, reached};

/// Another account of the organization.
const OTHER: &str = "222233334444";

/// The services whose resources an RCP may speak of, among those of the techniques.
///
/// Source: "Resource control policies (RCPs)", Organizations User Guide.
const UNDER_RCP: [&str; 6] = ["ecr", "kms", "s3", "secretsmanager", "sqs", "sts"];

fn deny(actions: &BTreeSet<String>) -> Value {
    json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": actions, "Resource": "*"}]})
}

fn deny_everybody(actions: &BTreeSet<String>) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Principal": "*", "Action": actions, "Resource": "*"}]})
}

/// Everything that is asked of `$self`.
fn actions(stage: &Stage<'_>) -> BTreeSet<String> {
    stage.requires.iter().map(|r| r.action.clone()).collect()
}

/// Puts the account into an organization that `manager` runs, under this policy.
fn under(snapshot: &mut Snapshot, kind: OrgPolicyKind, document: Value, manager: &str) {
    let full = json!({"Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let policy = |kind, document: Value| OrgPolicy {
        kind,
        document: Observed::Value(document.into()),
        ..OrgPolicy::default()
    };
    let member = || palisade_model::OrgAccount {
        parent: "r-root".to_owned(),
        status: "ACTIVE".to_owned(),
        ..Default::default()
    };
    let everywhere = || vec!["p-FullAWSAccess".to_owned()];
    let mut here = everywhere();
    here.push("p-deny".to_owned());
    let attached = [("r-root".to_owned(), everywhere()), (HOME.to_owned(), here)];
    let types = ["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"].map(str::to_owned);
    snapshot.organization = Observed::Value(Organization {
        id: "o-palisade00".to_owned(),
        management_account: manager.to_owned(),
        feature_set: "ALL".to_owned(),
        root: Observed::Value("r-root".to_owned()),
        enabled_policy_types: Observed::Value(types.to_vec()),
        units: Observed::Value(Default::default()),
        accounts: Observed::Value(
            [(HOME.to_owned(), member()), (OTHER.to_owned(), member())].into(),
        ),
        policies: Observed::Value(
            [
                (
                    "p-FullAWSAccess".to_owned(),
                    policy(OrgPolicyKind::Scp, full),
                ),
                ("p-deny".to_owned(), policy(kind, document)),
            ]
            .into(),
        ),
        attachments: Observed::Value(attached.into()),
        ..Organization::default()
    });
}

#[test]
fn an_scp_stops_it_in_a_member_account_and_not_in_the_management_account() {
    each(300, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() || technique.unread.is_some() {
            return 0;
        }
        stage.grant(None);
        let denied = deny(&actions(&stage));
        let mut member = stage.snapshot.clone();
        under(&mut member, OrgPolicyKind::Scp, denied.clone(), OTHER);
        if reached(&member, technique).1 {
            faults.push(format!("{} under an SCP", label(technique, choice)));
        }
        under(&mut stage.snapshot, OrgPolicyKind::Scp, denied, HOME);
        if !reached(&stage.snapshot, technique).0 {
            let label = label(technique, choice);
            faults.push(format!("{label} in the management account"));
        }
        2
    });
}

#[test]
fn one_action_denied_by_an_scp_is_enough() {
    each(500, |technique, choice, faults| {
        let mut tried = 0;
        for action in actions(&Stage::new(technique, choice)) {
            let mut stage = Stage::new(technique, choice);
            if super::ways::another_way_without(technique, choice, &action) {
                continue;
            }
            stage.grant(None);
            let denied = deny(&[action.clone()].into());
            under(&mut stage.snapshot, OrgPolicyKind::Scp, denied, OTHER);
            if reached(&stage.snapshot, technique).1 {
                faults.push(format!("{}: {action}", label(technique, choice)));
            }
            tried += 1;
        }
        tried
    });
}

#[test]
fn an_scp_does_not_hold_whoever_comes_from_outside() {
    each(15, |technique, choice, faults| {
        let outside = matches!(
            technique.yields.from,
            Source::Internet | Source::AnyAccount | Source::Account(_) | Source::Tenants
        );
        let mut stage = Stage::new(technique, choice);
        if !outside || !stage.requires.is_empty() {
            return 0;
        }
        let everything = deny(&["*".to_owned()].into());
        under(&mut stage.snapshot, OrgPolicyKind::Scp, everything, OTHER);
        if !reached(&stage.snapshot, technique).0 {
            faults.push(label(technique, choice));
        }
        1
    });
}

#[test]
fn an_rcp_stops_it_on_resources_of_a_member_account_and_not_of_the_management_account() {
    each(40, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        let held = stage.requires.iter().filter(|required| {
            let service = required.action.split(':').next().unwrap_or_default();
            UNDER_RCP.contains(&service) && required.takes_resource()
        });
        let held: BTreeSet<String> = held.map(|required| required.action.clone()).collect();
        if held.is_empty() || technique.unread.is_some() {
            return 0;
        }
        stage.grant(None);
        let denied = deny_everybody(&held);
        let mut member = stage.snapshot.clone();
        under(&mut member, OrgPolicyKind::Rcp, denied.clone(), OTHER);
        if reached(&member, technique).1 {
            faults.push(format!("{} under an RCP", label(technique, choice)));
        }
        under(&mut stage.snapshot, OrgPolicyKind::Rcp, denied, HOME);
        if !reached(&stage.snapshot, technique).0 {
            let label = label(technique, choice);
            faults.push(format!("{label} on resources of the management account"));
        }
        2
    });
}

#[test]
fn an_explicit_deny_stops_it() {
    each(300, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() {
            return 0;
        }
        stage.grant(None);
        let policy = [("denied".to_owned(), deny(&actions(&stage)).into())];
        if stage.acts_as_role() {
            stage.role("self").inline.extend(policy);
        } else {
            stage.user("self").inline.extend(policy);
        }
        // Who sheds its own denies is stopped like anybody else: the deny holds the shedding.
        if reached(&stage.snapshot, technique).1 {
            faults.push(label(technique, choice));
        }
        1
    });
}

/// Gives `$self` a boundary, or another one.
fn bound_by(stage: &mut Stage<'_>, document: Value) {
    let arn = Arn::new(format!("arn:aws:iam::{HOME}:policy/fence"));
    let policy = ManagedPolicy {
        name: "fence".to_owned(),
        default_version: "v1".to_owned(),
        versions: [("v1".to_owned(), PolicyText::from(document))].into(),
    };
    let policies = stage.account().iam.policies.value_mut().expect("read");
    policies.insert(arn.clone(), policy);
    if stage.acts_as_role() {
        stage.role("self").boundary = Observed::Value(arn);
    } else {
        stage.user("self").boundary = Observed::Value(arn);
    }
}

#[test]
fn a_deny_in_the_boundary_stops_it() {
    each(300, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() {
            return 0;
        }
        stage.grant(None);
        let mut document = deny(&actions(&stage));
        document["Statement"]
            .as_array_mut()
            .expect("a list")
            .push(json!({"Effect": "Allow", "Action": "*", "Resource": "*"}));
        bound_by(&mut stage, document);
        if reached(&stage.snapshot, technique).1 {
            faults.push(label(technique, choice));
        }
        1
    });
}

/// Whether a trust policy grants all of it to `$self` by name. To a user that grant passes the
/// boundary by; to a role it does not.
///
/// Source: "Permissions boundaries for IAM entities", IAM User Guide.
fn granted_by_trust(stage: &Stage<'_>) -> bool {
    stage.requires.iter().all(|required| {
        let existing = matches!(required.on.selector, Selector::Var(_) | Selector::Target);
        let assumes = ["sts:AssumeRole", "sts:TagSession"].contains(&required.action.as_str());
        assumes && required.on.kind == Kind::ROLE && existing
    })
}

#[test]
fn a_boundary_that_does_not_allow_it_stops_it_unless_the_grant_passes_it_by() {
    each(300, |technique, choice, faults| {
        let mut stage = Stage::new(technique, choice);
        if stage.requires.is_empty() || technique.unread.is_some() {
            return 0;
        }
        stage.grant(None);
        let nothing = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "cloudwatch:GetDashboard", "Resource": "*"}]});
        bound_by(&mut stage, nothing);
        let stays = granted_by_trust(&stage) && !stage.acts_as_role();
        if reached(&stage.snapshot, technique).0 != stays {
            let word = if stays { "should stay" } else { "stays" };
            faults.push(format!("{} {word}", label(technique, choice)));
        }
        1
    });
}
