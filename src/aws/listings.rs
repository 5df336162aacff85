//! The generic collector: every row of the listing table, for one place.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use palisade_model::listing::{ArnFrom, Ask, LISTINGS, Listing, Name, Value as Parameter};
use palisade_model::{Arn, Call, Gap, GapKind, Observed, Per, PolicyText, Resource, Why};
use serde_json::{Value, json};

use crate::engine::Place;
use crate::generic::Rows;
use crate::listings_read::Read;
use crate::path;
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
    let rows = Rows {
        // One thing of a region that is not set up has nothing to say.
        may_be_silent: matches!(row.name, Name::Fixed(_)) || MAY_BE_SILENT.contains(&row.list.call),
        ..Rows::new(row.items, &[], (row.list.page.send, row.list.page.read))
    };
    let listed = match place.question_pages(&call, question, rows).await {
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
    let page = (narrow.ask.page.send, narrow.ask.page.read);
    let rows = Rows::new(row.items, &[], page);
    match place.question_pages(call, question, rows).await {
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
pub(crate) fn unnamed<T>(row: &Listing) -> Observed<T> {
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
                let answer = place.question(&ask.call(Per::Item), question).await;
                return said(ask, answer);
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

/// Calls that answer with nothing where nothing is there or set. Source: "ListQueues" and
/// "GetQueueAttributes", Amazon SQS API Reference.
const MAY_BE_SILENT: &[&str] = &[
    "bedrock-agentcore:GetResourcePolicy",
    "sqs:GetQueueAttributes",
    "sqs:ListQueues",
];

/// An answer, which must say something.
fn said(ask: &Ask, answer: Observed<Value>) -> Observed<Value> {
    let members = answer.value().and_then(Value::as_object);
    if members.is_some_and(serde_json::Map::is_empty) && !MAY_BE_SILENT.contains(&ask.call) {
        return Gap {
            message: "the answer says nothing".to_owned(),
            ..Gap::new(ask.call, GapKind::Unparsable)
        }
        .into();
    }
    answer
}

pub(crate) fn tail(text: &str) -> String {
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

pub(crate) fn last(text: &str) -> String {
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
