//! A small signed client on the SDK's own runtime, for services whose generated crates would
//! cost minutes of building: the SDK signs, retries, times out and pools; this file only says
//! what a request and an answer look like.

use std::fmt;
use std::sync::Arc;

use aws_runtime::auth::sigv4::{SCHEME_ID, SigV4AuthScheme};
use aws_runtime::auth::{SigV4OperationSigningConfig, SigningOptions};
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_smithy_runtime::client::identity::IdentityCache;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{
    AuthSchemeOptionResolverParams, SharedAuthScheme, SharedAuthSchemeOptionResolver,
};
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};
use aws_types::SigningName;
use aws_types::region::{Region, SigningRegion};
use palisade_model::listing::Service;
use palisade_model::{Call, Gap, GapKind, Observed, find_call};
use serde_json::Value;

use crate::clients;
use crate::engine::Place;
use crate::pages::{Turns, half_a_row};
use crate::path;
use crate::transport::GiveUp;
use crate::wire::{Message, Question, error_of, join};

/// A refusal by a service.
#[derive(Debug)]
pub(crate) struct Refusal(ErrorMetadata);

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl std::error::Error for Refusal {}

impl ProvideErrorMetadata for Refusal {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl ProvideErrorKind for Refusal {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        None
    }

    fn code(&self) -> Option<&str> {
        self.0.code()
    }
}

impl Place {
    /// Asks a service of the table of typed calls.
    pub(crate) async fn json(
        &self,
        service: &'static Service,
        operation: &'static str,
        route: &'static str,
        parameters: Value,
    ) -> Observed<Value> {
        let name = format!("{}:{operation}", service.prefix);
        let call = find_call(&name).expect("collectors only make calls of the table");
        self.question(
            call,
            Question {
                service,
                operation,
                route,
                parameters: members(parameters),
            },
        )
        .await
    }

    /// Reads all pages of such a question.
    pub(crate) async fn json_pages(
        &self,
        service: &'static Service,
        operation: &'static str,
        route: &'static str,
        parameters: Value,
        rows: Rows<'_>,
    ) -> Observed<Vec<Value>> {
        let name = format!("{}:{operation}", service.prefix);
        let call = find_call(&name).expect("collectors only make calls of the table");
        let question = Question {
            service,
            operation,
            route,
            parameters: members(parameters),
        };
        self.question_pages(call, question, rows).await
    }

    /// Reads all pages of a question.
    pub(crate) async fn question_pages(
        &self,
        call: &Call,
        question: Question,
        rows: Rows<'_>,
    ) -> Observed<Vec<Value>> {
        let mut all = Vec::new();
        let mut turns = Turns::default();
        let mut token: Option<String> = None;
        loop {
            let mut page = question.clone();
            if let Some(token) = &token {
                page.parameters
                    .push((rows.send.to_owned(), token.clone().into()));
            }
            let answer = match self.question(call, page).await {
                Observed::Value(answer) => answer,
                other => return other.map(|_| Vec::new()),
            };
            if rows.is_something_else(&answer) {
                return Gap {
                    message: "the answer holds no list".to_owned(),
                    ..Gap::new(call.operation, GapKind::Unparsable)
                }
                .into();
            }
            let found = path::all(&answer, rows.items);
            let lacks = |row: &&Value| {
                rows.must
                    .iter()
                    .any(|part| path::first(row, part).is_none())
            };
            if found.iter().any(lacks) || path::has_empty_row(&answer, rows.items) {
                return half_a_row(call.operation).into();
            }
            let next = match rows.send {
                "" => None,
                _ => path::text(&answer, rows.read),
            };
            let next = match turns.turn(call.operation, found.len(), next) {
                Ok(next) => next,
                Err(gap) => return gap.into(),
            };
            all.extend(found.into_iter().cloned());
            match next {
                None => return Observed::Value(all),
                next => token = next,
            }
        }
    }

    /// Asks one question and settles its answer.
    pub(crate) async fn question(&self, call: &Call, question: Question) -> Observed<Value> {
        let question = Arc::new(question);
        self.make(call, || self.send(question.clone())).await
    }

    async fn send(
        &self,
        question: Arc<Question>,
    ) -> Result<Value, SdkError<Refusal, HttpResponse>> {
        let message = question.message();
        let url = self.endpoint_of(question.service);
        let reader = question.clone();
        let lane = self.lane(question.service.prefix);
        let engine = self.engine();
        Operation::builder()
            .service_name(question.service.prefix)
            .operation_name(question.operation)
            .behavior_version(aws_config::BehaviorVersion::latest())
            .http_client(lane.http.clone())
            .endpoint_url(&url)
            .standard_retry(&clients::retries())
            .retry_classifier(GiveUp)
            .retry_classifier(AwsErrorCodeClassifier::<Refusal>::new())
            .retry_classifier(TransientErrorClassifier::<Refusal>::new())
            .retry_classifier(HttpStatusCodeClassifier::default())
            .timeout_config(clients::timeouts(engine))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .sleep_impl(clients::sleep(engine))
            .interceptor(RequestInfoInterceptor::new())
            .runtime_plugin(self.signing(question.service))
            .serializer(move |message: Message| serialize(&message))
            .deserializer(move |response: &HttpResponse| deserialize(&reader, response))
            .build()
            .invoke(message)
            .await
    }

    fn signing(&self, service: &'static Service) -> StaticRuntimePlugin {
        let lane = self.lane(service.prefix);
        let mut layer = Layer::new("signing");
        layer.store_put(lane.retries.clone());
        layer.store_put(AuthSchemeOptionResolverParams::new(()));
        layer.store_put(SigV4OperationSigningConfig {
            region: Some(SigningRegion::from(Region::new(self.region.clone()))),
            region_set: None,
            name: Some(SigningName::from_static(service.signs)),
            signing_options: SigningOptions::default(),
        });
        let mut components = RuntimeComponentsBuilder::new("signing");
        components.set_auth_scheme_option_resolver(Some(SharedAuthSchemeOptionResolver::new(
            StaticAuthSchemeOptionResolver::new(vec![SCHEME_ID]),
        )));
        components.push_auth_scheme(SharedAuthScheme::new(SigV4AuthScheme::new()));
        components.set_identity_cache(Some(IdentityCache::no_cache()));
        let credentials = self.visit.credentials(service.prefix);
        components.set_identity_resolver(SCHEME_ID, SharedIdentityResolver::new(credentials));
        StaticRuntimePlugin::new()
            .with_config(layer.freeze())
            .with_runtime_components(components)
    }

    fn endpoint_of(&self, service: &Service) -> String {
        let engine = self.engine();
        clients::endpoint(engine, service.prefix).unwrap_or_else(|| {
            let fips = if engine.use_fips { "-fips" } else { "" };
            let suffix = self.visit.partition.dns_suffix();
            if service.host == "cloudfront" {
                return format!("https://cloudfront.{suffix}"); // one for all regions
            }
            format!("https://{}{fips}.{}.{suffix}", service.host, self.region)
        })
    }
}

/// A list in the answers to a question.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// The path of its rows.
    pub(crate) items: &'a str,
    /// What every row says: one without it leaves the list unread.
    pub(crate) must: &'a [&'a str],
    /// The parameter that takes the token of a page; empty where there is one page.
    pub(crate) send: &'a str,
    /// The path of the next page's token.
    pub(crate) read: &'a str,
    /// Whether an answer without anything in it says that nothing is set.
    pub(crate) may_be_silent: bool,
}

impl<'a> Rows<'a> {
    pub(crate) const fn new(
        items: &'a str,
        must: &'a [&'a str],
        (send, read): (&'a str, &'a str),
    ) -> Rows<'a> {
        Rows {
            items,
            must,
            send,
            read,
            may_be_silent: false,
        }
    }

    /// Whether an answer speaks of neither the list nor its next page. An empty list is written
    /// as one in every protocol; what does not mention it is no answer.
    fn is_something_else(&self, answer: &Value) -> bool {
        let names = |path: &str| {
            let head = path.split('.').next().unwrap_or_default();
            answer.get(head.trim_end_matches("[]")).is_some()
        };
        let is_silent = answer.as_object().is_none_or(serde_json::Map::is_empty);
        let holds = self.items == "."
            || self.items.split('|').any(names)
            || (!self.read.is_empty() && names(self.read));
        !(holds || is_silent && self.may_be_silent)
    }
}

fn members(parameters: Value) -> Vec<(String, Value)> {
    match parameters {
        Value::Object(members) => members.into_iter().collect(),
        _ => Vec::new(),
    }
}

fn serialize(message: &Message) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(message.body.clone()));
    request.set_method(message.method)?;
    request.set_uri(message.target.clone())?;
    for (name, value) in &message.headers {
        request.headers_mut().insert(*name, value.clone());
    }
    if !message.body.is_empty() {
        let length = message.body.len().to_string();
        request.headers_mut().insert("content-length", length);
    }
    Ok(request)
}

fn deserialize(
    question: &Question,
    response: &HttpResponse,
) -> Result<Value, OrchestratorError<Refusal>> {
    let body = response.body().bytes().unwrap_or_default();
    let mut refusal = ErrorMetadata::builder();
    if response.status().is_success() {
        if let Some(value) = question.read(body) {
            return Ok(value);
        }
    } else {
        let (code, message) = error_of(response.headers().get("x-amzn-errortype"), body);
        if !code.is_empty() {
            refusal = refusal.code(code);
        }
        if !message.is_empty() {
            refusal = refusal.message(message);
        }
    }
    Err(OrchestratorError::operation(Refusal(refusal.build())))
}

/// Checks that an endpoint is a URL at all.
pub(crate) fn is_url(endpoint: &str) -> bool {
    let known = endpoint.starts_with("http://") || endpoint.starts_with("https://");
    known && join(endpoint, "/").is_ok_and(|uri| uri.host().is_some())
}
