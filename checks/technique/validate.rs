//! What a technique file may not say.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::actions;
use palisade_model::listing::{Listing, RoleFrom};
use serde_yaml_ng::Value;

use super::{
    Catalogue, ContextValue, Goal, Kind, Predicate, Requirement, ResourceRef, Selector, Source,
    Status, Technique,
};

type Checked = Result<(), String>;

/// Words that YAML 1.1 reads as truth values: other readers of these files would.
const TRUTH: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

/// Refuses keys and values that a YAML 1.1 reader would take for truth values.
pub(super) fn words(value: &Value) -> Checked {
    match value {
        Value::Bool(_) => Err("holds a truth value, and no key has one".to_owned()),
        Value::String(text) if TRUTH.contains(&text.to_ascii_lowercase().as_str()) => Err(format!(
            "holds `{text}`, which YAML 1.1 reads as a truth value"
        )),
        Value::Sequence(items) => items.iter().try_for_each(words),
        Value::Mapping(map) => map.iter().try_for_each(|(key, value)| {
            words(key)?;
            words(value)
        }),
        _ => Ok(()),
    }
}

/// Checks everything about a technique that can be checked without a world.
pub(super) fn technique(path: &str, technique: &Technique, sources: &[Catalogue]) -> Checked {
    identity(path, technique)?;
    references(technique, sources)?;
    options(technique)?;
    for required in technique.all_requirements() {
        known_action(&required.action)?;
        if technique.status != Status::Retired {
            requirement(required)?;
        }
    }
    for predicate in technique.all_predicates() {
        self::predicate(predicate)?;
    }
    variables(technique)?;
    collected(technique)?;
    proof(technique)
}

/// Kinds whose resources the organization tells of.
const OF_ORGANIZATION: [&str; 5] = [
    "organizations.account",
    "organizations.member-root",
    "organizations.policy",
    "organizations.root",
    "sso.account",
];

/// What has a name must be something that is listed, and what is asked of it something that is
/// read: else the question would be open for ever, and nobody would notice.
fn collected(technique: &Technique) -> Checked {
    if technique.status == Status::Retired {
        return Ok(());
    }
    for predicate in technique.all_predicates() {
        attributes(predicate)?;
    }
    if technique.unread.is_some() {
        return Ok(());
    }
    let required = technique.all_requirements();
    let required = required.flat_map(Requirement::references);
    let asked = technique.all_predicates().flat_map(Predicate::references);
    for reference in required.chain(asked) {
        let kind = reference.kind;
        let named = matches!(reference.selector, Selector::Var(_));
        let read = Listing::of(kind.name()).is_some() || OF_ORGANIZATION.contains(&kind.name());
        if named && kind.is_listed() && !read {
            return Err(format!(
                "speaks of `{reference}`, and no call lists a `{kind}`"
            ));
        }
    }
    Ok(())
}

/// Attributes that exist, and kinds that are listed where their existence is the question.
fn attributes(predicate: &Predicate) -> Checked {
    match predicate {
        Predicate::Not(inner) => attributes(inner),
        Predicate::Any(parts) | Predicate::All(parts) => parts.iter().try_for_each(attributes),
        Predicate::Exists(what, filter) => {
            let kind = what.kind;
            if kind.is_listed() && Listing::of(kind.name()).is_none() {
                return Err(format!("asks for a `{kind}`, which no call lists"));
            }
            filter.iter().try_for_each(attributes)
        }
        Predicate::Attribute(of, path, _) if !is_attribute(of.kind, path) => {
            Err(format!("reads `{path}` of a `{}`, which has none", of.kind))
        }
        _ => Ok(()),
    }
}

/// Whether resources of this kind have such an attribute.
fn is_attribute(kind: Kind, path: &str) -> bool {
    match kind {
        Kind::FUNCTION => [
            "role",
            "runtime",
            "package_type",
            "code_signing",
            "reserved_concurrency",
        ]
        .contains(&path),
        Kind::BUCKET => ["ownership", "versioning", "kms_key"].contains(&path),
        Kind::OBJECT => ["bucket", "kms_key", "encryption"].contains(&path),
        _ => Listing::of(kind.name()).is_some_and(|listing| match path {
            "role" => listing.role != RoleFrom::None,
            _ => listing
                .attributes
                .iter()
                .any(|attribute| attribute.name == path),
        }),
    }
}

fn identity(path: &str, technique: &Technique) -> Checked {
    let expected = path
        .trim_start_matches("techniques/")
        .trim_end_matches(".yaml")
        .replacen('/', ".", 1);
    if technique.id != expected {
        let id = &technique.id;
        return Err(format!(
            "has the id `{id}`, and its path asks for `{expected}`"
        ));
    }
    for (what, text) in [
        ("name", &technique.name),
        ("reach", &technique.yields.reach),
    ] {
        if text.trim().is_empty() || text.ends_with('.') {
            return Err(format!("must have a `{what}`, without a full stop"));
        }
    }
    Ok(())
}

fn references(technique: &Technique, sources: &[Catalogue]) -> Checked {
    let options = technique.any_of.iter().flat_map(|group| &group.options);
    let refs = options.map(|option| &option.refs).chain([&technique.refs]);
    for source in refs.flat_map(|refs| refs.keys()) {
        if !sources.iter().any(|known| known.id == *source) {
            return Err(format!("refers to the unknown source `{source}`"));
        }
    }
    for id in &technique.mitre {
        let (id_only, digits) = (id.strip_prefix("AML.").unwrap_or(id), |text: &str, n| {
            text.len() == n && text.bytes().all(|b| b.is_ascii_digit())
        });
        let shaped = id_only.strip_prefix('T').is_some_and(|rest| {
            let (main, sub) = rest.split_once('.').unwrap_or((rest, "000"));
            digits(main, 4) && digits(sub, 3)
        });
        if !shaped {
            return Err(format!("has the MITRE id `{id}`, which has no such shape"));
        }
    }
    let exact = technique.collect.iter().chain(&technique.cut_first);
    exact.into_iter().try_for_each(|name| known_action(name))?;
    let breaks = &technique.breaks;
    for pattern in breaks.scp_deny.iter().chain(&breaks.prevents_opening) {
        let known = actions().is_known_action(pattern);
        if !known && actions().matching(pattern).is_empty() {
            return Err(format!("would deny `{pattern}`, which is no action"));
        }
    }
    if let Some(first) = &technique.cut_first
        && !technique
            .all_requirements()
            .any(|required| required.action == *first)
    {
        return Err(format!(
            "would cut `{first}` first, which it does not require"
        ));
    }
    Ok(())
}

fn options(technique: &Technique) -> Checked {
    let mut groups = BTreeSet::new();
    for group in &technique.any_of {
        if !groups.insert(&group.name) || group.options.is_empty() {
            return Err(format!("has the group `{}` twice, or empty", group.name));
        }
        let mut ids = BTreeSet::new();
        for option in &group.options {
            if option.id.is_empty() || !ids.insert(&option.id) {
                return Err(format!("has an option `{}` twice in one group", option.id));
            }
        }
    }
    Ok(())
}

/// An action AWS documents, spelled as documented.
fn known_action(name: &str) -> Checked {
    match actions().find(name) {
        Some(action) if action.full_name() == name => Ok(()),
        Some(action) => Err(format!("must spell `{name}` as `{}`", action.full_name())),
        None => Err(format!("names the unknown action `{name}`")),
    }
}

fn requirement(required: &Requirement) -> Checked {
    let action = actions().find(&required.action);
    let plain = |text: &str| text.replace(['-', '_'], "").to_ascii_lowercase();
    if let Some(action) = action.filter(|action| action.takes_resource()) {
        let fits = required.on.kind.resource_type().is_some_and(|(_, kind)| {
            let mut types = action.resource_types();
            types.any(|(name, _)| plain(name) == plain(kind))
        });
        if !fits {
            let (name, kind) = (&required.action, required.on.kind);
            return Err(format!(
                "asks `{name}` on a `{kind}`, which is no resource of it"
            ));
        }
    }
    for (key, value) in &required.context {
        if actions().key_type(key).is_none() {
            return Err(format!("sets the unknown condition key `{key}`"));
        }
        if matches!(value, ContextValue::Text(text) if text.is_empty()) {
            return Err(format!("sets `{key}` to nothing"));
        }
    }
    let passes = required.action == "iam:PassRole";
    if passes
        && !required
            .context
            .iter()
            .any(|(key, _)| key == "iam:PassedToService")
    {
        return Err("passes a role without saying to which service".to_owned());
    }
    required.filter.iter().try_for_each(predicate)
}

fn predicate(predicate: &Predicate) -> Checked {
    use Predicate as P;
    match predicate {
        P::Not(inner) => self::predicate(inner),
        P::Any(parts) | P::All(parts) => parts.iter().try_for_each(self::predicate),
        P::Exists(_, filter) => filter.iter().try_for_each(self::predicate),
        P::May(_, what) => known_action(&what.action).and_then(|()| requirement(what)),
        P::Public(_, action) => known_action(action),
        P::OpenTo(_, account, action) => {
            known_action(action).and_then(|()| of_kind(account, &[Kind::ACCOUNT]))
        }
        P::GatedBy(key, _) | P::HeldByTag(key, _) => condition_key(key),
        P::Attached(policy, _)
        | P::BoundaryOf(policy, _)
        | P::BroaderBoundary(policy, _)
        | P::CustomerManaged(policy)
        | P::BroaderVersion(policy) => of_kind(policy, &[Kind::POLICY]),
        P::Broader(what, _) | P::Administers(what) => of_kind(what, &[Kind::POLICY, Kind::GROUP])
            .or_else(|problem| {
                if what.kind.is_listed() {
                    Ok(())
                } else {
                    Err(problem)
                }
            }),
        P::Member(user, group) => {
            of_kind(user, &[Kind::USER])?;
            of_kind(group, &[Kind::GROUP])
        }
        P::LoginProfile(user) | P::LeakedKey(user) | P::StaleKey(user) => {
            of_kind(user, &[Kind::USER, Kind::PRINCIPAL])
        }
        P::ServiceLinked(role)
        | P::SsoReserved(role)
        | P::Trusts(role, ..)
        | P::TrustsAnyone(role, _)
        | P::TrustsOwnAccount(role)
        | P::LooseSubject(role, _)
        | P::AssumableIfTrusted(role)
        | P::Enterable(role, _)
        | P::LaunchableWith(role)
        | P::HasInstanceProfile(role) => of_kind(role, &[Kind::ROLE]),
        P::LetsIn(role, pool, _) => {
            of_kind(role, &[Kind::ROLE])?;
            match pool.kind.name() {
                "cognito-identity.identity-pool" => Ok(()),
                other => Err(format!("asks who comes out of a `{other}`")),
            }
        }
        P::Triggered(function, _) | P::OpenUrl(function) | P::SignedCodeOnly(function) => {
            of_kind(function, &[Kind::FUNCTION])
        }
        P::Vendor(account)
        | P::InOrganization(account)
        | P::KnownAccount(account)
        | P::Restrained(account)
        | P::RootMailbox(account)
        | P::RootWeak(_, account) => of_kind(account, &[Kind::ACCOUNT]),
        _ => Ok(()),
    }
}

/// A condition key AWS documents, or a family of tag keys.
fn condition_key(key: &str) -> Checked {
    let plain = key
        .strip_suffix("/*")
        .map_or(key.to_owned(), |family| format!("{family}/${{TagKey}}"));
    match actions()
        .key_type(&plain)
        .or_else(|| actions().key_type(key))
    {
        Some(_) => Ok(()),
        None => Err(format!("tests the unknown condition key `{key}`")),
    }
}

fn of_kind(reference: &ResourceRef, kinds: &[Kind]) -> Checked {
    if kinds.contains(&reference.kind) {
        return Ok(());
    }
    Err(format!(
        "asks about `{reference}` what only a `{}` can answer",
        kinds[0]
    ))
}

/// Each variable has one kind, and what is gained is bound somewhere.
fn variables(technique: &Technique) -> Checked {
    let mut kinds: BTreeMap<&str, Kind> = BTreeMap::new();
    let required = technique
        .all_requirements()
        .flat_map(Requirement::references);
    let asked = technique.all_predicates().flat_map(Predicate::references);
    for reference in required.chain(asked) {
        let Some(name) = reference.variable() else {
            continue;
        };
        if matches!(reference.selector, Selector::SelfRef) {
            continue;
        }
        let kind = *kinds.entry(name).or_insert(reference.kind);
        if !agree(kind, reference.kind) {
            return Err(format!(
                "calls both a `{kind}` and a `{}` `${name}`",
                reference.kind
            ));
        }
    }
    let from = match &technique.yields.from {
        Source::Account(held) | Source::Held(held) => Some(held),
        _ => None,
    };
    let to = match &technique.yields.to {
        Goal::Resource(to)
        | Goal::Root(to)
        | Goal::Administrator(to)
        | Goal::Guardrails(to)
        | Goal::Data(to) => Some(to),
        _ => None,
    };
    for reference in from.into_iter().chain(to) {
        if let Some(name) = reference.variable()
            && technique.status != Status::Retired
            && name != ACCOUNT
            && !kinds.contains_key(name)
        {
            return Err(format!(
                "draws an edge with `{reference}`, which nothing binds"
            ));
        }
    }
    Ok(())
}

/// `account:$account`, the account under evaluation: that of `$self`, or each where nobody acts.
const ACCOUNT: &str = "account";

/// Kinds that are two ways to speak of one resource.
const SAME: [(&str, &str); 5] = [
    ("bucket", "bucket-content"),
    ("account", "organizations.account"),
    ("account", "organizations.member-root"),
    ("account", "sso.account"),
    ("ssm.automation-definition", "ssm.document"),
];

/// Whether one variable can be spoken of as both kinds.
fn agree(a: Kind, b: Kind) -> bool {
    let (one, other) = (a.min(b).name(), a.max(b).name());
    a == b || a == Kind::PRINCIPAL || b == Kind::PRINCIPAL || SAME.contains(&(one, other))
}

fn proof(technique: &Technique) -> Checked {
    if technique.status == Status::Retired {
        return Ok(());
    }
    let proof = &technique.proof;
    let needed = match technique.unread {
        Some(_) => vec![("unknown", &proof.unknown)],
        None => vec![
            ("fires", &proof.fires),
            ("silent", &proof.silent),
            ("unknown", &proof.unknown),
        ],
    };
    for (what, worlds) in needed {
        if worlds.is_empty() {
            return Err(format!("names no world under `proof.{what}`"));
        }
    }
    match &technique.unread {
        Some(reason) if reason.trim().is_empty() => Err("is unread without a reason".to_owned()),
        _ => Ok(()),
    }
}
