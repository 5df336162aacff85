//! The SCPs that Palisade writes, whatever the organization looks like: they fit, they attach,
//! and with them in place nobody but the exempted can do what they cover.

use std::collections::{BTreeMap, BTreeSet};

use palisade::fix::scp::{self, Written};
use palisade::policy::{Context, Decision, Document, Engine};
use palisade_checks::{scp_limits, tamper};
use palisade_mocks::World;
use palisade_model::{
    Arn, Observed, OrgAccount, OrgPolicy, OrgPolicyKind, OrganizationalUnit, PolicyText, Role,
    Snapshot,
};

const MEMBER: &str = "533333333303";
const KEEPER: &str = "arn:aws:iam::*:role/security/keeper";
const FULL: &str = "p-FullAWSAccess";

fn dark() -> Snapshot {
    World::load("security-dark")
        .expect("the world loads")
        .snapshot()
        .clone()
}

/// An organization with a unit for each list of accounts, each account a copy of the member
/// with a keeper, and so many SCPs attached already to each target.
fn estate(units: &[usize], attached: impl Fn(&str) -> usize) -> Snapshot {
    let mut snapshot = dark();
    let member = snapshot.accounts.remove(MEMBER).expect("the member");
    let organization = snapshot.organization.value_mut().expect("an organization");
    let root = organization.root.value().expect("a root").clone();
    let mut accounts: BTreeMap<String, OrgAccount> = BTreeMap::new();
    let listed = organization.accounts.value().expect("accounts").clone();
    let mut targets = vec![root.clone()];
    let mut found = BTreeMap::new();
    for (number, size) in units.iter().enumerate() {
        let unit = format!("ou-test-{number:08}");
        targets.push(unit.clone());
        let facts = OrganizationalUnit {
            name: format!("unit {number}"),
            parent: root.clone(),
        };
        found.insert(unit.clone(), facts);
        for place in 0..*size {
            let id = format!("{:012}", 600_000_000_000 + number * 100 + place);
            targets.push(id.clone());
            accounts.insert(
                id.clone(),
                OrgAccount {
                    parent: unit.clone(),
                    ..listed[MEMBER].clone()
                },
            );
        }
    }
    organization.units = Observed::Value(found);
    let mut policies = BTreeMap::new();
    let mut attachments: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for target in targets {
        let own = attachments.entry(target.clone()).or_default();
        own.push(FULL.to_owned());
        for number in 1..attached(&target) {
            let id = format!("p-{target}-{number}");
            own.push(id.clone());
            policies.insert(id, harmless());
        }
    }
    organization.policies = Observed::Value(policies);
    organization.attachments = Observed::Value(attachments);
    let types = vec!["SERVICE_CONTROL_POLICY".to_owned()];
    organization.enabled_policy_types = Observed::Value(types);
    let ids: Vec<String> = accounts.keys().cloned().collect();
    let kept = organization.management_account.clone();
    accounts.extend(listed.into_iter().filter(|(id, _)| *id == kept));
    organization.accounts = Observed::Value(accounts);
    for id in ids {
        let text = serde_json::to_string(&member).expect("it serialises");
        let mut copy: palisade_model::Account =
            serde_json::from_str(&text.replace(MEMBER, &id)).expect("it reads back");
        let keeper = Role {
            arn: KEEPER.replace('*', &id).as_str().into(),
            trust: PolicyText::new(format!(
                r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{kept}:root"}},"Action":"sts:AssumeRole"}}]}}"#
            )),
            inline: [("all".to_owned(), everything())].into(),
            ..Role::default()
        };
        copy.iam.roles = Observed::Value([("keeper".to_owned(), keeper)].into());
        snapshot.accounts.insert(id, copy);
    }
    snapshot
}

fn everything() -> PolicyText {
    PolicyText::new(
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    )
}

fn harmless() -> OrgPolicy {
    OrgPolicy {
        name: "Harmless".into(),
        kind: OrgPolicyKind::Scp,
        aws_managed: false,
        document: Observed::Value(PolicyText::new(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ec2:RunInstances","Resource":"arn:aws:ec2:*:*:instance/none"}]}"#,
        )),
    }
}

fn write(snapshot: &Snapshot, exempt: &[&str]) -> Written {
    let exempt: Vec<String> = exempt.iter().map(|arn| (*arn).to_owned()).collect();
    scp::write(snapshot, &exempt, &BTreeSet::new()).expect("there is an organization")
}

/// The snapshot with everything attached as the plan says, and nothing beyond the limits.
fn attach(snapshot: &Snapshot, written: &Written) -> Snapshot {
    let mut after = snapshot.clone();
    let organization = after.organization.value_mut().expect("an organization");
    let policies = organization.policies.value_mut().expect("policies");
    let attachments = organization.attachments.value_mut().expect("attachments");
    for (number, document) in written.documents.iter().enumerate() {
        let id = format!("p-new-{number}");
        let policy = OrgPolicy {
            name: document.name.clone(),
            document: Observed::Value(PolicyText::new(document.json.as_str())),
            ..harmless()
        };
        policies.insert(id.clone(), policy);
        for target in &written.attach_to {
            attachments
                .entry(target.id.clone())
                .or_default()
                .push(id.clone());
        }
    }
    for (target, list) in attachments.iter() {
        let most = scp_limits().raised.policies_per_target;
        assert!(list.len() <= most, "{target} holds {} SCPs", list.len());
    }
    after
}

/// Every plain tamper action, asked of every principal of every member.
fn check(snapshot: &Snapshot, written: &Written, exempt: bool) {
    for document in &written.documents {
        let length = document.json.chars().count();
        assert!(length <= scp_limits().document_characters, "{length}");
        serde_json::from_str::<serde_json::Value>(&document.json).expect("valid JSON");
        Document::parse(&document.json).expect("a policy");
    }
    let after = attach(snapshot, written);
    let (before, engine) = (Engine::new(snapshot), Engine::new(&after));
    let left: BTreeSet<&str> = written.left_out.keys().map(String::as_str).collect();
    let (mut denied, mut let_through) = (0, 0);
    for id in after.accounts.keys().filter(|id| id.starts_with('6')) {
        let names = [
            format!("arn:aws:iam::{id}:user/someone"),
            KEEPER.replace('*', id),
        ];
        for row in tamper()
            .iter()
            .filter(|group| !group.optional)
            .flat_map(|g| &g.actions)
        {
            let plain = row.only_on.is_none() && row.when.is_empty();
            let callable = row.caller == palisade_checks::Caller::Any && row.retired.is_none();
            if !plain || !callable || left.contains(row.action.as_str()) {
                continue;
            }
            for region in ["us-east-1", "eu-central-1", "sa-east-1"] {
                let mut context = Context::open();
                context.set("aws:RequestedRegion", region);
                let may =
                    |engine: &Engine, who: &str| engine.decide(who, &row.action, "*", &context);
                let now = may(&engine, &names[0]);
                assert!(
                    now.is_denied(),
                    "{} by {} in {region}: {now:?}",
                    row.action,
                    names[0]
                );
                denied += 1;
                let keeper = may(&engine, &names[1]);
                assert_eq!(!exempt, keeper.is_denied(), "{}: {keeper:?}", row.action);
                let_through += usize::from(keeper.is_allowed());
                assert!(
                    matches!(may(&before, &names[0]), Decision::Allowed(_)),
                    "{}",
                    row.action
                );
            }
        }
    }
    assert!(denied > 300, "{denied}");
    assert_eq!(let_through > 0, exempt);
}

#[test]
fn everybody_is_denied_everything_that_is_covered() {
    for units in [&[1][..], &[2, 3], &[1, 1, 1]] {
        let snapshot = estate(units, |_| 1);
        let written = write(&snapshot, &[]);
        assert_eq!(written.still_open, Vec::<String>::new());
        assert_eq!(written.problems, Vec::<String>::new());
        check(&snapshot, &written, false);
    }
}

#[test]
fn the_same_role_of_every_account_may_be_exempt_and_nobody_else_becomes_it() {
    let snapshot = estate(&[2, 1], |_| 1);
    let written = write(&snapshot, &[KEEPER]);
    assert_eq!(written.still_open, Vec::<String>::new());
    check(&snapshot, &written, true);
    let after = attach(&snapshot, &written);
    let engine = Engine::new(&after);
    for id in after.accounts.keys().filter(|id| id.starts_with('6')) {
        let (someone, keeper) = (
            format!("arn:aws:iam::{id}:user/someone"),
            KEEPER.replace('*', id),
        );
        for action in [
            "iam:UpdateAssumeRolePolicy",
            "iam:CreateRole",
            "iam:PassRole",
            "iam:TagRole",
        ] {
            let decision = engine.decide(&someone, action, &keeper, &Context::open());
            assert!(decision.is_denied(), "{action}: {decision:?}");
        }
    }
}

#[test]
fn what_is_attached_already_leaves_only_so_much_room() {
    let most = scp_limits().policies_per_target;
    let needed = write(&estate(&[2, 2], |_| 1), &[]).documents.len();
    assert!(needed < most, "{needed}");
    for taken in 1..=most {
        // The root is as full as that; the units below it are not.
        let snapshot = estate(
            &[2, 2],
            |target| if target.starts_with("r-") { taken } else { 1 },
        );
        let written = write(&snapshot, &[]);
        let fits = taken + needed <= most;
        let at_root = written
            .attach_to
            .iter()
            .all(|target| target.id.starts_with("r-"));
        assert_eq!(
            fits,
            at_root && !written.attach_to.is_empty(),
            "{taken}: {:?}",
            written.attach_to
        );
        check(&snapshot, &written, false);
    }
    // Every place is as full as AWS allowed at first: today there is more room.
    let crowded = estate(&[1], |_| most);
    let written = write(&crowded, &[]);
    assert!(!written.attach_to.is_empty());
    check(&crowded, &written, false);
    // Every place is full: nothing is attached anywhere, and that is said.
    let full = estate(&[1], |_| scp_limits().raised.policies_per_target);
    let written = write(&full, &[]);
    assert_eq!(written.attach_to, Vec::new());
    assert!(!written.problems.is_empty());
    assert!(!written.still_open.is_empty());
}

#[test]
fn who_would_be_blocked_is_told_and_management_is_not_among_them() {
    let snapshot = estate(&[1], |_| 1);
    let written = write(&snapshot, &[KEEPER]);
    let blocked: Vec<&Arn> = written.blocked.iter().map(|b| &b.principal).collect();
    assert!(
        blocked.iter().any(|arn| arn.name() == "someone"),
        "{blocked:?}"
    );
    assert!(
        blocked.iter().all(|arn| arn.name() != "keeper"),
        "{blocked:?}"
    );
    assert!(
        blocked.iter().all(|arn| arn.account().starts_with('6')),
        "{blocked:?}"
    );
    for row in tamper().iter().flat_map(|group| &group.actions) {
        let beyond = row.caller == palisade_checks::Caller::Management;
        if beyond {
            assert!(written.left_out.contains_key(&row.action), "{}", row.action);
            let quoted = format!("\"{}\"", row.action);
            assert!(
                written.documents.iter().all(|d| !d.json.contains(&quoted)),
                "{quoted}"
            );
        }
    }
}

#[test]
fn everyday_actions_are_denied_on_parts_of_the_chain_alone() {
    let snapshot = World::load("security-lit")
        .expect("it loads")
        .snapshot()
        .clone();
    let mut snapshot = snapshot;
    // Nothing guards the organization, and one member holds a log bucket and the alarm's rule.
    let organization = snapshot.organization.value_mut().expect("an organization");
    let kept: Vec<String> = vec![FULL.to_owned()];
    let attachments = organization.attachments.value_mut().expect("attachments");
    attachments
        .values_mut()
        .for_each(|list| *list = kept.clone());
    let member = snapshot.accounts.get_mut(MEMBER).expect("the member");
    let bucket = palisade_model::Bucket::default();
    member.s3.buckets = Observed::Value([("hollis-logs".to_owned(), bucket)].into());
    let written = write(&snapshot, &[]);
    assert_eq!(written.still_open, Vec::<String>::new());
    let text: String = written.documents.iter().map(|d| d.json.as_str()).collect();
    assert!(text.contains("arn:aws:s3:::hollis-logs"), "{text}");
    for document in &written.documents {
        for statement in &Document::parse(&document.json)
            .expect("a policy")
            .statements
        {
            let actions: Vec<&String> = statement.actions.iter().flatten().collect();
            let resources: Vec<&String> = statement.resources.iter().flatten().collect();
            for action in actions {
                let narrow = tamper()
                    .iter()
                    .flat_map(|group| &group.actions)
                    .any(|row| row.action == *action && row.only_on.is_some());
                let plain = tamper()
                    .iter()
                    .flat_map(|group| &group.actions)
                    .any(|row| row.action == *action && row.only_on.is_none());
                if narrow && !plain {
                    assert!(
                        resources.iter().all(|r| *r != "*"),
                        "{action} on {resources:?}"
                    );
                }
            }
        }
    }
}
