//! From the files below `checks/techniques/` to techniques and chains.
//!
//! A file one folder down is a technique; the files beside the folders hold what techniques
//! share: `collect.yaml` names groups of API operations, `sources.yaml` the catalogues that
//! `refs` points to, `chains.yaml` the named sequences of techniques, `handover.yaml` the actions
//! that a second principal may send (`handover.rs`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{
    Breaks, Category, Gain, Goal, Group, Opt, Origin, Requirement, Source, Speed, Status, Stealth,
    Technique, WeightHint, Yield, YieldKind, parse, validate,
};
use crate::{CatalogueError, Proof, files, files_in};

/// A named sequence of techniques that an incident or an audit has shown.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chain {
    /// `chain.<name>`.
    pub id: String,
    /// What happens, in a few words.
    pub name: String,
    /// Technique ids in order.
    pub steps: Vec<String>,
    /// The steps whose loss ends it.
    pub choke_points: Vec<String>,
    /// What else to know.
    #[serde(default)]
    pub notes: Option<String>,
    /// The worlds that show it.
    pub worlds: Vec<String>,
}

/// A catalogue that technique ids are compared with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Catalogue {
    /// The key in `refs`.
    pub id: String,
    /// Its name and publisher.
    pub name: String,
    /// The state that was compared.
    pub version: String,
}

/// A provider whose account works in the accounts of its customers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vendor {
    /// Its name.
    pub name: String,
    /// The accounts its documentation asks customers to trust.
    pub accounts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Raw {
    id: String,
    name: String,
    category: Category,
    status: Status,
    origin: Origin,
    #[serde(default)]
    refs: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default, rename = "any_of")]
    any_of: Vec<RawGroup>,
    #[serde(default)]
    preconditions: Vec<String>,
    yields: RawYield,
    speed: Speed,
    stealth: Stealth,
    mitre: Vec<String>,
    collect: Vec<String>,
    #[serde(default)]
    breaks: Breaks,
    #[serde(default)]
    cut_first: Option<String>,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    proof: Proof,
    #[serde(default)]
    unread: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    group: String,
    options: Vec<RawOption>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOption {
    id: String,
    #[serde(default)]
    requires: Vec<String>,
    #[serde(default)]
    preconditions: Vec<String>,
    #[serde(default)]
    from: Option<String>,
    #[serde(default)]
    to: Option<String>,
    #[serde(default)]
    gain: Option<String>,
    #[serde(default)]
    weight: Option<WeightHint>,
    #[serde(default)]
    refs: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawYield {
    edge: String,
    kind: YieldKind,
    gain: String,
    reach: String,
}

/// Names of API operation groups, such as `@iam`.
pub(super) type Collectors = BTreeMap<String, Vec<String>>;

/// Every technique, sorted by id. Reads and validates once.
///
/// # Errors
///
/// The first file that says something the schema does not allow.
pub fn techniques() -> Result<&'static [Technique], &'static CatalogueError> {
    static TECHNIQUES: OnceLock<Result<Vec<Technique>, CatalogueError>> = OnceLock::new();
    TECHNIQUES
        .get_or_init(load_techniques)
        .as_ref()
        .map(Vec::as_slice)
}

/// The technique with that id.
pub fn technique_of(id: &str) -> Option<&'static Technique> {
    let techniques = techniques().ok()?;
    let index = techniques
        .binary_search_by(|technique| technique.id.as_str().cmp(id))
        .ok()?;
    techniques.get(index)
}

/// Reads and validates every technique.
///
/// # Errors
///
/// As for [`techniques`].
pub fn load_techniques() -> Result<Vec<Technique>, CatalogueError> {
    let collectors: Collectors = shared("techniques/collect.yaml")?;
    let sources = catalogues()?;
    let mut techniques = files_in("techniques")
        .filter(|(path, _)| path.matches('/').count() == 2)
        .map(|(path, text)| technique(path, text, &collectors, &sources))
        .collect::<Result<Vec<_>, _>>()?;
    techniques.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(techniques)
}

/// Every named chain, sorted by id, each step a technique of the catalogue.
///
/// # Errors
///
/// A chain file that cannot be read, or names a technique that does not exist.
pub fn chains() -> Result<Vec<Chain>, CatalogueError> {
    let file = "techniques/chains.yaml";
    let mut chains: Vec<Chain> = shared(file)?;
    let known = load_techniques()?;
    for chain in &chains {
        for step in chain.steps.iter().chain(&chain.choke_points) {
            if !known.iter().any(|technique| technique.id == *step) {
                let problem = format!("`{}` names the unknown technique `{step}`", chain.id);
                return Err(invalid(file, problem));
            }
        }
        if chain.worlds.is_empty() {
            return Err(invalid(file, format!("`{}` names no world", chain.id)));
        }
    }
    chains.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(chains)
}

/// The catalogues that `refs` points to.
///
/// # Errors
///
/// When the file cannot be read.
pub fn catalogues() -> Result<Vec<Catalogue>, CatalogueError> {
    shared("techniques/sources.yaml")
}

/// Whether an account is known to work for many customers, so that anybody who becomes one can
/// ask it to act on a role that trusts it.
pub fn is_vendor(account: &str) -> bool {
    static VENDORS: OnceLock<Vec<Vendor>> = OnceLock::new();
    let vendors = VENDORS.get_or_init(|| vendors().unwrap_or_default());
    vendors
        .iter()
        .any(|vendor| vendor.accounts.iter().any(|own| own == account))
}

/// The providers whose accounts are known.
///
/// # Errors
///
/// When the file cannot be read.
pub fn vendors() -> Result<Vec<Vendor>, CatalogueError> {
    shared("techniques/vendors.yaml")
}

pub(super) fn shared<T: serde::de::DeserializeOwned>(file: &str) -> Result<T, CatalogueError> {
    let text = files()
        .iter()
        .find(|(path, _)| *path == file)
        .map(|(_, text)| *text)
        .ok_or_else(|| invalid(file, "is missing".to_owned()))?;
    yaml(file, text)
}

fn yaml<T: serde::de::DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogueError> {
    serde_yaml_ng::from_str(text).map_err(|error| CatalogueError::Unreadable {
        file: file.to_owned(),
        detail: error.to_string(),
    })
}

pub(super) fn invalid(file: &str, problem: String) -> CatalogueError {
    CatalogueError::Invalid {
        file: file.to_owned(),
        problem,
    }
}

/// Reads and validates one file; `path` is below `checks/`.
pub(super) fn technique(
    path: &str,
    text: &str,
    collectors: &Collectors,
    sources: &[Catalogue],
) -> Result<Technique, CatalogueError> {
    let raw: Raw = yaml(path, text)?;
    let fault = |problem| invalid(path, problem);
    let technique = convert(raw, collectors).map_err(fault)?;
    let words: serde_yaml_ng::Value = yaml(path, text)?;
    validate::words(&words).map_err(fault)?;
    validate::technique(path, &technique, sources).map_err(fault)?;
    Ok(technique)
}

fn convert(raw: Raw, collectors: &Collectors) -> Result<Technique, String> {
    let service = raw.id.split('.').next().unwrap_or_default().to_owned();
    let mut collect = Vec::new();
    for name in &raw.collect {
        match collectors.get(name) {
            Some(operations) => collect.extend(operations.iter().cloned()),
            None if name.starts_with('@') => return Err(format!("names no collector `{name}`")),
            None => collect.push(name.clone()),
        }
    }
    collect.sort();
    collect.dedup();
    Ok(Technique {
        service,
        requires: requirements(&raw.requires)?,
        any_of: raw
            .any_of
            .into_iter()
            .map(group)
            .collect::<Result<_, String>>()?,
        preconditions: predicates(&raw.preconditions)?,
        yields: gained(raw.yields)?,
        collect,
        id: raw.id,
        name: raw.name,
        category: raw.category,
        status: raw.status,
        origin: raw.origin,
        speed: raw.speed,
        stealth: raw.stealth,
        mitre: raw.mitre,
        refs: raw.refs,
        breaks: raw.breaks,
        cut_first: raw.cut_first,
        notes: raw.notes,
        proof: raw.proof,
        unread: raw.unread,
    })
}

fn requirements(texts: &[String]) -> Result<Vec<Requirement>, String> {
    texts.iter().map(|text| parse::requirement(text)).collect()
}

fn predicates(texts: &[String]) -> Result<Vec<super::Predicate>, String> {
    texts.iter().map(|text| parse::predicate(text)).collect()
}

fn group(raw: RawGroup) -> Result<Group, String> {
    let options = raw.options.into_iter().map(|option| {
        Ok(Opt {
            requires: requirements(&option.requires)?,
            preconditions: predicates(&option.preconditions)?,
            from: option.from.as_deref().map(source).transpose()?,
            to: option.to.as_deref().map(goal).transpose()?,
            gain: option.gain.as_deref().map(gain).transpose()?,
            weight: option.weight,
            id: option.id,
            refs: option.refs,
        })
    });
    Ok(Group {
        options: options.collect::<Result<_, String>>()?,
        name: raw.group,
    })
}

fn gained(raw: RawYield) -> Result<Yield, String> {
    let (from, to) = raw
        .edge
        .split_once(" -> ")
        .ok_or_else(|| format!("has the edge `{}`, which is no `FROM -> TO`", raw.edge))?;
    Ok(Yield {
        from: source(from)?,
        to: goal(to)?,
        kind: raw.kind,
        gain: gain(&raw.gain)?,
        reach: raw.reach,
    })
}

fn source(text: &str) -> Result<Source, String> {
    Ok(match text {
        "$self" => Source::SelfRef,
        "internet" => Source::Internet,
        "any-account" => Source::AnyAccount,
        "tenants" => Source::Tenants,
        "outside" => Source::Outside,
        "leak" => Source::Leak,
        account if account.starts_with("account:") => Source::Account(parse::reference(account)?),
        held => Source::Held(parse::reference(held)?),
    })
}

fn goal(text: &str) -> Result<Goal, String> {
    let inside = |name: &str| {
        text.strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('('))
            .and_then(|rest| rest.strip_suffix(')'))
    };
    if let Some(account) = inside("root") {
        return Ok(Goal::Root(parse::reference(account)?));
    }
    if let Some(account) = inside("administrator") {
        return Ok(Goal::Administrator(parse::reference(account)?));
    }
    if let Some(account) = inside("guardrails") {
        return Ok(Goal::Guardrails(parse::reference(account)?));
    }
    if let Some(resource) = inside("data") {
        return Ok(Goal::Data(parse::reference(resource)?));
    }
    Ok(match text {
        "$self" => Goal::SelfRef,
        "organization" => Goal::Organization,
        "capacity" => Goal::Capacity,
        "knowledge" => Goal::Knowledge,
        "outside" => Goal::Outside,
        resource => Goal::Resource(parse::reference(resource)?),
    })
}

fn gain(text: &str) -> Result<Gain, String> {
    if let Some(service) = text.strip_prefix("through ") {
        return Ok(Gain::Through(service.to_owned()));
    }
    if let Some(boundary) = text.strip_prefix("anything under ") {
        return Ok(Gain::AnythingUnder(parse::reference(boundary)?));
    }
    let version = |policy: &str| parse::reference(&format!("policy:{policy}"));
    if let Some(boundary) = text.strip_prefix("under ") {
        return Ok(match boundary.strip_prefix("version:") {
            Some(policy) => Gain::UnderVersion(version(policy)?),
            None => Gain::Under(parse::reference(boundary)?),
        });
    }
    if let Some(policy) = text.strip_prefix("version:") {
        return Ok(Gain::Version(version(policy)?));
    }
    Ok(match text {
        "target" => Gain::Target,
        "anything" => Gain::Anything,
        "without-boundary" => Gain::WithoutBoundary,
        "without-denies" => Gain::WithoutDenies,
        "gated" => Gain::Gated,
        "nothing" => Gain::Nothing,
        policy if policy.starts_with("policy:") => Gain::Policy(parse::reference(policy)?),
        group if group.starts_with("group:") => Gain::Group(parse::reference(group)?),
        other => return Err(format!("has the gain `{other}`, which is none")),
    })
}
