//! Buckets looked into: an S3 made of one function, and every fault it can have.

mod faults;
mod listing;
mod proof;
mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use palisade_model::{Bucket, ObjectListing, Observed, Partition, S3};
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;

use crate::engine::{Engine, Session, Visit};
use crate::objects::objects;
use crate::purse::Purse;
use crate::{Cancel, ObjectOptions, Options, Silent};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "eu-central-1";
const BUCKET: &str = "acme-data";

/// A request as the stand-in sees it.
#[derive(Clone, Debug)]
struct Ask {
    method: String,
    host: String,
    /// Decoded, without the bucket.
    key: String,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
}

impl Ask {
    fn read(request: &HttpRequest) -> Ask {
        let uri: http::Uri = request.uri().parse().unwrap();
        let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let query = uri.query().unwrap_or_default();
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let headers = request.headers().iter();
        Ask {
            method: request.method().to_owned(),
            host: uri.host().unwrap_or_default().to_owned(),
            key: decode(uri.path().trim_start_matches('/')),
            query: pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name), decode(value)))
                .collect(),
            headers: headers
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.query.contains_key(name)
    }

    fn text(&self, name: &str) -> &str {
        self.query.get(name).map_or("", String::as_str)
    }

    fn is_list(&self) -> bool {
        self.text("list-type") == "2"
    }

    /// First byte and one past the last.
    fn range(&self) -> Option<(u64, u64)> {
        let (from, last) = self
            .headers
            .get("range")?
            .strip_prefix("bytes=")?
            .split_once('-')?;
        Some((from.parse().ok()?, last.parse::<u64>().ok()? + 1))
    }
}

/// What it answers.
struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Reply {
    fn xml(body: impl Into<String>) -> Reply {
        Reply {
            status: 200,
            headers: Vec::new(),
            body: body.into().into_bytes(),
        }
    }

    fn error(status: u16, code: &str) -> Reply {
        Reply {
            status,
            ..Reply::xml(format!(
                "<Error><Code>{code}</Code><Message>no</Message></Error>"
            ))
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// A range of an object, as S3 sends it.
    fn part(ask: &Ask, bytes: &[u8], etag: &str) -> Reply {
        let (from, until) = ask.range().unwrap_or((0, bytes.len() as u64));
        let until = until.min(bytes.len() as u64);
        if from >= until {
            return Reply::error(416, "InvalidRange");
        }
        let total = bytes.len();
        Reply {
            status: 206,
            headers: Vec::new(),
            body: bytes[from as usize..until as usize].to_vec(),
        }
        .with("etag", etag)
        .with(
            "content-range",
            format!("bytes {from}-{}/{total}", until - 1),
        )
    }
}

type Answer = Arc<dyn Fn(&Ask) -> Reply + Send + Sync>;

/// The stand-in, and what it saw.
#[derive(Clone)]
struct Served {
    answer: Answer,
    seen: Arc<Mutex<Vec<Ask>>>,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    /// How long an answer takes.
    takes: Duration,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Served")
    }
}

impl Served {
    fn by(answer: impl Fn(&Ask) -> Reply + Send + Sync + 'static) -> Served {
        Served {
            answer: Arc::new(answer),
            seen: Arc::default(),
            now: Arc::default(),
            most: Arc::default(),
            takes: Duration::ZERO,
        }
    }

    fn seen(&self) -> Vec<Ask> {
        self.seen.lock().unwrap().clone()
    }

    fn count(&self, what: impl Fn(&Ask) -> bool) -> usize {
        self.seen().iter().filter(|ask| what(ask)).count()
    }

    fn visit(&self, options: Options) -> Arc<Visit> {
        let connector = SharedHttpConnector::new(self.clone());
        let engine = Arc::new(Engine {
            local: true,
            endpoint_url: None,
            use_fips: false,
            flights: Semaphore::new(256),
            overall: None,
            clock: Arc::default(),
            purse: Purse::new(
                options.objects.max_bytes,
                options.objects.max_cost,
                &options.objects.prices,
            ),
            options,
            observer: Arc::new(Silent),
            cancel: Cancel::default(),
            http: http_client_fn(move |_, _| connector.clone()),
            standing: Default::default(),
            told: Default::default(),
        });
        let credentials = Credentials::new("AKIAQAAAAGA4QAAAAAAA", "none", None, None, "test");
        let session = Session {
            services: BTreeSet::new(),
            credentials: SharedCredentialsProvider::new(credentials),
        };
        Visit::new(engine, ACCOUNT.to_owned(), Partition::Aws, vec![session])
    }

    /// Looks into one bucket that this serves.
    async fn look(&self, bucket: Bucket, options: Options) -> Observed<ObjectListing> {
        self.look_by(&self.visit(options), bucket).await
    }

    async fn look_by(&self, visit: &Arc<Visit>, bucket: Bucket) -> Observed<ObjectListing> {
        let bucket = Bucket {
            region: REGION.to_owned(),
            ..bucket
        };
        let mut s3 = S3 {
            buckets: Observed::Value(BTreeMap::from([(BUCKET.to_owned(), bucket)])),
            ..S3::default()
        };
        objects(visit, &mut s3).await;
        let buckets = s3.buckets.value_mut().unwrap();
        buckets.remove(BUCKET).unwrap().objects
    }
}

impl HttpConnector for Served {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let served = self.clone();
        HttpConnectorFuture::new(async move {
            let ask = Ask::read(&request);
            served.seen.lock().unwrap().push(ask.clone());
            let now = served.now.fetch_add(1, Ordering::SeqCst) + 1;
            served.most.fetch_max(now, Ordering::SeqCst);
            if !served.takes.is_zero() {
                tokio::time::sleep(served.takes).await;
            }
            let reply = (served.answer)(&ask);
            served.now.fetch_sub(1, Ordering::SeqCst);
            let mut response = http::Response::builder().status(reply.status);
            for (name, value) in reply.headers {
                response = response.header(name, value);
            }
            let response = response.body(SdkBody::from(reply.body)).unwrap();
            Ok(HttpResponse::try_from(response).unwrap())
        })
    }
}

/// One page of a listing, in the URL encoding that is asked for.
fn page(keys: &[(&str, usize)], folders: &[&str], next: Option<&str>) -> String {
    let encode = |key: &str| {
        let set = percent_encoding::NON_ALPHANUMERIC;
        percent_encoding::utf8_percent_encode(key, set).to_string()
    };
    let mut body = String::from("<ListBucketResult><EncodingType>url</EncodingType>");
    body += &format!("<IsTruncated>{}</IsTruncated>", next.is_some());
    for (key, size) in keys {
        body += &format!(
            "<Contents><Key>{}</Key><Size>{size}</Size><ETag>&quot;one&quot;</ETag>\
             <LastModified>2026-10-01T00:00:00.000Z</LastModified>\
             <StorageClass>STANDARD</StorageClass></Contents>",
            encode(key)
        );
    }
    for folder in folders {
        body += &format!(
            "<CommonPrefixes><Prefix>{}</Prefix></CommonPrefixes>",
            encode(folder)
        );
    }
    if let Some(next) = next {
        body += &format!("<NextContinuationToken>{next}</NextContinuationToken>");
    }
    body + "</ListBucketResult>"
}

/// Reads content, and nothing but these limits.
fn reading(objects: ObjectOptions) -> Options {
    Options {
        read_content: true,
        objects,
        ..Options::default()
    }
}

/// A bucket whose access lists have no effect, so that only names and content are asked for.
fn enforced() -> Bucket {
    Bucket {
        ownership: Observed::Value("BucketOwnerEnforced".to_owned()),
        ..Bucket::default()
    }
}

fn listed(outcome: Observed<ObjectListing>) -> ObjectListing {
    match outcome {
        Observed::Value(listing) => listing,
        other => panic!("{other:?}"),
    }
}

/// A key pair that belongs to nobody, put together here so that this file holds no whole token.
fn pair() -> (String, String) {
    let secret = ["JclQ7s", "3xwT9qqWwV1i", "vxX9axMgLGwc", "AJrVAbj45s"].concat();
    (["AKIA", "RTX3GSDSQERUKZ4J"].concat(), secret)
}
