//! The parts of the logging and alarm chain in one account: what everyday actions would hurt.

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::Part;
use palisade_model::{Account, Arn, Gap, Observed};
use serde_json::Value;

use super::Security;
use crate::alarm::chain::Answer;

/// The resources of one account that are a part of that kind. Empty where there is none.
pub(super) fn of(security: &Security<'_>, account: &str, part: Part) -> Vec<String> {
    let snapshot = security.snapshot();
    let Some(data) = snapshot.accounts.get(account) else {
        return Vec::new();
    };
    let partition = snapshot.partition;
    let found: BTreeSet<String> = match part {
        Part::LogBucket | Part::LogBucketObjects => {
            let tail = if part == Part::LogBucket { "" } else { "/AWSLogs/palisade-probe" };
            let own = data.s3.buckets.value();
            security
                .parts()
                .log_buckets
                .iter()
                .filter(|name| own.is_some_and(|own| own.contains_key(*name)))
                .map(|name| format!("arn:{partition}:s3:::{name}{tail}"))
                .collect()
        }
        Part::LogKey => trails(security)
            .filter_map(|trail| trail.kms_key.as_ref())
            .filter(|key| key.account() == account)
            .map(ToString::to_string)
            .collect(),
        Part::TrailTopic => delivery_topics(data).map(ToString::to_string).collect(),
        Part::AnalyzerServiceRole => [format!(
            "arn:{partition}:iam::{account}:role/aws-service-role/access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer"
        )]
        .into(),
        Part::Bus => chain(security, account, is_bus),
        Part::Rule => chain(security, account, |arn| arn.service() == "events" && !is_bus(arn)),
        Part::Function => chain(security, account, |arn| arn.service() == "lambda"),
        Part::Topic => chain(security, account, |arn| arn.service() == "sns"),
        Part::Alarm => chain(security, account, |arn| arn.service() == "cloudwatch"),
        Part::LogGroup => trails(security)
            .filter_map(|trail| trail.log_group.as_ref())
            .filter(|group| group.account() == account)
            .map(ToString::to_string)
            .collect(),
    };
    found.into_iter().collect()
}

/// What was not read in the account and may show further parts of that kind.
pub(super) fn unread(security: &Security<'_>, account: &str, part: Part) -> Vec<String> {
    let Some(data) = security.snapshot().accounts.get(account) else {
        return Vec::new();
    };
    let mut gaps: BTreeSet<String> = BTreeSet::new();
    let mut note = |gap: Option<&Gap>| gaps.extend(gap.map(ToString::to_string));
    match part {
        Part::LogBucket | Part::LogBucketObjects => {
            note(data.trails.gap());
            note(data.s3.buckets.gap());
            config_gaps(data, &mut note);
            gaps.extend(written_from_elsewhere(security, account, data));
        }
        Part::LogKey | Part::LogGroup => note(data.trails.gap()),
        Part::TrailTopic => config_gaps(data, &mut note),
        Part::AnalyzerServiceRole => {}
        // What carries an alarm shows only where the whole chain could be followed.
        Part::Bus | Part::Rule | Part::Function | Part::Topic | Part::Alarm => {
            let unread = security.parts().unread.get(account);
            gaps.extend(unread.into_iter().flatten().cloned());
        }
    }
    gaps.into_iter().collect()
}

/// Buckets that CloudTrail may write to, where trails of other accounts were not read: any of them
/// may hold their log files.
///
/// Source: "Amazon S3 bucket policy for CloudTrail", CloudTrail User Guide: the service writes only
/// where the policy of the bucket lets it.
fn written_from_elsewhere(
    security: &Security<'_>,
    account: &str,
    data: &Account,
) -> Option<String> {
    let snapshot = security.snapshot();
    let mut others = snapshot.accounts.iter().filter(|(id, _)| *id != account);
    let (owner, gap) = others.find_map(|(id, other)| Some((id, other.trails.gap()?)))?;
    let mut buckets = data.s3.buckets.value()?.iter();
    let (name, _) = buckets.find(|(name, bucket)| {
        let takes = match &bucket.policy {
            Observed::Value(policy) => lets_cloudtrail_in(policy.as_str()),
            Observed::Gap(_) => true,
            _ => false,
        };
        takes && !security.parts().log_buckets.contains(*name)
    })?;
    Some(format!(
        "whether trails of account {owner} write to the bucket `{name}`: {gap}"
    ))
}

/// Whether some statement of a bucket's policy allows CloudTrail, or anybody, something. A policy
/// that cannot be read may.
fn lets_cloudtrail_in(policy: &str) -> bool {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return true;
    };
    let statements = match &policy["Statement"] {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let named = |principal: &Value| {
        let text = principal.to_string();
        text.contains("cloudtrail.amazonaws.com") || text.contains("\"*\"")
    };
    statements.iter().any(|statement| {
        statement["Effect"] == "Allow"
            && (named(&statement["Principal"]) || statement.get("NotPrincipal").is_some())
    })
}

fn config_gaps(data: &Account, note: &mut impl FnMut(Option<&Gap>)) {
    note(data.regions.gap().or(data.regions_gap.as_ref()));
    for (_, region) in data.enabled_regions() {
        note(region.config.gap());
        let channels = region
            .config
            .value()
            .map(|config| &config.delivery_channels);
        note(channels.and_then(Observed::gap));
    }
}

fn is_bus(arn: &Arn) -> bool {
    arn.resource().starts_with("event-bus/")
}

fn trails<'e>(security: &'e Security<'_>) -> impl Iterator<Item = &'e palisade_model::Trail> {
    let accounts = security.snapshot().accounts.values();
    accounts
        .filter_map(|data| data.trails.value())
        .flatten()
        .map(|(_, trail)| trail)
}

fn log_buckets(security: &Security<'_>) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = trails(security).map(|trail| trail.bucket.clone()).collect();
    for data in security.snapshot().accounts.values() {
        for (_, region) in data.enabled_regions() {
            let channels = region
                .config
                .value()
                .and_then(|c| c.delivery_channels.value());
            names.extend(
                channels
                    .into_iter()
                    .flatten()
                    .map(|(_, c)| c.bucket.clone()),
            );
        }
    }
    names.remove("");
    names
}

fn delivery_topics(data: &Account) -> impl Iterator<Item = &Arn> {
    data.enabled_regions().flat_map(|(_, region)| {
        let channels = region
            .config
            .value()
            .and_then(|c| c.delivery_channels.value());
        channels
            .into_iter()
            .flatten()
            .filter_map(|(_, channel)| channel.topic.as_ref())
    })
}

/// The parts of every whole way that stand in the account.
fn chain(
    security: &Security<'_>,
    account: &str,
    wanted: impl Fn(&Arn) -> bool,
) -> BTreeSet<String> {
    let parts = security.parts().by_account.get(account);
    let parts = parts.into_iter().flatten();
    parts
        .filter(|arn| wanted(arn))
        .map(ToString::to_string)
        .collect()
}

/// What the chain is made of, gathered once.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// What whole ways pass, by account.
    by_account: BTreeMap<String, BTreeSet<Arn>>,
    /// What kept a chain of an account from being followed to its end.
    unread: BTreeMap<String, BTreeSet<String>>,
    /// The buckets that receive log files.
    log_buckets: BTreeSet<String>,
}

impl Parts {
    pub(super) fn gather(security: &Security<'_>) -> Self {
        let mut parts = Parts {
            log_buckets: log_buckets(security),
            ..Parts::default()
        };
        for heard in security.heard() {
            let ways = match &heard.answer {
                Answer::Alarmed { ways } => ways,
                Answer::Unknown { missing } => {
                    let own = parts.unread.entry(heard.account.clone()).or_default();
                    own.extend(missing.iter().cloned());
                    continue;
                }
                _ => continue,
            };
            for arn in ways.iter().flat_map(|way| &way.parts) {
                let own = parts.by_account.entry(arn.account().to_owned());
                own.or_default().insert(arn.clone());
            }
        }
        parts
    }
}
