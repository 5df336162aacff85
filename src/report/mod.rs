//! From answers and paths to what people and programs read: pure functions from one [`Report`]
//! to bytes.

pub mod escape;
mod guardrails;
pub mod json;
mod summary;
pub mod table;

use std::collections::{BTreeMap, BTreeSet};

use palisade_checks::{Check, Severity};
use palisade_model::{Partition, Snapshot, Time};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::Analysis;
use crate::alarm::state::Row;
use crate::check::security::tampering::Tampering;
use crate::check::{Answer, Evidence, Outcome};
use crate::fix::cuts::Cuts;
use crate::gate::Verdict;
use crate::graph::{BlastRadius, Cause, Pair, Path, Span, Status};
pub use summary::{AccountRow, Reach, Summary};

/// The schema of the JSON report. A change that breaks readers raises the number.
pub const SCHEMA: &str = "palisade-report/1";

/// Everything a scan has to say.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// The version that made it.
    pub palisade: String,
    /// The version of the score's weights.
    pub weights: String,
    /// What was looked at, in words.
    pub source: String,
    /// When collecting began.
    pub taken_at: Time,
    /// The partition.
    pub partition: Partition,
    /// The organization's id, where there is one.
    pub organization: Option<String>,
    /// The gate's answer.
    pub verdict: Verdict,
    /// Counts and coverage.
    pub summary: Summary,
    /// One row per account.
    pub accounts: Vec<AccountRow>,
    /// Pairs of entry and target, worst first.
    pub paths: Vec<PathEntry>,
    /// What lets somebody go on, worst first: one entry per root cause.
    pub causes: Vec<CauseEntry>,
    /// The fewest changes that cut every path, evaluated again.
    pub cuts: Option<Cuts>,
    /// All that each entry reaches, where entries were asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reach: Vec<BlastRadius>,
    /// Bounds that were hit: what is missing because of them.
    pub caps: Vec<String>,
    /// Every security service by account and region; like places share a row, worst first.
    pub services: Vec<Row>,
    /// Every tamper action: state, guardrail, who could, and whether anybody would hear it.
    pub tampering: Tampering,
    /// What fails, worst first.
    pub findings: Vec<Finding>,
    /// What nobody could say, worst first.
    pub unresolved: Vec<Unresolved>,
}

/// What a baseline or an accepted risk says about a finding or path.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum News {
    /// There is no baseline.
    #[default]
    None,
    /// Not in the baseline.
    New,
    /// In the baseline, and worse now.
    Worse,
    /// In the baseline.
    Same,
    /// Somebody took responsibility for it.
    Accepted,
}

/// One pair of entry and target.
#[derive(Clone, Debug, Serialize)]
pub struct PathEntry {
    /// Its id: the same as long as entry, target and techniques are.
    pub id: String,
    /// The entry's stable name.
    pub entry_id: String,
    /// The target's stable name.
    pub target_id: String,
    /// The target's class.
    pub target_class: String,
    /// The ARN of every node in order; nodes that have none stand with their stable name.
    pub nodes: Vec<String>,
    /// The technique of every step in order.
    pub techniques: Vec<String>,
    /// Public ids of those techniques, such as `pathfinding:iam-001`, sorted.
    pub references: Vec<String>,
    /// Against baseline and accepted risks.
    pub news: News,
    /// The score, its lower and upper end; the pair writes it.
    #[serde(skip)]
    pub score: Span,
    /// The surest path, those that are worse if it comes to that, and alternatives.
    #[serde(flatten)]
    pub pair: Pair,
}

impl PathEntry {
    /// The surest path.
    pub fn best(&self) -> &Path {
        &self.pair.best
    }

    /// The score of the best path that does not hang on a gap, if there is one.
    pub fn settled(&self) -> Option<Span> {
        self.pair
            .paths()
            .filter(|path| path.status != Status::Possible)
            .map(|path| path.score)
            .max_by_key(|score| score.hi)
    }
}

/// One root cause: one finding, however many techniques and paths use it.
#[derive(Clone, Debug, Serialize)]
pub struct CauseEntry {
    /// The band of the worst path that uses it.
    pub severity: Severity,
    /// Against baseline and accepted risks.
    pub news: News,
    /// Who holds what, and what it opens.
    #[serde(flatten)]
    pub cause: Cause,
}

impl CauseEntry {
    fn new(cause: Cause) -> Self {
        CauseEntry {
            severity: crate::gate::severity(cause.worst),
            news: News::None,
            cause,
        }
    }
}

/// One problem at one resource.
#[derive(Clone, Debug, Serialize)]
pub struct Finding {
    /// Its id: the same as long as check and resource are.
    pub id: String,
    /// The check.
    pub check: String,
    /// The check's title.
    pub title: String,
    /// The higher of the check's severity and the band of the best path through it.
    pub severity: Severity,
    /// The account; empty for the organization.
    pub account: String,
    /// The region; empty for global resources.
    pub region: String,
    /// The resource.
    pub resource: String,
    /// What settled it.
    pub evidence: Vec<Evidence>,
    /// Ids of the paths that lead through it, worst first.
    pub paths: Vec<String>,
    /// What to do, in one sentence.
    pub fix: String,
    /// Control ids by framework.
    pub maps: BTreeMap<String, Vec<String>>,
    /// MITRE ATT&CK technique ids.
    pub mitre: Vec<String>,
    /// Against baseline and accepted risks.
    pub news: News,
}

/// One answer that could not be given.
#[derive(Clone, Debug, Serialize)]
pub struct Unresolved {
    /// The check.
    pub check: String,
    /// What it would be if it failed.
    pub severity: Severity,
    /// The account; empty for the organization.
    pub account: String,
    /// The region; empty for global resources.
    pub region: String,
    /// The resource, or the account where a whole list was not read.
    pub resource: String,
    /// What was missing.
    pub missing: Vec<String>,
}

impl Unresolved {
    /// Account, region and resource, as far as they say something new.
    pub fn place(&self) -> String {
        [self.region.as_str(), self.resource.as_str()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl Report {
    /// Joins answers and paths into findings, worst first.
    pub fn new(source: &str, snapshot: &Snapshot, analysis: Analysis) -> Report {
        let paths: Vec<PathEntry> = analysis.paths.pairs.into_iter().map(entry).collect();
        let (mut findings, mut unresolved) = (Vec::new(), Vec::new());
        let summary_of = Summary::count(&analysis.answers);
        for answer in analysis.answers {
            sort_out(answer, &paths, &mut findings, &mut unresolved);
        }
        findings.sort_by(|a: &Finding, b: &Finding| {
            (b.severity, &a.check, &a.account, &a.region, &a.resource).cmp(&(
                a.severity,
                &b.check,
                &b.account,
                &b.region,
                &b.resource,
            ))
        });
        unresolved.sort_by(|a: &Unresolved, b: &Unresolved| {
            (b.severity, &a.check, &a.account, &a.region, &a.resource).cmp(&(
                a.severity,
                &b.check,
                &b.account,
                &b.region,
                &b.resource,
            ))
        });
        Report {
            schema: SCHEMA.to_owned(),
            palisade: env!("CARGO_PKG_VERSION").to_owned(),
            weights: weights_version(),
            source: source.to_owned(),
            taken_at: snapshot.taken_at,
            partition: snapshot.partition,
            organization: snapshot.organization.value().map(|org| org.id.clone()),
            verdict: Verdict::default(),
            summary: summary_of.with(&findings, &paths),
            accounts: summary::accounts(snapshot),
            causes: analysis.causes.into_iter().map(CauseEntry::new).collect(),
            cuts: analysis.cuts,
            reach: analysis.paths.reach,
            caps: analysis.paths.caps,
            services: analysis.services,
            tampering: analysis.tampering,
            paths,
            findings,
            unresolved,
        }
    }

    /// The line that every scan ends with.
    pub fn summary_line(&self) -> String {
        self.summary.line()
    }
}

/// The version of the weights that score paths.
pub fn weights_version() -> String {
    palisade_checks::weights::Weights::builtin().version.clone()
}

fn entry(pair: Pair) -> PathEntry {
    let nodes = pair
        .best
        .nodes()
        .map(|node| node.arn().map_or_else(|| node.id(), ToString::to_string))
        .collect();
    let techniques: Vec<String> = pair.best.techniques().map(str::to_owned).collect();
    PathEntry {
        id: pair.best.id.clone(),
        entry_id: pair.best.entry.node.id(),
        target_id: pair.best.target.node.id(),
        target_class: pair.best.target.node.class().to_owned(),
        nodes,
        references: references(&techniques),
        techniques,
        news: News::None,
        score: pair.score,
        pair,
    }
}

fn references(techniques: &[String]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for technique in techniques
        .iter()
        .filter_map(|id| palisade_checks::technique_of(id))
    {
        for (catalogue, ids) in &technique.refs {
            found.extend(ids.iter().map(|id| format!("{catalogue}:{id}")));
        }
        found.extend(technique.mitre.iter().map(|id| format!("mitre:{id}")));
    }
    found.into_iter().collect()
}

fn sort_out(
    answer: Answer,
    paths: &[PathEntry],
    findings: &mut Vec<Finding>,
    unresolved: &mut Vec<Unresolved>,
) {
    match answer.outcome {
        Outcome::Fail { evidence } => {
            let Some(check) = palisade_checks::check(&answer.check) else {
                return;
            };
            let through: Vec<&PathEntry> = paths
                .iter()
                .filter(|path| lends(path, check, &answer.resource, &evidence))
                .collect();
            let band = through
                .iter()
                .filter_map(|path| path.settled())
                .map(|score| crate::gate::severity(score.hi))
                .max();
            findings.push(Finding {
                id: finding_id(
                    &answer.check,
                    &answer.account,
                    &answer.region,
                    &answer.resource,
                ),
                title: check.title.clone(),
                severity: band.map_or(answer.severity, |band| band.max(answer.severity)),
                paths: through.iter().map(|path| path.id.clone()).collect(),
                fix: check.fix.summary.clone(),
                maps: check.maps.clone(),
                mitre: check.mitre.clone(),
                check: answer.check,
                account: answer.account,
                region: answer.region,
                resource: answer.resource,
                evidence,
                news: News::None,
            });
        }
        Outcome::Unknown { missing } => unresolved.push(Unresolved {
            check: answer.check,
            severity: answer.severity,
            account: answer.account,
            region: answer.region,
            resource: answer.resource,
            missing,
        }),
        Outcome::Pass | Outcome::NotApplicable { .. } => {}
    }
}

/// Whether `path` uses, on that resource, a technique that the check's problem makes possible.
fn lends(path: &PathEntry, check: &Check, resource: &str, evidence: &[Evidence]) -> bool {
    if check.techniques.is_empty() {
        return false;
    }
    path.best().hops.iter().any(|hop| {
        let technique = &hop.technique;
        let fits = check
            .techniques
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => technique.starts_with(prefix),
                None => technique == pattern,
            });
        // Whoever begins the path in the same way stands for the one that is shown.
        let entry = &path.best().entry;
        let alike = entry.members.iter().filter(|_| hop.from == entry.node);
        let named = |name: &str| {
            [&hop.from, &hop.to]
                .into_iter()
                .chain(alike.clone())
                .any(|node| touches(&node.id(), name))
                || hop.bindings.values().any(|bound| touches(bound, name))
        };
        fits && (named(resource)
            || evidence
                .iter()
                .flat_map(|evidence| &evidence.names)
                .any(|name| named(name)))
    })
}

/// Whether a node's name speaks of a resource: the same ARN, or an object within the bucket.
fn touches(node: &str, resource: &str) -> bool {
    if node == resource {
        return true;
    }
    let Some(bucket) = resource.split_once(":s3:::").map(|(_, bucket)| bucket) else {
        return false;
    };
    let within = |prefix: &str| {
        node.find(prefix)
            .map(|at| &node[at + prefix.len()..])
            .is_some_and(|rest| {
                rest.strip_prefix(bucket)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
    };
    within("s3://") || within(":s3:::")
}

/// Equal for equal check and resource, whatever the evidence.
fn finding_id(check: &str, account: &str, region: &str, resource: &str) -> String {
    let mut hash = Sha256::new();
    for part in [check, account, region, resource] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    let short: String = digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("PAL-{short}")
}
