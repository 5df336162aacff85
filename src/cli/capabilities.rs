//! What a principal can do by its own policies, and what one can that another cannot: the two
//! views of `palisade explain` that ask for no single action.

use palisade::policy::{Cite, Difference, Engine, Extent, UnreadPolicy, simulate};
use palisade::report::escape;
use serde_json::{Value, json};

use super::exit::Failure;

/// Who is meant: a user or role of the estate by what follows the account in its ARN, or
/// whoever else the name stands for, such as a service principal.
pub(crate) fn principal(engine: &Engine, name: &str) -> anyhow::Result<String> {
    match name.starts_with("user/") || name.starts_with("role/") {
        true => known(engine, name),
        false => Ok(name.to_owned()),
    }
}

/// The ARN of the principal of this name, by its whole ARN or what follows the account.
fn known(engine: &Engine, name: &str) -> anyhow::Result<String> {
    if engine.principal(name).is_some() {
        return Ok(name.to_owned());
    }
    let tail = format!(":{name}");
    let mut found = engine
        .principals()
        .iter()
        .filter(|p| p.arn.ends_with(&tail));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one.arn.to_string()),
        (Some(_), Some(_)) => Err(Failure::usage(
            format!(
                "several accounts have a principal `{}`",
                escape::plain(name)
            ),
            "give its whole ARN",
        )),
        _ => Err(Failure::usage(
            format!("the estate has no principal `{}`", escape::plain(name)),
            "give the ARN of a user or role, such as arn:aws:iam::111122223333:role/deploy",
        )),
    }
}

/// What one principal can do.
pub(crate) struct Permissions<'a> {
    engine: &'a Engine,
    principal: String,
}

impl<'a> Permissions<'a> {
    pub(crate) fn of(engine: &'a Engine, name: &str) -> anyhow::Result<Self> {
        let principal = known(engine, name)?;
        Ok(Self { engine, principal })
    }

    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let all = self.engine.what_can(&self.principal);
        let mut out = format!(
            "{} can, by its own policies:\n",
            escape::plain(&self.principal)
        );
        if all.is_empty() {
            out.push_str("  nothing\n");
        }
        for permission in &all {
            row(&mut out, 2, &permission.actions.join(", "));
            extents(&mut out, "on", &permission.allowed);
            extents(&mut out, "but not on", &permission.except);
            for (policy, statement) in self.cited(&permission.by) {
                row(&mut out, 6, &format!("by {policy}, statement {statement}"));
            }
        }
        unread(
            &mut out,
            &self.principal,
            &self.engine.unread_policies(&self.principal),
        );
        out
    }

    /// The same for scripts.
    pub(crate) fn json(&self) -> Value {
        let all = self.engine.what_can(&self.principal);
        let permissions = all.iter().map(|permission| {
            let by = self.cited(&permission.by);
            let by = by
                .iter()
                .map(|(policy, at)| json!({"policy": policy, "statement": at}));
            json!({"actions": permission.actions, "allowed": extents_json(&permission.allowed),
                "except": extents_json(&permission.except), "by": by.collect::<Vec<_>>()})
        });
        json!({
            "principal": self.principal, "permissions": permissions.collect::<Vec<_>>(),
            "notRead": unread_json(self.engine, &self.principal),
        })
    }

    /// Policies and statements: by their `Sid`, or their number from 1.
    fn cited(&self, cites: &[Cite]) -> Vec<(String, String)> {
        let policies = self.engine.identity_policies(&self.principal);
        let name = |cite: &Cite| {
            let attached = policies.get(cite.policy)?;
            let written = attached.policy.statement(cite.statement);
            let label = match written.and_then(|s| s.sid.as_deref()) {
                Some(sid) => format!("`{sid}`"),
                None => (cite.statement + 1).to_string(),
            };
            Some((attached.name.to_string(), label))
        };
        cites.iter().filter_map(name).collect()
    }
}

/// What each of two principals can do that the other cannot.
pub(crate) struct Compared<'a> {
    engine: &'a Engine,
    names: [String; 2],
}

impl<'a> Compared<'a> {
    pub(crate) fn of(engine: &'a Engine, first: &str, second: &str) -> anyhow::Result<Self> {
        let names = [known(engine, first)?, known(engine, second)?];
        Ok(Self { engine, names })
    }

    fn difference(&self) -> Difference {
        let [first, second] = &self.names;
        self.engine.difference(first, second)
    }

    /// Lines for people.
    pub(crate) fn text(&self) -> String {
        let found = self.difference();
        let mut out = String::new();
        for (name, only) in self
            .names
            .iter()
            .zip([&found.only_first, &found.only_second])
        {
            out.push_str(&format!("only {} can:\n", escape::plain(name)));
            let groups = Difference::grouped(only);
            if groups.is_empty() {
                out.push_str("  nothing\n");
            }
            for (actions, places) in groups {
                row(&mut out, 2, &actions.join(", "));
                extents(&mut out, "on", &places);
            }
            unread(&mut out, name, &self.engine.unread_policies(name));
        }
        out
    }

    /// The same for scripts.
    pub(crate) fn json(&self) -> Value {
        let found = self.difference();
        let side = |name: &String, only: &[(String, Vec<Extent>)]| {
            let groups = Difference::grouped(only).into_iter();
            let groups = groups.map(
                |(actions, places)| json!({"actions": actions, "allowed": extents_json(&places)}),
            );
            json!({"principal": name, "only": groups.collect::<Vec<_>>(),
                "notRead": unread_json(self.engine, name)})
        };
        let [first, second] = &self.names;
        json!({"first": side(first, &found.only_first), "second": side(second, &found.only_second)})
    }
}

/// How wide a page is, on a terminal or off it.
const COLUMNS: usize = 80;

fn row(out: &mut String, indent: usize, text: &str) {
    let line = " ".repeat(indent) + &escape::plain(text);
    out.push_str(&palisade::report::table::fold(&line, COLUMNS));
    out.push('\n');
}

fn extents(out: &mut String, word: &str, all: &[Extent]) {
    for extent in all {
        row(out, 4, &format!("{word} {extent}"));
    }
}

fn unread(out: &mut String, name: &str, gaps: &[UnreadPolicy]) {
    for gap in gaps {
        let what = format!("{}, {}: {}", gap.layer, gap.name, gap.reason);
        row(out, 2, &format!("not read of {name}: {what}"));
    }
}

fn extents_json(all: &[Extent]) -> Vec<Value> {
    let one = |extent: &Extent| {
        let when: Vec<Value> = extent.when.iter().map(simulate::term).collect();
        json!({"resources": extent.resources, "when": when})
    };
    all.iter().map(one).collect()
}

fn unread_json(engine: &Engine, name: &str) -> Vec<Value> {
    let gap =
        |g: &UnreadPolicy| json!({"layer": g.layer.word(), "policy": g.name, "reason": g.reason});
    engine.unread_policies(name).iter().map(gap).collect()
}
