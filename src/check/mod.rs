//! Answers to the catalogue: what holds, what fails, what nobody could read.
//!
//! A check is a YAML file under `checks/` and, where one field cannot settle it, a function of
//! the same id here. The two meet in [`REGISTRY`].

mod access_analyzer;
mod alarm;
mod cloudtrail;
mod cognito;
mod config;
mod declared;
mod ec2;
mod estate;
mod findings;
mod fms;
mod guardduty;
mod iam;
mod inspector;
mod lambda;
mod macie;
mod organizations;
mod resource;
mod root;
mod s3;
pub mod security;
mod security_hub;
mod shield;
mod waf;

use std::collections::BTreeMap;

use palisade_checks::Check;

pub use estate::{Estate, Located, located};
pub use findings::{Answer, Evidence, Findings, Outcome, missing};
pub(crate) use s3::reach;

/// The answer to one check: looks at the estate, and says something about every resource the
/// check speaks of.
pub type Evaluate = fn(&Estate<'_>, &mut Findings<'_>);

/// Every check that is answered by code, by id: one row per folder.
const REGISTRY: &[&[(&str, Evaluate)]] = &[
    access_analyzer::CHECKS,
    alarm::CHECKS,
    cloudtrail::CHECKS,
    cognito::CHECKS,
    config::CHECKS,
    ec2::CHECKS,
    fms::CHECKS,
    guardduty::CHECKS,
    iam::CHECKS,
    inspector::CHECKS,
    lambda::CHECKS,
    macie::CHECKS,
    organizations::CHECKS,
    resource::CHECKS,
    root::CHECKS,
    s3::CHECKS,
    security_hub::CHECKS,
    shield::CHECKS,
    waf::CHECKS,
];

/// Asks every check for which `wanted` holds. Answers are sorted by check, account and resource.
pub fn evaluate(estate: &Estate<'_>, wanted: impl Fn(&Check) -> bool) -> Vec<Answer> {
    let coded = coded();
    let mut answers = Vec::new();
    for check in palisade_checks::checks()
        .iter()
        .filter(|check| wanted(check))
    {
        let mut findings = Findings::new(check, &mut answers);
        match (coded.get(check.id.as_str()), &check.rule) {
            (Some(evaluate), None) => evaluate(estate, &mut findings),
            (None, Some(rule)) => declared::evaluate(estate, check, rule, &mut findings),
            _ => findings.unanswerable(),
        }
    }
    answers.sort();
    answers
}

/// Ids that cannot be answered: without code and rule, with both, or code without a file.
pub fn mismatches() -> Vec<String> {
    let coded = coded();
    let mut wrong: Vec<String> = palisade_checks::checks()
        .iter()
        .filter(|check| coded.contains_key(check.id.as_str()) == check.rule.is_some())
        .map(|check| check.id.clone())
        .collect();
    wrong.extend(
        coded
            .keys()
            .filter(|id| palisade_checks::check(id).is_none())
            .map(|id| (*id).to_owned()),
    );
    wrong.sort();
    wrong
}

fn coded() -> BTreeMap<&'static str, Evaluate> {
    REGISTRY.iter().copied().flatten().copied().collect()
}
