//! How far a found key leads: once the paths are known, the evidence that names its user says so.

use palisade_model::Arn;

use super::super::{Answer, Evidence, Outcome};
use crate::graph::{Node, Path, PathSet, Status};

/// How evidence speaks of a key that works; the user's name follows.
pub(super) const ACTIVE: &str = "an active key of user";

/// Adds to each finding about an exposed key how many steps its user is from administrator.
pub(crate) fn reach(answers: &mut [Answer], paths: &PathSet) {
    let mine = answers
        .iter_mut()
        .filter(|answer| answer.check == "s3-public-credential-files");
    for answer in mine {
        if let Outcome::Fail { evidence } = &mut answer.outcome {
            evidence.iter_mut().for_each(|one| lead_on(one, paths));
        }
    }
}

fn lead_on(evidence: &mut Evidence, paths: &PathSet) {
    if !evidence.says.contains(ACTIVE) {
        return;
    }
    let Some(user) = evidence.names.first().map(|name| Arn::new(name.clone())) else {
        return;
    };
    let ways = paths.paths().filter_map(|path| rest(path, &user));
    let Some((_, steps, target)) = ways.min() else {
        return;
    };
    let says = &mut evidence.says;
    match steps {
        0 => says.push_str(&format!(", who is {target}")),
        1 => says.push_str(&format!(", who reaches {target} in one step")),
        steps => says.push_str(&format!(", who reaches {target} in {} steps", word(steps))),
    }
}

/// Whether a path is sure, how many of its steps follow the user, and where they lead.
fn rest(path: &Path, user: &Arn) -> Option<(bool, usize, String)> {
    let target = match &path.target.node {
        Node::Administrator { account } => format!("administrator of account {account}"),
        Node::Organization { .. } => "administrator of the organization".to_owned(),
        _ => return None,
    };
    let is_user = |node: &Node| node.arn() == Some(user);
    let at = match path.entry.members.iter().any(is_user) {
        true => 0,
        false => path.nodes().position(is_user)?,
    };
    let possible = path.status == Status::Possible;
    let rest = &path.hops[at..];
    // To be administrator is no way to become it.
    let is_it = rest.iter().all(|hop| hop.technique == "is-administrator");
    Some((possible, if is_it { 0 } else { rest.len() }, target))
}

fn word(count: usize) -> String {
    const WORDS: [&str; 8] = [
        "two", "three", "four", "five", "six", "seven", "eight", "nine",
    ];
    match WORDS.get(count.wrapping_sub(2)) {
        Some(word) => (*word).to_owned(),
        None => count.to_string(),
    }
}
