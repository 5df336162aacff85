//! The filter pattern language of CloudWatch Logs, as metric filters use it.
//!
//! Source: "Filter pattern syntax for metric filters", CloudWatch Logs User Guide, 2026-11.
//! Space-delimited patterns (`[ip, user, …]`) cut a line at its spaces, quotation marks and
//! brackets. CloudTrail writes JSON, whose texts hold all three, and where a cut falls in it is
//! documented nowhere: such a pattern matches or not, and nobody can say.

mod json;
mod terms;

use super::heard::{Heard, Subject};

/// A filter pattern, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter(Form);

#[derive(Clone, Debug, PartialEq)]
enum Form {
    /// The empty pattern.
    Everything,
    Json(json::Condition),
    Terms(terms::Terms),
    /// Columns, as lines that are no JSON have them.
    Columns,
}

/// Why a text is no filter pattern: lower case, no full stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub(crate) String);

impl Filter {
    /// Reads a filter pattern as written.
    ///
    /// # Errors
    /// Where CloudWatch Logs would refuse it.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        let text = text.trim();
        let form = if text.is_empty() || text == "\"\"" {
            Form::Everything
        } else if text.starts_with('{') {
            Form::Json(json::parse(text)?)
        } else if text.starts_with('[') {
            if !text.ends_with(']') {
                return Err(FilterError("`[` is never closed".to_owned()));
            }
            Form::Columns
        } else {
            Form::Terms(terms::parse(text)?)
        };
        Ok(Filter(form))
    }

    /// Whether a log line that holds `event` matches.
    pub fn matches(&self, event: Subject<'_>) -> Heard {
        match &self.0 {
            Form::Everything => Heard::Yes,
            Form::Json(condition) => condition.matches(event),
            Form::Terms(terms) => terms.matches(event),
            Form::Columns => Heard::on("the columns of the line"),
        }
    }

    /// Whether it cuts lines into columns: then no answer about a JSON record is known.
    pub fn counts_columns(&self) -> bool {
        self.0 == Form::Columns
    }
}
