//! Proof that a bucket is public: at most two unsigned requests each, and what came back.
//!
//! The requests are planned from the exposure and sent only when the user asks for proof, to
//! buckets of the estate's own accounts, without credentials, a cookie or a body. None of them
//! writes.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::{Observed, Partition};

/// One unsigned request.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofRequest {
    /// The account that owns the bucket: one that was scanned.
    pub account: String,
    /// The bucket.
    pub bucket: String,
    /// Its region.
    pub region: String,
    /// What is asked.
    pub ask: ProofAsk,
}

/// What an unsigned request asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofAsk {
    /// `ListObjectsV2` with one key at most.
    List,
    /// `GetObject` of the first byte.
    Get {
        /// The object's key.
        key: String,
        /// Its version, where it is not the current one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
    },
}

/// What an unsigned request came to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProofAnswer {
    /// It was served: anybody can do the same.
    Served,
    /// It was refused, with this error code.
    Refused(String),
    /// The object is not there, which only those are told who may list: listing is open.
    NotThere,
    /// It says nothing either way: another region, a fault, a code nobody expected.
    Unclear(String),
}

/// A request and what came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofResult {
    /// The request.
    pub request: ProofRequest,
    /// The answer, or why there is none.
    pub answer: Observed<ProofAnswer>,
}

impl ProofRequest {
    /// The address. Names with dots break the certificate of the bucket's own host, so they stand
    /// in the path. Source: "Virtual hosting of buckets", S3 User Guide.
    pub fn url(&self, partition: Partition) -> String {
        let host = format!("s3.{}.{}", self.region, partition.dns_suffix());
        let root = if self.bucket.contains('.') {
            format!("https://{host}/{}/", self.bucket)
        } else {
            format!("https://{}.{host}/", self.bucket)
        };
        self.below(root)
    }

    /// The address where one host stands in for AWS: all buckets stand in its path.
    pub fn url_at(&self, endpoint: &str) -> String {
        self.below(format!(
            "{}/{}/",
            endpoint.trim_end_matches('/'),
            self.bucket
        ))
    }

    fn below(&self, mut url: String) -> String {
        match &self.ask {
            ProofAsk::List => url.push_str("?list-type=2&max-keys=1"),
            ProofAsk::Get { key, version } => {
                encode(key, true, &mut url);
                if let Some(version) = version {
                    url.push_str("?versionId=");
                    encode(version, false, &mut url);
                }
            }
        }
        url
    }

    /// The value of the `Range` header, for a get.
    pub fn range(&self) -> Option<&'static str> {
        matches!(self.ask, ProofAsk::Get { .. }).then_some("bytes=0-0")
    }

    /// What an HTTP status and the error code in the body mean. Source: "Error responses",
    /// Amazon S3 API Reference.
    pub fn answer(&self, status: u16, code: &str) -> ProofAnswer {
        match (&self.ask, status) {
            (ProofAsk::List, 200) | (ProofAsk::Get { .. }, 200 | 206) => ProofAnswer::Served,
            // The object is empty, so that it has no first byte: the right to read it was there.
            (ProofAsk::Get { .. }, 416) => ProofAnswer::Served,
            (ProofAsk::Get { .. }, 404) if matches!(code, "NoSuchKey" | "NoSuchVersion") => {
                ProofAnswer::NotThere
            }
            (_, 401 | 403) => ProofAnswer::Refused(code.to_owned()),
            _ => ProofAnswer::Unclear(format!("{status} {code}").trim().to_owned()),
        }
    }
}

fn encode(text: &str, keep_slash: bool, out: &mut String) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            b'/' if keep_slash => out.push('/'),
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(bucket: &str, ask: ProofAsk) -> ProofRequest {
        ProofRequest {
            account: "111122223333".to_owned(),
            bucket: bucket.to_owned(),
            region: "eu-central-1".to_owned(),
            ask,
        }
    }

    #[test]
    fn addresses_hold_any_key_and_any_bucket_name() {
        let get = |key: &str| ProofAsk::Get {
            key: key.to_owned(),
            version: None,
        };
        assert_eq!(
            request("acme", ProofAsk::List).url(Partition::Aws),
            "https://acme.s3.eu-central-1.amazonaws.com/?list-type=2&max-keys=1"
        );
        assert_eq!(
            request("www.acme.example", get("a b/ä?\n")).url(Partition::Aws),
            "https://s3.eu-central-1.amazonaws.com/www.acme.example/a%20b/%C3%A4%3F%0A"
        );
    }

    #[test]
    fn only_a_served_request_proves_anything() {
        let list = request("acme", ProofAsk::List);
        let get = request(
            "acme",
            ProofAsk::Get {
                key: "a".to_owned(),
                version: None,
            },
        );
        assert_eq!(list.answer(200, ""), ProofAnswer::Served);
        assert_eq!(get.answer(206, ""), ProofAnswer::Served);
        assert_eq!(get.answer(416, "InvalidRange"), ProofAnswer::Served);
        assert_eq!(get.answer(404, "NoSuchKey"), ProofAnswer::NotThere);
        assert_eq!(
            list.answer(403, "AccessDenied"),
            ProofAnswer::Refused("AccessDenied".to_owned())
        );
        assert!(matches!(
            list.answer(301, "PermanentRedirect"),
            ProofAnswer::Unclear(_)
        ));
        assert!(matches!(
            list.answer(404, "NoSuchBucket"),
            ProofAnswer::Unclear(_)
        ));
        assert!(matches!(list.answer(206, ""), ProofAnswer::Unclear(_)));
    }
}
