//! Attributes of resources, and whether there are any.

use palisade_checks::technique::{Comparison, Kind, Predicate, ResourceRef, Selector, Test};
use palisade_model::{Arn, Observed, Resource};
use serde_json::{Value, json};

use super::{arrange, name_of};
use crate::techniques::stage::{HOME, STRANGER, Stage, arn_of};

pub(super) fn attribute(
    stage: &mut Stage<'_>,
    of: &ResourceRef,
    path: &str,
    test: &Test,
    wanted: bool,
) -> bool {
    let named = |stage: &Stage<'_>, to: &ResourceRef| -> Value {
        let Some(arn) = to.variable().and_then(|name| stage.arns.get(name)) else {
            return Value::Null;
        };
        match to.kind {
            Kind::ACCOUNT => STRANGER.into(),
            Kind::OBJECT => format!("s3://{}", arn.resource()).into(),
            Kind::BUCKET => arn.name().into(),
            _ => arn.as_str().into(),
        }
    };
    let value = match test {
        Test::Names(to) if wanted => named(stage, to),
        Test::Includes(to) if wanted => json!([named(stage, to)]),
        Test::Names(_) | Test::Includes(_) => Value::Null,
        Test::Is(text) if wanted => match text.as_str() {
            "true" => true.into(),
            "false" => false.into(),
            text => text.into(),
        },
        Test::Is(text) => match text.as_str() {
            "true" => false.into(),
            "false" => true.into(),
            _ => "something-else".into(),
        },
        Test::Like(texts) if wanted => texts[0].replace('*', "x").into(),
        Test::Like(_) => "something-else".into(),
        Test::In(texts) => if wanted {
            texts[0].as_str()
        } else {
            "something-else"
        }
        .into(),
        Test::Number(Comparison::More(n)) => (if wanted { n + 1 } else { *n }).into(),
        Test::Number(Comparison::Equal(n)) => (if wanted { *n } else { n + 1 }).into(),
        Test::Number(_) => return false,
        Test::Missing => {
            if wanted {
                Value::Null
            } else {
                "something".into()
            }
        }
    };
    let seen = match &value {
        Value::Null => Observed::Absent,
        value => Observed::Value(value.clone()),
    };
    place(stage, of, path, &value, seen)
}

pub(super) fn place(
    stage: &mut Stage<'_>,
    of: &ResourceRef,
    path: &str,
    value: &Value,
    seen: Observed<Value>,
) -> bool {
    let text = || value.as_str().unwrap_or_default().to_owned();
    let name = name_of(of);
    match of.kind {
        Kind::FUNCTION => {
            let functions = stage.region().functions.value_mut().expect("read");
            let function = functions.get_mut(&name).expect("on stage");
            match path {
                // Every function has a role.
                "role" if text().is_empty() => return false,
                "role" => function.role = Arn::from(text()),
                "runtime" => function.runtime = text(),
                "package_type" => function.package_type = text(),
                "code_signing" => {
                    function.code_signing = seen.map(|_| Arn::from(text()));
                }
                "reserved_concurrency" => {
                    function.reserved_concurrency = value
                        .as_u64()
                        .map_or(Observed::Absent, |n| Observed::Value(n as u32));
                }
                _ => return false,
            }
        }
        Kind::BUCKET | Kind::OBJECT => {
            let buckets = stage.account().s3.buckets.value_mut().expect("read");
            let bucket = buckets.get_mut("store").expect("on stage");
            let text = match &seen {
                Observed::Value(_) => Observed::Value(text()),
                _ => Observed::Absent,
            };
            match path {
                "bucket" => return !matches!(seen, Observed::Absent),
                "ownership" => bucket.ownership = text,
                "versioning" => bucket.versioning = text,
                // What was seen of an object itself comes before its bucket's default.
                "encryption" => {
                    let listing = bucket.objects.value_mut().expect("listed");
                    for object in &mut listing.objects {
                        object.encryption.clone_from(&text);
                    }
                    bucket.encryption = text;
                }
                "kms_key" => bucket.kms_key = text.map(Arn::from),
                _ => return false,
            }
        }
        _ => {
            let Some(found) = stage.listing(of.kind.name()).get_mut(&name) else {
                return false;
            };
            if path == "role" {
                found.role = seen.map(|value| Arn::from(value.as_str().unwrap_or_default()));
            } else {
                found.attributes.insert(path.to_owned(), seen);
            }
        }
    }
    true
}

pub(super) fn exists(
    stage: &mut Stage<'_>,
    what: &ResourceRef,
    filter: &[Predicate],
    wanted: bool,
) -> bool {
    let kind = what.kind.name();
    if !what.kind.is_listed() {
        // A role of that name.
        let Some(Predicate::Named(_, names)) = filter.first() else {
            return false;
        };
        let roles = stage.account().iam.roles.value_mut().expect("read");
        roles.retain(|name, _| name != "aux");
        let name = names[0].trim_end_matches('*').to_owned();
        roles.remove(&name);
        if wanted {
            let arn = Arn::new(format!("arn:aws:iam::{HOME}:role/{name}"));
            roles.insert(
                name,
                palisade_model::Role {
                    arn,
                    ..Default::default()
                },
            );
        }
        return true;
    }
    if let Selector::Var(_) = what.selector {
        return filter
            .iter()
            .fold(true, |all, part| arrange(stage, part, wanted) && all);
    }
    let listing = stage.listing(kind);
    if !wanted {
        listing.clear();
    }
    let arn = arn_of(what.kind, "some");
    listing.extend(wanted.then(|| {
        (
            "some".to_owned(),
            Resource {
                arn,
                ..Resource::default()
            },
        )
    }));
    true
}
