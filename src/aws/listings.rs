//! The generic collector: every row of the listing table, for one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use palisade_model::listing::{
    ArnFrom, Ask, At, LISTINGS, Listing, Name, RoleFrom, Shape, Tags, Value as Parameter,
};
use palisade_model::{Arn, Call, Gap, GapKind, Iam, Observed, Per, PolicyText, Resource, Why};
use serde_json::{Value, json};

use crate::engine::Place;
use crate::lambda::key_ids;
use crate::path;
use crate::s3::or_absent;
use crate::tasks::{each, guarded};
use crate::wire::Question;

/// Resources by kind, then by name.
pub(crate) type Kinds = BTreeMap<String, Observed<BTreeMap<String, Resource>>>;

/// How many resources of a kind in one place are described one by one.
const DESCRIBED: usize = 250;

/// The resource above, of whose call a listing is one.
struct Parent {
    name: String,
    arn: String,
}

/// Every kind of this place: the global ones in the home region when `global`, else the others.
pub(crate) async fn resources(place: &Place, global: bool) -> Kinds {
    let mut kinds = Kinds::new();
    let mut waiting: Vec<&'static Listing> =
        LISTINGS.iter().filter(|row| row.global == global).collect();
    while !waiting.is_empty() {
        let (ready, later): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .partition(|row| row.under.is_none_or(|parent| kinds.contains_key(parent)));
        if ready.is_empty() {
            break; // the table's own test sees to it that every parent is a row
        }
        let known = &kinds;
        let read = each(ready, |row: &'static Listing| async move {
            let found = guarded(row.list.call, under(place, row, known)).await;
            (row.kind.to_owned(), found)
        });
        let read = read.await;
        kinds.extend(read);
        waiting = later;
    }
    kinds
}

/// Every kind as unknown: the collector itself failed.
pub(crate) fn failed(global: bool) -> Kinds {
    let rows = LISTINGS.iter().filter(|row| row.global == global);
    rows.map(|row| {
        let gap = Gap::new(row.list.call, GapKind::Internal);
        (row.kind.to_owned(), gap.into())
    })
    .collect()
}

async fn under(
    place: &Place,
    row: &'static Listing,
    known: &Kinds,
) -> Observed<BTreeMap<String, Resource>> {
    let Some(parent) = row.under else {
        return list(place, row, None).await;
    };
    let parents = match known.get(parent) {
        Some(Observed::Value(parents)) => parents,
        Some(Observed::Absent) | None => return Observed::Value(BTreeMap::new()),
        Some(other) => return other.clone(),
    };
    let parents: Vec<Parent> = parents
        .iter()
        .map(|(name, resource)| Parent {
            name: name.clone(),
            arn: resource.arn.to_string(),
        })
        .collect();
    let read = each(parents, |parent| async move {
        list(place, row, Some(&parent)).await
    });
    let mut all = BTreeMap::new();
    for found in read.await {
        match found {
            Observed::Value(found) => all.extend(found),
            Observed::Absent => {}
            // What hangs below one parent is unread, so the list of all is.
            other => return other,
        }
    }
    Observed::Value(all)
}

async fn list(
    place: &Place,
    row: &'static Listing,
    parent: Option<&Parent>,
) -> Observed<BTreeMap<String, Resource>> {
    let service = row.list.service;
    if !service.regions.is_empty() && !service.regions.contains(&place.region.as_str()) {
        return Observed::not_applicable(
            Why::NotOffered,
            format!("{} is not offered in {}", service.prefix, place.region),
        );
    }
    let per = match (row.under, row.global) {
        (Some(_), _) => Per::Item,
        (None, true) => Per::Account,
        (None, false) => Per::Region,
    };
    let call = row.list.call(per);
    let question = question(&row.list, &Value::Null, parent, None);
    let page = (row.items, row.list.page.send, row.list.page.read);
    let listed = match place.question_pages(&call, question, page).await {
        Observed::Value(listed) => listed,
        other => return other.map(|_| BTreeMap::new()),
    };
    let mut listed: Vec<Value> = listed
        .into_iter()
        .filter(|item| is_own(place, row, item))
        .collect();
    let narrow = narrowed(place, row, &call, parent).await;
    let left_out = |item: &Value| {
        let named = |few: &BTreeSet<String>| name_in(row, item).is_some_and(|n| few.contains(&n));
        narrow.as_ref().is_some_and(|few| !named(few))
    };
    // Of too many, those that have something to say are described.
    listed.sort_by_key(left_out);
    let (described, left_out) = (&AtomicUsize::new(0), &left_out);
    let read = each(listed, |item| async move {
        let whole = described.fetch_add(1, Ordering::Relaxed) < DESCRIBED;
        let silent = left_out(&item);
        let (name, mut resource) = resource(place, row, parent, item, whole).await?;
        let known = row.narrow.iter().filter(|_| silent);
        for attribute in known.flat_map(|narrow| narrow.attributes) {
            resource
                .attributes
                .insert((*attribute).to_owned(), Observed::Absent);
        }
        Some((name, resource))
    });
    let mut all = BTreeMap::new();
    for found in read.await {
        match found {
            // One thing of a region that says nothing is not configured.
            Some((_, resource)) if is_bare(row, &resource) => {}
            Some((name, resource)) => {
                all.insert(name, resource);
            }
            None => return unnamed(row),
        }
    }
    Observed::Value(all)
}

/// Whether an item belongs to the account that is asked.
fn is_own(place: &Place, row: &Listing, item: &Value) -> bool {
    row.owner.is_empty()
        || path::text(item, row.owner).is_none_or(|owner| owner == place.visit.account)
}

/// The name that a list gives an item.
fn name_in(row: &Listing, item: &Value) -> Option<String> {
    match row.name {
        Name::Path(path) => path::text(item, path),
        _ => None,
    }
}

/// The items that the row's second list call names; `None` where there is none, or no answer.
async fn narrowed(
    place: &Place,
    row: &'static Listing,
    call: &Call,
    parent: Option<&Parent>,
) -> Option<BTreeSet<String>> {
    let narrow = row.narrow.as_ref()?;
    let question = question(&narrow.ask, &Value::Null, parent, None);
    let page = (row.items, narrow.ask.page.send, narrow.ask.page.read);
    match place.question_pages(call, question, page).await {
        Observed::Value(few) => few.iter().map(|item| name_in(row, item)).collect(),
        _ => None,
    }
}

fn is_bare(row: &Listing, resource: &Resource) -> bool {
    matches!(row.name, Name::Fixed(_))
        && resource.attributes.values().all(|fact| match fact {
            Observed::Value(value) => *value == Value::Bool(false),
            fact => fact.is_absent(),
        })
}

/// An item without a name is an answer that is not what the operation returns.
fn unnamed<T>(row: &Listing) -> Observed<T> {
    Gap {
        message: "an item has no name".to_owned(),
        ..Gap::new(row.list.call, GapKind::Unparsable)
    }
    .into()
}

fn question(
    ask: &'static Ask,
    item: &Value,
    parent: Option<&Parent>,
    arn: Option<&Arn>,
) -> Question {
    let text = |text: Option<String>| text.map(Value::from).unwrap_or(Value::Null);
    let parameters = ask.send.iter().map(|(name, value)| {
        let value = match value {
            Parameter::Text(text) => json!(text),
            Parameter::Number(number) => json!(number),
            Parameter::Flag(flag) => json!(flag),
            Parameter::Texts(texts) => json!(texts),
            // The table's own text: a test of the table reads it.
            Parameter::Json(text) => serde_json::from_str(text).unwrap_or_default(),
            Parameter::Item(path) => text(path::text(item, path)),
            Parameter::ItemList(path) => json!([text(path::text(item, path))]),
            Parameter::Arn => text(arn.map(Arn::to_string)),
            Parameter::ParentName => text(parent.map(|parent| parent.name.clone())),
            Parameter::ParentArn => text(parent.map(|parent| parent.arn.clone())),
        };
        ((*name).to_owned(), value)
    });
    Question {
        service: ask.service,
        operation: ask.operation,
        route: ask.route,
        parameters: parameters.filter(|(_, value)| !value.is_null()).collect(),
    }
}

async fn resource(
    place: &Place,
    row: &'static Listing,
    parent: Option<&Parent>,
    item: Value,
    whole: bool,
) -> Option<(String, Resource)> {
    let name = match row.name {
        Name::Path(path) => path::text(&item, path)?,
        Name::LastOf(path) => last(&path::text(&item, path)?),
        Name::AfterSlash(path) => tail(&path::text(&item, path)?),
        Name::Fixed(name) => name.to_owned(),
        Name::UnderParent(path) => {
            let above = parent
                .map(|parent| parent.name.as_str())
                .unwrap_or_default();
            format!("{above}/{}", last(&path::text(&item, path)?))
        }
    };
    let listed = Read {
        sources: vec![Observed::Value(item.clone())],
    };
    let own = arn(place, row, &listed, &name, parent);
    let details = each(row.details.iter().collect(), |ask: &'static Ask| {
        let question = question(ask, &item, parent, Some(&own));
        async move {
            if whole {
                return place.question(&ask.call(Per::Item), question).await;
            }
            Gap {
                message: format!("more than {DESCRIBED} of a kind: the rest are only listed"),
                ..Gap::not_collected(ask.call)
            }
            .into()
        }
    });
    let mut sources = vec![Observed::Value(item.clone())];
    sources.extend(details.await);
    let read = Read { sources };
    let attributes = row.attributes.iter().map(|attribute| {
        let value = read.shaped(attribute.at, attribute.shape);
        (attribute.name.to_owned(), value)
    });
    let resource = Resource {
        arn: arn(place, row, &read, &name, parent),
        role: read.role(row.role),
        policy: match row.policy {
            Some(at) => read.text(at).map(PolicyText::new),
            None => Observed::Absent,
        },
        tags: match row.tags {
            Some(tags) => read.tags(row, tags),
            None => Resource::unread_tags(),
        },
        attributes: attributes.collect(),
    };
    Some((name, resource))
}

fn tail(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

fn last(text: &str) -> String {
    text.rsplit(['/', ':']).next().unwrap_or(text).to_owned()
}

fn arn(place: &Place, row: &Listing, read: &Read, name: &str, parent: Option<&Parent>) -> Arn {
    let template = match row.arn {
        // A detail that was not read leaves the ARN empty, never the resource out: what else
        // comes from that detail is the gap.
        ArnFrom::Path(at) => {
            return read.text(at).value().cloned().unwrap_or_default().into();
        }
        ArnFrom::Template(template) => template,
    };
    let above = parent
        .map(|parent| parent.name.as_str())
        .unwrap_or_default();
    // Below a parent the name in the map holds the parent's.
    let own = match row.under {
        Some(_) => name
            .strip_prefix(above)
            .and_then(|rest| rest.strip_prefix('/')),
        None => None,
    };
    let name = own.unwrap_or(name);
    let text = template
        .replace("{partition}", place.visit.partition.as_str())
        .replace("{region}", &place.region)
        .replace("{account}", &place.visit.account)
        .replace("{name}", name)
        .replace("{parent}", above);
    text.into()
}

/// The answers that speak of one item.
struct Read {
    sources: Vec<Observed<Value>>,
}

impl Read {
    fn source(&self, at: At) -> Observed<&Value> {
        match self.sources.get(at.source) {
            Some(source) => source.as_ref(),
            None => Observed::Absent,
        }
    }

    fn text(&self, at: At) -> Observed<String> {
        match self.source(at) {
            Observed::Value(answer) => or_absent(path::text(answer, at.path)),
            other => other.map(|_| String::new()),
        }
    }

    /// A tag without a key is no tag: then nobody knows which there are.
    fn tags(&self, row: &Listing, tags: Tags) -> Observed<BTreeMap<String, String>> {
        let answer = match self.source(tags.at) {
            Observed::Value(answer) => answer,
            other => return other.map(|_| BTreeMap::new()),
        };
        let plain = |value: Option<&Value>| value.and_then(path::as_text).unwrap_or_default();
        let mut all = BTreeMap::new();
        for entry in path::all(answer, tags.at.path) {
            let key = path::text(entry, tags.key);
            match (tags.key, key, entry) {
                ("", _, Value::Object(members)) => {
                    let members = members.iter();
                    all.extend(members.map(|(key, value)| (key.clone(), plain(Some(value)))));
                }
                (_, Some(key), _) => {
                    // A tag may have no value.
                    all.insert(key, plain(path::first(entry, tags.value)));
                }
                _ => return unnamed(row),
            }
        }
        Observed::Value(all)
    }

    fn role(&self, from: RoleFrom) -> Observed<Arn> {
        match from {
            RoleFrom::None => Observed::Absent,
            RoleFrom::Arn(at) => self.text(at).map(Arn::from),
            RoleFrom::Within(at) => match self.text(at) {
                Observed::Value(document) => or_absent(assumed(&document).map(Arn::from)),
                other => other.map(Arn::from),
            },
            RoleFrom::Profile(at) => self.text(at).map(|profile| {
                if profile.starts_with("arn:") {
                    profile.into()
                } else {
                    format!("{PROFILE}{profile}").into()
                }
            }),
        }
    }

    fn shaped(&self, at: At, shape: Shape) -> Observed<Value> {
        let answer = match self.source(at) {
            Observed::Value(answer) => answer,
            Observed::Absent if shape == Shape::Present => return Observed::Value(json!(false)),
            other => return other.map(|_| Value::Null),
        };
        or_absent(match shape {
            Shape::Text => path::text(answer, at.path).map(Value::from),
            Shape::Flag => path::flag(answer, at.path).map(Value::from),
            Shape::Number => path::number(answer, at.path).map(Value::from),
            Shape::Texts => sorted(path::texts(answer, at.path)),
            Shape::Keys => {
                let objects = path::all(answer, at.path).into_iter();
                sorted(
                    objects
                        .filter_map(Value::as_object)
                        .flat_map(|o| o.keys().cloned())
                        .collect(),
                )
            }
            Shape::Present => Some(json!(
                path::all(answer, at.path).iter().any(|v| is_something(v))
            )),
            Shape::Tails => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().map(|text| tail(text)).collect())
            }
            Shape::FunctionArns => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().flat_map(|text| function_arns(text)).collect())
            }
            Shape::KeyIds => {
                let texts = path::texts(answer, at.path);
                sorted(texts.iter().flat_map(|text| hidden_key_ids(text)).collect())
            }
            Shape::Raw => path::first(answer, at.path).cloned(),
            Shape::Raws => {
                let found = path::all(answer, at.path);
                let found: Vec<Value> = found.into_iter().cloned().map(with_flags).collect();
                (!found.is_empty()).then_some(Value::Array(found))
            }
        })
    }
}

/// The ARN behind `assumeRole` in a runbook; none where it is a parameter.
fn assumed(document: &str) -> Option<String> {
    let (_, rest) = document.split_once("assumeRole")?;
    let value = rest.trim_start_matches(|c: char| c.is_whitespace() || "\"':".contains(c));
    let ends = |c: char| c.is_whitespace() || "\"',}".contains(c);
    let arn = value.split(ends).next()?;
    (arn.starts_with("arn:") && arn.contains(":role/")).then(|| arn.to_owned())
}

/// Access key ids in a text, and in what it says as base64, as scripts for machines are kept.
fn hidden_key_ids(text: &str) -> Vec<String> {
    let mut found = key_ids(text);
    if let Ok(bytes) = BASE64_STANDARD.decode(text.trim()) {
        found.extend(key_ids(&String::from_utf8_lossy(&bytes)));
    }
    found
}

/// Function ARNs in a text such as a state machine's definition, with their qualifiers.
fn function_arns(text: &str) -> Vec<String> {
    let ends = |c: char| c == '"' || c == '\'' || c == '\\' || c.is_whitespace() || c == ',';
    let starts = text.match_indices("arn:").map(|(start, _)| &text[start..]);
    starts
        .filter_map(|rest| rest.split(ends).next())
        .filter(|arn| arn.split(':').nth(2) == Some("lambda") && arn.contains(":function:"))
        .map(str::to_owned)
        .collect()
}

/// XML has no truth values.
fn with_flags(value: Value) -> Value {
    match value {
        Value::String(text) if text == "true" => Value::Bool(true),
        Value::String(text) if text == "false" => Value::Bool(false),
        Value::Array(items) => Value::Array(items.into_iter().map(with_flags).collect()),
        Value::Object(members) => {
            let members = members.into_iter();
            Value::Object(
                members
                    .map(|(name, value)| (name, with_flags(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => true,
    }
}

fn sorted(mut texts: Vec<String>) -> Option<Value> {
    texts.sort();
    texts.dedup();
    (!texts.is_empty()).then(|| json!(texts))
}

const PROFILE: &str = "instance-profile/";

/// Replaces instance profiles and bare role names by the roles that IAM knows.
pub(crate) fn resolve_roles<'a>(iam: &Iam, kinds: impl Iterator<Item = &'a mut Kinds>) {
    for kinds in kinds {
        let resources = kinds.values_mut().filter_map(Observed::value_mut).flatten();
        for (_, resource) in resources {
            if let Observed::Value(text) = &resource.role {
                resource.role = resolve(iam, text);
            }
        }
    }
}

fn resolve(iam: &Iam, text: &Arn) -> Observed<Arn> {
    let profile = text.as_str().strip_prefix(PROFILE).or_else(|| {
        let is_profile = text.service() == "iam" && text.resource().starts_with(PROFILE);
        is_profile.then(|| text.as_str())
    });
    let roles = match (&iam.roles, profile) {
        (_, None) if text.as_str().starts_with("arn:") => return Observed::Value(text.clone()),
        (Observed::Value(roles), _) => roles,
        (other, _) => return other.as_ref().map(|_| Arn::default()),
    };
    let role = match profile {
        Some(profile) => roles.values().find(|role| {
            let profiles = &role.instance_profiles;
            profiles
                .iter()
                .any(|own| own.name == profile || own.arn.as_str() == profile)
        }),
        None => roles.get(last(text.as_str()).as_str()),
    };
    or_absent(role.map(|role| role.arn.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use palisade_model::{InstanceProfile, Role};

    fn iam() -> Iam {
        let role = Role {
            arn: "arn:aws:iam::111122223333:role/app/web".into(),
            instance_profiles: vec![InstanceProfile {
                name: "web".to_owned(),
                arn: "arn:aws:iam::111122223333:instance-profile/web".into(),
            }],
            ..Role::default()
        };
        Iam {
            roles: Observed::Value(BTreeMap::from([("web".to_owned(), role)])),
            ..Iam::unread()
        }
    }

    #[test]
    fn profiles_and_names_lead_to_roles() {
        let web = Observed::Value(Arn::from("arn:aws:iam::111122223333:role/app/web"));
        for text in [
            "arn:aws:iam::111122223333:instance-profile/web",
            "instance-profile/web",
            "web",
        ] {
            assert_eq!(resolve(&iam(), &text.into()), web, "{text}");
        }
        let other = "arn:aws:iam::999988887777:role/other";
        assert_eq!(
            resolve(&iam(), &other.into()),
            Observed::Value(other.into())
        );
    }

    #[test]
    fn an_unread_iam_leaves_the_role_unknown() {
        let outcome = resolve(&Iam::unread(), &"instance-profile/web".into());
        assert!(outcome.gap().is_some());
    }

    #[test]
    fn an_unread_detail_is_a_gap_in_what_comes_from_it() {
        let read = Read {
            sources: vec![
                Observed::Value(json!({"a": "x"})),
                Observed::denied("glue:GetX"),
            ],
        };
        let at = |source, path| At { source, path };
        assert_eq!(
            read.shaped(at(0, "a"), Shape::Text),
            Observed::Value(json!("x"))
        );
        assert_eq!(read.shaped(at(0, "b"), Shape::Text), Observed::Absent);
        assert!(read.shaped(at(1, "a"), Shape::Present).gap().is_some());
        assert!(read.role(RoleFrom::Arn(at(1, "r"))).gap().is_some());
    }
}
