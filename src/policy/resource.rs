//! `Resource` and `NotResource`: ARN patterns against the resource of a request.
//!
//! Source: "IAM JSON policy elements: Resource", IAM User Guide: partition, service, region and
//! account are matched part by part, what follows the fifth colon as one text in which `*`
//! crosses `/` and `:`. Case counts.

use super::context::{Context, Key};
use super::pattern::{Glob, MANY};
use super::tri::Tri;
use super::variable::Text;
use super::witness::{Shape, witnesses};

/// The resource of a request: an ARN, cut at its first five colons, or `*` for actions that
/// take none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    text: Box<str>,
    /// Where the first five colons are, if there are five and it starts like an ARN.
    colons: Option<[u32; 5]>,
}

impl Resource {
    /// The resource of this name.
    pub fn new(text: &str) -> Self {
        Self {
            colons: five_colons(text.as_bytes()),
            text: text.into(),
        }
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it stands for "no resource in particular".
    pub fn is_star(&self) -> bool {
        &*self.text == "*"
    }

    /// One of the six parts of the ARN, from 0 (`arn`) to 5 (the rest).
    pub fn part(&self, index: usize) -> Option<&str> {
        let colons = self.colons?;
        let start = if index == 0 {
            0
        } else {
            colons[index - 1] as usize + 1
        };
        let end = colons.get(index).map_or(self.text.len(), |at| *at as usize);
        self.text.get(start..end)
    }

    /// The account in the ARN, if it names one.
    pub fn account(&self) -> Option<&str> {
        self.part(4).filter(|account| !account.is_empty())
    }
}

/// The first five colons of something that starts like an ARN.
fn five_colons(bytes: &[u8]) -> Option<[u32; 5]> {
    if !bytes.starts_with(b"arn:") {
        return None;
    }
    let mut out = [0; 5];
    let mut found = bytes
        .iter()
        .enumerate()
        .filter(|(_, b)| **b == b':')
        .map(|(at, _)| at);
    for slot in &mut out {
        *slot = u32::try_from(found.next()?).ok()?;
    }
    Some(out)
}

/// One entry of a `Resource` or `NotResource` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ResourcePattern {
    /// `*` alone: every resource, and no resource in particular.
    Any,
    /// An ARN without wildcards before its fifth colon: a match of the whole text is a match of
    /// the parts.
    Plain(Glob),
    /// An ARN by parts.
    Arn(Box<ArnPattern>),
    /// Text with variables, cut up once they are filled in.
    Template(Text),
    /// Not an ARN: compared as one text.
    Whole(Glob),
    /// A variable where AWS allows none: matches nothing.
    Never,
}

/// An ARN pattern by parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ArnPattern {
    /// Partition, service, region, account.
    pub(crate) parts: [Glob; 4],
    pub(crate) rest: Glob,
}

impl ArnPattern {
    /// Cuts pattern bytes at their first five colons. Missing parts stand for anything.
    pub(crate) fn cut(bytes: &[u8]) -> Option<Self> {
        if !bytes.starts_with(b"arn:") {
            return None;
        }
        let mut parts = bytes.splitn(6, |b| *b == b':').skip(1);
        let mut next = || Glob::from_bytes(parts.next().map_or_else(|| vec![MANY], <[u8]>::to_vec));
        Some(Self {
            parts: [next(), next(), next(), next()],
            rest: next(),
        })
    }

    #[inline]
    pub(crate) fn matches(&self, resource: &Resource) -> bool {
        let Some(colons) = &resource.colons else {
            return false;
        };
        let text = resource.text.as_bytes();
        let part = |i: usize| &text[colons[i] as usize + 1..colons[i + 1] as usize];
        self.rest.matches_bytes(&text[colons[4] as usize + 1..])
            && self.parts[1].matches_bytes(part(1))
            && self.parts[3].matches_bytes(part(3))
            && self.parts[2].matches_bytes(part(2))
            && self.parts[0].matches_bytes(part(0))
    }

    fn relate(&self, other: &Self, relation: fn(&Glob, &Glob) -> bool) -> bool {
        self.parts
            .iter()
            .zip(&other.parts)
            .all(|(a, b)| relation(a, b))
            && relation(&self.rest, &other.rest)
    }
}

impl ResourcePattern {
    pub(crate) fn new(text: &str, variables: bool) -> Self {
        // API Gateway takes resources without the ARN around them in its resource policies
        // ("Control access to an API with API Gateway resource policies").
        let long = text
            .strip_prefix("execute-api:/")
            .map(|r| format!("arn:*:execute-api:*:*:*/{r}"));
        let text = long.as_deref().unwrap_or(text);
        let read = Text::new(text, variables, true);
        match read {
            Text::Fixed(glob) if glob.is_any() => Self::Any,
            Text::Fixed(glob) if is_plain(&glob) => Self::Plain(glob),
            Text::Fixed(glob) => Self::cut(glob),
            template if template.has_early_variable() => Self::Never,
            template => Self::Template(template),
        }
    }

    #[inline]
    pub(crate) fn matches(&self, resource: &Resource, context: &Context) -> Tri {
        match self {
            Self::Any => Tri::Yes,
            Self::Plain(glob) => glob.matches(&resource.text).into(),
            Self::Arn(arn) => arn.matches(resource).into(),
            Self::Whole(glob) => glob.matches(&resource.text).into(),
            Self::Template(text) => {
                text.test(context, |glob| match ArnPattern::cut(glob.bytes()) {
                    Some(arn) => arn.matches(resource),
                    None => glob.matches(&resource.text),
                })
            }
            Self::Never => Tri::No,
        }
    }

    /// The condition keys it needs.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &Key> {
        match self {
            Self::Template(text) => Some(text),
            _ => None,
        }
        .into_iter()
        .flat_map(Text::keys)
    }
}

/// Whether it is an ARN with all its parts and no wildcard before the last.
fn is_plain(glob: &Glob) -> bool {
    let head = glob.head();
    head.starts_with(b"arn:") && head.iter().filter(|b| **b == b':').count() >= 5
}

/// A set of resources written as a pattern, to compare with what statements say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSet(ResourcePattern);

impl ResourceSet {
    /// The set a pattern such as `arn:aws:iam::*:role/ci/*` stands for. `${…}` is plain text.
    pub fn new(pattern: &str) -> Self {
        Self(ResourcePattern::new(pattern, false))
    }

    /// Whether it holds this resource.
    pub fn contains(&self, resource: &Resource) -> bool {
        self.0.matches(resource, &Context::closed()) == Tri::Yes
    }

    /// Whether some resource is in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.relate(&other.0, Glob::overlaps, true)
    }

    /// Whether everything in `other` is in this one.
    pub fn covers(&self, other: &Self) -> bool {
        matches!(self.0, ResourcePattern::Any) || self.0.relate(&other.0, Glob::covers, false)
    }
}

/// A resource that all of the first patterns match and none of the second: what a caller would
/// name a resource of its own making. `None` when there is none, or none was found.
pub fn example(inside: &[&str], outside: &[&str]) -> Option<String> {
    let shape = |pattern: &&str| Shape::arn(&Glob::new(pattern));
    let shapes: Vec<Shape> = inside.iter().chain(outside).map(shape).collect();
    let (found, _) = witnesses(&shapes);
    let sets = |patterns: &[&str]| -> Vec<ResourceSet> {
        patterns.iter().map(|p| ResourceSet::new(p)).collect()
    };
    let (inside, outside) = (sets(inside), sets(outside));
    found.into_iter().find(|text| {
        let resource = Resource::new(text);
        inside.iter().all(|set| set.contains(&resource))
            && !outside.iter().any(|set| set.contains(&resource))
    })
}

impl ResourcePattern {
    /// By parts where it is an ARN, as one text where it is not.
    fn cut(glob: Glob) -> Self {
        match ArnPattern::cut(glob.bytes()) {
            Some(arn) => Self::Arn(Box::new(arn)),
            None => Self::Whole(glob),
        }
    }

    /// Compares two patterns without variables, or with each variable as any run of characters.
    fn relate(&self, other: &Self, relation: fn(&Glob, &Glob) -> bool, any: bool) -> bool {
        match (self, other) {
            (Self::Plain(glob), _) => Self::cut(glob.clone()).relate(other, relation, any),
            (_, Self::Plain(glob)) => self.relate(&Self::cut(glob.clone()), relation, any),
            (Self::Never, _) | (_, Self::Never) => false,
            (Self::Any, _) | (_, Self::Any) => any || matches!(self, Self::Any),
            (Self::Arn(a), Self::Arn(b)) => a.relate(b, relation),
            (Self::Whole(a), Self::Whole(b)) => relation(a, b),
            _ => any,
        }
    }

    /// Whether it may match some resource in the set, whatever its variables turn out to be.
    pub(crate) fn may_touch(&self, set: &ResourceSet) -> bool {
        match self {
            Self::Template(Text::Template(pieces)) => {
                let mut bytes = Vec::new();
                for piece in pieces {
                    match piece {
                        super::variable::Piece::Text(text) => bytes.extend_from_slice(text),
                        super::variable::Piece::Variable { .. } => bytes.push(MANY),
                    }
                }
                Self::cut(Glob::from_bytes(bytes)).relate(&set.0, Glob::overlaps, true)
            }
            plain => plain.relate(&set.0, Glob::overlaps, true),
        }
    }

    /// Whether it surely matches every resource in the set.
    pub(crate) fn must_cover(&self, set: &ResourceSet) -> bool {
        match self {
            Self::Any => true,
            Self::Template(_) => false,
            plain => plain.relate(&set.0, Glob::covers, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(pattern: &str, resource: &str) -> bool {
        ResourcePattern::new(pattern, true).matches(&Resource::new(resource), &Context::closed())
            == Tri::Yes
    }

    #[test]
    fn parts_are_matched_apart_and_the_rest_as_one() {
        let object = "arn:aws:s3:::acme/a/b:c";
        assert!(holds("arn:aws:s3:::acme/*c", object));
        assert!(holds("arn:*:s3:*:*:*", object));
        assert!(!holds("arn:aws:s3:::ACME/*", object));
        assert!(!holds("arn:aws:*acme/a/b:c", object));
        assert!(holds("*", "*"));
        assert!(!holds("arn:aws:s3:::*", "*"));
        assert!(!holds(
            "arn:aws:iam::1111*:role/x",
            "arn:aws:iam::2222:role/x"
        ));
    }

    #[test]
    fn an_example_suits_every_pattern() {
        let dev = "arn:aws:lambda:*:*:function:dev-*";
        let job = "arn:aws:lambda:eu-west-1:111122223333:function:*-job";
        let found = example(&[dev, job], &[]).expect("there is one");
        assert!(found.starts_with("arn:aws:lambda:eu-west-1:111122223333:function:dev-"));
        assert_eq!(
            example(&[dev, "arn:aws:lambda:*:*:function:prod-*"], &[]),
            None
        );
        assert_eq!(example(&[dev], &["arn:aws:lambda:*"]), None);
    }

    #[test]
    fn sets_of_resources_compare() {
        let set = ResourceSet::new;
        assert!(
            set("arn:aws:iam::*:role/ci/*").overlaps(&set("arn:aws:iam::111122223333:role/*/x"))
        );
        assert!(!set("arn:aws:iam::*:role/ci/*").overlaps(&set("arn:aws:iam::*:user/ci/*")));
        assert!(set("arn:aws:iam::*:role/*").covers(&set("arn:aws:iam::1:role/ci/*")));
        assert!(!set("arn:aws:iam::1:role/*").covers(&set("arn:aws:iam::*:role/*")));
        assert!(set("*").covers(&set("arn:aws:s3:::x")));
        assert!(!set("arn:aws:s3:::x").covers(&set("*")));
    }
}
