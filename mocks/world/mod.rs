//! A world as a value: its snapshot, its story, its truth, and what only a server needs.

mod derive;
mod expand;
mod gaps;
mod place;
mod source;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use palisade_model::Snapshot;
use serde::{Deserialize, Serialize};
use thiserror::Error;

pub(crate) use derive::{
    access_key_id, canonical_user, hash_text, secret_text, unique_id, zone_of_key,
};

use source::Source;

/// Why a world could not be read.
#[derive(Debug, Error)]
pub enum WorldError {
    /// No story world and no file has that name.
    #[error("no world is called `{name}`; there are {known}")]
    NotFound {
        /// The name as given.
        name: String,
        /// The story worlds, for the reader.
        known: String,
    },
    /// The file cannot be read.
    #[error("cannot read the world `{file}`")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is not YAML.
    #[error("`{file}` is not valid YAML: {detail}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, with line and column.
        detail: String,
    },
    /// The file is YAML, and says something that no world can say.
    #[error("{file}:{line}: at `{at}`: {detail}; {help}")]
    Invalid {
        /// The file.
        file: String,
        /// The line of the nearest key that was found.
        line: usize,
        /// The path of keys.
        at: String,
        /// What is wrong.
        detail: String,
        /// What to write instead.
        help: String,
    },
    /// Worlds extend one another in a circle.
    #[error("`{file}` extends itself, by way of {chain}")]
    Circle {
        /// The file.
        file: String,
        /// The names on the way round.
        chain: String,
    },
}

/// What a world knows to be true of itself: what every analysis of it must find.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Truth {
    /// Paths as `node -[technique]-> node …`, such as
    /// `user/build -[lambda.create-function]-> role/deploy`.
    pub paths: Vec<String>,
    /// Failing resources (short names or ARNs) by check.
    pub findings: BTreeMap<String, Vec<String>>,
    /// Resources on which a check must answer *unknown*, by check.
    pub unknown: BTreeMap<String, Vec<String>>,
    /// What looks dangerous and is not, by name.
    pub near_misses: BTreeMap<String, NearMiss>,
    /// Anything else a test states about this world.
    #[serde(flatten)]
    pub more: BTreeMap<String, serde_json::Value>,
}

/// Something that is right by one detail.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NearMiss {
    /// The resource, short name or ARN.
    pub resource: String,
    /// Why it is no finding.
    pub why: String,
    /// The world in which that one detail is wrong.
    pub flip: String,
}

/// A disturbance of the served world.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    #[serde(rename = "as")]
    pub kind: FaultKind,
    /// Only calls of this service, such as `iam`; `*` for all.
    #[serde(default = "any")]
    pub service: String,
    /// Only this operation, such as `ListUsers`; a trailing `*` matches any rest.
    #[serde(default = "any")]
    pub operation: String,
    /// Only this account.
    #[serde(default = "any")]
    pub account: String,
    /// Only this region.
    #[serde(default = "any")]
    pub region: String,
    /// Every n-th matching call fails; 1 fails all of them.
    #[serde(default = "one")]
    pub every: u64,
    /// Only the first so many matching calls are counted; 0 for all.
    #[serde(default)]
    pub first: u64,
}

impl Fault {
    /// Every call of an operation, in every account and region.
    pub fn always(kind: FaultKind, service: &str, operation: &str) -> Fault {
        Fault {
            kind,
            service: service.to_owned(),
            operation: operation.to_owned(),
            account: any(),
            region: any(),
            every: 1,
            first: 0,
        }
    }
}

fn any() -> String {
    "*".to_owned()
}

fn one() -> u64 {
    1
}

/// The ways an AWS, or what stands between, misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// The service's own throttling error.
    Throttle,
    /// A 500 with the service's own error body.
    ServerError,
    /// A 503 without a body.
    Unavailable,
    /// A 200 with an HTML page, as proxies give it.
    Html,
    /// Access denied.
    Denied,
    /// Access denied by a service control policy.
    DeniedByScp,
    /// A 200 whose body is cut in the middle.
    Truncated,
    /// A 200 with no body at all.
    Empty,
    /// A 200 in the form of the protocol that says nothing: no list, no field.
    Hollow,
    /// A 200 whose lists are as long as they should be, of rows that say nothing.
    Bare,
    /// Credentials that have expired.
    Expired,
}

/// The name and the story of an embedded world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// Its name, as `scan --world` takes it.
    pub name: &'static str,
    /// Its story, in a sentence or two.
    pub story: String,
}

/// A world.
#[derive(Clone, Debug)]
pub struct World {
    pub(crate) name: String,
    pub(crate) story: String,
    pub(crate) truth: Truth,
    pub(crate) faults: Vec<Fault>,
    pub(crate) snapshot: Snapshot,
    pub(crate) content: Content,
}

/// Bytes of objects by account, bucket, key and version (empty: the current one).
pub(crate) type Content = BTreeMap<(String, String, String, String), Vec<u8>>;

/// The story worlds, by name.
const EMBEDDED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/worlds.rs"));

/// The story worlds that are built in, sorted by name.
pub fn worlds() -> Vec<Story> {
    EMBEDDED
        .iter()
        .map(|(name, text)| Story {
            name,
            story: source::story(text),
        })
        .collect()
}

/// Where the sources of all worlds lie: for tests, which read proof worlds from there.
pub fn world_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("worlds")
}

impl World {
    /// Reads a world: a path to a file or folder, the name of a story world, or the name of a
    /// proof world under [`world_folder`].
    pub fn load(name_or_path: &str) -> Result<World, WorldError> {
        Source::find(name_or_path)?.read()
    }

    /// Reads a world from the text of a `world.yaml`; `file` stands in messages, and worlds that
    /// it extends are looked for beside it.
    pub fn parse(file: &Path, text: &str) -> Result<World, WorldError> {
        Source::of_text(file, text).read()
    }

    /// Its name: the folder's.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its story.
    pub fn story(&self) -> &str {
        &self.story
    }

    /// What is true of it.
    pub fn truth(&self) -> &Truth {
        &self.truth
    }

    /// Everything that can be seen of it.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// The same, given away.
    pub fn into_snapshot(self) -> Snapshot {
        self.snapshot
    }

    /// The bytes of an object's current version, where the world wrote them down.
    pub fn content(&self, account: &str, bucket: &str, key: &str) -> Option<&[u8]> {
        let place = (
            account.to_owned(),
            bucket.to_owned(),
            key.to_owned(),
            String::new(),
        );
        self.content.get(&place).map(Vec::as_slice)
    }

    /// A world made of a snapshot alone, so that any snapshot can be served.
    pub fn of_snapshot(name: impl Into<String>, snapshot: Snapshot) -> World {
        World {
            name: name.into(),
            story: String::new(),
            truth: Truth::default(),
            faults: Vec::new(),
            snapshot,
            content: Content::new(),
        }
    }

    /// Adds a disturbance to what is served.
    pub fn disturb(&mut self, fault: Fault) {
        self.faults.push(fault);
    }
}

#[cfg(test)]
mod tests;
