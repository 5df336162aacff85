//! Calls that set tags on a principal or a session: which tags whoever makes one would set, and to
//! what.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use palisade_model::Arn;

use super::actor::{Actor, Mod};
use super::ask::{Asked, Call};
use super::ground::Ground;
use super::judge::Judge;
use super::name::witness;
use crate::policy::document::{Condition, Document, Statement};
use crate::policy::{Context, Effect, Term};

/// Calls that set or take tags of a principal, or give some to a session.
const CALLS: [&str; 5] = [
    "iam:tagrole",
    "iam:taguser",
    "iam:untagrole",
    "iam:untaguser",
    "sts:tagsession",
];

/// Tags that are tried in one call each.
const MAX_TAGS: usize = 32;

/// Keys that test a tag of a principal, as the one who asks or the one who is asked for.
const FAMILIES: [&str; 3] = ["aws:principaltag/", "aws:resourcetag/", "iam:resourcetag/"];

/// What policies ask one tag to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wish {
    /// Patterns that open something: a value that fits one of them will do.
    fits: BTreeSet<String>,
    /// Patterns that hold something back: a value that fits none of them will do.
    avoids: BTreeSet<String>,
    /// It is compared with something that is filled in: any value may be the one.
    open: bool,
}

/// Tags that some policy tests, by key as it is written, with what it asks of them.
pub(super) fn wanted_tags(ground: &Ground<'_>) -> BTreeMap<String, Wish> {
    let mut wanted: BTreeMap<String, Wish> = BTreeMap::new();
    let mut seen = rustc_hash::FxHashSet::default();
    ground.each_policy(&mut |text| {
        let lower = text.as_str().to_ascii_lowercase();
        let speaks = FAMILIES.iter().any(|family| lower.contains(family));
        if !speaks || !seen.insert(text.as_str().to_owned()) {
            return;
        }
        let Ok(document) = Document::parse(text.as_str()) else {
            return;
        };
        for statement in &document.statements {
            for condition in &statement.conditions {
                if let Some(tag) = tag_in(&condition.key) {
                    let wish = wanted.entry(tag.to_owned()).or_default();
                    wish.take(statement, condition);
                }
            }
        }
        // A variable asks for whatever the other side holds.
        for (at, _) in lower.match_indices("${") {
            let written = &text.as_str()[at + 2..];
            let written = written.split(['}', ',']).next().unwrap_or_default();
            if let Some(tag) = tag_in(written.trim()) {
                wanted.entry(tag.to_owned()).or_default().open = true;
            }
        }
    });
    wanted
}

impl Wish {
    fn take(&mut self, statement: &Statement, condition: &Condition) {
        let operator = condition.operator.to_ascii_lowercase();
        let null = operator.contains("null");
        let opens = (statement.effect == Effect::Allow) != operator.contains("not");
        for value in &condition.values {
            let absent = null && value.eq_ignore_ascii_case("true");
            match (null, opens) {
                // Asked to be there: any value will do. Asked to be missing: none will.
                (true, _) if absent != (statement.effect == Effect::Allow) => {
                    self.fits.insert("*".to_owned());
                }
                (true, _) => {}
                _ if value.contains('$') => self.open = true,
                (false, true) => drop(self.fits.insert(value.clone())),
                (false, false) => drop(self.avoids.insert(value.clone())),
            }
        }
    }

    /// Values worth setting by somebody who may set those that fit one of `own`, or any where
    /// that is empty; `None` where every value is worth it.
    fn values(&self, own: &[String]) -> Option<BTreeSet<String>> {
        if self.open {
            return None;
        }
        let any = ["*".to_owned()];
        let own = if own.is_empty() { &any } else { own };
        let avoids: Vec<&str> = self.avoids.iter().map(String::as_str).collect();
        let mut values = BTreeSet::new();
        for pattern in own {
            for fit in &self.fits {
                // What fits and is held back by nothing else, or at least what fits.
                let both = [fit.as_str(), pattern];
                let best = witness(&both, &avoids).ok().flatten();
                values.extend(best.or_else(|| witness(&both, &[]).ok().flatten()));
            }
            if !avoids.is_empty() {
                values.extend(witness(&[pattern], &avoids).ok().flatten());
            }
        }
        Some(values)
    }
}

/// The tag that a condition key or variable names.
fn tag_in(key: &str) -> Option<&str> {
    let lower = key.to_ascii_lowercase();
    let family = FAMILIES.iter().find(|family| lower.starts_with(**family))?;
    key.get(family.len()..)
}

/// Patterns that the policies of an actor hold the value of a tag in the request against.
fn own_patterns(actor: &Actor, tag: &str) -> Vec<String> {
    let asked = format!("aws:RequestTag/{tag}");
    let boundary = actor.boundary.iter().flat_map(|all| all.iter());
    let documents = actor.identity.iter().chain(boundary);
    let documents = documents.filter_map(|attached| attached.policy.document());
    let conditions = documents
        .flat_map(|document| &document.statements)
        .flat_map(|statement| &statement.conditions);
    let mut all: Vec<String> = conditions
        .filter(|condition| condition.key.eq_ignore_ascii_case(&asked))
        .flat_map(|condition| condition.values.iter().cloned())
        .filter(|value| !value.contains('$'))
        .collect();
    if !all.is_empty() {
        all.push("*".to_owned());
    }
    all
}

impl Judge<'_> {
    /// Asks a call on something that is known. One that sets tags is asked for each tag that some
    /// policy tests, as whoever gains by it would send it: a condition on `aws:TagKeys` or
    /// `aws:RequestTag` then says yes or no.
    pub(super) fn ask_known(&self, actor: &Actor, call: Rc<Call>, resource: Arn) -> Option<Asked> {
        let action = call.action.to_ascii_lowercase();
        if !CALLS.contains(&action.as_str()) || self.wanted_tags().is_empty() {
            return self.ask(actor, call, resource, false);
        }
        let mut contexts: Vec<Vec<(String, String)>> = Vec::new();
        for (key, wish) in self.wanted_tags() {
            let named = ("aws:TagKeys".to_owned(), key.clone());
            let values = match action.contains("untag") {
                true => None,
                false => wish.values(&own_patterns(actor, key)),
            };
            match values {
                None => contexts.push(vec![named]),
                Some(values) => contexts.extend(values.into_iter().map(|value| {
                    let value = (format!("aws:RequestTag/{key}"), value);
                    vec![named.clone(), value]
                })),
            }
        }
        contexts.truncate(MAX_TAGS);
        let answers = contexts.into_iter().filter_map(|mut context| {
            context.extend(call.context.iter().cloned());
            let call = self.call(&call.action, context);
            self.ask(actor, call, resource.clone(), false)
        });
        answers.min_by_key(|asked| asked.status)
    }

    /// Notes that a user or role that is yet to be made bears no tags, where whoever makes it may
    /// give it none.
    ///
    /// Source: "Tagging IAM roles", IAM User Guide, 2026-11: making one with tags needs
    /// `iam:TagRole` besides; users likewise.
    pub(super) fn fresh_tags_of(
        &self,
        actor: &Actor,
        (action, resource): (&str, &str),
        known: &mut Context,
    ) {
        let tags = match Arn::from(resource).resource().split('/').next() {
            Some("role") => "iam:TagRole",
            Some("user") => "iam:TagUser",
            _ => return,
        };
        let borne = |key: &&String| key.contains("resourcetag/") || key.contains("requesttag/");
        let mut borne = self.tag_keys.iter().filter(borne).peekable();
        if action.eq_ignore_ascii_case(tags) || borne.peek().is_none() {
            return;
        }
        let call = self.call(tags, Vec::new());
        if self.ask(actor, call, Arn::from(resource), true).is_none() {
            for key in borne {
                known.set_absent(key);
            }
            known.set_absent("aws:TagKeys");
        }
    }

    /// Whether a user who sets his own tags can give none of them a value that a condition asks
    /// for. Who tags the sessions of a role is not known here: they may bear any.
    pub(super) fn cannot_bear(&self, actor: &Actor, term: &Term) -> bool {
        let Some(tag) = term.key.strip_prefix("aws:principaltag/") else {
            return false;
        };
        let plain = !term.operator.negated && !term.values.iter().any(|v| v.contains('$'));
        if !plain || !actor.is_user() || !actor.mods.contains(&Mod::OwnTags) {
            return false;
        }
        // Tagging may itself hang on a tag; then it is left open.
        if self.tags_asked.replace(true) {
            return false;
        }
        let wish = Wish {
            fits: term.values.iter().cloned().collect(),
            ..Wish::default()
        };
        let key = self.wanted_tags().keys();
        let key = key.into_iter().find(|key| key.eq_ignore_ascii_case(tag));
        let key = key.map_or(tag, String::as_str);
        let values = wish.values(&own_patterns(actor, key)).unwrap_or_default();
        // Where another hand sets them, it may set any.
        let own = self.call("iam:TagUser", Vec::new());
        let own = self.ask(actor, own, actor.arn.clone(), false).is_some();
        let can = !own
            || values.into_iter().any(|value| {
                let context = vec![
                    ("aws:TagKeys".to_owned(), key.to_owned()),
                    (format!("aws:RequestTag/{key}"), value),
                ];
                let call = self.call("iam:TagUser", context);
                self.ask(actor, call, actor.arn.clone(), false).is_some()
            });
        self.tags_asked.set(false);
        !can
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(fits: &[&str], avoids: &[&str]) -> Wish {
        let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
        Wish {
            fits: owned(fits),
            avoids: owned(avoids),
            open: false,
        }
    }

    fn values(wish: &Wish, own: &[&str]) -> Vec<String> {
        let own: Vec<String> = own.iter().map(|one| (*one).to_owned()).collect();
        wish.values(&own).into_iter().flatten().collect()
    }

    #[test]
    fn a_value_fits_what_opens_and_what_may_be_set() {
        assert_eq!(values(&wish(&["9"], &[]), &[]), ["9"]);
        assert_eq!(values(&wish(&["*-prod"], &[]), &["team-*"]), ["team-prod"]);
        assert!(values(&wish(&["*-prod"], &[]), &["team-?"]).is_empty());
        assert!(values(&wish(&["admin"], &[]), &["dev", "test"]).is_empty());
    }

    #[test]
    fn a_value_that_holds_back_is_replaced_by_any_other() {
        let found = values(&wish(&[], &["yes"]), &[]);
        assert!(found.len() == 1 && found[0] != "yes", "{found:?}");
        assert!(values(&wish(&[], &["yes"]), &["yes"]).is_empty());
    }
}
