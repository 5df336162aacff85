//! Putting facts into an answer at the paths where the rows of the table read them.

use std::collections::BTreeMap;

use palisade_model::listing::{Shape, Tags, Wire};
use serde_json::{Value, json};

pub(super) fn write_tags(value: &mut Value, tags: Tags, held: Option<&BTreeMap<String, String>>) {
    let path = tags.at.path;
    for (index, (key, text)) in held.into_iter().flatten().enumerate() {
        let mut tag = json!({});
        if tags.key.is_empty() {
            tag[key] = text.as_str().into();
            put(value, path, tag, &[]);
            continue;
        }
        tag[tags.key] = key.as_str().into();
        tag[tags.value] = text.as_str().into();
        let lists = path.matches("[]").count();
        let mut indexes = vec![0; lists.saturating_sub(1)];
        indexes.push(index);
        put(value, path, tag, &indexes);
    }
}

pub(super) fn write(value: &mut Value, path: &str, shape: Shape, fact: &Value, wire: &Wire) {
    match (shape, fact) {
        (Shape::Present, Value::Bool(false)) => {}
        // In XML an element that holds nothing is like none.
        (Shape::Present, _) if !matches!(wire, Wire::Json { .. } | Wire::RestJson) => {
            if at_path(value, path).is_none() {
                put(value, path, "-".into(), &[]);
            }
        }
        (Shape::Present, _) => put(value, path, json!({}), &[]),
        (Shape::Keys, Value::Array(names)) => {
            for name in names.iter().filter_map(Value::as_str) {
                let mut object = json!({});
                object[name] = "-".into();
                put(value, path, object, &[]);
            }
        }
        (Shape::FunctionArns, fact) => put(value, path, fact.to_string().into(), &[]),
        (Shape::Texts | Shape::Tails | Shape::Raws | Shape::KeyIds, Value::Array(texts)) => {
            let lists = path.split('|').next().unwrap_or(path).matches("[]").count();
            for (index, text) in texts.iter().enumerate() {
                let mut indexes = vec![0; lists.saturating_sub(1)];
                indexes.push(index);
                put(value, path, text.clone(), &indexes);
            }
        }
        (_, fact) => put(value, path, fact.clone(), &[]),
    }
}

/// Puts `leaf` at `path`; `indexes` say which item of each list on the way, the first if silent.
pub(super) fn put(value: &mut Value, path: &str, leaf: Value, indexes: &[usize]) {
    let path = path.split('|').next().unwrap_or(path);
    if path == "." || path.is_empty() {
        *value = leaf;
        return;
    }
    let (part, rest) = path.split_once('.').unwrap_or((path, ""));
    let list = part.strip_suffix(']').and_then(|part| part.split_once('['));
    if !value.is_object() && list.is_none_or(|(name, _)| !name.is_empty()) {
        *value = json!({});
    }
    let Some((name, which)) = list else {
        let inner = &mut value[part];
        match rest {
            "" => {
                let under = inner.take();
                *inner = join(under, leaf);
            }
            rest => put(inner, rest, leaf, indexes),
        }
        return;
    };
    let (index, below) = match indexes.split_first() {
        Some((index, below)) => (*index, below),
        None => (0, indexes),
    };
    let list = match name {
        "" => value,
        name => &mut value[name],
    };
    if !list.is_array() {
        *list = json!([]);
    }
    if let Value::Array(items) = list {
        if let Some((key, wanted)) = which.split_once('=') {
            let mut item = json!({});
            item[key] = wanted.into();
            put(&mut item, rest, leaf, indexes);
            items.push(item);
            return;
        }
        while items.len() <= index {
            items.push(Value::Null);
        }
        match rest {
            "" => {
                let under = items[index].take();
                items[index] = join(under, leaf);
            }
            rest => put(&mut items[index], rest, leaf, below),
        }
    }
}

/// Both values in one: mappings merge, lists grow together, the second wins elsewhere.
pub(super) fn join(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (key, value) in over {
                let below = under.shift_remove(&key).unwrap_or_default();
                under.insert(key, join(below, value));
            }
            Value::Object(under)
        }
        (Value::Array(mut under), Value::Array(over)) => {
            for (index, value) in over.into_iter().enumerate() {
                match under.get_mut(index) {
                    Some(below) => *below = join(below.take(), value),
                    None => under.push(value),
                }
            }
            Value::Array(under)
        }
        (under, Value::Null) => under,
        (_, over) => over,
    }
}

/// Lists of both, one after the other.
pub(super) fn grow(under: Value, over: Value) -> Value {
    match (under, over) {
        (Value::Object(mut under), Value::Object(over)) => {
            for (key, value) in over {
                let below = under.shift_remove(&key).unwrap_or_default();
                under.insert(key, grow(below, value));
            }
            Value::Object(under)
        }
        (Value::Array(mut under), Value::Array(over)) => {
            under.extend(over);
            Value::Array(under)
        }
        (under, Value::Null) => under,
        (_, over) => over,
    }
}

/// The text at a path of the item.
pub(super) fn at_path(item: &Value, path: &str) -> Option<String> {
    let path = path.split('|').next().unwrap_or(path);
    let mut value = item;
    if path != "." {
        for part in path.split('.') {
            value = match part.strip_suffix("[]") {
                Some(name) => value.get(name)?.get(0)?,
                None => value.get(part)?,
            };
        }
    }
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) | Value::Array(_) | Value::Null => None,
        other => Some(other.to_string()),
    }
}
