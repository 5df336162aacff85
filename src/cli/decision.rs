//! One decision of the policy engine, told: the verdict, the statements behind it, what remains
//! to be known, and what nearly went otherwise.

use palisade::policy::explain::{Explanation, NearMiss, Quoted};
use palisade::policy::{Context, Decision, Engine, Residual, simulate};
use palisade::report::escape;
use serde_json::{Value, json};

use super::config::did_you_mean;
use super::exit::Failure;

/// A request, its decision, and why.
pub(crate) struct Told {
    pub(crate) principal: String,
    pub(crate) decision: Decision,
    /// `None` where no single resource was asked for.
    pub(crate) why: Option<Explanation>,
}

/// Reads `KEY=VALUE` pairs; keys that are not among them are unknown.
pub(crate) fn context(pairs: &[String]) -> anyhow::Result<Context> {
    let mut context = Context::open();
    for pair in pairs {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::usage(
                format!("`{pair}` is no condition key with a value"),
                "write `--context aws:SourceIp=198.51.100.7`",
            ));
        };
        context.set(key, value);
    }
    Ok(context)
}

/// Refuses actions that AWS does not document.
pub(crate) fn known_action(action: &str) -> anyhow::Result<()> {
    let table = palisade_model::actions();
    if table.is_known_action(action) {
        return Ok(());
    }
    if action.contains(['*', '?']) {
        return Err(Failure::usage(
            format!("`{}` is more than one action", escape::plain(action)),
            "ask for one action at a time, or for all a principal may do: \
             `palisade explain PRINCIPAL --permissions`",
        ));
    }
    let service = action.split(':').next().unwrap_or_default();
    let near = table.matching(&format!("{service}:*"));
    let meant = did_you_mean(
        action,
        near.into_iter().map(palisade_model::Action::full_name),
    );
    Err(Failure::usage(
        format!("AWS documents no action `{}`{meant}", escape::plain(action)),
        "actions read `service:Name`, such as `iam:PassRole`",
    ))
}

impl Told {
    /// Decides one request and says why.
    pub(crate) fn new(
        engine: &Engine,
        principal: &str,
        (action, resource): (&str, &str),
        context: &Context,
    ) -> Self {
        let (decision, why) = engine.explain(principal, action, resource, context);
        Self {
            principal: principal.to_owned(),
            decision,
            why: Some(why),
        }
    }

    /// The word for the answer.
    pub(crate) fn answer(&self) -> &'static str {
        match &self.decision {
            Decision::Allowed(_) => "allowed",
            Decision::Denied(_) => "denied",
            Decision::Conditional(_) => "conditional",
            Decision::Unknown(_) => "unknown",
        }
    }

    fn residual(&self) -> Option<&Residual> {
        match &self.decision {
            Decision::Conditional(conditional) => Some(&conditional.residual),
            Decision::Unknown(unknown) => unknown.residual.as_ref(),
            Decision::Allowed(_) | Decision::Denied(_) => None,
        }
    }

    pub(crate) fn near_misses(&self) -> &[NearMiss] {
        self.why.as_ref().map_or(&[], |why| &why.near_misses)
    }

    /// Lines for people: the answer and the principal, then the reasons, indented.
    pub(crate) fn text(&self) -> String {
        let mut out = Lines::default();
        out.row(self.answer(), &self.principal);
        if let (Decision::Denied(refusal), Some(_)) = (&self.decision, &self.why)
            && !refusal.is_explicit()
        {
            out.row("", &format!("nothing in the {} allows it", refusal.layer));
        }
        for quoted in self.why.iter().flat_map(|why| &why.statements) {
            out.quote("by", quoted);
        }
        if let Decision::Unknown(unknown) = &self.decision {
            for gap in &unknown.gaps {
                let what = format!("{}, {}: {}", gap.layer, gap.name, gap.reason);
                out.row("", &format!("not read: {what}"));
            }
            if unknown.unless_refused.is_some() {
                out.row(
                    "",
                    "what was read allows it, unless one of these stands in the way",
                );
            }
        }
        if let Some(residual) = self.residual() {
            out.residual(residual);
        }
        for miss in self.near_misses() {
            out.row("near miss", &miss.to_string());
            if let Some(quoted) = &miss.statement {
                out.row("", &compact(&quoted.text));
            }
        }
        for note in self.why.iter().flat_map(|why| &why.notes) {
            out.row("note", note);
        }
        out.0
    }

    /// The same for scripts.
    pub(crate) fn json(&self) -> Value {
        let mut out = json!({"principal": self.principal, "answer": self.answer()});
        let Some(why) = &self.why else {
            return out;
        };
        if let Some(layer) = why.layer {
            out["layer"] = json!(layer.word());
        }
        out["statements"] = why.statements.iter().map(quoted).collect();
        if let Some(residual) = self.residual() {
            out["residual"] = simulate::residual(residual);
        }
        if let Decision::Unknown(unknown) = &self.decision {
            let gap = |g: &palisade::policy::UnreadPolicy| json!({"layer": g.layer.word(), "policy": g.name, "reason": g.reason});
            out["notRead"] = unknown.gaps.iter().map(gap).collect();
            out["allowedUnlessRefused"] = json!(unknown.unless_refused.is_some());
        }
        if !why.near_misses.is_empty() {
            out["nearMisses"] = why.near_misses.iter().map(near_miss).collect();
        }
        if !why.notes.is_empty() {
            out["remarks"] = json!(why.notes);
        }
        out
    }
}

fn near_miss(miss: &NearMiss) -> Value {
    let mut out = json!({
        "layer": miss.layer.word(), "lacks": miss.lacks, "policies": miss.policies,
        "asFarAsRead": miss.unread, "says": miss.to_string(),
    });
    if let Some(statement) = &miss.statement {
        out["statement"] = quoted(statement);
    }
    if let Some(residual) = &miss.residual {
        out["residual"] = simulate::residual(residual);
    }
    out
}

fn quoted(quoted: &Quoted) -> Value {
    let statement: Value = serde_json::from_str(&quoted.text).unwrap_or(json!(quoted.text));
    json!({
        "layer": quoted.cite.layer.word(), "policy": quoted.policy, "index": quoted.cite.statement,
        "sid": quoted.sid, "effect": quoted.effect.to_string(), "statement": statement,
    })
}

/// A statement on one line. One that a general reader refuses stays as it was written.
fn compact(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

/// Lines in two columns.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn row(&mut self, head: &str, text: &str) {
        self.0
            .push_str(format!("{head:<12} {}", escape::plain(text)).trim_end());
        self.0.push('\n');
    }

    fn quote(&mut self, word: &str, quoted: &Quoted) {
        let label = match &quoted.sid {
            Some(sid) => format!("`{sid}`"),
            None => (quoted.cite.statement + 1).to_string(),
        };
        let layer = quoted.cite.layer;
        self.row(
            "",
            &format!("{word} {layer}, {}, statement {label}:", quoted.policy),
        );
        self.row("", &compact(&quoted.text));
    }

    /// Alternatives, and who can see to each.
    fn residual(&mut self, residual: &Residual) {
        for (at, clause) in residual.clauses.iter().enumerate() {
            let word = if at == 0 { "when" } else { "or when" };
            self.row("", &format!("{word} {clause}"));
            for control in clause.controls() {
                self.row("", &format!("  {}: {}", control.word(), control.says()));
            }
        }
        if residual.imprecise {
            self.row("", "more than could be tried: these keys matter");
        }
    }
}
