//! Resources that need no type of their own: answers written by the rows they are read with.

use std::collections::BTreeMap;

use palisade_model::listing::{
    ArnFrom, Ask, At, LISTINGS, Listing, Name, RoleFrom, Value as Sent, Wire,
};
use palisade_model::{Gap, Observed, Resource};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::failure::Failure;
use super::generic_write::{at_path, grow, join, put, write, write_tags};
use super::{Desk, Outcome};

pub(super) fn answer(desk: &Desk<'_>) -> Outcome {
    let call = desk.call;
    let asked = |ask: &Ask| ask.service.prefix == call.service && ask.operation == call.operation;
    for row in LISTINGS {
        if let Some(narrow) = row.narrow
            && asked(&narrow.ask)
            && asks_for_less(desk, row, &narrow.ask)
        {
            return list(desk, row, narrow.attributes);
        }
        if asked(&row.list) && constants_match(desk, &row.list) {
            return list(desk, row, &[]);
        }
    }
    let mut known = false;
    let mut merged: Option<Value> = None;
    for row in LISTINGS {
        for (index, ask) in row.details.iter().enumerate() {
            if !asked(ask) || !constants_match(desk, ask) {
                continue;
            }
            known = true;
            if let Some(value) = detail(desk, row, ask, index + 1)? {
                let under = merged.take().unwrap_or_default();
                merged = Some(join(under, value));
            }
        }
    }
    match (known, merged) {
        (_, Some(value)) => Ok(written(desk, value)),
        (true, None) => Err(missing(desk)),
        (false, None) => Err(desk.unknown()),
    }
}

/// Rows speak of XML as it is written, so lists repeat their element.
fn written(desk: &Desk<'_>, value: Value) -> Answer {
    let xml = LISTINGS
        .iter()
        .flat_map(|row| std::iter::once(&row.list).chain(row.details))
        .any(|ask| {
            ask.service.prefix == desk.call.service
                && matches!(
                    ask.service.wire,
                    Wire::Query { .. } | Wire::Ec2 { .. } | Wire::RestXml
                )
        });
    Answer {
        flat: xml,
        root: "Result",
        ..Answer::of(value)
    }
}

fn missing(desk: &Desk<'_>) -> Failure {
    let absent = LISTINGS
        .iter()
        .flat_map(|row| row.details)
        .find(|ask| ask.operation == desk.call.operation && !ask.absent.is_empty());
    let code = absent.map_or("ResourceNotFoundException", |ask| ask.absent[0]);
    let status = match absent.map(|ask| &ask.service.wire) {
        Some(Wire::RestJson | Wire::RestXml) => 404,
        _ => 400,
    };
    Failure::new(
        status,
        code.split(':').next().unwrap_or(code),
        "The resource was not found.",
    )
}

/// Whether the parameters that a row sends as constants and that set it apart are the call's.
/// A client that leaves them out is taken to mean the row.
fn constants_match(desk: &Desk<'_>, ask: &Ask) -> bool {
    ask.send.iter().all(|(name, value)| match value {
        Sent::Text(text) => desk.call.text(name).is_none_or(|given| given == *text),
        Sent::Json(text) => {
            let wanted: Value = serde_json::from_str(text).unwrap_or_default();
            desk.call
                .input
                .get(*name)
                .is_none_or(|given| *given == wanted)
        }
        _ => true,
    })
}

/// Whether the call holds what the second list call of a row sends besides the first.
fn asks_for_less(desk: &Desk<'_>, row: &Listing, narrow: &Ask) -> bool {
    let known = |name: &str| row.list.send.iter().any(|(sent, _)| *sent == name);
    let mut own = narrow.send.iter().filter(|(name, _)| !known(name));
    own.all(|(name, value)| match value {
        Sent::Texts(texts) => desk.call.list(name) == *texts,
        Sent::Text(text) => desk.call.text(name).as_deref() == Some(text),
        _ => false,
    })
}

/// The resources of a row, where the call is made: `None` when the kind is not offered there.
fn resources<'a>(
    desk: &Desk<'a>,
    row: &Listing,
) -> Outcome<Option<&'a BTreeMap<String, Resource>>> {
    let found = match row.global {
        true => desk.home()?.resources.get(row.kind),
        false => desk
            .region()?
            .and_then(|region| region.resources.get(row.kind)),
    };
    match found {
        Some(found) => desk.fact(found),
        None => Ok(None),
    }
}

/// Lists the resources of a row; where `telling` names attributes, those that have one.
fn list(desk: &Desk<'_>, row: &Listing, telling: &[&str]) -> Outcome {
    let mut items = Vec::new();
    let tells = |resource: &Resource| {
        let mut named = telling.iter();
        telling.is_empty() || named.any(|name| has_something(resource.attributes.get(*name)))
    };
    for (name, resource) in resources(desk, row)?.into_iter().flatten() {
        if !tells(resource) || !under_parent(desk, row, name)? {
            continue;
        }
        if let Some(gap) = gap_of(resource, row, 0) {
            return Err(Failure::of_gap(desk.call, gap));
        }
        items.push(item(desk, row, name, resource));
    }
    let page = match row.list.page.send {
        "" => super::page::Page { items, next: None },
        token => desk.page(items, token, most(row))?,
    };
    let mut value = json!({});
    for (index, item) in page.items.into_iter().enumerate() {
        put(&mut value, row.items, item, &[index]);
    }
    if row.items != "." && value.as_object().is_some_and(Map::is_empty) {
        let top = row.items.split('.').next().unwrap_or_default();
        match (
            row.list.service.wire == Wire::RestJson,
            top.strip_suffix("[]"),
        ) {
            (_, Some(name)) => value[name] = json!([]),
            (_, None) => value[top] = json!({}),
        }
    }
    if let Some(next) = page.next {
        put(&mut value, row.list.page.read, next.into(), &[]);
    }
    Ok(written(desk, value))
}

fn has_something(fact: Option<&Observed<Value>>) -> bool {
    match fact {
        Some(Observed::Value(Value::Array(all))) => !all.is_empty(),
        Some(Observed::Value(_) | Observed::Gap(_)) => true,
        _ => false,
    }
}

/// The parameter that limits a page, where the row sends one.
fn most(row: &Listing) -> &'static str {
    row.list
        .send
        .iter()
        .find(|(_, value)| matches!(value, Sent::Number(_)))
        .map_or("MaxResults", |(name, _)| *name)
}

/// Whether a resource belongs to the parent that the call names.
fn under_parent(desk: &Desk<'_>, row: &Listing, name: &str) -> Outcome<bool> {
    let Some(kind) = row.under else {
        return Ok(true);
    };
    let Some(parent) = Listing::of(kind) else {
        return Ok(false);
    };
    let parents = resources(desk, parent)?;
    for (sent, value) in row.list.send {
        let wanted = desk.call.text(sent).unwrap_or_default();
        let found = parents
            .into_iter()
            .flatten()
            .find(|(own, resource)| match value {
                Sent::ParentName => **own == wanted,
                Sent::ParentArn => resource.arn.as_str() == wanted || **own == wanted,
                _ => false,
            });
        if let Some((own, _)) = found {
            return Ok(name
                .strip_prefix(own.as_str())
                .is_some_and(|rest| rest.starts_with('/')));
        }
    }
    Ok(false)
}

/// The gap among the facts that come from one answer.
fn gap_of<'a>(resource: &'a Resource, row: &Listing, source: usize) -> Option<&'a Gap> {
    let from_here = |at: &At| at.source == source;
    let role = match &row.role {
        RoleFrom::Arn(at) | RoleFrom::Within(at) | RoleFrom::Profile(at) if from_here(at) => {
            resource.role.gap()
        }
        _ => None,
    };
    let policy = row
        .policy
        .filter(from_here)
        .and_then(|_| resource.policy.gap());
    let attributes = row
        .attributes
        .iter()
        .filter(|attribute| from_here(&attribute.at))
        .find_map(|attribute| resource.attributes.get(attribute.name)?.gap());
    let tags = row.tags.map(|tags| tags.at).filter(from_here);
    let tags = tags.and_then(|_| resource.tags.gap());
    role.or(policy).or(attributes).or(tags)
}

/// The item as the list call shows it.
fn item(desk: &Desk<'_>, row: &Listing, name: &str, resource: &Resource) -> Value {
    let mut value = json!({});
    let own = match row.under {
        Some(_) => name.split_once('/').map_or(name, |(_, own)| own),
        None => name,
    };
    match row.name {
        Name::Path(path) | Name::UnderParent(path) => put(&mut value, path, own.into(), &[]),
        Name::LastOf(path) | Name::AfterSlash(path) => {
            let arn = &resource.arn;
            // What is named by no ARN is named by a URL.
            let text = match row.name {
                Name::AfterSlash(_) if !arn.as_str().contains('/') => format!(
                    "https://{}.{}.amazonaws.com/{}/{own}",
                    row.list.service.host,
                    arn.region(),
                    arn.account()
                ),
                _ => arn.to_string(),
            };
            put(&mut value, path, text.into(), &[]);
        }
        Name::Fixed(_) => {}
    }
    if !row.owner.is_empty() {
        put(
            &mut value,
            row.owner,
            desk.call.account.as_str().into(),
            &[],
        );
    }
    facts(desk, row, resource, 0, &mut value);
    value
}

/// Writes the facts that come from one answer into it.
fn facts(desk: &Desk<'_>, row: &Listing, resource: &Resource, source: usize, value: &mut Value) {
    if let ArnFrom::Path(at) = row.arn
        && at.source == source
    {
        put(value, at.path, resource.arn.as_str().into(), &[]);
    }
    for attribute in row
        .attributes
        .iter()
        .filter(|attribute| attribute.at.source == source)
    {
        if let Some(Observed::Value(fact)) = resource.attributes.get(attribute.name) {
            let wire = &row.list.service.wire;
            write(value, attribute.at.path, attribute.shape, fact, wire);
        }
    }
    if let Some(tags) = row.tags.filter(|tags| tags.at.source == source) {
        write_tags(value, tags, resource.tags.value());
    }
    match row.role {
        RoleFrom::Arn(at) if at.source == source => {
            if let Some(role) = resource.role.value() {
                put(value, at.path, role.as_str().into(), &[]);
            }
        }
        RoleFrom::Within(at) if at.source == source => {
            let document = match resource.role.value() {
                Some(role) => json!({"schemaVersion": "0.3", "assumeRole": role.as_str()}),
                None => json!({"schemaVersion": "0.3"}),
            };
            put(value, at.path, document.to_string().into(), &[]);
        }
        RoleFrom::Profile(at) if at.source == source => {
            if let Some(profile) = profile_of(desk, resource) {
                put(value, at.path, profile.into(), &[]);
            }
        }
        _ => {}
    }
    if let Some(at) = row.policy.filter(|at| at.source == source)
        && let Some(policy) = resource.policy.value()
    {
        put(value, at.path, policy.as_str().into(), &[]);
    }
}

/// The instance profile that holds the resource's role.
fn profile_of(desk: &Desk<'_>, resource: &Resource) -> Option<String> {
    let role = resource.role.value()?;
    let roles = desk.account()?.iam.roles.value()?;
    let role = roles.values().find(|known| known.arn == *role)?;
    Some(role.instance_profiles.first()?.arn.to_string())
}

/// The answer of a detail call: of the items that the parameters name.
fn detail(desk: &Desk<'_>, row: &Listing, ask: &Ask, source: usize) -> Outcome<Option<Value>> {
    let mut answer: Option<Value> = None;
    for (name, resource) in resources(desk, row)?.into_iter().flatten() {
        let item = item(desk, row, name, resource);
        let Some(index) = named(desk, ask, &item, resource) else {
            continue;
        };
        if let Some(gap) = gap_of(resource, row, source) {
            return Err(Failure::of_gap(desk.call, gap));
        }
        let mut value = json!({});
        facts(desk, row, resource, source, &mut value);
        let under = answer.take().unwrap_or_else(|| json!({}));
        answer = Some(match index {
            None => join(under, value),
            // Of several items asked for at once, each stands in its own place of the list.
            Some(_) => grow(under, value),
        });
    }
    Ok(answer)
}

/// Whether the parameters name this item, and at which place of a list parameter.
fn named(desk: &Desk<'_>, ask: &Ask, item: &Value, resource: &Resource) -> Option<Option<usize>> {
    let mut place = None;
    for (name, sent) in ask.send {
        match sent {
            Sent::Item(path) => {
                let (own, given) = match (at_path(item, path), desk.call.text(name)) {
                    (Some(own), Some(given)) => (own, given),
                    (None, None) => continue, // nothing to send, nothing sent
                    _ => return None,
                };
                if given != own && given != resource.arn.as_str() && given != resource.arn.name() {
                    return None;
                }
            }
            Sent::Arn if desk.call.text(name)? == resource.arn.as_str() => {}
            Sent::Arn => return None,
            Sent::ItemList(path) => {
                let own = at_path(item, path)?;
                let given = desk.call.list(name);
                let fits = |one: &String| *one == own || one == resource.arn.as_str();
                place = Some(given.iter().position(fits)?);
            }
            _ => {}
        }
    }
    Some(place)
}
