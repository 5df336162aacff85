//! `lambda-execution-role-mints-credentials`: whoever controls such a function's code makes
//! himself keys, passwords or users.
//!
//! Asked of the roles that functions run as, once per role. Whether somebody can drive the
//! function is the graph's question; a path through it lends the finding its band.

use std::collections::BTreeMap;

use palisade_model::{Arn, Observed};

use super::super::{Estate, Evidence, Findings, Outcome};
use crate::policy::{Context, Decision, ResourceSet, example};

/// Actions that make a credential for a user that is there.
const ON_USERS: [&str; 4] = [
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:CreateServiceSpecificCredential",
];

/// The action that makes a user.
const NEW_USER: &str = "iam:CreateUser";

pub(super) fn evaluate(estate: &Estate<'_>, found: &mut Findings<'_>) {
    let mut roles: BTreeMap<(&str, &str), Vec<&Arn>> = BTreeMap::new();
    for place in estate.functions() {
        match place.item {
            Ok((_, function)) => {
                let key = (place.account, function.role.as_str());
                roles.entry(key).or_default().push(&function.arn);
            }
            Err(gap) => found.unread(place.account, place.region, gap),
        }
    }
    for ((account, role), functions) in roles {
        let outcome = judge(estate, account, role, &functions);
        found.at(account, "", role, outcome);
    }
}

fn judge(estate: &Estate<'_>, account: &str, role: &str, functions: &[&Arn]) -> Outcome {
    let iam = estate
        .snapshot
        .accounts
        .get(account)
        .map(|account| &account.iam);
    match iam.map(|iam| &iam.roles) {
        Some(Observed::Gap(gap)) => return super::super::missing([gap.as_ref()]),
        Some(Observed::Value(known)) if known.values().any(|known| known.arn.as_str() == role) => {}
        _ => {
            let why = "its execution role does not exist, so that the function cannot run";
            return Outcome::NotApplicable {
                why: why.to_owned(),
            };
        }
    }
    let (mut evidence, mut unread) = (Vec::new(), Vec::new());
    let users = iam.map(|iam| &iam.users);
    for action in ON_USERS {
        let set = every_user(estate, account);
        if estate.engine.granting(role, action, &set).is_empty() && fully_read(estate, role) {
            continue;
        }
        match users {
            Some(Observed::Value(users)) => {
                let targets = users.values().map(|user| user.arn.as_str().to_owned());
                ask(
                    estate,
                    role,
                    action,
                    targets.collect(),
                    &mut evidence,
                    &mut unread,
                );
            }
            Some(Observed::Gap(gap)) => unread.push(gap.to_string()),
            _ => {}
        }
    }
    ask(
        estate,
        role,
        NEW_USER,
        new_users(estate, account, role),
        &mut evidence,
        &mut unread,
    );
    if !evidence.is_empty() {
        let drives: Vec<String> = functions.iter().map(|arn| arn.name().to_owned()).collect();
        let mut last = Evidence::from(format!("it is the execution role of {}", drives.join(", ")));
        last.names = functions.iter().map(ToString::to_string).collect();
        evidence.push(last);
        return Outcome::Fail { evidence };
    }
    if unread.is_empty() {
        return Outcome::Pass;
    }
    unread.sort();
    unread.dedup();
    Outcome::Unknown { missing: unread }
}

/// Asks for each resource until one is allowed; a condition counts, an unread policy is kept.
fn ask(
    estate: &Estate<'_>,
    role: &str,
    action: &str,
    resources: Vec<String>,
    evidence: &mut Vec<Evidence>,
    unread: &mut Vec<String>,
) {
    let context = Context::open();
    let mut conditional = None;
    for resource in resources {
        let name = Arn::new(resource.as_str());
        match estate.engine.decide(role, action, &resource, &context) {
            Decision::Allowed(_) => {
                let (_, why) = estate.engine.explain(role, action, &resource, &context);
                let by = why.statements.first().map(|quoted| quoted.text.clone());
                let says = match action {
                    NEW_USER => format!("it may {action}, for example `{}`", name.name()),
                    _ => format!("it may {action} for `{}`", name.name()),
                };
                evidence.push(Evidence::from(says).from_source(by.unwrap_or_default()));
                return;
            }
            Decision::Conditional(open) if conditional.is_none() => {
                conditional = Some(format!(
                    "it may {action} for `{}` if {}",
                    name.name(),
                    open.residual
                ));
            }
            Decision::Unknown(unknown) => {
                unread.extend(
                    unknown
                        .gaps
                        .iter()
                        .map(|gap| format!("{}: {}", gap.name, gap.reason)),
                );
            }
            Decision::Conditional(_) | Decision::Denied(_) => {}
        }
    }
    evidence.extend(conditional.map(Evidence::from));
}

fn every_user(estate: &Estate<'_>, account: &str) -> ResourceSet {
    ResourceSet::new(&user_pattern(estate, account))
}

fn user_pattern(estate: &Estate<'_>, account: &str) -> String {
    format!("arn:{}:iam::{account}:user/*", estate.snapshot.partition)
}

/// Names of users to be made: one that fits each statement that could allow it, and any.
fn new_users(estate: &Estate<'_>, account: &str, role: &str) -> Vec<String> {
    let pattern = user_pattern(estate, account);
    let any = pattern.replace('*', "new-user");
    let mut names = vec![any];
    for granting in estate
        .engine
        .granting(role, NEW_USER, &every_user(estate, account))
    {
        for resource in granting.statement.resources.iter().flatten() {
            names.extend(example(&[&pattern, resource], &[]));
        }
    }
    names.sort();
    names.dedup();
    names
}

/// Whether every identity-based policy of the role could be read, so that silence means no.
fn fully_read(estate: &Estate<'_>, role: &str) -> bool {
    let nobody = "arn:aws:iam::000000000000:user/nobody";
    !matches!(
        estate
            .engine
            .decide(role, "iam:CreateAccessKey", nobody, &Context::closed()),
        Decision::Unknown(_)
    )
}
