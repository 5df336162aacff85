//! Who we are: credentials from the chain, proven with one call before anything else.

use std::sync::Arc;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use palisade_model::{Arn, Partition};

use crate::clients::sdk;
use crate::credentials::{Kept, is_expired, said};
use crate::engine::{Engine, Place, Session, Visit};
use crate::outcome::Failure;
use crate::{CollectError, Options, Transport};

/// A proven set of credentials.
pub(crate) struct Caller {
    pub(crate) arn: Arn,
    /// The profile that gave them, where one was named.
    pub(crate) profile: Option<String>,
    /// The account they belong to, entered with them.
    pub(crate) visit: Arc<Visit>,
}

/// What the configuration files and the environment say, and what an endpoint may override.
pub(crate) struct Chain {
    credentials: SharedCredentialsProvider,
    region: Option<String>,
    pub(crate) endpoint_url: Option<String>,
    pub(crate) use_fips: bool,
}

/// Reads the configuration for a profile. Within this process, credentials are made up; a
/// profile that is an account id stands for that account.
pub(crate) async fn chain(
    transport: &Transport,
    http: &aws_smithy_runtime_api::client::http::SharedHttpClient,
    profile: Option<&str>,
) -> Result<Chain, CollectError> {
    if let Transport::InProcess(_) = transport {
        return Ok(Chain {
            credentials: SharedCredentialsProvider::new(made_up(profile.unwrap_or_default())),
            region: None,
            endpoint_url: None,
            use_fips: false,
        });
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest()).http_client(http.clone());
    if let Some(profile) = profile {
        loader = loader.profile_name(profile);
    }
    let config: SdkConfig = loader.load().await;
    let Some(credentials) = config.credentials_provider() else {
        return Err(CollectError::NoCredentials {
            profile: profile.map(str::to_owned),
            detail: String::new(),
        });
    };
    Ok(Chain {
        credentials,
        region: config.region().map(ToString::to_string),
        endpoint_url: config.endpoint_url().map(str::to_owned).or_else(unread_url),
        use_fips: config.use_fips().unwrap_or_default(),
    })
}

/// An endpoint in the environment that the SDK passed over, because it is no URL: whoever set it
/// did not mean AWS.
fn unread_url() -> Option<String> {
    let text = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
    let ignored = text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
        .is_some_and(|word| word.eq_ignore_ascii_case("true"));
    text("AWS_ENDPOINT_URL").filter(|_| !ignored)
}

/// Proves the credentials: `sts:GetCallerIdentity` needs no permission.
pub(crate) async fn prove(
    engine: &Arc<Engine>,
    chain: Chain,
    profile: Option<&str>,
) -> Result<Caller, CollectError> {
    let named = profile.map(str::to_owned);
    let credentials = Kept::keep(chain.credentials);
    if let Err(error) = credentials.provide_credentials().await {
        return Err(not_there(named, &error));
    }
    let asked = engine
        .options
        .regions
        .iter()
        .find(|region| !region.contains('*'));
    let region = asked.or(chain.region.as_ref());
    let partition = region
        .map(|region| Partition::of_region(region))
        .unwrap_or_default();
    let visit = |account: String, partition| {
        let session = Session {
            services: Default::default(),
            credentials: credentials.clone(),
        };
        Visit::new(engine.clone(), account, partition, vec![session])
    };
    let place = visit("caller".to_owned(), partition).home();
    let (account, arn) = identity(&place, named.clone()).await?;
    let partition = Partition::parse(arn.partition()).unwrap_or(partition);
    if let Some(ahead) = engine.clock.ahead().filter(|ahead| ahead.abs() > 300) {
        let text = format!("this machine's clock is off by {} seconds", ahead.abs());
        engine.observer.warn(&text);
    }
    Ok(Caller {
        visit: visit(account, partition),
        profile: named,
        arn,
    })
}

async fn identity(place: &Place, profile: Option<String>) -> Result<(String, Arn), CollectError> {
    let engine = place.engine();
    let sts = sdk!(aws_sdk_sts, place, "sts");
    engine.observer.planned(1);
    let answer = sts.get_caller_identity().send().await;
    engine.observer.finished("sts:GetCallerIdentity");
    let endpoint = engine.endpoint_url.clone().unwrap_or_else(|| {
        format!(
            "sts.{}.{}",
            place.region,
            place.visit.partition.dns_suffix()
        )
    });
    match answer {
        Ok(answer) => match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok((account, arn.into())),
            _ => Err(CollectError::NotAws {
                endpoint,
                detail: "the answer names no account".to_owned(),
            }),
        },
        Err(error) => Err(refused(profile, endpoint, Failure::of(error))),
    }
}

fn refused(profile: Option<String>, endpoint: String, failure: Failure) -> CollectError {
    match (failure.status, failure.code.as_str()) {
        (None, _) => CollectError::Unreachable {
            endpoint,
            detail: failure.message,
        },
        (_, code) if is_expired(code) => CollectError::ExpiredCredentials { profile },
        (Some(500..), "ServiceUnavailable" | "InternalFailure") => CollectError::Unreachable {
            endpoint,
            detail: failure.code,
        },
        (_, "") => CollectError::NotAws {
            endpoint,
            detail: failure.message,
        },
        (_, _) => CollectError::InvalidCredentials {
            profile,
            code: failure.code,
        },
    }
}

fn not_there(profile: Option<String>, error: &CredentialsError) -> CollectError {
    let detail = said(error);
    let lower = detail.to_ascii_lowercase();
    if lower.contains("expired") {
        return CollectError::ExpiredCredentials { profile };
    }
    CollectError::NoCredentials { profile, detail }
}

/// Credentials that no AWS would take. The key id holds the account, as real ones do: one bit
/// set, forty bits of account, thirty-nine bits of anything, in base 32.
fn made_up(account: &str) -> Credentials {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let key = match account.parse::<u128>() {
        Ok(number) if account.len() == 12 => {
            let value = (1u128 << 79) | (number << 39);
            let digits = (0..16).map(|at| BASE32[(value >> (75 - 5 * at)) as usize & 31]);
            format!("AKIA{}", digits.map(char::from).collect::<String>())
        }
        _ => "PALISADEWORLD".to_owned(),
    };
    Credentials::new(key, "not a secret", None, None, "world")
}

/// The role asked for with the profile, entered; or the profile's own account.
pub(crate) async fn enter_role(
    caller: &Caller,
    options: &Options,
) -> Result<Arc<Visit>, CollectError> {
    let Some(role) = &options.role_arn else {
        return Ok(caller.visit.clone());
    };
    let entry = crate::credentials::Entry {
        role: role.clone(),
        session_name: session_name(options),
        external_id: options.external_id.clone(),
    };
    let home = caller.visit.home();
    let sessions = crate::credentials::enter(&home, &entry, options.read_content)
        .await
        .map_err(|gap| CollectError::RoleRefused {
            role: role.clone(),
            code: if gap.code.is_empty() {
                gap.message
            } else {
                gap.code
            },
        })?;
    let account = Arn::from(role.as_str()).account().to_owned();
    let visit = &caller.visit;
    Ok(Visit::new(
        visit.engine.clone(),
        account,
        visit.partition,
        sessions,
    ))
}

pub(crate) fn session_name(options: &Options) -> String {
    options
        .role_session_name
        .clone()
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "palisade".to_owned())
}
