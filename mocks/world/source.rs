//! Finding a world's file, reading it, and laying it over the world it extends.

use std::fs;
use std::path::{Path, PathBuf};

use palisade_model::Snapshot;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::expand::{self, Fault as ExpandFault};
use super::{EMBEDDED, Fault, Truth, World, WorldError, gaps, place, world_folder};

/// The text of one world, and of those below it.
pub(super) struct Source {
    name: String,
    file: PathBuf,
    text: String,
}

/// A `world.yaml` with what it extends folded in.
struct Folded {
    value: Map<String, Value>,
    /// The files that took part, the world's own first.
    layers: Vec<(PathBuf, String)>,
}

impl Source {
    pub(super) fn find(name: &str) -> Result<Source, WorldError> {
        if let Some((name, text)) = EMBEDDED.iter().find(|(known, _)| *known == name) {
            let file = world_folder().join(name).join("world.yaml");
            return Ok(Source {
                name: (*name).to_owned(),
                file,
                text: (*text).to_owned(),
            });
        }
        let as_path = Path::new(name);
        for file in candidates(as_path)
            .into_iter()
            .chain(candidates(&world_folder().join(name)))
            .chain(candidates(&world_folder().join("proof").join(name)))
        {
            if file.is_file() {
                return Source::of_file(&file);
            }
        }
        if name.contains('/') || name.contains('.') {
            return Err(WorldError::Io {
                file: name.to_owned(),
                source: std::io::ErrorKind::NotFound.into(),
            });
        }
        Err(WorldError::NotFound {
            name: name.to_owned(),
            known: EMBEDDED
                .iter()
                .map(|(name, _)| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
        })
    }

    fn of_file(file: &Path) -> Result<Source, WorldError> {
        let text = fs::read_to_string(file).map_err(|source| WorldError::Io {
            file: file.display().to_string(),
            source,
        })?;
        Ok(Source::of_text(file, &text))
    }

    pub(super) fn of_text(file: &Path, text: &str) -> Source {
        let stem = match file.file_stem() {
            Some(stem) if stem != "world" => Some(stem),
            _ => file.parent().and_then(Path::file_name),
        };
        Source {
            name: stem.unwrap_or_default().to_string_lossy().into_owned(),
            file: file.to_owned(),
            text: text.to_owned(),
        }
    }

    /// The world that this one extends: beside it, above it, or by name.
    fn base(&self, name: &str) -> Result<Source, WorldError> {
        let here = self.file.parent().unwrap_or(Path::new("."));
        for folder in [
            Some(here),
            here.parent(),
            here.parent().and_then(Path::parent),
        ] {
            for file in folder
                .into_iter()
                .flat_map(|folder| candidates(&folder.join(name)))
            {
                if file.is_file() && file != self.file {
                    return Source::of_file(&file);
                }
            }
        }
        Source::find(name)
    }

    pub(super) fn read(self) -> Result<World, WorldError> {
        let name = self.name.clone();
        let mut folded = self.fold(&mut Vec::new())?;
        let layers = std::mem::take(&mut folded.layers);
        let place = |fault: ExpandFault| invalid(&layers, fault);
        let mut top = folded.value;
        let story = take_text(&mut top, "story").map_err(place)?;
        let truth: Truth = take(&mut top, "truth").map_err(place)?;
        let faults: Vec<Fault> = take(&mut top, "faults").map_err(place)?;
        let holes = top.shift_remove("gaps");
        let mut expanded = expand::expand(top).map_err(place)?;
        gaps::apply(&mut expanded.snapshot, holes).map_err(place)?;
        let mut snapshot: Snapshot = typed(expanded.snapshot, &[]).map_err(place)?;
        gaps::close_accounts(&mut snapshot, &expanded.unreached);
        expand::settle(&mut snapshot);
        Ok(World {
            name,
            story,
            truth,
            faults,
            snapshot,
            content: expanded.content,
        })
    }

    fn fold(&self, chain: &mut Vec<String>) -> Result<Folded, WorldError> {
        if chain.contains(&self.name) {
            return Err(WorldError::Circle {
                file: self.file.display().to_string(),
                chain: chain.join(", "),
            });
        }
        chain.push(self.name.clone());
        let mut own = self.yaml()?;
        let layer = (self.file.clone(), self.text.clone());
        let Some(base) = own.shift_remove("extends") else {
            return Ok(Folded {
                value: own,
                layers: vec![layer],
            });
        };
        let Some(base) = base.as_str() else {
            let fault = ExpandFault::new(&["extends"], "not a name", "write the name of a world");
            return Err(invalid(&[layer], fault));
        };
        let mut below = self.base(base)?.fold(chain)?;
        for key in ["story", "truth", "embed"] {
            below.value.shift_remove(key);
        }
        lay_over(&mut below.value, own);
        below.layers.insert(0, layer);
        Ok(below)
    }

    fn yaml(&self) -> Result<Map<String, Value>, WorldError> {
        let syntax = |detail: String| WorldError::Syntax {
            file: self.file.display().to_string(),
            detail,
        };
        let mut value: serde_yaml_ng::Value =
            serde_yaml_ng::from_str(&self.text).map_err(|error| syntax(error.to_string()))?;
        value
            .apply_merge()
            .map_err(|error| syntax(error.to_string()))?;
        match json(value, &mut Vec::new())
            .map_err(|fault| invalid(&[(self.file.clone(), self.text.clone())], fault))?
        {
            Value::Object(map) => Ok(map),
            _ => Err(syntax("the top of a world is a mapping".to_owned())),
        }
    }
}

/// The files that a name may mean, seen from a folder.
fn candidates(path: &Path) -> [PathBuf; 3] {
    [
        path.to_owned(),
        path.join("world.yaml"),
        path.with_file_name(format!(
            "{}.yaml",
            path.file_name().unwrap_or_default().to_string_lossy()
        )),
    ]
}

/// The story in the text of a world, however broken the rest is.
pub(super) fn story(text: &str) -> String {
    #[derive(serde::Deserialize)]
    struct Head {
        #[serde(default)]
        story: String,
    }
    serde_yaml_ng::from_str::<Head>(text)
        .map(|head| head.story.split_whitespace().collect::<Vec<_>>().join(" "))
        .unwrap_or_default()
}

fn take_text(top: &mut Map<String, Value>, key: &str) -> Result<String, ExpandFault> {
    match top.shift_remove(key) {
        Some(Value::String(text)) => Ok(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        _ => Err(ExpandFault::new(
            &[key],
            "missing, or not a text",
            "say in a sentence what happens in this world",
        )),
    }
}

fn take<T: DeserializeOwned + Default>(
    top: &mut Map<String, Value>,
    key: &str,
) -> Result<T, ExpandFault> {
    match top.shift_remove(key) {
        None | Some(Value::Null) => Ok(T::default()),
        Some(value) => typed(value, &[key]),
    }
}

/// Reads a JSON value as `T`; a fault names the path of keys.
pub(super) fn typed<T: DeserializeOwned>(value: Value, above: &[&str]) -> Result<T, ExpandFault> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut at: Vec<String> = above.iter().map(|key| (*key).to_owned()).collect();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Map { key } => at.push(key.clone()),
                serde_path_to_error::Segment::Seq { index } => at.push(index.to_string()),
                _ => {}
            }
        }
        let detail = error.inner().to_string();
        let help = if detail.contains("unknown field") {
            "remove it, or write it as `mocks/SCHEMA.md` spells it"
        } else {
            "write it as `mocks/SCHEMA.md` says"
        };
        ExpandFault {
            at,
            detail,
            help: help.to_owned(),
        }
    })
}

fn invalid(layers: &[(PathBuf, String)], fault: ExpandFault) -> WorldError {
    let (line, _, file) = layers
        .iter()
        .map(|(file, text)| {
            let (line, depth) = place::line_of(text, &fault.at);
            (line, depth, file)
        })
        .reduce(|best, next| if next.1 > best.1 { next } else { best })
        .expect("a world is read from at least one file");
    WorldError::Invalid {
        file: file.display().to_string(),
        line,
        at: fault.at.join("."),
        detail: fault.detail,
        help: fault.help,
    }
}

fn json(value: serde_yaml_ng::Value, at: &mut Vec<String>) -> Result<Value, ExpandFault> {
    use serde_yaml_ng::Value as Yaml;
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(flag),
        Yaml::Number(number) => serde_json::to_value(number).unwrap_or(Value::Null),
        Yaml::String(text) => Value::String(text),
        Yaml::Sequence(items) => Value::Array(
            items
                .into_iter()
                .map(|item| json(item, at))
                .collect::<Result<_, _>>()?,
        ),
        Yaml::Tagged(tagged) => json(tagged.value, at)?,
        Yaml::Mapping(pairs) => {
            let mut map = Map::new();
            for (key, value) in pairs {
                let Yaml::String(key) = key else {
                    at.push(format!("{key:?}"));
                    return Err(ExpandFault {
                        at: at.clone(),
                        detail: "this key is not a text".to_owned(),
                        help: "put it in quotes, as account ids need it".to_owned(),
                    });
                };
                at.push(key.clone());
                map.insert(key, json(value, at)?);
                at.pop();
            }
            Value::Object(map)
        }
    })
}

/// Keys whose values are documents or outcomes: replaced whole, never merged.
const WHOLE: [&str; 6] = ["trust", "policy", "document", "pattern", "acl", "$gap"];

fn is_whole(key: &str, value: &Value) -> bool {
    WHOLE.contains(&key)
        || ["Statement", "allow", "deny", "$gap", "$not-applicable"]
            .iter()
            .any(|mark| value.get(mark).is_some())
}

/// Lays `over` on `under`: mappings merge, everything else replaces, null removes.
fn lay_over(under: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (_, Value::Null) => {
                under.shift_remove(&key);
            }
            (Some(below @ Value::Object(_)), Value::Object(above))
                if !is_whole(&key, below) && !WHOLE.contains(&key.as_str()) =>
            {
                let above = Value::Object(above);
                if is_whole(&key, &above) {
                    *below = above;
                } else if let (Value::Object(below), Value::Object(above)) = (below, above) {
                    lay_over(below, above);
                }
            }
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}
