//! A world with one of everything that is read, made so that no call is left out.

use std::path::Path;

use palisade_mocks::World;
use palisade_model::listing::{LISTINGS, Listing, Name, RoleFrom, Shape};
use serde_json::{Map, Value, json};

/// Facts with types of their own.
const TYPED: &str = include_str!("everything.yaml");

/// The only account, and the only region.
pub const ACCOUNT: &str = "612345098761";
pub const REGION: &str = "us-east-1";

/// The name of every resource.
const NAME: &str = "one";

/// One of each: every typed fact, and a resource of every kind of the listing table.
pub fn one_of_everything() -> World {
    let mut top: Value = serde_yaml_ng::from_str(TYPED).unwrap();
    put_kinds(&mut top, LISTINGS.iter().collect());
    world(&top)
}

/// The typed facts alone.
pub fn typed() -> World {
    world(&serde_yaml_ng::from_str(TYPED).unwrap())
}

fn world(top: &Value) -> World {
    let text = top.to_string();
    World::parse(Path::new("one-of-everything/world.yaml"), &text)
        .unwrap_or_else(|error| panic!("{error}"))
}

fn put_kinds(top: &mut Value, rows: Vec<&Listing>) {
    let account = &mut top["accounts"][ACCOUNT];
    for row in rows {
        let place = match row.global {
            true => &mut account["resources"],
            false => &mut account["regions"][REGION]["resources"],
        };
        place[row.kind] = json!({ name(row): resource(row) });
    }
}

fn name(row: &Listing) -> String {
    let own = match row.name {
        Name::Fixed(name) => name,
        _ => NAME,
    };
    match row.under {
        Some(_) => format!("{NAME}/{own}"),
        None => own.to_owned(),
    }
}

/// A resource of which every answer says something.
fn resource(row: &Listing) -> Value {
    let mut attributes = Map::new();
    for attribute in row.attributes {
        attributes.insert(attribute.name.to_owned(), sample(attribute.shape));
    }
    // Some attributes name what stands elsewhere in the same answer.
    for (name, value) in [
        ("instance_profile", Value::Null),
        ("tag_keys", json!(["team"])),
        ("domain", json!(NAME)),
        ("cluster", json!(NAME)),
    ] {
        if attributes.contains_key(name) && !value.is_null() {
            attributes.insert(name.to_owned(), value);
        } else if value.is_null() {
            attributes.remove(name);
        }
    }
    let mut resource = json!({ "attributes": attributes });
    if row.role != RoleFrom::None {
        resource["role"] = "runner".into();
    }
    if row.policy.is_some() {
        resource["policy"] = json!({ "allow": "*", "to": { "AWS": ACCOUNT } });
    }
    if row.tags.is_some() {
        resource["tags"] = json!({ "team": "blue" });
    }
    resource
}

fn sample(shape: Shape) -> Value {
    match shape {
        Shape::Text => json!("said"),
        Shape::Flag | Shape::Present => json!(true),
        Shape::Number => json!(7),
        Shape::Texts | Shape::Keys | Shape::Tails => json!(["a", "b"]),
        Shape::FunctionArns => {
            json!([format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker")])
        }
        // In two parts, so that no file holds what looks like a key.
        Shape::KeyIds => json!([format!("AKIA{}", "Q2W7E3R4T5Y6U7I2")]),
        Shape::Raw => json!({ "Said": "yes" }),
        Shape::Raws => json!([{ "Said": "yes" }]),
    }
}
