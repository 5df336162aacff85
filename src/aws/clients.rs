//! Clients of the SDK, all set up alike.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep, TokioSleep};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeDeserializationInterceptorContextRef, BeforeSerializationInterceptorContextRef,
    BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use palisade_model::{CALLS, Call};

use crate::engine::Engine;

/// The SDK's standard retries, patient with throttles. Server faults and silence are cut short
/// in `transport.rs`.
pub(crate) fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(10)
        .with_max_backoff(Duration::from_secs(20))
}

pub(crate) fn timeouts(engine: &Engine) -> TimeoutConfig {
    if engine.local {
        return TimeoutConfig::disabled();
    }
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .read_timeout(Duration::from_secs(20))
        .operation_attempt_timeout(Duration::from_secs(30))
        .operation_timeout(Duration::from_secs(180))
        .build()
}

pub(crate) fn sleep(engine: &Engine) -> SharedAsyncSleep {
    if engine.local {
        SharedAsyncSleep::new(NoSleep)
    } else {
        SharedAsyncSleep::new(TokioSleep::new())
    }
}

/// Waits for nothing: within one process there is nobody to be patient with.
#[derive(Debug)]
struct NoSleep;

impl AsyncSleep for NoSleep {
    fn sleep(&self, _: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// The endpoint to use instead of AWS's for that service, if any: the user's, or the
/// environment's for the one service.
pub(crate) fn endpoint(engine: &Engine, service: &str) -> Option<String> {
    if engine.local {
        return None;
    }
    let variable = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
    std::env::var(variable)
        .ok()
        .filter(|url| !url.is_empty())
        .or_else(|| engine.endpoint_url.clone())
}

/// Begins what is said of an answer without what the table says it holds.
pub(crate) const HOLDS_NO: &str = "the answer holds no";

/// Refuses, before it is signed, what the table of calls does not hold, and answers that do not
/// hold what the table says.
#[derive(Debug)]
pub(crate) struct OnlyTheTable(pub(crate) &'static str);

impl Intercept for OnlyTheTable {
    fn name(&self) -> &'static str {
        "only calls of the table"
    }

    fn read_before_serialization(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        match self.call(config) {
            Some(_) => Ok(()),
            None => {
                let name = config.load::<Metadata>().map(|metadata| metadata.name());
                let name = name.unwrap_or_default();
                Err(format!("`{}:{name}` is not in the table of calls", self.0).into())
            }
        }
    }

    /// The SDK's readers take a list that is not there for an empty one.
    fn read_before_deserialization(
        &self,
        context: &BeforeDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response();
        let Some(call) = self.call(config).filter(|call| !call.holds.is_empty()) else {
            return Ok(());
        };
        let body = response.body().bytes().unwrap_or_default();
        if !response.status().is_success() || call.is_answered_by(&String::from_utf8_lossy(body)) {
            return Ok(());
        }
        Err(format!("{HOLDS_NO} `{}`", call.holds).into())
    }
}

impl OnlyTheTable {
    /// The call of the table that is being made. S3 Control names its own operation like the one
    /// of S3; both hold the same.
    fn call(&self, config: &ConfigBag) -> Option<&'static Call> {
        let name = config.load::<Metadata>()?.name();
        CALLS.iter().find(|call| {
            call.service() == self.0
                && match call.name() {
                    "GetAccountPublicAccessBlock" | "GetBucketPublicAccessBlock" => {
                        name == "GetPublicAccessBlock"
                    }
                    "GetObjectVersion" => name == "GetObject",
                    listed => listed == name,
                }
        })
    }
}

/// Takes the account id off the front of the host: an endpoint that stands in for AWS has one
/// name. S3 Control puts it there.
#[derive(Debug)]
pub(crate) struct PlainHost;

impl Intercept for PlainHost {
    fn name(&self) -> &'static str {
        "plain host"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let uri = context.request().uri().to_owned();
        let Some((scheme, rest)) = uri.split_once("://") else {
            return Ok(());
        };
        if let Some((label, rest)) = rest.split_once('.')
            && label.len() == 12
            && label.bytes().all(|byte| byte.is_ascii_digit())
        {
            context
                .request_mut()
                .set_uri(format!("{scheme}://{rest}"))?;
        }
        Ok(())
    }
}

/// A client of an SDK crate, for a place and a service of the table.
macro_rules! sdk {
    ($sdk:ident, $place:expr, $service:literal) => {
        $sdk::Client::from_conf($crate::clients::configure!($sdk, $place, $service).build())
    };
}

/// The same, still open to changes.
macro_rules! configure {
    ($sdk:ident, $place:expr, $service:literal) => {{
        let place: &$crate::engine::Place = $place;
        let engine = place.engine();
        let lane = place.lane($service);
        let mut builder = $sdk::config::Builder::new()
            .behavior_version($sdk::config::BehaviorVersion::latest())
            .region($sdk::config::Region::new(place.region.clone()))
            .credentials_provider(place.visit.credentials($service))
            .identity_cache($sdk::config::IdentityCache::no_cache())
            .http_client(lane.http.clone())
            .sleep_impl($crate::clients::sleep(engine))
            .retry_config($crate::clients::retries())
            .retry_partition(lane.retries.clone())
            .retry_classifier($crate::transport::GiveUp)
            .timeout_config($crate::clients::timeouts(engine))
            .stalled_stream_protection($sdk::config::StalledStreamProtectionConfig::disabled())
            .interceptor($crate::clients::OnlyTheTable($service))
            .use_fips(engine.use_fips);
        if let Some(url) = $crate::clients::endpoint(engine, $service) {
            builder = builder.endpoint_url(url);
        }
        builder
    }};
}

pub(crate) use {configure, sdk};
