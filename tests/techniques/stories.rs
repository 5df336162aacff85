//! Worlds with a story: each says which steps there are, and there are no others.
//!
//! The generated variants prove the engine; these prove the data. A step is written as
//! `FROM -[technique]-> TO`, a principal or resource by the last part of its ARN
//! (`role/deploy`, `function:report`), one that has made itself more with a `+` behind it. In a
//! world of several accounts the account stands before: `111122223333:role/deploy`.

use std::collections::{BTreeMap, BTreeSet};

use palisade::graph::{Graph, Node, Status, Unheard};
use palisade::policy::Engine;
use palisade_checks::techniques;
use palisade_mocks::{World, world_folder};

/// Services whose techniques draw no step, and why.
const UNDRAWN: [(&str, &str); 9] = [
    ("bedrock", "what is gained is capacity"),
    ("codestar", "the service is gone"),
    ("events", "the role is reached only through its targets"),
    ("pipes", "the role is reached only through its targets"),
    ("ram", "what is shared is not collected"),
    ("redshift", "the role is reached only through the database"),
    ("root", "it begins with a credential that leaked"),
    (
        "servicecatalog",
        "the role is reached only through a template",
    ),
    ("transfer", "the role is reached only through a file server"),
];

/// Techniques of other services that draw no step of their own, and why.
const UNTOLD: [(&str, &str); 11] = [
    ("ec2.gpu-compute-abuse", "what is gained is capacity"),
    (
        "ec2.notebook-backdoor",
        "whose role it wears, starting a machine gains",
    ),
    (
        "iam.long-lived-key-exposed",
        "it begins with a credential that leaked",
    ),
    ("iam.recon-read-only", "what is gained is knowledge"),
    (
        "iam.shadow-infrastructure",
        "what is made gains nothing by itself",
    ),
    ("org.saas-pivot", "it leads out of the estate"),
    (
        "ssm.automation-existing-role",
        "the role is reached only through a runbook",
    ),
    ("ssm.command-output-secrets", "what is gained is knowledge"),
    ("sts.federation-token-persistence", "what is gained is time"),
    ("sts.role-chain", "each of its steps is told for itself"),
    (
        "sts.service-trust-confused-deputy",
        "the role is reached only through its service",
    ),
];

/// The story worlds of this storey, by name.
fn stories() -> Vec<String> {
    let folder = world_folder().join("proof");
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter_map(|name| name.strip_suffix(".yaml").map(str::to_owned))
        .filter(|name| name.starts_with("story-"))
        .collect();
    names.sort();
    names
}

/// How a story calls a node.
fn short(node: &Node, accounts: usize) -> String {
    let own = |name: String| match node.account() {
        Some(account) if accounts > 1 => format!("{account}:{name}"),
        _ => name,
    };
    match node {
        Node::Principal { arn } | Node::Workload { arn } | Node::Data { arn } => {
            own(arn.resource().to_owned())
        }
        Node::Elevated { arn, .. } => own(format!("{}+", arn.resource())),
        Node::Administrator { .. } => own("administrator".to_owned()),
        Node::Organization { .. } => "organization".to_owned(),
        Node::IdentityProvider { provider } if provider == "*" => "tenants".to_owned(),
        Node::IdentityProvider { provider } => {
            let name = provider.split_once("-provider/");
            name.map_or(provider.as_str(), |parts| parts.1).to_owned()
        }
        other => other.id(),
    }
}

/// Steps by how sure they are, as the world tells them.
fn told(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let steps = world.truth().more.get("steps").cloned();
    serde_json::from_value(steps.unwrap_or_default()).unwrap_or_default()
}

/// Steps by how sure they are, as the graph draws them.
fn drawn(world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let engine = Engine::new(world.snapshot());
    let all = techniques().unwrap();
    let graph = Graph::build(world.snapshot(), all, &engine, &Unheard);
    let accounts = world.snapshot().accounts.len();
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    // What somebody does once he has made more of himself is told by the step that made it.
    let now = graph.steps().into_iter();
    let now = now.filter(|(from, ..)| !matches!(from, Node::Elevated { .. }));
    for (from, technique, to, status) in now {
        let status = match status {
            Status::Proven => "proven",
            Status::Conditional => "conditional",
            Status::Possible => "possible",
        };
        let (from, to) = (short(&from, accounts), short(&to, accounts));
        let step = format!("{from} -[{technique}]-> {to}");
        found.entry(status.to_owned()).or_default().insert(step);
    }
    found
}

#[test]
fn every_story_tells_each_step_and_no_other_is_drawn() {
    let mut faults = Vec::new();
    for name in stories() {
        let world = World::load(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
        let (told, drawn) = (told(&world), drawn(&world));
        let none = BTreeSet::new();
        for status in ["proven", "conditional", "possible"] {
            let told = told.get(status).unwrap_or(&none);
            let drawn = drawn.get(status).unwrap_or(&none);
            let missing = told.difference(drawn);
            faults.extend(missing.map(|step| format!("{name}: not {status}: {step}")));
            let extra = drawn.difference(told);
            faults.extend(extra.map(|step| format!("{name}: {status}, and not told: {step}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn what_a_story_calls_a_decoy_is_there_and_nothing_leads_to_it() {
    let mut faults = Vec::new();
    for name in stories() {
        let world = World::load(&name).unwrap();
        let Some(decoys) = world.truth().more.get("decoys").and_then(|d| d.as_object()) else {
            faults.push(format!("{name} has no decoy"));
            continue;
        };
        let text = serde_json::to_string(world.snapshot()).unwrap();
        let steps: BTreeSet<String> = told(&world).into_values().flatten().collect();
        for (decoy, why) in decoys {
            let resource = decoy
                .rsplit(':')
                .next()
                .unwrap_or(decoy)
                .trim_end_matches('+');
            if !text.contains(resource) || why.as_str().is_none_or(str::is_empty) {
                faults.push(format!("{name}: {decoy} is not there, or for no reason"));
            }
            if steps
                .iter()
                .any(|step| step.ends_with(&format!("-> {decoy}")))
            {
                faults.push(format!("{name}: {decoy} is no decoy"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_service_of_the_catalogue_has_a_story() {
    let mut told_of = BTreeSet::new();
    for name in stories() {
        let world = World::load(&name).unwrap();
        for step in told(&world).into_values().flatten() {
            let technique = step.split(['[', ']']).nth(1).unwrap_or_default();
            told_of.insert(technique.split('.').next().unwrap_or_default().to_owned());
        }
    }
    let services: BTreeSet<&str> = techniques()
        .unwrap()
        .iter()
        .map(|technique| technique.service.as_str())
        .filter(|service| !UNDRAWN.iter().any(|(undrawn, _)| undrawn == service))
        .collect();
    let missing: Vec<&&str> = services
        .iter()
        .filter(|service| !told_of.contains(**service))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    let idle: Vec<&str> = UNDRAWN.iter().map(|(service, _)| *service).collect();
    let drawn: Vec<&&str> = idle.iter().filter(|s| told_of.contains(**s)).collect();
    assert!(drawn.is_empty(), "{drawn:?}");
}

#[test]
fn every_technique_that_draws_a_step_has_a_story() {
    let mut told_of = BTreeSet::new();
    let folders = [world_folder(), world_folder().join("proof")];
    let entries = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(folder).unwrap());
    for entry in entries {
        let path = entry.unwrap().path();
        let file = match path.is_dir() {
            true => path.join("world.yaml"),
            false => path,
        };
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let steps = text.split("-[").skip(1);
        told_of.extend(steps.filter_map(|rest| Some(rest.split_once("]->")?.0.to_owned())));
    }
    let drawn = techniques().unwrap().iter().filter(|technique| {
        technique.status != palisade_checks::technique::Status::Retired
            && technique.unread.is_none()
            && !UNDRAWN
                .iter()
                .any(|(service, _)| *service == technique.service)
    });
    let untold: Vec<&str> = drawn
        .map(|technique| technique.id.as_str())
        .filter(|id| !told_of.contains(*id))
        .collect();
    let reasons: Vec<&str> = UNTOLD.iter().map(|(id, _)| *id).collect();
    assert_eq!(untold, reasons);
}

#[test]
fn every_step_of_a_path_says_what_it_stands_on() {
    let mut faults = Vec::new();
    for name in stories() {
        let world = World::load(&name).unwrap();
        let engine = Engine::new(world.snapshot());
        let all = techniques().unwrap();
        let graph = Graph::build(world.snapshot(), all, &engine, &Unheard);
        for pair in graph.paths(&palisade::graph::Query::default()).pairs {
            let hops = pair.best.hops.iter();
            let drawn = hops.filter(|hop| all.iter().any(|known| known.id == hop.technique));
            let bare = drawn.filter(|hop| hop.requests.is_empty() && hop.facts.is_empty());
            faults.extend(bare.map(|hop| format!("{name}: {} to {}", hop.technique, hop.to.id())));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
