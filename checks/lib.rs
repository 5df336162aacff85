//! The catalogue: what Palisade asks, as data, and the code that reads it.
//!
//! Every YAML file of this folder is embedded when the crate is built and validated when it is
//! first read. A file that says something the schema does not know, names an action AWS does not
//! have, or proves itself by no world is an error, never a check that silently passes.
//!
//! | folder | holds | read by |
//! |---|---|---|
//! | `<service>/` | checks | [`checks`] |
//! | `techniques/` | escalation techniques | `techniques` |
//! | `tamper/` | actions that blind a security service | `tamper` |
//! | `secrets/` | content rules and name patterns | the content engine |

mod check;
mod tamper;
pub mod technique;
pub mod weights;

use std::sync::OnceLock;

use thiserror::Error;

pub use check::{Check, Condition, Fix, Proof, Rule, Severity, Test};
pub use tamper::{
    Caller, Part, Printed, RaisedLimits, ScpLimits, TamperAction, TamperEvent, TamperGroup,
    load_tamper, scp_limits, tamper, tamper_group,
};
pub use technique::{Technique, handover, technique_of, techniques, through};

/// Why the catalogue does not load.
#[derive(Debug, Error)]
pub enum CatalogueError {
    /// The file is not the YAML its folder asks for.
    #[error("`checks/{file}` cannot be read: {detail}")]
    Unreadable {
        /// Path below `checks/`.
        file: String,
        /// What the parser says, with line and column.
        detail: String,
    },
    /// The file says something that cannot be true.
    #[error("`checks/{file}` {problem}")]
    Invalid {
        /// Path below `checks/`.
        file: String,
        /// What is wrong, as the rest of the sentence.
        problem: String,
    },
}

/// Every embedded file: its path below `checks/`, with `/`, and its text; sorted by path.
pub fn files() -> &'static [(&'static str, &'static str)] {
    static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));
    FILES
}

/// The embedded files of one folder and those below it.
pub fn files_in(folder: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let prefix = format!("{folder}/");
    files()
        .iter()
        .copied()
        .filter(move |(path, _)| path.starts_with(&prefix))
}

/// Folders that hold something other than checks.
const OTHER_FOLDERS: [&str; 5] = ["techniques", "frameworks", "tamper", "secrets", "data"];

/// Every check, sorted by id. Reads and validates once.
///
/// # Panics
///
/// When a check file is invalid: the tests load the catalogue, so a build that passed them
/// cannot hold one.
pub fn checks() -> &'static [Check] {
    static CHECKS: OnceLock<Vec<Check>> = OnceLock::new();
    CHECKS.get_or_init(|| match load_checks() {
        Ok(checks) => checks,
        Err(error) => panic!("{error}"),
    })
}

/// Reads and validates every check.
pub fn load_checks() -> Result<Vec<Check>, CatalogueError> {
    let mut checks = files()
        .iter()
        .filter(|(path, _)| {
            path.split_once('/')
                .is_some_and(|(folder, _)| !OTHER_FOLDERS.contains(&folder))
        })
        .map(|(path, text)| Check::read(path, text))
        .collect::<Result<Vec<_>, _>>()?;
    checks.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(checks)
}

/// The check with that id.
pub fn check(id: &str) -> Option<&'static Check> {
    let checks = checks();
    checks
        .binary_search_by(|check| check.id.as_str().cmp(id))
        .ok()
        .map(|index| &checks[index])
}
