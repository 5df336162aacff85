//! The walk through the corridor, from a snapshot to answers and paths.

use std::collections::BTreeSet;

use palisade_checks::Technique;
use palisade_model::{Arn, Snapshot};

use crate::alarm::Alarms;
use crate::alarm::state::{Row, Service};
use crate::check::security::Security;
use crate::check::security::tampering::Tampering;
use crate::check::{self, Answer, Estate};
use crate::exposure::Exposure;
use crate::fix::{self, cuts::Cuts};
use crate::graph::{Cause, Graph, Interests, Node, PathSet, Query};
use crate::policy::Engine;

/// Everything concluded from one snapshot.
#[derive(Clone, Debug, Default)]
pub struct Analysis {
    /// What the checks say, sorted.
    pub answers: Vec<Answer>,
    /// Ways from entries to targets, worst first.
    pub paths: PathSet,
    /// What lets somebody go on, worst first.
    pub causes: Vec<Cause>,
    /// The fewest changes that cut every path, evaluated again; nothing where there is no path
    /// or no such set was found: then the caps say why.
    pub cuts: Option<Cuts>,
    /// Every security service by account and region; like places share a row, worst first.
    pub services: Vec<Row>,
    /// Every tamper action: state, guardrail, who could, and whether anybody would hear it.
    pub tampering: Tampering,
}

/// Which checks are asked.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    wanted: Vec<String>,
    unwanted: Vec<String>,
    expects: BTreeSet<Service>,
    interests: Interests,
}

impl Selection {
    /// Takes ids or patterns with `*`; the first that fits no check comes back as the error.
    pub fn new(wanted: &[String], unwanted: &[String]) -> Result<Self, String> {
        let known = |pattern: &&String| {
            palisade_checks::checks()
                .iter()
                .any(|check| fits(pattern, &check.id))
        };
        if let Some(unknown) = wanted
            .iter()
            .chain(unwanted)
            .find(|pattern| !known(pattern))
        {
            return Err(unknown.clone());
        }
        Ok(Selection {
            wanted: wanted.to_vec(),
            unwanted: unwanted.to_vec(),
            expects: BTreeSet::new(),
            interests: Interests::default(),
        })
    }

    /// Names paid or situational services that should be on although nobody uses them yet.
    #[must_use]
    pub fn expecting(mut self, services: impl IntoIterator<Item = Service>) -> Self {
        self.expects.extend(services);
        self
    }

    /// Says what matters in this estate.
    #[must_use]
    pub fn interested(mut self, interests: Interests) -> Self {
        self.interests = interests;
        self
    }

    fn takes(&self, id: &str) -> bool {
        (self.wanted.is_empty() || self.wanted.iter().any(|pattern| fits(pattern, id)))
            && !self.unwanted.iter().any(|pattern| fits(pattern, id))
    }
}

/// Analyses `snapshot`: no clock, no network, no environment; same snapshot, same answers.
pub fn analyse(snapshot: &Snapshot, selection: &Selection) -> Analysis {
    let engine = Engine::new(snapshot);
    let exposure = Exposure::of(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    let interests = selection.interests.clone();
    let graph = Graph::heard_by(snapshot, techniques(), &engine, &alarms, interests);
    let security = Security::new(&alarms)
        .becoming(&graph)
        .exposed(&exposure)
        .expecting(selection.expects.clone());
    let estate = Estate::new(snapshot, &engine, &exposure, security);
    let mut answers = check::evaluate(&estate, |check| selection.takes(&check.id));
    let mut paths = graph.paths(&Query::default());
    check::reach(&mut answers, &paths);
    let (causes, capped) = graph.causes(&paths);
    paths.caps.extend(capped);
    let cuts = match fix::cuts::cut(&graph, &paths) {
        Ok(found) => found,
        Err(cap) => {
            paths.caps.push(cap);
            None
        }
    };
    Analysis {
        answers,
        paths,
        causes,
        cuts,
        services: estate.security.matrix().rows(),
        tampering: estate.security.tampering().clone(),
    }
}

/// Paths between what the texts name; empty lists stand for every entry or every target. The
/// first text that names nothing comes back as the error.
pub fn paths(
    snapshot: &Snapshot,
    from: &[String],
    to: &[String],
    mut interests: Interests,
) -> Result<PathSet, String> {
    interests.assume_breach |= from.iter().any(|name| name.starts_with(ANYBODY));
    let engine = Engine::new(snapshot);
    let alarms = Alarms::new(snapshot, &engine);
    let graph = Graph::heard_by(snapshot, techniques(), &engine, &alarms, interests);
    let nodes = |names: &[String]| -> Result<Vec<Node>, String> {
        let mut all = BTreeSet::new();
        for name in names {
            match graph.called(name) {
                Some(several) if several.is_empty() => return Err(name.clone()),
                Some(several) => all.extend(several),
                None => drop(all.insert(node(snapshot, name).ok_or_else(|| name.clone())?)),
            }
        }
        Ok(all.into_iter().collect())
    };
    Ok(graph.paths(&Query {
        from: nodes(from)?,
        to: nodes(to)?,
        ..Query::default()
    }))
}

/// How somebody asks for whichever principal of an account is breached.
const ANYBODY: &str = "any:";

/// The techniques of the catalogue.
///
/// # Panics
///
/// When one is invalid: the tests load the catalogue, so a build that passed them holds none.
fn techniques() -> &'static [Technique] {
    match palisade_checks::techniques() {
        Ok(techniques) => techniques,
        Err(error) => panic!("{error}"),
    }
}

/// The node a person means: an ARN or the end of one, `internet`, an account, `any:ACCOUNT`, or
/// `administrator:ACCOUNT`.
fn node(snapshot: &Snapshot, name: &str) -> Option<Node> {
    if name == "internet" {
        return Some(Node::Internet);
    }
    let known = |account: &str| snapshot.accounts.contains_key(account);
    if let Some(account) = name.strip_prefix("administrator:") {
        return known(account).then(|| Node::administrator(account));
    }
    if let Some(account) = name.strip_prefix(ANYBODY) {
        let account = account.to_owned();
        return known(&account).then_some(Node::AnyPrincipal { account });
    }
    if let Some(id) = name.strip_prefix("organization:") {
        let organization = snapshot.organization.value()?;
        return (organization.id == id).then(|| Node::Organization {
            organization: id.to_owned(),
        });
    }
    if name.len() == 12 && name.bytes().all(|byte| byte.is_ascii_digit()) {
        let account = name.to_owned();
        return Some(if known(name) {
            Node::Administrator { account }
        } else {
            Node::ForeignAccount { account }
        });
    }
    let means = |arn: &Arn| {
        let text = arn.as_str();
        text == name
            || text
                .strip_suffix(name)
                .is_some_and(|head| head.ends_with(['/', ':']))
    };
    for account in snapshot.accounts.values() {
        let users = account
            .iam
            .users
            .value()
            .into_iter()
            .flatten()
            .map(|(_, user)| &user.arn);
        let roles = account
            .iam
            .roles
            .value()
            .into_iter()
            .flatten()
            .map(|(_, role)| &role.arn);
        if let Some(arn) = users.chain(roles).find(|arn| means(arn)) {
            return Some(Node::principal(arn.clone()));
        }
        for bucket in account
            .s3
            .buckets
            .value()
            .into_iter()
            .flatten()
            .map(|(name, _)| name)
        {
            let arn = Arn::new(format!("arn:{}:s3:::{bucket}", snapshot.partition));
            if means(&arn) || bucket == name {
                return Some(Node::Data { arn });
            }
        }
        for (_, region) in account.enabled_regions() {
            let functions = region.functions.value().into_iter().flatten();
            if let Some((_, function)) = functions.into_iter().find(|(_, f)| means(&f.arn)) {
                return Some(Node::Workload {
                    arn: function.arn.clone(),
                });
            }
            let listed = region
                .resources
                .values()
                .filter_map(|list| list.value())
                .flatten();
            if let Some((_, resource)) = listed.into_iter().find(|(_, r)| means(&r.arn)) {
                return Some(Node::Data {
                    arn: resource.arn.clone(),
                });
            }
        }
    }
    None
}

/// Whether `id` fits `pattern`, in which `*` stands for any run of characters.
fn fits(pattern: &str, id: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == id,
        Some((head, tail)) => id.strip_prefix(head).is_some_and(|rest| {
            (0..=rest.len())
                .filter(|at| rest.is_char_boundary(*at))
                .any(|at| fits(tail, &rest[at..]))
        }),
    }
}
