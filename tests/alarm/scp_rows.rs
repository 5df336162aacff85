//! SCPs at every level of a tree, one row each: what they do about one action.

use palisade::alarm::powers::Powers;
use palisade::alarm::protection::{Ask, Protection, protection};
use palisade::policy::Engine;
use palisade_model::{Observed, OrganizationalUnit, Snapshot};
use serde::Deserialize;
use serde_json::{Value, json};

use super::estate::{MEMBER, account, attach, organization, role, world};

const UNIT: &str = "ou-test-workloads";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    action: Option<String>,
    #[serde(default)]
    root: Option<Value>,
    #[serde(default)]
    unit: Option<Value>,
    #[serde(default)]
    account: Option<Value>,
    /// Places without FullAWSAccess.
    #[serde(default)]
    bare: Vec<String>,
    #[serde(default)]
    quiet: bool,
    #[serde(default)]
    who: Option<String>,
    #[serde(default)]
    says: Option<String>,
    #[serde(default)]
    fails: Option<bool>,
    /// Words that the answer holds.
    #[serde(default)]
    holds: Vec<String>,
}

/// A unit between root and member, a keeper in the member, and its administrator.
fn tree(case: &Case) -> (Snapshot, String) {
    let mut snapshot = world("security-dark");
    let keeper = format!("arn:aws:iam::{MEMBER}:role/sec/keeper");
    let mut keeper = role(&keeper, "nobody.amazonaws.com", r#""guardduty:*""#);
    keeper.tags = [("team".to_owned(), "security".to_owned())].into();
    let member = account(&mut snapshot, MEMBER);
    let roles = [("keeper".to_owned(), keeper)];
    member.iam.roles = Observed::Value(roles.into());
    if case.quiet {
        member.iam.users = Observed::Value([].into());
    }
    let organization = organization(&mut snapshot);
    let root = organization.root.value().expect("a root").clone();
    let unit = OrganizationalUnit {
        name: "Workloads".to_owned(),
        parent: root.clone(),
    };
    organization.units = Observed::Value([(UNIT.to_owned(), unit)].into());
    let accounts = organization.accounts.value_mut().expect("accounts");
    accounts.get_mut(MEMBER).expect("the member").parent = UNIT.to_owned();
    let full = organization.policies.value().expect("policies");
    let full = full
        .iter()
        .find(|(_, policy)| policy.aws_managed)
        .map(|(id, _)| id.clone())
        .expect("FullAWSAccess");
    let attached = organization.attachments.value_mut().expect("attachments");
    for (place, id) in [("root", root.as_str()), ("unit", UNIT), ("account", MEMBER)] {
        let list = match case.bare.iter().any(|bare| bare == place) {
            true => Vec::new(),
            false => vec![full.clone()],
        };
        attached.insert(id.to_owned(), list);
    }
    (snapshot, root)
}

fn answer(case: &Case) -> Protection {
    let (mut snapshot, root) = tree(case);
    let org = organization(&mut snapshot).id.clone();
    let places = [
        ("p-root", root.as_str(), &case.root),
        ("p-unit", UNIT, &case.unit),
        ("p-account", MEMBER, &case.account),
    ];
    for (id, target, statements) in places {
        if let Some(statements) = statements {
            let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
            let text = text
                .replace("{member}", MEMBER)
                .replace("{org}", &org)
                .replace("{root}", &root)
                .replace("{unit}", UNIT);
            attach(&mut snapshot, target, id, &text);
        }
    }
    let engine = Engine::new(&snapshot);
    let powers = Powers::new(&snapshot, &engine);
    let action = case.action.as_deref().unwrap_or("guardduty:DeleteDetector");
    let resource = match action.split(':').next() {
        Some("guardduty") => {
            format!("arn:aws:guardduty:us-east-1:{MEMBER}:detector/palisade-probe")
        }
        _ => "*".to_owned(),
    };
    let who = case.who.as_deref().unwrap_or(MEMBER);
    protection(&powers, None, who, &Ask::on(action, &resource))
}

#[test]
fn scps_of_every_level_answer_as_the_guide_says() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/scps.yaml");
    let text = std::fs::read_to_string(file).expect("the rows");
    let cases: Vec<Case> = serde_yaml_ng::from_str(&text).expect("the rows are well formed");
    assert!(cases.len() >= 75, "the case file was cut: {}", cases.len());
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(case.says.is_some() || case.fails.is_some(), "{}", case.name);
        let found = answer(case);
        let text = format!("{found:?}");
        let word = case.says.as_deref().is_none_or(|says| says == found.word());
        let fails = case.fails.is_none_or(|fails| fails == found.fails());
        let holds = case.holds.iter().all(|part| text.contains(part.as_str()));
        if !(word && fails && holds) {
            wrong.push(format!("{}: {text}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
