//! The `Condition` element: operators, missing keys, several values.
//!
//! Source: "IAM JSON policy elements: Condition operators" and "Conditions with multiple context
//! keys or values", IAM User Guide.

mod operator;
mod value;

pub use operator::{Comparison, Operator, Order, SetOperator};
pub(crate) use value::{Block, Moment, Number};

use super::context::{Context, Key, Knowledge};
use super::document::Condition;
use super::pattern::Glob;
use super::resource::ArnPattern;
use super::resource::Resource;
use super::tri::Tri;
use super::variable::Text;

/// One operator on one key, ready to evaluate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Test {
    pub(crate) key: Key,
    pub(crate) operator: Operator,
    values: Values,
    /// The values as written; those without variables escaped as if with them.
    pub(crate) written: Box<[String]>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Values {
    /// Compared as texts or patterns.
    Texts(Box<[Text]>),
    Numbers(Box<[Number]>),
    Moments(Box<[Moment]>),
    Blocks(Box<[Block]>),
    Binaries(Box<[Vec<u8>]>),
    /// `Null`: whether `true` and whether `false` is among the values.
    Null {
        absent: bool,
        present: bool,
    },
}

impl Test {
    /// `None` when AWS has no such operator. A value that is not of the operator's type matches
    /// nothing.
    pub(crate) fn new(condition: &Condition, variables: bool) -> Option<Self> {
        Some(Self::with(
            Operator::read(&condition.operator)?,
            condition,
            variables,
        ))
    }

    /// The test with an operator already read; the condition gives key and values.
    pub(crate) fn with(operator: Operator, condition: &Condition, variables: bool) -> Self {
        let written = &condition.values;
        let texts = |variables, wild| {
            Values::Texts(
                written
                    .iter()
                    .map(|v| Text::new(v, variables, wild))
                    .collect(),
            )
        };
        let values = match operator.comparison {
            Comparison::StringEquals => texts(variables, false),
            Comparison::StringEqualsIgnoreCase => texts(variables, false),
            Comparison::StringLike | Comparison::Arn => texts(variables, true),
            Comparison::Bool => texts(variables, false),
            Comparison::Numeric(_) => {
                Values::Numbers(written.iter().filter_map(|v| Number::read(v)).collect())
            }
            Comparison::Date(_) => {
                Values::Moments(written.iter().filter_map(|v| Moment::read(v)).collect())
            }
            Comparison::Ip => {
                Values::Blocks(written.iter().filter_map(|v| Block::read(v)).collect())
            }
            Comparison::Binary => {
                Values::Binaries(written.iter().filter_map(|v| value::binary(v)).collect())
            }
            Comparison::Null => Values::Null {
                absent: written.iter().any(|v| v.eq_ignore_ascii_case("true")),
                present: written.iter().any(|v| v.eq_ignore_ascii_case("false")),
            },
        };
        let written = match variables {
            true => written.clone(),
            false => written.iter().map(|v| escaped(v)).collect(),
        };
        let written = written.into();
        Self {
            key: Key::new(&condition.key),
            operator,
            values,
            written,
        }
    }

    /// Whether it holds.
    #[inline]
    pub(crate) fn holds(&self, context: &Context) -> Tri {
        self.holds_of(context.get(&self.key), context)
    }

    /// Whether it holds when this is what is known of its key.
    pub(crate) fn holds_of(&self, knowledge: Knowledge<'_>, context: &Context) -> Tri {
        let operator = self.operator;
        if let Values::Null { absent, present } = self.values {
            return match knowledge {
                Knowledge::Absent => absent.into(),
                Knowledge::Known(_) => present.into(),
                Knowledge::Unknown if absent == present => absent.into(),
                Knowledge::Unknown => Tri::Maybe,
            };
        }
        match knowledge {
            Knowledge::Unknown => Tri::Maybe,
            Knowledge::Absent => self.holds_when_absent().into(),
            Knowledge::Known(values) => {
                let one = |value: &str| self.matches(value, context);
                match operator.set {
                    SetOperator::None => {
                        let hit = values.iter().fold(Tri::No, |hit, value| hit.or(one(value)));
                        hit.flip_if(operator.negated)
                    }
                    // "or if the key values resolve to a null data set, such as an empty string"
                    SetOperator::All if values.iter().all(|value| value.is_empty()) => Tri::Yes,
                    SetOperator::All => values.iter().fold(Tri::Yes, |all, value| {
                        all.and(one(value).flip_if(operator.negated))
                    }),
                    SetOperator::Any => values.iter().fold(Tri::No, |any, value| {
                        any.or(one(value).flip_if(operator.negated))
                    }),
                }
            }
        }
    }

    fn holds_when_absent(&self) -> bool {
        match self.operator.set {
            SetOperator::All => true,
            SetOperator::Any => false,
            SetOperator::None => self.operator.if_exists || self.operator.negated,
        }
    }

    /// Whether one value of the request matches one of the values written.
    fn matches(&self, value: &str, context: &Context) -> Tri {
        match &self.values {
            Values::Texts(texts) => self.matches_text(texts, value, context),
            Values::Numbers(numbers) => {
                let Comparison::Numeric(order) = self.operator.comparison else {
                    return Tri::No;
                };
                let value = Number::read(value);
                value
                    .is_some_and(|v| numbers.iter().any(|n| order.holds(v.cmp(n))))
                    .into()
            }
            Values::Moments(moments) => {
                let Comparison::Date(order) = self.operator.comparison else {
                    return Tri::No;
                };
                let value = Moment::read(value);
                value
                    .is_some_and(|v| moments.iter().any(|m| order.holds(v.cmp(m))))
                    .into()
            }
            Values::Blocks(blocks) => Block::read(value)
                .is_some_and(|v| blocks.iter().any(|b| b.contains(v)))
                .into(),
            Values::Binaries(binaries) => value::binary(value)
                .is_some_and(|v| binaries.contains(&v))
                .into(),
            Values::Null { .. } => Tri::No,
        }
    }

    fn matches_text(&self, texts: &[Text], value: &str, context: &Context) -> Tri {
        let test: &dyn Fn(&Glob) -> bool = match self.operator.comparison {
            Comparison::StringEquals | Comparison::StringLike => &|glob| glob.matches(value),
            Comparison::Arn => {
                let resource = Resource::new(value);
                return texts.iter().fold(Tri::No, |hit, text| {
                    hit.or(text.test(context, |glob| arn_matches(glob, &resource)))
                });
            }
            _ => &|glob| same_ignoring_case(glob, value),
        };
        texts
            .iter()
            .fold(Tri::No, |hit, text| hit.or(text.test(context, test)))
    }

    /// The other keys whose values it needs.
    pub(crate) fn variable_keys(&self) -> impl Iterator<Item = &Key> {
        let texts: &[Text] = match &self.values {
            Values::Texts(texts) => texts,
            _ => &[],
        };
        texts.iter().flat_map(Text::keys)
    }

    /// The texts it compares with.
    pub(crate) fn texts(&self) -> &[Text] {
        match &self.values {
            Values::Texts(texts) => texts,
            _ => &[],
        }
    }

    /// Values around which its answer may change.
    pub(crate) fn edges(&self) -> Vec<String> {
        let around = |text: String, below: String, above: String| [text, below, above];
        match &self.values {
            Values::Numbers(numbers) => numbers
                .iter()
                .flat_map(|n| around(n.text(), n.nudged(false), n.nudged(true)))
                .collect(),
            Values::Moments(moments) => moments
                .iter()
                .zip(&self.written)
                .flat_map(|(m, text)| around(text.clone(), m.nudged(false), m.nudged(true)))
                .collect(),
            Values::Blocks(blocks) => blocks.iter().flat_map(|b| b.edges()).collect(),
            Values::Binaries(_) => self.written.to_vec(),
            Values::Texts(_) | Values::Null { .. } => Vec::new(),
        }
    }
}

/// The text such that reading variables in it gives it back.
pub(crate) fn escaped(text: &str) -> String {
    text.replace("${", "${$}{")
}

/// ARN comparison: each of the six parts by itself; a pattern that is not an ARN is one text.
fn arn_matches(glob: &Glob, resource: &Resource) -> bool {
    match ArnPattern::cut(glob.bytes()) {
        Some(arn) => arn.matches(resource),
        None => glob.is_any() || glob.matches(resource.as_str()),
    }
}

fn same_ignoring_case(glob: &Glob, value: &str) -> bool {
    let bytes = glob.bytes();
    if bytes.eq_ignore_ascii_case(value.as_bytes()) {
        return true;
    }
    if bytes.is_ascii() && value.is_ascii() {
        return false;
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        // A variable's place is unknown: a wildcard that ignores case.
        return Glob::from_bytes(lower(bytes)).matches(&value.to_lowercase());
    };
    text.chars()
        .flat_map(char::to_lowercase)
        .eq(value.chars().flat_map(char::to_lowercase))
}

/// Lower case between the wildcards.
fn lower(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for run in bytes.chunk_by(|a, b| (*a < super::pattern::ONE) == (*b < super::pattern::ONE)) {
        match std::str::from_utf8(run) {
            Ok(text) => out.extend(text.to_lowercase().into_bytes()),
            Err(_) => out.extend_from_slice(run),
        }
    }
    out
}
