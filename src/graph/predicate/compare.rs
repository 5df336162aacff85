//! Compares what policies allow, statement by statement: an Allow that no single Allow of the
//! other side covers is taken as more. It may call something broader that is not, which draws an
//! edge that gains nothing; it never calls something covered that is broader.

use std::sync::Arc;

use palisade_model::Gap;

use super::super::bind::Truth;
use super::glob;
use crate::policy::document::{Document, Statement};
use crate::policy::{Effect, Glob};

/// Policies that bear together; what could not be read stands beside them.
#[derive(Default)]
pub(super) struct Policies {
    pub(super) read: Vec<Arc<Document>>,
    pub(super) gaps: Vec<Gap>,
}

impl Policies {
    pub(super) fn statements(&self, effect: Effect) -> impl Iterator<Item = &Statement> {
        let all = self.read.iter().flat_map(|document| &document.statements);
        all.filter(move |statement| statement.effect == effect)
    }

    pub(super) fn unknown(&self) -> Truth {
        match self.gaps.is_empty() {
            true => Truth::No,
            false => Truth::Unknown(self.gaps.clone()),
        }
    }
}

/// Whether `a` allows something that `b` does not. What of `b` could not be read may allow it.
pub(super) fn more(a: &Policies, b: &Policies) -> Truth {
    let uncovered = a.statements(Effect::Allow).any(|allow| {
        !b.statements(Effect::Allow)
            .any(|other| covers(other, allow))
    });
    if uncovered {
        return match b.gaps.is_empty() {
            true => Truth::Yes,
            false => Truth::Unknown(b.gaps.clone()),
        };
    }
    a.unknown()
}

/// Whether `a` lacks a Deny that `b` has: without it its holder may do more.
pub(super) fn freer(a: &Policies, b: &Policies) -> Truth {
    let dropped = b
        .statements(Effect::Deny)
        .any(|deny| !a.statements(Effect::Deny).any(|other| covers(other, deny)));
    match dropped {
        true => Truth::from(a.gaps.is_empty()).or(a.unknown()),
        false => b.unknown(),
    }
}

/// Whether everything `small` allows is allowed by `big` too. Sure when it says yes.
fn covers(big: &Statement, small: &Statement) -> bool {
    let conditions = big.conditions.is_empty() || big.conditions == small.conditions;
    conditions
        && within(
            &small.actions,
            &small.not_actions,
            &big.actions,
            &big.not_actions,
            true,
        )
        && within(
            &small.resources,
            &small.not_resources,
            &big.resources,
            &big.not_resources,
            false,
        )
}

type Element = Option<Vec<String>>;

fn within(
    small: &Element,
    not_small: &Element,
    big: &Element,
    not_big: &Element,
    fold: bool,
) -> bool {
    let glob = |text: &String| {
        let text = text.trim();
        if fold {
            Glob::new(&text.to_ascii_lowercase())
        } else {
            Glob::new(text)
        }
    };
    let covered =
        |by: &Vec<String>, one: &String| by.iter().any(|other| glob(other).covers(&glob(one)));
    match (small, not_small, big, not_big) {
        (Some(small), _, Some(big), _) => small.iter().all(|one| covered(big, one)),
        // Everything but these, within everything but those: those must be among these.
        (None, Some(but), None, Some(but_big)) => but_big.iter().all(|one| covered(but, one)),
        (None, Some(_), Some(big), _) => big.iter().any(|one| one.trim() == "*"),
        (Some(small), _, None, Some(but)) => small
            .iter()
            .all(|one| !but.iter().any(|other| touch(&glob(other), &glob(one)))),
        (None, None, _, _) => true,
        _ => false,
    }
}

/// Whether two patterns may match one text; wildcards on both sides count as yes.
fn touch(a: &Glob, b: &Glob) -> bool {
    let (a, b) = (a.to_string(), b.to_string());
    let head = |text: &str| text.find(['*', '?']).map_or(text.len(), |at| at);
    let common = head(&a).min(head(&b));
    a.as_bytes()[..common] == b.as_bytes()[..common]
        && (a.contains(['*', '?']) || b.contains(['*', '?']) || a == b)
}

/// Whether a Deny and an Allow may speak of the same request.
pub(super) fn meet(deny: &Statement, allow: &Statement) -> bool {
    let lower = |text: &String| Glob::new(&text.trim().to_ascii_lowercase());
    let actions = match (&deny.actions, &allow.actions) {
        (Some(deny), Some(allow)) => deny
            .iter()
            .any(|d| allow.iter().any(|a| touch(&lower(d), &lower(a)))),
        _ => true,
    };
    let resources = match (&deny.resources, &allow.resources) {
        (Some(deny), Some(allow)) => deny
            .iter()
            .any(|d| allow.iter().any(|a| touch(&Glob::new(d), &Glob::new(a)))),
        _ => true,
    };
    actions && resources
}

/// Whether some condition of the statement tests the key (a pattern for tag families).
pub(super) fn hangs_on(statement: &Statement, key: &str) -> bool {
    // Services ask for the tags of their resources under names of their own, too.
    let tag = key.strip_prefix("aws:ResourceTag/");
    let own = tag.map(|tag| format!("*:ResourceTag/{tag}"));
    let tests = statement.conditions.iter().any(|condition| {
        let own = own.as_ref().is_some_and(|own| glob(own, &condition.key));
        own || glob(key, &condition.key)
    });
    let values = statement.conditions.iter().flat_map(|c| &c.values);
    let resources = statement.resources.iter().flatten().chain(values);
    let variable = key.trim_end_matches('*').to_ascii_lowercase();
    let spoken = resources.into_iter().any(|text| {
        text.to_ascii_lowercase()
            .contains(&format!("${{{variable}"))
    });
    tests || spoken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(statement: &str) -> Policies {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        Policies {
            read: vec![Arc::new(Document::parse(&text).expect("it is a policy"))],
            gaps: Vec::new(),
        }
    }

    #[test]
    fn more_is_what_no_statement_of_the_other_covers() {
        let star = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
        let s3 = r#"{"Effect":"Allow","Action":"s3:Get*","Resource":"*"}"#;
        let one = r#"{"Effect":"Allow","Action":"S3:GetObject","Resource":"arn:aws:s3:::b/*"}"#;
        let gated = r#"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}"#;
        let but = r#"{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}"#;
        for (a, b, expected) in [
            (star, s3, true),
            (s3, star, false),
            (one, s3, false),
            (s3, one, true),
            (one, gated, true),
            (gated, star, false),
            (one, but, false),
            (but, star, false),
            (star, but, true),
        ] {
            assert_eq!(more(&policies(a), &policies(b)), expected.into(), "{a} {b}");
        }
    }

    #[test]
    fn unread_policies_leave_it_open() {
        let star = policies(r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#);
        let mut unread = Policies::default();
        unread.gaps.push(Gap::not_collected("iam:GetPolicyVersion"));
        assert!(matches!(more(&star, &unread), Truth::Unknown(_)));
        assert!(matches!(more(&unread, &star), Truth::Unknown(_)));
    }
}
