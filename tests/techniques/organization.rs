//! The techniques of an organization, on a stage of their own.
//!
//! One estate holds all their facts: a management account, a delegated administrator, and a member
//! under a guardrail. Who acts is granted what the technique requires and nothing else. Each way
//! then fires from the management account and, where AWS lets a delegated administrator do it, from
//! there; it is gone with one permission missing, under an explicit deny, under a boundary, from a
//! plain member, under an SCP that denies one action outside of the management account (inside it
//! SCPs do not apply), and under an RCP where one applies; and it is open, never sure, where the
//! organization was not read.

use std::collections::BTreeSet;
use std::path::Path;

use palisade::graph::{Graph, Node, Unheard};
use palisade::policy::Engine;
use palisade_checks::technique::{ContextValue, Opt, Predicate, Requirement, Technique};
use palisade_checks::techniques;
use palisade_mocks::World;
use palisade_model::{Arn, ManagedPolicy, Observed, PolicyText, Snapshot};
use serde_json::{Value, json};

use super::{ELSEWHERE, settle};

const MANAGER: &str = "622222222201";
const DELEGATE: &str = "622222222202";
const MEMBER: &str = "622222222203";

/// The estate, in which nobody may do anything.
const ESTATE: &str = include_str!("organization.yaml");

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Manager,
    Delegate,
    Member,
}

impl Who {
    fn account(self) -> &'static str {
        match self {
            Who::Manager => MANAGER,
            Who::Delegate => DELEGATE,
            Who::Member => MEMBER,
        }
    }
}

/// One way of one technique, done by somebody.
struct Case {
    technique: &'static Technique,
    choice: Vec<&'static Opt>,
    who: Who,
}

/// Where a technique works from. Nothing but its own account can leave an organization, and only
/// the management account hands out administration or holds the default roles of its members.
fn doers(technique: &str) -> &'static [Who] {
    match technique {
        "org.leave-organization" => &[Who::Member],
        "org.organization-account-access-role" | "org.register-delegated-admin" => &[Who::Manager],
        "sso.widen-permission-set" => &[Who::Manager],
        _ => &[Who::Manager, Who::Delegate],
    }
}

/// Every way: the first option of each group, and each other option with the first of the others.
fn cases() -> Vec<Case> {
    let mut all = Vec::new();
    for technique in techniques().unwrap().iter().filter(|technique| {
        ELSEWHERE.contains(&technique.id.as_str()) && technique.id != "org.saas-pivot"
    }) {
        let first: Vec<&Opt> = technique
            .any_of
            .iter()
            .map(|group| &group.options[0])
            .collect();
        let mut choices = vec![first.clone()];
        for (at, group) in technique.any_of.iter().enumerate() {
            for option in &group.options[1..] {
                let mut choice = first.clone();
                choice[at] = option;
                choices.push(choice);
            }
        }
        for choice in choices {
            for who in doers(&technique.id) {
                all.push(Case {
                    technique,
                    choice: choice.clone(),
                    who: *who,
                });
            }
        }
    }
    all
}

impl Case {
    fn label(&self) -> String {
        format!(
            "{}, by {:?}",
            super::label(self.technique, &self.choice),
            self.who
        )
    }

    fn requires(&self) -> impl Iterator<Item = &'static Requirement> {
        let own = self.technique.requires.iter();
        own.chain(self.choice.iter().flat_map(|option| &option.requires))
    }

    fn actions(&self) -> BTreeSet<&'static str> {
        self.requires()
            .map(|required| required.action.as_str())
            .collect()
    }

    /// Whether nobody can be sure of it.
    fn is_open(&self) -> bool {
        let own = self.technique.preconditions.iter();
        let asked = own.chain(self.choice.iter().flat_map(|option| &option.preconditions));
        let mut asked = asked.into_iter();
        self.technique.unread.is_some() || asked.any(|p| matches!(p, Predicate::RootMailbox(_)))
    }

    /// Whether it is done by a session of Identity Center.
    fn is_session(&self) -> bool {
        let own = self.technique.preconditions.iter();
        let mut asked = own.chain(self.choice.iter().flat_map(|option| &option.preconditions));
        asked.any(|predicate| matches!(predicate, Predicate::IsRole(_)))
    }

    fn actor(&self) -> Arn {
        let account = self.who.account();
        let name = match self.is_session() {
            true => "role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef",
            false => "user/actor",
        };
        Arn::new(format!("arn:aws:iam::{account}:{name}"))
    }

    /// The estate with these grants for whoever acts.
    fn estate(&self, actions: &BTreeSet<&str>, also: Option<Value>) -> Snapshot {
        let mut snapshot = estate();
        let granted = self
            .requires()
            .filter(|required| actions.contains(required.action.as_str()));
        let mut statements: Vec<Value> = granted.map(allow).collect();
        statements.extend(also);
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        self.give(&mut snapshot, policy.into());
        snapshot
    }

    fn give(&self, snapshot: &mut Snapshot, policy: PolicyText) {
        let arn = self.actor();
        let iam = &mut snapshot.accounts.get_mut(arn.account()).unwrap().iam;
        let inline = match self.is_session() {
            true => &mut role(&mut iam.roles, arn.name()).inline,
            false => {
                let users = iam.users.value_mut().unwrap();
                &mut users.get_mut(arn.name()).unwrap().inline
            }
        };
        inline.insert("needed".to_owned(), policy);
    }

    fn bind(&self, snapshot: &mut Snapshot, document: Value) {
        let arn = self.actor();
        let fence = Arn::new(format!("arn:aws:iam::{}:policy/fence", arn.account()));
        let policy = ManagedPolicy {
            name: "fence".to_owned(),
            default_version: "v1".to_owned(),
            versions: [("v1".to_owned(), PolicyText::from(document))].into(),
        };
        let iam = &mut snapshot.accounts.get_mut(arn.account()).unwrap().iam;
        iam.policies
            .value_mut()
            .unwrap()
            .insert(fence.clone(), policy);
        let boundary = match self.is_session() {
            true => &mut role(&mut iam.roles, arn.name()).boundary,
            false => {
                let users = iam.users.value_mut().unwrap();
                &mut users.get_mut(arn.name()).unwrap().boundary
            }
        };
        *boundary = Observed::Value(fence);
    }

    /// Whether the actor gains anything for sure, and whether at all.
    fn reached(&self, snapshot: &Snapshot) -> (bool, bool) {
        let engine = Engine::new(snapshot);
        let one = std::slice::from_ref(self.technique);
        let graph = Graph::build(snapshot, one, &engine, &Unheard);
        match graph.blast_radius(&Node::principal(self.actor())) {
            Some(radius) => {
                let sure = !radius.reached.is_empty();
                (sure, sure || !radius.possible.is_empty())
            }
            None => (false, false),
        }
    }

    /// Whether what is left does for another option of the group that needs this action.
    fn has_detour(&self, without: &str) -> bool {
        let left: BTreeSet<&str> = self
            .actions()
            .into_iter()
            .filter(|action| *action != without)
            .collect();
        let groups = self.technique.any_of.iter().zip(&self.choice);
        groups.into_iter().any(|(group, taken)| {
            let needs = taken
                .requires
                .iter()
                .any(|required| required.action == without);
            let mut others = group
                .options
                .iter()
                .filter(|option| !std::ptr::eq(*option, *taken));
            let does = |option: &Opt| {
                option
                    .requires
                    .iter()
                    .all(|required| left.contains(required.action.as_str()))
            };
            needs && others.any(does)
        })
    }
}

fn role<'s>(
    roles: &'s mut Observed<std::collections::BTreeMap<String, palisade_model::Role>>,
    name: &str,
) -> &'s mut palisade_model::Role {
    roles.value_mut().unwrap().get_mut(name).unwrap()
}

fn estate() -> Snapshot {
    let world = World::parse(Path::new("organization.yaml"), ESTATE);
    world
        .unwrap_or_else(|error| panic!("{error}"))
        .snapshot()
        .clone()
}

/// Grants a requirement in its own context alone.
fn allow(required: &Requirement) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": required.action, "Resource": "*"});
    let texts = required
        .context
        .iter()
        .filter_map(|(key, value)| match value {
            ContextValue::Text(text) => Some((key.clone(), json!(text))),
            ContextValue::Ref(_) | ContextValue::Endpoint { .. } => None,
        });
    let texts: serde_json::Map<String, Value> = texts.collect();
    if !texts.is_empty() {
        statement["Condition"] = json!({"StringEquals": texts});
    }
    statement
}

fn deny(actions: &BTreeSet<&str>) -> Value {
    json!({"Effect": "Deny", "Action": actions, "Resource": "*"})
}

/// Runs `check` over every case and collects what it objects to.
fn each(at_least: usize, check: impl Fn(&Case, &mut Vec<String>) -> usize) {
    let mut faults = Vec::new();
    let tried: usize = cases().iter().map(|case| check(case, &mut faults)).sum();
    settle(&faults, tried, at_least);
}

/// Adds an organization policy above every account.
fn everywhere(snapshot: &mut Snapshot, id: &str, kind: palisade_model::OrgPolicyKind, text: Value) {
    let organization = snapshot.organization.value_mut().unwrap();
    let policy = palisade_model::OrgPolicy {
        kind,
        document: Observed::Value(text.into()),
        ..Default::default()
    };
    organization
        .policies
        .value_mut()
        .unwrap()
        .insert(id.to_owned(), policy);
    let root = organization.root.value().unwrap().clone();
    let attached = organization.attachments.value_mut().unwrap();
    attached.entry(root).or_default().push(id.to_owned());
}

#[test]
fn every_way_through_an_organization_fires() {
    each(25, |case, faults| {
        let found = case.reached(&case.estate(&case.actions(), None));
        if found != (!case.is_open(), true) {
            faults.push(format!("{}: {found:?}", case.label()));
        }
        1
    });
}

#[test]
fn one_permission_missing_silences_it_in_an_organization() {
    each(40, |case, faults| {
        let mut tried = 0;
        for missing in case.actions() {
            if case.has_detour(missing) {
                continue;
            }
            let left = case
                .actions()
                .into_iter()
                .filter(|action| *action != missing)
                .collect();
            if case.reached(&case.estate(&left, None)).1 {
                faults.push(format!("{} without {missing}", case.label()));
            }
            tried += 1;
        }
        tried
    });
}

#[test]
fn an_explicit_deny_stops_it_in_an_organization() {
    each(25, |case, faults| {
        let actions = case.actions();
        if case.reached(&case.estate(&actions, Some(deny(&actions)))).1 {
            faults.push(case.label());
        }
        1
    });
}

#[test]
fn a_boundary_stops_it_in_an_organization() {
    each(50, |case, faults| {
        let actions = case.actions();
        let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let other =
            json!({"Effect": "Allow", "Action": "cloudwatch:GetDashboard", "Resource": "*"});
        for statements in [vec![all, deny(&actions)], vec![other]] {
            let mut snapshot = case.estate(&actions, None);
            let document = json!({"Version": "2012-10-17", "Statement": statements});
            case.bind(&mut snapshot, document);
            if case.reached(&snapshot).1 {
                faults.push(case.label());
            }
        }
        2
    });
}

#[test]
fn an_scp_stops_a_delegate_and_no_manager() {
    each(40, |case, faults| {
        let mut tried = 0;
        for action in case.actions() {
            if case.has_detour(action) {
                continue;
            }
            let mut snapshot = case.estate(&case.actions(), None);
            let text = json!({"Version": "2012-10-17", "Statement": [deny(&[action].into())]});
            everywhere(
                &mut snapshot,
                "p-deny",
                palisade_model::OrgPolicyKind::Scp,
                text,
            );
            let stays = case.who == Who::Manager;
            if case.reached(&snapshot).1 != stays {
                faults.push(format!("{}: {action} {}", case.label(), !stays));
            }
            tried += 1;
        }
        tried
    });
}

#[test]
fn an_rcp_stops_whoever_enters_a_role_of_a_member() {
    let entering = ["org.organization-account-access-role"];
    let mut tried = 0;
    for case in cases()
        .iter()
        .filter(|case| entering.contains(&case.technique.id.as_str()))
    {
        let mut snapshot = case.estate(&case.actions(), None);
        let text = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*"}]});
        everywhere(
            &mut snapshot,
            "p-rcp",
            palisade_model::OrgPolicyKind::Rcp,
            text,
        );
        assert!(!case.reached(&snapshot).1, "{}", case.label());
        tried += 1;
    }
    assert_eq!(tried, entering.len());
}

#[test]
fn an_organization_that_was_not_read_leaves_it_open() {
    each(25, |case, faults| {
        let mut snapshot = case.estate(&case.actions(), None);
        snapshot.organization = Observed::denied("organizations:DescribeOrganization");
        // Without the organization nobody knows that there is one to be administrator of.
        let to_all = matches!(
            case.technique.yields.to,
            palisade_checks::technique::Goal::Organization
                | palisade_checks::technique::Goal::Guardrails(_)
        );
        let found = case.reached(&snapshot);
        if found.0 || (!found.1 && !to_all) {
            faults.push(format!("{}: {found:?}", case.label()));
        }
        1
    });
}

#[test]
fn a_plain_member_does_none_of_it() {
    let mut faults = Vec::new();
    for case in cases()
        .into_iter()
        .filter(|case| case.technique.id != "org.leave-organization")
    {
        let case = Case {
            who: Who::Member,
            ..case
        };
        if case.reached(&case.estate(&case.actions(), None)).1 {
            faults.push(case.label());
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
