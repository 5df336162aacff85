//! Proof by asking: unsigned requests that were planned from the exposure, and their answers.
//!
//! A request is a GET without a body, credentials or cookies, and names the account that has to
//! own the bucket, so that nobody else's is ever asked. One leaves each second; redirects are not
//! followed, nothing is tried twice, and of an answer only its status and error code are kept.

use std::sync::Arc;
use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use palisade_model::{
    Gap, GapKind, Observed, Partition, ProofAnswer, ProofAsk, ProofRequest, ProofResult, Snapshot,
};

use crate::clients::{endpoint, sleep, timeouts};
use crate::engine::{Engine, interrupted};
use crate::outcome::{chain, one_line};
use crate::transport::{Meter, Metered};

/// Between two requests over a network.
const PAUSE: Duration = Duration::from_secs(1);

/// Sends what the options plan for this snapshot, one request after the other, and records what
/// came back beside each bucket. After an interrupt, what was not asked is a gap.
pub(crate) async fn prove(engine: &Engine, snapshot: &mut Snapshot) {
    let Some(plan) = &engine.options.proof else {
        return;
    };
    let requests = plan(snapshot);
    let http = Metered {
        inner: engine.http.clone(),
        meter: Arc::new(Meter {
            service: "s3",
            pace: None,
            overall: engine.overall.clone(),
            observer: engine.observer.clone(),
            clock: engine.clock.clone(),
        }),
    };
    for (index, request) in requests.into_iter().enumerate() {
        let account = snapshot.accounts.get_mut(&request.account);
        let buckets = account.and_then(|account| account.s3.buckets.value_mut());
        // Only what this very scan listed is ever asked.
        let Some(bucket) = buckets.and_then(|all| all.get_mut(&request.bucket)) else {
            continue;
        };
        if bucket.proofs.iter().any(|known| known.request == request) {
            continue; // before an interrupt
        }
        if index > 0 && !engine.local {
            tokio::time::sleep(PAUSE).await;
        }
        let answer = if engine.cancel.is_cancelled() {
            interrupted(name(&request)).into()
        } else {
            ask(engine, &http, &request, snapshot.partition).await
        };
        bucket.proofs.push(ProofResult { request, answer });
    }
}

/// What a gap calls the request: it has no row in the table of calls, which are all signed.
fn name(request: &ProofRequest) -> &'static str {
    match request.ask {
        ProofAsk::List => "unsigned s3:ListObjectsV2",
        ProofAsk::Get { .. } => "unsigned s3:GetObject",
    }
}

async fn ask(
    engine: &Engine,
    http: &Metered,
    request: &ProofRequest,
    partition: Partition,
) -> Observed<ProofAnswer> {
    let url = match endpoint(engine, "s3") {
        Some(endpoint) => request.url_at(&endpoint),
        None => request.url(partition),
    };
    // `https://host` and what follows it.
    let path = url
        .match_indices('/')
        .nth(2)
        .map_or(url.len(), |(at, _)| at);
    let (host, target) = (url[..path].to_owned(), url[path..].to_owned());
    let answer = Operation::builder()
        .service_name("s3")
        .operation_name("proof")
        .behavior_version(aws_config::BehaviorVersion::latest())
        .http_client(http.clone())
        .endpoint_url(&host)
        .no_auth()
        .no_retry()
        .timeout_config(timeouts(engine))
        .sleep_impl(sleep(engine))
        .serializer(move |asked: ProofRequest| unsigned(&asked, &target))
        .deserializer(|answer: &HttpResponse| {
            Ok::<_, OrchestratorError<std::convert::Infallible>>(read(answer))
        })
        .build()
        .invoke(request.clone())
        .await;
    match answer {
        Ok((status, code)) => Observed::Value(request.answer(status, &code)),
        Err(error) => {
            let message = one_line(&chain(&error));
            Gap {
                message,
                ..Gap::new(name(request), GapKind::Unreachable)
            }
            .into()
        }
    }
}

/// The request as it leaves.
fn unsigned(asked: &ProofRequest, target: &str) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::empty());
    request.set_method("GET")?;
    request.set_uri(target.to_owned())?;
    let agent = concat!("palisade/", env!("CARGO_PKG_VERSION"), " proof");
    let headers = request.headers_mut();
    headers.insert("user-agent", agent);
    headers.insert("x-amz-expected-bucket-owner", asked.account.clone());
    if let Some(range) = asked.range() {
        headers.insert("range", range);
    }
    Ok(request)
}

/// The status, and the error code: letters and digits, or nothing.
fn read(answer: &HttpResponse) -> (u16, String) {
    let status = answer.status().as_u16();
    let body = match status {
        200..=299 => &[],
        _ => answer.body().bytes().unwrap_or_default(),
    };
    let text = String::from_utf8_lossy(body);
    let code = text
        .split_once("<Code>")
        .and_then(|(_, rest)| rest.split_once("</Code>"))
        .map_or("", |(code, _)| code);
    let is_code = code.len() <= 64 && code.bytes().all(|b| b.is_ascii_alphanumeric());
    (
        status,
        if is_code {
            code.to_owned()
        } else {
            String::new()
        },
    )
}
