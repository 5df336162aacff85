//! A fact, or why it is missing.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess,
    Visitor,
};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// What one read ended as. Nothing else in the product may turn a failed read into a value.
///
/// In files, a value stands as itself, [`Absent`](Self::Absent) as `null`, the rest as
/// `{"$not-applicable": …}` and `{"$gap": …}`. A gap may be written short as
/// `{"$gap": "iam:ListAccessKeys"}`: that call was denied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Observed<T> {
    /// The service answered with this.
    Value(T),
    /// The service answered: there is no such thing, or it is not configured.
    #[default]
    Absent,
    /// The question makes no sense here, or was not asked for by the user.
    NotApplicable(Box<NotApplicable>),
    /// Unknown: the read failed.
    Gap(Box<Gap>),
}

/// Why a question does not apply.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotApplicable {
    /// The class of reason.
    pub why: Why,
    /// The evidence, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

/// Classes of reasons for [`NotApplicable`].
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The user did not ask for it (content of objects, a region left out).
    NotAsked,
    /// The account has not enabled the region.
    RegionOff,
    /// AWS does not offer the service in the region or partition.
    NotOffered,
    /// The account is in no organization.
    NoOrganization,
    /// SCPs that were read deny the region to everybody but the principals in `detail`.
    RegionDenied,
    /// The resource kind cannot have it.
    Kind,
}

/// A read that failed: which call, how, and what AWS said.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// The API operation, such as `s3:GetBucketPolicy`.
    pub operation: String,
    /// How it failed.
    pub kind: GapKind,
    /// The error code AWS gave; empty when there was none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub code: String,
    /// What AWS or the transport said, cut to one line; empty when nothing was said.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// The layer that refused us, where AWS named it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied_by: Option<DeniedBy>,
}

/// The ways a read fails.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum GapKind {
    /// Our role may not look.
    Denied,
    /// Refused for its rate until the retries were used up.
    Throttled,
    /// The region does not accept these credentials.
    Region,
    /// No answer: name lookup, connection, TLS, time-out, or a server fault.
    Unreachable,
    /// An answer that is not what the operation returns.
    Unparsable,
    /// The account's role could not be assumed, or the account was never reached.
    NotReached,
    /// The source of this snapshot does not hold the fact.
    NotCollected,
    /// The collector itself failed.
    Internal,
}

/// The policy type that denied a call, where the error message names it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum DeniedBy {
    /// An identity-based policy.
    IdentityPolicy,
    /// A permissions boundary.
    PermissionsBoundary,
    /// A session policy.
    SessionPolicy,
    /// A service control policy.
    Scp,
    /// A resource control policy.
    Rcp,
    /// A resource-based policy.
    ResourcePolicy,
    /// A VPC endpoint policy.
    VpcEndpointPolicy,
}

impl Gap {
    /// A gap without an error code or message.
    pub fn new(operation: impl Into<String>, kind: GapKind) -> Self {
        Gap {
            operation: operation.into(),
            kind,
            code: String::new(),
            message: String::new(),
            denied_by: None,
        }
    }

    /// A fact that no call was ever made for.
    pub fn not_collected(operation: impl Into<String>) -> Self {
        Gap::new(operation, GapKind::NotCollected)
    }
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            GapKind::Denied => "was denied",
            GapKind::Throttled => "was throttled until the retries were used up",
            GapKind::Region => "was refused in this region",
            GapKind::Unreachable => "got no answer",
            GapKind::Unparsable => "got an answer that could not be read",
            GapKind::NotReached => "was never reached",
            GapKind::NotCollected => "was not collected",
            GapKind::Internal => "failed inside the collector",
        };
        write!(f, "{} {kind}", self.operation)
    }
}

impl<T> Observed<T> {
    /// The fact itself, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Observed::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The fact itself, to change it.
    pub fn value_mut(&mut self) -> Option<&mut T> {
        match self {
            Observed::Value(value) => Some(value),
            _ => None,
        }
    }

    /// The gap, if the read failed.
    pub fn gap(&self) -> Option<&Gap> {
        match self {
            Observed::Gap(gap) => Some(gap),
            _ => None,
        }
    }

    /// Whether the service answered "there is none".
    pub fn is_absent(&self) -> bool {
        matches!(self, Observed::Absent)
    }

    /// A denied read of `operation`, for worlds and tests.
    pub fn denied(operation: impl Into<String>) -> Self {
        Gap::new(operation, GapKind::Denied).into()
    }

    /// A fact that no call was made for.
    pub fn not_collected(operation: impl Into<String>) -> Self {
        Gap::not_collected(operation).into()
    }

    /// A question that does not apply.
    pub fn not_applicable(why: Why, detail: impl Into<String>) -> Self {
        Observed::NotApplicable(Box::new(NotApplicable {
            why,
            detail: detail.into(),
        }))
    }

    /// Changes the value and keeps every other outcome.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Observed<U> {
        match self {
            Observed::Value(value) => Observed::Value(change(value)),
            Observed::Absent => Observed::Absent,
            Observed::NotApplicable(why) => Observed::NotApplicable(why),
            Observed::Gap(gap) => Observed::Gap(gap),
        }
    }

    /// Borrows the value and keeps every other outcome.
    pub fn as_ref(&self) -> Observed<&T> {
        match self {
            Observed::Value(value) => Observed::Value(value),
            Observed::Absent => Observed::Absent,
            Observed::NotApplicable(why) => Observed::NotApplicable(why.clone()),
            Observed::Gap(gap) => Observed::Gap(gap.clone()),
        }
    }
}

impl<T> From<Gap> for Observed<T> {
    fn from(gap: Gap) -> Self {
        Observed::Gap(Box::new(gap))
    }
}

const GAP: &str = "$gap";
const NOT_APPLICABLE: &str = "$not-applicable";

impl<T: Serialize> Serialize for Observed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Observed::Value(value) => value.serialize(serializer),
            Observed::Absent => serializer.serialize_unit(),
            Observed::NotApplicable(why) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(NOT_APPLICABLE, why)?;
                map.end()
            }
            Observed::Gap(gap) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(GAP, gap)?;
                map.end()
            }
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Observed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Outcome(PhantomData))
    }
}

struct Outcome<T>(PhantomData<T>);

/// Hands a scalar on to the value's own reader.
macro_rules! scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E: serde::de::Error>(self, value: $type) -> Result<Observed<T>, E> {
            T::deserialize(value.into_deserializer()).map(Observed::Value)
        })*
    };
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Outcome<T> {
    type Value = Observed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value, null, `$not-applicable` or `$gap`")
    }

    scalars!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str,
        visit_string: String);

    fn visit_unit<E>(self) -> Result<Observed<T>, E> {
        Ok(Observed::Absent)
    }

    fn visit_none<E>(self) -> Result<Observed<T>, E> {
        Ok(Observed::Absent)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Observed<T>, D::Error> {
        Observed::deserialize(inner)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Observed<T>, A::Error> {
        T::deserialize(SeqAccessDeserializer::new(seq)).map(Observed::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Observed<T>, A::Error> {
        let first = map.next_key::<String>()?;
        match first.as_deref() {
            Some(GAP) => {
                let gap = map.next_value::<GapForm>()?;
                end(&mut map)?;
                Ok(Gap::from(gap).into())
            }
            Some(NOT_APPLICABLE) => {
                let why = map.next_value::<NotApplicable>()?;
                end(&mut map)?;
                Ok(Observed::NotApplicable(Box::new(why)))
            }
            _ => T::deserialize(MapAccessDeserializer::new(Rejoined { first, rest: map }))
                .map(Observed::Value),
        }
    }
}

fn end<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    match map.next_key::<String>()? {
        None => Ok(()),
        Some(key) => Err(A::Error::custom(format!(
            "`{key}` cannot stand beside a gap"
        ))),
    }
}

/// A gap in full, or only the operation that was denied.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum GapForm {
    Denied(String),
    Full(Gap),
}

impl From<GapForm> for Gap {
    fn from(form: GapForm) -> Self {
        match form {
            GapForm::Denied(operation) => Gap::new(operation, GapKind::Denied),
            GapForm::Full(gap) => gap,
        }
    }
}

/// A map whose first key has been read already.
struct Rejoined<A> {
    first: Option<String>,
    rest: A,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rejoined<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        match self.first.take() {
            Some(key) => seed.deserialize(key.into_deserializer()).map(Some),
            None => self.rest.next_key_seed(seed),
        }
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.rest.next_value_seed(seed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    type Keys = Observed<BTreeMap<String, Vec<u8>>>;

    #[test]
    fn every_outcome_survives_a_round_trip() {
        let outcomes: Vec<Keys> = vec![
            Observed::Value(BTreeMap::from([("a".to_owned(), vec![1])])),
            Observed::Value(BTreeMap::new()),
            Observed::Absent,
            Observed::not_applicable(Why::NotAsked, "content"),
            Observed::denied("iam:ListAccessKeys"),
        ];
        for outcome in outcomes {
            let text = serde_json::to_string(&outcome).unwrap();
            assert_eq!(
                serde_json::from_str::<Keys>(&text).unwrap(),
                outcome,
                "{text}"
            );
        }
    }

    #[test]
    fn a_gap_may_name_only_the_denied_operation() {
        let read: Keys = serde_json::from_str(r#"{"$gap":"iam:ListAccessKeys"}"#).unwrap();
        assert_eq!(read, Observed::denied("iam:ListAccessKeys"));
    }

    #[test]
    fn nothing_stands_beside_a_gap() {
        assert!(serde_json::from_str::<Keys>(r#"{"$gap":"iam:X","a":[1]}"#).is_err());
    }
}
