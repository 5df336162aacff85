//! How requests leave: over the network, or into a responder in this process.
//!
//! Every client's requests pass one connector that counts them, reads answers whole, notices
//! throttles, and decides when a server fault is not worth another try.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::byte_stream::error::Error as ByteStreamError;
use aws_smithy_types::date_time::{DateTime, Format};
use bytes::Bytes;

use crate::Observer;
use crate::pace::Pace;

/// Answers requests without a network: a built-in world, or a test.
pub type Responder = Arc<dyn Fn(http::Request<Bytes>) -> http::Response<Bytes> + Send + Sync>;

/// Where requests go.
#[derive(Clone, Default)]
pub enum Transport {
    /// To AWS, or to the endpoint the user named.
    #[default]
    Network,
    /// To a responder in this process, with made-up credentials and no waiting.
    InProcess(Responder),
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Transport::Network => "Network",
            Transport::InProcess(_) => "InProcess",
        })
    }
}

/// The client that all others share: its connections, or the responder.
pub(crate) fn client(transport: &Transport) -> SharedHttpClient {
    match transport {
        Transport::Network => network(),
        Transport::InProcess(responder) => {
            let connector = SharedHttpConnector::new(InProcess(responder.clone()));
            http_client_fn(move |_, _| connector.clone())
        }
    }
}

fn network() -> SharedHttpClient {
    use aws_smithy_http_client::tls::Provider;
    use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
    use aws_smithy_http_client::{Builder, Connector, proxy::ProxyConfig};

    Builder::new()
        .pool_max_idle_per_host(32)
        .build_with_connector_fn(|settings, components| {
            let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
            builder.set_connector_settings(settings.cloned());
            builder.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            builder
                .tls_provider(Provider::Rustls(CryptoMode::AwsLc))
                .build()
        })
}

struct InProcess(Responder);

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let responder = self.0.clone();
        HttpConnectorFuture::new(async move {
            let request = whole(request).await?;
            let (parts, body) = responder(request).into_parts();
            HttpResponse::try_from(http::Response::from_parts(parts, SdkBody::from(body)))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

async fn whole(request: HttpRequest) -> Result<http::Request<Bytes>, ConnectorError> {
    let user = |error| ConnectorError::user(error);
    let (parts, body) = request
        .try_into_http1x()
        .map_err(|error| user(error.into()))?
        .into_parts();
    let body = ByteStream::new(body)
        .collect()
        .await
        .map_err(|error| user(error.into()))?;
    Ok(http::Request::from_parts(parts, body.into_bytes()))
}

/// What one lane's requests are counted against.
pub(crate) struct Meter {
    pub(crate) service: &'static str,
    pub(crate) pace: Option<Pace>,
    pub(crate) overall: Option<Arc<Pace>>,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) clock: Arc<Clock>,
}

/// How far this machine's clock is ahead of the servers', by their last answer.
#[derive(Debug, Default)]
pub(crate) struct Clock(Mutex<Option<i64>>);

impl Clock {
    /// Seconds; negative when it is behind.
    pub(crate) fn ahead(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hear(&self, date: &str) {
        let told = DateTime::from_str(date, Format::HttpDate).ok();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        if let (Some(told), Some(now)) = (told, now) {
            let ahead = now.as_secs() as i64 - told.secs();
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ahead);
        }
    }
}

impl fmt::Debug for Meter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Meter({})", self.service)
    }
}

/// A client whose requests are metered.
#[derive(Clone, Debug)]
pub(crate) struct Metered {
    pub(crate) inner: SharedHttpClient,
    pub(crate) meter: Arc<Meter>,
}

impl HttpClient for Metered {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(MeteredConnector {
            inner: self.inner.http_connector(settings, components),
            meter: self.meter.clone(),
        })
    }
}

#[derive(Debug)]
struct MeteredConnector {
    inner: SharedHttpConnector,
    meter: Arc<Meter>,
}

/// Marks an answer after which trying again is pointless.
const GIVE_UP: &str = "x-palisade-give-up";

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let meter = self.meter.clone();
        let attempt = attempt_of(&request);
        let most = asked_for(&request);
        meter.observer.sent(meter.service, attempt);
        if attempt > 1 {
            meter.pace.iter().for_each(Pace::charge);
            meter.overall.iter().for_each(|pace| pace.charge());
        }
        // An object is what it is: only answers that S3 wrote itself are looked at.
        let is_object = request.uri().contains("x-id=GetObject");
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            let mut response = match answer.await {
                Ok(response) => response,
                // Name lookup and connecting get one more try: a region that is not there
                // must not hold up the others.
                Err(error) if attempt >= 2 => {
                    return Err(ConnectorError::other(Box::new(error), None));
                }
                Err(error) => return Err(error),
            };
            if let Some(date) = response.headers().get("date") {
                meter.clock.hear(date);
            }
            let body = std::mem::replace(response.body_mut(), SdkBody::empty());
            let body = match limited(ByteStream::new(body), most).await {
                Ok(body) => body,
                Err(error) if attempt >= 2 => {
                    return Err(ConnectorError::other(error.into(), None));
                }
                Err(error) => return Err(ConnectorError::io(error.into())),
            };
            let status = response.status().as_u16();
            if is_throttle(status, &body) {
                meter.observer.throttled(meter.service);
                meter.pace.iter().for_each(Pace::throttled);
            } else if status >= 500 && attempt >= if status == 503 { 5 } else { 3 } {
                response.headers_mut().insert(GIVE_UP, "1");
            }
            // Every operation of the table answers in a document, be it an empty one.
            let is_no_answer = body.is_empty() || is_cut_off(&body);
            *response.body_mut() = match status < 300 && !is_object && is_no_answer {
                true => SdkBody::from(CUT_OFF),
                false => SdkBody::from(body),
            };
            Ok(response)
        })
    }
}

/// Stands for an answer of which the end is missing: no protocol reads it.
const CUT_OFF: &str = "the answer is cut off";

/// Whether an XML document lacks its end. The SDK's readers stop where the text stops, and would
/// take the first half of a list for all of it.
fn is_cut_off(body: &[u8]) -> bool {
    let body = body.trim_ascii();
    let mut rest = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if !rest.starts_with(b"<") {
        return false;
    }
    while rest.starts_with(b"<?") || rest.starts_with(b"<!") {
        let Some(end) = rest.iter().position(|byte| *byte == b'>') else {
            return true;
        };
        rest = rest[end + 1..].trim_ascii_start();
    }
    let name = rest.get(1..).unwrap_or_default();
    let length = name
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
    let Some(length) = length else {
        return true;
    };
    let closing = [b"</", &name[..length], b">"].concat();
    let alone = rest.ends_with(b"/>") && rest.iter().filter(|byte| **byte == b'<').count() == 1;
    !(rest.ends_with(&closing) || alone)
}

/// How many bytes a request asks for, where it names a range.
fn asked_for(request: &HttpRequest) -> Option<u64> {
    let range = request.headers().get("range")?.strip_prefix("bytes=")?;
    let (first, last) = range.split_once('-')?;
    let (first, last) = (first.parse::<u64>().ok()?, last.parse::<u64>().ok()?);
    Some(last.checked_sub(first)? + 1)
}

/// An error that a range may be answered with is longer than a short range.
const LONGEST_ERROR: u64 = 64 << 10;

/// Reads an answer whole; of one to a range, no more than was asked for: a server that does not
/// know ranges would send everything.
async fn limited(mut body: ByteStream, most: Option<u64>) -> Result<Bytes, ByteStreamError> {
    let Some(most) = most else {
        return Ok(body.collect().await?.into_bytes());
    };
    let most = usize::try_from(most.max(LONGEST_ERROR)).unwrap_or(usize::MAX);
    let mut read = bytes::BytesMut::new();
    while let Some(part) = body.next().await {
        read.extend_from_slice(&part?);
        if read.len() >= most {
            read.truncate(most);
            break;
        }
    }
    Ok(read.freeze())
}

/// The attempt's number, from the header the SDK writes: `attempt=2; max=10`.
fn attempt_of(request: &HttpRequest) -> u32 {
    request
        .headers()
        .get("amz-sdk-request")
        .and_then(|text| text.split("attempt=").nth(1))
        .and_then(|rest| rest.split(';').next())
        .and_then(|number| number.trim().parse().ok())
        .unwrap_or(1)
}

/// Error codes by which AWS refuses a call for its rate.
pub(crate) const THROTTLES: &[&str] = &[
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottledException",
    "RequestThrottled",
    "TooManyRequestsException",
    "TooManyRequests",
    "RequestLimitExceeded",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

fn is_throttle(status: u16, body: &[u8]) -> bool {
    if status < 400 {
        return false;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(2_048)]);
    status == 429 || THROTTLES.iter().any(|code| head.contains(code))
}

/// Obeys [`GIVE_UP`].
#[derive(Debug)]
pub(crate) struct GiveUp;

impl ClassifyRetry for GiveUp {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        match context
            .response()
            .map(|response| response.headers().get(GIVE_UP))
        {
            Some(Some(_)) => RetryAction::RetryForbidden,
            _ => RetryAction::NoActionIndicated,
        }
    }

    fn name(&self) -> &'static str {
        "palisade gives up"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_before(RetryClassifierPriority::http_status_code_classifier())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_document_is_no_document() {
        let whole = "<?xml version=\"1.0\"?>\n<ListResult xmlns=\"x\"><Key>a</Key></ListResult>\n";
        assert!(!is_cut_off(whole.as_bytes()));
        assert!(!is_cut_off(b"<Empty xmlns=\"x\"/>"));
        assert!(!is_cut_off(b"{\"json\": true}"));
        assert!(!is_cut_off(b""));
        for cut in 1..whole.trim_end().len() {
            assert!(is_cut_off(&whole.as_bytes()[..cut]), "{}", &whole[..cut]);
        }
    }
}
