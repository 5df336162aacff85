//! How somebody who is not exempt becomes one who is.
//!
//! Ways of one step are put to the engine, which knows the ceilings: creating a principal of the
//! exempted name, taking the exempted tag, rewriting whom an exempted role trusts, handing it to
//! a service, minting a key. Longer ways are the graph's, and so is who gets to be administrator.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use palisade_model::{Arn, Gap, Observed, Role};
use serde::Deserialize;

use super::holes::{Hole, fits, is_tagged};
use super::{Becomes, Comer, PROBE, Place};
use crate::alarm::powers::{Powers, WaysIn};
use crate::policy::Decision;

/// How many comers of one kind are named one by one.
const NAMED: usize = 5;

/// Every way into the hole.
pub(super) fn into(hole: &Hole, place: &Place<'_, '_>) -> WaysIn {
    let powers = place.powers;
    let (principals, unread) = powers.principals(place.account);
    let root = Arn::root(powers.snapshot.partition, place.account);
    let mut found = Gathered {
        missing: unread.into_iter().collect(),
        ..Gathered::default()
    };
    for somebody in &principals {
        if *somebody == root || powers.is_service_linked(somebody) || hole.exempt.contains(somebody)
        {
            continue;
        }
        let one = Somebody { powers, somebody };
        for pattern in &hole.patterns {
            one.take_name(pattern, &mut found);
        }
        for (tag, value) in &hole.tags {
            one.take_tag(tag, value, &mut found);
        }
        for exempted in hole.exempt.iter().filter(|arn| **arn != root) {
            one.take_over(exempted, &mut found);
        }
    }
    for id in hole.ids.iter().filter(|id| names_nobody(id)) {
        found
            .how
            .insert(format!("`{id}` lets any session through that is named so"));
    }
    if let Some(becomes) = place.becomes {
        for exempted in hole.exempt.iter().filter(|arn| **arn != root) {
            longer(hole, place, becomes, exempted, &mut found);
        }
    }
    WaysIn {
        how: first(found.how),
        above: first(found.above),
        missing: first(found.missing),
    }
}

/// The first sentences and how many more there are: each of hundreds of principals may have one.
fn first(all: BTreeSet<String>) -> Vec<String> {
    const TOLD: usize = 12;
    let more = all.len().saturating_sub(TOLD);
    let mut told: Vec<String> = all.into_iter().take(TOLD).collect();
    if more > 0 {
        let ways = if more == 1 { "way" } else { "ways" };
        told.push(format!("and {more} {ways} more"));
    }
    told
}

/// Whether a pattern of unique ids leaves open whose id it is.
///
/// Source: "IAM identifiers", IAM User Guide: an id is never given twice, so that a whole one
/// stands for one principal for good.
fn names_nobody(id: &str) -> bool {
    let owner = id.split(':').next().unwrap_or_default();
    owner.contains(['*', '?'])
}

#[derive(Default)]
struct Gathered {
    how: BTreeSet<String>,
    above: BTreeSet<String>,
    missing: BTreeSet<String>,
}

impl Gathered {
    fn add(&mut self, decision: &Decision, says: impl FnOnce() -> String) {
        match decision {
            Decision::Allowed(_) => drop(self.how.insert(says())),
            Decision::Conditional(conditional) if conditional.residual.satisfiable_by_caller() => {
                self.how.insert(says());
            }
            Decision::Unknown(unknown) => {
                let gaps: Vec<String> = unknown
                    .gaps
                    .iter()
                    .map(|gap| format!("{}: {}", gap.name, gap.reason))
                    .collect();
                self.missing
                    .insert(format!("whether {}: {}", says(), gaps.join(", ")));
            }
            _ => {}
        }
    }
}

/// A principal that no deny exempts.
struct Somebody<'p, 'a> {
    powers: &'p Powers<'a>,
    somebody: &'p Arn,
}

impl Somebody<'_, '_> {
    fn may(&self, action: &str, resource: &str) -> Decision {
        let home = self.powers.snapshot.partition.home_region();
        self.powers.decide(self.somebody, action, resource, home)
    }

    /// By creating a principal whose name the pattern lets through.
    fn take_name(&self, pattern: &str, found: &mut Gathered) {
        let Some(witness) = witness(self.powers, self.somebody.account(), pattern) else {
            return;
        };
        let action = match witness.resource().split('/').next() {
            Some("role") => "iam:CreateRole",
            _ => "iam:CreateUser",
        };
        found.add(&self.may(action, witness.as_str()), || {
            let (name, new) = (self.somebody.name(), witness.name());
            format!("`{name}` may create `{new}`, which `{pattern}` lets through")
        });
    }

    /// By tagging itself, or by a session that carries the tag.
    fn take_tag(&self, tag: &str, value: &str, found: &mut Gathered) {
        let name = self.somebody.name();
        let role = self.powers.role(self.somebody);
        let action = if role.is_some() {
            "iam:TagRole"
        } else {
            "iam:TagUser"
        };
        found.add(&self.may(action, self.somebody.as_str()), || {
            format!("`{name}` may tag itself `{tag}` = `{value}`")
        });
        let sessions = role.is_some_and(|role| {
            let trust = role.trust.as_str().to_ascii_lowercase();
            trust.contains("sts:tagsession") || trust.contains("sts:*")
        });
        if sessions && !is_tagged(self.powers, self.somebody, tag, value) {
            found.how.insert(format!(
                "sessions of `{name}` may be tagged `{tag}` = `{value}`"
            ));
        }
    }

    /// By taking an exempted principal over in one step.
    fn take_over(&self, exempted: &Arn, found: &mut Gathered) {
        let (who, name) = (self.somebody.name(), exempted.name());
        let target = exempted.as_str();
        if self.powers.user(exempted).is_some() {
            for action in [
                "iam:CreateAccessKey",
                "iam:CreateLoginProfile",
                "iam:UpdateLoginProfile",
            ] {
                found.add(&self.may(action, target), || {
                    format!("`{who}` may sign in as `{name}`: {action}")
                });
            }
            return;
        }
        let Some(role) = self.powers.role(exempted) else {
            return;
        };
        found.add(&self.may("iam:UpdateAssumeRolePolicy", target), || {
            format!("`{who}` may change the trust policy of `{name}`")
        });
        found.add(&self.may("sts:AssumeRole", target), || {
            format!("`{who}` may assume `{name}`")
        });
        self.replace_code(role, found);
        self.hand_over(role, found);
    }

    /// By rewriting a function that runs as the exempted role.
    fn replace_code(&self, role: &Role, found: &mut Gathered) {
        const ACTION: &str = "lambda:UpdateFunctionCode";
        let (who, name) = (self.somebody.name(), role.arn.name());
        let partition = self.powers.snapshot.partition;
        let account = role.arn.account();
        let Some(data) = self.powers.snapshot.accounts.get(account) else {
            return;
        };
        // No function runs as a role that does not trust Lambda.
        let trusts = role.trust.as_str().contains("\"lambda.amazonaws.com\"");
        let unread = |region: &str, gap: &Gap, found: &mut Gathered| {
            if !trusts {
                return;
            }
            // Nobody knows what the functions are called: only a deny of all of them is one.
            let any = format!("arn:{partition}:lambda:{region}:{account}:function:{PROBE}");
            if !matches!(self.may(ACTION, &any), Decision::Denied(_)) {
                found.missing.insert(format!(
                    "whether `{who}` may replace code that runs as `{name}`: {gap}"
                ));
            }
        };
        if let Some(gap) = data.regions.gap().or(data.regions_gap.as_ref()) {
            unread(partition.home_region(), gap, found);
        }
        for (region, facts) in data.enabled_regions() {
            let functions = match &facts.functions {
                Observed::Value(functions) => functions,
                Observed::Gap(gap) => {
                    unread(region, gap, found);
                    continue;
                }
                _ => continue,
            };
            for function in functions.values().filter(|one| one.role == role.arn) {
                found.add(&self.may(ACTION, function.arn.as_str()), || {
                    let function = function.arn.name();
                    format!("`{who}` may replace the code of `{function}`, which runs as `{name}`")
                });
            }
        }
    }

    /// By passing the exempted role to a service that does what its caller says.
    fn hand_over(&self, role: &Role, found: &mut Gathered) {
        let (who, name) = (self.somebody.name(), role.arn.name());
        let ways = passing(role.trust.as_str());
        if ways.is_empty() {
            return;
        }
        let pass = self.may("iam:PassRole", role.arn.as_str());
        if matches!(pass, Decision::Denied(_)) {
            return;
        }
        let mut certain: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (service, action) in ways {
            let says = || format!("`{who}` may hand `{name}` to {service}: {action}");
            let start = self.may(action, "*");
            // Both have to be allowed: the less certain one tells.
            let less = match (&pass, &start) {
                (_, Decision::Denied(_)) => continue,
                (Decision::Allowed(_), start) => start,
                (pass @ Decision::Unknown(_), _) => pass,
                (_, start @ Decision::Unknown(_)) => start,
                (pass, Decision::Allowed(_)) => pass,
                (pass @ Decision::Conditional(c), _) if !c.residual.satisfiable_by_caller() => pass,
                (_, start) => start,
            };
            match less {
                Decision::Unknown(_) => found.add(less, says),
                Decision::Allowed(_) => certain.entry(service).or_default().push(action),
                Decision::Conditional(c) if c.residual.satisfiable_by_caller() => {
                    certain.entry(service).or_default().push(action);
                }
                _ => {}
            }
        }
        // One sentence for a service, however many of its calls take the role.
        for (service, actions) in certain {
            let calls = match actions.as_slice() {
                [first, _, rest @ ..] => format!("{first} and {} more calls", rest.len() + 1),
                one => one.concat(),
            };
            let says = format!("`{who}` may hand `{name}` to {service}: {calls}");
            found
                .how
                .insert(says.replace(" 1 more calls", " one more call"));
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Passing {
    #[serde(rename = "checked")]
    _checked: String,
    services: BTreeMap<String, Vec<String>>,
}

/// Services that take a role and do what their caller says with it, by service principal, each
/// with the calls by which a role is handed over.
pub fn passes() -> &'static BTreeMap<String, Vec<String>> {
    static PASSING: OnceLock<Passing> = OnceLock::new();
    let table = PASSING.get_or_init(|| {
        // The file is part of the build, and a test reads it.
        serde_yaml_ng::from_str(include_str!("../facts/pass-role.yaml"))
            .expect("the file is well formed")
    });
    &table.services
}

/// Services that the trust policy names, and the calls that hand a role to them.
fn passing(trust: &str) -> Vec<(&'static str, &'static str)> {
    let named = passes()
        .iter()
        .filter(|(service, _)| trust.contains(&format!("\"{service}\"")));
    named
        .flat_map(|(service, actions)| {
            let actions = actions.iter();
            actions.map(move |action| (service.as_str(), action.as_str()))
        })
        .collect()
}

/// What the graph knows of ways to an exempted principal.
fn longer(
    hole: &Hole,
    place: &Place<'_, '_>,
    becomes: &dyn Becomes,
    exempted: &Arn,
    found: &mut Gathered,
) {
    let name = exempted.name();
    let reached = becomes.reach(exempted);
    let counts = |comer: &&Comer| !is_exempt(hole, place, comer, exempted);
    let (above, below): (Vec<&Comer>, Vec<&Comer>) = reached
        .surely
        .iter()
        .filter(counts)
        .partition(|comer| is_above(place, comer));
    say(&below, &mut found.how, |who, by| {
        format!("{who} can become `{name}`{by}")
    });
    say(&above, &mut found.above, |who, by| {
        format!("{who} of the management account can become `{name}`{by}")
    });
    let perhaps: Vec<&Comer> = reached
        .perhaps
        .iter()
        .filter(counts)
        .filter(|comer| !is_above(place, comer))
        .collect();
    say(&perhaps, &mut found.missing, |who, by| {
        format!("whether {who} can become `{name}`{by}: something on the way was not read")
    });
    if administrator_takes(place, exempted) {
        let reached = becomes.administer(exempted.account());
        let comers: Vec<&Comer> = reached
            .surely
            .iter()
            .filter(counts)
            .filter(|comer| !is_above(place, comer))
            .collect();
        say(&comers, &mut found.how, |who, by| {
            format!(
                "{who} can become administrator{by}, and nothing keeps an administrator from taking over `{name}`"
            )
        });
    }
}

/// Names the first few and counts the rest.
fn say(comers: &[&Comer], into: &mut BTreeSet<String>, says: impl Fn(String, String) -> String) {
    for comer in comers.iter().take(NAMED) {
        let by = match comer.by.as_slice() {
            [] => String::new(),
            by => format!(" by {}", by.join(", ")),
        };
        into.insert(says(format!("`{}`", comer.name), by));
    }
    if let Some(more) = comers.len().checked_sub(NAMED).filter(|more| *more > 0) {
        into.insert(says(format!("{more} others"), String::new()));
    }
}

/// Whether the comer is let through anyway.
fn is_exempt(hole: &Hole, place: &Place<'_, '_>, comer: &Comer, exempted: &Arn) -> bool {
    let Some(arn) = &comer.arn else {
        return false;
    };
    let by_name = || {
        hole.patterns
            .iter()
            .any(|pattern| fits(pattern, arn.as_str()))
    };
    let by_tag = || {
        hole.tags
            .iter()
            .any(|(tag, value)| is_tagged(place.powers, arn, tag, value))
    };
    arn == exempted || hole.exempt.contains(arn) || by_name() || by_tag()
}

/// Whether the comer stands in the management account, which no SCP binds.
fn is_above(place: &Place<'_, '_>, comer: &Comer) -> bool {
    let organization = match &place.powers.snapshot.organization {
        Observed::Value(organization) => organization,
        _ => return false,
    };
    let account = comer.arn.as_ref().map(Arn::account);
    account == Some(organization.management_account.as_str())
}

/// Whether the ceilings leave an administrator of the account a way to take the role over.
fn administrator_takes(place: &Place<'_, '_>, exempted: &Arn) -> bool {
    let powers = place.powers;
    let account = exempted.account();
    let home = powers.snapshot.partition.home_region();
    let probe = Arn::iam(powers.snapshot.partition, account, "role", "/", PROBE);
    let action = match powers.role(exempted) {
        Some(_) => "iam:UpdateAssumeRolePolicy",
        None => "iam:CreateAccessKey",
    };
    let mut context = powers.circumstances(account, exempted.as_str(), home);
    context.set("aws:PrincipalArn", probe.as_str());
    let (decision, _) = powers.ceiling_decides(&probe, action, exempted.as_str(), &context);
    decision.is_allowed()
}

/// A principal that does not exist yet and that the pattern lets through.
fn witness(powers: &Powers<'_>, account: &str, pattern: &str) -> Option<Arn> {
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let resource = match parts.as_slice() {
        [_, _, "iam" | "*", _, _, resource] => resource,
        ["*"] => &"role/*",
        _ => return None,
    };
    let resource = match resource.strip_prefix('*') {
        Some(rest) if !resource.contains('/') => format!("role/{PROBE}{rest}"),
        _ => resource.replace('*', PROBE).replace('?', "x"),
    };
    if !resource.starts_with("role/") && !resource.starts_with("user/") {
        return None;
    }
    let partition = powers.snapshot.partition;
    let arn = Arn::new(format!("arn:{partition}:iam::{account}:{resource}"));
    let taken = powers.role(&arn).is_some() || powers.user(&arn).is_some();
    // Paths of service-linked and Identity Center roles are reserved.
    let reserved = resource.starts_with("role/aws-service-role/")
        || resource.starts_with("role/aws-reserved/");
    (!taken && !reserved).then_some(arn)
}
