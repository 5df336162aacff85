//! What rows of cases have in common: whom they call by which name, and the words of an answer.

use std::path::Path;

use palisade::graph::{Node, Pair, PathSet, Status};
use serde::de::DeserializeOwned;

/// The rows of a file of cases.
pub(super) fn rows<T: DeserializeOwned>(file: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    serde_yaml_ng::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Whether an entry is the one that a row calls by this name.
fn is_called(node: &Node, name: &str) -> bool {
    match name {
        "@tenants" => matches!(node, Node::IdentityProvider { .. }),
        "@anyaccount" => matches!(node, Node::ForeignAccount { account } if account == "*"),
        "@internet" => matches!(node, Node::Internet),
        "@foreign" => matches!(node, Node::ForeignAccount { .. }),
        name => node
            .arn()
            .is_some_and(|arn| arn.name() == name.rsplit('/').next().unwrap_or(name)),
    }
}

/// The surest pair that begins with whom a row calls by this name.
pub(super) fn surest<'s>(set: &'s PathSet, name: &str) -> Option<&'s Pair> {
    let begins = set.pairs.iter().filter(|pair| {
        let stop = &pair.best.entry;
        is_called(&stop.node, name) || stop.everybody().any(|one| is_called(one, name))
    });
    begins.min_by_key(|pair| pair.best.status)
}

/// The word for how sure a pair is.
pub(super) fn word(pair: Option<&Pair>) -> &'static str {
    match pair.map(|pair| pair.best.status) {
        Some(Status::Proven) => "proven",
        Some(Status::Conditional) => "conditional",
        Some(Status::Possible) => "possible",
        None => "none",
    }
}

/// Whether an answer is one of the words of a row.
pub(super) fn fits(wanted: &str, found: &str) -> bool {
    wanted.split('|').any(|one| one == found)
}
