//! Policy documents, exactly as AWS returned them.

use std::fmt;
use std::sync::Arc;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// The JSON text of one policy document, unparsed: duplicate keys, odd spellings and broken JSON
/// survive, so that the policy engine can quote and judge what is really there.
///
/// Clones share one allocation. Reads from a string, or from an object (as worlds write
/// policies), which becomes compact JSON in the order of its keys. Writes as a string.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyText(Arc<str>);

impl PolicyText {
    /// Keeps `text` as it is.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        PolicyText(text.into())
    }

    /// The document's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PolicyText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Default for PolicyText {
    /// A policy without statements, which allows nothing.
    fn default() -> Self {
        PolicyText(Arc::from(r#"{"Version":"2012-10-17","Statement":[]}"#))
    }
}

impl From<serde_json::Value> for PolicyText {
    fn from(value: serde_json::Value) -> Self {
        PolicyText(Arc::from(value.to_string()))
    }
}

impl Serialize for PolicyText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PolicyText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl<'de> Visitor<'de> for Text {
            type Value = PolicyText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a policy document, as text or as an object")
            }

            fn visit_str<E>(self, text: &str) -> Result<PolicyText, E> {
                Ok(PolicyText(Arc::from(text)))
            }

            fn visit_string<E>(self, text: String) -> Result<PolicyText, E> {
                Ok(PolicyText(Arc::from(text)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PolicyText, A::Error> {
                serde_json::Value::deserialize(MapAccessDeserializer::new(map)).map(Into::into)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<PolicyText, A::Error> {
                serde_json::Value::deserialize(SeqAccessDeserializer::new(seq)).map(Into::into)
            }
        }
        deserializer.deserialize_any(Text)
    }
}
