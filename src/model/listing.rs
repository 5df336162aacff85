//! Listings: how the resources of a service that needs no type of its own are asked for and
//! read, as data.
//!
//! One row says which operation lists a kind, where in its answer the items stand, which further
//! calls describe one item, and which path feeds which attribute of a [`crate::Resource`]. The
//! collectors read answers with these rows, and the built-in AWS writes answers with the same
//! rows, so that both agree by construction. The rows themselves stand in [`rows`].
//!
//! **Paths.** Names joined by dots lead into an answer; `[]` after a name means "each of this
//! list" (in XML: each element of this name), `[]` alone "each of this list itself", and
//! `[Key=Text]` "those of this list whose `Key` is this text". `.` alone is the value itself. Several paths with
//! `|` between them are read one after the other; what is written goes to the first. XML answers are
//! read as objects of their child elements, below the result element for the query protocol and
//! below the root element for EC2 and REST. In an XML answer an element that holds text reads
//! as a string.
//!
//! **Sources.** `at(0, path)` reads the listed item, `at(n, path)` the answer of the n-th
//! [`Listing::details`] call. A part that could not be read is a gap in exactly the attributes,
//! role and policy that come from it.

mod builder;
mod rows;
mod services;

use std::collections::BTreeSet;

use crate::{Call, Per};

pub use rows::LISTINGS;

/// How one kind of resource is listed and read.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// The kind, such as `glue.job`: the key in [`crate::Region::resources`].
    pub kind: &'static str,
    /// The call that lists it, once per region or once per parent.
    pub list: Ask,
    /// The path of the items in its answer.
    pub items: &'static str,
    /// The kind whose resources are listed first: the list call is made for each of them, with
    /// [`Value::Parent`] values.
    pub under: Option<&'static str>,
    /// The path of the account that owns an item: what belongs to another one is left out, however
    /// it came to be listed. Empty: the answer does not say.
    pub owner: &'static str,
    /// A second list call that names the few items of which some attributes say anything.
    pub narrow: Option<Narrow>,
    /// Calls made for each item.
    pub details: &'static [Ask],
    /// The name in the map, unique within the region.
    pub name: Name,
    /// The ARN: a path, or a template with `{partition}`, `{region}`, `{account}`, `{name}` and
    /// `{parent}` (the parent's name).
    pub arn: ArnFrom,
    /// The role it runs as: an ARN, a role name, or an instance profile.
    pub role: RoleFrom,
    /// Its resource-based policy, a JSON document held in a string. `None`: the kind has none.
    pub policy: Option<At>,
    /// Its tags. `None`: the calls above do not tell them.
    pub tags: Option<Tags>,
    /// Everything else that is kept.
    pub attributes: &'static [Attribute],
    /// Whether it is asked once per account, in the partition's home region, and stands in
    /// [`crate::Account::resources`].
    pub global: bool,
}

/// A list call whose answer leaves out every item of which the attributes say nothing: one call
/// tells of most items what a call for each would.
#[derive(Clone, Copy, Debug)]
pub struct Narrow {
    /// The call; its items stand where those of [`Listing::list`] stand.
    pub ask: Ask,
    /// The attributes that are absent from an item it leaves out.
    pub attributes: &'static [&'static str],
}

/// One operation and how to send it.
#[derive(Clone, Copy, Debug)]
pub struct Ask {
    /// The service.
    pub service: &'static Service,
    /// The API operation.
    pub operation: &'static str,
    /// The operation as gaps name it.
    pub call: &'static str,
    /// The IAM action, where it is not the operation's name.
    pub action: &'static str,
    /// Method and path for REST services, such as `GET /clusters/{name}`, with the parameters
    /// of the same name filled in and percent-encoded. Empty for the others.
    pub route: &'static str,
    /// Parameters: JSON members, query-protocol parameters or REST query values.
    pub send: &'static [(&'static str, Value)],
    /// How it pages.
    pub page: Page,
    /// Error codes that mean "there is none", as in [`Call::absent`].
    pub absent: &'static [&'static str],
}

/// A service's endpoint and protocol.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// The IAM service prefix, and the service part of gaps' operations.
    pub prefix: &'static str,
    /// The first labels of the host: `glue` in `glue.eu-west-1.amazonaws.com`.
    pub host: &'static str,
    /// The name in the signature's credential scope.
    pub signs: &'static str,
    /// The protocol.
    pub wire: Wire,
    /// Where it is offered, if not (almost) everywhere: elsewhere it is not applicable.
    pub regions: &'static [&'static str],
}

/// The protocols of AWS APIs, as far as listings need them.
#[derive(Debug, PartialEq, Eq)]
pub enum Wire {
    /// `POST /` with `X-Amz-Target: <target>.<Operation>` and a JSON body.
    Json {
        /// The prefix of the target header.
        target: &'static str,
        /// `1.0` or `1.1`.
        version: &'static str,
    },
    /// A method and a path; JSON bodies.
    RestJson,
    /// `POST /` with `Action=<Operation>&Version=<version>`; answers in
    /// `<OperationResponse><OperationResult>`, lists as `<member>`.
    Query {
        /// The API version.
        version: &'static str,
    },
    /// The same request; answers directly in `<OperationResponse>`, lists as `<item>`.
    Ec2 {
        /// The API version.
        version: &'static str,
    },
    /// A method and a path; XML bodies.
    RestXml,
}

/// A parameter's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Text(&'static str),
    /// A number.
    Number(u64),
    /// A truth value.
    Flag(bool),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// JSON as written.
    Json(&'static str),
    /// The text at a path of the listed item.
    Item(&'static str),
    /// A list of one: the text at a path of the listed item.
    ItemList(&'static str),
    /// The item's own ARN, which its row makes of a template or reads in the list.
    Arn,
    /// The parent resource's name.
    ParentName,
    /// The parent resource's ARN.
    ParentArn,
}

/// Paging: which parameter sends the token and where the answer holds it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The request parameter; empty: the operation does not page.
    pub send: &'static str,
    /// The path of the next token in the answer.
    pub read: &'static str,
}

/// A path in one of the answers that speak of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// 0: the listed item. n: the n-th detail call's answer.
    pub source: usize,
    /// The path.
    pub path: &'static str,
}

/// Names a path in an answer: see [`At`].
pub const fn at(source: usize, path: &'static str) -> At {
    At { source, path }
}

/// Where a resource's name comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// A path in the listed item.
    Path(&'static str),
    /// The last part, after `/` or `:`, of the ARN at a path in the listed item.
    LastOf(&'static str),
    /// The last part, after `/`, of the ARN at a path in the listed item.
    AfterSlash(&'static str),
    /// The parent's name, a slash, and the last part, after `/` or `:`, of the text at the path.
    UnderParent(&'static str),
    /// This name: there is one such thing in a region.
    Fixed(&'static str),
}

/// Where a resource's ARN comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArnFrom {
    /// A path in one of the answers.
    Path(At),
    /// A template.
    Template(&'static str),
}

/// Where a resource's role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleFrom {
    /// The kind has no role.
    None,
    /// A role ARN, or a role's name, at a path.
    Arn(At),
    /// The role that a document at a path assumes, as JSON or YAML text: its `assumeRole`, where
    /// that is an ARN and no parameter.
    Within(At),
    /// An instance profile's ARN or name at a path: the role is the one the profile holds, as
    /// IAM says.
    Profile(At),
}

/// Where a resource's tags stand, and how they are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tags {
    /// The list of tags, or the object that holds them.
    pub at: At,
    /// In a list, the member that holds a tag's key; empty: keys are the object's members.
    pub key: &'static str,
    /// In a list, the member that holds a tag's value.
    pub value: &'static str,
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Its name in [`crate::Resource::attributes`].
    pub name: &'static str,
    /// Where it stands.
    pub at: At,
    /// What it is.
    pub shape: Shape,
}

/// What an attribute's value is, whatever the protocol made of it. Nothing at the path reads as
/// [`crate::Observed::Absent`], but for [`Shape::Present`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A truth value.
    Flag,
    /// A whole number.
    Number,
    /// The strings at the path, sorted and without repeats; none reads as absent.
    Texts,
    /// The member names of the object at the path, sorted; none reads as absent.
    Keys,
    /// Whether anything stands there: always a value.
    Present,
    /// The same, each cut to what follows its last `/`.
    Tails,
    /// The ARNs of Lambda functions in the text at the path, sorted; none reads as absent.
    FunctionArns,
    /// The access key ids in the text at the path, also where it is base64, sorted; none reads as
    /// absent. The text itself is not kept.
    KeyIds,
    /// JSON as it is (JSON protocols only).
    Raw,
    /// Everything at the path, as a list; what XML writes as `true` and `false` are truth values.
    Raws,
}

const fn attribute(name: &'static str, at: At, shape: Shape) -> Attribute {
    Attribute { name, at, shape }
}

/// A string attribute.
pub const fn text(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Text)
}

/// A truth value.
pub const fn flag(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Flag)
}

/// A whole number.
pub const fn number(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Number)
}

/// A sorted list of strings.
pub const fn texts(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Texts)
}

/// The member names of an object.
pub const fn keys(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Keys)
}

/// A sorted list of strings, each cut to what follows its last `/`.
pub const fn tails(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Tails)
}

/// The access key ids that a text holds, as `key_ids`.
pub const fn key_ids(at: At) -> Attribute {
    attribute("key_ids", at, Shape::KeyIds)
}

/// The Lambda functions that a text names.
pub const fn function_arns(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::FunctionArns)
}

/// Everything at the path, as a list.
pub const fn raws(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Raws)
}

/// Whether anything stands at the path.
pub const fn present(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Present)
}

/// JSON as it is.
pub const fn raw(name: &'static str, at: At) -> Attribute {
    attribute(name, at, Shape::Raw)
}

impl Ask {
    /// The call as the table of calls shows it.
    pub fn call(&self, per: Per) -> Call {
        Call {
            operation: self.call,
            action: if self.action.is_empty() {
                self.call
            } else {
                self.action
            },
            per,
            absent: self.absent,
            not_applicable: &[],
            content: false,
            holds: "",
        }
    }
}

impl Listing {
    /// The calls this listing makes.
    pub fn calls(&self) -> impl Iterator<Item = Call> {
        let per = match (self.under, self.global) {
            (Some(_), _) => Per::Item,
            (None, true) => Per::Account,
            (None, false) => Per::Region,
        };
        let details = self.details.iter().map(|ask| ask.call(Per::Item));
        std::iter::once(self.list.call(per)).chain(details)
    }

    /// The row of that kind.
    pub fn of(kind: &str) -> Option<&'static Listing> {
        LISTINGS.iter().find(|listing| listing.kind == kind)
    }
}

/// Every service that a listing asks, once.
pub fn services() -> Vec<&'static Service> {
    let mut seen = BTreeSet::new();
    LISTINGS
        .iter()
        .flat_map(|listing| std::iter::once(&listing.list).chain(listing.details))
        .map(|ask| ask.service)
        .filter(|service| seen.insert((service.host, service.prefix)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks() -> impl Iterator<Item = (&'static Listing, &'static Ask)> {
        LISTINGS.iter().flat_map(|row| {
            std::iter::once(&row.list)
                .chain(row.narrow.as_ref().map(|narrow| &narrow.ask))
                .chain(row.details)
                .map(move |ask| (row, ask))
        })
    }

    #[test]
    fn kinds_are_listed_once_and_parents_come_first() {
        let mut seen = BTreeSet::new();
        for row in LISTINGS {
            assert!(seen.insert(row.kind), "{} twice", row.kind);
            if let Some(parent) = row.under {
                assert!(seen.contains(parent), "{} before {parent}", row.kind);
            }
        }
    }

    #[test]
    fn every_source_exists() {
        for row in LISTINGS {
            let sources = row.attributes.iter().map(|attribute| attribute.at);
            let role = match row.role {
                RoleFrom::None => None,
                RoleFrom::Arn(at) | RoleFrom::Within(at) | RoleFrom::Profile(at) => Some(at),
            };
            let arn = match row.arn {
                ArnFrom::Path(at) => Some(at),
                ArnFrom::Template(_) => None,
            };
            let tags = row.tags.map(|tags| tags.at);
            for at in sources.chain(role).chain(row.policy).chain(arn).chain(tags) {
                assert!(at.source <= row.details.len(), "{}: {at:?}", row.kind);
            }
        }
    }

    #[test]
    fn a_narrow_list_is_the_same_call_asked_for_less() {
        for row in LISTINGS {
            let Some(narrow) = row.narrow else { continue };
            assert_eq!(narrow.ask.call, row.list.call, "{}", row.kind);
            assert!(narrow.ask.send.len() > row.list.send.len(), "{}", row.kind);
            for name in narrow.attributes {
                let known = row.attributes.iter().find(|known| known.name == *name);
                assert!(
                    known.is_some_and(|known| known.at.source > 0),
                    "{}",
                    row.kind
                );
            }
        }
    }

    #[test]
    fn attributes_are_named_once() {
        for row in LISTINGS {
            let mut seen = BTreeSet::new();
            for attribute in row.attributes {
                let name = attribute.name;
                assert!(seen.insert(name), "{}: {name} twice", row.kind);
                assert!(
                    name.bytes()
                        .all(|b| b.is_ascii_lowercase() || b == b'_' || b.is_ascii_digit()),
                    "{}: {name}",
                    row.kind
                );
            }
        }
    }

    #[test]
    fn routes_belong_to_rest_services_and_find_their_parameters() {
        for (row, ask) in asks() {
            let rest = matches!(ask.service.wire, Wire::RestJson | Wire::RestXml);
            assert_eq!(rest, !ask.route.is_empty(), "{} {}", row.kind, ask.call);
            for part in ask.route.split('{').skip(1) {
                let name = part.split('}').next().unwrap();
                assert!(
                    ask.send.iter().any(|(sent, _)| *sent == name),
                    "{}: {name} of {} is not sent",
                    row.kind,
                    ask.route
                );
            }
            let (service, operation) = ask.call.split_once(':').unwrap();
            assert_eq!(service, ask.service.prefix, "{}", ask.call);
            assert_eq!(operation, ask.operation, "{}", ask.call);
        }
    }

    #[test]
    fn parents_are_named_only_where_there_is_one() {
        for (row, ask) in asks() {
            let parent = ask
                .send
                .iter()
                .any(|(_, value)| matches!(value, Value::ParentName | Value::ParentArn));
            assert!(!parent || row.under.is_some(), "{}", row.kind);
        }
        for row in LISTINGS {
            let listed = row.list.send.iter().any(|(_, value)| {
                matches!(value, Value::Item(_) | Value::ItemList(_) | Value::Arn)
            });
            assert!(!listed, "{}: a list call has no item yet", row.kind);
        }
    }

    #[test]
    fn an_arn_is_sent_only_where_no_further_answer_tells_it() {
        for (row, ask) in asks() {
            let sent = ask.send.iter().any(|(_, value)| *value == Value::Arn);
            let late = matches!(row.arn, ArnFrom::Path(at) if at.source > 0);
            assert!(!(sent && late), "{}", row.kind);
        }
    }

    #[test]
    fn what_is_sent_as_json_is_json() {
        for (row, ask) in asks() {
            for (name, value) in ask.send {
                if let Value::Json(text) = value {
                    let read = serde_json::from_str::<serde_json::Value>(text);
                    assert!(read.is_ok(), "{}: {name}", row.kind);
                }
            }
        }
    }
}
